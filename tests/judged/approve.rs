//! Approvals: a person takes the responsibility, by name and with a reason, and `resume` lands what was held.

use crate::common::{GREEN, events, plan, task};
use crate::support::Repo;

fn repo() -> Repo {
    Repo::with(&[("a.txt", "old\n"), ("b.txt", "old\n"), ("c.txt", "old\n")])
}

const MANUAL: &str = "\n[[task.check]]\nsays = 'it reads well'\nproof = 'manual'\n
[[task.check]]\nsays = 'it looks well'\nproof = 'manual'\n";

/// One task that persons must look at, one that waits for it, one that has nothing to do with either.
fn three() -> String {
    let check = |file: &str| {
        format!("\n[[task.check]]\nsays = '{file} is new'\nrun = 'grep -q new {file}'\n")
    };
    let held = task("work", "file = 'a.txt'") + &check("a.txt") + MANUAL;
    let then = task("then", "file = 'b.txt'\nafter = ['work']") + &check("b.txt");
    let other = task("other", "file = 'c.txt'") + &check("c.txt");
    plan("echo new > $1", &format!("{GREEN}{held}{then}{other}"))
}

#[test]
fn what_a_person_approves_of_lands_and_frees_what_waited() {
    let repo = repo();
    repo.run(&three()).code(4);
    let run = repo.status().run().to_owned();
    assert_eq!(
        repo.status().words()[0],
        "work: needs-human needs-human 1",
        "{:?}",
        repo.status().words()
    );
    let list = repo.seawall(&["approve", &run]).code(0);
    list.says(&[
        "work  2  only a person can tell: it reads well",
        "work  3  only a person can tell: it looks well",
    ]);
    repo.seawall(&["gc"])
        .code(0)
        .says(&["kept: a change of it waits for a person"]);
    let approve = |what: &[&str]| repo.seawall(&[&["approve", &run, "work"], what].concat());
    approve(&["2", "--note", "I read it"])
        .code(0)
        .says(&["1 thing still"]);
    // It is not held for that any more, and not free either.
    approve(&["2", "--note", "again"])
        .code(2)
        .says(&["`2` is nothing that holds `work`", "`3`"]);
    repo.seawall(&["resume", &run])
        .code(2)
        .says(&["has ended", "lists what waits for an approval"]);
    approve(&["it looks", "--note", "and saw it"])
        .code(0)
        .says(&["seawall resume"]);
    repo.seawall(&["resume", &run]).code(0);
    for id in ["work", "then", "other"] {
        assert_eq!(repo.status().word(id), "accepted landed 1");
    }
    let approvals = events(&repo, "approved");
    let notes: Vec<_> = approvals
        .iter()
        .map(|event| event["note"].as_str().unwrap())
        .collect();
    assert_eq!(notes, ["I read it", "and saw it"]);
    assert!(!approvals[0]["by"].as_str().unwrap().is_empty());
    repo.seawall(&["approve", &run])
        .code(0)
        .says(&["nothing waits"]);
}

#[test]
fn an_approval_needs_a_reason_and_a_thing_that_is_held() {
    let repo = repo();
    repo.run(&three()).code(4);
    let run = repo.status().run().to_owned();
    let approve = |what: &[&str]| repo.seawall(&[&["approve", &run], what].concat()).code(2);
    approve(&["work", "2"]).says(&["needs a reason", "--note"]);
    approve(&["work", "2", "--note", "  "]).says(&["needs a reason"]);
    approve(&["work", "it", "--note", "x"]).says(&["several things", "`2`, `3`"]);
    approve(&["work", "1", "--note", "x"]).says(&["nothing that holds"]);
    approve(&["work", "review", "--note", "x"]).says(&["nothing that holds"]);
    approve(&["other", "1", "--note", "x"]).says(&["nothing holds `other`"]);
    approve(&["wrok", "1", "--note", "x"]).says(&["did you mean `work`"]);
    assert_eq!(events(&repo, "approved").len(), 0);
    let list = repo.json(&["approve", &run, "work", "--json"]);
    assert_eq!(list["held"][0]["name"], "2", "{list:#}");
}

#[test]
fn a_finding_is_approved_of_by_its_code_and_weak_evidence_by_name() {
    let repo = Repo::with(&[("a.txt", "old\n"), ("b.txt", "old\n")]);
    // Its check does not notice whether the work was done.
    let work = task("work", "file = 'a.txt'\nrisk = 'high'");
    let other = task("other", "file = 'b.txt'");
    let check =
        "[[task.check]]\nsays = 'something is new'\nrun = 'cat a.txt b.txt | grep -q new'\n";
    let tables = format!("{GREEN}{work}{check}{other}{}", check.replace("a.txt ", ""));
    repo.run(&plan("echo new > $1", &tables)).code(4);
    let run = repo.status().run().to_owned();
    repo.seawall(&["approve", &run])
        .code(0)
        .says(&["work  evidence  its evidence is weaker"]);
    let args = ["approve", &run, "work", "evidence", "--note", "I know it"];
    repo.seawall(&args).code(0);
    repo.seawall(&["resume", &run]).code(0);
    assert_eq!(repo.status().word("work"), "accepted landed 1");
}
