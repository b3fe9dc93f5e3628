//! Random walks through larger plans: they end, their journals replay, and crashes change no verdict.

use super::*;

/// One walk: choices say which of the possible steps is taken; afterwards the first is.
pub(super) fn walk(
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
pub(super) type Doubts = (Vec<(u32, Vec<u32>)>, [Vec<u32>; 4]);

pub(super) fn doubts() -> impl Strategy<Value = Doubts> {
    let few = || proptest::collection::vec(0..12u32, 0..2);
    let needs =
        proptest::collection::vec((0..12u32, proptest::collection::vec(0..12u32, 1..3)), 0..3);
    (needs, [few(), few(), few(), few()])
}

/// Every third task is at high risk, every fourth has a reviewer.
pub(super) fn some_at_risk(mut tasks: Vec<crate::plan::Task>) -> Vec<crate::plan::Task> {
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
