//! The pictures of whole runs.

use std::sync::Arc;

use seawall_core::event::Event;
use seawall_core::evidence::{How, ReviewVerdict};
use seawall_core::ids::{AttemptNo, TaskIx};
use seawall_core::plan::{Plan, Proof, Review, When};
use seawall_core::scheduler::Outcome;
use seawall_core::verdict::Hold;

use super::world::{Does, Run, World, criterion, ended, plan, started, task};
use crate::exit::exit_code;
use crate::show::{show, show_json};
use crate::status::{Liveness, status, status_text};
use crate::summary::summary;
use crate::waves::{waves_json, waves_text};

fn check(found: &str, want: &str) {
    let strip = |line: &str| line.strip_prefix("            ").unwrap_or(line).to_owned();
    let want: Vec<_> = want.trim_matches('\n').lines().map(strip).collect();
    let want = want.join("\n");
    assert_eq!(found.trim_end(), want.trim_end(), "found:\n{found}\n");
}

/// Two siblings and one that waits for both.
fn three() -> Plan {
    plan(vec![
        task("types:src/a.py", &["src/a.py"], &[], 2),
        task("types:src/b.py", &["src/b.py"], &[], 2),
        task("exports", &["src/__init__.py"], &[0, 1], 2),
    ])
}

fn lying() -> World {
    World {
        does: [(("types:src/a.py", 1), Does::Red("812: List\n1190: List\n"))].into(),
        claim: "working\n[DONE] all replaced".into(),
        ..World::default()
    }
}

/// Many ends at once.
fn mixed() -> (Plan, World) {
    let mut plan = three();
    for (id, file) in [
        ("blind", "x.py"),
        ("drifts", "y.py"),
        ("hangs", "z.py"),
        ("idle", "w.py"),
        ("person", "v.py"),
        ("green", "u.py"),
        ("done", "t.py"),
    ] {
        plan.tasks.push(task(id, &[file], &[], 1));
    }
    let manual = criterion("it reads well", None, Proof::Manual);
    plan.tasks[7].checks = Arc::new([plan.tasks[0].checks[0].clone(), manual]);
    plan.tasks[9].when = When::Red;
    let does = [
        (("types:src/a.py", 1), Does::Same("q")),
        (("types:src/a.py", 2), Does::Same("q")),
        (("blind", 1), Does::Blind),
        (("drifts", 1), Does::Drift),
        (("hangs", 1), Does::Hangs),
        (("idle", 1), Does::Nothing),
    ];
    let world = World {
        does: does.into(),
        red: vec![(vec![1], 2)],
        green: vec![8, 9],
        claim: "all done".into(),
        ..World::default()
    };
    (plan, world)
}

fn end(run: &Run, outcome: &Outcome) -> String {
    summary(&run.view, &run.scheduler, outcome)
}

