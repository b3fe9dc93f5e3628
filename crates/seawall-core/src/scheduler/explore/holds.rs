//! What must be true in every state, of every step, and of the evidence that a step is taken on.

use super::*;

/// What must be true in every state.
pub(super) fn hold(at: &Scheduler, world: &World) {
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
    let looks = keys.iter().filter(|key| matches!(key, Key::Sense(..)));
    assert!(
        looks.count() <= state.jobs as usize,
        "more looks than places"
    );
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
pub(super) fn hold_step(before: &Scheduler, event: &Event, after: &Scheduler) {
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
pub(super) fn hold_evidence(before: &Scheduler, event: &Event, after: &Scheduler) {
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
