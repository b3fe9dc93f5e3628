//! Within a round: baseline, dispatch, the attempt's steps, retry or the last word.

use std::sync::Arc;

use super::park::Start;
use super::records::{failing, failure, measured};
use super::{Attempt, Made, Passed, Room, Scheduler, Standing};
use crate::effect::Effect;
use crate::event::Event;
use crate::evidence::{Change, Evidence, Value};
use crate::finding::{self, Severity};
use crate::grade::{self, Weight};
use crate::ids::{AttemptNo, Digest, TaskIx};
use crate::lifecycle::{self, Next, Stage};
use crate::plan::{Proof, When};
use crate::verdict::{Feedback, Hold, NotRun, Reason, Rejection, Verdict};

impl Scheduler {
    /// Gives free places to waiting tasks, and ends the round once nobody has one or waits for one.
    pub(super) fn advance(&mut self) {
        while self.state.live < self.state.jobs {
            let Some((task, start)) = self.state.ready.pop_front() else {
                break;
            };
            // Not by way of `dispatch`: a long queue without a budget would end as a deep stack.
            if let (Start::Again, Some(verdict)) = (start, self.out_of_budget(task)) {
                self.conclude(task, verdict);
                continue;
            }
            self.state.live += 1;
            match start {
                Start::Fresh => self.measure(task),
                Start::Again => self.dispatch(task),
                Start::Probe => self.probe(task),
            }
        }
        if self.state.live == 0 && self.state.ready.is_empty() {
            self.all_spoke();
        }
    }

