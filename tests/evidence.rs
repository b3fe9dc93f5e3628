//! What checks are worth: tests counted, compared with the base, red told from red. Each lie beside its honest twin.
//!
//! The workers are a few lines of shell; the suites are run by pytest, cargo and Node. Every case is a run of its own,
//! which costs some seconds, and holds verdict, words and dispatches.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod support;

use support::packages::{Python, toolchain};
use support::{Output, Repo, skip};

/// One plan with one task.
struct Case<'a> {
    /// The keys that say what the task owns.
    owns: &'a str,
    /// What its worker does.
    worker: &'a str,
    /// The keys of its check, but for the sentence.
    check: &'a str,
    /// The keys of the checkpoint, likewise.
    checkpoint: &'a str,
}

/// `edit SCRIPT FILE`: what `sed -i` does, without a file of its own beside the one that the task owns.
const EDIT: &str = r#"edit() { new=$(sed "$1" "$2") && printf '%s\n' "$new" > "$2"; }"#;

/// What a count shows is tested by itself: the rules that would see the same lies first are told to be quiet.
const UNLOOKED: &str = "
[[finding]]\ncode = 'SW0505'\nseverity = 'note'\nbecause = 'the count must see it'
[[finding]]\ncode = 'SW0514'\nseverity = 'note'\nbecause = 'the count must see it'
";

impl Case<'_> {
    fn run(&self, repo: &Repo) -> Output {
        let Self {
            owns,
            worker,
            check,
            checkpoint,
        } = self;
        repo.run(&format!(
            "version = 1\nname = 'evidence'\ngoal = 'Change it'\nlimits = {{ check_timeout = '2m' }}\n{UNLOOKED}
             [agent.hand]\nrun = ['sh', '-c', '''\n{EDIT}\n{worker}\n''']\n
             [[checkpoint]]\nsays = 'the tree holds together'\n{checkpoint}\n
             [[task]]\nid = 'work'\n{owns}\nprompt = 'Do it.'\nattempts = 1\nfloor = 'exit'\n
             [[task.check]]\nsays = 'the work is done'\n{check}\n"
        ))
    }

    /// Runs it in a fresh clone of `files`, which one worker may spoil.
    fn lands(&self, repo: &Repo, says: &[&str]) {
        let out = self.run(repo).code(0);
        out.says(says);
        assert_eq!(repo.status().word("work"), "accepted landed 1");
    }

    fn is_rejected(&self, repo: &Repo, dispatches: u32, says: &[&str]) {
        let out = self.run(repo).code(1);
        out.says(says);
        let status = repo.status();
        let task = status.task("work");
        assert_eq!(task["verdict"], "rejected", "{task:#}");
        assert_eq!(task["dispatches"], dispatches, "{task:#}");
    }
}

const CALC: &str = "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n";
const TESTS: &str = "from calc import add, sub\n\n
def test_add():\n    assert add(1, 2) == 3\n\n
def test_sub():\n    assert sub(3, 2) == 1\n\n
def test_zero():\n    assert add(0, 0) == 0\n";

/// A package with three tests, and pytest on `PATH`.
fn python(test: &str, more: &[(&str, &str)]) -> Option<Repo> {
    let python = Python::get(test)?;
    let mut repo = Repo::with(&[
        ("calc.py", CALC),
        ("test_calc.py", TESTS),
        ("conftest.py", ""),
    ]);
    for (path, text) in more {
        repo.write(path, text);
    }
    repo.commit("more");
    repo.path_first(&python.bin());
    repo.set("PYTHONDONTWRITEBYTECODE", "1");
    Some(repo)
}

const PYTEST: &str = "run = 'python -m pytest -q -p no:cacheprovider'";
const STAYS: &str = "run = 'python -m pytest -q -p no:cacheprovider'\nproof = 'pass-to-pass'";
const GREEN: &str = "run = 'test -e calc.py'";

