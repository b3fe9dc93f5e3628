//! One attempt, from workspace to verdict.
//!
//! ```text
//! Opening ─ WorkspaceOpened → Working ─ WorkerEnded → Harvesting ─ Harvested → Verifying ─ Verified → verdict ⇄ Reviewing
//!                                └─ timed out, silent, never ran ┐      └─ empty, drift, missing ┐        │
//!                                └─ stopped → lost               └───────────── rejected ────────┴────────┘
//! ```
//!
//! An attempt that only its checks reject may be set aside (`Parked`) until its siblings have spoken; what a probe then
//! shows is judged by [`after_checks`] as well.
//!
//! The table is total: an event that does not fit its stage is [`Illegal`], never ignored. Nothing here
//! knows of other attempts, budgets or waves.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::evidence::{Change, Evidence, Harvest, How, ReviewVerdict, Reviewed, Value};
use crate::finding::{self, Finding, Severity};
use crate::plan::{Proof, Task};
use crate::verdict::{Hold, Rejection};

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
    /// Its checks pass, and another agent looks at its change.
    Reviewing,
    /// Its checks are red; its change waits for those of its siblings.
    Parked,
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
    /// Every check that a machine can run passes; a person must look at these.
    AskHuman(Vec<Hold>),
    /// The same, and another agent looks first; for these a person must look besides.
    Review(Vec<Hold>),
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
        ) => after_checks(task, evidence, findings),
        (Stage::Reviewing, Event::Reviewed { review, .. }) => (Stage::Ended, after_review(review)),
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

/// The stage after an attempt's criteria were looked at, and what to do about it. A finding that blocks speaks before any
/// check, one that holds after all of them.
#[must_use]
pub fn after_checks(task: &Task, evidence: &[Evidence], findings: &[Finding]) -> (Stage, Next) {
    if finding::worst(findings) == Some(Severity::Block) {
        let rejection = Rejection::Findings(finding::blocking(findings));
        return (Stage::Ended, Next::Reject(rejection));
    }
    let Some(mut holds) = judge(task, evidence) else {
        return (Stage::Ended, Next::Reject(Rejection::Checks));
    };
    let holding = findings.iter().filter(|f| f.severity == Severity::Hold);
    let codes: BTreeSet<_> = holding.map(|finding| finding.code.clone()).collect();
    holds.extend(codes.into_iter().map(Hold::Finding));
    if task.review.is_some() {
        (Stage::Reviewing, Next::Review(holds))
    } else if holds.is_empty() {
        (Stage::Ended, Next::Accept)
    } else {
        (Stage::Ended, Next::AskHuman(holds))
    }
}

fn after_review(review: &Reviewed) -> Next {
    match review.verdict {
        ReviewVerdict::Accept => Next::Accept,
        ReviewVerdict::Hold => Next::AskHuman(vec![Hold::Review]),
        ReviewVerdict::Reject => Next::Reject(Rejection::Review(review.reasons.clone())),
    }
}

/// What a person must look at, criterion by criterion; none when one of them does not pass. A criterion without a record
/// does not pass. Records are found by their number: what was not looked at has none.
fn judge(task: &Task, evidence: &[Evidence]) -> Option<Vec<Hold>> {
    let mut holds = Vec::new();
    for (number, criterion) in (0..).zip(task.criteria()) {
        let record = evidence.iter().find(|record| record.criterion == number);
        match record {
            _ if criterion.proof == Proof::Manual => holds.push(Hold::Criterion(number)),
            Some(record) if record.passes() => {}
            Some(record) if is_flaky(record) => holds.push(Hold::Flaky(number)),
            _ => return None,
        }
    }
    Some(holds)
}

/// Whether a look says nothing because it was red and green on one tree.
#[must_use]
pub fn is_flaky(record: &Evidence) -> bool {
    record.value == Value::CouldNotLook && record.flaky.is_some()
}
