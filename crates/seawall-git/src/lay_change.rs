//! Lays the difference between two commits as a layer.
//!
//! Stacked over a base of the one commit it shows exactly the files of the other: a name that is gone is a whiteout, a
//! directory that stands where something else stood is opaque. The cost follows the difference.

use std::path::Path;

use nix::errno::Errno;

use crate::conversions::{Conversions, Record, beside};
use crate::differences::{Differences, Name, differences};
use crate::dirfd::Root;
use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::marks::{make_opaque, make_whiteout};
use crate::raw::{Writer, make_dir};
use crate::remove::remove_workspace;
use crate::store::Store;
use crate::tree::{EntryKind, Leaf, Node, commit_tree};

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
            root: &place.root,
            writer: Writer::new(&repo, &place.root)?,
            left_to_git: given.git().map(|_| Vec::new()),
        };
        let from = commit_tree(&repo, from)?.id();
        let to = commit_tree(&repo, to)?.id();
        differences(&repo, &place.root, (from, to), &mut layer)?;
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

struct Layer<'r> {
    root: &'r Root,
    writer: Writer<'r>,
    /// the files that git is to write, if it is
    left_to_git: Option<Vec<(Vec<u8>, Leaf)>>,
}

impl Differences for Layer<'_> {
    fn gone(&mut self, at: Name<'_>, _stood: Node) -> Result<()> {
        make_whiteout(at.dir, at.name).map_err(self.fail("make a whiteout at", at.path))
    }

    fn leaf(&mut self, at: Name<'_>, stood: Option<Node>, leaf: Leaf) -> Result<()> {
        if let (Some(files), EntryKind::File { .. }) = (&mut self.left_to_git, leaf.kind) {
            files.push((at.path.to_vec(), leaf));
            return Ok(());
        }
        self.writer.leaf(at.dir, at.name, at.path, leaf)?;
        // An empty directory would show what the layers below have in theirs.
        match (stood, leaf.kind) {
            (Some(Node::Tree(_)), EntryKind::Submodule) => self.hide(at.path),
            _ => Ok(()),
        }
    }

    fn directory(&mut self, at: Name<'_>, stood: Option<Node>) -> Result<()> {
        make_dir(self.root, at.dir, at.name, at.path)?;
        match stood {
            Some(Node::Leaf(_)) => self.hide(at.path),
            Some(Node::Tree(_)) | None => Ok(()),
        }
    }
}

impl Layer<'_> {
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
