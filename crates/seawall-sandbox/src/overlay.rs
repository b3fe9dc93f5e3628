//! Workspaces that are made of layers, and directories that appear copy-on-write: one mount each, in the worker's own mount
//! namespace.
//!
//! The keeper mounts them before it makes the view: the layers at the workspace itself, so that everything after that finds
//! a directory there, and what is carried on top of all else that is written. How an overlay is put together is in
//! `compose`. The price is a few tenths of a millisecond for each overlay, whatever the size of the layers.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;

use crate::compose::{PLACE, compose};
use crate::launch::{Launch, Layered, Top};
use crate::launcher::not_started;
use crate::report::{Ledger, Report};
use crate::sys;
use crate::view::{Step, step};
use crate::wire::Raw;

/// A carried directory that is ready to be put into the view.
pub(crate) struct Mounted {
    at: PathBuf,
    tree: OwnedFd,
}

/// Mounts the layers at the workspace, so that all that comes after finds a directory there.
pub(crate) fn mount(launch: &Launch, workspace: &Path) -> Step<()> {
    match &launch.overlay {
        Some(overlay) => mount_layers(overlay, workspace),
        None => Ok(()),
    }
}

/// Mounts layers at a directory of this mount namespace.
pub(crate) fn mount_layers(overlay: &Layered, workspace: &Path) -> Step<()> {
    let place = place(workspace, "open the workspace")?;
    let layers: Vec<_> = overlay.layers.iter().map(layer).collect::<Step<_>>()?;
    let tree = compose(&layers, &overlay.upper, place.as_fd())?;
    step(
        "put the overlay at the workspace",
        sys::attach_mounts_on(tree.as_fd(), place.as_fd()),
    )
}

/// Mounts what is carried, without putting it anywhere yet; the workspace must be there.
pub(crate) fn carry(launch: &Launch, workspace: &Path) -> Step<Vec<Mounted>> {
    if launch.carry.is_empty() {
        return Ok(Vec::new());
    }
    let workspace = open(workspace, PLACE & !OFlag::O_NOFOLLOW, Mode::empty());
    let workspace = step("open the workspace", workspace.map_err(io::Error::from))?;
    let mut mounted = Vec::new();
    for carried in &launch.carry {
        let at = carried.at.clone().into_path();
        let point = mount_point(workspace.as_fd(), &at)?;
        let from = carried.from.clone().into_path();
        let source = step(
            format!("open the carried directory `{}`", from.display()),
            straight(&from),
        )?;
        let tree = compose(&[source], &carried.upper, point.as_fd())?;
        mounted.push(Mounted { at, tree });
    }
    Ok(mounted)
}

/// Puts what is carried into the workspace of the view.
pub(crate) fn settle(carried: &[Mounted], target: &Path) -> Step<()> {
    if carried.is_empty() {
        return Ok(());
    }
    let workspace = place(target, "open the workspace")?;
    for Mounted { at, tree } in carried {
        let point = mount_point(workspace.as_fd(), at)?;
        step(
            format!("mount the carried directory `{}`", at.display()),
            sys::attach_mounts_on(tree.as_fd(), point.as_fd()),
        )?;
    }
    Ok(())
}

/// What the ledger says about the workspace.
pub(crate) fn note(launch: &Launch, ledger: &mut Ledger) {
    match &launch.overlay {
        None => ledger.enforced("workspace", "plain directory"),
        Some(overlay) => {
            let layers = match overlay.layers.len() {
                1 => "1 layer".to_owned(),
                count => format!("{count} layers"),
            };
            let upper = overlay.upper.in_words();
            ledger.enforced("workspace", format!("overlay of {layers}, writes {upper}"));
        }
    }
    for carried in &launch.carry {
        let at = carried.at.clone().into_path();
        let upper = carried.upper.in_words();
        let by = format!("`{}` copy-on-write, writes {upper}", at.display());
        ledger.enforced("carry", by);
    }
}

impl Top {
    /// What takes the writes, in a few words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Kept(_) => "a directory",
            Self::Memory(_) => "memory",
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Kept(_) => "kept".to_owned(),
            Self::Memory(most) => format!("in memory up to {} MiB", most >> 20),
        }
    }
}

/// The report of a command whose workspace cannot be made by any set of namespaces.
pub(crate) fn refusal(refused: &[String]) -> Report {
    let because = if refused.is_empty() {
        "it is made of mounts, and namespaces are off".to_owned()
    } else {
        distinct(refused).join("; ")
    };
    not_started("make the workspace", &because)
}

/// What went wrong, once each: several sets of namespaces often fail in the same way.
pub(crate) fn distinct(refused: &[String]) -> Vec<&str> {
    let mut reasons: Vec<&str> = Vec::new();
    for refusal in refused {
        let why = refusal
            .split_once(": ")
            .map_or(refusal.as_str(), |(_, why)| why);
        if !reasons.contains(&why) {
            reasons.push(why);
        }
    }
    reasons
}

fn place(path: &Path, what: &str) -> Step<OwnedFd> {
    step(
        what,
        open(path, PLACE, Mode::empty()).map_err(io::Error::from),
    )
}

fn layer(path: &Raw) -> Step<OwnedFd> {
    let path = path.clone().into_path();
    place(&path, &format!("open the layer `{}`", path.display()))
}

/// A directory with no symbolic link in its path.
fn straight(path: &Path) -> io::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(PLACE)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
    Ok(openat2(nix::fcntl::AT_FDCWD, path, how)?)
}

fn mount_point(workspace: BorrowedFd<'_>, at: &Path) -> Step<OwnedFd> {
    let how = OpenHow::new()
        .flags(PLACE)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
    let what = format!(
        "find a directory in the workspace for the carried `{}`",
        at.display()
    );
    step(what, openat2(workspace, at, how).map_err(io::Error::from))
}
