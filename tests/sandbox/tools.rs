//! What must still work inside: the tools of real projects.
//!
//! Each runs as the user of the tests, with that user's own toolchains, once with namespaces and once without.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::packages::Python;
use crate::{needs, place};

struct Project {
    directory: tempfile::TempDir,
    /// A directory of programs that goes first on `PATH`.
    tools: Option<PathBuf>,
}

impl Project {
    fn with(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("seawall-project-")
            .tempdir_in("/var/tmp")
            .unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self {
            directory,
            tools: None,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a shell command in the sandbox of a profile, which must succeed; what it said.
    fn inside(&self, profile: &str, namespaces: bool, script: &str) -> String {
        let mut command = Command::new(place::seawall());
        command.args(["exec", "--profile", profile]);
        if !namespaces {
            command.arg("--no-namespaces");
        }
        command.arg("--dir").arg(self.path());
        command.args(["--", "sh", "-ec", script]);
        if let Some(tools) = &self.tools {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let all = std::iter::once(tools.clone()).chain(std::env::split_paths(&path));
            command.env("PATH", std::env::join_paths(all).unwrap());
        }
        let done = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let errors = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "{profile}, namespaces {namespaces}: {script}: {}\n{said}\n{errors}",
            done.status
        );
        said
    }
}

/// Where a tool is; says that the test is skipped when it is nowhere.
fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
    };
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(is_program);
    needs::have(name, found.is_some());
    found
}

fn has(names: &[&str]) -> bool {
    names.iter().all(|name| tool(name).is_some())
}

/// Once with namespaces and once without, each with a fresh project.
fn in_both_modes(files: &[(&str, &str)], profile: &str, script: &str, says: &str) {
    for namespaces in [true, false] {
        let project = Project::with(files);
        let said = project.inside(profile, namespaces, script);
        assert!(said.contains(says), "namespaces {namespaces}: {said}");
    }
}

#[test]
fn git_reads() {
    if !has(&["git"]) {
        return;
    }
    for namespaces in [true, false] {
        let project = Project::with(&[("a.txt", "one\n")]);
        for words in [
            &["init", "-q", "-b", "main"][..],
            &["add", "a.txt"],
            &[
                "-c",
                "user.name=u",
                "-c",
                "user.email=u@example.org",
                "commit",
                "-qm",
                "the first",
            ],
        ] {
            let git = Command::new("git")
                .args(words)
                .current_dir(project.path())
                .status();
            assert!(git.unwrap().success(), "{words:?}");
        }
        fs::write(project.path().join("a.txt"), "two\n").unwrap();
        let script = "git log --oneline; git status --short; git diff; git show HEAD:a.txt";
        let said = project.inside("worker", namespaces, script);
        for part in ["the first", " M a.txt", "+two", "one"] {
            assert!(
                said.contains(part),
                "namespaces {namespaces}: `{part}` is missing: {said}"
            );
        }
    }
}

#[test]
fn rustc_builds() {
    if has(&["rustc"]) {
        let files = [("main.rs", "fn main() { println!(\"built {}\", 6 * 7); }")];
        in_both_modes(
            &files,
            "check",
            "rustc -O main.rs -o main; ./main",
            "built 42",
        );
    }
}

#[test]
fn cargo_builds_and_tests_offline() {
    if has(&["cargo"]) {
        let files = [
            (
                "Cargo.toml",
                "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
            ),
            (
                "src/lib.rs",
                "pub fn two() -> u32 { 2 }\n#[test] fn is_two() { assert_eq!(two(), 2); }\n",
            ),
        ];
        let script = "cargo build --offline 2>&1; cargo test --offline 2>&1";
        in_both_modes(&files, "check", script, "test is_two ... ok");
    }
}

#[test]
fn gcc_and_make_build() {
    if has(&["gcc", "make"]) {
        let files = [
            (
                "main.c",
                "#include <stdio.h>\nint main(void) { puts(\"built by make\"); return 0; }\n",
            ),
            (
                "Makefile",
                "all: main\n\t./main\nmain: main.o\n\tgcc -o $@ $<\n%.o: %.c\n\tgcc -c -o $@ $<\n",
            ),
        ];
        in_both_modes(&files, "check", "make -j2", "built by make");
    }
}

#[test]
fn a_virtual_environment_is_made() {
    if has(&["python3"]) {
        let script = "python3 -m venv --without-pip \"$TMPDIR/venv\"; \"$TMPDIR/venv/bin/python\" -c 'print(6 * 7)'";
        in_both_modes(&[], "check", script, "42");
    }
}

#[test]
fn pytest_of_a_virtual_environment_runs() {
    if let Some(python) = Python::get("pytest in the sandbox") {
        let files = [(
            "test_it.py",
            "def test_it(tmp_path):\n    (tmp_path / 'x').write_text('y')\n",
        )];
        for namespaces in [true, false] {
            let mut project = Project::with(&files);
            project.tools = Some(python.bin());
            let said = project.inside(
                "check",
                namespaces,
                "python -m pytest -q -p no:cacheprovider",
            );
            assert!(said.contains("1 passed"), "namespaces {namespaces}: {said}");
        }
    }
}

#[test]
fn npm_runs_tests() {
    if has(&["node", "npm"]) {
        let files = [
            (
                "package.json",
                "{\"name\": \"sample\", \"version\": \"1.0.0\", \"scripts\": {\"test\": \"node --test\"}}",
            ),
            (
                "it.test.js",
                "const test = require('node:test'); const assert = require('assert'); test('it', () => assert.equal(1 + 1, 2));\n",
            ),
        ];
        in_both_modes(&files, "worker", "npm test 2>&1", "pass 1");
    }
}
