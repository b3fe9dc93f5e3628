//! What the counts of a test runner do to a verdict.

use super::*;
use crate::counts::tests::printed;

fn printing(command: &str, status: i32, name: &str) -> Ran {
    let output = printed(name);
    Ran {
        command: command.into(),
        ..ran(End::Exited(status), &String::from_utf8(output).unwrap())
    }
}

#[test]
fn what_a_runner_counts_can_make_it_worse() {
    use Value::{CouldNotLook, Fail, Pass};
    let cases = [
        // command, status, output, value, words
        ("pytest -q", 0, "pytest-ok", Pass, "exit status 0, 2 tests"),
        (
            "pytest -q -k test_a",
            0,
            "pytest-k",
            Pass,
            "exit status 0, 1 test",
        ),
        (
            "pytest -q || true",
            0,
            "pytest-mix",
            Fail,
            "exit status 0, but 4 of 6 tests failed (test_mix.py::test_bad, ",
        ),
        ("! pytest -q", 0, "pytest-mix", Pass, "exit status 0"),
        (
            "pytest",
            0,
            "pytest-skip",
            Fail,
            "exit status 0, but no test was executed (pytest, 1 skipped)",
        ),
        (
            "pytest -k nothing",
            5,
            "pytest-none",
            Fail,
            "exit status 5, no test was executed (pytest)",
        ),
        ("pytest -qq", 0, "pytest-qq", Pass, "exit status 0"),
        (
            "python3 -m unittest utnone",
            0,
            "unittest-none",
            Fail,
            "no test was executed (unittest)",
        ),
        (
            "cargo test x",
            0,
            "cargo-none",
            Fail,
            "no test was executed (cargo test)",
        ),
        (
            "cargo test it",
            0,
            "cargo-filter",
            Pass,
            "exit status 0, 1 test",
        ),
        (
            "cargo test",
            101,
            "cargo-mix",
            Fail,
            "exit status 101: 1 of 4 tests failed (tests::bad)",
        ),
        (
            "cargo test",
            101,
            "cargo-compile",
            Fail,
            "exit status 101: it does not compile",
        ),
        (
            "go test ./...",
            0,
            "go-none",
            Fail,
            "no test was executed (go test)",
        ),
        ("go test ./...", 0, "go-ok", Pass, "exit status 0, 2 tests"),
        (
            "node --test",
            0,
            "node-none",
            Fail,
            "no test was executed (node --test, 2 skipped)",
        ),
        ("node --test", 0, "node-ok", Pass, "exit status 0, 2 tests"),
        (
            "npx jest --passWithNoTests x",
            0,
            "jest-pass-none",
            Fail,
            "no test was executed (jest)",
        ),
        (
            "npx vitest run",
            0,
            "vitest-filter-none",
            Fail,
            "no test was executed",
        ),
        (
            "npx mocha",
            0,
            "mocha-none",
            Fail,
            "no test was executed (mocha)",
        ),
        (
            "python -m pytestx",
            1,
            "no-module",
            CouldNotLook,
            "the test runner is not there",
        ),
        (
            "cargo nosuch",
            101,
            "cargo-nosuch",
            CouldNotLook,
            "no such command: `nosuch`",
        ),
        (
            "pytestx -q",
            127,
            "sh-nocmd",
            CouldNotLook,
            "a command is not there (exit status 127)",
        ),
    ];
    for (command, status, name, value, words) in cases {
        let seen = done(&printing(command, status, name));
        assert_eq!(seen.value, value, "{command} {name}: {seen:?}");
        assert!(seen.why.contains(words), "{command} {name}: {}", seen.why);
    }
    let piped = Ran {
        command: "pytest -q | tail -1".into(),
        ..ran(End::Exited(0), "/bin/sh: 1: pytest: not found\n")
    };
    assert_eq!(done(&piped).value, CouldNotLook, "{piped:?}");
}

/// A pytest run in which these tests fail and so many pass.
fn suite(status: i32, passed: u64, failing: &[&str]) -> Ran {
    let names: String = failing
        .iter()
        .map(|name| format!("FAILED t.py::{name} - no\n"))
        .collect();
    let failed = failing.len();
    let output = match failed {
        0 => format!("{passed} passed in 0.1s\n"),
        _ => format!("{names}{failed} failed, {passed} passed in 0.1s\n"),
    };
    Ran {
        command: "pytest".into(),
        ..ran(End::Exited(status), &output)
    }
}

#[test]
fn fewer_tests_than_on_the_base_never_pass() {
    use Value::{CouldNotLook, Fail, Pass};
    let (keep, shrink) = (
        criterion(Proof::PassToPass),
        Criterion {
            tests: Tests::MayShrink,
            ..criterion(Proof::PassToPass)
        },
    );
    let none = Ours::none();
    let base = on_base(0, &keep, &suite(0, 5, &[]), &none);
    assert_eq!(base.value, Pass);
    let silent = ran(End::Exited(0), "all fine\n");
    let cases = [
        (
            &keep,
            suite(0, 4, &[]),
            Fail,
            "4 tests executed, 5 on the base (pytest)",
        ),
        (&keep, suite(0, 5, &[]), Pass, "5 tests"),
        (&keep, suite(0, 6, &[]), Pass, "6 tests"),
        (
            &keep,
            silent.clone(),
            CouldNotLook,
            "the base counted 5 tests (pytest), this run counted none",
        ),
        (&shrink, suite(0, 4, &[]), Pass, "4 tests"),
        (&shrink, silent, Pass, "exit status 0"),
        (&shrink, suite(0, 0, &[]), Fail, "no test was executed"),
    ];
    for (criterion, ran, value, words) in cases {
        let seen = after(0, criterion, &ran, Some(&base), &none);
        assert_eq!(seen.value, value, "{seen:?}");
        assert!(seen.why.contains(words), "{}", seen.why);
        assert_eq!(seen.base, Some(Tree::from("t")));
    }
    // A test that fails on the base, in its set-up too, is one test there and one afterwards.
    let both = ran(End::Exited(1), "1 failed, 1 error in 0.1s\n");
    let red = on_base(0, &criterion(Proof::FailToPass), &both, &none);
    let green = after(
        0,
        &criterion(Proof::FailToPass),
        &suite(0, 1, &[]),
        Some(&red),
        &none,
    );
    assert_eq!((red.value, green.value), (Pass, Pass));
}

