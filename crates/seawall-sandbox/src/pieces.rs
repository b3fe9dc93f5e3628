//! What of the host is mounted into a view: detached copies, made while the host's root is still in sight.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::{Mode, SFlag, fstat};

use crate::launch::{Grant, Launch};
use crate::sys::{self, NO_DEVICES, NO_SETUID, READ_ONLY};
use crate::view::{Step, step};
use crate::wire::Raw;

/// One copy and its place.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) at: PathBuf,
    pub(crate) tree: OwnedFd,
    pub(crate) directory: bool,
}

/// Everything that a view is made of.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    /// What is read, parents before children.
    pub(crate) read: Vec<Piece>,
    pub(crate) devices: Vec<Piece>,
    /// The workspace, and what is written; later ones lie above earlier ones.
    pub(crate) written: Vec<Piece>,
    /// Names that are links on the host, and where they lead.
    pub(crate) links: Vec<(PathBuf, PathBuf)>,
}

/// Directories that are mounted whole; of `/etc`, Landlock grants only the harmless leaves.
const SYSTEM: &[&str] = &[
    "/usr",
    "/etc",
    "/nix/store",
    "/gnu/store",
    "/sys/devices/system",
];

/// Old names of parts of `/usr`: links on most hosts.
const OLD_NAMES: &[&str] = &["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
];

/// Whether a path of the system is in a view.
pub(crate) fn in_view(path: &Path) -> bool {
    let whole = SYSTEM
        .iter()
        .chain(OLD_NAMES)
        .chain(DEVICES)
        .chain(&["/proc"]);
    whole.into_iter().any(|root| path.starts_with(root))
}

/// The directories of the system that this host has.
pub(crate) fn system() -> io::Result<Vec<Piece>> {
    present(SYSTEM)
}

fn present(paths: &[&str]) -> io::Result<Vec<Piece>> {
    let mut found = Vec::new();
    for path in paths {
        match sys::clone_mounts(Path::new(path)) {
            Ok(tree) => found.push(Piece {
                at: path.into(),
                tree,
                directory: !path.starts_with("/dev/"),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

impl Pieces {
    /// Copies what the launch needs; `workspace` is to appear at `target`.
    pub(crate) fn gather(launch: &Launch, workspace: &Path, target: &Path) -> Step<Self> {
        let mut pieces = Self {
            read: step("copy the system's mounts", system())?,
            devices: step("copy the devices", present(DEVICES))?,
            ..Self::default()
        };
        step("copy the system's mounts", pieces.old_names())?;
        pieces.grants(launch, target)?;
        pieces.work(launch, workspace, target)?;
        Ok(pieces)
    }

    /// A name that is a link on the host leads to the same place in the view.
    pub(crate) fn link(&mut self, name: &Path, place: &Path) {
        if name != place {
            self.links.push((name.to_owned(), place.to_owned()));
        }
    }

    fn old_names(&mut self) -> io::Result<()> {
        for name in OLD_NAMES {
            match fs::read_link(name) {
                Ok(to) => self.links.push((name.into(), to)),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    self.read.extend(present(&[name])?);
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Toolchains, and what the order lets be read.
    fn grants(&mut self, launch: &Launch, target: &Path) -> Step<()> {
        let named = launch.system.iter().chain(&launch.read).map(Raw::as_path);
        let mut wanted = Vec::new();
        for path in named {
            if self.covers(path) {
                continue;
            }
            // What does not exist is no grant; the order's own paths were looked at by the supervisor.
            let Ok(real) = fs::canonicalize(path) else {
                continue;
            };
            // Below the place of the workspace there is only the workspace.
            if real.starts_with(target) {
                continue;
            }
            self.link(path, &real);
            wanted.push(real);
        }
        wanted.sort();
        for real in wanted {
            if !self.covers(&real) {
                self.read.push(piece(&real, &real)?);
            }
        }
        Ok(())
    }

    /// Whether a path is in the view already.
    fn covers(&self, path: &Path) -> bool {
        let made = ["/proc", "/dev", "/sys"]
            .into_iter()
            .chain(OLD_NAMES.iter().copied());
        made.into_iter().any(|root| is_below(path, root))
            || self.read.iter().any(|piece| is_below(path, &piece.at))
    }

    fn work(&mut self, launch: &Launch, workspace: &Path, target: &Path) -> Step<()> {
        let whole = Piece {
            at: target.to_owned(),
            ..piece(workspace, target)?
        };
        let sealed = if matches!(launch.write, Grant::Workspace) {
            0
        } else {
            READ_ONLY
        };
        let set = sys::set_copy(whole.tree.as_fd(), sealed | NO_SETUID | NO_DEVICES);
        step("seal the workspace", set)?;
        self.written.push(whole);
        match &launch.write {
            Grant::Nothing | Grant::Workspace => Ok(()),
            Grant::Files(files) => self.owned(files, workspace, target),
            Grant::Paths(paths) => self.paths(paths, workspace, target),
        }
    }

    /// What an owned file must be is looked at by the Landlock wall, which refuses what is skipped here.
    fn owned(&mut self, files: &[Raw], workspace: &Path, target: &Path) -> Step<()> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = open(workspace, flags, Mode::empty()).map_err(io::Error::from);
        let root = step("open the workspace", root)?;
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        for file in files.iter().cloned().map(Raw::into_path) {
            let Ok(opened) = openat2(&root, &file, how) else {
                continue;
            };
            let what = format!("copy the mount of `{}`", file.display());
            let tree = step(&what, sys::clone_mount_of(opened.as_fd()))?;
            step(&what, sys::set_copy(tree.as_fd(), NO_SETUID | NO_DEVICES))?;
            let found = step(&what, fstat(&opened).map_err(io::Error::from))?;
            self.written.push(Piece {
                at: target.join(file),
                tree,
                directory: found.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits(),
            });
        }
        Ok(())
    }

    fn paths(&mut self, paths: &[Raw], workspace: &Path, target: &Path) -> Step<()> {
        for path in paths.iter().cloned().map(Raw::into_path) {
            let real = step(
                format!("find `{}`", path.display()),
                fs::canonicalize(&path),
            )?;
            self.link(&path, &real);
            // A path below the place of the workspace is the workspace's own, not the one that it covers.
            let source = real
                .strip_prefix(target)
                .map_or_else(|_| real.clone(), |below| workspace.join(below));
            let piece = piece(&source, &real)?;
            let set = sys::set_copy(piece.tree.as_fd(), NO_SETUID | NO_DEVICES);
            step(format!("mount `{}`", path.display()), set)?;
            self.written.push(piece);
        }
        Ok(())
    }
}

/// Whether a path is a root or below it, by its text: much faster than to part both into their names, and what is written in an
/// odd way is only not found here.
pub(crate) fn is_below(path: &Path, root: impl AsRef<Path>) -> bool {
    let root = root.as_ref().as_os_str().as_encoded_bytes();
    path.as_os_str()
        .as_encoded_bytes()
        .strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

fn piece(source: &Path, at: &Path) -> Step<Piece> {
    let made = || {
        Ok(Piece {
            at: at.to_owned(),
            directory: fs::metadata(source)?.is_dir(),
            tree: sys::clone_mounts(source)?,
        })
    };
    step(format!("copy the mount of `{}`", source.display()), made())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants;

    #[test]
    fn every_device_that_is_granted_is_there() {
        for device in grants::DEVICES_WRITTEN {
            assert!(DEVICES.contains(device), "{device}");
        }
    }
}
