//! Receipts: what a run did, one canonical JSON object per attempt and per checkpoint, each with the digest of the one
//! before it.
//!
//! They are a pure fold of the journal and nothing is stored: whoever has the journal makes the same bytes again, and the
//! journal's digest stands in every checkpoint commit. An attempt has its receipt once its workspace is given up, because
//! nothing is added to it afterwards; whether its change landed is said by the receipt of the checkpoint. So a chain only
//! ever grows at its end. What that costs: the whole journal is read for one receipt.

mod canonical;
mod draft;
mod fold;
mod in_toto;
mod seen;

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use seawall_core::counted::Counted;
use seawall_core::event::Event;
use seawall_core::evidence::{Flaked, Harvest, How, Own, ReviewVerdict, Value};
use seawall_core::finding::Finding;
use seawall_core::ids::{AttemptNo, Commit, Digest, Tree};
use seawall_core::plan::Proof;
use seawall_core::verdict::Hold;

pub use canonical::canonical;
pub use fold::receipts;
pub use in_toto::statement;

/// The name of the format; another number when a member changes its meaning.
pub const SCHEMA: &str = "seawall-receipt/1";

/// What the first receipt names as the one before it.
pub const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One record of a journal, as its reader checked it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its number, from 0.
    pub seq: u64,
    /// Its digest.
    pub sum: &'a str,
    /// What happened.
    pub event: &'a Event,
}

/// A record, by number and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordRef {
    /// Its number, from 0.
    pub seq: u64,
    /// Its digest.
    pub sum: String,
}

impl From<&Entry<'_>> for RecordRef {
    fn from(entry: &Entry<'_>) -> Self {
        Self {
            seq: entry.seq,
            sum: entry.sum.to_owned(),
        }
    }
}

/// One receipt.
#[derive(Clone, Debug, Serialize)]
pub struct Receipt {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Its place in the chain, from 0.
    pub number: u64,
    /// The digest of the receipt before it; [`FIRST`] in the first.
    pub previous: Digest,
    /// The record of the journal with which all that it says was known.
    pub record: RecordRef,
    /// The run's id.
    pub run: String,
    /// The digest of the run's `plan.json`.
    pub plan: Digest,
    /// What it is a receipt of.
    #[serde(flatten)]
    pub body: Body,
}

/// What a receipt is of.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Body {
    /// The run itself, once its gates were looked at on the base: the first of every chain.
    Base(BaseBody),
    /// One attempt at a task.
    Attempt(Box<AttemptBody>),
    /// One commit of the run.
    Checkpoint(CheckpointBody),
}

/// A commit and its tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct At {
    /// The commit.
    pub commit: Commit,
    /// Its tree; null when the journal does not say.
    pub tree: Option<Tree>,
}

/// The run's beginning.
#[derive(Clone, Debug, Serialize)]
pub struct BaseBody {
    /// The version of the program.
    pub seawall: String,
    /// The digest of the sandbox profiles; left out where an earlier version wrote the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Digest>,
    /// What the run starts from.
    pub base: At,
    /// The full name of the branch that the run makes.
    pub branch: String,
    /// The gates there.
    pub gates: Vec<Seen>,
}

/// One attempt.
#[derive(Clone, Debug, Serialize)]
pub struct AttemptBody {
    /// The task's id.
    pub task: String,
    /// The attempt's number in the run, from 1.
    pub attempt: AttemptNo,
    /// The wave that it belongs to, from 1.
    pub wave: u32,
    /// The round of that wave, from 1.
    pub round: u32,
    /// What it started from.
    pub base: At,
    /// How its worker ended; null when it never did as far as is known.
    pub worker: Option<Worker>,
    /// What it left: as in the journal, with commit, tree, digest of the change and paths.
    pub harvest: Option<Harvest>,
    /// The task's checks on its base.
    pub before: Vec<Seen>,
    /// The same on base + change.
    pub after: Vec<Seen>,
    /// What is odd about it.
    pub findings: Vec<Finding>,
    /// What another agent says of it; null when none looked.
    pub review: Option<Review>,
    /// What came of it.
    pub verdict: Word,
}

/// What another agent says of a change.
#[derive(Clone, Debug, Serialize)]
pub struct Review {
    /// Its verdict.
    pub verdict: ReviewVerdict,
    /// Its reasons.
    pub reasons: Vec<String>,
    /// How it ended.
    pub worker: Worker,
}

