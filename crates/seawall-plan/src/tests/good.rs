//! A plan without problems becomes the plan that it says.

use std::sync::Arc;

use seawall_core::finding::{FindingRule, Severity};
use seawall_core::ids::TaskIx;
use seawall_core::plan::{Agent, Budget, Limits, PromptMode, Proof, When};

use super::{GOOD, Memory, path};

#[test]
fn the_example_of_the_issue_is_read_without_a_word() {
    let reading = Memory::click().read(GOOD);
    assert_eq!(reading.diagnostics, []);
    let plan = reading.plan.unwrap();
    assert_eq!(plan.name, "modern-typing");
    assert_eq!(
        plan.budget,
        Budget {
            attempts: 60,
            wall_ms: 7_200_000
        }
    );
    assert_eq!(
        plan.limits,
        Limits {
            check_timeout_ms: 300_000,
            output_bytes: 64 << 20,
            silence_ms: Some(300_000)
        }
    );
    assert_eq!(plan.sandbox.read, ["~/.cargo"]);
    assert_eq!(plan.workspace.carry, [path("build/target")]);
    assert_eq!(plan.workspace.carry_files, [path("build/env")]);
    assert_eq!(plan.sandbox.pass, ["LANG"]);
    assert_eq!(plan.sandbox.env["PYTHONDONTWRITEBYTECODE"], "1");
    let writer = Agent {
        run: vec!["fix".into(), "{file}".into()],
        prompt: PromptMode::Stdin,
    };
    assert_eq!(plan.agents["writer"], writer);
    assert_eq!(plan.agents["modernise"].prompt, PromptMode::None);
    assert_eq!((plan.checkpoints.len(), plan.invariants.len()), (1, 1));
    assert_eq!(plan.checkpoints[0].proof, Proof::PassToPass);
}

#[test]
fn a_fan_out_becomes_one_task_per_file_in_the_order_of_the_paths() {
    let plan = Memory::click().read(GOOD).plan.unwrap();
    let ids: Vec<&str> = plan.tasks.iter().map(|t| &*t.id).collect();
    assert_eq!(
        ids,
        [
            "types:src/click/core.py",
            "types:src/click/types.py",
            "types:src/click/utils.py",
            "exports"
        ]
    );
    let core = &plan.tasks[0];
    assert_eq!(core.files, [path("src/click/core.py")]);
    assert_eq!(
        (core.when, core.attempts, core.timeout_ms),
        (When::Red, 2, 600_000)
    );
    assert_eq!((&*core.agent, &*core.profile), ("modernise", "worker"));
    assert!(
        Arc::ptr_eq(&core.checks, &plan.tasks[1].checks),
        "checks are held once"
    );
    let exports = &plan.tasks[3];
    assert_eq!(exports.after, [TaskIx(0), TaskIx(1), TaskIx(2)]);
    assert_eq!(exports.creates, [path("src/click/new.py")]);
    let reads = [
        "README.md",
        "src/click/core.py",
        "src/click/types.py",
        "src/click/utils.py",
    ]
    .map(path);
    assert_eq!(exports.reads, reads, "what it owns is not in what it reads");
    assert_eq!(&*exports.read_globs, ["src/click/*.py", "README.md"]);
    assert_eq!((exports.timeout_ms, &*exports.agent), (5_400_000, "writer"));
    assert_eq!(exports.checks[1].proof, Proof::Manual);
    assert_eq!(exports.checks[1].run, None);
}

const SMALL: &str = r#"version = 1
name = "small"
goal = "g"
[agent.only]
run = ["fix", "{file}"]
[[checkpoint]]
says = "s"
run = "make test"
[[task]]
id = "a"
creates = ["new/a.py"]
prompt = "p"
[[task.check]]
says = "s"
run = "grep -q . {file}"
"#;

#[test]
fn defaults_are_as_documented() {
    let reading = Memory::click().read(SMALL);
    assert_eq!(reading.diagnostics, []);
    let plan = reading.plan.unwrap();
    assert_eq!(
        plan.budget,
        Budget {
            attempts: 10,
            wall_ms: 4 * 3_600_000
        }
    );
    assert_eq!(
        plan.limits,
        Limits {
            check_timeout_ms: 300_000,
            output_bytes: 16 << 20,
            silence_ms: None
        }
    );
    let task = &plan.tasks[0];
    assert_eq!(
        (task.attempts, task.timeout_ms, task.when),
        (2, 600_000, When::Always)
    );
    assert_eq!((&*task.agent, &*task.profile), ("only", "worker"));
    assert_eq!(task.checks[0].proof, Proof::FailToPass);
}

#[test]
fn tasks_may_build_on_what_earlier_ones_create_and_delete() {
    let more = r#"
[[task]]
id = "b"
file = "new/a.py"
reads = ["new/*.py"]
after = ["a"]
prompt = "p"
[[task.check]]
says = "s"
run = "grep -q b {file}"
[[task]]
id = "c"
deletes = ["README.md"]
prompt = "p"
[[task.check]]
says = "s"
run = "! grep -rq . README.md"
[[task]]
id = "d"
creates = ["README.md"]
after = ["c"]
prompt = "p"
[[task.check]]
says = "s"
run = "grep -q . {file}"
"#;
    let reading = Memory::click().read(&format!("{SMALL}{more}"));
    assert_eq!(reading.diagnostics, []);
    assert_eq!(reading.plan.unwrap().tasks[1].after, [TaskIx(0)]);
}

#[test]
fn every_setting_may_stand_in_defaults_and_on_a_task() {
    let text = SMALL
        .replace("[agent.only]", "[defaults]\nprompt = \"d\"\nreads = [\"README.md\"]\nwhen = \"red\"\nattempts = 3\n[agent.only]")
        .replace("prompt = \"p\"\n", "attempts = 4\n");
    let reading = Memory::click().read(&text);
    assert_eq!(reading.diagnostics, []);
    let task = &reading.plan.unwrap().tasks[0];
    assert_eq!(
        (&*task.prompt, task.when, task.attempts),
        ("d", When::Red, 4)
    );
    assert_eq!(task.reads, [path("README.md")]);
}

#[test]
fn one_member_of_a_fan_out_can_be_waited_for() {
    let text = GOOD.replace(
        "after = [\"types\"]",
        "after = [\"types:src/click/types.py\"]",
    );
    let plan = Memory::click().read(&text).plan.unwrap();
    assert_eq!(plan.tasks[3].after, [TaskIx(1)]);
}

#[test]
fn a_plan_may_say_what_follows_from_findings() {
    let more = r#"
[[finding]]
code = "sw0513"
severity = "off"
because = "it prints"
paths = ["new/**"]
[[finding]]
code = "SW0514"
severity = "block"
because = "tests stay"
[[task]]"#;
    let text = SMALL
        .replacen("\n[[task]]", more, 1)
        .replace("prompt = \"p\"", "prompt = \"p\"\nexpected_lines = 40");
    let reading = Memory::click().read(&text);
    assert_eq!(reading.diagnostics, []);
    let plan = reading.plan.unwrap();
    let rule = |code: &str, severity, because: &str, paths: &[&str]| FindingRule {
        code: code.to_owned(),
        severity,
        because: because.to_owned(),
        paths: paths.iter().map(|glob| (*glob).to_owned()).collect(),
    };
    let expected = [
        rule("SW0513", None, "it prints", &["new/**"]),
        rule("SW0514", Some(Severity::Block), "tests stay", &[]),
    ];
    assert_eq!(plan.findings, expected);
    assert_eq!(plan.tasks[0].expected_lines, Some(40));
}
