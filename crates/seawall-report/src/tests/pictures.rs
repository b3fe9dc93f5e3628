//! The pictures of whole runs.

use std::sync::Arc;

use seawall_core::event::Event;
use seawall_core::evidence::How;
use seawall_core::ids::{AttemptNo, TaskIx};
use seawall_core::plan::{Plan, Proof, When};
use seawall_core::scheduler::Outcome;

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

fn print(name: &str, text: &str) {
    println!("=== {name}\n{text}\n");
}

fn everything(name: &str, run: &Run, outcome: &Outcome, ix: u32) {
    print(name, &run.lines.join("\n"));
    print("summary", &summary(&run.view, &run.scheduler, outcome));
    print(
        "status",
        &status_text(&run.view, &run.scheduler, Liveness::Dead),
    );
    print("show", &show(&run.view, &run.scheduler, TaskIx(ix)));
    print("exit", &exit_code(&run.scheduler, outcome).to_string());
}

#[test]
fn dump() {
    let (run, outcome) = Run::run(three(), lying());
    everything("lie", &run, &outcome, 0);
    print("log", &run.log.join("\n"));
    print(
        "json",
        &serde_json::to_string_pretty(&status(&run.view, &run.scheduler, Liveness::Dead)).unwrap(),
    );
    print(
        "showjson",
        &serde_json::to_string_pretty(&show_json(&run.view, &run.scheduler, TaskIx(0))).unwrap(),
    );

    let mut four = three();
    four.tasks.push(task("docs", &["docs.md"], &[2], 2));
    four.tasks.push(task("alone", &["x.py"], &[], 1));
    four.tasks.push(task("drifts", &["y.py"], &[], 1));
    four.tasks.push(task("hangs", &["z.py"], &[], 1));
    four.tasks.push(task("idle", &["w.py"], &[], 1));
    four.tasks.push(task("person", &["v.py"], &[], 1));
    four.tasks.push(task("green", &["u.py"], &[], 1));
    four.tasks[8].checks = Arc::new([
        four.tasks[0].checks[0].clone(),
        criterion("it reads well", None, Proof::Manual),
    ]);
    let world = World {
        does: [
            (("types:src/a.py", 1), Does::Same("q")),
            (("types:src/a.py", 2), Does::Same("q")),
            (("drifts", 1), Does::Drift),
            (("hangs", 1), Does::Hangs),
            (("idle", 1), Does::Nothing),
            (("alone", 1), Does::Blind),
        ]
        .into(),
        red: vec![(vec![1], 2)],
        green: vec![9],
        claim: "all done".into(),
        ..World::default()
    };
    let (run, outcome) = Run::run(four.clone(), world);
    everything("many", &run, &outcome, 0);
    print("show b", &show(&run.view, &run.scheduler, TaskIx(1)));

    let (run, outcome) = Run::run(
        three(),
        World {
            base_red: true,
            ..World::default()
        },
    );
    everything("refused", &run, &outcome, 0);

    let (run, outcome) = Run::run(
        three(),
        World {
            red: vec![(vec![0, 1], 9)],
            ..World::default()
        },
    );
    everything("pair", &run, &outcome, 1);
    print("waves", &waves_text(&four, run.view.waves()));
}
