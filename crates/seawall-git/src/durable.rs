//! Makes libgit2 synchronise what it writes.
//!
//! libgit2 writes loose objects and refs without `fsync` unless `core.fsyncObjectFiles` is set; a crash of the machine
//! could then leave a ref to an object that is not there. The process-wide switch is an unsafe call, and the user's
//! configuration is not ours to write, so each opened repository gets one more configuration file on top, which exists
//! only in memory. It costs one `fsync` per object, about 1 ms.
//!
//! What a run does itself is in its journal, so the branch of a run has no log of its own (`git reflog`): it would be synchronised
//! too, with its directory, which is a third of what a checkpoint waits for on a disk. The user's branches have theirs.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use git2::{ConfigLevel, Repository};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::error::{Error, Result, git, io};

const DURABLE: &[u8] = b"[core]\n\tfsyncObjectFiles = true\n";
const UNLOGGED: &[u8] = b"\tlogAllRefUpdates = false\n";

/// A configuration file in memory, sealed against changes.
#[derive(Debug)]
pub(crate) struct Durable(File);

impl Durable {
    /// For what is the user's: refs are logged where the user has it so.
    pub(crate) fn new() -> Result<Self> {
        Self::of(&[DURABLE])
    }

    /// For what is a run's own: no ref is logged.
    pub(crate) fn unlogged() -> Result<Self> {
        Self::of(&[DURABLE, UNLOGGED])
    }

    fn of(lines: &[&[u8]]) -> Result<Self> {
        Self::sealed(lines).map_err(|source| Error::Io {
            doing: "make a configuration in memory for",
            path: PathBuf::from("seawall-git"),
            source,
        })
    }

    fn sealed(lines: &[&[u8]]) -> std::io::Result<Self> {
        let fd = memfd_create(
            c"seawall-git",
            MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING,
        )?;
        let mut file = File::from(fd);
        file.write_all(&lines.concat())?;
        let seals = SealFlag::F_SEAL_WRITE
            | SealFlag::F_SEAL_GROW
            | SealFlag::F_SEAL_SHRINK
            | SealFlag::F_SEAL_SEAL;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
        Ok(Self(file))
    }

    /// Must be called before the object database or a ref of `repo` is used: libgit2 looks once.
    pub(crate) fn apply(&self, repo: &Repository) -> Result<()> {
        let path = PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()));
        std::fs::metadata(&path).map_err(io("read", Path::new("/proc/self/fd")))?;
        let mut config = repo
            .config()
            .map_err(git("read the configuration of the repository"))?;
        config
            .add_file(&path, ConfigLevel::App, true)
            .map_err(git("configure durable writes"))
    }
}
