//! Within a round: baseline, dispatch, the attempt's steps, retry or the last word.

use std::sync::Arc;

use super::{Attempt, Passed, Scheduler, Standing};
use crate::effect::Effect;
use crate::event::Event;
use crate::evidence::{Change, Evidence, Value};
use crate::ids::{AttemptNo, Digest, TaskIx};
use crate::lifecycle::{self, Next, Stage};
use crate::plan::{Proof, When};
use crate::verdict::{Feedback, NotRun, Reason, Rejection, Verdict};

impl Scheduler {
    /// Gives free places to waiting tasks.
    pub(super) fn fill(&mut self) {
        while self.state.live < self.state.jobs {
            let Some(task) = self.state.ready.pop_front() else {
                return;
            };
            self.state.live += 1;
            self.state.tasks[task.index()].standing = Standing::Measuring;
            let base = self.state.head.clone();
            self.owe(Effect::Baseline { task, base });
        }
    }

    pub(super) fn baselined(&mut self, ix: TaskIx, evidence: &[Evidence]) {
        if evidence.iter().all(Evidence::passes) {
            self.state.tasks[ix.index()].measured = measured(evidence);
            return self.dispatch(ix);
        }
        if self.nothing_to_do(ix, evidence) {
            return self.end(ix, Verdict::NotRun(NotRun::NothingToDo));
        }
        self.end(ix, Verdict::Rejected(Reason::Base));
    }

    /// Whether the task allows it and every check that should be red is green, all others as they should be.
    fn nothing_to_do(&self, ix: TaskIx, evidence: &[Evidence]) -> bool {
        let task = self.plan.task(ix);
        let proof = |e: &Evidence| {
            task.checks
                .get(e.criterion as usize)
                .map(|check| check.proof)
        };
        task.when == When::Red
            && evidence.iter().all(|e| match proof(e) {
                // Exit status 0 alone is not it: no test may have been executed.
                Some(Proof::FailToPass) => e.value == Value::Fail,
                _ => e.passes(),
            })
    }

    /// Starts an attempt, or ends the task when a budget says so.
    pub(super) fn dispatch(&mut self, ix: TaskIx) {
        if let Some(verdict) = self.out_of_budget(ix) {
            return self.end(ix, verdict);
        }
        let state = &mut self.state;
        state.last_attempt += 1;
        state.dispatches += 1;
        let attempt = AttemptNo(state.last_attempt);
        let base = state.head.clone();
        let body = Attempt {
            task: ix,
            base: base.clone(),
            stage: Stage::Opening,
            claim: String::new(),
            change: None,
        };
        state.attempts.insert(attempt, body);
        let progress = &mut state.tasks[ix.index()];
        progress.dispatches += 1;
        progress.standing = Standing::Attempting(attempt);
        self.owe(Effect::OpenWorkspace {
            task: ix,
            attempt,
            base,
        });
    }

    pub(super) fn out_of_budget(&self, ix: TaskIx) -> Option<Verdict> {
        let progress = &self.state.tasks[ix.index()];
        let last = progress
            .feedback
            .as_ref()
            .map(|f| Reason::Attempt(f.rejection.clone()));
        if self.state.halt.wall_spent {
            let tried = progress.dispatches > 0;
            let rejected = last
                .or(tried.then_some(Reason::WallSpent))
                .map(Verdict::Rejected);
            return Some(rejected.unwrap_or(Verdict::NotRun(NotRun::WallSpent)));
        }
        if progress.dispatches >= self.plan.task(ix).attempts {
            return last.map(Verdict::Rejected);
        }
        if self.state.dispatches >= self.plan.budget.attempts {
            let rejected = last.map(Verdict::Rejected);
            return Some(rejected.unwrap_or(Verdict::NotRun(NotRun::AttemptsSpent)));
        }
        None
    }

    pub(super) fn attempt_event(&mut self, attempt: AttemptNo, event: &Event) {
        let plan = Arc::clone(&self.plan);
        let Some(body) = self.state.attempts.get_mut(&attempt) else {
            return;
        };
        let task = body.task;
        let Ok((stage, next)) = lifecycle::next(body.stage, plan.task(task), event) else {
            return;
        };
        body.stage = stage;
        if let Event::WorkerEnded { end, .. } = event {
            body.claim.clone_from(&end.claim);
            self.forget_stop(attempt);
        }
        let evidence = match event {
            Event::Verified { evidence, .. } => evidence.as_slice(),
            _ => &[],
        };
        self.enact(task, attempt, next, evidence);
    }

