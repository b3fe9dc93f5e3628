//! Real outputs of checks that could not begin, with the files that make them the right red.

use std::sync::Arc;

use seawall_core::ids::{Digest, Tree};
use seawall_core::path::RepoPath;
use seawall_core::plan::{Budget, Limits, Plan, Task, When};

use super::*;
use crate::counts::count;
use crate::counts::tests::printed;

fn plan(owned: &[&str]) -> Plan {
    let path = |path: &&str| RepoPath::new(path.as_bytes()).unwrap();
    Plan {
        decisions: Vec::new(),
        name: "p".into(),
        goal: "g".into(),
        budget: Budget {
            attempts: 1,
            wall_ms: 1,
        },
        limits: Limits {
            check_timeout_ms: 1,
            output_bytes: 1,
            silence_ms: None,
        },
        sandbox: Default::default(),
        workspace: Default::default(),
        evidence: Default::default(),
        agents: Default::default(),
        checkpoints: Vec::new(),
        invariants: Vec::new(),
        findings: Vec::new(),
        tasks: vec![Task {
            id: "t".into(),
            files: owned.iter().map(path).collect(),
            creates: Vec::new(),
            deletes: Vec::new(),
            reads: Vec::new(),
            read_globs: Arc::new([]),
            after: Vec::new(),
            because: None,
            prompt: "p".into(),
            agent: "a".into(),
            profile: "worker".into(),
            attempts: 1,
            timeout_ms: 1,
            checks: Arc::new([]),
            when: When::Always,
            expected_lines: None,
            ..Task::default()
        }],
    }
}

fn wrong(command: &str, status: i32, output: &[u8], owned: &[&str]) -> Option<String> {
    let ran = Ran {
        command: command.into(),
        tree: Tree::from("t"),
        end: End::Exited(status),
        ms: 1,
        bytes: output.len() as u64,
        end_of_output: output.to_vec(),
        digest: Digest::of(output),
        report: crate::ran::Report::NotAsked,
        enforced: Arc::default(),
    };
    wrong_red(&ran, count(output).as_ref(), &Ours::of(&plan(owned)))
}

#[test]
fn what_a_check_stumbles_over_is_told_unless_the_plan_is_to_mend_it() {
    let cases: &[(&str, i32, &str, &[&str], &str)] = &[
        // output, status, what it says, files that make it the right red, other files
        (
            "sh-syn",
            2,
            "the shell cannot read the command",
            &[],
            "lib.py",
        ),
        ("sh-unterm", 2, "Unterminated quoted string", &[], "lib.py"),
        (
            "pytest-imp",
            2,
            "No module named 'nosuchmodule_x'",
            &[
                "nosuchmodule_x.py",
                "src/nosuchmodule_x/a.py",
                "test_imp.py",
            ],
            "lib.py",
        ),
        (
            "pytest-later",
            2,
            "cannot import name 'later'",
            &["lib.py", "test_later.py"],
            "other.py",
        ),
        (
            "pytest-syn",
            2,
            "SyntaxError: invalid syntax",
            &["test_syn.py"],
            "lib.py",
        ),
        (
            "pytest-gone",
            4,
            "file or directory not found: test_gone.py",
            &["test_gone.py"],
            "lib.py",
        ),
        (
            "pytest-gone-name",
            4,
            "not found: /repo/test_ok.py::test_zz",
            &["test_ok.py"],
            "lib.py",
        ),
        (
            "pytest-usage",
            4,
            "unrecognized arguments: --nope",
            &[],
            "lib.py",
        ),
        (
            "unittest-gone",
            1,
            "No module named 'nosuch'",
            &["nosuch.py"],
            "lib.py",
        ),
        (
            "unittest-imp",
            1,
            "No module named 'nosuchmodule_x'",
            &["nosuchmodule_x.py", "test_imp.py"],
            "lib.py",
        ),
        (
            "py-syn",
            1,
            "SyntaxError: invalid syntax",
            &["test_syn.py"],
            "lib.py",
        ),
        (
            "py-imp",
            1,
            "No module named 'nosuchmodule_x'",
            &["nosuchmodule_x/__init__.py", "test_imp.py"],
            "lib.py",
        ),
        (
            "py-later",
            1,
            "cannot import name 'later'",
            &["lib.py"],
            "other.py",
        ),
        (
            "node-imp",
            1,
            "Cannot find module '/repo/gone.mjs'",
            &["gone.mjs", "imp.test.mjs"],
            "ok.mjs",
        ),
        (
            "node-pkg",
            1,
            "Cannot find package 'nopkg'",
            &["nopkg/index.js"],
            "ok.mjs",
        ),
        (
            "node-gone",
            1,
            "Could not find '/repo/gone.test.mjs'",
            &["gone.test.mjs"],
            "ok.mjs",
        ),
        (
            "node-script-gone",
            1,
            "Cannot find module '/repo/gone.mjs'",
            &["gone.mjs"],
            "ok.mjs",
        ),
        (
            "jest-imp",
            1,
            "Cannot find module './gone'",
            &["j/gone.js", "j/imp.test.js"],
            "ok.mjs",
        ),
        (
            "cargo-notarget",
            101,
            "no test target named `nope`",
            &["tests/nope.rs"],
            "src/lib.rs",
        ),
    ];
    for (name, status, says, ours, other) in cases {
        let command = if name.starts_with("pytest") {
            "pytest -q"
        } else {
            "c"
        };
        let said = wrong(command, *status, &printed(name), &[other]);
        assert!(
            said.as_ref().is_some_and(|said| said.contains(says)),
            "{name}: {said:?}"
        );
        for path in *ours {
            assert_eq!(
                wrong(command, *status, &printed(name), &[path]),
                None,
                "{name} with {path}"
            );
        }
    }
}

#[test]
fn a_check_that_looked_is_red_for_the_right_reason() {
    for (name, status) in [
        ("pytest-mix", 1),
        ("pytest-none", 5),
        ("unittest-mix", 1),
        ("cargo-mix", 101),
        ("cargo-compile", 101),
        ("node-mix", 1),
        ("jest-mix", 1),
        ("vitest-mix", 1),
        ("mocha-mix", 2),
        ("go-build", 1),
    ] {
        assert_eq!(wrong("c", status, &printed(name), &[]), None, "{name}");
    }
    let own: [(i32, &[u8]); 5] = [
        (1, b""),
        (1, b"a.py:1:import typing\n"),
        (2, b"grep: src/new.py: No such file or directory\n"),
        (1, b"ImportError: not a traceback of ours\n"),
        (1, b"lint: error: 3 problems in src/a.py\n"),
    ];
    for (status, output) in own {
        assert_eq!(
            wrong("c", status, output, &[]),
            None,
            "{}",
            String::from_utf8_lossy(output)
        );
    }
}
