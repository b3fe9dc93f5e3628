//! What is kept of a task and of each of its attempts.

use std::sync::Arc;

use seawall_core::event::Event;
use seawall_core::evidence::{Change, Evidence, Harvest, Reviewed, WorkerEnd};
use seawall_core::finding::Finding;
use seawall_core::ids::{AttemptNo, Commit, TaskIx, WaveNo};
use seawall_core::lifecycle::Stage;
use seawall_core::verdict::{Hold, Rejection};
use serde::Serialize;

/// One task's history.
#[derive(Clone, Debug)]
pub struct TaskView {
    /// Its wave, from 1.
    pub wave: WaveNo,
    /// Its checks on the base of its wave, one record per check with a command; `Pass` = as the proof
    /// demands of a base. Empty until they were run.
    pub baseline: Arc<[Evidence]>,
    /// Its attempts in order, lost ones included.
    pub attempts: Vec<AttemptView>,
    /// What keeps the change of its last attempt from landing until a person approves of it.
    pub holds: Vec<Hold>,
    /// What people took the responsibility for.
    pub approvals: Vec<Approval>,
    /// Whether its last word was told.
    pub(super) told: bool,
}

/// A person's word on what kept a task from landing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// What it was.
    pub hold: Hold,
    /// Who, as the host knows them.
    pub by: String,
    /// Why.
    pub note: String,
}

/// One attempt's history.
#[derive(Clone, Debug)]
pub struct AttemptView {
    /// Its number in the run.
    pub number: AttemptNo,
    /// Which of the task's dispatches it is, from 1; a lost one's place is taken by the next.
    pub dispatch: u32,
    /// The commit that it started from.
    pub base: Commit,
    /// When its workspace was asked for, in milliseconds since 1970-01-01 UTC.
    pub began_ms: u64,
    /// When the last thing was known of it, likewise.
    pub seen_ms: u64,
    /// Whether its worker was started and has not ended, as far as is known.
    pub(super) working: bool,
    /// How its worker ended.
    pub worker: Option<WorkerEnd>,
    /// What it left.
    pub harvest: Option<Harvest>,
    /// Its checks on base + harvest, one record per check; empty until they were run.
    pub evidence: Arc<[Evidence]>,
    /// What is odd about the files that its brief named, and about its change.
    pub findings: Vec<Finding>,
    /// What another agent said of its change; none before, and where nobody was asked.
    pub review: Option<Box<Reviewed>>,
    /// Its checks on what passed the gates, without its change, up to the first red one; none before they were run.
    pub sensed: Option<Arc<[Evidence]>>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is under way, in this stage.
    Live(Stage),
    /// Its end is unknown, because the run stopped; it does not count.
    Lost,
    /// Its checks pass; the checkpoint has not spoken.
    Passed,
    /// Its change stands in this checkpoint, an index into [`View::checkpoints`](super::View::checkpoints).
    Landed(usize),
    /// Its machine checks pass, a criterion is left for a person.
    NeedsHuman,
    /// It was rejected on its own.
    Rejected(Rejection),
    /// It made a change again that had been rejected before.
    Stuck,
    /// The gates are red because of it, alone or with others of its wave.
    Culprit {
        /// The gates on the smallest red composition with it.
        gates: Arc<[Evidence]>,
        /// The tasks that are red only together with it, itself left out.
        with: Vec<TaskIx>,
    },
}

impl TaskView {
    /// The attempt of that number.
    #[must_use]
    pub fn attempt(&self, number: AttemptNo) -> Option<&AttemptView> {
        self.attempts
            .iter()
            .rev()
            .find(|attempt| attempt.number == number)
    }

    /// The latest attempt whose end is known, or that is under way.
    #[must_use]
    pub fn last(&self) -> Option<&AttemptView> {
        self.attempts
            .iter()
            .rev()
            .find(|attempt| attempt.fate != Fate::Lost)
    }

    /// The change that stands in a checkpoint, if one does.
    #[must_use]
    pub fn landed(&self) -> Option<&Change> {
        self.last()
            .filter(|attempt| matches!(attempt.fate, Fate::Landed(_)))
            .and_then(AttemptView::change)
    }
}

impl AttemptView {
    /// The harvested change, if only owned files changed.
    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        match &self.harvest {
            Some(Harvest::Changed(change)) => Some(change),
            _ => None,
        }
    }

    /// What the worker said it had done; empty when it said nothing.
    #[must_use]
    pub fn claim(&self) -> &str {
        self.worker.as_ref().map_or("", |end| &end.claim)
    }
}

impl AttemptView {
    /// Notes the facts of an event of this attempt.
    pub(super) fn keep(&mut self, at_ms: u64, event: &Event) {
        self.seen_ms = at_ms;
        match event {
            // The digests of its brief and its log are the receipt's and the auditor's, who read the journal for them: a wave
            // may have ten thousand of each.
            Event::WorkerEnded { end, .. } => {
                self.worker = Some(WorkerEnd {
                    brief: None,
                    log: None,
                    ..end.clone()
                });
            }
            Event::Harvested { harvest, .. } => self.harvest = Some(harvest.clone()),
            Event::WorkspaceOpened { findings, .. } => self.findings.clone_from(findings),
            Event::Verified {
                evidence, findings, ..
            } => {
                self.evidence = evidence.as_slice().into();
                self.findings.extend_from_slice(findings);
            }
            Event::Reviewed { review, .. } => self.review = Some(Box::new(review.clone())),
            // Green on top of other changes, it is judged by that look.
            Event::Probed { evidence, .. } if evidence.iter().all(Evidence::passes) => {
                self.evidence = evidence.as_slice().into();
            }
            _ => {}
        }
    }
}