#[test]
fn fewer_tests_than_on_the_base_never_pass() {
    let Some(repo) = python("fewer_tests", &[]) else {
        return;
    };
    let case = |worker, check| Case {
        owns: "file = 'test_calc.py'",
        worker,
        check,
        checkpoint: GREEN,
    };
    let deleted = "edit '/def test_zero/,$d' test_calc.py";
    case(deleted, STAYS).is_rejected(&repo, 1, &["2 tests executed, 3 on the base (pytest)"]);
    let skipped = "edit 's/^def test_zero/import pytest\\n@pytest.mark.skip\\n&/' test_calc.py";
    case(skipped, STAYS).is_rejected(&repo, 1, &["2 tests executed, 3 on the base (pytest)"]);
    let emptied = "echo > test_calc.py";
    case(emptied, STAYS).is_rejected(&repo, 1, &["exit status 5, no test was executed (pytest)"]);

    let shrink = format!("{STAYS}\ntests = 'may-shrink'");
    case(deleted, &shrink).lands(&repo, &[]);
    let honest = "printf '\\n\\ndef test_more():\\n    assert sub(2, 2) == 0\\n' >> test_calc.py";
    case(honest, STAYS).lands(&repo, &["1 check green, 4 tests"]);
    let status = repo.status();
    let tests = &status.task("work")["evidence"][0]["tests"];
    assert_eq!(
        (&tests["runner"], &tests["passed"]),
        (&"pytest".into(), &4.into())
    );
}

#[test]
fn a_checkpoint_with_fewer_tests_than_on_the_base_is_red() {
    let Some(repo) = python("fewer_at_checkpoint", &[]) else {
        return;
    };
    let case = |worker, checkpoint| Case {
        owns: "file = 'test_calc.py'",
        worker,
        check: "run = '! grep -q zero {file}'",
        checkpoint,
    };
    let deleted = "edit '/def test_zero/,$d' test_calc.py";
    case(deleted, PYTEST).is_rejected(&repo, 1, &["2 tests executed, 3 on the base (pytest)"]);
    let renamed = "edit s/test_zero/test_nought/ test_calc.py";
    case(renamed, PYTEST).lands(&repo, &[]);
    case(deleted, &format!("{PYTEST}\ntests = 'may-shrink'")).lands(&repo, &[]);
}

#[test]
fn failures_behind_exit_status_0_are_seen() {
    let Some(repo) = python("hidden_failures", &[]) else {
        return;
    };
    let case = |worker| Case {
        owns: "files = ['calc.py', 'conftest.py']\nbecause = 'the settings belong to the module'",
        worker,
        check: STAYS,
        checkpoint: GREEN,
    };
    let planted = "edit 's/a - b/a + b/' calc.py
printf 'def pytest_sessionfinish(session):\\n    session.exitstatus = 0\\n' > conftest.py";
    let says = ["exit status 0, but 1 of 3 tests failed (test_calc.py::test_sub)"];
    case(planted).is_rejected(&repo, 1, &says);
    case("echo '# fine' >> calc.py").lands(&repo, &["3 tests"]);
}

#[test]
fn a_filter_that_matches_no_test_is_no_success() {
    let Some(repo) = python("filter", &[]) else {
        return;
    };
    let case = |worker| Case {
        owns: "file = 'test_calc.py'",
        worker,
        check: "run = 'python -m pytest -q -p no:cacheprovider -k negative'",
        checkpoint: PYTEST,
    };
    let says = ["no test was executed (pytest)"];
    case("echo '# negative numbers are tested' >> test_calc.py").is_rejected(&repo, 1, &says);
    let honest =
        "printf '\\n\\ndef test_negative():\\n    assert add(-1, 1) == 0\\n' >> test_calc.py";
    case(honest).lands(&repo, &["1 check green, 1 test,"]);
}

#[test]
fn a_missing_runner_has_not_looked() {
    let repo = Repo::with(&[("calc.py", CALC), ("test_calc.py", TESTS)]);
    fn case<'a>(check: &'a str, checkpoint: &'a str) -> Case<'a> {
        Case {
            owns: "file = 'calc.py'",
            worker: "echo '# done' >> calc.py",
            check,
            checkpoint,
        }
    }
    for command in ["python3 -m pytest_is_not_here -q", "pytest-is-not-here -q"] {
        let run = format!("run = '{command}'");
        let out = case("run = 'grep done {file}'", &run).run(&repo).code(2);
        out.says(&["is not there"]);
        case(&run, GREEN).is_rejected(&repo, 0, &["could not look", "is not there"]);
    }
    case("run = 'grep done {file}'", GREEN).lands(&repo, &[]);
}

