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

use crate::conversions::{Conversions, Record, beside};
use crate::dirfd::Root;
use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::marks::{make_opaque, make_whiteout};
use crate::path::join;
use crate::raw::{Writer, make_dir, refuse_unsafe};
use crate::remove::remove_workspace;
use crate::store::Store;
use crate::tree::{EntryKind, Leaf, Node, commit_tree, find_tree, nodes};

impl Store {
    /// Writes what differs between two commits as a layer at `dest`, which gets its name when it is complete. `layers`, the
    /// top one first, show the commit `from`; where git wrote them, it writes this one in the same way and with the
    /// attributes of the base.
    ///
    /// # Errors
    /// Those of [`Store::lay_base`]; [`Error::Unsupported`] where whiteouts or attributes cannot be made.
    pub fn lay_change_over(
        &self,
        layers: &[&Path],
        from: &CommitId,
        to: &CommitId,
        dest: &Path,
    ) -> Result<()> {
        let place = self.begin_layer(dest)?;
        let repo = self.handle()?;
        let given = Conversions::of(self, layers)?;
        let mut layer = Layer {
            repo: &repo,
            root: &place.root,
            writer: Writer::new(&repo, &place.root)?,
            left_to_git: given.git().map(|_| Vec::new()),
        };
        let from = commit_tree(&repo, from)?.id();
        let to = commit_tree(&repo, to)?.id();
        layer.differences(Some(from), to)?;
        let files = layer.left_to_git.take().unwrap_or_default();
        drop(layer);
        if let (Some((git, _)), Some((attributes, why))) = (given.git(), given.source()) {
            let index = beside(place.dest(), ".index");
            remove_workspace(&index)?;
            let done = git.write(&files, place.path(), &index);
            let record = done.and_then(|()| Record::take(&place.root, &index, attributes, why));
            remove_workspace(&index)?;
            record?.write(place.dest())?;
        }
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
    /// the files that git is to write, if it is
    left_to_git: Option<Vec<(Vec<u8>, Leaf)>>,
}

impl Layer<'_> {
    fn differences(&mut self, from: Option<Oid>, to: Oid) -> Result<()> {
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
        &mut self,
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
        match &mut self.left_to_git {
            Some(files) if matches!(leaf.kind, EntryKind::File { .. }) => files.push((path, leaf)),
            _ => self.leaf(fd, name, &path, from, leaf)?,
        }
        Ok(None)
    }

    /// Writes one entry that is not a directory.
    fn leaf(
        &self,
        fd: &OwnedFd,
        name: &[u8],
        path: &[u8],
        from: Option<Node>,
        leaf: Leaf,
    ) -> Result<()> {
        self.writer.leaf(fd, name, path, leaf)?;
        // An empty directory would show what the layers below have in theirs.
        match (from, leaf.kind) {
            (Some(Node::Tree(_)), EntryKind::Submodule) => self.hide(path),
            _ => Ok(()),
        }
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
