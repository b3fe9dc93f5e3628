//! What is told, to the next worker and to who writes the plan: rows 29, 30 and 31.

use crate::support::Repo;
use crate::{PYTEST, agent, check, head, python, run, task};

const CALC: &str = "def share(sum, count):\n    return sum // count\n";
const TESTS: &str = "from calc import share\n\n\ndef test_even():\n    assert share(6, 3) == 2\n";
const BUG: &str = "from calc import share\n\n\ndef test_rest():\n    assert share(7, 2) == 3.5\n\n\ndef test_none():\n    assert share(7, 0) == 0\n";

/// Row 29: the next worker reads what was claimed beside what was seen, number by number.
#[test]
fn numbers_stand_beside_the_claim() {
    let Some(repo) = python(
        "row_29",
        &[
            ("calc.py", CALC),
            ("test_calc.py", TESTS),
            ("test_bug.py", BUG),
        ],
    ) else {
        return;
    };
    let half = "edit 's,//,/,' calc.py
echo 'All 2 tests pass now. The failure that remains is caused by the environment, not by my change.'";
    let learns = format!(
        "if grep -q 'caused by the environment'; then
printf 'def share(sum, count):\\n    return sum / count if count else 0\\n' > calc.py
else\n{half}\nfi"
    );
    let plan = |script: &str, attempts: u32| {
        head(&format!("{PYTEST} test_calc.py"))
            + &agent("work", script)
            + &task("work", &format!("file = 'calc.py'\nattempts = {attempts}"))
            + &check("shares are exact", &format!("{PYTEST} test_bug.py"), "")
    };
    let (_, status) = run(&repo, &plan(&learns, 2), 0);
    assert_eq!(status.word("work"), "accepted landed 2");
    let brief = repo.brief(status.run(), 2);
    for part in [
        "All 2 tests pass now",
        "1 of 2 tests failed",
        "test_bug.py::test_none",
        "ZeroDivisionError",
    ] {
        assert!(brief.contains(part), "{part} in {brief}");
    }
    let (_, status) = run(&repo, &plan(half, 3), 1);
    assert_eq!(
        status.task("work")["dispatches"],
        2,
        "the same again is not tried a third time"
    );
}

/// Row 30: what mends a defect shows it first.
#[test]
fn a_fix_begins_with_what_reproduces_it() {
    let Some(repo) = python(
        "row_30",
        &[
            ("calc.py", CALC),
            ("test_calc.py", TESTS),
            ("test_bug.py", BUG),
        ],
    ) else {
        return;
    };
    let symptom = "edit 's/^def share/# mended\\n&/' calc.py";
    let honest =
        "printf 'def share(sum, count):\\n    return sum / count if count else 0\\n' > calc.py";
    let plan = |script: &str, command: &str, more: &str| {
        head(&format!("{PYTEST} test_calc.py"))
            + &agent("work", script)
            + &task("work", "file = 'calc.py'\nkind = 'fix'")
            + &check("shares are exact", command, more)
    };
    let (tests, bug) = (
        format!("{PYTEST} test_calc.py"),
        format!("{PYTEST} test_bug.py"),
    );
    let out = repo
        .run(&plan(symptom, &tests, "proof = 'pass-to-pass'"))
        .code(2);
    out.says(&["fix", "fail-to-pass"]);
    let (_, status) = run(&repo, &plan(symptom, &tests, ""), 1);
    assert_eq!(status.word("work"), "rejected base-green 0");
    let (_, status) = run(&repo, &plan(symptom, &bug, ""), 1);
    assert_eq!(status.word("work"), "rejected check-red 1");
    run(&repo, &plan(honest, &bug, ""), 0);
}

/// Row 31: what nobody could check is refused before a worker starts.
#[test]
fn a_vague_plan_is_refused() {
    let Some(repo) = python(
        "row_31",
        &[
            ("calc.py", CALC),
            ("test_calc.py", TESTS),
            ("test_bug.py", BUG),
        ],
    ) else {
        return;
    };
    let good = head(&format!("{PYTEST} test_calc.py"))
        + &agent(
            "work",
            "printf 'def share(sum, count):\\n    return sum / count if count else 0\\n' > calc.py",
        )
        + &task("work", "file = 'calc.py'")
        + &check("shares are exact", &format!("{PYTEST} test_bug.py"), "")
        + &agent("note", "echo 'Shares are exact.' > notes.md")
        + &task("note", "creates = ['notes.md']")
        + &check("it is told", "grep -q exact notes.md", "");
    let vague = [
        ("shares are exact", "it works correctly", "SW0128"),
        ("file = 'calc.py'", "file = 'calk.py'", "calk.py"),
        (
            "creates = ['notes.md']",
            "creates = ['notes.md']\nafter = ['note']",
            "waits for itself",
        ),
        (
            "file = 'calc.py'",
            "files = ['calc.py', 'test_calc.py']",
            "because",
        ),
        ("run = '''grep -q exact notes.md'''", "", "run"),
    ];
    for (old, new, says) in vague {
        let out = repo.run(&good.replace(old, new)).code(2);
        out.says(&[says, "refused"]);
    }
    assert!(!repo.dir().join(".git/seawall/runs").exists());
    let early = good.replace(
        &format!("{PYTEST} test_bug.py"),
        &format!("{PYTEST} test_calc.py"),
    );
    let path = repo.plan(&early);
    repo.seawall(&["check", "--deep", path.to_str().unwrap()])
        .code(2)
        .says(&["shares are exact", "green"]);
    let path = repo.plan(&good);
    repo.seawall(&["check", "--deep", path.to_str().unwrap()])
        .code(0);
    run(&repo, &good, 0).1.assert_all_fine();
}

/// Row 32: what was decided for a file stands in the brief of whoever owns it, and in no other.
#[test]
fn what_was_decided_reaches_whom_it_is_about() {
    let decided = "[[decision]]\nsays = 'whole cents'\nbecause = 'floats lost money'\npaths = ['src/**']\n
        [[decision]]\nsays = 'a cache'\nbecause = 'it went stale'\npaths = ['docs/*']\nkind = 'rejected'\n";
    let files = [("src/a.txt", "old\n"), (".seawall/decisions.toml", decided)];
    let repo = Repo::with(&files);
    let plan = head("true")
        + &agent("work", "cat > src/a.txt")
        + &task("work", "file = 'src/a.txt'")
        + &check("it changed", "! grep -qx old src/a.txt", "");
    repo.write(".seawall/decisions.toml", "not of the base");
    let (_, status) = run(&repo, &plan, 0);
    let text = repo.show(status.text("branch"), "src/a.txt").unwrap();
    assert!(
        text.contains("- constraint: whole cents (because: floats lost money)"),
        "{text}"
    );
    assert!(!text.contains("a cache"), "{text}");

    for (bad, parts) in [
        (
            "[[decision]]\nsays = 'x'\nbecause = 'y'\npath = ['a']\n",
            ["SW0102", "decisions.toml:4:1"],
        ),
        (
            "[[decision]]\nsays = 'x'\nbecause = 'y'\npaths = ['[']\n",
            ["SW0122", "decisions.toml:4:10"],
        ),
        ("[[decision\n", ["SW0100", "decisions.toml:1:"]),
    ] {
        repo.write(".seawall/decisions.toml", bad);
        repo.commit("bad decisions");
        let path = repo.plan(&plan);
        let said = repo.seawall(&["check".as_ref(), path.as_os_str()]).code(2);
        let said = said
            .says(&parts)
            .says(&["--> .seawall/decisions.toml", "^"]);
        assert!(!said.err.contains("plan.toml:"), "{said}");
    }
}
