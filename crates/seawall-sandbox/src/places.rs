//! Private directories on the host for a command whose order names none, where there is no mount namespace to make them in.
//!
//! The launcher makes them, and removes them when the tree is dead. One that is killed itself leaves them, as any program leaves
//! its temporary files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::mkdtemp;

use crate::launch::Launch;
use crate::rung::Rung;
use crate::wire::Raw;

/// A launch with directories that are there, for as long as this is.
#[derive(Debug)]
pub(crate) struct Places {
    launch: Launch,
    root: PathBuf,
}

impl Places {
    /// `None` when the launch has directories of its own, or the rung has a view to make them in.
    pub(crate) fn make(launch: &Launch, rung: Rung) -> io::Result<Option<Self>> {
        let named = !launch.home.as_path().as_os_str().is_empty();
        if named || rung.has(libc::CLONE_NEWNS) {
            return Ok(None);
        }
        let above = std::path::absolute(std::env::temp_dir())?;
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

fn made(directory: &Path) -> io::Result<Raw> {
    fs::create_dir(directory)?;
    Ok(Raw::path(directory))
}
