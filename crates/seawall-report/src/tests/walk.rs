//! Random walks: whatever the scheduler accepts can be told, and every task is told once.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use seawall_core::effect::Effect;
use seawall_core::event::{Event, Settings, Workspaces};
use seawall_core::evidence::How;
use seawall_core::ids::TaskIx;
use seawall_core::plan::Plan;
use seawall_core::scheduler::{Outcome, Scheduler, Standing};
use seawall_core::verdict::{Reason, Rejection, Verdict};

use super::world::{Does, Run, World, ended, plan, started, task};
use crate::exit::exit_code;
use crate::show::{show, show_json};
use crate::status::{Liveness, status, status_text};
use crate::summary::summary;
use crate::view::{Fate, View};

fn five() -> Plan {
    let mut plan = plan(vec![
        task("a", &["a"], &[], 2),
        task("b", &["b"], &[], 3),
        task("c", &["c"], &[], 1),
        task("d", &["d"], &[0], 2),
        task("e", &["a"], &[], 2),
    ]);
    plan.budget.attempts = 7;
    plan
}

/// One of the things that can happen now.
fn step(run: &Run, choice: u8) -> Event {
    if matches!(
        run.scheduler.outcome(),
        Some(Outcome::Parked(_) | Outcome::Interrupted)
    ) {
        return Event::Resumed {
            jobs: 2,
            rebooted: true,
        };
    }
    let flying: Vec<_> = run.scheduler.in_flight().cloned().collect();
    let effect = &flying[usize::from(choice) % flying.len()];
    match choice {
        250.. => Event::Resumed {
            jobs: 3,
            rebooted: false,
        },
        246..250 => Event::Interrupted,
        244..246 => Event::WallSpent,
        238..244 if !matches!(effect, Effect::StopWorker { .. }) => Event::EffectFailed {
            key: effect.key(),
            why: "disk full".into(),
        },
        _ => answer(run, effect, choice),
    }
}

fn answer(run: &Run, effect: &Effect, choice: u8) -> Event {
    match effect {
        Effect::PrepareWave { wave, round, .. } if choice % 16 == 3 => Event::WavePrepared {
            wave: *wave,
            round: *round,
            problems: vec![(TaskIx(u32::from(choice % 5)), "src/a is gone".into())],
            workspaces: Workspaces::Copy,
            moved: (choice % 3 == 1).then(|| "0123456789abcdef0123456789abcdef01234567".into()),
            settings: (choice % 5 == 1).then(|| Settings {
                why: "`core.autocrlf`".into(),
                converted: u64::from(choice % 3),
                left_out: u64::from(choice % 2),
            }),
        },
        Effect::LaunchWorker { attempt, .. } if choice % 8 == 1 => {
            ended(*attempt, How::Silent, "gone")
        }
        Effect::StopWorker { attempt } => ended(*attempt, How::Stopped, ""),
        effect => run.answer(effect),
    }
}

