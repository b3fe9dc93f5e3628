//! What anybody may know of a run: questions that change nothing.

use std::sync::Arc;

use super::{Phase, Scheduler, Standing};
use crate::effect::Effect;
use crate::event::Started;
use crate::evidence::Evidence;
use crate::ids::{AttemptNo, Commit, TaskIx, WaveNo};
use crate::plan::Plan;
use crate::verdict::Feedback;
use crate::waves::Waves;

impl Scheduler {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The waves.
    #[must_use]
    pub fn waves(&self) -> &Arc<Waves> {
        &self.waves
    }

    /// What the run is, once it has begun.
    #[must_use]
    pub fn started(&self) -> Option<&Started> {
        self.state.started.as_ref()
    }

    /// Where the run's branch stands: the last checkpoint, or the base.
    #[must_use]
    pub fn head(&self) -> &Commit {
        &self.state.head
    }

    /// The wave in work, from 1, and its round; 0 before the first.
    #[must_use]
    pub fn wave(&self) -> (WaveNo, u32) {
        (WaveNo(self.state.wave), self.state.round)
    }

    /// The tasks of the wave's present round, in plan order.
    #[must_use]
    pub fn members(&self) -> &[TaskIx] {
        &self.state.members
    }

    /// Where a task stands.
    #[must_use]
    pub fn standing(&self, ix: TaskIx) -> &Standing {
        &self.state.tasks[ix.index()].standing
    }

    /// A task's dispatches that count.
    #[must_use]
    pub fn dispatches(&self, ix: TaskIx) -> u32 {
        self.state.tasks[ix.index()].dispatches
    }

    /// Dispatches of the whole run that count.
    #[must_use]
    pub fn dispatched(&self) -> u32 {
        self.state.dispatches
    }

    /// What the next attempt of a task is told about the last one.
    #[must_use]
    pub fn feedback(&self, ix: TaskIx) -> Option<&Arc<Feedback>> {
        self.state.tasks[ix.index()].feedback.as_ref()
    }

    /// The checks of a task whose tests were counted, as they were before its attempts; without their output.
    #[must_use]
    pub fn measured(&self, ix: TaskIx) -> &Arc<[Evidence]> {
        &self.state.tasks[ix.index()].measured
    }

    /// The gates whose tests were counted, as they were at the last checkpoint or on the base; without their output.
    #[must_use]
    pub fn gates_measured(&self) -> &Arc<[Evidence]> {
        &self.state.gates
    }

    /// The task of an attempt whose workspace is not yet gone.
    #[must_use]
    pub fn task_of(&self, attempt: AttemptNo) -> Option<TaskIx> {
        self.state.attempts.get(&attempt).map(|body| body.task)
    }

    /// What the worker of an attempt said it had done; empty until it ended, and when it said nothing.
    #[must_use]
    pub fn claim(&self, attempt: AttemptNo) -> &str {
        let body = self.state.attempts.get(&attempt);
        body.map_or("", |body| &body.claim)
    }

    /// The effects that were started and not yet answered.
    pub fn in_flight(&self) -> impl Iterator<Item = &Effect> {
        self.state.in_flight.values()
    }

    /// Whether the gates did not pass on the base, so that nothing was started.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.state.phase == Phase::Refused
    }

    /// Whether every task has its verdict.
    #[must_use]
    pub fn over(&self) -> bool {
        self.state.phase == Phase::Over
    }
}
