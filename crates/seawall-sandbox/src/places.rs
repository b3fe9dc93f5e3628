//! Private directories on the host for a command whose order names none, where there is no mount namespace to make them in.
//!
//! The launcher makes them, and removes them when the tree is dead. One that is killed itself leaves them, as any program leaves
//! its temporary files. On a disk, making and removing three directories is a tenth of such a launch, so they are in memory where
//! a control group counts what is written there against the limit of the command.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::libc;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::mkdtemp;

use crate::launch::Launch;
use crate::rung::Rung;
use crate::view;
use crate::wire::Raw;

/// Where every Linux has a file system in memory (`shm_overview(7)`).
const SHARED_MEMORY: &str = "/dev/shm";

/// A launch with directories that are there, for as long as this is.
#[derive(Debug)]
pub(crate) struct Places {
    launch: Launch,
    root: PathBuf,
}

impl Places {
    /// `None` when the launch has directories of its own, or the rung has a view to make them in. `bounded` when the memory of
    /// the whole tree has a limit.
    pub(crate) fn make(launch: &Launch, rung: Rung, bounded: bool) -> io::Result<Option<Self>> {
        let named = !launch.home.as_path().as_os_str().is_empty();
        if named || rung.has(libc::CLONE_NEWNS) {
            return Ok(None);
        }
        let shared = Path::new(SHARED_MEMORY);
        let above = match bounded && is_fit(shared, launch) {
            true => shared.to_owned(),
            false => std::path::absolute(std::env::temp_dir())?,
        };
        let mut places = Self {
            launch: launch.clone(),
            root: mkdtemp(&above.join("seawall-XXXXXX"))?,
        };
        places.launch.home = made(&places.root.join("home"))?;
        places.launch.tmp = made(&places.root.join("tmp"))?;
        Ok(Some(places))
    }

    /// The launch with these directories.
    pub(crate) fn launch(&self) -> &Launch {
        &self.launch
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        // What cannot be removed stays where temporary files are looked for.
        drop(fs::remove_dir_all(&self.root));
    }
}

/// Whether a place has the room that a view would have, and lets what is in it be run, which containers often forbid there.
fn is_fit(place: &Path, launch: &Launch) -> bool {
    let wanted = launch.limits.disk.unwrap_or(view::DEFAULT_SIZE);
    statvfs(place).is_ok_and(|found| {
        let free = found
            .blocks_available()
            .saturating_mul(found.fragment_size());
        free >= wanted && !found.flags().contains(FsFlags::ST_NOEXEC)
    })
}

/// Nobody else's, whatever the caller's mask says: tools refuse a home that a group may write.
fn made(directory: &Path) -> io::Result<Raw> {
    fs::DirBuilder::new().mode(0o700).create(directory)?;
    Ok(Raw::path(directory))
}
