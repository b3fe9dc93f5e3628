//! Reports: a JUnit file counts only if this very run of the check wrote it.

use crate::common::{GREEN, evidence, is_rejected, lands, plan, task};
use crate::support::Repo;
use crate::support::packages::Python;

const OLD: &str = "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>";

fn with(worker: &str, run: &str) -> String {
    let check = format!(
        "\n[[task.check]]\nsays = 'the suite passes'\nrun = '''{run}'''\njunit = 'out/report.xml'\n"
    );
    let task = task("work", "file = 'calc.py'") + &check;
    plan(worker, &format!("{GREEN}{task}"))
}

const DONE: &str = "echo '# done' >> calc.py";

fn writes(report: &str) -> String {
    format!("grep -q done calc.py || exit 1; mkdir -p out; printf \"{report}\" > out/report.xml")
}

#[test]
fn a_report_of_before_is_no_report() {
    let repo = Repo::with(&[("calc.py", "x = 1\n"), ("out/report.xml", OLD)]);
    // The command says that all is well, and the report that stands in the tree says so too.
    for stale in [
        "grep -q done calc.py",
        "grep -q done calc.py && touch out/report.xml",
    ] {
        is_rejected(&repo, &with(DONE, stale), &["exit status 0, but"]);
    }
    lands(&repo, &with(DONE, &writes(OLD)));
    let seen = &evidence(&repo, "verified")[0]["tests"];
    assert_eq!(
        (&seen["runner"], &seen["passed"]),
        (&"JUnit XML".into(), &2.into())
    );
}

#[test]
fn a_report_can_only_make_it_worse() {
    let repo = Repo::with(&[("calc.py", "x = 1\n")]);
    let failed = "<testsuite><testcase name='a'><failure/></testcase></testsuite>";
    is_rejected(
        &repo,
        &with(DONE, &writes(failed)),
        &["1 of 1 test failed (a)"],
    );
    is_rejected(
        &repo,
        &with(DONE, &writes("<testsuite/>")),
        &["no test was executed"],
    );
    is_rejected(
        &repo,
        &with(DONE, &writes("<testsuite><testcase")),
        &["no whole JUnit XML"],
    );
    let linked = "grep -q done calc.py || exit 1; mkdir -p out; ln -s /etc/passwd out/report.xml";
    is_rejected(
        &repo,
        &with(DONE, linked),
        &["it wrote no report `out/report.xml`"],
    );
    let red = format!("{}; exit 1", writes(OLD));
    is_rejected(&repo, &with(DONE, &red), &["exit status 1"]);
}

#[test]
fn what_pytest_reports_is_counted() {
    let Some(python) = Python::get("junit") else {
        return;
    };
    let mut repo = Repo::with(&[
        ("calc.py", "def add(a, b):\n    return 0\n"),
        (
            "test_calc.py",
            "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
        ),
    ]);
    repo.path_first(&python.bin());
    // Nothing that counts is printed.
    let run = "python -m pytest -qq -p no:cacheprovider --junitxml out/report.xml >/dev/null";
    lands(&repo, &with("edit 's/0/a + b/' calc.py", run));
    let seen = &evidence(&repo, "verified")[0]["tests"];
    assert_eq!(
        (&seen["runner"], &seen["passed"]),
        (&"JUnit XML".into(), &1.into())
    );
}
