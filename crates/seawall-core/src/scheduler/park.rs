//! A change that is red alone and may be green on top of its siblings: the order that the plan does not name.
//!
//! Where a task's checks reject its attempt while others of its round have passed or have not spoken, the attempt is
//! parked and its place given on. Once all others have spoken, its checks are run on top of all that passed (a probe).
//! Red: the usual retry. Green: delta debugging finds the smallest set that it needs, and once that set has landed, one
//! more probe on the new head lets the harvest pass without a new dispatch. The price is that a retry waits for the slowest
//! sibling, and a probe for each red attempt; what is bought is that a plan without the edge loses no dispatch.

use std::sync::Arc;

use super::{Room, Scheduler, Standing};
use crate::effect::Effect;
use crate::evidence::Evidence;
use crate::grade;
use crate::ids::{AttemptNo, TaskIx};
use crate::lifecycle::{self, Next, Stage};
use crate::narrow::Answers;
use crate::verdict::{Rejection, Verdict};

/// The most names of siblings that the parked changes of one round may carry together: beyond, a wave of thousands with many
/// red changes would cost its square, and each of them tries again as if it had no siblings.
const MOST_NAMES: usize = 1 << 16;

/// What a member does with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Start {
    /// Its checks are run on the base, then it is dispatched.
    Fresh,
    /// It is dispatched again.
    Again,
    /// Its parked change is probed.
    Probe,
}

/// A parked change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Parked {
    attempt: AttemptNo,
    /// What was red.
    failing: Arc<[Evidence]>,
    probes: u32,
    step: Step,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// Its siblings have not all spoken.
    Waits,
    /// On top of which of its siblings is it green?
    Searches { on: Vec<TaskIx>, answers: Answers },
    /// It is green on top of these, which have not landed yet.
    Needs(Vec<TaskIx>),
    /// They have landed: is it green now?
    Alone,
}

impl Scheduler {
    /// Whether another member may yet make a red change green.
    pub(super) fn may_park(&self) -> bool {
        let state = &self.state;
        state.live > 1 || !state.ready.is_empty() || state.passed > 0
    }

    /// Sets an attempt aside until its siblings have spoken.
    pub(super) fn park(&mut self, ix: TaskIx, attempt: AttemptNo, failing: Arc<[Evidence]>) {
        if let Some(body) = self.state.attempts.get_mut(&attempt) {
            body.stage = Stage::Parked;
            body.room = Room::Leaving;
        }
        self.owe(Effect::DiscardWorkspace { attempt });
        let parked = Parked {
            attempt,
            failing,
            probes: 0,
            step: Step::Waits,
        };
        self.state.parked.insert(ix, parked);
        self.leave();
    }

    /// Nobody holds a place or waits for one: whoever is parked is probed or tries again; then the round is integrated.
    pub(super) fn all_spoke(&mut self) {
        let siblings = self.passed_members();
        let waits = |parked: &Parked| parked.step == Step::Waits;
        let parked = self.state.parked.iter().filter(|(_, p)| waits(p));
        let parked: Vec<_> = parked.map(|(ix, _)| *ix).collect();
        if parked.is_empty() {
            return self.integrate();
        }
        let few = siblings.len().saturating_mul(parked.len()) <= MOST_NAMES;
        for ix in parked {
            if few && !siblings.is_empty() {
                self.search(ix, siblings.clone());
            } else if let Some(verdict) = self.unpark(ix) {
                self.conclude(ix, verdict);
            } else {
                self.state.ready.push_back((ix, Start::Again));
            }
        }
        self.advance();
    }

    fn search(&mut self, ix: TaskIx, on: Vec<TaskIx>) {
        if let Some(parked) = self.state.parked.get_mut(&ix) {
            let answers = Answers::default();
            parked.step = Step::Searches { on, answers };
            self.state.ready.push_back((ix, Start::Probe));
        }
    }

    /// A parked change is rejected after all; the verdict if the task is over with it.
    fn unpark(&mut self, ix: TaskIx) -> Option<Verdict> {
        let parked = self.state.parked.remove(&ix)?;
        self.refuse(ix, parked.attempt, Rejection::Checks, parked.failing)
    }

    /// The next probe of a task that has a place, or what follows from those so far.
    pub(super) fn probe(&mut self, ix: TaskIx) {
        let on = match self.state.parked.get(&ix).map(|parked| &parked.step) {
            Some(Step::Searches { on, answers }) => match answers.smallest(on) {
                Err(ask) => ask,
                Ok(Some(needs)) => return self.discover(ix, needs),
                Ok(None) => return self.try_again(ix),
            },
            Some(Step::Alone) => Vec::new(),
            _ => return,
        };
        self.owe_probe(ix, on);
    }