#[test]
fn on_a_red_base_only_new_failures_count() {
    use Value::{CouldNotLook, Fail, Pass};
    let red = Criterion {
        baseline: Baseline::Red,
        ..criterion(Proof::PassToPass)
    };
    let none = Ours::none();
    let base = on_base(0, &red, &suite(1, 3, &["a", "b"]), &none);
    assert_eq!(base.value, Pass, "{base:?}");
    let cases = [
        (
            suite(1, 3, &["a", "b"]),
            Pass,
            "no failure that the base does not have: 2 of 5 tests failed",
        ),
        (
            suite(1, 4, &["b"]),
            Pass,
            "no failure that the base does not have",
        ),
        (suite(0, 5, &[]), Pass, "exit status 0, 5 tests"),
        (
            suite(1, 3, &["a", "c"]),
            Fail,
            "a new failure beside those of the base: t.py::c",
        ),
        (suite(1, 2, &["a", "b", "c"]), Fail, "t.py::c"),
        (
            suite(1, 2, &["a", "b"]),
            Fail,
            "4 tests executed, 5 on the base",
        ),
        (suite(1, 5, &[]), Fail, "it is no test that fails"),
        (
            ran(End::Exited(1), "nothing\n"),
            Fail,
            "it is no test that fails",
        ),
        (
            ran(End::Exited(1), "3 failed, 2 passed in 1s\n"),
            Fail,
            "3 tests failed, 2 on the base",
        ),
        (
            ran(End::Exited(1), "2 failed, 3 passed in 1s\n"),
            Pass,
            "2 of 5 tests failed (pytest)",
        ),
        (
            ran(End::Signalled(9), "2 failed, 3 passed in 1s\n"),
            Fail,
            "killed by signal 9",
        ),
    ];
    for (ran, value, words) in cases {
        let seen = after(0, &red, &ran, Some(&base), &none);
        assert_eq!(seen.value, value, "{seen:?}");
        assert!(seen.why.contains(words), "{words}: {}", seen.why);
    }
    let blind = on_base(0, &red, &ran(End::Exited(1), "no\n"), &none);
    assert_eq!(blind.value, CouldNotLook);
    assert!(
        blind
            .why
            .contains("`baseline = \"red\"` cannot be used here")
    );
    let plain = on_base(
        0,
        &criterion(Proof::PassToPass),
        &suite(1, 3, &["a"]),
        &none,
    );
    assert_eq!(
        plain.why,
        "red before any work (exit status 1: 1 of 4 tests failed (t.py::a))"
    );
    assert_eq!(on_base(0, &red, &suite(0, 3, &[]), &none).value, Pass);
}

#[test]
fn a_filter_without_a_test_is_red_until_there_is_one() {
    let (f2p, none) = (criterion(Proof::FailToPass), Ours::none());
    let base = on_base(0, &f2p, &printing("cargo test it", 0, "cargo-none"), &none);
    assert_eq!((base.value, base.exit), (Value::Pass, Some(0)), "{base:?}");
    let done = after(
        0,
        &f2p,
        &printing("cargo test it", 0, "cargo-filter"),
        Some(&base),
        &none,
    );
    assert_eq!(done.value, Value::Pass);
}

#[test]
fn red_for_the_wrong_reason_has_not_looked() {
    let seen = on_base(
        0,
        &criterion(Proof::FailToPass),
        &printing("pytest", 2, "pytest-syn"),
        &Ours::none(),
    );
    assert_eq!(seen.value, Value::CouldNotLook);
    assert!(
        seen.why
            .starts_with("red for the wrong reason: pytest could not load the tests"),
        "{}",
        seen.why
    );
}

proptest::proptest! {
    #[test]
    fn any_output_and_status_is_judged(
        status in -1..260_i32,
        command in "(! )?(pytest|cargo test|node|sh) ?.{0,5}",
        output in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        line in proptest::sample::select(LINES),
    ) {
        let ran = Ran {
            command,
            end_of_output: [line.as_bytes(), &output, b"\n", line.as_bytes()].concat(),
            ..ran(End::Exited(status), "")
        };
        for proof in [Proof::FailToPass, Proof::PassToPass] {
            let base = on_base(0, &criterion(proof), &ran, &Ours::none());
            let seen = after(0, &criterion(proof), &ran, Some(&base), &Ours::none());
            proptest::prop_assert!(status == 0 || !seen.passes(), "{seen:?}");
        }
    }
}

/// Beginnings that lead into every reader.
const LINES: &[&str] = &[
    "",
    "sh: 1: Syntax error: ",
    "E   SyntaxError: ",
    "ERROR: not found: ",
    "  File \"",
    "ImportError: ",
    "Error: Cannot find module '",
    "error: no test target named `",
    "/usr/bin/python3: No module named ",
    "sh: 1: pytest: not found\n",
    "1 failed in 1s\n",
    "1 passed in 1s\n",
    "INTERNALERROR> ",
];
