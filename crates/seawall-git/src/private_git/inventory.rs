//! What a commit holds, in the order in which git's index wants it.
//!
//! The order of a tree (a directory sorts as if its name ended in `/`) walked depth first is the order of the bytes of the
//! whole paths, so nothing is sorted. A walk costs one look-up a directory.

use std::vec::IntoIter;

use git2::{Oid, Repository};

use crate::error::{Error, Result};
use crate::path::{self, join, why_bad_name};
use crate::tree::{EntryKind, Leaf, Node, find_tree, nodes};

/// A directory of the commit.
pub(super) struct Directory {
    pub(super) name: Vec<u8>,
    pub(super) id: Oid,
    /// how many leaves are below it, at any depth
    pub(super) leaves: usize,
    /// how many directories are in it
    pub(super) directories: usize,
}

/// Everything in a commit.
pub(super) struct Inventory {
    /// from the root down, each directly followed by those in it
    pub(super) directories: Vec<Directory>,
    /// sorted by the bytes of their paths
    pub(super) leaves: Vec<(Vec<u8>, Leaf)>,
}

/// A directory on the walk.
struct Open {
    directory: usize,
    first_leaf: usize,
    path: Vec<u8>,
    rest: IntoIter<(Vec<u8>, Node)>,
}

impl Inventory {
    /// Walks a tree; what must not be written to a disk is refused.
    pub(super) fn of(repo: &Repository, tree: Oid) -> Result<Self> {
        let mut found = Self {
            directories: Vec::new(),
            leaves: Vec::new(),
        };
        let mut open = vec![found.enter(repo, Vec::new(), &[], tree)?];
        while let Some(mut top) = open.pop() {
            let Some((name, node)) = top.rest.next() else {
                found.directories[top.directory].leaves = found.leaves.len() - top.first_leaf;
                continue;
            };
            let path = join(&top.path, &name);
            refuse_unsafe(&name, &path)?;
            match node {
                Node::Leaf(leaf) => {
                    found.leaves.push((path, leaf));
                    open.push(top);
                }
                Node::Tree(id) => {
                    found.directories[top.directory].directories += 1;
                    open.push(top);
                    open.push(found.enter(repo, path, &name, id)?);
                }
            }
        }
        Ok(found)
    }

    /// The trees and the files, some perhaps more than once. The commit of a submodule is not in this repository.
    pub(super) fn objects(&self) -> impl Iterator<Item = Oid> {
        let trees = self.directories.iter().map(|directory| directory.id);
        let ours = |leaf: &&Leaf| leaf.kind != EntryKind::Submodule;
        let files = self.leaves.iter().map(|(_, leaf)| leaf).filter(ours);
        trees.chain(files.map(|leaf| leaf.id))
    }

    fn enter(&mut self, repo: &Repository, path: Vec<u8>, name: &[u8], id: Oid) -> Result<Open> {
        let rest = nodes(&find_tree(repo, id)?, &path)?.into_iter();
        self.directories.push(Directory {
            name: name.to_vec(),
            id,
            leaves: 0,
            directories: 0,
        });
        Ok(Open {
            directory: self.directories.len() - 1,
            first_leaf: self.leaves.len(),
            path,
            rest,
        })
    }
}

fn refuse_unsafe(name: &[u8], path: &[u8]) -> Result<()> {
    let why = match path.len() > path::LONGEST {
        true => Some("its path is longer than 4000 bytes"),
        false => why_bad_name(name),
    };
    why.map_or(Ok(()), |why| {
        Err(Error::UnsafeEntry {
            path: path.to_vec(),
            why,
        })
    })
}