    /// Runs a task's checks on the base.
    pub(super) fn measure(&mut self, task: TaskIx) {
        self.state.tasks[task.index()].standing = Standing::Measuring;
        let base = self.state.head.clone();
        self.owe(Effect::Baseline { task, base });
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
            let criterion = task.criteria().nth(e.criterion as usize);
            criterion.map(|criterion| criterion.proof)
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
            room: Room::There,
            claim: String::new(),
            change: None,
            weight: Weight::default(),
            holds: Vec::new(),
            odd: false,
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
        progress.stuck.then_some(Verdict::Rejected(Reason::Stuck))
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
            Event::Verified {
                evidence, findings, ..
            } => {
                let body = self.state.attempts.get_mut(&attempt);
                if let Some(body) = body {
                    body.weight = grade::weigh(plan.task(task), evidence);
                    body.odd = finding::worst(findings) >= Some(Severity::Hold);
                }
                evidence.as_slice()
            }
            _ => &[],
        };
        self.enact(task, attempt, next, evidence);
    }

    pub(super) fn enact(
        &mut self,
        task: TaskIx,
        attempt: AttemptNo,
        next: Next,
        evidence: &[Evidence],
    ) {
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
            Next::Accept => self.pass(task, attempt, Vec::new()),
            Next::AskHuman(holds) => self.pass(task, attempt, holds),
            Next::Review(holds) => self.review(task, attempt, holds),
            Next::Reject(rejection) => self.reject(task, attempt, rejection, evidence),
            Next::Lose => self.lose(attempt),
        }
    }

    /// Judges a change, unless it has been rejected before.
    fn verify(&mut self, task: TaskIx, attempt: AttemptNo, change: Change) {
        let rejected = &self.state.tasks[task.index()].rejected;
        if rejected.contains(&change.digest) {
            self.close(attempt);
            return self.end(task, Verdict::Rejected(Reason::Stuck));
        }
        let harvest = change.commit.clone();
        if let Some(body) = self.state.attempts.get_mut(&attempt) {
            body.change = Some(Made {
                harvest: change.commit,
                digest: change.digest,
                paths: change.paths.into(),
            });
        }
        self.owe(Effect::Verify {
            task,
            attempt,
            harvest,
        });
    }

    /// Has another agent look at a change; `holds` is for afterwards.
    fn review(&mut self, task: TaskIx, attempt: AttemptNo, holds: Vec<Hold>) {
        let Some(body) = self.state.attempts.get_mut(&attempt) else {
            return;
        };
        body.holds = holds;
        if let Some(made) = &body.change {
            let harvest = made.harvest.clone();
            self.owe(Effect::Review {
                task,
                attempt,
                harvest,
            });
        }
    }

    /// Nothing that a machine looked at speaks against a change: it passes, or persons have to look at `holds`.
    fn pass(&mut self, task: TaskIx, attempt: AttemptNo, holds: Vec<Hold>) {
        let body = &self.state.attempts[&attempt];
        let Some(made) = body.change.clone() else {
            return;
        };
        let (weight, mut holds) = (body.weight, [body.holds.clone(), holds].concat());
        if weight.is_weak() && !(weight.raisable && self.will_sense(weight.floor)) {
            holds.push(Hold::Weak);
        }
        let passed = Box::new(Passed {
            attempt,
            harvest: made.harvest,
            weight,
            sensed: None,
            digest: made.digest,
            paths: made.paths,
            claim: body.claim.clone(),
            approved: Vec::new(),
            wave: self.state.wave,
            since: self.state.checkpoints,
        });
        if holds.is_empty() {
            self.state.tasks[task.index()].standing = Standing::Passed(passed);
            self.state.passed += 1;
        } else {
            self.hold(task, passed, holds);
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
        let failing = failing(evidence);
        let odd = self.state.attempts[&attempt].odd;
        if rejection == Rejection::Checks && !odd && self.may_park() {
            return self.park(task, attempt, failing);
        }
        match self.refuse(task, attempt, rejection, failing) {
            Some(verdict) => self.end(task, verdict),
            None => self.dispatch(task),
        }
    }

    /// Ends an attempt that is rejected; the verdict if its task is over with it.
    pub(super) fn refuse(
        &mut self,
        task: TaskIx,
        attempt: AttemptNo,
        rejection: Rejection,
        evidence: Arc<[Evidence]>,
    ) -> Option<Verdict> {
        let body = &self.state.attempts[&attempt];
        let (digest, paths) = match &body.change {
            Some(made) => (Some(made.digest.clone()), Arc::clone(&made.paths)),
            None => (None, Arc::default()),
        };
        let feedback = Feedback {
            attempt,
            rejection,
            evidence,
            claim: body.claim.clone(),
            paths,
            moved: Arc::default(),
        };
        self.remember(task, feedback, digest);
        self.close(attempt);
        self.out_of_budget(task)
    }

    /// Keeps what the next attempt must be told, the change that must not come again, and whether it failed as before.
    pub(super) fn remember(&mut self, task: TaskIx, feedback: Feedback, digest: Option<Digest>) {
        let progress = &mut self.state.tasks[task.index()];
        let failure = failure(&feedback);
        progress.stuck = failure.is_some() && failure == progress.failure;
        progress.failure = failure;
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
    pub(super) fn close(&mut self, attempt: AttemptNo) {
        let Some(body) = self.state.attempts.get_mut(&attempt) else {
            return;
        };
        body.stage = Stage::Ended;
        body.claim = String::new();
        match body.room {
            Room::There => {
                body.room = Room::Leaving;
                self.owe(Effect::DiscardWorkspace { attempt });
            }
            Room::Leaving => {}
            Room::Gone => {
                self.state.attempts.remove(&attempt);
            }
        }
    }

    /// Nothing is left of an attempt that is over; one that is parked is still spoken of.
    pub(super) fn discarded(&mut self, attempt: AttemptNo) {
        if let Some(body) = self.state.attempts.get_mut(&attempt) {
            body.room = Room::Gone;
            if body.stage == Stage::Ended {
                self.state.attempts.remove(&attempt);
            }
        }
    }

    /// The last word on a task that holds a place.
    pub(super) fn end(&mut self, ix: TaskIx, verdict: Verdict) {
        self.conclude(ix, verdict);
        self.leave();
    }

    /// The last word on a task. Only one that is stuck keeps its evidence: there are as many as there are tasks.
    pub(super) fn conclude(&mut self, ix: TaskIx, verdict: Verdict) {
        let progress = &mut self.state.tasks[ix.index()];
        if verdict != Verdict::Rejected(Reason::Stuck) {
            progress.feedback = None;
        }
        progress.standing = Standing::Ended(verdict);
        progress.rejected = Vec::new();
        progress.failure = None;
        progress.measured = Arc::new([]);
    }

    /// A task leaves its place: the next one may have it, or the round is complete.
    pub(super) fn leave(&mut self) {
        self.state.live -= 1;
        self.advance();
    }
}
