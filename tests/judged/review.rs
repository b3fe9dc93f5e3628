//! Reviews: another agent looks, cold; it may hold or reject, and turns nothing green.

use std::fs;

use crate::common::{GREEN, events, plan, task};
use crate::support::Repo;

fn repo() -> Repo {
    Repo::with(&[("f.txt", "old\n")])
}

/// The worker writes `new` and a number that differs each time; `critic` is the reviewer's script, which has its brief on
/// standard input.
fn with(critic: &str, attempts: u32) -> String {
    let keys = format!("file = 'f.txt'\nattempts = {attempts}");
    let task = task("work", "").replace("attempts = 1", &keys);
    plan(
        "echo new $(date +%N) > f.txt",
        &format!(
            "[agent.critic]\nrun = ['sh', '-c', '''\n{critic}\n''']\nprompt = 'stdin'\n
{GREEN}{task}
[[task.check]]\nsays = 'it is new'\nrun = 'grep -q new f.txt'
[[task.holdout]]\nsays = 'and nothing else'\nrun = '! grep -q old f.txt'
[task.review]\nby = 'critic'\n"
        ),
    )
}

fn says(verdict: &str, reason: &str) -> String {
    format!("echo '{{\"verdict\": \"{verdict}\", \"reasons\": [\"{reason}\"]}}'")
}

#[test]
fn a_reviewer_accepts_holds_or_rejects_with_reasons() {
    let repo = repo();
    repo.run(&with(&says("accept", "fine"), 1)).code(0);
    assert_eq!(repo.status().word("work"), "accepted landed 1");

    let out = repo.run(&with(&says("hold", "I am not sure"), 1)).code(4);
    assert_eq!(
        repo.status().task("work")["verdict"],
        "needs-human",
        "{out}"
    );
    assert_eq!(
        events(&repo, "reviewed")[0]["review"]["reasons"][0],
        "I am not sure"
    );

    let out = repo
        .run(&with(&says("reject", "the number is odd"), 2))
        .code(1);
    assert_eq!(repo.status().task("work")["verdict"], "rejected", "{out}");
    let run = repo.status().run().to_owned();
    assert!(repo.brief(&run, 2).contains("the number is odd"));
}

#[test]
fn what_a_reviewer_rejected_can_be_remembered_as_it_is_shown() {
    let repo = repo();
    // Quotes, and a control character.
    let critic =
        r#"printf '%s' '{"verdict": "reject", "reasons": ["a \u0007 bell is \"no\" number"]}'"#;
    repo.run(&with(critic, 1)).code(1);
    let run = repo.status().run().to_owned();
    let shown = repo.seawall(&["show", "work"]).code(0).out;
    let (_, block) = shown
        .split_once("add this to `.seawall/decisions.toml` and commit it:\n")
        .unwrap_or_else(|| panic!("no block is shown: {shown}"));
    let end = "kind = \"rejected\"\n";
    let (block, _) = block.split_once(end).unwrap();
    repo.write(".seawall/decisions.toml", format!("{block}{end}"));
    repo.commit("what we learned");
    repo.run(&with(&says("accept", "fine"), 1)).code(0);
    let brief = repo.brief(repo.status().run(), 1);
    assert!(brief.contains("bell is \"no\" number"), "{brief}");
    let because = format!("(because: the reviewer of run {run} rejected it)");
    assert!(brief.contains(&because), "{brief}");
    // A change that a check rejected is nothing to remember.
    let green = with(&says("accept", "fine"), 1).replace("grep -q new", "grep -q newest");
    repo.run(&green).code(1);
    let shown = repo.seawall(&["show", "work"]).code(0).out;
    assert!(!shown.contains("[[decision]]"), "{shown}");
}

#[test]
fn what_cannot_be_read_holds() {
    let repo = repo();
    for critic in [
        "echo looks good to me",
        "exit 3",
        "cat",
        "no-such-reviewer",
        "echo '{\"verdict\": \"accept\"}'",
    ] {
        let out = repo.run(&with(critic, 1)).code(4);
        assert_eq!(
            repo.status().task("work")["verdict"],
            "needs-human",
            "{critic}: {out}"
        );
        let reason = events(&repo, "reviewed")[0]["review"]["reasons"][0].to_string();
        assert!(reason.contains("cannot be read"), "{critic}: {reason}");
    }
}

#[test]
fn a_reviewer_is_cold_and_changes_nothing() {
    let repo = repo();
    let nosy = format!(
        "cat; echo mine > f.txt; echo mine > more.txt; rm -f f.txt; cat f.txt; {}",
        says("accept", "fine")
    );
    repo.run(&with(&nosy, 1)).code(0);
    let run = repo.status().run().to_owned();
    let logs = repo.run_dir(&run).join("logs");
    let said = fs::read_to_string(logs.join("review-1.log")).unwrap();
    for known in [
        "+new ",
        "it is new",
        "`grep -q new f.txt`: passes",
        "and nothing else: passes",
    ] {
        assert!(said.contains(known), "{known}: {said}");
    }
    assert!(!said.contains("grep -q old"), "{said}");
    let landed = repo.show(repo.status().text("branch"), "f.txt").unwrap();
    assert!(landed.starts_with("new "), "{landed}");
    // Red is not asked about.
    let red = with(&says("accept", "fine"), 1).replace("grep -q new f.txt", "grep -q newer f.txt");
    repo.run(&red).code(1);
    assert_eq!(events(&repo, "reviewed").len(), 0);
}
