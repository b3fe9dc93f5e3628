//! The branch that a run began on moves while it runs; and journals of before there were workspaces of two kinds.

use std::fs;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::common::{Running, only_run, records, said, wait_until};
use crate::support::Repo;
use crate::support::traces::assert_clean;

fn slow(repo: &Repo) -> String {
    let gate = repo.root().join("gate");
    format!(
        r#"
version = 1
name = "slow"
goal = "both files say new"
[sandbox]
read = ["{gate}"]
[agent.edit]
run = ["sh", "-ec", '''
while [ -e {gate}/worker ]; do sleep 0.02; done
sed 's/old/new/' "$1" > "$TMPDIR/new" && cat "$TMPDIR/new" > "$1"''', "edit", "{{file}}"]
[[checkpoint]]
says = "both are there"
run = "test -s one && test -s two"
[[task]]
id = "one"
file = "one"
prompt = "say new"
  [[task.check]]
  says = "it says new"
  run = "grep -qx new {{file}}"
[[task]]
id = "two"
file = "two"
after = ["one"]
prompt = "say new"
  [[task.check]]
  says = "it says new"
  run = "grep -qx new {{file}} && grep -qx new one && test ! -e meanwhile"
"#,
        gate = gate.display()
    )
}

#[test]
fn a_branch_that_moves_is_told_and_the_run_goes_on() {
    let repo = Repo::with(&[("one", "old\n"), ("two", "old\n")]);
    fs::create_dir(repo.root().join("gate")).unwrap();
    fs::write(repo.root().join("gate/worker"), "").unwrap();
    let plan = repo.plan(&slow(&repo));
    let run = Running::start(&repo, &["run", plan.to_str().unwrap()]);
    wait_until("a worker runs", || {
        let launched = |r: &Value| r["body"]["effect"]["do"] == "launch-worker";
        only_run(&repo).is_some_and(|run| records(&run).iter().any(launched))
    });
    let base = repo.git(&["rev-parse", "main"]);
    repo.write("meanwhile", "x\n");
    let tip = repo.commit("meanwhile");
    fs::remove_file(repo.root().join("gate/worker")).unwrap();
    assert_eq!(run.code(), Some(0));

    let told = said(&repo);
    assert!(
        told.contains("moved  ") && told.contains("seawall land"),
        "{told}"
    );
    let status = repo.status();
    status.assert_all_fine();
    assert_eq!(status.text("base"), base);
    assert_eq!(status.text("moved"), tip);
    let branch = status.text("branch");
    assert_eq!(repo.show(branch, "one").as_deref(), Some("new\n"));
    assert_eq!(repo.show(branch, "meanwhile"), None);
    let _ = repo.seawall(&["land"]).code(2).says(&["help:"]);
    assert_eq!(repo.git(&["rev-parse", "main"]), tip);
    let log = repo
        .seawall(&["log"])
        .code(0)
        .says(&["workspaces are overlays"]);
    assert!(
        log.out.contains(&format!("branch moved to {}", &tip[..8])),
        "{log}"
    );
    assert_clean(&repo);
}

#[test]
fn a_journal_without_the_new_members_is_read() {
    let repo = Repo::with(&[("one", "old\n"), ("two", "old\n")]);
    fs::create_dir(repo.root().join("gate")).unwrap();
    let _ = repo.run(&slow(&repo)).code(0);
    let run = only_run(&repo).unwrap();
    let plan = rewrite_plan(&run);
    rewrite_journal(&run, &plan);
    let status = repo.status();
    status.assert_all_fine();
    assert_eq!(
        (status.text("state"), status.text("workspaces")),
        ("finished", "copy")
    );
    let _ = repo
        .seawall(&["log"])
        .code(0)
        .says(&["workspaces are copies"]);
    let _ = repo.seawall(&["show", "two"]).code(0);
    let _ = repo.seawall(&["land"]).code(0);
    let _ = repo.seawall(&["gc"]).code(0).says(&["removed"]);
}

fn hex(bytes: &[u8]) -> String {
    let sum = Sha256::digest(bytes);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The plan as it was pinned before plans had `[workspace]`; its digest.
fn rewrite_plan(run: &std::path::Path) -> String {
    let path = run.join("plan.json");
    let mut plan: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(plan.as_object_mut().unwrap().remove("workspace").is_some());
    let bytes = serde_json::to_vec(&plan).unwrap();
    fs::write(&path, &bytes).unwrap();
    hex(&bytes)
}

/// The journal as it was written before records said how workspaces are made.
fn rewrite_journal(run: &std::path::Path, plan: &str) {
    let path = run.join("journal.jsonl");
    let (mut prev, mut text) = ("0".repeat(64), String::new());
    for line in fs::read_to_string(&path).unwrap().lines() {
        let (covered, _) = line.rsplit_once(",\"sum\":\"").unwrap();
        let (head, body) = covered.split_once(",\"body\":").unwrap();
        let at = head.split_once(",\"prev\":").unwrap().0;
        let body = body.replace(",\"workspaces\":\"overlay\"", "");
        let body = match body.split_once("\"plan\":\"") {
            Some((before, after)) => format!("{before}\"plan\":\"{plan}{}", &after[64..]),
            None => body,
        };
        let covered = format!("{at},\"prev\":\"{prev}\",\"body\":{body}");
        prev = hex(covered.as_bytes());
        text += &format!("{covered},\"sum\":\"{prev}\"}}\n");
    }
    assert!(!text.contains("workspaces"));
    fs::write(&path, text).unwrap();
}
