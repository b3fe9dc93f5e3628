//! Reads directories that a worker could write, without ever following a link.
//!
//! Every open goes through openat2(2) with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS` from the one descriptor of the
//! workspace, so that no name can lead out of it, and no descriptor is held per level: a tree may be nested deeper than
//! the process may have files open. The price is that a directory is looked up from the top each time.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};

use crate::error::{Error, Result, io};
use crate::path::{as_path, parent};

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// a regular file
    File,
    /// a directory
    Directory,
    /// a symbolic link
    Symlink,
    /// a named pipe
    Fifo,
    /// a socket
    Socket,
    /// a block or character device
    Device,
}

impl FileKind {
    pub(crate) fn of(stat: &FileStat) -> Self {
        match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFREG => Self::File,
            SFlag::S_IFDIR => Self::Directory,
            SFlag::S_IFLNK => Self::Symlink,
            SFlag::S_IFIFO => Self::Fifo,
            SFlag::S_IFSOCK => Self::Socket,
            _ => Self::Device,
        }
    }
}

/// The top directory of a workspace.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) fd: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens a directory; its last component must not be a link.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let fd = nix::fcntl::open(path, DIRECTORY, Mode::empty()).map_err(io("open", path))?;
        Ok(Self {
            fd,
            path: path.to_path_buf(),
        })
    }

    /// Where something below the root is, for messages.
    pub(crate) fn path(&self, below: &[u8]) -> PathBuf {
        self.path.join(as_path(below))
    }

    /// Opens a directory below, or the root for an empty path.
    pub(crate) fn dir(&self, below: &[u8]) -> nix::Result<OwnedFd> {
        let below = if below.is_empty() { b"." } else { below };
        beneath(&self.fd, below, DIRECTORY, Mode::empty())
    }

    /// Opens the directory that something below lies in.
    pub(crate) fn above(&self, below: &[u8]) -> nix::Result<OwnedFd> {
        self.dir(parent(below).unwrap_or_default())
    }

    /// Opens a regular file for reading, without waiting for a fifo or waking a device.
    pub(crate) fn file(&self, below: &[u8]) -> nix::Result<(File, FileStat)> {
        let flags = OFlag::O_RDONLY
            | OFlag::O_NOFOLLOW
            | OFlag::O_NONBLOCK
            | OFlag::O_NOCTTY
            | OFlag::O_CLOEXEC;
        let file = File::from(beneath(&self.fd, below, flags, Mode::empty())?);
        let stat = fstat(&file)?;
        match FileKind::of(&stat) {
            FileKind::File => Ok((file, stat)),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Turns an errno about something below into an error.
    pub(crate) fn fail(&self, doing: &'static str, below: &[u8]) -> impl FnOnce(Errno) -> Error {
        let path = self.path(below);
        move |errno| match errno {
            Errno::ENOSYS => Error::Unsupported("openat2 (Linux 5.6)"),
            _ => Error::Io {
                doing,
                path,
                source: errno.into(),
            },
        }
    }
}

const DIRECTORY: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// openat2(2) that stays below `fd` and follows nothing. `EAGAIN` means that something was renamed meanwhile.
fn beneath(fd: &OwnedFd, path: &[u8], flags: OFlag, mode: Mode) -> nix::Result<OwnedFd> {
    let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
    let how = OpenHow::new().flags(flags).mode(mode).resolve(resolve);
    for _ in 0..64 {
        match openat2(fd, path, how) {
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            result => return result,
        }
    }
    Err(Errno::EAGAIN)
}

/// The status of a name in a directory, of a link itself.
pub(crate) fn stat(dir: &OwnedFd, name: &[u8]) -> nix::Result<FileStat> {
    fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)
}

/// Calls `each` for every name of a directory, in the order of the file system; it stops at the first error.
pub(crate) fn each_name<E: From<Errno>>(
    dir: &OwnedFd,
    mut each: impl FnMut(&[u8]) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    // A second descriptor, because `Dir` closes the one it reads.
    let own = dir.try_clone().map_err(|_| Errno::EMFILE)?;
    let mut entries = Dir::from_fd(own)?;
    for entry in entries.iter() {
        let entry = entry?;
        match entry.file_name().to_bytes() {
            b"." | b".." => {}
            name => each(name)?,
        }
    }
    Ok(())
}

/// The target of a link as bytes.
pub(crate) fn link_target(dir: &OwnedFd, name: &[u8]) -> nix::Result<Vec<u8>> {
    Ok(nix::fcntl::readlinkat(dir, name)?.as_bytes().to_vec())
}
