//! The world of an exploration: a table of answers. Each effect in flight may be answered in every way that the real world could
//! answer it.

use super::*;

/// Which answers the world may give.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    /// Sets of tasks that are red together.
    pub(super) red: Vec<Vec<u32>>,
    /// Whether everything but checkpoints goes well.
    pub(super) kind: bool,
    /// A task, and the tasks without whose changes its check is red.
    pub(super) needs: Vec<(u32, Vec<u32>)>,
    /// Tasks whose check passes only with their own tests.
    pub(super) own: Vec<u32>,
    /// Tasks whose check does not notice that their change is not there.
    pub(super) blind: Vec<u32>,
    /// Tasks whose check is red and green on one tree.
    pub(super) flaky: Vec<u32>,
    /// Tasks with whose change the gate is red and green on one tree.
    pub(super) flaky_gate: Vec<u32>,
}

impl World {
    /// What persons must have approved of before the change of `ix` lands with those of `tasks`.
    pub(super) fn wants(&self, plan: &Plan, ix: TaskIx, tasks: &[TaskIx]) -> Vec<Hold> {
        let floor = crate::grade::floor(plan.task(ix));
        let (own, blind) = (self.own.contains(&ix.0), self.blind.contains(&ix.0));
        let flaky = self.flaky.contains(&ix.0);
        // The task's own tests are worth an exit status, and what is red and green too.
        let weak = match floor {
            Grade::Sensitive => own || blind,
            _ => own,
        };
        let gate = tasks.iter().any(|task| self.flaky_gate.contains(&task.0));
        let holds = [
            (weak, Hold::Weak),
            (flaky, Hold::Flaky(0)),
            (gate, Hold::FlakyGate(0)),
        ];
        let wanted = holds.into_iter().filter(|(wanted, _)| *wanted);
        wanted.map(|(_, hold)| hold).collect()
    }

    /// Whether the check of `ix` is green where `there` says whose changes are there.
    pub(super) fn green(&self, ix: TaskIx, there: impl Fn(TaskIx) -> bool) -> bool {
        let of_task = |(task, _): &&(u32, Vec<u32>)| *task == ix.0;
        let mut needs = self.needs.iter().filter(of_task);
        needs.all(|(_, needs)| needs.iter().all(|need| there(TaskIx(*need))))
    }

    /// A look at the check of `ix` that goes as well as it can.
    pub(super) fn checked(&self, ix: TaskIx, green: bool) -> Vec<Evidence> {
        let mut evidence = look(green);
        if green && self.own.contains(&ix.0) {
            evidence[0].own = Some(Own::Needed);
        }
        if green && self.flaky.contains(&ix.0) {
            evidence[0].value = Value::CouldNotLook;
            evidence[0].flaky = Some(Flaked { red: 1, green: 1 });
        }
        evidence
    }
}

/// Every way in which the world may answer `effect`, the good one first.
pub(super) fn answers(effect: &Effect, at: &Scheduler, world: &World) -> Vec<Event> {
    let state = &at.state;
    let mut all: Vec<Event> = as_well_as_it_can(effect, at, world).into_iter().collect();
    if let Effect::LaunchWorker { attempt, .. } = effect
        && state.in_flight.contains_key(&Key::StopWorker(*attempt))
    {
        all.push(ended(*attempt, How::Stopped));
    }
    if !world.kind {
        all.extend(goes_badly(effect, state));
    }
    all
}

pub(super) fn as_well_as_it_can(effect: &Effect, at: &Scheduler, world: &World) -> Option<Event> {
    let mut event = goes_well(effect)?;
    let landed = |ix: TaskIx| ix.index() >= at.plan.tasks.len() || accepted(at, ix);
    match (effect, &mut event) {
        (Effect::Verify { task, .. }, Event::Verified { evidence, .. }) => {
            *evidence = world.checked(*task, world.green(*task, landed));
        }
        (Effect::Probe { task, on, .. }, Event::Probed { evidence, .. }) => {
            let there = |ix| landed(ix) || on.contains(&ix);
            *evidence = world.checked(*task, world.green(*task, there));
        }
        (Effect::Sense { task, .. }, Event::Sensed { evidence, .. }) => {
            *evidence = look(world.blind.contains(&task.0));
        }
        (Effect::Integrate { tasks, .. }, Event::Integrated { evidence, .. }) => {
            let within = |set: &Vec<u32>| set.iter().all(|t| tasks.contains(&TaskIx(*t)));
            let green = tasks.is_empty() || !world.red.iter().any(within);
            *evidence = look(green);
            if green && tasks.iter().any(|t| world.flaky_gate.contains(&t.0)) {
                evidence[0].value = Value::CouldNotLook;
                evidence[0].flaky = Some(Flaked { red: 1, green: 1 });
            }
        }
        _ => {}
    }
    Some(event)
}

pub(super) fn goes_badly(effect: &Effect, state: &State) -> Vec<Event> {
    match effect {
        Effect::PrepareWave { wave, round, .. } if state.members.contains(&TaskIx(0)) => {
            let problems = vec![(TaskIx(0), "gone".to_owned())];
            vec![Event::WavePrepared {
                wave: *wave,
                round: *round,
                problems,
                workspaces: Workspaces::Overlay,
                moved: None,
                settings: None,
            }]
        }
        Effect::Baseline { task, .. } => vec![Event::Baselined {
            task: *task,
            evidence: look(false),
        }],
        Effect::LaunchWorker { attempt, .. } => vec![ended(*attempt, How::TimedOut)],
        Effect::Harvest { attempt, task, .. } => {
            let empty = Event::Harvested {
                attempt: *attempt,
                harvest: Harvest::Empty,
            };
            vec![changed(*attempt, *task, "same"), empty]
        }
        Effect::Verify { attempt, .. } => vec![Event::Verified {
            attempt: *attempt,
            evidence: look(false),
            findings: vec![],
        }],
        Effect::Review { .. } => [ReviewVerdict::Hold, ReviewVerdict::Reject]
            .into_iter()
            .filter_map(|says| {
                let mut event = goes_well(effect)?;
                if let Event::Reviewed { review, .. } = &mut event {
                    review.verdict = says;
                }
                Some(event)
            })
            .collect(),
        _ => vec![],
    }
}
