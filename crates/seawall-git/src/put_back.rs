//! Takes a harvest, or a part of it, out of a tree again.

use crate::apply::apply;
use crate::batch::Batch;
use crate::compose::own_changes;
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::id::{CommitId, TreeId};
use crate::store::Store;
use crate::tree::{find_leaf, find_tree};

impl Store {
    /// The tree with every path that a harvest changed, and for which `which` answers yes, as it was before the harvest.
    /// Costs what the harvest changed.
    ///
    /// # Errors
    /// [`Error::StaleBase`] when such a path is not in the tree as the harvest left it; [`Error::NotAHarvest`] for a commit
    /// without one parent; [`Error::PathClash`] when a file would stand where the tree has a directory.
    pub fn put_back(
        &self,
        tree: &TreeId,
        harvest: &CommitId,
        which: impl Fn(&[u8]) -> bool,
    ) -> Result<TreeId> {
        let repo = self.handle()?;
        let whole = find_tree(&repo, tree.oid())?;
        let mut edits = Vec::new();
        for Edit { path, from, to } in own_changes(&repo, harvest)? {
            if !which(&path) {
                continue;
            }
            if find_leaf(&whole, &path)? != to {
                return Err(Error::StaleBase(path));
            }
            let (from, to) = (to, from);
            edits.push(Edit { path, from, to });
        }
        let batch = Batch::new(&repo)?;
        let without = apply(&batch, whole.id(), &edits)?;
        batch.flush(self)?;
        Ok(TreeId::from_oid(without))
    }
}
