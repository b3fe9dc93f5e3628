//! Tests of the reader as a whole, on a small repository in memory.

mod decisions;
mod diagnostics;
mod docs;
mod evidence;
mod good;
mod property;
mod scale;

use std::collections::BTreeMap;

use seawall_core::path::RepoPath;

use crate::{Base, Beside, Kind, NotBeside, Reading, World};

/// A repository in memory.
pub(crate) struct Memory {
    pub(crate) base: Base,
    pub(crate) files: Vec<(RepoPath, Kind)>,
    pub(crate) profiles: Vec<String>,
    /// Files beside the plan, and where each stands in the repository.
    pub(crate) beside: BTreeMap<RepoPath, Result<Beside, NotBeside>>,
    /// The bytes of files of the base.
    pub(crate) committed: BTreeMap<RepoPath, Vec<u8>>,
}

impl Memory {
    pub(crate) fn with(files: impl IntoIterator<Item = (RepoPath, Kind)>) -> Self {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort();
        Self {
            base: Base::Commit {
                short: "3f2c1ab".into(),
                dirty: Vec::new(),
                dirty_count: 0,
            },
            files,
            profiles: vec!["worker".into(), "worker-landlock".into()],
            beside: BTreeMap::new(),
            committed: BTreeMap::new(),
        }
    }

    /// The repository of most tests: a part of click.
    pub(crate) fn click() -> Self {
        let files = [
            "README.md",
            "src/click/__init__.py",
            "src/click/core.py",
            "src/click/types.py",
            "src/click/utils.py",
            "tests/test_core.py",
            "tools/fix.sh",
        ];
        let plain = files.iter().map(|f| (path(f), Kind::File));
        let mut world = Self::with(plain.chain([
            (path("link"), Kind::Symlink),
            (path("vendor/sub"), Kind::Submodule),
        ]));
        let file = |place: Option<&str>| {
            Ok(Beside {
                bytes: b"assert True\n".as_slice().into(),
                place: place.map(path),
            })
        };
        world.beside = [
            ("hidden/test_new.py", file(None)),
            (
                "hidden/untracked.py",
                file(Some("plans/hidden/untracked.py")),
            ),
            ("hidden/tracked.py", file(Some("tests/test_core.py"))),
            ("hidden/carried.py", file(Some("build/target/carried.py"))),
            ("hidden/opened.py", file(None)),
            ("hidden/link.py", Err(NotBeside::Link)),
            ("hidden", Err(NotBeside::NotAFile)),
            ("hidden/large.py", Err(NotBeside::TooLarge)),
            (
                "hidden/secret.py",
                Err(NotBeside::Unread("permission denied".into())),
            ),
        ]
        .into_iter()
        .map(|(name, file)| (path(name), file))
        .collect();
        world
    }

    pub(crate) fn read(&self, text: &str) -> Reading {
        crate::read(text, self)
    }
}

impl World for Memory {
    fn base(&self) -> Base {
        self.base.clone()
    }

    fn files(&self) -> &[(RepoPath, Kind)] {
        &self.files
    }

    fn committed(&self, path: &RepoPath) -> Result<Vec<u8>, String> {
        let found = self.committed.get(path).cloned();
        found.ok_or_else(|| "it is not there".to_owned())
    }

    fn ignored(&self, path: &RepoPath) -> bool {
        ["build/", ".venv/"]
            .iter()
            .any(|dir| path.as_bytes().starts_with(dir.as_bytes()))
    }

    fn profiles(&self) -> &[String] {
        &self.profiles
    }

    fn command_exists(&self, program: &str) -> bool {
        ["pyupgrade", "fix", "/bin/cat"].contains(&program)
    }

    fn beside(&self, path: &RepoPath, _most: u64) -> Result<Beside, NotBeside> {
        let found = self.beside.get(path).cloned();
        found.unwrap_or(Err(NotBeside::Missing))
    }

    fn opens(&self, read: &str, path: &RepoPath) -> bool {
        read == "~/.cargo" && path.as_bytes() == b"hidden/opened.py"
    }
}

pub(crate) fn path(text: &str) -> RepoPath {
    RepoPath::new(text.as_bytes()).unwrap()
}

/// The plan of the issue, with everything in it.
pub(crate) const GOOD: &str = r##"version = 1
name = "modern-typing"
goal = "Replace typing aliases by builtin generics without changing behaviour"

[defaults]
agent = "modernise"
profile = "worker"
attempts = 2
timeout = "10m"

[budget]
attempts = 60
wall = "2h"

[limits]
check_timeout = "5m"
output = "64MiB"
silence = "5m"

[sandbox]
read = ["~/.cargo"]
pass = ["LANG"]
env = { PYTHONDONTWRITEBYTECODE = "1" }

[workspace]
mode = "auto"
carry = ["build/target"]
carry_files = ["build/env"]

[agent.modernise]
run = ["pyupgrade", "--py38-plus", "{file}"]

[agent.writer]
run = ["fix", "{file}"]
prompt = "stdin"

[[checkpoint]]
says = "the whole suite passes"
run = "python -m pytest -q"

[[invariant]]
says = "no module imports from the tests"
run = "! grep -rn 'from tests' src"

[[task]]
id = "types"
each = "src/click/[a-z]*.py"
prompt = "Replace the aliases of typing by the builtin generics."
when = "red"

  [[task.check]]
  says = "no typing alias is left"
  run = "! grep -nE '\\bt\\.(List|Dict|Tuple)\\b' {file}"

[[task]]
id = "exports"
agent = "writer"
files = ["src/click/__init__.py"]
creates = ["src/click/new.py"]
because = "a new module and its export belong together"
after = ["types"]
reads = ["src/click/*.py", "README.md"]
prompt = "Export the new names."
timeout = "1h 30m"

  [[task.check]]
  says = "every name in __all__ exists"
  run = "python tools/exports.py {file}"
  proof = "pass-to-pass"

  [[task.check]]
  says = "a person likes the names"
  proof = "manual"
"##;
