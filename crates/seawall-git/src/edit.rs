//! Differences between trees, and trees with differences applied.
//!
//! Both work on trees alone: no index and no checkout is involved, and what did not change is neither read nor written.
//! The cost is one tree object per directory that holds a change. libgit2's own tree update is not used because it does
//! not say which path clashed with which.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use git2::{ObjectType, Oid, Repository, Tree, TreeBuilder};

use crate::batch::Batch;
use crate::error::{Error, Result, git};
use crate::path::{as_path, join, name_of, parent};
use crate::tree::{Leaf, Node, each_leaf, find_tree, nodes};

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) path: Vec<u8>,
    pub(crate) from: Option<Leaf>,
    pub(crate) to: Option<Leaf>,
}

/// The leaves that differ between two trees, sorted by path.
pub(crate) fn changes(repo: &Repository, from: Oid, to: Oid) -> Result<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut pending = vec![(Vec::new(), from, to)];
    while let Some((dir, from, to)) = pending.pop() {
        for (name, pair) in pairs(repo, &dir, from, to)? {
            let path = join(&dir, &name);
            match pair {
                (from, to) if from == to => {}
                (Some(Node::Tree(from)), Some(Node::Tree(to))) => pending.push((path, from, to)),
                (from, to) => differ(repo, &path, from, to, &mut edits)?,
            }
        }
    }
    edits.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(edits)
}

type Pairs = BTreeMap<Vec<u8>, (Option<Node>, Option<Node>)>;

fn pairs(repo: &Repository, dir: &[u8], from: Oid, to: Oid) -> Result<Pairs> {
    let mut pairs = Pairs::new();
    for (name, node) in nodes(&find_tree(repo, from)?, dir)? {
        pairs.entry(name).or_default().0 = Some(node);
    }
    for (name, node) in nodes(&find_tree(repo, to)?, dir)? {
        pairs.entry(name).or_default().1 = Some(node);
    }
    Ok(pairs)
}

/// Records everything that a node became, when not both are trees.
fn differ(
    repo: &Repository,
    path: &[u8],
    from: Option<Node>,
    to: Option<Node>,
    edits: &mut Vec<Edit>,
) -> Result<()> {
    for (path, leaf) in leaves(repo, path, from)? {
        edits.push(Edit {
            path,
            from: Some(leaf),
            to: None,
        });
    }
    for (path, leaf) in leaves(repo, path, to)? {
        match edits.last_mut().filter(|last| last.path == path) {
            Some(last) => last.to = Some(leaf),
            None => edits.push(Edit {
                path,
                from: None,
                to: Some(leaf),
            }),
        }
    }
    Ok(())
}

/// A node as leaves: itself, or all below it.
fn leaves(repo: &Repository, path: &[u8], node: Option<Node>) -> Result<Vec<(Vec<u8>, Leaf)>> {
    let mut found = Vec::new();
    match node {
        Some(Node::Leaf(leaf)) => found.push((path.to_vec(), leaf)),
        Some(Node::Tree(id)) => each_leaf(repo, id, path.to_vec(), |path, leaf| {
            found.push((path, leaf));
            Ok(())
        })?,
        None => {}
    }
    Ok(found)
}

/// What becomes of one name of a directory: as a leaf, and as a directory. The inner option is `None` for removal.
#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    leaf: Option<Option<Leaf>>,
    tree: Option<Option<Oid>>,
}

type Slots = BTreeMap<Vec<u8>, Slot>;

/// Writes the tree that `base` becomes by the edits; directories that get empty disappear, as in git.
///
/// Directories are written from the deepest to the root, so the depth of a path costs no stack.
pub(crate) fn apply(repo: &Batch<'_>, base: Oid, edits: &[Edit]) -> Result<Oid> {
    let base = find_tree(repo, base)?;
    let mut dirs: BTreeMap<(Reverse<usize>, Vec<u8>), Slots> = BTreeMap::new();
    for edit in edits {
        slot(&mut dirs, &edit.path).leaf = Some(edit.to);
    }
    while let Some(((_, dir), slots)) = dirs.pop_first() {
        let written = write_dir(repo, &base, &dir, &slots)?;
        match dir.is_empty() {
            true => return written.map_or_else(|| empty_tree(repo), Ok),
            false => slot(&mut dirs, &dir).tree = Some(written),
        }
    }
    Ok(base.id())
}

fn slot<'d>(dirs: &'d mut BTreeMap<(Reverse<usize>, Vec<u8>), Slots>, path: &[u8]) -> &'d mut Slot {
    let dir = parent(path).unwrap_or_default();
    let depth = path.iter().filter(|byte| **byte == b'/').count();
    dirs.entry((Reverse(depth), dir.to_vec()))
        .or_default()
        .entry(name_of(path).to_vec())
        .or_default()
}

fn write_dir(repo: &Batch<'_>, base: &Tree<'_>, dir: &[u8], slots: &Slots) -> Result<Option<Oid>> {
    let before = match dir.is_empty() {
        true => Some(base.clone()),
        false => match base.get_path(as_path(dir)) {
            Ok(entry) if entry.kind() == Some(ObjectType::Tree) => {
                Some(find_tree(repo, entry.id())?)
            }
            _ => None,
        },
    };
    let mut builder = repo
        .treebuilder(before.as_ref())
        .map_err(git("edit a tree"))?;
    for (name, slot) in slots {
        let old = before
            .as_ref()
            .and_then(|tree| tree.get_name_bytes(name))
            .map(|entry| entry.kind());
        let old_is_tree = old.map(|kind| kind == Some(ObjectType::Tree));
        fill(&mut builder, name, *slot, old_is_tree)
            .map_err(|refusal| refusal.at(join(dir, name)))?;
    }
    match builder.is_empty() {
        true => Ok(None),
        false => repo.write_tree(&builder).map(Some),
    }
}

enum Refusal {
    Clash,
    Git(git2::Error),
}

impl Refusal {
    fn at(self, path: Vec<u8>) -> Error {
        match self {
            Self::Clash => Error::PathClash(path),
            Self::Git(source) => Error::Git {
                doing: "edit a tree",
                source,
            },
        }
    }
}

/// Settles one name of a directory; `old_is_tree` says what stands there before.
fn fill(
    builder: &mut TreeBuilder<'_>,
    name: &[u8],
    slot: Slot,
    old_is_tree: Option<bool>,
) -> std::result::Result<(), Refusal> {
    let tree = slot.tree.flatten();
    let leaf = slot.leaf.flatten();
    let keeps_tree = old_is_tree == Some(true) && slot.tree.is_none();
    let keeps_leaf = old_is_tree == Some(false) && slot.leaf.is_none();
    match (leaf, tree) {
        (Some(_), Some(_)) => Err(Refusal::Clash),
        (Some(_), None) if keeps_tree => Err(Refusal::Clash),
        (None, Some(_)) if keeps_leaf => Err(Refusal::Clash),
        (Some(leaf), None) => builder
            .insert(name, leaf.id, leaf.mode)
            .map(drop)
            .map_err(Refusal::Git),
        (None, Some(id)) => builder
            .insert(name, id, 0o040000)
            .map(drop)
            .map_err(Refusal::Git),
        (None, None) if old_is_tree.is_none() || keeps_tree || keeps_leaf => Ok(()),
        (None, None) => builder.remove(name).map_err(Refusal::Git),
    }
}

fn empty_tree(repo: &Batch<'_>) -> Result<Oid> {
    let builder = repo.treebuilder(None).map_err(git("edit a tree"))?;
    repo.write_tree(&builder)
}
