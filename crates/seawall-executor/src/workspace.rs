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
use seawall_sandbox::{Carry, Overlay, Profile, Upper, base_of_venv};

use crate::bases::Stack;
use crate::carry::{self, Carried};
use crate::crew::{Crew, id};
use crate::error::{ExecuteError, at};
use crate::place::Room;

/// Where one command finds its workspace, home and temporary directory, and what is mounted for it.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) tree: PathBuf,
    pub(crate) home: PathBuf,
    pub(crate) tmp: PathBuf,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) carry: Vec<Carry>,
    /// What may be read besides.
    pub(crate) read: Vec<PathBuf>,
}

/// How the workspace in a room was made; a session may choose otherwise than the one that made it.
fn made(room: &Room) -> Workspaces {
    match room.written().exists() {
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
    let stack = crew.bases.stack(commit)?;
    let store = &crew.setup.store;
    match crew.setup.workspaces {
        Workspaces::Overlay => {
            room.furnish_overlay(crew.carried.len())?;
            Ok(store.seed(&id(commit)?, &room.written(), creates)?)
        }
        Workspaces::Copy => {
            room.furnish_copy()?;
            let layers: Vec<_> = stack.layers.iter().map(PathBuf::as_path).collect();
            store.open_copy(&layers, &room.tree, creates)?;
            let copy = |carried: &Carried| {
                seawall_git::copy_tree(&carried.from, &room.tree.join(&carried.at))
            };
            Ok(crew.carried.iter().try_for_each(copy)?)
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

/// The places of a command in a room that was opened on `commit`.
pub(crate) fn places(
    crew: &Crew,
    room: &Room,
    commit: &Commit,
    profile: &Profile,
) -> Result<Places, ExecuteError> {
    let stack = crew.bases.stack(commit)?;
    match made(room) {
        Workspaces::Copy => copied(crew, room, &stack, profile),
        Workspaces::Overlay => {
            let uppers = |n| Upper::Kept(room.carried(n));
            let own = Upper::Kept(room.root.clone());
            let mut places = overlay(crew, &stack, profile, own, uppers);
            places.tmp = room.tmp.clone();
            if profile.opens.kept_home {
                room.furnish_home()?;
                places.home = room.home.clone();
            }
            Ok(places)
        }
    }
}

/// The places of a command that leaves nothing on the disk: what it writes is in memory, at most so many bytes.
pub(crate) fn places_in_memory(
    crew: &Crew,
    commit: &Commit,
    profile: &Profile,
    most: u64,
) -> Result<Places, ExecuteError> {
    let stack = crew.bases.stack(commit)?;
    let uppers = |_| Upper::Memory(most);
    Ok(overlay(crew, &stack, profile, Upper::Memory(most), uppers))
}

fn overlay(
    crew: &Crew,
    stack: &Stack,
    profile: &Profile,
    upper: Upper,
    uppers: impl Fn(usize) -> Upper,
) -> Places {
    let carry = crew.carried.iter().enumerate().map(|(n, carried)| Carry {
        at: carried.at.clone(),
        from: carried.from.clone(),
        upper: uppers(n),
    });
    let git = stack.git.as_ref().filter(|_| profile.git);
    let layers = git.map(|git| git.layer.clone()).into_iter();
    let empty = crew.setup.place.empty();
    Places {
        tree: crew.setup.place.mount_point(),
        home: empty.clone(),
        tmp: empty,
        overlay: Some(Overlay {
            layers: layers.chain(stack.layers.iter().cloned()).collect(),
            upper,
        }),
        carry: carry.collect(),
        read: borrowed(crew),
    }
}

/// A copy has a copy of the git directory: whatever lies below the repository's own path is covered by the workspace.
fn copied(
    crew: &Crew,
    room: &Room,
    stack: &Stack,
    profile: &Profile,
) -> Result<Places, ExecuteError> {
    let git = stack.git.as_ref().filter(|_| profile.git);
    let there = room.tree.join(".git");
    if let Some(git) = git.filter(|_| there.symlink_metadata().is_err()) {
        seawall_git::copy_tree(&git.layer.join(".git"), &there)?;
    }
    Ok(Places {
        tree: room.tree.clone(),
        home: room.home.clone(),
        tmp: room.tmp.clone(),
        overlay: None,
        carry: Vec::new(),
        read: [borrowed(crew), named(crew)].concat(),
    })
}

/// What carried virtual environments borrow their interpreters from, which need not be on `PATH`.
fn borrowed(crew: &Crew) -> Vec<PathBuf> {
    let carried = crew.carried.iter();
    carried.filter_map(|c| base_of_venv(&c.from)).collect()
}

/// What is carried, where it lies in the checkout: without namespaces a copy is elsewhere, and what was installed names its own
/// place, as the first lines of a virtual environment's programs do.
fn named(crew: &Crew) -> Vec<PathBuf> {
    let carried = crew.carried.iter().filter(|_| !crew.setup.namespaces);
    carried.map(|c| c.from.clone()).collect()
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
