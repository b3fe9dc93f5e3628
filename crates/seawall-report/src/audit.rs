//! Whether a run's record still says what happened: journal, plan, receipts and repository held against one another.
//!
//! Everything is looked at, nothing is believed twice: what one place says is compared with what another place holds, and
//! each difference is one [`Problem`] with the number of the record or receipt that says otherwise. It writes nothing. The
//! repository is reached through [`Objects`], so that this crate knows no git.
//!
//! What it cannot see: whoever rewrites the journal *after* the last checkpoint and all sums in it, for nothing outside
//! of the journal names those records, and whoever rewrites journal, commits and branch together. A digest that was kept
//! elsewhere (of the last checkpoint's commit, or of the last receipt) closes both.

mod again;
mod branch;
mod composed;
mod kept;
mod known;
mod points;
mod records;
mod text;

use serde::Serialize;

use seawall_core::evidence::Harvest;
use seawall_core::ids::{Commit, Digest, Tree};
use seawall_core::plan::Plan;

use crate::receipt::{Body, Entry, Receipt, receipts};
use crate::words::count;

pub use again::{Of, Taken, differences, taken};
pub use kept::{FileFacts, Files};
pub use text::audit_text;

/// What a repository holds. Each error is a sentence that says what could not be had.
pub trait Objects {
    /// What a commit says of itself.
    ///
    /// # Errors
    /// When it cannot be read.
    fn commit(&self, id: &Commit) -> Result<CommitFacts, String>;

    /// The paths that differ between two commits, sorted; the content of each file after is read, so that it is known
    /// to be there.
    ///
    /// # Errors
    /// When something of it cannot be read.
    fn changes(&self, from: &Commit, to: &Commit) -> Result<Vec<Differs>, String>;

    /// The tree that these harvests make of a base, without writing it; none when they do not fit.
    ///
    /// # Errors
    /// When something of it cannot be read.
    fn composed(&self, base: &Commit, harvests: &[Commit]) -> Result<Option<Tree>, String>;

    /// The same without each of the harvests.
    ///
    /// # Errors
    /// As there, and when they do not fit.
    fn without_each(&self, base: &Commit, harvests: &[Commit]) -> Result<Vec<Tree>, String>;

    /// The commit of a ref, by its full name.
    ///
    /// # Errors
    /// When it cannot be read.
    fn tip(&self, name: &str) -> Result<Option<Commit>, String>;
}

/// What a commit says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFacts {
    /// Its parents, in order.
    pub parents: Vec<Commit>,
    /// Its tree.
    pub tree: Tree,
    /// Its message.
    pub message: String,
}

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Differs {
    /// The path.
    pub path: Vec<u8>,
    /// The id of its content before.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<Leaf>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf {
    /// `file`, `program`, `symlink` or `submodule`.
    pub kind: &'static str,
    /// The id of its content.
    pub content: String,
}

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of thing is broken: `journal`, `plan`, `profiles`, `record`, `harvest`, `evidence`, `log`, `checkpoint`,
    /// `branch` or `rerun`.
    pub kind: &'static str,
    /// The record of the journal that says otherwise, from 0.
    pub record: Option<u64>,
    /// The receipt that says otherwise, from 0.
    pub receipt: Option<u64>,
    /// What is wrong, in one line.
    pub what: String,
}

impl Problem {
    /// One that no record or receipt speaks of.
    #[must_use]
    pub fn new(kind: &'static str, what: impl Into<String>) -> Self {
        Self {
            kind,
            record: None,
            receipt: None,
            what: what.into(),
        }
    }

    /// The same, of a record.
    #[must_use]
    pub fn at(self, record: u64) -> Self {
        let record = Some(record);
        Self { record, ..self }
    }

    pub(crate) fn of(self, receipt: &Receipt) -> Self {
        Self {
            record: Some(receipt.record.seq),
            receipt: Some(receipt.number),
            ..self
        }
    }
}

/// What was read of a run.
#[derive(Debug)]
pub struct Evident<'a> {
    /// Its plan, if `plan.json` is the one that the journal names.
    pub plan: Option<&'a Plan>,
    /// The records of the journal whose chain holds, in order.
    pub entries: Vec<Entry<'a>>,
    /// Whether there were more.
    pub cut: bool,
}

/// What an audit found, and what it looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// The run's id.
    pub run: String,
    /// Everything that does not agree; empty when the run's record holds.
    pub problems: Vec<Problem>,
    /// What is true and worth knowing.
    pub notes: Vec<String>,
    /// Records of the journal.
    pub records: usize,
    /// The digest of the last record.
    pub journal: Option<Digest>,
    /// The last record that a checkpoint's commit vouches for.
    pub anchored: Option<u64>,
    /// Harvested changes.
    pub harvests: usize,
    /// Looks at criteria.
    pub looks: usize,
    /// Logs and briefs that are what the journal says.
    pub logs: usize,
    /// Commits of the run.
    pub checkpoints: usize,
    /// Receipts.
    pub receipts: usize,
    /// The digest of the last receipt; null where the plan, and with it the criteria, could not be read.
    pub receipt: Option<Digest>,
}

/// Holds a run's record against the repository and the run's directory. `known` are the problems that were met while it was
/// read.
#[must_use]
pub fn audit(
    run: &str,
    evident: &Evident<'_>,
    (objects, files): (&dyn Objects, &dyn Files),
    known: Vec<Problem>,
) -> Audit {
    let chain = receipts(evident.plan, evident.entries.iter().copied());
    let mut problems = known;
    let ended = records::replay(evident).unwrap_or_else(|problem| {
        problems.push(problem);
        true
    });
    let objects = known::Known::new(objects);
    let (found, looked) = records::walk(evident, &objects);
    problems.extend(found);
    let kept = kept::look(evident, files);
    problems.extend(kept.problems);
    problems.extend(points::walk(evident, &chain, &objects));
    let points = || chain.iter().filter_map(Receipt::point);
    let last = evident.entries.last();
    let anchored = points().flat_map(|point| &point.journal).map(|at| at.seq);
    let harvested = |receipt: &&Receipt| match &receipt.body {
        Body::Attempt(attempt) => matches!(attempt.harvest, Some(Harvest::Changed(_))),
        _ => false,
    };
    let mut audit = Audit {
        run: run.to_owned(),
        problems,
        notes: kept.notes,
        records: evident.entries.len(),
        journal: last.map(|entry| Digest::from(entry.sum)),
        anchored: anchored.max(),
        harvests: chain.iter().filter(harvested).count(),
        looks: looked,
        logs: kept.logs,
        checkpoints: points().count(),
        receipts: chain.len(),
        receipt: chain
            .last()
            .filter(|_| evident.plan.is_some())
            .map(Receipt::digest),
    };
    audit.note(ended || evident.cut);
    audit
}

impl Audit {
    fn note(&mut self, ended: bool) {
        if !ended {
            self.notes.push("the run has not ended".to_owned());
        }
        let after = match self.anchored {
            None => self.records as u64,
            Some(at) => (self.records as u64).saturating_sub(at + 1),
        };
        let whose = match self.anchored {
            None => "there is no checkpoint",
            Some(_) => "written after the last checkpoint's commit",
        };
        let after = count(after, "record");
        let text = format!("{whose}: nothing but the journal itself vouches for its last {after}");
        self.notes.push(text);
    }
}
