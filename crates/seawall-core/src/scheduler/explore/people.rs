//! Single schedules in which a finding or a person decides.

use super::*;

#[test]
fn what_was_approved_lands_on_the_next_session_and_frees_what_waits() {
    let tasks = vec![
        task("a", "a", &[], &[], 1),
        task("b", "b", &[], &[], 1),
        task("waits", "c", &[0], &[], 1),
        task("last", "d", &[2], &[], 1),
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
    let blocked = Standing::Ended(Verdict::Blocked(TaskIx(2)));
    assert_eq!(at.standing(TaskIx(3)), &blocked);
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
    for ix in [0, 2, 3] {
        assert!(accepted(&at, TaskIx(ix)), "{ix}");
    }
    assert_eq!(at.dispatched(), 4);
}

#[test]
fn what_was_approved_is_tried_anew_where_its_files_changed_since() {
    for (attempts, budget, again) in [(2, 9, true), (1, 9, false), (2, 2, false)] {
        let tasks = vec![
            task("a", "f", &[], &[], attempts),
            task("later", "f", &[], &[], 1),
        ];
        let plan = plan(tasks, budget);
        let world = World {
            kind: true,
            flaky: vec![0],
            ..World::default()
        };
        let (at, _) = walk(&plan, 2, NO_TROUBLE, &world, &[]);
        assert!(accepted(&at, TaskIx(1)), "a hazard blocks nothing");
        let at = approved(&at, &world);
        let gone = matches!(
            at.standing(TaskIx(0)),
            Standing::Ended(Verdict::Rejected(Reason::Gone(_)))
        );
        let dispatches = if again { 2 } else { 1 };
        assert_eq!((gone, at.dispatches(TaskIx(0))), (!again, dispatches));
        assert_eq!(
            at.held(TaskIx(0)).is_some(),
            again,
            "the new change is held as well"
        );
    }
}

#[test]
fn what_was_approved_lands_where_its_files_changed_before_it_was_made() {
    let tasks = vec![
        task("earlier", "f", &[], &[], 1),
        task("b", "f", &[], &[], 2),
    ];
    let plan = plan(tasks, 9);
    let world = World {
        kind: true,
        flaky: vec![1],
        ..World::default()
    };
    let (at, _) = walk(&plan, 2, NO_TROUBLE, &world, &[]);
    let at = approved(&at, &world);
    assert!(accepted(&at, TaskIx(1)));
    assert_eq!(
        at.dispatched(),
        2,
        "what it was made on is no reason to make it anew"
    );
}

/// Approves of what is open first, goes on, and ends.
fn approved(at: &Scheduler, world: &World) -> Scheduler {
    let next = approvals(at).next().unwrap();
    let mut at = step(at, &next);
    let next = resumptions(&at).next().unwrap();
    at = step(&at, &next);
    while at.outcome().is_none() {
        let all = steps(&at, NO_TROUBLE, world);
        at = step(&at, &all[0].0);
    }
    at
}

#[test]
fn a_risky_change_waits_for_persons_only_when_its_check_does_not_notice_it() {
    let mut tasks = vec![task("a", "a", &[], &[], 1), task("b", "b", &[], &[], 1)];
    tasks.iter_mut().for_each(|task| task.risk = Risk::High);
    let plan = plan(tasks, 9);
    let world = World {
        kind: true,
        blind: vec![1],
        ..World::default()
    };
    let (at, _) = walk(&plan, 2, NO_TROUBLE, &world, &[]);
    assert!(accepted(&at, TaskIx(0)));
    assert_eq!(at.held(TaskIx(1)), Some(&[Hold::Weak][..]));
}

#[test]
fn a_flaky_gate_that_was_approved_of_holds_no_more() {
    let plan = plan(vec![task("a", "a", &[], &[], 1)], 9);
    let world = World {
        kind: true,
        flaky_gate: vec![0],
        ..World::default()
    };
    let (at, _) = walk(&plan, 1, NO_TROUBLE, &world, &[]);
    assert_eq!(at.held(TaskIx(0)), Some(&[Hold::FlakyGate(0)][..]));
    assert!(accepted(&approved(&at, &world), TaskIx(0)));
}

#[test]
fn a_gate_that_is_red_beside_a_flaky_one_is_red() {
    let plan = plan(vec![task("a", "a", &[], &[], 1)], 9);
    let at = play(&plan, |effect| match effect {
        Effect::Integrate { tasks, .. } if !tasks.is_empty() => {
            let mut event = goes_well(effect)?;
            if let Event::Integrated { evidence, .. } = &mut event {
                *evidence = [look(false), look(false)].concat();
                evidence[0].value = Value::CouldNotLook;
                evidence[0].flaky = Some(Flaked { red: 1, green: 1 });
                evidence[1].criterion = 1;
            }
            Some(event)
        }
        _ => None,
    });
    assert!(matches!(
        at.standing(TaskIx(0)),
        Standing::Ended(Verdict::Rejected(_))
    ));
}

#[test]
fn what_is_approved_of_during_a_round_gets_one_of_its_own() {
    let tasks = ["a", "b"].map(|name| task(name, name, &[], &[], 1));
    let plan = plan(tasks.to_vec(), 9);
    let world = World {
        kind: true,
        flaky: vec![0],
        ..World::default()
    };
    let (scheduler, begin) = start(&plan, 1);
    let mut at = step(&scheduler, &begin);
    let mut trials = Vec::new();
    while at.outcome().is_none() {
        let next = match approvals(&at).next() {
            Some(approval) => approval,
            None => steps(&at, NO_TROUBLE, &world).remove(0).0,
        };
        if let Event::Issued {
            effect: Effect::Integrate { tasks, .. },
        } = &next
        {
            trials.push(tasks.clone());
        }
        at = step(&at, &next);
    }
    assert!(accepted(&at, TaskIx(0)) && accepted(&at, TaskIx(1)));
    // The first is the base.
    assert_eq!(trials[1..], [vec![TaskIx(1)], vec![TaskIx(0)]]);
}

#[test]
fn an_odd_change_that_is_red_is_not_set_aside_for_its_siblings() {
    let tasks = ["a", "b"].map(|name| task(name, name, &[], &[], 1));
    let plan = plan(tasks.to_vec(), 9);
    let at = play(&plan, |effect| match effect {
        Effect::Verify { task, attempt, .. } if task.0 == 1 => Some(Event::Verified {
            attempt: *attempt,
            evidence: look(false),
            findings: odd(Severity::Hold),
        }),
        Effect::Probe { .. } => panic!("it is probed"),
        _ => None,
    });
    assert!(accepted(&at, TaskIx(0)));
    let rejected = Verdict::Rejected(Reason::Attempt(Rejection::Checks));
    assert_eq!(at.standing(TaskIx(1)), &Standing::Ended(rejected));
}

/// A finding of that severity.
pub(super) fn odd(severity: Severity) -> Vec<Finding> {
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
