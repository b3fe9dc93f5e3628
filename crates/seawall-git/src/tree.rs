//! Reads commits: every file, one file, the content of a file.
//!
//! libgit2's own tree walk hands out directory names as text and fails on others, so the walk here is ours: iterative,
//! and in bytes.

use std::collections::BTreeSet;

use git2::{ErrorCode, ObjectType, Oid, Repository, Tree};

use crate::error::{Error, Result, git};
use crate::id::{BlobId, CommitId};
use crate::path::{self, ancestors, as_path, join};
use crate::raw_tree::Entry as RawEntry;
use crate::store::Store;

/// What a path of a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// a regular file
    File {
        /// whether its owner may execute it, the one permission that git keeps
        executable: bool,
    },
    /// a symbolic link
    Symlink,
    /// a commit of another repository
    Submodule,
}

/// One path of a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// the path from the top of the tree
    pub path: Vec<u8>,
    /// what it is
    pub kind: EntryKind,
    /// its content; the target of a symlink; the commit of a submodule
    pub blob: BlobId,
}

impl Store {
    /// Every file, symlink and submodule of a commit, sorted by the bytes of the paths. Linear in the whole tree.
    pub fn list(&self, commit: &CommitId) -> Result<Vec<Entry>> {
        let repo = self.handle()?;
        let tree = commit_tree(&repo, commit)?;
        let mut entries = Vec::new();
        each_leaf(&repo, tree.id(), Vec::new(), |path, leaf| {
            entries.push(leaf.entry(path));
            Ok(())
        })?;
        entries.sort();
        Ok(entries)
    }

    /// What a path is in a commit; nothing for a directory or a path that is not there. Costs the depth of the path.
    pub fn entry(&self, commit: &CommitId, path: &[u8]) -> Result<Option<Entry>> {
        let repo = self.handle()?;
        let tree = commit_tree(&repo, commit)?;
        Ok(find_leaf(&tree, path)?.map(|leaf| leaf.entry(path.to_vec())))
    }

    /// What each path is in a commit, in the order asked. Costs the depth of each path, with one look at the repository
    /// for all.
    pub fn entries(&self, commit: &CommitId, paths: &[&[u8]]) -> Result<Vec<Option<Entry>>> {
        let repo = self.handle()?;
        let tree = commit_tree(&repo, commit)?;
        let find = |path: &&[u8]| Ok(find_leaf(&tree, path)?.map(|leaf| leaf.entry(path.to_vec())));
        paths.iter().map(find).collect()
    }

    /// Every file, symlink and submodule at or below some paths of a commit, sorted and each once; an empty path is the
    /// whole commit, and one that is not there adds nothing. Costs what is listed.
    pub fn list_below(&self, commit: &CommitId, dirs: &[&[u8]]) -> Result<Vec<Entry>> {
        let repo = self.handle()?;
        let top = commit_tree(&repo, commit)?;
        let dirs: BTreeSet<_> = dirs.iter().copied().collect();
        let listed_above = |dir: &[u8]| {
            let top = !dir.is_empty() && dirs.contains(&b""[..]);
            top || ancestors(dir).any(|above| dirs.contains(above))
        };
        let mut entries = Vec::new();
        for dir in dirs.iter().filter(|dir| !listed_above(dir)) {
            let node = match dir.is_empty() {
                true => Some(Node::Tree(top.id())),
                false => node_at(&top, dir)?,
            };
            match node {
                None => {}
                Some(Node::Leaf(leaf)) => entries.push(leaf.entry(dir.to_vec())),
                Some(Node::Tree(id)) => each_leaf(&repo, id, dir.to_vec(), |path, leaf| {
                    entries.push(leaf.entry(path));
                    Ok(())
                })?,
            }
        }
        entries.sort();
        Ok(entries)
    }

    /// The raw content of a file, or the target of a symlink; nothing for all else. Holds it in memory.
    pub fn read(&self, commit: &CommitId, path: &[u8]) -> Result<Option<Vec<u8>>> {
        let repo = self.handle()?;
        let tree = commit_tree(&repo, commit)?;
        match find_leaf(&tree, path)? {
            Some(leaf) if leaf.kind != EntryKind::Submodule => {
                let blob = repo
                    .find_blob(leaf.id)
                    .map_err(git("read a file of a commit"))?;
                Ok(Some(blob.content().to_vec()))
            }
            _ => Ok(None),
        }
    }
}

impl Store {
    /// Hands the raw content of each file of a commit to `each`, with its place in `paths`; nothing for what is no file.
    /// Holds one file at a time in memory.
    pub fn read_each(
        &self,
        commit: &CommitId,
        paths: &[&[u8]],
        mut each: impl FnMut(usize, Option<&[u8]>),
    ) -> Result<()> {
        let repo = self.handle()?;
        let tree = commit_tree(&repo, commit)?;
        for (n, path) in paths.iter().enumerate() {
            match find_leaf(&tree, path)? {
                Some(leaf) if matches!(leaf.kind, EntryKind::File { .. }) => {
                    let blob = repo.find_blob(leaf.id);
                    let blob = blob.map_err(git("read a file of a commit"))?;
                    each(n, Some(blob.content()));
                }
                _ => each(n, None),
            }
        }
        Ok(())
    }

