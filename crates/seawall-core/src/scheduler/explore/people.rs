//! Single schedules in which a finding or a person decides.

use super::*;

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
