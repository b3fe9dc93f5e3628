//! What anybody may know of a run: questions that change nothing.

use std::sync::Arc;

use super::{Phase, Scheduler, Standing};
use crate::effect::Effect;
use crate::event::Started;
use crate::evidence::Evidence;
use crate::grade::Weight;
use crate::ids::{AttemptNo, Commit, TaskIx, WaveNo};
use crate::plan::{Criterion, GateNow, Plan};
use crate::verdict::{Feedback, Hold};
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

    /// What keeps the change of a task from landing until persons approve of it; none when nothing does, or nothing any more.
    #[must_use]
    pub fn held(&self, ix: TaskIx) -> Option<&[Hold]> {
        self.state.held.get(&ix).map(|held| held.open())
    }

    /// How many tasks are held.
    #[must_use]
    pub fn held_tasks(&self) -> usize {
        self.state.held.len()
    }

    /// What the evidence of a held task weighs.
    #[must_use]
    pub fn held_weight(&self, ix: TaskIx) -> Option<Weight> {
        self.state.held.get(&ix).map(|held| held.weight())
    }

    /// Tasks that are red alone and green on top of others of their wave, in plan order, each with the smallest set of
    /// these that was found.
    #[must_use]
    pub fn discovered(&self) -> &[(TaskIx, Vec<TaskIx>)] {
        &self.state.discovered
    }

    /// What a gate of the plan is at a tree on which the changes of `with` (in plan order) stand besides those that
    /// landed.
    #[must_use]
    pub fn gate_now(&self, gate: &Criterion, with: &[TaskIx]) -> GateNow {
        let landed =
            |task| matches!(self.standing(task), Standing::Ended(verdict) if verdict.satisfies());
        gate.window
            .now(|task| with.binary_search(&task).is_ok() || landed(task))
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

    /// Whether every task has its verdict, and nothing that was approved of waits for somebody to go on.
    #[must_use]
    pub fn over(&self) -> bool {
        self.state.phase == Phase::Over && self.state.returning.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counted::Counted;
    use crate::event::Event;
    use crate::sample::{begin, goes_well, plan, task};
    use crate::waves::waves;

    /// What goes well, where every look counts so many tests.
    fn counting(effect: &Effect, passed: u64) -> Option<Event> {
        let mut event = goes_well(effect)?;
        if let Event::Baselined { evidence, .. }
        | Event::Verified { evidence, .. }
        | Event::Integrated { evidence, .. } = &mut event
        {
            let tests = Counted {
                passed,
                ..Counted::default()
            };
            evidence[0].tests = Some(Box::new(tests));
            evidence[0].tail = "long".into();
        }
        Some(event)
    }

    fn passed(measured: &[Evidence]) -> Vec<u64> {
        assert!(measured.iter().all(|e| e.tail.is_empty()));
        measured
            .iter()
            .filter_map(|e| e.tests.as_ref())
            .map(|t| t.passed)
            .collect()
    }

    #[test]
    fn what_was_counted_where_the_work_began_is_kept_until_it_ends() {
        let plan = plan(
            vec![task("a", "a", &[], &[], 1), task("b", "b", &[0], &[], 1)],
            9,
        );
        let order = Arc::new(waves(&plan).unwrap());
        let mut scheduler = Scheduler::new(plan, order);
        scheduler.apply(&begin(1));
        let (mut seen, mut looks) = (Vec::new(), 0);
        while let Some(effect) = scheduler.due().first().cloned() {
            match &effect {
                Effect::Verify { task, .. } => {
                    seen.push((
                        passed(scheduler.measured(*task)),
                        passed(scheduler.gates_measured()),
                    ));
                }
                Effect::Integrate { .. } => looks += 10,
                _ => {}
            }
            scheduler.apply(&Event::Issued {
                effect: effect.clone(),
            });
            if let Some(event) = counting(&effect, looks) {
                scheduler.apply(&event);
            }
        }
        // The gates were counted on the base (10) and at the first checkpoint (20).
        assert_eq!(seen, [(vec![10], vec![10]), (vec![20], vec![20])]);
        assert!(scheduler.over() && scheduler.measured(TaskIx(0)).is_empty());
    }
}
