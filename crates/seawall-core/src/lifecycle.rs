//! One attempt, from workspace to verdict.
//!
//! ```text
//! Opening ─ WorkspaceOpened → Working ─ WorkerEnded → Harvesting ─ Harvested → Verifying ─ Verified → verdict
//!                                └─ timed out, silent, never ran ┐      └─ empty, drift, missing ┐        │
//!                                └─ stopped → lost               └───────────── rejected ────────┴────────┘
//! ```
//!
//! The table is total: an event that does not fit its stage is [`Illegal`], never ignored. Nothing here
//! knows of other attempts, budgets or waves.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::evidence::{Change, Evidence, Harvest, How, Value};
use crate::finding::{self, Finding, Severity};
use crate::plan::{Proof, Task};
use crate::verdict::Rejection;

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Its workspace is being made.
    Opening,
    /// Its worker runs, or is about to.
    Working,
    /// Its workspace is being compared with the base.
    Harvesting,
    /// Its checks run on a fresh workspace.
    Verifying,
    /// It is over; only its workspace may be left.
    Ended,
}

/// What an event means for its attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Start the worker.
    Launch,
    /// Read what it left.
    Harvest,
    /// Judge the change.
    Verify(Change),
    /// Every check passes.
    Accept,
    /// Every check that a machine can run passes; a person must look, at a criterion or at a finding.
    AskHuman,
    /// It failed.
    Reject(Rejection),
    /// Seawall ended it for the run's sake; nothing is known of the work.
    Lose,
}

/// An event that does not fit the state it was applied to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal does not fit the plan: {0}")]
pub struct Illegal(pub String);

/// The stage after `event` and what to do about it.
///
/// # Errors
/// [`Illegal`] when no attempt in `stage` can see `event`.
pub fn next(stage: Stage, task: &Task, event: &Event) -> Result<(Stage, Next), Illegal> {
    Ok(match (stage, event) {
        (Stage::Opening, Event::WorkspaceOpened { .. }) => (Stage::Working, Next::Launch),
        (Stage::Working, Event::WorkerEnded { end, .. }) => after_work(&end.how),
        (Stage::Harvesting, Event::Harvested { harvest, .. }) => after_harvest(harvest),
        (
            Stage::Verifying,
            Event::Verified {
                evidence, findings, ..
            },
        ) => (Stage::Ended, after_checks(task, evidence, findings)),
        (stage, event) => {
            return Err(Illegal(format!(
                "an attempt in {stage:?} cannot see {event:?}"
            )));
        }
    })
}

fn after_work(how: &How) -> (Stage, Next) {
    match how {
        // The status proves nothing: some tools exit 1 after a change, and agents exit 0 after failing.
        How::Exited(_) | How::Signalled(_) => (Stage::Harvesting, Next::Harvest),
        How::Stopped => (Stage::Ended, Next::Lose),
        How::Killed(_) | How::TimedOut | How::Silent | How::CouldNotStart(_) => {
            (Stage::Ended, Next::Reject(Rejection::Worker(how.clone())))
        }
    }
}

fn after_harvest(harvest: &Harvest) -> (Stage, Next) {
    match harvest {
        Harvest::Changed(change) => (Stage::Verifying, Next::Verify(change.clone())),
        Harvest::Empty => (Stage::Ended, Next::Reject(Rejection::Empty)),
        Harvest::Drift { what, .. } => (Stage::Ended, Next::Reject(Rejection::Drift(what.clone()))),
        Harvest::Missing { what } => (Stage::Ended, Next::Reject(Rejection::Missing(what.clone()))),
    }
}

/// A finding that blocks speaks before any check, one that holds after all of them.
fn after_checks(task: &Task, evidence: &[Evidence], findings: &[Finding]) -> Next {
    let values = || evidence.iter().map(|e| e.value).collect::<Vec<_>>();
    match finding::worst(findings) {
        Some(Severity::Block) => Next::Reject(Rejection::Findings(finding::blocking(findings))),
        Some(Severity::Hold) => match judge(task, &values()) {
            Next::Accept => Next::AskHuman,
            next => next,
        },
        _ => judge(task, &values()),
    }
}

/// One value per check of the task, in its order; a check without a value does not pass.
fn judge(task: &Task, values: &[Value]) -> Next {
    let seen = |n: usize| values.get(n) == Some(&Value::Pass);
    let mut checks = task.checks.iter().enumerate();
    if !checks
        .clone()
        .all(|(n, check)| check.proof == Proof::Manual || seen(n))
    {
        Next::Reject(Rejection::Checks)
    } else if checks.any(|(_, check)| check.proof == Proof::Manual) {
        Next::AskHuman
    } else {
        Next::Accept
    }
}
