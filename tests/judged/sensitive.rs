//! Sensitivity: a check that stays green without the change says nothing of it.

use crate::common::{GREEN, events, plan, task};
use crate::support::Repo;

fn repo() -> Repo {
    Repo::with(&[("a.txt", "old\n"), ("b.txt", "old\n")])
}

/// Two tasks of one wave; `run` is the check of the first.
fn two(head: &str, keys: &str, run: &str) -> String {
    let first = task("work", &format!("file = 'a.txt'\n{keys}"));
    let other = task("other", "file = 'b.txt'");
    plan(
        "echo new > $1",
        &format!(
            "{head}{GREEN}{first}
[[task.check]]\nsays = 'there is something new'\nrun = '{run}'
{other}
[[task.check]]\nsays = 'b is new'\nrun = 'grep -q new b.txt'\n"
        ),
    )
}

/// Red on the base, green with either change.
const ANY: &str = "cat a.txt b.txt | grep -q new";
const OWN: &str = "grep -q new a.txt";

/// The values of what was sensed, in the order of the tasks.
fn sensed(repo: &Repo) -> Vec<String> {
    let mut all = events(repo, "sensed");
    all.sort_by_key(|event| event["task"].as_u64());
    let value = |event: &serde_json::Value| {
        let last = event["evidence"].as_array().unwrap().last().unwrap();
        last["value"].as_str().unwrap().to_owned()
    };
    all.iter().map(value).collect()
}

#[test]
fn a_check_that_others_turn_green_does_not_carry_a_risky_task() {
    let repo = repo();
    let out = repo.run(&two("", "risk = 'high'", ANY)).code(4);
    let status = repo.status();
    assert_eq!(status.task("work")["verdict"], "needs-human", "{out}");
    assert_eq!(status.word("other"), "accepted landed 1", "{out}");
    assert_eq!(sensed(&repo), ["pass", "fail"]);
    repo.git(&["gc", "--quiet", "--prune=now"]);
    repo.seawall(&["verify"]).code(0).says(&["verified"]);
    repo.run(&two("", "risk = 'high'", OWN)).code(0);
    assert_eq!(sensed(&repo), ["fail", "fail"]);
}

#[test]
fn what_is_measured_is_told_and_blocks_nobody_else() {
    let repo = repo();
    repo.run(&two("", "", ANY)).code(0);
    assert_eq!(sensed(&repo), ["pass", "fail"]);
    let off = "[evidence]\nsensitivity = 'off'\n";
    repo.run(&two(off, "", ANY)).code(0);
    assert_eq!(sensed(&repo), Vec::<String>::new());
    // A floor asks for it in any case.
    repo.run(&two(off, "floor = 'sensitive'", OWN)).code(0);
    assert_eq!(sensed(&repo), ["fail"]);
}

#[test]
fn a_check_that_asks_whether_a_file_is_there_is_no_help() {
    let repo = repo();
    let with = |run: &str| {
        let first = task("work", "creates = ['new.txt']\nrisk = 'high'");
        let other = task("other", "file = 'b.txt'");
        let tables = format!(
            "{GREEN}{first}
[[task.check]]\nsays = 'it is there'\nrun = 'test -s new.txt'
[[task.check]]\nsays = 'there is something new'\nrun = '{run}'
{other}
[[task.check]]\nsays = 'b is new'\nrun = 'grep -q new b.txt'\n"
        );
        plan(
            "echo new > $([ $0 = work ] && echo new.txt || echo b.txt)",
            &tables,
        )
    };
    let out = repo.run(&with("cat *.txt | grep -q new")).code(4);
    assert_eq!(
        repo.status().task("work")["verdict"],
        "needs-human",
        "{out}"
    );
    assert_eq!(sensed(&repo), ["pass", "fail"]);
    repo.run(&with("grep -q new new.txt")).code(0);
    assert_eq!(sensed(&repo), ["fail", "fail"]);
}