#[test]
fn a_lie_is_told_and_its_correction_too() {
    let (run, outcome) = Run::through(three(), lying());
    check(
        &run.lines.join("\n"),
        r#"
            run 7f3a  typing  base 3f2c1ab9 (main)  branch seawall/typing/7f3a
            base  green  1 check
            wave 1  begins (of 2)  2 tasks from 3f2c1ab9
            wave 1  types:src/a.py  dispatch 1/2
            wave 1  types:src/a.py  rejected 1/2  check `no alias is left` is red: exit status 1: 1190: List; claimed "[DONE] all replaced"
            wave 1  types:src/b.py  dispatch 1/2
            wave 1  types:src/b.py  passed 1/2  1 check green, 1 file, +12 -3
            wave 1  types:src/a.py  dispatch 2/2
            wave 1  types:src/a.py  passed 2/2  1 check green, 1 file, +12 -3
            wave 1  checkpoint c0ffee11  2 tasks accepted: types:src/a.py, types:src/b.py  2 files, +24 -6
            wave 2  begins (of 2)  1 task from c0ffee11
            wave 2  exports  dispatch 1/2
            wave 2  exports  passed 1/2  1 check green, 1 file, +12 -3
            wave 2  checkpoint c0ffee21  1 task accepted: exports  1 file, +12 -3
        "#,
    );
    check(
        &end(&run, &outcome),
        r#"
            typing  run 7f3a  finished in 34 s: 3 accepted, 0 rejected, 0 blocked

            accepted    wave 1  types:src/a.py  types:src/b.py   1 of them after a rejected dispatch
                        wave 2  exports
            landed on seawall/typing/7f3a   2 commits, 3 files, +36 -9

            next        seawall land 7f3a   bring the 2 commits to main (fast-forward)
        "#,
    );
    check(
        &show(&run.view, &run.scheduler, TaskIx(0)),
        r#"
            types:src/a.py  wave 1  accepted  1 check green; in checkpoint c0ffee11 of wave 1
            owns         src/a.py
            agent        modernise, at most 2 dispatches of 10 m

            attempt 1  dispatch 1/2 from 3f2c1ab9  check `no alias is left` is red: exit status 1: 1190: List
              worker     exit status 0 after 12 s, 27 bytes of output
              confined   landlock 7
              claim      "working"
                         "[DONE] all replaced"
              harvest    1 file, +12 -3, commit 1-commit
                         src/a.py
              check      "no alias is left"  fail-to-pass  base red (exit status 1) -> after red (exit status 1)
                         $ ! grep -n List src/a.py
                         base | 812: List
                         after | 812: List
                         after | 1190: List

            attempt 3  dispatch 2/2 from 3f2c1ab9  1 check green; in checkpoint c0ffee11 of wave 1
              worker     exit status 0 after 12 s, 27 bytes of output
              confined   landlock 7
              claim      "working"
                         "[DONE] all replaced"
              harvest    1 file, +12 -3, commit 3-commit
                         src/a.py
              check      "no alias is left"  fail-to-pass  base red (exit status 1) -> after green (exit status 0)
                         $ ! grep -n List src/a.py
                         base | 812: List
              evidence   sensitive, floor exit; without its change a check turns red
        "#,
    );
    assert_eq!(exit_code(&run.scheduler, &outcome), 0);
}

#[test]
fn every_end_of_a_task_says_what_happened_on_what_evidence() {
    let (plan, world) = mixed();
    let (run, outcome) = Run::through(plan, world);
    check(
        &end(&run, &outcome),
        r#"
            typing  run 7f3a  finished in 59 s: 1 accepted, 6 rejected, 1 blocked, 1 needs a person, 1 not run

            needs-human person   1 dispatch
                        a person must look: `it reads well`
                        claim  "all done"
            rejected    types:src/a.py   2 dispatches
                        it made the same change again as dispatch 1, which was rejected
                        check  "no alias is left"  red: exit status 1
                               $ ! grep -n List src/a.py
                               | the same
                        claim  "all done"
            rejected    blind   1 dispatch
                        check  "no alias is left"  could not look: timed out after 5 m
                               $ ! grep -n List src/a.py
                        claim  "all done"
            rejected    drifts   1 dispatch
                        it made 1 change to what it does not own: changed src/b.py
                        claim  "all done"
            rejected    hangs   1 dispatch
                        its worker was ended after 10 m, its timeout
                        claim  "all done"
            rejected    idle   1 dispatch
                        it changed nothing
                        claim  "all done"
            rejected    green   0 dispatches
                        green before any work, its check proves nothing
                        check  "no alias is left"  green on the base: exit status 0
                               $ ! grep -n List src/a.py
            blocked     exports   waits for `types:src/a.py`, which was not accepted
            not-run     done   its checks are green already, and it says `when = "red"`

            accepted    wave 1  types:src/b.py   1 of them after a rejected dispatch
            landed on seawall/typing/7f3a   1 commit, 1 file, +12 -3

            next        seawall land 7f3a          bring the commit to main (fast-forward)
                        seawall show 7f3a person   look at the change and judge what is left
                        seawall approve 7f3a       list what waits for a person, and how to let it land
        "#,
    );
    assert_eq!(exit_code(&run.scheduler, &outcome), 4);
    let status = status(&run.view, &run.scheduler, Liveness::Dead);
    let tasks = status["tasks"].as_array().unwrap();
    let codes: Vec<_> = tasks
        .iter()
        .map(|task| task["reason"]["code"].as_str().unwrap())
        .collect();
    let want = [
        "same-change-again",
        "landed",
        "blocked",
        "check-not-seen",
        "drift",
        "worker-timed-out",
        "no-change",
        "needs-human",
        "base-green",
        "nothing-to-do",
    ];
    assert_eq!(codes, want);
    assert_eq!(status["state"], "finished");
    assert_eq!(status["head"], "c0ffee12");
    assert_eq!(status["counts"]["needs-human"], 1);
    assert_eq!(tasks[0]["verdict"], "rejected");
    assert_eq!(tasks[0]["standing"], serde_json::Value::Null);
    assert_eq!(tasks[1]["evidence"][0]["base"]["value"], "pass");
    assert_eq!(tasks[1]["evidence"][0]["proof"], "fail-to-pass");
    assert_eq!(tasks[2]["wave"], 2);
    assert_eq!(tasks[5]["dispatches"], 1);
}