    /// The content behind an id, for example of [`crate::Change::after`]. Holds it in memory.
    pub fn blob(&self, id: &BlobId) -> Result<Vec<u8>> {
        let repo = self.handle()?;
        let blob = repo
            .find_blob(id.oid())
            .map_err(git("read a file by its id"))?;
        Ok(blob.content().to_vec())
    }
}

/// A tree entry that is not a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) kind: EntryKind,
    pub(crate) id: Oid,
    /// as it stands in the tree: old repositories have modes such as 100664
    pub(crate) mode: i32,
}

impl Leaf {
    fn entry(self, path: Vec<u8>) -> Entry {
        Entry {
            path,
            kind: self.kind,
            blob: BlobId::from_oid(self.id),
        }
    }
}

/// A tree entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Tree(Oid),
    Leaf(Leaf),
}

/// The tree of a commit.
pub(crate) fn commit_tree<'r>(repo: &'r Repository, commit: &CommitId) -> Result<Tree<'r>> {
    let commit = repo
        .find_commit(commit.oid())
        .map_err(git("read a commit"))?;
    commit.tree().map_err(git("read the tree of a commit"))
}

/// A tree by its id.
pub(crate) fn find_tree(repo: &Repository, id: Oid) -> Result<Tree<'_>> {
    repo.find_tree(id).map_err(git("read a tree"))
}

/// The entries of one tree, in its order.
pub(crate) fn nodes(tree: &Tree<'_>, dir: &[u8]) -> Result<Vec<(Vec<u8>, Node)>> {
    let node = |found: git2::TreeEntry<'_>| {
        let entry = RawEntry {
            mode: found.filemode_raw(),
            name: found.name_bytes(),
            id: found.id(),
        };
        Ok((entry.name.to_vec(), entry.node(dir)?))
    };
    tree.iter().map(node).collect()
}

/// Decodes the mode of a tree entry (`git help fast-import` lists them).
pub(crate) fn node(mode: i32, id: Oid) -> Option<Node> {
    let kind = match mode & 0o170000 {
        0o040000 => return Some(Node::Tree(id)),
        0o100000 => EntryKind::File {
            executable: mode & 0o100 != 0,
        },
        0o120000 => EntryKind::Symlink,
        0o160000 => EntryKind::Submodule,
        _ => return None,
    };
    Some(Node::Leaf(Leaf { kind, id, mode }))
}

/// Calls `each` for every leaf below a tree.
pub(crate) fn each_leaf(
    repo: &Repository,
    tree: Oid,
    dir: Vec<u8>,
    mut each: impl FnMut(Vec<u8>, Leaf) -> Result<()>,
) -> Result<()> {
    let mut pending = vec![(dir, tree)];
    while let Some((dir, id)) = pending.pop() {
        for (name, node) in nodes(&find_tree(repo, id)?, &dir)? {
            let path = join(&dir, &name);
            match node {
                Node::Tree(id) => pending.push((path, id)),
                Node::Leaf(leaf) => each(path, leaf)?,
            }
        }
    }
    Ok(())
}

/// The leaf at a path, in as many steps as the path has parts.
pub(crate) fn find_leaf(tree: &Tree<'_>, path: &[u8]) -> Result<Option<Leaf>> {
    match node_at(tree, path)? {
        Some(Node::Leaf(leaf)) => Ok(Some(leaf)),
        _ => Ok(None),
    }
}

/// What stands at a path, in as many steps as the path has parts.
pub(crate) fn node_at(tree: &Tree<'_>, path: &[u8]) -> Result<Option<Node>> {
    path::check(path)?;
    match tree.get_path(as_path(path)) {
        Ok(entry) => Ok(node(entry.filemode_raw(), entry.id())),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(source) => Err(Error::Git {
            doing: "look up a path in a tree",
            source,
        }),
    }
}

/// What a name stands for in one tree.
pub(crate) fn node_named(tree: &Tree<'_>, name: &[u8]) -> Option<Node> {
    let entry = tree.get_name_bytes(name)?;
    node(entry.filemode_raw(), entry.id())
}

/// The size in bytes of a blob, without reading it.
pub(crate) fn blob_size(repo: &Repository, id: Oid) -> Result<u64> {
    let odb = repo.odb().map_err(git("open the object database"))?;
    match odb
        .read_header(id)
        .map_err(git("look up a file of a commit"))?
    {
        (size, ObjectType::Blob) => Ok(size as u64),
        _ => Ok(0),
    }
}
