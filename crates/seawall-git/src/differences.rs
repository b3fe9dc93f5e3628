//! Walks over what differs between two commits, directory by directory.
//!
//! Trees that are equal are not looked into, so the cost follows the difference. What becomes of each name is up to who asked: a
//! layer writes it with the marks of an overlay, a base is edited.

use std::os::fd::OwnedFd;

use git2::{Oid, Repository};

use crate::dirfd::Root;
use crate::edit::pairs;
use crate::error::Result;
use crate::path::join;
use crate::raw::refuse_unsafe;
use crate::tree::{Leaf, Node};

/// A name that differs.
pub(crate) struct Name<'n> {
    /// the directory that it is in
    pub(crate) dir: &'n OwnedFd,
    pub(crate) name: &'n [u8],
    /// from the top
    pub(crate) path: &'n [u8],
}

/// Who wants to know. `stood` is what the earlier commit has there.
pub(crate) trait Differences {
    /// A name that the later commit does not have.
    fn gone(&mut self, at: Name<'_>, stood: Node) -> Result<()>;
    /// A file, link or submodule of the later commit.
    fn leaf(&mut self, at: Name<'_>, stood: Option<Node>, leaf: Leaf) -> Result<()>;
    /// A directory of the later commit, which must be there afterwards; what differs in it comes then.
    fn directory(&mut self, at: Name<'_>, stood: Option<Node>) -> Result<()>;
}

/// A directory that differs, with what both commits have there.
struct Pair {
    path: Vec<u8>,
    from: Option<Oid>,
    to: Oid,
}

/// Tells `whose` what differs between two trees; the directory `root` stands for both. Every name that differs is safe to write.
pub(crate) fn differences(
    repo: &Repository,
    root: &Root,
    (from, to): (Oid, Oid),
    whose: &mut impl Differences,
) -> Result<()> {
    let mut pending = vec![Pair {
        path: Vec::new(),
        from: Some(from),
        to,
    }];
    while let Some(pair) = pending.pop() {
        let dir = root.dir(&pair.path);
        let dir = &dir.map_err(root.fail("open", &pair.path))?;
        for (name, (stood, now)) in pairs(repo, &pair.path, pair.from, pair.to)? {
            let path = join(&pair.path, &name);
            refuse_unsafe(&name, &path)?;
            let at = Name {
                dir,
                name: &name,
                path: &path,
            };
            match (now, stood) {
                (Some(Node::Leaf(leaf)), _) => whose.leaf(at, stood, leaf)?,
                (Some(Node::Tree(to)), _) => {
                    whose.directory(at, stood)?;
                    let from = match stood {
                        Some(Node::Tree(from)) => Some(from),
                        _ => None,
                    };
                    pending.push(Pair { path, from, to });
                }
                (None, Some(stood)) => whose.gone(at, stood)?,
                (None, None) => {}
            }
        }
    }
    Ok(())
}
