//! Opens workspaces and reads them back, in the way that the session chose: overlays, or copies.
//!
//! An overlay costs a few empty directories; it is mounted later, by the sandbox, where only its command sees it. A copy
//! costs the repository. Everything else of the program does not know which of the two it has.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use seawall_core::event::Workspaces;
use seawall_core::ids::Commit;
use seawall_core::path::RepoPath;
use seawall_git::{Harvest, Label, Left, Owned};
use seawall_sandbox::{Carry, Overlay, Upper, base_of_venv};

use crate::bases::Stack;
use crate::carry;
use crate::crew::{Crew, id};
use crate::error::{ExecuteError, at};
use crate::place::Room;

/// What the sandbox mounts for one command, and what it lets it read besides.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    pub(crate) overlay: Option<Overlay>,
    pub(crate) carry: Vec<Carry>,
    pub(crate) read: Vec<PathBuf>,
}

/// How the workspace in a room was made; a session may choose otherwise than the one that made it.
fn made(room: &Room) -> Workspaces {
    match room.upper.exists() {
        true => Workspaces::Overlay,
        false => Workspaces::Copy,
    }
}

/// Makes a fresh room with the workspace of `commit`; whatever stood there is thrown away first.
pub(crate) fn open(
    crew: &Crew,
    room: &Room,
    commit: &Commit,
    creates: &[Vec<u8>],
) -> Result<(), ExecuteError> {
    crew.trash.throw(&room.root)?;
    room.furnish()?;
    let stack = crew.bases.stack(commit)?;
    let store = &crew.setup.store;
    match crew.setup.workspaces {
        Workspaces::Overlay => {
            room.furnish_overlay(crew.carried.len())?;
            Ok(store.seed(&id(commit)?, &room.written(), creates)?)
        }
        Workspaces::Copy => {
            let layers: Vec<_> = stack.layers.iter().map(PathBuf::as_path).collect();
            store.open_copy(&layers, &room.tree, creates)?;
            crew.carried.iter().try_for_each(|carried| {
                Ok(seawall_git::copy_tree(
                    &carried.from,
                    &room.tree.join(&carried.at),
                )?)
            })
        }
    }
}

/// Opens it again if it was made in a way that this session cannot mount.
pub(crate) fn reopen(
    crew: &Crew,
    room: &Room,
    commit: &Commit,
    creates: &[Vec<u8>],
) -> Result<(), ExecuteError> {
    match made(room) == crew.setup.workspaces {
        true => Ok(()),
        false => open(crew, room, commit, creates),
    }
}

/// What the sandbox is to mount for a room that was opened on `commit`; with a git directory, if the profile has one.
pub(crate) fn mounts(
    crew: &Crew,
    room: &Room,
    commit: &Commit,
    git: bool,
) -> Result<Mounts, ExecuteError> {
    let stack = crew.bases.stack(commit)?;
    let git = stack
        .git
        .as_ref()
        .filter(|_| git)
        .map(|git| git.layer.clone());
    let mut mounts = match made(room) {
        Workspaces::Overlay => overlay(crew, room, &stack, git),
        Workspaces::Copy => copied(room, git)?,
    };
    // A virtual environment borrows its interpreter from an installation that need not be on `PATH`.
    let venvs = crew.carried.iter();
    mounts
        .read
        .extend(venvs.filter_map(|carried| base_of_venv(&carried.from)));
    Ok(mounts)
}

fn overlay(crew: &Crew, room: &Room, stack: &Stack, git: Option<PathBuf>) -> Mounts {
    let carry = crew.carried.iter().enumerate().map(|(n, carried)| Carry {
        at: carried.at.clone(),
        from: carried.from.clone(),
        upper: Upper::Kept(room.carried(n)),
    });
    Mounts {
        overlay: Some(Overlay {
            layers: git
                .into_iter()
                .chain(stack.layers.iter().cloned())
                .collect(),
            upper: Upper::Kept(room.upper.clone()),
        }),
        carry: carry.collect(),
        read: Vec::new(),
    }
}

/// A copy has a copy of the git directory: whatever lies below the repository's own path is covered by the workspace.
fn copied(room: &Room, git: Option<PathBuf>) -> Result<Mounts, ExecuteError> {
    let there = room.tree.join(".git");
    if let Some(layer) = git.filter(|_| there.symlink_metadata().is_err()) {
        seawall_git::copy_tree(&layer.join(".git"), &there)?;
    }
    Ok(Mounts::default())
}

/// The directories that a worker may write although its task does not own them: what is carried, where it is a copy.
pub(crate) fn written_besides(crew: &Crew, room: &Room) -> Vec<PathBuf> {
    match made(room) {
        // The mounts that carry them say so themselves.
        Workspaces::Overlay => Vec::new(),
        Workspaces::Copy => crew.carried.iter().map(|c| c.at.clone()).collect(),
    }
}

/// Compares what is in the room with `base`.
pub(crate) fn harvest(
    crew: &Crew,
    room: &Room,
    base: &Commit,
    owned: &Owned,
    label: &Label,
) -> Result<Harvest, ExecuteError> {
    let stack = crew.bases.stack(base)?;
    let layers: Vec<_> = stack.layers.iter().map(PathBuf::as_path).collect();
    let left = |dir, private_git| Left {
        dir,
        layers: &layers,
        private_git,
    };
    let (store, base, began) = (&crew.setup.store, id(base)?, crew.setup.began);
    match made(room) {
        Workspaces::Overlay => {
            let written = room.written();
            let left = left(&written, stack.git.is_some());
            Ok(store.harvest_upper(&base, &left, owned, label, began)?)
        }
        Workspaces::Copy => {
            take_away(crew, room)?;
            let left = left(&room.tree, false);
            Ok(store.harvest_copy(&base, &left, owned, label, began)?)
        }
    }
}

/// Takes out of a copy what Seawall itself has put there and nobody harvests.
fn take_away(crew: &Crew, room: &Room) -> Result<(), ExecuteError> {
    let files = carry::files(&crew.setup);
    let carried = crew
        .carried
        .iter()
        .chain(&files)
        .map(|carried| carried.at.as_path());
    let ours = carried.chain([Path::new(".git")]);
    ours.map(|path| room.tree.join(path))
        .try_for_each(|path| crew.trash.throw(&path))
}

/// Removes a file that the plan says must go; a worker that may write only its own files cannot unlink one.
pub(crate) fn delete(room: &Room, path: &RepoPath) -> Result<(), ExecuteError> {
    match made(room) {
        Workspaces::Overlay => Ok(seawall_git::white_out(&room.written(), path.as_bytes())?),
        Workspaces::Copy => delete_in_copy(&room.tree, path),
    }
}

fn delete_in_copy(tree: &Path, path: &RepoPath) -> Result<(), ExecuteError> {
    let (mut at_dir, mut parts) = (
        tree.to_owned(),
        path.as_bytes().split(|b| *b == b'/').peekable(),
    );
    while let Some(part) = parts.next() {
        at_dir.push(OsStr::from_bytes(part));
        match fs::symlink_metadata(&at_dir) {
            Ok(found) if parts.peek().is_some() && found.is_dir() => {}
            Ok(found) if parts.peek().is_none() && found.is_file() => {
                return fs::remove_file(&at_dir).map_err(at("remove", &at_dir));
            }
            // Gone already, or something else stands there: harvest says what.
            Ok(_) => return Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(at("look at", &at_dir)(e)),
        }
    }
    Ok(())
}
