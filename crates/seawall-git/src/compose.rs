//! Puts harvests together: disjoint changes into one tree, without a merge.
//!
//! A harvest says for each path from what to what it changed. It is applied only where the tree still holds the former,
//! and no path may be changed by two harvests, so the result is the same in every order and nothing is ever resolved.

use std::collections::HashSet;
use std::thread;

use git2::{ObjectType, Oid, Repository};

use crate::apply::apply;
use crate::batch::{Batch, not_a};
use crate::edit::{Edit, changes};
use crate::error::{Error, Result, git};
use crate::harvest::Change;
use crate::id::{CommitId, TreeId};
use crate::record;
use crate::store::Store;
use crate::tree::{Leaf, commit_tree};

/// From how many harvests on a second thread reads some of them.
const WORTH_A_THREAD: usize = 64;
/// How many harvests are read with one handle, which keeps in memory what it has read.
const A_HANDLE: usize = 64;

impl Store {
    /// The tree of `base` with what each harvest changed against its own parent. Costs one object for each harvest and one
    /// for each directory that holds a change; a harvest of more than a thousand paths costs a comparison of its trees.
    ///
    /// # Errors
    /// [`Error::Overlap`] when two harvests change one path, even alike; [`Error::StaleBase`] when `base` differs from the
    /// parent of a harvest at a path that the harvest changes; [`Error::PathClash`] when a file of one is a directory of
    /// another.
    pub fn compose(&self, base: &CommitId, harvests: &[CommitId]) -> Result<TreeId> {
        let edits = self.disjoint_changes(harvests)?;
        let repo = self.handle()?;
        let batch = Batch::new(&repo)?;
        let base = commit_tree(&repo, base)?;
        let tree = apply(&batch, base.id(), &edits)?;
        batch.flush(self)?;
        if harvests.len() > A_HANDLE {
            repo.retire();
        }
        Ok(TreeId::from_oid(tree))
    }

    /// The paths that differ between two commits, sorted. Trees that are equal are not looked into, so the cost follows the
    /// difference. A change of the mode alone has the same content before and after.
    pub fn changed_between(&self, from: &CommitId, to: &CommitId) -> Result<Vec<Change>> {
        let repo = self.handle()?;
        let (from, to) = (commit_tree(&repo, from)?.id(), commit_tree(&repo, to)?.id());
        Ok(changes(&repo, from, to)?.iter().map(Change::of).collect())
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: &CommitId) -> Result<TreeId> {
        let repo = self.handle()?;
        Ok(TreeId::from_oid(commit_tree(&repo, commit)?.id()))
    }
}

impl Store {
    /// What the harvests changed, each path once.
    pub(crate) fn disjoint_changes(&self, harvests: &[CommitId]) -> Result<Vec<Edit>> {
        let edits = self.all_changes(harvests)?;
        let mut touched = HashSet::with_capacity(edits.len());
        match edits.iter().find(|edit| !touched.insert(&edit.path)) {
            Some(twice) => Err(Error::Overlap(twice.path.clone())),
            None => Ok(edits),
        }
    }

    /// What the harvests changed. Reading is most of the cost of a large wave, so two threads share it.
    fn all_changes(&self, harvests: &[CommitId]) -> Result<Vec<Edit>> {
        if harvests.len() < WORTH_A_THREAD {
            return self.changes_of(harvests);
        }
        let (mine, other) = harvests.split_at(harvests.len() / 2);
        thread::scope(|scope| {
            let other = scope.spawn(|| self.changes_of(other));
            let mut all = self.changes_of(mine)?;
            let other = other.join().expect("a reading thread does not panic")?;
            all.reserve_exact(other.len());
            all.extend(other);
            Ok(all)
        })
    }

    fn changes_of(&self, harvests: &[CommitId]) -> Result<Vec<Edit>> {
        let mut edits = Vec::with_capacity(harvests.len());
        for some in harvests.chunks(A_HANDLE) {
            let repo = self.handle()?;
            for harvest in some {
                edits.extend(own_changes(&repo, harvest)?);
            }
            if harvests.len() > A_HANDLE {
                repo.retire();
            }
        }
        Ok(edits)
    }
}

/// What a harvest changed against its own parent.
pub(crate) fn own_changes(repo: &Repository, harvest: &CommitId) -> Result<Vec<Edit>> {
    let commit = repo
        .find_commit(harvest.oid())
        .map_err(git("read a harvest"))?;
    let parents: Vec<Oid> = commit.parent_ids().collect();
    let [parent] = parents[..] else {
        return Err(Error::NotAHarvest(harvest.clone()));
    };
    match record::edits(commit.message_raw_bytes()) {
        Some(edits) => {
            let files = edits.iter().filter_map(|edit| edit.to);
            refuse_missing(repo, files)?;
            Ok(edits)
        }
        None => {
            let from = commit_tree(repo, &CommitId::from_oid(parent))?.id();
            changes(repo, from, commit.tree_id())
        }
    }
}

/// Refuses files whose content is not there, whatever a commit says of them.
fn refuse_missing(repo: &Repository, mut files: impl Iterator<Item = Leaf>) -> Result<()> {
    let odb = repo.odb().map_err(git("open the object database"))?;
    let found = files.try_for_each(|leaf| match odb.read_header(leaf.id)? {
        (_, ObjectType::Blob) => Ok(()),
        (_, kind) => Err(not_a(ObjectType::Blob, leaf.id, kind)),
    });
    found.map_err(git("look up a file of a harvest"))
}
