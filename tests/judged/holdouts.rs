//! Holdouts: what must be true besides, and no worker is ever shown.

use std::fs;

use crate::common::{GREEN, events, is_rejected, lands, plan, task};
use crate::support::Repo;

const SECRET: &str = "from calc import double\n\nassert double(21) == 42, double(21)\n";

/// A plan whose worker writes this, with a check that it is shown and a holdout that it is not.
fn with(worker: &str, attempts: u32) -> String {
    let keys = format!("file = 'calc.py'\nattempts = {attempts}");
    let task = task("work", "").replace("attempts = 1", &keys);
    plan(
        worker,
        &format!(
            "{GREEN}{task}
[[task.check]]
says = 'two is doubled'
run = 'python3 -c \"import calc; assert calc.double(2) == 4\"'
[[task.holdout]]
says = 'everything is doubled'
run = 'PYTHONPATH=. python3 hidden/look.py'
put = {{ 'hidden/look.py' = 'look.py' }}
"
        ),
    )
}

fn repo() -> Repo {
    let repo = Repo::with(&[("calc.py", "def double(n):\n    return n\n")]);
    fs::write(repo.root().join("plans/look.py"), SECRET).unwrap();
    repo
}

#[test]
fn work_that_only_fits_its_checks_is_caught() {
    let repo = repo();
    let fitted = "printf 'def double(n):\\n    return 4\\n' > calc.py";
    is_rejected(&repo, &with(fitted, 1), &["everything is doubled"]);
    let verified = events(&repo, "verified").pop().unwrap();
    let seen = verified["evidence"].as_array().unwrap();
    assert_eq!(
        (seen.len(), &seen[1]["criterion"]),
        (2, &1.into()),
        "{verified:#}"
    );
    assert_eq!(
        (&seen[0]["value"], &seen[1]["value"]),
        (&"pass".into(), &"fail".into())
    );
    lands(
        &repo,
        &with("printf 'def double(n):\\n    return n + n\\n' > calc.py", 1),
    );
    // On the base it was red, as it must be, and it ran where no worker is.
    let base = &events(&repo, "baselined")[0]["evidence"];
    assert_eq!(base[1]["value"], "pass", "{base:#}");
    assert_eq!(repo.show("HEAD", "hidden/look.py"), None);
}

#[test]
fn no_worker_learns_what_a_holdout_looks_at() {
    let repo = repo();
    // It tells all that it finds: its brief, its workspace, its temporary directory.
    let nosy = "printf 'def double(n):\\n    return 4 # %s\\n' $(date +%N) > calc.py; cat $TMPDIR/brief.md; ls -RA . ~ $TMPDIR /tmp; \
                grep -r '21)' . ~ $TMPDIR /tmp 2>/dev/null; env; true";
    is_rejected(&repo, &with(nosy, 2), &["everything is doubled"]);
    let run = repo.status().run().to_owned();
    for attempt in [1, 2] {
        let log = repo
            .run_dir(&run)
            .join(format!("logs/attempt-{attempt}.log"));
        let (said, brief) = (fs::read_to_string(log).unwrap(), repo.brief(&run, attempt));
        // A commit may have any two digits in its name.
        for secret in ["look.py", "hidden", "21)"] {
            assert!(!brief.contains(secret), "{secret}: {brief}");
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        assert_eq!(
            brief.contains("everything is doubled"),
            attempt == 2,
            "{brief}"
        );
    }
}

#[test]
fn a_holdout_waits_until_the_checks_pass() {
    let repo = repo();
    let wrong = "printf 'def double(n):\\n    return 5\\n' > calc.py";
    is_rejected(&repo, &with(wrong, 1), &["two is doubled"]);
    let verified = events(&repo, "verified").pop().unwrap();
    assert_eq!(
        verified["evidence"].as_array().unwrap().len(),
        1,
        "{verified:#}"
    );
}

#[test]
fn copies_have_what_is_put_there_too() {
    let repo = repo();
    let copies = "[workspace]\nmode = 'copy'\n[agent.hand]";
    let with = |worker: &str| with(worker, 1).replace("[agent.hand]", copies);
    let fitted = "printf 'def double(n):\\n    return 4\\n' > calc.py";
    is_rejected(&repo, &with(fitted), &["everything is doubled"]);
    lands(
        &repo,
        &with("printf 'def double(n):\\n    return n + n\\n' > calc.py"),
    );
}