#[test]
fn a_red_checkpoint_names_those_who_make_it_red() {
    let world = World {
        red: vec![(vec![0, 1], 2)],
        ..World::default()
    };
    let (run, _) = Run::through(three(), world);
    let told: Vec<_> = run
        .lines
        .iter()
        .filter(|line| {
            line.contains("checkpoint") || line.contains("narrowing") || line.contains("round")
        })
        .cloned()
        .collect();
    check(
        &told.join("\n"),
        r#"
            wave 1  checkpoint red with 2 tasks: check `the whole suite passes` is red: exit status 1: 1 failed, 4 passed; narrowing
            wave 1  narrowing  trial 2: green with 1 task
            wave 1  narrowing  trial 3: green with 1 task
            wave 1  types:src/a.py  rejected 1/2  the checkpoint is red because of it, together with `types:src/b.py`: check `the whole suite passes` is red: exit status 1: 1 failed, 4 passed
            wave 1  types:src/b.py  rejected 1/2  the checkpoint is red because of it, together with `types:src/a.py`: check `the whole suite passes` is red: exit status 1: 1 failed, 4 passed
            wave 1  round 2  2 tasks again, from 3f2c1ab9
            wave 1  checkpoint c0ffee12  2 tasks accepted: types:src/a.py, types:src/b.py  2 files, +24 -6
            wave 2  checkpoint c0ffee21  1 task accepted: exports  1 file, +12 -3
        "#,
    );
    let json = show_json(&run.view, &run.scheduler, TaskIx(0));
    let first = &json["attempts"][0];
    assert_eq!(first["fate"]["code"], "checkpoint-red");
    assert_eq!(first["with"][0], "types:src/b.py");
    assert_eq!(first["gates"][0]["value"], "fail");
    assert_eq!(json["verdict"], "accepted");
}

#[test]
fn a_red_base_is_refused_with_the_output() {
    let world = World {
        base_red: true,
        ..World::default()
    };
    let (run, outcome) = Run::through(three(), world);
    check(
        &end(&run, &outcome),
        r#"
            typing  run 7f3a  refused: the base does not pass, so none of 3 tasks was started

            base        3f2c1ab9
                        check  "the whole suite passes"  red: exit status 1
                               $ pytest -q
                               | ....F
                               | FAILED tests/test_compat.py::test_ascii
                               | 1 failed, 4 passed

            next        seawall status 7f3a --json   the end of every check's output
        "#,
    );
    assert_eq!(exit_code(&run.scheduler, &outcome), 2);
}

/// Runs until a worker is under way.
fn working() -> Run {
    let mut run = Run::new(three(), World::default());
    run.turn(vec![started(2)]);
    while run.view.live().count() < 2 {
        let effect = run.scheduler.in_flight().next().unwrap().clone();
        let answer = run.answer(&effect);
        run.turn(vec![answer]);
    }
    for attempt in [1, 2] {
        let attempt = AttemptNo(attempt);
        run.turn(vec![Event::WorkspaceOpened {
            attempt,
            findings: vec![],
        }]);
    }
    run
}