    fn enact(&mut self, task: TaskIx, attempt: AttemptNo, next: Next, evidence: &[Evidence]) {
        let base = self.state.attempts[&attempt].base.clone();
        match next {
            Next::Launch => self.owe(Effect::LaunchWorker {
                task,
                attempt,
                base,
            }),
            Next::Harvest => self.owe(Effect::Harvest {
                task,
                attempt,
                base,
            }),
            Next::Verify(change) => self.verify(task, attempt, change),
            Next::Accept => self.pass(task, attempt),
            Next::AskHuman => {
                self.close(attempt);
                self.end(task, Verdict::NeedsHuman);
            }
            Next::Reject(rejection) => self.reject(task, attempt, rejection, evidence),
            Next::Lose => self.lose(attempt),
        }
    }

    /// Judges a change, unless it has been rejected before.
    fn verify(&mut self, task: TaskIx, attempt: AttemptNo, change: Change) {
        if self.state.tasks[task.index()]
            .rejected
            .contains(&change.digest)
        {
            self.close(attempt);
            return self.end(task, Verdict::Rejected(Reason::Stuck));
        }
        let harvest = change.commit.clone();
        if let Some(body) = self.state.attempts.get_mut(&attempt) {
            body.change = Some((change.commit, change.digest));
        }
        self.owe(Effect::Verify {
            task,
            attempt,
            harvest,
        });
    }

    fn pass(&mut self, task: TaskIx, attempt: AttemptNo) {
        let body = &self.state.attempts[&attempt];
        if let Some((harvest, digest)) = body.change.clone() {
            let claim = body.claim.clone();
            self.state.tasks[task.index()].standing = Standing::Passed(Passed {
                attempt,
                harvest,
                digest,
                claim,
            });
        }
        self.close(attempt);
        self.leave();
    }

    fn reject(
        &mut self,
        task: TaskIx,
        attempt: AttemptNo,
        rejection: Rejection,
        evidence: &[Evidence],
    ) {
        let body = &self.state.attempts[&attempt];
        let claim = body.claim.clone();
        let digest = body.change.as_ref().map(|(_, digest)| digest.clone());
        self.remember(
            task,
            Feedback {
                attempt,
                rejection,
                evidence: failing(evidence),
                claim,
            },
            digest,
        );
        self.close(attempt);
        self.dispatch(task);
    }

    /// Keeps what the next attempt must be told, and the change that must not come again.
    pub(super) fn remember(&mut self, task: TaskIx, feedback: Feedback, digest: Option<Digest>) {
        let progress = &mut self.state.tasks[task.index()];
        progress.rejected.extend(digest);
        progress.feedback = Some(Arc::new(feedback));
    }

    /// The attempt's end is unknown: it does not count, and the task starts a new one.
    pub(super) fn lose(&mut self, attempt: AttemptNo) {
        let task = self.state.attempts[&attempt].task;
        self.state.dispatches -= 1;
        self.state.tasks[task.index()].dispatches -= 1;
        self.close(attempt);
        self.dispatch(task);
    }

    /// The attempt is over; its workspace can go.
    fn close(&mut self, attempt: AttemptNo) {
        if let Some(body) = self.state.attempts.get_mut(&attempt) {
            body.stage = Stage::Ended;
            body.claim = String::new();
        }
        self.owe(Effect::DiscardWorkspace { attempt });
    }

    /// The last word on a task that holds a place.
    fn end(&mut self, ix: TaskIx, verdict: Verdict) {
        self.conclude(ix, verdict);
        self.leave();
    }

    /// The last word on a task.
    pub(super) fn conclude(&mut self, ix: TaskIx, verdict: Verdict) {
        let progress = &mut self.state.tasks[ix.index()];
        progress.standing = Standing::Ended(verdict);
        progress.feedback = None;
        progress.rejected = Vec::new();
        progress.measured = Arc::new([]);
    }

    /// A task leaves its place: the next one may have it, or the round is complete.
    fn leave(&mut self) {
        self.state.live -= 1;
        self.state.open -= 1;
        if self.state.open == 0 {
            self.integrate()
        } else {
            self.fill()
        }
    }
}

/// The records that do not pass.
pub(super) fn failing(evidence: &[Evidence]) -> Arc<[Evidence]> {
    evidence.iter().filter(|e| !e.passes()).cloned().collect()
}

/// The records with counted tests, without output: what later looks are compared with.
pub(super) fn measured(evidence: &[Evidence]) -> Arc<[Evidence]> {
    let counted = evidence.iter().filter(|e| e.tests.is_some());
    let bare = |e: &Evidence| Evidence {
        tail: String::new(),
        enforced: Arc::default(),
        ..e.clone()
    };
    counted.map(bare).collect()
}
