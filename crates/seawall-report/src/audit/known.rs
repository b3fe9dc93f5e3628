//! What was asked of a repository once is not asked again: a harvest is looked at by itself and as a part of its
//! checkpoint. It keeps the paths of every change, which is what the run has changed.

use std::cell::RefCell;
use std::collections::HashMap;

use seawall_core::ids::{Commit, Tree};

use super::{CommitFacts, Differs, Objects};

/// From which commit to which.
type Span = (Commit, Commit);

/// A repository with a memory.
pub(super) struct Known<'a> {
    objects: &'a dyn Objects,
    commits: RefCell<HashMap<Commit, Result<CommitFacts, String>>>,
    changes: RefCell<HashMap<Span, Result<Vec<Differs>, String>>>,
}

impl<'a> Known<'a> {
    pub(super) fn new(objects: &'a dyn Objects) -> Self {
        Self {
            objects,
            commits: RefCell::default(),
            changes: RefCell::default(),
        }
    }
}

impl Objects for Known<'_> {
    fn commit(&self, id: &Commit) -> Result<CommitFacts, String> {
        let mut known = self.commits.borrow_mut();
        let look = || self.objects.commit(id);
        known.entry(id.clone()).or_insert_with(look).clone()
    }

    fn changes(&self, from: &Commit, to: &Commit) -> Result<Vec<Differs>, String> {
        let mut known = self.changes.borrow_mut();
        let look = || self.objects.changes(from, to);
        let span = (from.clone(), to.clone());
        known.entry(span).or_insert_with(look).clone()
    }

    fn composed(&self, base: &Commit, harvests: &[Commit]) -> Result<Option<Tree>, String> {
        self.objects.composed(base, harvests)
    }

    fn without_each(&self, base: &Commit, harvests: &[Commit]) -> Result<Vec<Tree>, String> {
        self.objects.without_each(base, harvests)
    }

    fn tip(&self, name: &str) -> Result<Option<Commit>, String> {
        self.objects.tip(name)
    }
}