#[test]
fn red_for_the_wrong_reason_costs_no_dispatch() {
    let more = [
        ("test_broken.py", "def test_it(:\n    pass\n"),
        (
            "test_alien.py",
            "import no_such_package\n\n\ndef test_it():\n    pass\n",
        ),
        (
            "test_later.py",
            "from calc import mul\n\n\ndef test_mul():\n    assert mul(2, 3) == 6\n",
        ),
        (
            "test_new.py",
            "from fresh import one\n\n\ndef test_one():\n    assert one() == 1\n",
        ),
    ];
    let Some(repo) = python("wrong_red", &more) else {
        return;
    };
    let calc = "file = 'calc.py'";
    let mul = "printf '\\n\\ndef mul(a, b):\\n    return a * b\\n' >> calc.py";
    let case = |owns, worker, check| Case {
        owns,
        worker,
        check,
        checkpoint: GREEN,
    };
    let wrong = [
        (
            "run = 'python -m pytest -q test_broken.py'",
            "SyntaxError: invalid syntax",
        ),
        (
            "run = 'python -m pytest -q test_alien.py'",
            "No module named 'no_such_package'",
        ),
        (
            "run = 'python -m pytest -q test_gone.py'",
            "file or directory not found: test_gone.py",
        ),
        (
            "run = 'python -m pytest -q --no-such-option'",
            "--no-such-option",
        ),
        (
            "run = 'python test_alien.py'",
            "No module named 'no_such_package'",
        ),
        ("run = 'if grep mul {file}; echo'", "Syntax error"),
    ];
    for (check, says) in wrong {
        case(calc, mul, check).is_rejected(&repo, 0, &["red for the wrong reason", says]);
    }
    case(calc, mul, "run = 'python -m pytest -q test_later.py'").lands(&repo, &["1 test,"]);
    let fresh = "printf 'def one():\\n    return 1\\n' > fresh.py";
    case(
        "creates = ['fresh.py']",
        fresh,
        "run = 'python -m pytest -q test_new.py'",
    )
    .lands(&repo, &[]);
    let own = "printf 'def test_own():\\n    assert True\\n' > test_own.py";
    case(
        "creates = ['test_own.py']",
        own,
        "run = 'python -m pytest -q test_own.py'",
    )
    .lands(&repo, &[]);
}

#[test]
fn a_check_that_is_green_before_the_work_shows_what_it_printed() {
    let repo = Repo::with(&[("calc.py", CALC)]);
    let case = |check| Case {
        owns: "file = 'calc.py'",
        worker: "echo '# done' >> calc.py",
        check,
        checkpoint: GREEN,
    };
    let says = ["green on the base", "it proves nothing", "def add(a, b):"];
    case("run = 'grep add {file}'").is_rejected(&repo, 0, &says);
    case("run = 'grep done {file}'").lands(&repo, &[]);
}

#[test]
fn on_a_base_that_is_declared_red_only_new_failures_count() {
    let more = [("test_old.py", "def test_old_bug():\n    assert 1 == 2\n")];
    let Some(repo) = python("red_baseline", &more) else {
        return;
    };
    let red = format!("{PYTEST}\nbaseline = 'red'");
    let red_check = format!("{STAYS}\nbaseline = 'red'");
    let case = |worker, check, checkpoint| Case {
        owns: "file = 'calc.py'",
        worker,
        check,
        checkpoint,
    };
    let honest = "echo '# done' >> calc.py";
    let breaks = "edit 's/a - b/a + b/' calc.py";

    let out = case(honest, "run = 'grep done {file}'", PYTEST)
        .run(&repo)
        .code(2);
    out.says(&["1 of 4 tests failed (test_old.py::test_old_bug)"]);
    case(honest, STAYS, &red).is_rejected(
        &repo,
        0,
        &["red on the base", "test_old.py::test_old_bug"],
    );
    let blind = "run = 'grep done {file}'";
    let out = case(honest, blind, "run = 'false'\nbaseline = 'red'")
        .run(&repo)
        .code(2);
    out.says(&["`baseline = \"red\"` cannot be used here"]);

    let new = "a new failure beside those of the base: test_calc.py::test_sub";
    case(breaks, &red_check, GREEN).is_rejected(&repo, 1, &[new]);
    let check = "run = '! grep -q \"a - b\" {file}'";
    case(breaks, check, &red).is_rejected(&repo, 1, &[new]);
    case(honest, &red_check, &red).lands(&repo, &[]);
    repo.seawall(&["show", "work"])
        .code(0)
        .says(&["red, as declared", "no redder"]);
}

const LIB: &str = "pub fn one() -> u32 {\n    1\n}\n
#[cfg(test)]\nmod tests {\n    #[test]\n    fn good() {\n        assert_eq!(super::one(), 1);\n    }\n
    #[test]\n    fn old() {\n        assert_eq!(super::one(), 1);\n    }\n}\n";

