//! What becomes of an attempt and of a task, and why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::evidence::{Evidence, How};
use crate::finding::Finding;
use crate::ids::{AttemptNo, TaskIx};

/// The last word on a task.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Its change stands in a checkpoint.
    Accepted,
    /// Its change does not land.
    Rejected(Reason),
    /// It was never tried, because this task that it waits for was not accepted.
    Blocked(TaskIx),
    /// All that a machine can look at passes; a criterion or a finding is left that only a person can judge.
    NeedsHuman,
    /// It was never tried for another reason.
    NotRun(NotRun),
}

impl Verdict {
    /// Whether tasks that wait for this one may start.
    #[must_use]
    pub fn satisfies(&self) -> bool {
        matches!(self, Self::Accepted | Self::NotRun(NotRun::NothingToDo))
    }
}

/// What keeps a change from landing until a person approves of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// A criterion that only a person can judge, by its number.
    Criterion(u32),
    /// A finding that holds, by its code; all of that code.
    Finding(String),
    /// The reviewer's reasons, or that they could not be read.
    Review,
    /// Evidence weaker than the task's floor.
    Weak,
    /// A check that is red and green on one tree, by its number.
    Flaky(u32),
    /// A gate that is red and green on one tree, by its number.
    FlakyGate(u32),
}

/// Why a task was not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotRun {
    /// Its checks are green already, and it says `when = "red"`.
    NothingToDo,
    /// The run's dispatches were used up.
    AttemptsSpent,
    /// The run's wall time was used up.
    WallSpent,
}

/// Why a task ends rejected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A check shows on the base what it must not: green where it should be red, or the reverse.
    Base,
    /// A file that it owns or reads is no longer what the plan says; what, in words.
    Gone(String),
    /// Its last dispatch was rejected, and none is left.
    Attempt(Rejection),
    /// It made a change that had been rejected before, again, or failed twice in a row in the same way.
    Stuck,
    /// The run's wall time ended its worker.
    WallSpent,
}

/// Why one attempt is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rejection {
    /// The worker was ended or never ran.
    Worker(How),
    /// It changed nothing.
    Empty,
    /// It changed what it does not own.
    Drift(Vec<String>),
    /// It did not make or delete what the task promises.
    Missing(Vec<String>),
    /// Its change has these findings, each of which blocks it; its checks were not run.
    Findings(Arc<[Finding]>),
    /// At least one of its checks does not pass.
    Checks,
    /// The wave's checkpoint is red because of it.
    Checkpoint,
    /// Another agent looked at it and rejects it, for these reasons.
    Review(Vec<String>),
}

/// What the next attempt is told about the one before.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Feedback {
    /// The attempt that was rejected.
    pub attempt: AttemptNo,
    /// Why.
    pub rejection: Rejection,
    /// The evidence that does not pass: of the task's checks, or of the plan's gates.
    pub evidence: Arc<[Evidence]>,
    /// What the worker said it had done.
    pub claim: String,
    /// What it had changed, as shown.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub paths: Arc<[String]>,
    /// Files that the task owns or reads and that others changed since, as shown.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub moved: Arc<[String]>,
}

fn is_empty(list: &Arc<[String]>) -> bool {
    list.is_empty()
}