#[test]
fn a_killed_run_says_so_and_what_it_lost() {
    let mut run = working();
    assert_eq!(
        status(&run.view, &run.scheduler, Liveness::Dead)["state"],
        "stopped"
    );
    assert_eq!(
        status(&run.view, &run.scheduler, Liveness::Alive)["state"],
        "running"
    );
    check(
        &status_text(&run.view, &run.scheduler, Liveness::Alive),
        r#"
            run 7f3a  typing  running after 7 s: 0 accepted, 0 rejected, 0 blocked, 3 open
            head 3f2c1ab9  branch seawall/typing/7f3a  0 checkpoints, 2 dispatches
            wave 1    2 tasks      2 open
            wave 2    1 task       1 open
              types:src/a.py  dispatch 1/2  its worker runs
              types:src/b.py  dispatch 1/2  its worker runs
        "#,
    );
    let before = run.view.wall_ms();
    run.lines.clear();
    run.now += 130_000;
    run.turn(vec![Event::Resumed {
        jobs: 1,
        rebooted: false,
    }]);
    check(
        &run.lines.join("\n"),
        "run 7f3a  resumed in wave 1 after 2 m 10 s: 0 accepted, 0 rejected, 0 blocked, 3 open; 2 workers were running: their dispatches do not count; 1 attempt at once",
    );
    assert!(
        run.view.wall_ms() < before + 5_000,
        "time away is not wall time"
    );
    let outcome = run.finish();
    let lost = &run.view.task(TaskIx(0)).attempts;
    assert_eq!(lost.len(), 2);
    assert_eq!((lost[0].dispatch, lost[1].dispatch), (1, 1));
    assert_eq!(exit_code(&run.scheduler, &outcome), 0);
}

#[test]
fn an_interrupted_run_names_the_command_that_goes_on() {
    let mut run = working();
    run.lines.clear();
    run.turn(vec![Event::Interrupted]);
    for attempt in [1, 2] {
        run.turn(vec![ended(AttemptNo(attempt), How::Stopped, "")]);
    }
    let outcome = run.scheduler.outcome().unwrap();
    check(
        &run.lines.join("\n"),
        r#"
            interrupted  2 attempts to end; `seawall resume 7f3a` goes on
            wave 1  types:src/a.py  lost 1/2  its end is unknown, because the run stopped; it does not count
            wave 1  types:src/b.py  lost 1/2  its end is unknown, because the run stopped; it does not count
        "#,
    );
    assert!(end(&run, &outcome).ends_with("next        seawall resume 7f3a   go on\n"));
    assert_eq!(exit_code(&run.scheduler, &outcome), 130);
}

#[test]
fn a_parked_run_says_what_the_world_said() {
    let mut run = Run::new(three(), World::default());
    run.turn(vec![started(1)]);
    let key = run.scheduler.in_flight().next().unwrap().key();
    let why = "no space is left on `/`: free some, then resume".to_owned();
    run.turn(vec![Event::EffectFailed { key, why }]);
    let outcome = run.scheduler.outcome().unwrap();
    check(
        &end(&run, &outcome),
        r#"
            typing  run 7f3a  parked after 1 s: 0 accepted, 0 rejected, 0 blocked, 3 open
            parked      no space is left on `/`: free some, then resume

            next        seawall resume 7f3a   go on, once that is mended
        "#,
    );
    let status = status(&run.view, &run.scheduler, Liveness::Dead);
    assert_eq!(status["state"], "parked");
    assert_eq!(exit_code(&run.scheduler, &outcome), 5);
}

