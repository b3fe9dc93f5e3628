//! Eyes that are not the worker's: rows 17, 33, 34 and 35.

use std::fs;

use crate::support::{Output, Repo};
use crate::{PYTEST, agent, check, head, python, run, task};

const CALC: &str = "def add(a, b):\n    return a + b\n";
const TESTS: &str = "import calc\n\n\ndef test_mul():\n    assert calc.mul(2, 3) == 6\n";
const OLD: &str = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n";
const HONEST: &str = "printf '\\n\\ndef mul(a, b):\\n    return a * b\\n' >> calc.py";
const FITTED: &str = "printf '\\n\\ndef mul(a, b):\\n    return 6\\n' >> calc.py";

fn repo(test: &str) -> Option<Repo> {
    python(
        test,
        &[
            ("calc.py", CALC),
            ("test_calc.py", TESTS),
            ("test_old.py", OLD),
        ],
    )
}

/// One task that makes `mul`, with further keys and tables.
fn mul(script: &str, keys: &str, tables: &str) -> String {
    head(&format!("{PYTEST} test_old.py"))
        + &agent("work", script)
        + &task("work", &format!("file = 'calc.py'\n{keys}"))
        + &check("it can multiply", &format!("{PYTEST} test_calc.py"), "")
        + tables
}

/// The same, reviewed by an agent that runs this.
fn reviewed(script: &str, review: &str) -> String {
    mul(script, "attempts = 2", "[task.review]\nby = 'critic'\n") + &agent("critic", review)
}

