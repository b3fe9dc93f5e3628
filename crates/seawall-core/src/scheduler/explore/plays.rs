//! Single schedules, each with a point of its own: who may land, who is tried again, who is blocked.

use super::*;

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
pub(super) fn play(
    plan: &Arc<Plan>,
    mut answer: impl FnMut(&Effect) -> Option<Event>,
) -> Scheduler {
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

/// The probes that were issued: of which attempt, which one, on top of whose changes.
fn probes(journal: &[Event]) -> Vec<(AttemptNo, u32, Vec<TaskIx>)> {
    let probe = |event: &Event| match event {
        Event::Issued {
            effect: Effect::Probe {
                attempt, probe, on, ..
            },
        } => Some((*attempt, *probe, on.clone())),
        _ => None,
    };
    journal.iter().filter_map(probe).collect()
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
    let (at, journal) = walk(&plan, 4, NO_TROUBLE, &world, &[]);
    for (ix, _) in plan.each_task() {
        assert!(accepted(&at, ix), "{ix:?}");
    }
    assert_eq!(at.dispatched(), 4);
    let needs = (TaskIx(1), vec![TaskIx(0), TaskIx(3)]);
    assert_eq!(at.discovered(), [needs]);
    let numbers: Vec<_> = probes(&journal).into_iter().map(|(_, n, _)| n).collect();
    let count = numbers.len() as u32;
    assert_eq!(
        numbers,
        (1..=count).collect::<Vec<_>>(),
        "no number comes again"
    );
}

#[test]
fn what_needs_a_sibling_that_has_already_passed_lands_after_it() {
    let tasks = ["a", "b"].map(|name| task(name, name, &[], &[], 1));
    let plan = plan(tasks.to_vec(), 9);
    let world = World {
        kind: true,
        needs: vec![(1, vec![0])],
        ..World::default()
    };
    // With one place the sibling has spoken before, and nobody is left to wait for.
    let (at, _) = walk(&plan, 1, NO_TROUBLE, &world, &[]);
    assert!(accepted(&at, TaskIx(0)) && accepted(&at, TaskIx(1)));
    assert_eq!(at.dispatched(), 2);
}

#[test]
fn what_needs_two_siblings_is_not_looked_at_again_when_one_of_them_did_not_land() {
    let tasks = ["a", "b", "c"].map(|name| task(name, name, &[], &[], 1));
    let plan = plan(tasks.to_vec(), 9);
    let world = World {
        kind: true,
        needs: vec![(1, vec![0, 2])],
        red: vec![vec![2]],
        ..World::default()
    };
    let (at, journal) = walk(&plan, 3, NO_TROUBLE, &world, &[]);
    assert!(accepted(&at, TaskIx(0)));
    assert!(!accepted(&at, TaskIx(1)) && !accepted(&at, TaskIx(2)));
    let probes = probes(&journal);
    assert!(!probes.is_empty());
    assert!(probes.iter().all(|(_, _, on)| !on.is_empty()), "{probes:?}");
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
