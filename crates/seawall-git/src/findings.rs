//! What a walk through a workspace found, and whether that can be taken.
//!
//! However much there is, only [`LISTED`] drifts are held: the first by path, so that the list does not depend on the
//! order in which a file system hands out names.

use std::collections::BTreeSet;

use crate::edit::Edit;
use crate::harvest::{Change, ChangeKind, Drift, DriftKind, Drifts, Harvest, Missing};
use crate::id::BlobId;
use crate::tree::Leaf;

/// How many drifts are listed.
const LISTED: usize = 100;
/// After how many drifts a walk ends.
const ENOUGH: u64 = 200_000;

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// what may be taken
    pub(crate) edits: Vec<Edit>,
    drift: BTreeSet<Drift>,
    drifts: u64,
    pub(crate) missing: Vec<Missing>,
    pub(crate) ignored: u64,
}

impl Findings {
    pub(crate) fn drift(&mut self, path: Vec<u8>, what: DriftKind) {
        self.drifts += 1;
        self.drift.insert(Drift { path, what });
        if self.drift.len() > LISTED {
            self.drift.pop_last();
        }
    }

    /// Whether there is no point in looking further.
    pub(crate) fn is_enough(&self) -> bool {
        self.drifts > ENOUGH
    }

    /// The findings, if they can be taken.
    pub(crate) fn refusal(mut self) -> std::result::Result<Self, Harvest> {
        self.missing.sort();
        self.edits.sort_by(|one, other| one.path.cmp(&other.path));
        if self.drifts > 0 {
            let list = self.drift.into_iter().collect();
            let (total, missing) = (self.drifts, self.missing);
            let complete = total <= ENOUGH;
            return Err(Harvest::Drift(Drifts {
                list,
                total,
                complete,
                missing,
            }));
        }
        match (self.missing.is_empty(), self.edits.is_empty()) {
            (false, _) => Err(Harvest::Missing(self.missing)),
            (true, true) => Err(Harvest::Empty),
            (true, false) => Ok(self),
        }
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        self.edits.iter().map(Change::of).collect()
    }
}

impl Change {
    pub(crate) fn of(edit: &Edit) -> Self {
        let id = |leaf: Option<Leaf>| leaf.map(|leaf| BlobId::from_oid(leaf.id));
        Self {
            path: edit.path.clone(),
            kind: match (edit.from, edit.to) {
                (None, _) => ChangeKind::Added,
                (_, None) => ChangeKind::Deleted,
                _ => ChangeKind::Modified,
            },
            before: id(edit.from),
            after: id(edit.to),
        }
    }
}