fn verdict(word: &str, reason: &str) -> String {
    format!(r#"echo '{{"verdict": "{word}", "reasons": ["{reason}"]}}'"#)
}

/// Row 17: a role is what the profile lets it do. A reviewer cannot change what it looks at, or anything else.
#[test]
fn a_reviewer_can_write_nothing() {
    let Some(repo) = repo("row_17") else {
        return;
    };
    let drifts = format!(
        "for place in calc.py test_calc.py new.py .git/config; do
    (echo '# evil' >> $place) 2>/dev/null && written=\"$written $place\"
done
rm -f test_calc.py && test ! -e test_calc.py && written=\"$written gone\"
if test -n \"$written\"; then {}; else {}; fi",
        verdict("reject", "written").replace("written", "written:$written"),
        verdict("accept", "nothing could be written"),
    );
    let (_, status) = run(&repo, &reviewed(HONEST, &drifts), 0);
    assert_eq!(status.word("work"), "accepted landed 1");
    let changed = repo.git(&["diff", "--name-only", "main", status.text("branch")]);
    assert_eq!(changed, "calc.py");
    assert!(
        !repo
            .show(status.text("branch"), "calc.py")
            .unwrap()
            .contains("evil")
    );
}

/// Row 33: another agent reads change and evidence; it can stop what is green, and not pass what is red.
#[test]
fn a_reviewer_holds_and_rejects_and_turns_nothing_green() {
    let Some(repo) = repo("row_33") else {
        return;
    };
    let sees = format!(
        "cat > $TMPDIR/told
grep -q 'it can multiply' $TMPDIR/told || {{ {}; exit; }}
if grep -q 'return 6' $TMPDIR/told; then {}; else {}; fi",
        verdict("hold", "the criteria were not shown"),
        verdict("reject", "six is not a product"),
        verdict("accept", "it multiplies"),
    );
    let learns = format!("if grep -q 'six is not a product'; then {HONEST}; else {FITTED}; fi");
    let (_, status) = run(&repo, &reviewed(&learns, &sees), 0);
    assert_eq!(status.word("work"), "accepted landed 2");
    let (_, status) = run(&repo, &reviewed(FITTED, &sees), 1);
    assert_eq!(status.task("work")["verdict"], "rejected");
    assert!(
        status.why("work").contains("six is not a product") || status.word("work").contains("same"),
        "{}",
        status.why("work")
    );
    run(&repo, &reviewed(HONEST, &sees), 0);

    for (review, why) in [
        (
            verdict("hold", "I would ask the author"),
            "I would ask the author",
        ),
        ("echo 'LGTM, ship it'".to_owned(), "review"),
    ] {
        let (_, status) = run(&repo, &reviewed(HONEST, &review), 4);
        assert_eq!(status.task("work")["verdict"], "needs-human");
        assert!(status.why("work").contains(why), "{}", status.why("work"));
    }
    let red = "printf '\\n\\ndef mul(a, b):\\n    return a + b\\n' >> calc.py";
    let (_, status) = run(&repo, &reviewed(red, &verdict("accept", "fine")), 1);
    assert_eq!(status.task("work")["verdict"], "rejected");

    let same = reviewed(HONEST, "true").replace("by = 'critic'", "by = 'work'");
    repo.run(&same).code(2).says(&["refused", "review"]);
}

/// Row 34: a criterion for people stays open until one of them says so, with a reason that is kept.
#[test]
fn what_a_person_must_judge_waits_for_a_name_and_a_reason() {
    let Some(repo) = repo("row_34") else {
        return;
    };
    let manual = "[[task.check]]\nsays = 'it reads well'\nproof = 'manual'\n";
    let plan = mul(HONEST, "", manual);
    let (_, status) = run(&repo, &plan, 4);
    assert_eq!(status.word("work"), "needs-human needs-human 1");
    assert_eq!(status.text("head"), repo.git(&["rev-parse", "main"]));
    let id = status.run().to_owned();
    let wrong = Output::of(
        repo.command(crate::support::SEAWALL)
            .args(["approve", &id, "work", "no-such"])
            .args(["--note", "x"]),
    );
    assert_ne!(wrong.exit, 0, "{wrong}");

    let said = repo.seawall(&[
        "approve",
        &id,
        "work",
        "it reads",
        "--note",
        "read by two of us",
    ]);
    said.code(0).says(&["resume"]);
    repo.seawall(&["resume", &id]).code(0);
    let status = repo.status();
    assert_eq!(status.word("work"), "accepted landed 1");
    assert_ne!(status.text("head"), repo.git(&["rev-parse", "main"]));
    repo.seawall(&["log"]).code(0).says(&["read by two of us"]);
    run(&repo, &mul(HONEST, "", ""), 0);
}

/// Row 35: what was made to fit the checks that it was shown fails those that it never saw.
#[test]
fn what_was_never_shown_cannot_be_fitted() {
    let Some(repo) = repo("row_35") else {
        return;
    };
    let hidden =
        "import calc\n\n\ndef test_secret_pairs():\n    assert calc.mul(1237, 4441) == 5493517\n";
    fs::write(repo.root().join("plans/hidden.py"), hidden).unwrap();
    let holdout = format!(
        "[[task.holdout]]\nsays = 'other numbers are multiplied too'\nrun = '{PYTEST} test_hidden.py'\nput = {{ 'test_hidden.py' = 'hidden.py' }}\n"
    );
    let spies = |rest: &str| {
        format!(
            "cat > $TMPDIR/told; test -e test_hidden.py && echo found: the file
grep -rn 'secret_pairs\\|5493517' . $TMPDIR $HOME 2>/dev/null | sed 's/^/found: /'
grep -n 'test_hidden' $TMPDIR/told | sed 's/^/found: /'\n{rest}"
        )
    };
    let learns = spies(&format!(
        "if grep -q 'other numbers are multiplied too' $TMPDIR/told; then {HONEST}; else {FITTED}; fi"
    ));
    let (_, status) = run(&repo, &mul(&learns, "attempts = 2", &holdout), 0);
    assert_eq!(status.word("work"), "accepted landed 2");
    for attempt in 1..=2 {
        let brief = repo.brief(status.run(), attempt);
        assert_eq!(attempt == 2, brief.contains("other numbers"), "{brief}");
        assert!(
            !brief.contains("test_hidden") && !brief.contains("5493517"),
            "{brief}"
        );
        let log = repo
            .run_dir(status.run())
            .join(format!("logs/attempt-{attempt}.log"));
        let log = fs::read_to_string(log).unwrap();
        assert!(!log.contains("found:"), "{log}");
    }
    let (_, status) = run(&repo, &mul(FITTED, "", &holdout), 1);
    assert_eq!(status.word("work"), "rejected check-red 1");
    let (_, status) = run(&repo, &mul(HONEST, "", &holdout), 0);
    assert_eq!(status.word("work"), "accepted landed 1");
}
