//! One attempt while it goes on: what its receipt will say.

use seawall_core::event::Event;
use seawall_core::evidence::{Evidence, Harvest, WorkerEnd};
use seawall_core::finding::Finding;
use seawall_core::ids::{Commit, Digest, TaskIx, WaveNo};
use seawall_core::lifecycle::{self, Next, Stage};
use seawall_core::plan::Task;
use seawall_core::verdict::Rejection;

use super::{Review, Word, Worker};

/// An attempt that is not yet over.
pub(super) struct Draft {
    pub(super) task: TaskIx,
    pub(super) base: Commit,
    pub(super) round: (WaveNo, u32),
    stage: Stage,
    next: Option<Next>,
    pub(super) verifying: bool,
    pub(super) worker: Option<WorkerEnd>,
    pub(super) harvest: Option<Harvest>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) findings: Vec<Finding>,
    pub(super) review: Option<Review>,
}

impl Draft {
    pub(super) fn new(task: TaskIx, base: Commit, round: (WaveNo, u32)) -> Self {
        Self {
            task,
            base,
            round,
            stage: Stage::Opening,
            next: None,
            verifying: false,
            worker: None,
            harvest: None,
            evidence: Vec::new(),
            findings: Vec::new(),
            review: None,
        }
    }

    /// Adds what an event says of the attempt.
    pub(super) fn keep(&mut self, event: &Event, task: Option<&Task>) {
        match event {
            Event::WorkspaceOpened { findings, .. } => self.findings.clone_from(findings),
            Event::WorkerEnded { end, .. } => self.worker = Some(end.clone()),
            Event::Harvested { harvest, .. } => self.harvest = Some(harvest.clone()),
            Event::Verified {
                evidence, findings, ..
            } => {
                self.evidence.clone_from(evidence);
                self.findings.extend_from_slice(findings);
            }
            Event::Reviewed { review, .. } => {
                self.review = Some(Review {
                    verdict: review.verdict,
                    reasons: review.reasons.clone(),
                    worker: Worker::of(&review.end),
                });
            }
            _ => {}
        }
        if let Some(Ok((stage, next))) = task.map(|task| lifecycle::next(self.stage, task, event)) {
            (self.stage, self.next) = (stage, Some(next));
        }
    }

    /// What came of it.
    pub(super) fn verdict(&self) -> Word {
        let (word, why) = match &self.next {
            Some(Next::Accept) => ("passed", None),
            Some(Next::Reject(rejection)) => ("rejected", Some(code(rejection))),
            // Its workspace goes although its change was never judged: that change was rejected before.
            Some(Next::Verify(_)) if !self.verifying => ("stuck", None),
            Some(Next::Launch | Next::Harvest | Next::Verify(_) | Next::Lose) | None => {
                ("lost", None)
            }
            // Somebody else has the last word.
            Some(_) => ("needs-human", None),
        };
        Word { word, why }
    }
}

fn code(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::Worker(_) => "worker",
        Rejection::Empty => "empty",
        Rejection::Drift(_) => "drift",
        Rejection::Missing(_) => "missing",
        Rejection::Findings(_) => "findings",
        Rejection::Checks => "checks",
        _ => "other",
    }
}

impl Worker {
    pub(super) fn of(end: &WorkerEnd) -> Self {
        Self {
            how: end.how.clone(),
            ms: end.ms,
            bytes: end.bytes,
            leftovers: end.leftovers,
            claim: Digest::of(end.claim.as_bytes()),
            brief: end.brief.as_ref().map(|kept| kept.digest.clone()),
            output: end.log.as_ref().map(|kept| kept.digest.clone()),
            enforced: end.enforced.clone(),
        }
    }
}
