//! What these tests share: a plan in a few words, and what the journal says that no command shows.

use serde_json::Value;

use crate::support::{Output, Repo};

/// `edit SCRIPT FILE`: what `sed -i` does, without a file of its own beside the one that the task owns.
const EDIT: &str = r#"edit() { new=$(sed "$1" "$2") && printf '%s\n' "$new" > "$2"; }"#;

/// A plan with one agent; `tables` are its gates and tasks.
pub(crate) fn plan(worker: &str, tables: &str) -> String {
    format!(
        "version = 1\nname = 'judged'\ngoal = 'Change it'\nlimits = {{ check_timeout = '2m' }}\n
         [agent.hand]\nrun = ['sh', '-c', '''\n{EDIT}\n{worker}\n''', '{{task}}', '{{file}}']\n\n{tables}\n"
    )
}

/// One task with these keys and tables.
pub(crate) fn task(id: &str, keys: &str) -> String {
    format!("\n[[task]]\nid = '{id}'\nprompt = 'Do it.'\nattempts = 1\nagent = 'hand'\n{keys}\n")
}

/// A checkpoint that is always green on these repositories.
pub(crate) const GREEN: &str =
    "[[checkpoint]]\nsays = 'it is a repository of files'\nrun = 'ls | grep -q .'\n";

/// The events of a kind in the latest run, in order.
pub(crate) fn events(repo: &Repo, kind: &str) -> Vec<Value> {
    let journal = repo.run_dir(repo.status().run()).join("journal.jsonl");
    let text = std::fs::read_to_string(journal).unwrap();
    let bodies = text.lines().map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["body"].clone()
    });
    bodies.filter(|body| body["event"] == kind).collect()
}

/// The records of evidence of the last event of a kind.
pub(crate) fn evidence(repo: &Repo, kind: &str) -> Vec<Value> {
    let last = events(repo, kind).pop();
    let last = last.unwrap_or_else(|| panic!("nothing was {kind}"));
    last["evidence"].as_array().unwrap().clone()
}

/// The task `work` must have landed.
#[track_caller]
pub(crate) fn lands(repo: &Repo, plan: &str) -> Output {
    let out = repo.run(plan).code(0);
    assert_eq!(repo.status().word("work"), "accepted landed 1", "{out}");
    out
}

/// The task `work` must have been rejected.
#[track_caller]
pub(crate) fn is_rejected(repo: &Repo, plan: &str, says: &[&str]) {
    let out = repo.run(plan).code(1).says(says);
    assert_eq!(repo.status().task("work")["verdict"], "rejected", "{out}");
}
