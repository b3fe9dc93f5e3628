//! Puts harvests together: disjoint changes into one tree, without a merge.
//!
//! A harvest says for each path from what to what it changed. It is applied only where the tree still holds the former,
//! and no path may be changed by two harvests, so the result is the same in every order and nothing is ever resolved.

use std::collections::BTreeSet;
use std::thread;

use git2::{Oid, Repository};

use crate::batch::Batch;
use crate::edit::{Edit, apply, changes};
use crate::error::{Error, Result, git};
use crate::harvest::Change;
use crate::id::{CommitId, TreeId};
use crate::store::Store;
use crate::tree::{commit_tree, find_leaf};

/// From how many harvests on a second thread reads some of them.
const WORTH_A_THREAD: usize = 32;

impl Store {
    /// The tree of `base` with what each harvest changed against its own parent. Costs what changed.
    ///
    /// # Errors
    /// [`Error::Overlap`] when two harvests change one path, even alike; [`Error::StaleBase`] when `base` differs from the
    /// parent of a harvest at a path that the harvest changes; [`Error::PathClash`] when a file of one is a directory of
    /// another.
    pub fn compose(&self, base: &CommitId, harvests: &[CommitId]) -> Result<TreeId> {
        let repo = self.open()?;
        let batch = Batch::new(&repo)?;
        let base = commit_tree(&repo, base)?;
        let mut touched = BTreeSet::new();
        let mut edits = Vec::new();
        for changed in self.all_changes(&repo, harvests)? {
            for edit in changed {
                if !touched.insert(edit.path.clone()) {
                    return Err(Error::Overlap(edit.path));
                }
                if find_leaf(&base, &edit.path)? != edit.from {
                    return Err(Error::StaleBase(edit.path));
                }
                edits.push(edit);
            }
        }
        let tree = apply(&batch, base.id(), &edits)?;
        batch.flush(self)?;
        Ok(TreeId::from_oid(tree))
    }

    /// The paths that differ between two commits, sorted. Trees that are equal are not looked into, so the cost follows the
    /// difference. A change of the mode alone has the same content before and after.
    pub fn changed_between(&self, from: &CommitId, to: &CommitId) -> Result<Vec<Change>> {
        let repo = self.open()?;
        let (from, to) = (commit_tree(&repo, from)?.id(), commit_tree(&repo, to)?.id());
        Ok(changes(&repo, from, to)?.iter().map(Change::of).collect())
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: &CommitId) -> Result<TreeId> {
        let repo = self.open()?;
        Ok(TreeId::from_oid(commit_tree(&repo, commit)?.id()))
    }
}

impl Store {
    /// What each harvest changed. Reading is most of the cost of a large wave, so two threads share it.
    fn all_changes(&self, repo: &Repository, harvests: &[CommitId]) -> Result<Vec<Vec<Edit>>> {
        let read = |repo: &Repository, some: &[CommitId]| -> Result<Vec<Vec<Edit>>> {
            some.iter()
                .map(|harvest| own_changes(repo, harvest))
                .collect()
        };
        if harvests.len() < WORTH_A_THREAD {
            return read(repo, harvests);
        }
        let (mine, other) = harvests.split_at(harvests.len() / 2);
        thread::scope(|scope| {
            let other = scope.spawn(|| read(&self.open()?, other));
            let mut all = read(repo, mine)?;
            all.extend(other.join().expect("a reading thread does not panic")?);
            Ok(all)
        })
    }
}

fn own_changes(repo: &Repository, harvest: &CommitId) -> Result<Vec<Edit>> {
    let commit = repo
        .find_commit(harvest.oid())
        .map_err(git("read a harvest"))?;
    let parents: Vec<Oid> = commit.parent_ids().collect();
    let [parent] = parents[..] else {
        return Err(Error::NotAHarvest(harvest.clone()));
    };
    let from = commit_tree(repo, &CommitId::from_oid(parent))?.id();
    changes(repo, from, commit.tree_id())
}