#[test]
fn cargo_tests_are_counted() {
    let bin = match toolchain() {
        Ok(bin) => bin,
        Err(why) => return skip("cargo_tests_are_counted", &why),
    };
    let manifest = "[package]\nname = 'one'\nversion = '0.1.0'\nedition = '2021'\n";
    let mut repo = Repo::with(&[
        ("Cargo.toml", manifest),
        ("src/lib.rs", LIB),
        (".gitignore", "/target\n/Cargo.lock\n"),
    ]);
    repo.path_first(&bin);
    let case = |worker, check| Case {
        owns: "file = 'src/lib.rs'",
        worker,
        check,
        checkpoint: "run = 'test -e src/lib.rs'",
    };
    let new = "run = 'cargo test --offline --quiet two'";
    case("echo '// fn two() is tested' >> src/lib.rs", new).is_rejected(
        &repo,
        1,
        &["exit status 0, but no test was executed (cargo test)"],
    );
    let stays = "run = 'cargo test --offline'\nproof = 'pass-to-pass'";
    let ignored = "edit 's/    fn old/    #[ignore]\\n&/' src/lib.rs";
    case(ignored, stays).is_rejected(&repo, 1, &["1 test executed, 2 on the base (cargo test)"]);
    case("echo 'fn broken(' >> src/lib.rs", stays).is_rejected(&repo, 1, &["it does not compile"]);
    case("edit '0,/ 1$/s// 2/' src/lib.rs", stays).is_rejected(
        &repo,
        1,
        &["2 of 2 tests failed (tests::"],
    );
    case("echo >> src/lib.rs", "run = 'cargo no-such-tool'").is_rejected(
        &repo,
        0,
        &["no such command"],
    );
    // A test that does not compile before the work is red for the right reason.
    let uses = "run = 'echo \"#[test] fn t() { assert_eq!(one::two(), 2) }\" > tests.rs && mkdir tests && mv tests.rs tests && cargo test --offline --test tests'";
    case("echo 'pub fn two() -> u32 { 2 }' >> src/lib.rs", uses).lands(&repo, &["1 test,"]);
    let honest =
        "printf '\\n#[test]\\nfn two() {\\n    assert_eq!(one() + one(), 2);\\n}\\n' >> src/lib.rs";
    case(honest, new).lands(&repo, &["1 test,"]);
}

#[test]
fn tests_of_node_are_counted() {
    if !std::path::Path::new("/usr/bin/node").exists() {
        return skip("tests_of_node_are_counted", "there is no node");
    }
    let suite = "import test from 'node:test';\nimport assert from 'node:assert';\nimport { add } from './add.mjs';\n
test('adds', () => assert.equal(add(1, 2), 3));\ntest('adds nothing', () => assert.equal(add(0, 0), 0));\ntest('old bug', () => assert.equal(add('1', 1), 2));\n";
    let repo = Repo::with(&[
        ("add.mjs", "export const add = (a, b) => a + b;\n"),
        ("add.test.mjs", suite),
        (
            "later.test.mjs",
            "import test from 'node:test';\nimport { sub } from './add.mjs';\ntest('sub', () => { sub(1, 1); });\n",
        ),
    ]);
    let case = |file, worker, check| Case {
        owns: file,
        worker,
        check,
        checkpoint: "run = 'test -e add.mjs'",
    };
    let (code, tests) = ("file = 'add.mjs'", "file = 'add.test.mjs'");
    let stays = "run = 'node --test add.test.mjs'\nproof = 'pass-to-pass'\nbaseline = 'red'";
    case(tests, "edit \"/adds nothing/d\" add.test.mjs", stays).is_rejected(
        &repo,
        1,
        &["2 tests executed, 3 on the base (node --test)"],
    );
    case(tests, "edit \"s/^test(/test.skip(/\" add.test.mjs", stays).is_rejected(
        &repo,
        1,
        &["no test was executed (node --test, 3 skipped)"],
    );
    case(code, "edit 's/a + b/a + b + 1/' add.mjs", stays).is_rejected(
        &repo,
        1,
        &["new failures beside those of the base: adds, adds nothing"],
    );
    case(code, "echo '// done' >> add.mjs", stays).lands(&repo, &[]);
    let later = "run = 'node --test later.test.mjs'";
    case(
        code,
        "echo 'export const sub = (a, b) => a - b;' >> add.mjs",
        later,
    )
    .lands(&repo, &["1 test,"]);
    case(
        tests,
        "echo >> add.test.mjs",
        "run = 'node --test gone.test.mjs'",
    )
    .is_rejected(&repo, 0, &["red for the wrong reason", "gone.test.mjs"]);
}
