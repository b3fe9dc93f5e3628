//! Deletes directories that a worker has filled.
//!
//! The standard library's removal recurses and keeps a descriptor per level; a worker can nest deeper than either
//! allows. Here a directory found inside another is first moved up to the top, so that two descriptors are enough for any
//! depth. It costs one rename per directory.

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::{Mode, fchmod, fstat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::dirfd::{Root, each_name};
use crate::error::{Error, Result, io};

/// Deletes a workspace, or whatever stands at `path`, with all below it; links are deleted and never followed. Nothing
/// there is no error, and neither is a removal that was interrupted.
pub fn remove_workspace(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(Error::Io {
                doing: "look at",
                path: path.to_path_buf(),
                source,
            });
        }
        Ok(found) if !found.is_dir() => return fs::remove_file(path).map_err(io("remove", path)),
        Ok(found) if found.permissions().mode() & 0o700 != 0o700 => {
            fs::set_permissions(path, Permissions::from_mode(0o700))
                .map_err(io("take over", path))?;
        }
        Ok(_) => {}
    }
    let root = Root::open(path)?;
    empty(&root.fd).map_err(io("empty", path))?;
    fs::remove_dir(path).map_err(io("remove", path))
}

/// Removes everything in a directory.
fn empty(root: &OwnedFd) -> nix::Result<()> {
    let mut fresh = 0;
    loop {
        let mut dirs = Vec::new();
        each_name(root, |name| {
            if !unlinked(root, name)? {
                dirs.push(name.to_vec());
            }
            Ok::<_, Errno>(())
        })?;
        if dirs.is_empty() {
            return Ok(());
        }
        for name in dirs {
            hollow(root, &name, &mut fresh)?;
            unlinkat(root, name.as_slice(), UnlinkatFlags::RemoveDir)?;
        }
    }
}

/// Empties one directory: its files are removed, its directories moved up to the top.
fn hollow(root: &OwnedFd, name: &[u8], fresh: &mut u64) -> nix::Result<()> {
    let dir = open_owned(root, name)?;
    loop {
        let mut found = false;
        each_name(&dir, |child| {
            found = true;
            match unlinked(&dir, child)? {
                true => Ok(()),
                false => move_up(&dir, child, root, fresh),
            }
        })?;
        // A directory that changes while it is read may hide a name, so it is read until it is found empty.
        if !found {
            return Ok(());
        }
    }
}

/// Removes a name unless it is a directory.
fn unlinked(dir: &OwnedFd, name: &[u8]) -> nix::Result<bool> {
    match unlinkat(dir, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(true),
        Err(Errno::EISDIR) => Ok(false),
        Err(errno) => Err(errno),
    }
}

fn move_up(dir: &OwnedFd, name: &[u8], root: &OwnedFd, fresh: &mut u64) -> nix::Result<()> {
    // Its `..` changes, for which rename(2) wants it to be writable.
    drop(open_owned(dir, name)?);
    loop {
        let up = format!(".seawall-removing-{fresh}");
        *fresh += 1;
        match renameat(dir, name, root, up.as_str()) {
            Err(Errno::ENOTEMPTY | Errno::EEXIST | Errno::ENOTDIR) => {}
            result => return result,
        }
    }
}

/// Opens a directory for reading and writing, whatever permissions a worker left on it.
fn open_owned(parent: &OwnedFd, name: &[u8]) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let open = || openat(parent, name, flags | OFlag::O_RDONLY, Mode::empty());
    let dir = match open() {
        Err(Errno::EACCES) => {
            let handle = openat(parent, name, flags | OFlag::O_PATH, Mode::empty())?;
            let through = format!("/proc/self/fd/{}", handle.as_raw_fd());
            let done = fs::set_permissions(through, Permissions::from_mode(0o700));
            done.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
            open()?
        }
        opened => opened?,
    };
    if fstat(&dir)?.st_mode & 0o700 != 0o700 {
        fchmod(&dir, Mode::S_IRWXU)?;
    }
    Ok(dir)
}
