//! What a task may change, and how a path is looked up in it.

use std::collections::{BTreeMap, BTreeSet};

use git2::Tree;

use crate::error::{Error, Result};
use crate::path::ancestors;
use crate::tree::{EntryKind, Node, node_at};

/// The paths that a task owns. Everything else in its workspace must stay as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owned {
    /// regular files of the base whose content may change
    pub files: Vec<Vec<u8>>,
    /// files that are not in the base and must be there, not empty, in the end
    pub creates: Vec<Vec<u8>>,
    /// regular files of the base that must be gone in the end
    pub deletes: Vec<Vec<u8>>,
}

/// How a path is owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    File,
    Create,
    Delete,
}

/// [`Owned`], checked against the base and indexed.
#[derive(Debug)]
pub(crate) struct Roles {
    by_path: BTreeMap<Vec<u8>, Role>,
    dirs: BTreeSet<Vec<u8>>,
}

impl Roles {
    pub(crate) fn new(owned: &Owned, base: &Tree<'_>) -> Result<Self> {
        let mut roles = Self {
            by_path: BTreeMap::new(),
            dirs: BTreeSet::new(),
        };
        for (paths, role) in [
            (&owned.files, Role::File),
            (&owned.creates, Role::Create),
            (&owned.deletes, Role::Delete),
        ] {
            for path in paths {
                check_against(base, path, role)?;
                roles.add(path, role)?;
            }
        }
        Ok(roles)
    }

    fn add(&mut self, path: &[u8], role: Role) -> Result<()> {
        let known = self.by_path.insert(path.to_vec(), role);
        if known.is_some_and(|known| known != role) {
            return Err(Error::OwnedTwice(path.to_vec()));
        }
        self.dirs.extend(ancestors(path).map(<[u8]>::to_vec));
        Ok(())
    }

    pub(crate) fn of(&self, path: &[u8]) -> Option<Role> {
        self.by_path.get(path).copied()
    }

    /// Whether something owned lies below this directory.
    pub(crate) fn below(&self, dir: &[u8]) -> bool {
        self.dirs.contains(dir)
    }

    /// The paths that are owned in one way.
    pub(crate) fn with(&self, role: Role) -> impl Iterator<Item = &[u8]> {
        self.by_path
            .iter()
            .filter(move |(_, found)| **found == role)
            .map(|(path, _)| path.as_slice())
    }
}

fn check_against(base: &Tree<'_>, path: &[u8], role: Role) -> Result<()> {
    let node = node_at(base, path)?;
    let is_file =
        matches!(node, Some(Node::Leaf(leaf)) if matches!(leaf.kind, EntryKind::File { .. }));
    match role {
        Role::Create if node.is_some() => Err(Error::AlreadyInBase(path.to_vec())),
        Role::File | Role::Delete if !is_file => Err(Error::NotInBase(path.to_vec())),
        _ => Ok(()),
    }
}
