//! The judge's own files: tests, what their runners load on sight, build files and scripts that checks run.
//!
//! Evidence is only as good as what made it, so a change of such a file is a change of the judge. They are known by name and
//! place alone, and by the commands that run them, which is quick and blind to a runner that was told to look elsewhere.
//! Manifests are shared with the product: of them only the tables that runners and build tools read count.

mod commands;
mod manifest;

#[cfg(test)]
mod tests;

use seawall_core::path::RepoPath;

use crate::places::Parts;
pub use manifest::judges_part_changed;

/// Files of these names, anywhere.
const NAMES: &[(&str, &str)] = &[
    ("conftest.py", "pytest loads it"),
    ("sitecustomize.py", "every Python runs it"),
    ("usercustomize.py", "every Python runs it"),
    ("pytest.ini", "pytest obeys it"),
    (".pytest.ini", "pytest obeys it"),
    ("pytest.toml", "pytest obeys it"),
    (".pytest.toml", "pytest obeys it"),
    ("tox.ini", "tox and pytest obey it"),
    ("tox.toml", "tox obeys it"),
    ("noxfile.py", "nox runs it"),
    (".coveragerc", "coverage obeys it"),
    ("build.rs", "cargo runs it before the tests"),
    ("rust-toolchain", "cargo obeys it"),
    ("rust-toolchain.toml", "cargo obeys it"),
    ("clippy.toml", "clippy obeys it"),
    (".clippy.toml", "clippy obeys it"),
    ("angular.json", "the test runner obeys it"),
];

/// Files that begin so and go on with a dot: `jest.config.ts`, `.mocharc.yml`.
const STEMS: &[(&str, &str)] = &[
    ("jest.config", "jest obeys it"),
    ("jest.setup", "jest loads it"),
    ("vitest.config", "vitest obeys it"),
    ("vitest.setup", "vitest loads it"),
    ("vitest.workspace", "vitest obeys it"),
    ("vite.config", "vitest obeys it"),
    (".mocharc", "mocha obeys it"),
    ("ava.config", "ava obeys it"),
    ("karma.conf", "karma obeys it"),
    ("playwright.config", "playwright obeys it"),
    ("cypress.config", "cypress obeys it"),
    ("wtr.config", "the test runner obeys it"),
    ("web-test-runner.config", "the test runner obeys it"),
];

/// Files of these names in a directory of that name.
const PLACES: &[(&str, &str, &str)] = &[
    (".cargo", "config.toml", "cargo obeys it"),
    (".cargo", "config", "cargo obeys it"),
    (".config", "nextest.toml", "cargo nextest obeys it"),
];

/// Build files of a program that a check runs.
const BUILDS: &[(&str, &[&str], &str)] = &[
    (
        "make",
        &["makefile", "gnumakefile", "*.mk"],
        "a check runs make, which obeys it",
    ),
    (
        "gmake",
        &["makefile", "gnumakefile", "*.mk"],
        "a check runs make, which obeys it",
    ),
    (
        "just",
        &["justfile", ".justfile", "*.just"],
        "a check runs just, which obeys it",
    ),
    (
        "task",
        &["taskfile.yml", "taskfile.yaml"],
        "a check runs task, which obeys it",
    ),
    (
        "invoke",
        &["tasks.py"],
        "a check runs invoke, which runs it",
    ),
    ("inv", &["tasks.py"], "a check runs invoke, which runs it"),
    ("rake", &["rakefile"], "a check runs rake, which runs it"),
];

/// Directories of tests and of what they need.
const TESTS: &[&str] = &[
    "test",
    "tests",
    "testdata",
    "__tests__",
    "__mocks__",
    "__snapshots__",
    "fixtures",
    "e2e",
];

/// Why a file is the judge's, in a few words; none when it is not. `commands` are those of the checks that judge.
///
/// A manifest is not the judge's as a whole: see [`judges_part_changed`].
#[must_use]
pub fn judges_file(path: &RepoPath, commands: &[&str]) -> Option<&'static str> {
    let parts = Parts::of(path);
    of_runner(&parts)
        .or_else(|| is_test(&parts).then_some("it is a test, or tests use it"))
        .or_else(|| built(&parts, commands))
        .or_else(|| commands::runs(path, &parts, commands))
}

/// Whether a file holds tests or their data. Narrower than what rules let pass for tests: a product may have a directory
/// `testing` or `spec`.
pub(crate) fn is_test(parts: &Parts) -> bool {
    let snapshot = parts.extension() == "snap";
    // A Rust module of tests beside what it tests.
    let module = parts.name == "tests.rs" || parts.name == "test.rs";
    snapshot || module || parts.is_named_test() || parts.below(TESTS)
}

/// Why a runner or an interpreter takes notice of it without being told.
pub(crate) fn of_runner(parts: &Parts) -> Option<&'static str> {
    let exact = NAMES.iter().find(|(name, _)| *name == parts.name);
    let begins = |stem: &str| {
        let rest = parts.name.strip_prefix(stem);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let stem = STEMS.iter().find(|(stem, _)| begins(stem));
    let within = |dir: &str| parts.directories.last().is_some_and(|last| last == dir);
    let place = PLACES
        .iter()
        .find(|(dir, name, _)| *name == parts.name && within(dir));
    let path_file = (parts.extension() == "pth").then_some("every Python obeys it");
    let known = exact.or(stem).map(|(_, why)| *why);
    known.or(place.map(|(_, _, why)| *why)).or(path_file)
}

fn built(parts: &Parts, commands: &[&str]) -> Option<&'static str> {
    let name = parts.name.to_lowercase();
    let is = |pattern: &&str| match pattern.strip_prefix('*') {
        Some(end) => name.ends_with(end),
        None => name == *pattern,
    };
    let mut candidates = BUILDS.iter().filter(|(_, names, _)| names.iter().any(is));
    let runs = |program: &str| {
        let mut all = commands
            .iter()
            .flat_map(|command| commands::programs(command));
        all.any(|ran| ran == program)
    };
    candidates
        .find(|(program, ..)| runs(program))
        .map(|(_, _, why)| *why)
}
