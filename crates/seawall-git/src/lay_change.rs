//! Lays the difference between two commits as a layer.
//!
//! Stacked over a base of the one commit it shows exactly the files of the other: a name that is gone is a whiteout, a
//! directory that stands where something else stood is opaque. Trees that are equal are not looked into, so the cost
//! follows the difference.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;

use git2::{Oid, Repository};
use nix::errno::Errno;

use crate::dirfd::Root;
use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::marks::{make_opaque, make_whiteout};
use crate::path::join;
use crate::raw::{Writer, make_dir, refuse_unsafe};
use crate::store::Store;
use crate::tree::{EntryKind, Leaf, Node, commit_tree, find_tree, nodes};

impl Store {
    /// Writes what differs between two commits as a layer at `dest`, which gets its name when it is complete.
    ///
    /// # Errors
    /// Those of [`Store::open_workspace`]; [`Error::Unsupported`] where whiteouts or attributes cannot be made.
    pub fn lay_change(&self, from: &CommitId, to: &CommitId, dest: &Path) -> Result<()> {
        let place = self.begin(dest)?;
        let repo = self.open()?;
        let layer = Layer {
            repo: &repo,
            root: &place.root,
            writer: Writer::new(&repo, &place.root)?,
        };
        let from = commit_tree(&repo, from)?.id();
        let to = commit_tree(&repo, to)?.id();
        layer.differences(Some(from), to)?;
        drop(layer);
        place.finish()
    }
}

/// A directory of the layer, with what both commits have there.
struct Pair {
    path: Vec<u8>,
    from: Option<Oid>,
    to: Oid,
}

struct Layer<'r> {
    repo: &'r Repository,
    root: &'r Root,
    writer: Writer<'r>,
}

impl Layer<'_> {
    fn differences(&self, from: Option<Oid>, to: Oid) -> Result<()> {
        let path = Vec::new();
        let mut pending = vec![Pair { path, from, to }];
        while let Some(pair) = pending.pop() {
            let fd = self.root.dir(&pair.path);
            let fd = fd.map_err(self.root.fail("open", &pair.path))?;
            let mut before = self.names(pair.from, &pair.path)?;
            for (name, to) in self.names(Some(pair.to), &pair.path)? {
                let path = join(&pair.path, &name);
                let from = before.remove(&name);
                if from != Some(to) {
                    refuse_unsafe(&name, &path)?;
                    pending.extend(self.name(&fd, &name, path, from, to)?);
                }
            }
            for name in before.into_keys() {
                let path = join(&pair.path, &name);
                refuse_unsafe(&name, &path)?;
                make_whiteout(&fd, &name).map_err(self.fail("make a whiteout at", &path))?;
            }
        }
        Ok(())
    }

    fn names(&self, tree: Option<Oid>, dir: &[u8]) -> Result<BTreeMap<Vec<u8>, Node>> {
        match tree {
            Some(id) => Ok(nodes(&find_tree(self.repo, id)?, dir)?
                .into_iter()
                .collect()),
            None => Ok(BTreeMap::new()),
        }
    }

    /// Writes one name that differs; a directory is handed back, to be looked into.
    fn name(
        &self,
        fd: &OwnedFd,
        name: &[u8],
        path: Vec<u8>,
        from: Option<Node>,
        to: Node,
    ) -> Result<Option<Pair>> {
        let leaf = match to {
            Node::Leaf(leaf) => leaf,
            Node::Tree(to) => {
                make_dir(self.root, fd, name, &path)?;
                let from = match from {
                    Some(Node::Tree(from)) => Some(from),
                    Some(Node::Leaf(_)) => {
                        self.hide(&path)?;
                        None
                    }
                    None => None,
                };
                return Ok(Some(Pair { path, from, to }));
            }
        };
        self.writer.leaf(fd, name, &path, leaf)?;
        // An empty directory would show what the layers below have in theirs.
        if matches!(
            (from, leaf),
            (
                Some(Node::Tree(_)),
                Leaf {
                    kind: EntryKind::Submodule,
                    ..
                }
            )
        ) {
            self.hide(&path)?;
        }
        Ok(None)
    }

    /// Lets nothing of the layers below show through a directory.
    fn hide(&self, path: &[u8]) -> Result<()> {
        let fd = self.root.dir(path).map_err(self.root.fail("open", path))?;
        make_opaque(&fd).map_err(self.fail("mark", path))
    }

    fn fail(&self, doing: &'static str, path: &[u8]) -> impl FnOnce(Errno) -> Error {
        let other = self.root.fail(doing, path);
        move |errno| match errno {
            Errno::EPERM | Errno::EOPNOTSUPP => {
                Error::Unsupported("whiteouts and attributes for an overlay")
            }
            errno => other(errno),
        }
    }
}
