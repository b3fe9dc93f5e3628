//! What an effect needs to know of the state in which it was issued: read when it starts, because the state goes on.

use std::sync::Arc;

use seawall_core::effect::Effect;
use seawall_core::evidence::Evidence;
use seawall_core::ids::{Commit, TaskIx};
use seawall_core::plan::GateNow;
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::Feedback;

use crate::gates;

/// What an effect needs to know of the state in which it was issued.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// The journal's digest.
    pub(crate) head: String,
    /// The tasks of the wave's round.
    pub(crate) members: Vec<TaskIx>,
    /// Why the task's last attempt was rejected.
    pub(crate) feedback: Option<Arc<Feedback>>,
    /// The harvests to integrate, or to probe on.
    pub(crate) harvests: Vec<Commit>,
    /// What each gate is at the tree that is integrated.
    pub(crate) gates: Vec<GateNow>,
    /// Where the run's branch stands.
    pub(crate) tip: Option<Commit>,
    /// What checks or gates counted where the work began.
    pub(crate) measured: Arc<[Evidence]>,
    /// What the worker said it had done.
    pub(crate) claim: String,
}

impl Context {
    pub(crate) fn of(effect: &Effect, scheduler: &Scheduler, head: &str) -> Self {
        let mut context = Self {
            head: head.to_owned(),
            gates: gates::now(effect, scheduler),
            ..Self::default()
        };
        match effect {
            Effect::PrepareWave { .. } => context.members = scheduler.members().to_vec(),
            Effect::LaunchWorker { task, .. } => {
                context.feedback = scheduler.feedback(*task).cloned()
            }
            Effect::Verify { task, attempt, .. } => {
                context.measured = Arc::clone(scheduler.measured(*task));
                scheduler.claim(*attempt).clone_into(&mut context.claim);
            }
            Effect::Review { task, .. } => context.measured = Arc::clone(scheduler.measured(*task)),
            Effect::Probe { task, on, .. } => {
                context.measured = Arc::clone(scheduler.measured(*task));
                context.harvests = passed(scheduler, on);
            }
            Effect::Integrate { tasks, .. } => {
                context.measured = Arc::clone(scheduler.gates_measured());
                context.harvests = passed(scheduler, tasks);
            }
            Effect::Sense { .. } => context.tip = Some(scheduler.head().clone()),
            _ => {}
        }
        context
    }
}

/// The harvests of these tasks, of which none landed yet.
fn passed(scheduler: &Scheduler, tasks: &[TaskIx]) -> Vec<Commit> {
    let harvest = |ix: &TaskIx| match scheduler.standing(*ix) {
        Standing::Passed(passed) => Some(passed.harvest.clone()),
        _ => None,
    };
    tasks.iter().filter_map(harvest).collect()
}
