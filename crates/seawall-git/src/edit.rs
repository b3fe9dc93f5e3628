//! Differences between trees.
//!
//! No index and no checkout is involved, and trees that are equal are not read. The cost is one tree object per directory
//! that holds a change.

use std::collections::BTreeMap;

use git2::{Oid, Repository};

use crate::error::{Result, git};
use crate::path::join;
use crate::raw_tree::{self, Entry};
use crate::tree::{Leaf, Node, each_leaf};

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
        for (name, pair) in pairs(repo, &dir, Some(from), to)? {
            let path = join(&dir, &name);
            match pair {
                (Some(Node::Tree(from)), Some(Node::Tree(to))) => pending.push((path, from, to)),
                (from, to) => differ(repo, &path, from, to, &mut edits)?,
            }
        }
    }
    edits.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(edits)
}

/// What two trees have at each name where they differ.
pub(crate) type Pairs = BTreeMap<Vec<u8>, (Option<Node>, Option<Node>)>;

/// Compares two trees, or nothing and a tree. Most differ in little: the bytes are read once, and what is the same at their
/// beginning and at their end costs no memory.
pub(crate) fn pairs(repo: &Repository, dir: &[u8], from: Option<Oid>, to: Oid) -> Result<Pairs> {
    let odb = repo.odb().map_err(git("open the object database"))?;
    let read = |id| raw_tree::read(&odb, id).map_err(git("read a directory of the commit"));
    let (from, to) = (from.map(read).transpose()?, read(to)?);
    let bytes = from.as_ref().map_or(&[][..], |from| from.data());
    let (before, after) = (
        raw_tree::entries(bytes, dir)?,
        raw_tree::entries(to.data(), dir)?,
    );
    let same = |(one, other): &(&Entry<'_>, &Entry<'_>)| one == other;
    let begin = before.iter().zip(&after).take_while(same).count();
    let (before, after) = (&before[begin..], &after[begin..]);
    let end = before
        .iter()
        .rev()
        .zip(after.iter().rev())
        .take_while(same)
        .count();
    let mut pairs = Pairs::new();
    for entry in &before[..before.len() - end] {
        pairs.entry(entry.name.to_vec()).or_default().0 = Some(entry.node(dir)?);
    }
    for entry in &after[..after.len() - end] {
        pairs.entry(entry.name.to_vec()).or_default().1 = Some(entry.node(dir)?);
    }
    pairs.retain(|_, (from, to)| from != to);
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
