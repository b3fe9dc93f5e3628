//! Every schedule of small plans, and random walks through larger ones, with crashes anywhere.
//!
//! The world here is a table of answers: each effect in flight may be answered in every way that the real
//! world could answer it. A crash may come before an effect is issued, after it is issued and before it is
//! started, and at any moment while it is in flight.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::event::Workspaces;
use crate::evidence::{Flaked, Grade, Harvest, How, Own, ReviewVerdict, Value};
use crate::finding::{Finding, Severity};
use crate::plan::{Review, Risk};
use crate::sample::{begin, changed, ended, goes_well, integrated, look, plan, some_plan, task};
use crate::verdict::{NotRun, Reason, Rejection};
use crate::waves::waves;

/// Events that a walk may still use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Trouble {
    crashes: u32,
    interrupts: u32,
    faults: u32,
    wall: u32,
    approvals: u32,
}

const NO_TROUBLE: Trouble = Trouble {
    crashes: 0,
    interrupts: 0,
    faults: 0,
    wall: 0,
    approvals: 0,
};

/// Which answers the world may give.
#[derive(Clone, Debug, Default)]
struct World {
    /// Sets of tasks that are red together.
    red: Vec<Vec<u32>>,
    /// Whether everything but checkpoints goes well.
    kind: bool,
    /// A task, and the tasks without whose changes its check is red.
    needs: Vec<(u32, Vec<u32>)>,
    /// Tasks whose check passes only with their own tests.
    own: Vec<u32>,
    /// Tasks whose check does not notice that their change is not there.
    blind: Vec<u32>,
    /// Tasks whose check is red and green on one tree.
    flaky: Vec<u32>,
    /// Tasks with whose change the gate is red and green on one tree.
    flaky_gate: Vec<u32>,
}