fn whole(run: &Run) {
    let status = status(&run.view, &run.scheduler, Liveness::Alive);
    let ids: Vec<_> = status["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
    for (ix, _) in run.view.plan().each_task() {
        assert!(!show(&run.view, &run.scheduler, ix).is_empty());
        assert!(show_json(&run.view, &run.scheduler, ix).is_object());
    }
    assert!(!status_text(&run.view, &run.scheduler, Liveness::Dead).is_empty());
}

/// What the view has folded agrees with what the scheduler decided.
fn agrees(run: &Run) {
    for (ix, _) in run.view.plan().each_task() {
        let attempts = &run.view.task(ix).attempts;
        let counted = attempts.iter().filter(|a| a.fate != Fate::Lost);
        let counted = u32::try_from(counted.count()).unwrap();
        // An attempt that was dispatched and never issued is not known yet.
        let known = run.scheduler.dispatches(ix);
        assert!(
            counted == known || counted + 1 == known,
            "{counted} of {known}"
        );
        let live = run.view.live().any(|(task, _)| task == ix);
        if live {
            assert!(matches!(
                run.scheduler.standing(ix),
                Standing::Attempting(_)
            ));
        }
    }
}

/// Every ended task is said once, by its own line or by its checkpoint.
fn told_once(run: &Run) {
    let landed: Vec<TaskIx> = run
        .view
        .checkpoints()
        .iter()
        .flat_map(|point| point.tasks.clone())
        .collect();
    let set: BTreeSet<_> = landed.iter().collect();
    assert_eq!(set.len(), landed.len(), "landed twice");
    for (ix, _) in run.view.plan().each_task() {
        let Standing::Ended(verdict) = run.scheduler.standing(ix) else {
            continue;
        };
        let accepted = *verdict == Verdict::Accepted;
        assert_eq!(accepted, set.contains(&ix));
        assert_eq!(accepted, run.view.task(ix).landed().is_some());
        let told = run.ended.iter().filter(|told| **told == ix).count();
        assert_eq!(told, usize::from(!accepted), "{verdict:?} of {ix:?}");
        fate_fits(run, ix, verdict);
    }
}

fn fate_fits(run: &Run, ix: TaskIx, verdict: &Verdict) {
    let fate = run.view.task(ix).last().map(|attempt| &attempt.fate);
    let fits = match (verdict, fate) {
        (Verdict::Accepted, Some(Fate::Landed(_)))
        | (Verdict::NeedsHuman, Some(Fate::NeedsHuman))
        | (
            Verdict::Rejected(Reason::Stuck),
            Some(Fate::Stuck | Fate::Rejected(_) | Fate::Culprit { .. }),
        )
        | (Verdict::Rejected(Reason::WallSpent), _) => true,
        (Verdict::Rejected(Reason::Attempt(Rejection::Checkpoint)), Some(Fate::Culprit { .. })) => {
            true
        }
        (Verdict::Rejected(Reason::Attempt(why)), Some(Fate::Rejected(told))) => why == told,
        (Verdict::Rejected(Reason::Base | Reason::Gone(_)), _) => true,
        (Verdict::Blocked(_) | Verdict::NotRun(_), None) => true,
        _ => false,
    };
    assert!(fits, "{verdict:?} and {fate:?}");
}

/// The journal alone, read afterwards, tells what was told live.
fn comes_out_the_same(run: &Run) {
    let plan = Arc::clone(run.view.plan());
    let waves = Arc::clone(run.view.waves());
    let mut scheduler = Scheduler::new(Arc::clone(&plan), Arc::clone(&waves));
    let mut view = View::new(plan, waves);
    for (at, event) in &run.events {
        scheduler.check(event).unwrap();
        scheduler.apply(event);
        view.see(*at, event, &scheduler);
    }
    let live = status(&run.view, &run.scheduler, Liveness::Dead);
    assert_eq!(status(&view, &scheduler, Liveness::Dead), live);
    for (ix, _) in run.view.plan().each_task() {
        assert_eq!(
            show(&view, &scheduler, ix),
            show(&run.view, &run.scheduler, ix)
        );
    }
}

/// Another event that may arrive together with the first.
fn second(run: &Run, first: &Event, choice: u8) -> Option<Event> {
    let mut ahead = run.scheduler.clone();
    ahead.apply(first);
    let mut flying = ahead.in_flight();
    let effect = flying.nth(usize::from(choice % 3))?;
    let event = answer(run, effect, choice);
    ahead.check(&event).is_ok().then_some(event)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happens_is_told(
        choices in prop::collection::vec(any::<u8>(), 0..160),
        bad in prop::collection::vec((0_usize..5, 1_u32..3, 0_u8..6), 0..6),
        red in prop::option::of((prop::collection::btree_set(0_u32..5, 1..3), 1_u32..4)),
    ) {
        let mut world = World::default();
        for (task, dispatch, kind) in bad {
            let does = match kind {
                0 => Does::Red("x"),
                1 => Does::Blind,
                2 => Does::Nothing,
                3 => Does::Drift,
                4 => Does::Hangs,
                _ => Does::Same("s"),
            };
            world.does.insert((["a", "b", "c", "d", "e"][task], dispatch), does);
        }
        world.red.extend(red.map(|(set, mended)| (set.into_iter().collect(), mended)));
        let mut run = Run::new(five(), world);
        run.turn(vec![started(2)]);
        for choice in choices {
            if matches!(run.scheduler.outcome(), Some(Outcome::Finished | Outcome::Refused)) {
                break;
            }
            let event = step(&run, choice);
            if run.scheduler.check(&event).is_err() {
                continue;
            }
            let more = (choice % 3 == 0).then(|| second(&run, &event, choice)).flatten();
            run.turn(std::iter::once(event).chain(more).collect());
            agrees(&run);
        }
        whole(&run);
        told_once(&run);
        comes_out_the_same(&run);
        super::receipts::fit(&run);
        if let Some(outcome) = run.scheduler.outcome() {
            prop_assert!(!summary(&run.view, &run.scheduler, &outcome).is_empty());
            prop_assert!([0, 1, 4, 5, 130].contains(&exit_code(&run.scheduler, &outcome)));
        }
    }
}