/// A worker's end. What it said is in the journal; here is the digest of it.
#[derive(Clone, Debug, Serialize)]
pub struct Worker {
    /// How.
    pub how: How,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// Bytes that it printed.
    pub bytes: u64,
    /// Processes that outlived it.
    pub leftovers: u32,
    /// The SHA-256 of its claim.
    pub claim: Digest,
    /// The SHA-256 of what it was told; left out where an earlier version wrote the journal, as the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brief: Option<Digest>,
    /// The SHA-256 of the output that was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Digest>,
    /// What confined it.
    pub enforced: Arc<[String]>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Word {
    /// `passed` (its checks pass; its checkpoint says whether it landed), `rejected`, `needs-human`, `stuck` (the same
    /// change was rejected before) or `lost` (its end is unknown; it does not count).
    pub word: &'static str,
    /// Of a rejected one, why: `worker`, `empty`, `drift`, `missing`, `findings`, `checks` or `other`.
    pub why: Option<&'static str>,
}

/// One commit of the run.
#[derive(Clone, Debug, Serialize)]
pub struct CheckpointBody {
    /// The wave, from 1.
    pub wave: u32,
    /// The round of it, from 1.
    pub round: u32,
    /// Its parent.
    pub parent: At,
    /// The commit.
    pub commit: Commit,
    /// Its tree.
    pub tree: Tree,
    /// Whose changes it holds, in plan order.
    pub tasks: Vec<Landed>,
    /// The gates on its tree.
    pub gates: Vec<Seen>,
    /// Where the journal stood when the commit was made: what its trailer `Seawall-Journal` names. More than one when a
    /// crash made a second try necessary; the trailer then names one of them.
    pub journal: Vec<RecordRef>,
}

/// A change that landed.
#[derive(Clone, Debug, Serialize)]
pub struct Landed {
    /// The task's id.
    pub task: String,
    /// The attempt whose change it is; null, as the two that follow, if the journal has none that passed.
    pub attempt: Option<AttemptNo>,
    /// The harvest.
    pub harvest: Option<Commit>,
    /// The digest of the attempt's receipt.
    pub receipt: Option<Digest>,
    /// The task's criteria on base + change where the base was a later one than the attempt's.
    pub probed: Vec<Seen>,
    /// The task's checks on the checkpoint's tree without its change, up to the first that is red.
    pub sensed: Vec<Seen>,
    /// What a person took the responsibility for.
    pub approved: Vec<Approval>,
}

/// What a person took the responsibility for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// What kept the change from landing.
    pub hold: Hold,
    /// Who, as the host knows them.
    pub by: String,
    /// Why.
    pub note: String,
    /// The record that says so.
    pub record: u64,
}

/// One look at one criterion.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// The criterion's place among the task's checks and then its holdouts, or among the plan's gates, from 0.
    pub criterion: u32,
    /// The sentence.
    pub says: String,
    /// What it must show.
    pub proof: Proof,
    /// What it showed. Of a look at a base, `pass` says that the base is as the proof demands.
    pub value: Value,
    /// The reason, in a few words.
    pub why: String,
    /// The command as it was run; empty when none was.
    pub command: String,
    /// The SHA-256 of the command.
    pub command_digest: Digest,
    /// The tree that was looked at.
    pub tree: Tree,
    /// The tree whose look it was compared with; null when with none.
    pub base_tree: Option<Tree>,
    /// The exit status; null when the command did not end by itself.
    pub exit: Option<i32>,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// The SHA-256 of the output that was kept.
    pub output: Digest,
    /// Bytes of output in all.
    pub bytes: u64,
    /// The tests that were counted; null when no runner was recognised.
    pub tests: Option<Box<Counted>>,
    /// That it was red and green on one tree, and how often; null when it was not.
    pub flaky: Option<Flaked>,
    /// Of a change to the judge's own files, whether it passes without the task's version of them.
    pub own: Option<Own>,
    /// What confined the command.
    pub enforced: Arc<[String]>,
}

impl Receipt {
    /// Its canonical form, without a newline: what its digest is of.
    #[must_use]
    pub fn text(&self) -> String {
        canonical(&self.json())
    }

    /// The SHA-256 of [`Receipt::text`], which the next receipt names.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }

    /// The receipt as a tree.
    #[must_use]
    pub fn json(&self) -> Json {
        serde_json::to_value(self).expect("structs of strings and integers serialise")
    }

    /// The checkpoint that it is of, if it is of one.
    #[must_use]
    pub fn point(&self) -> Option<&CheckpointBody> {
        match &self.body {
            Body::Checkpoint(point) => Some(point),
            Body::Base(_) | Body::Attempt(_) => None,
        }
    }

    /// Whether it is of an attempt at this task, by id.
    #[must_use]
    pub fn is_of_task(&self, id: &str) -> bool {
        matches!(&self.body, Body::Attempt(attempt) if attempt.task == id)
    }

    /// Whether it is of a checkpoint of this wave; wave 0 is the base.
    #[must_use]
    pub fn is_of_wave(&self, wave: u32) -> bool {
        match &self.body {
            Body::Base(_) => wave == 0,
            Body::Checkpoint(point) => point.wave == wave,
            Body::Attempt(_) => false,
        }
    }
}