impl World {
    /// What persons must have approved of before the change of `ix` lands with those of `tasks`.
    fn wants(&self, plan: &Plan, ix: TaskIx, tasks: &[TaskIx]) -> Vec<Hold> {
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
    fn green(&self, ix: TaskIx, there: impl Fn(TaskIx) -> bool) -> bool {
        let of_task = |(task, _): &&(u32, Vec<u32>)| *task == ix.0;
        let mut needs = self.needs.iter().filter(of_task);
        needs.all(|(_, needs)| needs.iter().all(|need| there(TaskIx(*need))))
    }

    /// A look at the check of `ix` that goes as well as it can.
    fn checked(&self, ix: TaskIx, green: bool) -> Vec<Evidence> {
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

fn start(plan: &Arc<Plan>, jobs: u32) -> (Scheduler, Event) {
    let waves = Arc::new(waves(plan).unwrap());
    (Scheduler::new(Arc::clone(plan), waves), begin(jobs))
}

/// Every way in which the world may answer `effect`, the good one first.
fn answers(effect: &Effect, at: &Scheduler, world: &World) -> Vec<Event> {
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

fn as_well_as_it_can(effect: &Effect, at: &Scheduler, world: &World) -> Option<Event> {
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

fn goes_badly(effect: &Effect, state: &State) -> Vec<Event> {
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

/// What persons may approve of.
fn approvals(at: &Scheduler) -> impl Iterator<Item = Event> {
    let open = |(ix, task): (TaskIx, _)| {
        let _: &crate::plan::Task = task;
        let holds = at.held(ix).unwrap_or_default().iter();
        holds.map(move |hold| Event::Approved {
            task: ix,
            hold: hold.clone(),
            by: String::new(),
            note: String::new(),
        })
    };
    at.plan.each_task().flat_map(open)
}

/// A new supervisor, on the machine as it was and after it started anew.
fn resumptions(at: &Scheduler) -> impl Iterator<Item = Event> {
    let jobs = at.state.jobs;
    [false, true]
        .into_iter()
        .map(move |rebooted| Event::Resumed { jobs, rebooted })
}

/// The steps that are possible from here, and what trouble is left after each.
fn steps(at: &Scheduler, trouble: Trouble, world: &World) -> Vec<(Event, Trouble)> {
    let mut all = Vec::new();
    let outcome = at.outcome();
    if trouble.approvals > 0 {
        let less = Trouble {
            approvals: trouble.approvals - 1,
            ..trouble
        };
        all.extend(approvals(at).map(|event| (event, less)));
    }
    if trouble.crashes > 0 && !matches!(outcome, Some(Outcome::Finished | Outcome::Refused)) {
        let less = Trouble {
            crashes: trouble.crashes - 1,
            ..trouble
        };
        all.extend(resumptions(at).map(|event| (event, less)));
    }
    match outcome {
        Some(Outcome::Finished | Outcome::Refused) => return all,
        Some(Outcome::Parked(_) | Outcome::Interrupted) => {
            all.extend(resumptions(at).map(|event| (event, trouble)));
            return all;
        }
        None => {}
    }
    // Answers may come in between: a turn of the loop takes in all that have arrived before it issues.
    all.extend(
        at.due()
            .into_iter()
            .next()
            .map(|effect| (Event::Issued { effect }, trouble)),
    );
    if trouble.interrupts > 0 && !at.state.halt.interrupted {
        all.push((
            Event::Interrupted,
            Trouble {
                interrupts: trouble.interrupts - 1,
                ..trouble
            },
        ));
    }
    if trouble.wall > 0 {
        all.push((
            Event::WallSpent,
            Trouble {
                wall: trouble.wall - 1,
                ..trouble
            },
        ));
    }
    for effect in at.in_flight() {
        if trouble.faults > 0 && !matches!(effect, Effect::StopWorker { .. }) {
            let failed = Event::EffectFailed {
                key: effect.key(),
                why: "disk full".into(),
            };
            all.push((
                failed,
                Trouble {
                    faults: trouble.faults - 1,
                    ..trouble
                },
            ));
        }
        all.extend(
            answers(effect, at, world)
                .into_iter()
                .map(|event| (event, trouble)),
        );
    }
    all
}

/// What must be true in every state.
fn hold(at: &Scheduler, world: &World) {
    let state = &at.state;
    assert!(state.dispatches <= at.plan.budget.attempts);
    let counted: u32 = state.tasks.iter().map(|task| task.dispatches).sum();
    assert_eq!(
        state.dispatches, counted,
        "a dispatch is counted here and not there"
    );
    assert!(state.live <= state.jobs || state.live <= at.plan.tasks.len() as u32);
    for (ix, task) in at.plan.each_task() {
        assert!(
            at.dispatches(ix) <= task.attempts,
            "{} is over its dispatches",
            task.id
        );
    }
    let mut keys = BTreeSet::new();
    for key in state
        .owed
        .iter()
        .map(Effect::key)
        .chain(state.in_flight.keys().copied())
    {
        assert!(keys.insert(key), "{key:?} is owed twice");
    }
    let mut owned = BTreeSet::new();
    for attempt in state
        .attempts
        .values()
        .filter(|attempt| attempt.stage != Stage::Ended)
    {
        assert!(matches!(at.standing(attempt.task), Standing::Attempting(_)));
        for path in at.plan.task(attempt.task).owned() {
            assert!(owned.insert(path.clone()), "{path} has two live owners");
        }
    }
    for effect in state.owed.iter().chain(state.in_flight.values()) {
        if let Effect::Checkpoint { tasks, .. } = effect {
            for red in &world.red {
                assert!(
                    !red.iter().all(|t| tasks.contains(&TaskIx(*t))),
                    "{tasks:?} is red and lands"
                );
            }
            for ix in tasks {
                let Standing::Passed(passed) = at.standing(*ix) else {
                    panic!("{ix:?} lands and has not passed");
                };
                for hold in world.wants(&at.plan, *ix, tasks) {
                    let approved = passed.approved.contains(&hold);
                    assert!(approved, "{ix:?} lands though {hold:?} is open");
                }
            }
        }
    }
    for ix in state.held.keys() {
        let held = at.held(*ix).unwrap_or_default();
        assert!(!held.is_empty(), "{ix:?} is held for nothing");
        assert_eq!(at.standing(*ix), &Standing::Ended(Verdict::NeedsHuman));
    }
    if at.outcome().is_none() {
        // A stop is answered by the end of its worker, so alone it would be waited for for ever.
        let answered = |key: &Key| match key {
            Key::StopWorker(attempt) => state.in_flight.contains_key(&Key::LaunchWorker(*attempt)),
            _ => true,
        };
        assert!(
            state.in_flight.keys().all(answered),
            "a stop without a worker: {state:#?}"
        );
        assert!(
            !state.in_flight.is_empty() || !at.due().is_empty(),
            "stuck: {state:#?}"
        );
    }
    if at.outcome() == Some(Outcome::Finished) {
        for (ix, _) in at.plan.each_task() {
            assert!(
                matches!(at.standing(ix), Standing::Ended(_)),
                "{ix:?} has no verdict"
            );
        }
        assert!(state.attempts.is_empty(), "a workspace is left");
        assert!(state.parked.is_empty() && state.returning.is_empty());
        for (ix, _) in at.plan.each_task() {
            let person = at.standing(ix) == &Standing::Ended(Verdict::NeedsHuman);
            assert_eq!(person, at.held(ix).is_some(), "a held task is lost");
        }
    }
}

/// What a step may not undo.
fn hold_step(before: &Scheduler, event: &Event, after: &Scheduler) {
    assert!(
        after.state.last_attempt >= before.state.last_attempt,
        "an attempt number came again"
    );
    for (ix, _) in before.plan.each_task() {
        if let Standing::Ended(verdict) = before.standing(ix) {
            // Only persons open a held task again, and with it what it blocked.
            let opens = match (verdict, event) {
                (Verdict::NeedsHuman, Event::Approved { task, .. }) => *task == ix,
                (Verdict::Blocked(_), Event::Checkpointed { .. }) => true,
                _ => false,
            };
            if opens {
                continue;
            }
            assert_eq!(
                after.standing(ix),
                &Standing::Ended(verdict.clone()),
                "a last word changed"
            );
        }
    }
    if let Event::Issued {
        effect: Effect::LaunchWorker { task, attempt, .. },
    } = event
    {
        assert_eq!(
            before.standing(*task),
            &Standing::Attempting(*attempt),
            "a ghost is launched"
        );
    }
    if let Event::Issued {
        effect: Effect::Baseline { task, .. } | Effect::OpenWorkspace { task, .. },
    } = event
    {
        assert!(
            !matches!(before.standing(*task), Standing::Ended(_)),
            "finished work is repeated"
        );
        let met = |dep: &TaskIx| match before.standing(*dep) {
            Standing::Ended(verdict) => verdict.satisfies(),
            _ => false,
        };
        let after = &before.plan.task(*task).after;
        assert!(after.iter().all(met), "it starts before what it waits for");
    }
}

/// What only some events may change.
fn hold_evidence(before: &Scheduler, event: &Event, after: &Scheduler) {
    match event {
        Event::Issued {
            effect: Effect::Sense { task, .. },
        } => match before.standing(*task) {
            Standing::Passed(passed) => assert_eq!(passed.sensed, None, "sensed twice"),
            other => panic!("sensed while {other:?}"),
        },
        Event::Issued {
            effect: Effect::Probe { task, on, .. },
        } => {
            let passed = |ix: &TaskIx| matches!(before.standing(*ix), Standing::Passed(_));
            assert!(on.iter().all(passed) && !on.contains(task));
        }
        Event::Probed { attempt, .. } => {
            let ix = before.task_of(*attempt).unwrap();
            let passes = matches!(after.standing(ix), Standing::Passed(_));
            let used = after.dispatches(ix) - before.dispatches(ix);
            assert!(!passes || used == 0, "a probe used a dispatch");
        }
        Event::Approved { task, hold, .. } => {
            assert!(before.held(*task).is_some_and(|open| open.contains(hold)));
            let open = after.held(*task).unwrap_or_default();
            assert!(!open.contains(hold), "approved of and still open");
            assert_eq!(before.state.dispatches, after.state.dispatches);
        }
        _ => {}
    }
}

fn step(at: &Scheduler, event: &Event) -> Scheduler {
    at.check(event)
        .unwrap_or_else(|e| panic!("{e}\n{:#?}", at.state));
    let mut next = at.clone();
    next.apply(event);
    hold_step(at, event, &next);
    hold_evidence(at, event, &next);
    next
}

/// Visits every reachable state; how many there are.
fn explore(plan: &Arc<Plan>, jobs: u32, trouble: Trouble, world: &World) -> usize {
    let (scheduler, begin) = start(plan, jobs);
    let first = step(&scheduler, &begin);
    let mut seen = HashSet::new();
    let mut stack = vec![(first, trouble)];
    let mut finished = 0;
    while let Some((at, trouble)) = stack.pop() {
        if !seen.insert((at.state.clone(), trouble)) {
            continue;
        }
        hold(&at, world);
        finished += usize::from(at.outcome() == Some(Outcome::Finished));
        for (event, left) in steps(&at, trouble, world) {
            stack.push((step(&at, &event), left));
        }
    }
    assert!(finished > 0, "no schedule ends");
    seen.len()
}

#[test]
fn every_schedule_of_one_task_with_every_trouble() {
    let plan = plan(vec![task("a", "a", &[], &[], 2)], 3);
    let trouble = Trouble {
        crashes: 1,
        interrupts: 1,
        faults: 1,
        wall: 1,
        approvals: 0,
    };
    let states = explore(
        &plan,
        1,
        trouble,
        &World {
            red: vec![vec![0]],
            ..World::default()
        },
    );
    assert!(states > 1_000, "{states}");
}

/// A retry multiplies the schedules, and so does a crash: each with the other would take minutes.
#[test]
fn every_schedule_of_two_siblings_with_a_retry_or_a_crash_anywhere() {
    for (attempts, crashes) in [(2, 0), (1, 1)] {
        let tasks = vec![
            task("a", "a", &[], &[], attempts),
            task("b", "b", &[], &[], 1),
        ];
        let plan = plan(tasks, 3);
        let trouble = Trouble {
            crashes,
            ..NO_TROUBLE
        };
        for red in [vec![], vec![vec![0]], vec![vec![0, 1]]] {
            let world = World {
                red,
                ..World::default()
            };
            let states = explore(&plan, 2, trouble, &world);
            assert!(states > 1_000, "{states}");
        }
    }
}

#[test]
fn every_schedule_of_a_chain_and_a_hazard() {
    let tasks = vec![
        task("a", "a", &[], &[], 1),
        task("b", "b", &[0], &[], 1),
        task("c", "a", &[], &["b"], 1),
    ];
    let plan = plan(tasks, 3);
    let trouble = Trouble {
        crashes: 1,
        interrupts: 1,
        ..NO_TROUBLE
    };
    let states = explore(
        &plan,
        2,
        trouble,
        &World {
            red: vec![vec![1]],
            ..World::default()
        },
    );
    assert!(states > 1_000, "{states}");
}

#[test]
fn every_schedule_of_three_siblings_when_all_goes_well_but_the_checkpoint() {
    let tasks = ["a", "b", "c"]
        .map(|name| task(name, name, &[], &[], 1))
        .to_vec();
    let plan = plan(tasks, 3);
    let trouble = Trouble {
        crashes: 1,
        ..NO_TROUBLE
    };
    let states = explore(
        &plan,
        2,
        trouble,
        &World {
            red: vec![vec![0, 2]],
            kind: true,
            ..World::default()
        },
    );
    assert!(states > 1_000, "{states}");
}

#[test]
fn every_schedule_of_a_task_that_needs_its_sibling() {
    let tasks = vec![task("a", "a", &[], &[], 1), task("b", "b", &[], &[], 2)];
    let plan = plan(tasks, 3);
    let trouble = Trouble {
        crashes: 1,
        faults: 1,
        ..NO_TROUBLE
    };
    let world = World {
        kind: true,
        needs: vec![(1, vec![0])],
        ..World::default()
    };
    let states = explore(&plan, 2, trouble, &world);
    assert!(states > 300, "{states}");
}

#[test]
fn every_schedule_of_held_tasks_with_approvals_anywhere() {
    let mut tasks = vec![
        task("a", "a", &[], &[], 2),
        task("b", "b", &[], &[], 1),
        task("waits", "c", &[0], &[], 1),
    ];
    tasks[0].risk = Risk::High;
    tasks[1].review = Some(Review { by: "other".into() });
    let trouble = Trouble {
        crashes: 1,
        approvals: 3,
        ..NO_TROUBLE
    };
    for which in 0..4 {
        let pick = |n: u32| vec![0; usize::from(n == which)];
        let world = World {
            kind: true,
            own: pick(0),
            blind: pick(1),
            flaky: pick(2),
            flaky_gate: pick(3),
            ..World::default()
        };
        let states = explore(&plan(tasks.clone(), 5), 2, trouble, &world);
        assert!(states > 500, "{which}: {states}");
    }
}

/// The first word of a person leaves the other hold open: `hold` would see the change land.
#[test]
fn every_schedule_of_a_task_with_two_holds() {
    let tasks = vec![task("a", "a", &[], &[], 1), task("b", "b", &[0], &[], 1)];
    let trouble = Trouble {
        crashes: 1,
        approvals: 2,
        ..NO_TROUBLE
    };
    let (one, none) = (|| vec![0], Vec::new);
    for (own, flaky, flaky_gate) in [
        (one(), one(), none()),
        (one(), none(), one()),
        (none(), one(), one()),
    ] {
        let world = World {
            kind: true,
            own,
            flaky,
            flaky_gate,
            ..World::default()
        };
        let states = explore(&plan(tasks.clone(), 3), 1, trouble, &world);
        assert!(states > 100, "{states}");
    }
}

#[test]
fn one_of_two_approvals_lets_nothing_land() {
    let world = World {
        kind: true,
        own: vec![0],
        flaky: vec![0],
        ..World::default()
    };
    let plan = plan(vec![task("a", "a", &[], &[], 1)], 1);
    let (mut at, _) = walk(&plan, 1, NO_TROUBLE, &world, &[]);
    let held = at.held(TaskIx(0)).map(<[Hold]>::len);
    assert_eq!(held, Some(2), "{:?}", at.held(TaskIx(0)));
    let next = approvals(&at).next().unwrap();
    at = step(&at, &next);
    let needs_human = Standing::Ended(Verdict::NeedsHuman);
    assert_eq!(at.standing(TaskIx(0)), &needs_human);
    assert_eq!(at.held(TaskIx(0)).map(<[Hold]>::len), Some(1));
    assert!(at.over(), "there is nothing to go on with");
    let next = approvals(&at).next().unwrap();
    at = step(&at, &next);
    assert!(at.held(TaskIx(0)).is_none() && !at.over());
}

#[test]
fn every_schedule_of_a_review() {
    let mut tasks = vec![task("a", "a", &[], &[], 2)];
    tasks[0].review = Some(Review { by: "other".into() });
    let trouble = Trouble {
        crashes: 1,
        interrupts: 1,
        approvals: 1,
        ..NO_TROUBLE
    };
    let states = explore(&plan(tasks, 3), 1, trouble, &World::default());
    assert!(states > 300, "{states}");
}

/// One walk: choices say which of the possible steps is taken; afterwards the first is.
fn walk(
    plan: &Arc<Plan>,
    jobs: u32,
    mut trouble: Trouble,
    world: &World,
    choices: &[u16],
) -> (Scheduler, Vec<Event>) {
    let (scheduler, begin) = start(plan, jobs);
    let mut journal = vec![begin.clone()];
    let mut at = step(&scheduler, &begin);
    let mut choices = choices.iter().copied();
    loop {
        hold(&at, world);
        let all = steps(&at, trouble, world);
        let over = matches!(at.outcome(), Some(Outcome::Finished | Outcome::Refused));
        if over && (all.is_empty() || choices.len() == 0) {
            return (at, journal);
        }
        let calm = all
            .iter()
            .position(|(event, left)| *left == trouble && !matches!(event, Event::Resumed { .. }))
            .or_else(|| all.iter().position(|(_, left)| *left == trouble));
        let pick = choices
            .next()
            .map_or(calm.unwrap_or(0), |choice| usize::from(choice) % all.len());
        let (event, left) = all[pick].clone();
        at = step(&at, &event);
        trouble = left;
        journal.push(event);
        assert!(journal.len() < 100_000, "the walk does not end");
    }
}

/// What a task needs of others, and four sets of tasks.
type Doubts = (Vec<(u32, Vec<u32>)>, [Vec<u32>; 4]);

fn doubts() -> impl Strategy<Value = Doubts> {
    let few = || proptest::collection::vec(0..12u32, 0..2);
    let needs =
        proptest::collection::vec((0..12u32, proptest::collection::vec(0..12u32, 1..3)), 0..3);
    (needs, [few(), few(), few(), few()])
}

/// Every third task is at high risk, every fourth has a reviewer.
fn some_at_risk(mut tasks: Vec<crate::plan::Task>) -> Vec<crate::plan::Task> {
    for (n, task) in tasks.iter_mut().enumerate() {
        if n % 3 == 2 {
            task.risk = Risk::High;
        }
        if n % 4 == 3 {
            task.review = Some(Review { by: "other".into() });
        }
    }
    tasks
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The journal of any walk, folded anew, is the state that the walk ended in.
    #[test]
    fn a_walk_ends_and_its_journal_replays(
        tasks in some_plan(),
        choices in proptest::collection::vec(any::<u16>(), 0..400),
        red in proptest::collection::vec(proptest::collection::vec(0..12u32, 1..3), 0..3),
        jobs in 1..4u32,
        (needs, doubts) in doubts(),
    ) {
        let [own, blind, flaky, flaky_gate] = doubts;
        let kind = choices.len() % 2 == 0;
        let world = World { red, kind, needs, own, blind, flaky, flaky_gate };
        let plan = plan(some_at_risk(tasks), 20);
        let trouble = Trouble { crashes: 5, interrupts: 2, faults: 2, wall: 1, approvals: 4 };
        let (at, journal) = walk(&plan, jobs, trouble, &world, &choices);
        let (mut again, _) = start(&plan, jobs);
        for event in &journal {
            again.check(event).unwrap();
            again.apply(event);
        }
        prop_assert_eq!(again.state, at.state);
    }

    /// Crashes and interrupts change no verdict when the world answers the same.
    #[test]
    fn crashes_change_no_verdict(
        tasks in some_plan(),
        choices in proptest::collection::vec(any::<u16>(), 0..300),
        red in proptest::collection::vec(proptest::collection::vec(0..12u32, 1..3), 0..3),
        jobs in 1..4u32,
    ) {
        let plan = plan(tasks, 1000);
        let world = World { red, kind: true, ..World::default() };
        let (calm, _) = walk(&plan, jobs, NO_TROUBLE, &world, &[]);
        let trouble = Trouble { crashes: 8, interrupts: 3, faults: 3, wall: 0, approvals: 0 };
        let (rough, _) = walk(&plan, jobs, trouble, &world, &choices);
        for (ix, _) in plan.each_task() {
            prop_assert_eq!(accepted(&calm, ix), accepted(&rough, ix));
        }
        prop_assert_eq!(calm.head(), rough.head());
    }
}

fn accepted(at: &Scheduler, ix: TaskIx) -> bool {
    at.standing(ix) == &Standing::Ended(Verdict::Accepted)
}

#[test]
fn an_event_that_nobody_waits_for_is_refused() {
    let plan = plan(vec![task("a", "a", &[], &[], 1)], 1);
    let (scheduler, begin) = start(&plan, 1);
    assert!(
        scheduler.check(&Event::Interrupted).is_err(),
        "before the beginning"
    );
    let at = step(&scheduler, &begin);
    assert!(at.check(&begin).is_err(), "a second beginning");
    assert!(
        at.check(&ended(AttemptNo(1), How::Exited(0))).is_err(),
        "a ghost"
    );
    let owed = at.due().remove(0);
    let issued = step(
        &at,
        &Event::Issued {
            effect: owed.clone(),
        },
    );
    assert!(
        issued.check(&Event::Issued { effect: owed }).is_err(),
        "issued twice"
    );
}

#[test]
fn budgets_end_a_run_with_verdicts() {
    let tasks = ["a", "b", "c"]
        .map(|name| task(name, name, &[], &[], 1))
        .to_vec();
    let plan = plan(tasks, 2);
    let (at, _) = walk(
        &plan,
        1,
        NO_TROUBLE,
        &World {
            red: vec![],
            kind: true,
            ..World::default()
        },
        &[],
    );
    assert_eq!(at.standing(TaskIx(1)), &Standing::Ended(Verdict::Accepted));
    assert_eq!(
        at.standing(TaskIx(2)),
        &Standing::Ended(Verdict::NotRun(NotRun::AttemptsSpent))
    );
}

#[test]
fn a_checkpoint_rejection_tries_again_on_top_of_what_landed() {
    let tasks = vec![task("a", "a", &[], &[], 1), task("b", "b", &[], &[], 2)];
    let plan = plan(tasks, 9);
    let (at, journal) = walk(
        &plan,
        2,
        NO_TROUBLE,
        &World {
            red: vec![vec![1]],
            kind: true,
            ..World::default()
        },
        &[],
    );
    assert_eq!(at.standing(TaskIx(0)), &Standing::Ended(Verdict::Accepted));
    assert!(matches!(
        at.standing(TaskIx(1)),
        Standing::Ended(Verdict::Rejected(_))
    ));
    assert_eq!(at.dispatches(TaskIx(1)), 2);
    let second = journal.iter().find_map(|event| match event {
        Event::Issued {
            effect:
                Effect::OpenWorkspace {
                    task: TaskIx(1),
                    attempt,
                    base,
                },
        } if attempt.0 == 3 => Some(base),
        _ => None,
    });
    assert_eq!(second.map(|base| &*base.0), Some("base+[0]"));
}

/// Answers whatever is owed, well but for what `answer` says, until the run has an outcome.
fn play(plan: &Arc<Plan>, mut answer: impl FnMut(&Effect) -> Option<Event>) -> Scheduler {
    let (scheduler, begin) = start(plan, 1);
    let mut at = step(&scheduler, &begin);
    while at.outcome().is_none() {
        for effect in at.due() {
            at = step(&at, &Event::Issued { effect });
        }
        let effect = at.in_flight().next().unwrap().clone();
        let event = answer(&effect).or_else(|| goes_well(&effect)).unwrap();
        at = step(&at, &event);
    }
    at
}

#[test]
fn the_same_change_twice_ends_a_task_early() {
    let plan = plan(vec![task("a", "a", &[], &[], 5)], 9);
    let at = play(&plan, |effect| match effect {
        Effect::Harvest { attempt, task, .. } => Some(changed(*attempt, *task, "same")),
        Effect::Verify { attempt, .. } => Some(Event::Verified {
            attempt: *attempt,
            evidence: look(false),
            findings: vec![],
        }),
        _ => None,
    });
    assert_eq!(
        at.standing(TaskIx(0)),
        &Standing::Ended(Verdict::Rejected(Reason::Stuck))
    );
    assert_eq!(at.dispatches(TaskIx(0)), 2);
}

#[test]
fn the_same_failure_twice_ends_a_task_early_with_its_evidence() {
    let plan = plan(vec![task("a", "a", &[], &[], 5)], 9);
    let at = play(&plan, |effect| match effect {
        Effect::Verify { attempt, .. } => Some(Event::Verified {
            attempt: *attempt,
            evidence: look(false),
            findings: vec![],
        }),
        _ => None,
    });
    let stuck = Standing::Ended(Verdict::Rejected(Reason::Stuck));
    assert_eq!(
        (at.standing(TaskIx(0)), at.dispatches(TaskIx(0))),
        (&stuck, 2)
    );
    assert_eq!(at.feedback(TaskIx(0)).map(|f| f.evidence.len()), Some(1));
}

#[test]
fn what_needs_a_sibling_lands_after_it_without_a_dispatch() {
    let tasks = ["a", "b", "c", "d"].map(|name| task(name, name, &[], &[], 1));
    let plan = plan(tasks.to_vec(), 9);
    let world = World {
        kind: true,
        needs: vec![(1, vec![0, 3])],
        ..World::default()
    };
    let (at, _) = walk(&plan, 4, NO_TROUBLE, &world, &[]);
    for (ix, _) in plan.each_task() {
        assert!(accepted(&at, ix), "{ix:?}");
    }
    assert_eq!(at.dispatched(), 4);
    let needs = (TaskIx(1), vec![TaskIx(0), TaskIx(3)]);
    assert_eq!(at.discovered(), [needs]);
}

#[test]
fn what_was_approved_lands_on_the_next_session_and_frees_what_waits() {
    let tasks = vec![
        task("a", "a", &[], &[], 1),
        task("b", "b", &[], &[], 1),
        task("waits", "c", &[0], &[], 1),
    ];
    let plan = plan(tasks, 9);
    let world = World {
        kind: true,
        own: vec![0],
        ..World::default()
    };
    let (mut at, _) = walk(&plan, 2, NO_TROUBLE, &world, &[]);
    assert_eq!(at.held(TaskIx(0)), Some(&[Hold::Weak][..]));
    let blocked = Standing::Ended(Verdict::Blocked(TaskIx(0)));
    assert_eq!(at.standing(TaskIx(2)), &blocked);
    assert!(accepted(&at, TaskIx(1)));
    let next = approvals(&at).next().unwrap();
    at = step(&at, &next);
    assert_eq!(
        (at.outcome(), at.over()),
        (Some(Outcome::Interrupted), false)
    );
    let next = resumptions(&at).next().unwrap();
    at = step(&at, &next);
    while at.outcome().is_none() {
        let all = steps(&at, NO_TROUBLE, &world);
        at = step(&at, &all[0].0);
    }
    assert!(accepted(&at, TaskIx(0)) && accepted(&at, TaskIx(2)));
    assert_eq!(at.dispatched(), 3);
}

#[test]
fn what_was_approved_is_tried_anew_where_its_files_changed_since() {
    for (attempts, again) in [(2, true), (1, false)] {
        let tasks = vec![
            task("a", "f", &[], &[], attempts),
            task("later", "f", &[], &[], 1),
        ];
        let plan = plan(tasks, 9);
        let world = World {
            kind: true,
            flaky: vec![0],
            ..World::default()
        };
        let (mut at, _) = walk(&plan, 2, NO_TROUBLE, &world, &[]);
        assert!(accepted(&at, TaskIx(1)), "a hazard blocks nothing");
        let next = approvals(&at).next().unwrap();
        at = step(&at, &next);
        let next = resumptions(&at).next().unwrap();
        at = step(&at, &next);
        while at.outcome().is_none() {
            let all = steps(&at, NO_TROUBLE, &world);
            at = step(&at, &all[0].0);
        }
        let gone = matches!(
            at.standing(TaskIx(0)),
            Standing::Ended(Verdict::Rejected(Reason::Gone(_)))
        );
        assert_eq!((gone, at.dispatches(TaskIx(0))), (!again, attempts));
        assert_eq!(
            at.held(TaskIx(0)).is_some(),
            again,
            "the new change is held as well"
        );
    }
}

#[test]
fn a_retry_is_told_what_was_wrong_and_then_may_pass() {
    let plan = plan(vec![task("a", "a", &[], &[], 2)], 9);
    let mut told = Vec::new();
    let at = play(&plan, |effect| match effect {
        Effect::Verify { attempt, .. } => {
            told.push(*attempt);
            Some(Event::Verified {
                attempt: *attempt,
                evidence: look(told.len() > 1),
                findings: vec![],
            })
        }
        _ => None,
    });
    assert_eq!(told, [AttemptNo(1), AttemptNo(2)]);
    assert!(accepted(&at, TaskIx(0)));
}

/// A finding of that severity.
fn odd(severity: Severity) -> Vec<Finding> {
    vec![Finding {
        code: "SW0501".into(),
        severity,
        path: "a".into(),
        line: Some(1),
        text: "odd".into(),
        because: None,
    }]
}

#[test]
fn findings_reject_hold_or_are_told() {
    let ends = |severity, passes, evidence: bool| {
        let plan = plan(vec![task("a", "a", &[], &[], 1)], 9);
        let at = play(&plan, |effect| match effect {
            Effect::Verify { attempt, .. } => Some(Event::Verified {
                attempt: *attempt,
                evidence: if evidence { look(passes) } else { vec![] },
                findings: odd(severity),
            }),
            _ => None,
        });
        match at.standing(TaskIx(0)) {
            Standing::Ended(verdict) => verdict.clone(),
            open => panic!("{open:?}"),
        }
    };
    let rejected = |rejection| Verdict::Rejected(Reason::Attempt(rejection));
    let blocked = rejected(Rejection::Findings(odd(Severity::Block).into()));
    assert_eq!(ends(Severity::Block, true, true), blocked);
    assert_eq!(ends(Severity::Block, true, false), blocked);
    assert_eq!(ends(Severity::Hold, true, true), Verdict::NeedsHuman);
    assert_eq!(
        ends(Severity::Hold, false, true),
        rejected(Rejection::Checks)
    );
    assert_eq!(
        ends(Severity::Hold, true, false),
        rejected(Rejection::Checks)
    );
    assert_eq!(ends(Severity::Note, true, true), Verdict::Accepted);
}

#[test]
fn a_journal_from_before_there_were_findings_is_read() {
    let old = r#"{"event":"verified","attempt":1,"evidence":[]}"#;
    let event: Event = serde_json::from_str(old).unwrap();
    let (attempt, evidence, findings) = (AttemptNo(1), vec![], vec![]);
    assert_eq!(
        event,
        Event::Verified {
            attempt,
            evidence,
            findings
        }
    );
    assert_eq!(serde_json::to_string(&event).unwrap(), old);
    let old = r#"{"event":"workspace-opened","attempt":1}"#;
    let event: Event = serde_json::from_str(old).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), old);
}

#[test]
fn a_rejected_task_blocks_what_waits_for_it_and_nothing_else() {
    let tasks = vec![
        task("a", "a", &[], &[], 1),
        task("waits", "b", &[0], &[], 1),
        task("waits for that", "c", &[1], &[], 1),
        task("reads a", "d", &[], &["a"], 1),
    ];
    let at = play(&plan(tasks, 9), |effect| match effect {
        Effect::Harvest {
            attempt,
            task: TaskIx(0),
            ..
        } => Some(Event::Harvested {
            attempt: *attempt,
            harvest: Harvest::Empty,
        }),
        _ => None,
    });
    let blocked = |by| Standing::Ended(Verdict::Blocked(TaskIx(by)));
    assert_eq!(
        (at.standing(TaskIx(1)), at.standing(TaskIx(2))),
        (&blocked(0), &blocked(1))
    );
    assert!(
        accepted(&at, TaskIx(3)),
        "a hazard orders, it does not block"
    );
}

#[test]
fn a_culprit_without_a_dispatch_left_costs_no_further_round() {
    let plan = plan(vec![task("a", "a", &[], &[], 1)], 9);
    let mut rounds = 0;
    let at = play(&plan, |effect| match effect {
        Effect::PrepareWave { .. } => {
            rounds += 1;
            None
        }
        Effect::Integrate {
            wave,
            round,
            trial,
            tasks,
            ..
        } => Some(integrated((*wave, *round, *trial), tasks, tasks.is_empty())),
        _ => None,
    });
    let reason = Reason::Attempt(Rejection::Checkpoint);
    assert_eq!(
        at.standing(TaskIx(0)),
        &Standing::Ended(Verdict::Rejected(reason))
    );
    assert_eq!(rounds, 1);
}
