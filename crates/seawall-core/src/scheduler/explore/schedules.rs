//! Every reachable state of small plans.

use super::*;

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
