//! What real runners print, and what only looks like it.

use super::*;
use proptest::prelude::*;

/// What a real runner printed, by name; those of `go test` are written after its documentation.
pub(crate) fn printed(name: &str) -> Vec<u8> {
    let path = format!("{}/testdata/runners/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn what_real_runners_print_is_counted() {
    let cases: &[(&str, &str, [u64; 4], &[&str])] = &[
        // output, runner, passed, failed, of these errors, skipped; what failed
        ("pytest-mix", "pytest", [2, 4, 1, 2], PYTEST),
        ("pytest-mix-q", "pytest", [2, 4, 1, 2], PYTEST),
        ("pytest-v", "pytest", [2, 4, 1, 2], PYTEST),
        ("pytest-ok", "pytest", [2, 0, 0, 0], &[]),
        ("pytest-ok-color", "pytest", [2, 0, 0, 0], &[]),
        ("pytest-k", "pytest", [1, 0, 0, 0], &[]),
        ("pytest-none", "pytest", [0, 0, 0, 0], &[]),
        ("pytest-skip", "pytest", [0, 0, 0, 1], &[]),
        ("pytest-imp", "pytest", [0, 1, 1, 0], &["test_imp.py"]),
        ("pytest-gone", "pytest", [0, 0, 0, 0], &[]),
        ("unittest-mix", "unittest", [0, 5, 1, 2], UNITTEST),
        ("unittest-ok", "unittest", [1, 0, 0, 0], &[]),
        ("unittest-none", "unittest", [0, 0, 0, 0], &[]),
        ("cargo-mix", "cargo test", [3, 1, 0, 1], &["tests::bad"]),
        ("cargo-ok", "cargo test", [3, 0, 0, 1], &[]),
        ("cargo-filter", "cargo test", [1, 0, 0, 0], &[]),
        ("cargo-none", "cargo test", [0, 0, 0, 0], &[]),
        (
            "nextest-mix",
            "cargo nextest",
            [2, 1, 0, 0],
            &["fx tests::bad"],
        ),
        ("nextest-ok", "cargo nextest", [2, 0, 0, 0], &[]),
        ("nextest-none", "cargo nextest", [0, 0, 0, 0], &[]),
        (
            "go-v",
            "go test -v",
            [1, 2, 0, 1],
            &["TestB", "TestB/sub_one"],
        ),
        ("go-ok", "go test", [2, 0, 0, 0], &[]),
        ("go-fail", "go test", [1, 1, 0, 0], &["TestB"]),
        ("go-build", "go test", [0, 1, 1, 0], &[]),
        ("go-none", "go test", [0, 0, 0, 0], &[]),
        ("go-run-none", "go test", [0, 0, 0, 0], &[]),
        ("node-mix", "node --test", [2, 2, 0, 2], NODE),
        ("node-mix-spec", "node --test", [2, 2, 0, 2], NODE),
        ("node-ok", "node --test", [2, 0, 0, 0], &[]),
        ("node-ok-spec", "node --test", [2, 0, 0, 0], &[]),
        ("node-none", "node --test", [0, 0, 0, 2], &[]),
        ("node-empty", "node --test", [0, 0, 0, 0], &[]),
        (
            "jest-mix",
            "jest",
            [1, 2, 0, 2],
            &["suite › bad", "bad top"],
        ),
        ("jest-ok", "jest", [2, 0, 0, 0], &[]),
        (
            "jest-imp",
            "jest",
            [0, 1, 1, 0],
            &["Test suite failed to run"],
        ),
        ("jest-none", "jest", [0, 0, 0, 0], &[]),
        ("jest-pass-none", "jest", [0, 0, 0, 0], &[]),
        ("jest-filter-none", "jest", [0, 0, 0, 2], &[]),
        ("vitest-mix", "vitest", [1, 2, 0, 2], VITEST),
        ("vitest-ok", "vitest", [2, 0, 0, 0], &[]),
        (
            "vitest-imp",
            "vitest",
            [0, 1, 1, 0],
            &["v/imp.spec.mjs [ v/imp.spec.mjs ]"],
        ),
        ("vitest-none", "vitest", [0, 0, 0, 0], &[]),
        ("vitest-filter-none", "vitest", [0, 0, 0, 2], &[]),
        (
            "mocha-mix",
            "mocha",
            [1, 2, 0, 1],
            &["bad top", "suite > inner > bad"],
        ),
        ("mocha-ok", "mocha", [2, 0, 0, 0], &[]),
        ("mocha-none", "mocha", [0, 0, 0, 0], &[]),
        ("mocha-gone", "mocha", [0, 0, 0, 0], &[]),
        (
            "mocha-tap",
            "TAP",
            [1, 2, 0, 1],
            &["bad top", "suite inner bad"],
        ),
        ("tap-mix", "TAP", [1, 1, 0, 2], &["two"]),
        ("tap-none", "TAP", [0, 0, 0, 0], &[]),
    ];
    for (name, runner, numbers, failing) in cases {
        let seen = count(&printed(name)).unwrap_or_else(|| panic!("{name}: nothing seen"));
        let of = [seen.passed, seen.failed, seen.errors, seen.skipped];
        assert_eq!((seen.runner.as_str(), &of), (*runner, numbers), "{name}");
        assert_eq!(seen.failing, *failing, "{name}");
    }
}

const PYTEST: &[&str] = &[
    "test_mix.py::test_bad",
    "test_mix.py::test_par[a b]",
    "test_mix.py::test_par[c - d]",
    "test_mix.py::test_err",
];
const UNITTEST: &[&str] = &[
    "test_e (ut.T.test_e)",
    "test_f (ut.T.test_f)",
    "test_sub (ut.T.test_sub) (i=1)",
    "test_sub (ut.T.test_sub) (i=2)",
    "test_u (ut.T.test_u)",
];
const NODE: &[&str] = &["bad one", "inner bad", "suite"];
const VITEST: &[&str] = &["v/mix.spec.mjs > suite > bad", "v/mix.spec.mjs > bad top"];

#[test]
fn what_is_no_runner_is_not_counted() {
    let cases: [&[u8]; 14] = [
        b"",
        b"3 files changed in 2 commits\n",
        b"built in 0.3s\n",
        b"2 warnings in 3s\n",
        b"0 passed\nno tests ran yesterday\n",
        b"    test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured\n",
        b"  3 passing thoughts, not by mocha's words\n"[2..].as_ref(),
        b"Tests: none of them in total, thank you\n",
        b"ok\tfine\n",
        b"not ok\n",
        b"# tests 3\n# pass 3\n",
        b"Ran away\nOK\n",
        b"Tests  are good (all)\n",
        &[0xff, 0x1b, b'[', 0x1b, 0x00, b'\n'],
    ];
    for output in cases {
        assert_eq!(count(output), None, "{}", String::from_utf8_lossy(output));
    }
    for name in [
        "pytest-qq",
        "no-module",
        "py-syn",
        "sh-syn",
        "cargo-compile",
        "cargo-nosuch",
    ] {
        assert_eq!(count(&printed(name)), None, "{name}");
    }
}

#[test]
fn sub_tests_of_one_test_are_one_test() {
    let red = b"Ran 1 test in 0.001s\n\nFAILED (failures=10)\n";
    assert_eq!(count(red).unwrap().executed(), 1);
}

#[test]
fn several_runners_are_added_up() {
    let both = [
        printed("pytest-ok"),
        printed("cargo-mix"),
        printed("pytest-k"),
    ]
    .concat();
    let seen = count(&both).unwrap();
    assert_eq!(seen.runner, "pytest + cargo test");
    assert_eq!((seen.passed, seen.failed, seen.skipped), (6, 1, 1));
}

#[test]
fn absurd_numbers_and_many_names_are_bounded() {
    let huge = "99999999999999999999999 passed, 9 failed in 1s\n".repeat(3);
    assert_eq!(count(huge.as_bytes()).unwrap().passed, u64::MAX);
    let names: String = (0..2 * NAMES)
        .map(|n| format!("FAILED a.py::t{n}{}\n", "é".repeat(400)))
        .collect();
    let seen = count(format!("{names}1000 failed in 1s\n").as_bytes()).unwrap();
    assert_eq!(seen.failing.len(), NAMES);
    assert!(seen.failing.iter().all(|name| name.len() <= NAME) && !seen.names_all());
}

proptest! {
    #[test]
    fn any_bytes_are_read(output in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = count(&output);
    }

    #[test]
    fn any_mixture_of_summaries_is_read(
        parts in proptest::collection::vec((0..PIECES.len(), ".{0,6}"), 0..12)
    ) {
        let text: String = parts.iter().map(|(n, junk)| format!("{}{junk}\n", PIECES[*n])).collect();
        if let Some(seen) = count(text.as_bytes()) {
            prop_assert!(seen.errors <= seen.failed);
            prop_assert!(seen.executed() <= seen.passed.saturating_add(seen.failed));
        }
    }
}

const PIECES: &[&str] = &[
    "=== 1 failed, ",
    "3 passed in 0.1s",
    "Ran 3 tests in 1s",
    "FAILED (failures=",
    "OK (",
    "test result: ok. 1 passed; ",
    "Summary [ 1s] 3/",
    "3 tests run: 1 passed",
    "ok\tp\t1s",
    "--- FAIL: T (",
    "=== RUN ",
    "# tests 1",
    "# cancelled 1",
    "ℹ pass ",
    "✖ x (1ms)",
    "1..",
    "not ok ",
    "ok 1",
    "Tests: 1 passed, 1 total",
    "Test Suites: 1 failed, 1 total",
    "  Tests  1 passed (1)",
    "  1 passing (",
    "  1 failing",
    "  1) a",
    "       b:",
    "● ",
    "\u{1b}[",
];
