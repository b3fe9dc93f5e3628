//! What trees would be, without writing any of them: whoever holds a record against its parts makes the tree's id anew.

use crate::apply::apply;
use crate::batch::Batch;
use crate::compose::own_changes;
use crate::edit::Edit;
use crate::error::Result;
use crate::id::{CommitId, TreeId};
use crate::store::Store;
use crate::tree::commit_tree;

impl Store {
    /// The tree that [`Store::compose`] would make of them.
    ///
    /// # Errors
    /// As there.
    pub fn would_compose(&self, base: &CommitId, harvests: &[CommitId]) -> Result<TreeId> {
        self.foresee(base, harvests, |_, tree| Ok(tree))
    }

    /// For each harvest the tree that the composition of all of them would be without it. Costs what the harvests changed,
    /// twice.
    ///
    /// # Errors
    /// As of [`Store::compose`].
    pub fn without_each(&self, base: &CommitId, harvests: &[CommitId]) -> Result<Vec<TreeId>> {
        self.foresee(base, harvests, |batch, whole| {
            let without = |harvest| {
                let back = own_changes(batch, harvest)?.into_iter();
                let back: Vec<_> = back
                    .map(|Edit { path, from, to }| Edit {
                        path,
                        from: to,
                        to: from,
                    })
                    .collect();
                let tree = batch.passing(|| apply(batch, whole.oid(), &back))?;
                Ok(TreeId::from_oid(tree))
            };
            harvests.iter().map(without).collect()
        })
    }

    /// Composes in memory and looks at the result there.
    fn foresee<T>(
        &self,
        base: &CommitId,
        harvests: &[CommitId],
        look: impl FnOnce(&Batch<'_>, TreeId) -> Result<T>,
    ) -> Result<T> {
        let edits = self.disjoint_changes(harvests)?;
        let repo = self.handle()?;
        let batch = Batch::new(&repo)?;
        let base = commit_tree(&repo, base)?;
        let tree = apply(&batch, base.id(), &edits)?;
        look(&batch, TreeId::from_oid(tree))
    }
}