#[test]
fn the_waves_of_a_plan_and_why_a_task_is_moved() {
    let mut plan = three();
    plan.tasks[0].checks = Arc::from([]);
    for n in 0..12 {
        let file = format!("lib/m{n}.py");
        plan.tasks
            .push(task(&format!("lib:{file}"), &[&file], &[], 2));
    }
    let mut docs = task("docs", &["docs.md"], &[], 1);
    docs.reads = vec![plan.tasks[0].files[0].clone()];
    plan.tasks.push(docs);
    let waves = seawall_core::waves::waves(&plan).unwrap();
    check(
        &waves_text(&plan, &waves),
        r#"
            wave 1   14 tasks   types:src/a.py  types:src/b.py  … 12 more
            wave 2    2 tasks   exports  docs                               after types (2)

            note[SW0205]  `docs` is moved to wave 2: it reads `src/a.py`, which `types:src/a.py` writes

            16 tasks, 16 files, 2 waves; at most 31 dispatches, 2 h; narrowest wave: 2 (2 tasks)
        "#,
    );
    let json = waves_json(&plan, &waves);
    assert_eq!(json["waves"][1]["tasks"][1], "docs");
    assert_eq!(json["moved"][0]["hazard"], "read-after-write");
    assert_eq!(json["dispatches"], 31);
}

#[test]
fn what_lands_through_a_probe_is_told_with_its_change() {
    for attempts in [1, 2] {
        let tasks =
            [("a", "a.py"), ("b", "b.py")].map(|(id, file)| task(id, &[file], &[], attempts));
        let world = World {
            does: [(("b", 1), Does::Red("no name `new`"))].into(),
            probes_green: true,
            ..World::default()
        };
        let (run, _) = Run::through(plan(tasks.to_vec()), world);
        let points = run.lines.iter().filter(|line| line.contains("accepted:"));
        let points: Vec<_> = points.cloned().collect();
        assert_eq!(points.len(), 2, "{:#?}", run.lines);
        for point in &points {
            assert!(point.ends_with("1 file, +12 -3"), "{point}");
        }
        let landed = run.view.task(TaskIx(1)).landed();
        assert!(landed.is_some());
    }
}

#[test]
fn what_holds_a_task_is_told_with_what_was_said_of_it() {
    let mut tasks = vec![task("a", &["a.py"], &[], 1)];
    tasks[0].review = Some(Review { by: "other".into() });
    let reasons = vec!["the cache is never emptied".into(), "no test of it".into()];
    let world = World {
        review: Some((ReviewVerdict::Hold, reasons)),
        ..World::default()
    };
    let (mut run, _) = Run::through(plan(tasks), world);
    let text = status_text(&run.view, &run.scheduler, Liveness::Dead);
    assert!(
        text.contains("needs-human  a person must look: its reviewer says: the cache"),
        "{text}"
    );
    check(&show(&run.view, &run.scheduler, TaskIx(0)), HELD);
    let json = show_json(&run.view, &run.scheduler, TaskIx(0));
    assert_eq!(json["attempts"][0]["review"]["verdict"], "hold");
    assert_eq!(json["attempts"][0]["review"]["reasons"][1], "no test of it");
    assert_eq!(json["attempts"][0]["grade"], "red-to-green");
    assert_eq!(json["holds"].as_array().map(Vec::len), Some(1), "{json:#}");
    run.turn(vec![Event::Approved {
        task: TaskIx(0),
        hold: Hold::Review,
        by: "Ann".into(),
        note: "it is emptied elsewhere".into(),
    }]);
    let text = show(&run.view, &run.scheduler, TaskIx(0));
    let line = "approved     review by Ann: it is emptied elsewhere\n";
    assert!(text.contains(line) && !text.contains("held by"), "{text}");
    let json = show_json(&run.view, &run.scheduler, TaskIx(0));
    assert_eq!(json["approvals"][0]["by"], "Ann");
}

const HELD: &str = r#"
            a  wave 1  needs-human  a person must look: its reviewer says: the cache is never emptied, no test of it
            owns         a.py
            agent        modernise, at most 1 dispatch of 10 m
            held by      review

            attempt 1  dispatch 1/1 from 3f2c1ab9  a person must look: its reviewer says: the cache is never emptied, no test of it
              worker     exit status 0 after 12 s, 0 bytes of output
              confined   landlock 7
              harvest    1 file, +12 -3, commit 1-commit
                         a.py
              check      "no alias is left"  fail-to-pass  base red (exit status 1) -> after green (exit status 0)
                         $ ! grep -n List src/a.py
                         base | 812: List
              evidence   red-to-green, floor exit
              review     hold  exit status 0 after 12 s, 0 bytes of output
                         "the cache is never emptied"
                         "no test of it"
"#;
