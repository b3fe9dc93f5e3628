//! What was seen: facts about a worker's end, its harvest, and the checks that were run.
//!
//! These are records, written into the journal as they are. Nothing in them is a worker's opinion but
//! the claim, which is kept beside the facts and never consulted.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::counted::Counted;
use crate::ids::{Commit, Digest, Tree};

/// What a look at one criterion showed. Only `Pass` passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// The criterion holds.
    Pass,
    /// It does not.
    Fail,
    /// Nothing can be said: the command is missing, was cut off, or a person must look.
    CouldNotLook,
}

/// One look at one criterion.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// Which criterion: the index among the task's checks, or among the plan's gates.
    pub criterion: u32,
    /// What the look showed.
    pub value: Value,
    /// The reason in a few words, such as `exit status 1` or `timed out after 5m`.
    pub why: String,
    /// The command as it was run, after substitution; empty when none was.
    pub command: String,
    /// The tree that was looked at.
    pub tree: Tree,
    /// The exit status, if the command ended by itself.
    pub exit: Option<i32>,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// The end of the output, at most [`TAIL`] bytes, as text.
    pub tail: String,
    /// Bytes of output in all.
    pub bytes: u64,
    /// The SHA-256 of the output that was kept.
    pub output: Digest,
    /// The file of the run's `logs/` that holds this output; none where nothing was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Box<str>>,
    /// The tests that the command says it executed, if a runner's summary was found in its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Box<Counted>>,
    /// The tree whose look this one was compared with; none for a look at a base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Tree>,
    /// What confined the command, one short entry per protection.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub enforced: Arc<[String]>,
    /// That it was red and green on one tree, and how often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaky: Option<Flaked>,
    /// Whether it still passes with the judge's own files as they were on the base; none where the change has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
}

/// How often one command was red and green on one tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Flaked {
    /// Looks that were red.
    pub red: u32,
    /// Looks that were green.
    pub green: u32,
}

/// What a check is worth whose change touches files of the judge: tests, and what runners read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Own {
    /// It passes without the task's own version of them too.
    NotNeeded,
    /// It passes only with the task's own version of them: the worker wrote its own examination.
    Needed,
}

/// How much a look that passes says, from little to much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// A file is there.
    Presence,
    /// A command of unknown content ended with status 0.
    Exit,
    /// Tests were executed, and counted.
    Tests,
    /// It was red before the work and is green after it.
    RedToGreen,
    /// Without the change, and with all else that landed beside it, it is red again.
    Sensitive,
}

impl Grade {
    /// Every grade, from little to much.
    pub const ALL: [Self; 5] = [
        Self::Presence,
        Self::Exit,
        Self::Tests,
        Self::RedToGreen,
        Self::Sensitive,
    ];

    /// As plans and reports write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Exit => "exit",
            Self::Tests => "tests",
            Self::RedToGreen => "red-to-green",
            Self::Sensitive => "sensitive",
        }
    }
}

/// What another agent says of a change, cold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reviewed {
    /// Its verdict; it can hold or reject, and turns nothing green.
    pub verdict: ReviewVerdict,
    /// Its reasons, as it wrote them, without control characters; or why nothing could be read.
    pub reasons: Vec<String>,
    /// How it ended.
    pub end: WorkerEnd,
}

/// What a reviewer wants to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewVerdict {
    /// Nothing against it.
    Accept,
    /// A person must look; also when the review could not be read.
    Hold,
    /// The attempt is rejected.
    Reject,
}

fn is_empty(list: &Arc<[String]>) -> bool {
    list.is_empty()
}

/// Bytes of output that a record carries; the whole is in the run's directory.
pub const TAIL: usize = 4096;

impl Evidence {
    /// Whether this look lets its criterion pass.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.value == Value::Pass
    }
}

/// How a worker's process tree came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// By itself, with this status. Recorded, never believed.
    Exited(i32),
    /// By this signal, which Seawall did not send.
    Signalled(i32),
    /// By the kernel, for going over this limit: `memory 2 GiB`.
    Killed(String),
    /// Ended by Seawall: over its wall time.
    TimedOut,
    /// Ended by Seawall: silent for too long.
    Silent,
    /// Ended by Seawall because the run stops.
    Stopped,
    /// It never ran; the step and the reason.
    CouldNotStart(String),
}

/// The end of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorkerEnd {
    /// How it ended.
    pub how: How,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// The last lines that it printed: what it says it did.
    pub claim: String,
    /// Bytes that it printed in all.
    pub bytes: u64,
    /// Processes that outlived the main one and were ended.
    pub leftovers: u32,
    /// The limits that processes of it met, one line each, also when the main one went on.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub limits: Box<[String]>,
    /// What confined it, one short entry per protection.
    pub enforced: Arc<[String]>,
    /// What it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<Kept>,
    /// What it printed, as far as it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Kept>,
}

/// A file of the run's `logs/`, as it was when this was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kept {
    /// Its name there.
    pub file: Box<str>,
    /// Its SHA-256.
    pub digest: Digest,
}

/// What a worker left in its workspace, compared with the base as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harvest {
    /// Nothing changed.
    Empty,
    /// Something changed that the task does not own; nothing is taken.
    Drift {
        /// What, where: `changed src/b.py`; at most a few dozen.
        what: Vec<String>,
        /// How many in all.
        total: u64,
    },
    /// A promised creation or deletion did not happen.
    Missing {
        /// The paths, with what was promised.
        what: Vec<String>,
    },
    /// Only owned files changed.
    Changed(Change),
}

/// A harvested change, kept as a commit on top of its base.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Change {
    /// The commit that holds it; its parent is the base.
    pub commit: Commit,
    /// Its tree.
    pub tree: Tree,
    /// The digest of the change itself: equal for equal changes, on whatever base.
    pub digest: Digest,
    /// The paths that changed, as shown.
    pub paths: Vec<String>,
    /// Lines added.
    pub insertions: u64,
    /// Lines removed.
    pub deletions: u64,
}