    fn owe_probe(&mut self, task: TaskIx, on: Vec<TaskIx>) {
        let state = &mut self.state;
        let Some(parked) = state.parked.get_mut(&task) else {
            return;
        };
        parked.probes += 1;
        let (attempt, probe, base) = (parked.attempt, parked.probes, state.head.clone());
        let body = state.attempts.get(&attempt);
        if let Some(harvest) = body.and_then(|body| Some(body.change.as_ref()?.harvest.clone())) {
            self.owe(Effect::Probe {
                task,
                attempt,
                probe,
                base,
                harvest,
                on,
            });
        }
    }

    pub(super) fn probed(&mut self, attempt: AttemptNo, evidence: &[Evidence]) {
        let Some(ix) = self.task_of(attempt) else {
            return;
        };
        let (stage, next) = lifecycle::after_checks(self.plan.task(ix), evidence, &[]);
        let green = !matches!(next, Next::Reject(_));
        match self
            .state
            .parked
            .get_mut(&ix)
            .map(|parked| &mut parked.step)
        {
            Some(Step::Searches { on, answers }) => {
                if let Err(asked) = answers.smallest(on) {
                    answers.note(asked, !green); // what is looked for is called red there
                }
                self.probe(ix);
            }
            Some(Step::Alone) if green => self.passes_late(ix, attempt, (stage, next), evidence),
            Some(Step::Alone) => self.measure_again(ix),
            _ => {}
        }
    }

    /// The siblings that a change needs are known: it waits until they have landed.
    fn discover(&mut self, ix: TaskIx, needs: Vec<TaskIx>) {
        let found = &mut self.state.discovered;
        match found.binary_search_by_key(&ix, |(task, _)| *task) {
            Ok(at) => found[at].1.clone_from(&needs),
            Err(at) => found.insert(at, (ix, needs.clone())),
        }
        if let Some(parked) = self.state.parked.get_mut(&ix) {
            parked.step = Step::Needs(needs);
        }
        self.leave();
    }

    /// No sibling makes it green.
    fn try_again(&mut self, ix: TaskIx) {
        match self.unpark(ix) {
            Some(verdict) => self.end(ix, verdict),
            None => self.dispatch(ix),
        }
    }

    /// What it needed has landed and does not help: it starts on the new head as a retry does.
    fn measure_again(&mut self, ix: TaskIx) {
        match self.unpark(ix) {
            Some(verdict) => self.end(ix, verdict),
            None => self.measure(ix),
        }
    }

    fn passes_late(
        &mut self,
        ix: TaskIx,
        attempt: AttemptNo,
        (stage, next): (Stage, Next),
        evidence: &[Evidence],
    ) {
        self.state.parked.remove(&ix);
        let weight = grade::weigh(self.plan.task(ix), evidence);
        if let Some(body) = self.state.attempts.get_mut(&attempt) {
            body.stage = stage;
            body.weight = weight;
        }
        self.enact(ix, attempt, next, evidence);
    }

    /// Whether a member starts with a probe on what landed.
    pub(super) fn is_late(&self, ix: TaskIx) -> bool {
        let parked = self.state.parked.get(&ix);
        parked.is_some_and(|parked| parked.step == Step::Alone)
    }

    /// The round is over: parked changes whose siblings landed get a probe in the next, others a retry.
    pub(super) fn take_late(&mut self) -> Vec<TaskIx> {
        let parked: Vec<_> = self.state.parked.keys().copied().collect();
        let mut late = Vec::new();
        for ix in parked {
            if self.needs_are_met(ix) {
                if let Some(parked) = self.state.parked.get_mut(&ix) {
                    parked.step = Step::Alone;
                }
                late.push(ix);
            } else if let Some(verdict) = self.unpark(ix) {
                self.conclude(ix, verdict);
            } else {
                self.state.tasks[ix.index()].standing = Standing::Waiting;
                self.state.again.push(ix);
            }
        }
        late
    }

    fn needs_are_met(&self, ix: TaskIx) -> bool {
        let accepted = |ix: &TaskIx| *self.standing(*ix) == Standing::Ended(Verdict::Accepted);
        match self.state.parked.get(&ix).map(|parked| &parked.step) {
            Some(Step::Needs(needs)) => needs.iter().all(accepted),
            _ => false,
        }
    }

    /// A parked change is dropped with its task.
    pub(super) fn drop_parked(&mut self, ix: TaskIx) {
        if let Some(parked) = self.state.parked.remove(&ix) {
            self.close(parked.attempt);
        }
    }
}
