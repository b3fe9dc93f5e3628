//! Which files judge, and which only look like it.

use seawall_core::path::RepoPath;

use super::*;

fn path(name: &str) -> RepoPath {
    RepoPath::new(name.as_bytes()).unwrap()
}

#[test]
fn what_runners_take_notice_of() {
    for (name, why) in [
        ("conftest.py", "pytest loads it"),
        ("src/pkg/conftest.py", "pytest loads it"),
        ("sitecustomize.py", "every Python runs it"),
        ("lib/usercustomize.py", "every Python runs it"),
        ("site/evil.pth", "every Python obeys it"),
        ("pytest.ini", "pytest obeys it"),
        ("tox.ini", "tox and pytest obey it"),
        ("noxfile.py", "nox runs it"),
        ("web/jest.config.ts", "jest obeys it"),
        ("vitest.config.mts", "vitest obeys it"),
        (".mocharc.yml", "mocha obeys it"),
        (".mocharc", "mocha obeys it"),
        ("ava.config.cjs", "ava obeys it"),
        (".cargo/config.toml", "cargo obeys it"),
        ("a/.config/nextest.toml", "cargo nextest obeys it"),
        ("build.rs", "cargo runs it before the tests"),
    ] {
        assert_eq!(judges_file(&path(name), &[]), Some(why), "{name}");
    }
}

#[test]
fn what_is_a_test_by_custom() {
    for name in [
        "tests/test_a.py",
        "src/test_a.py",
        "src/a_test.py",
        "tests/data/input.json",
        "src/a.test.ts",
        "src/a.spec.jsx",
        "src/__tests__/a.js",
        "src/__snapshots__/a.js.snap",
        "crates/x/tests/cli.rs",
        "crates/x/src/a/tests.rs",
        "crates/x/src/a/tests/deep.rs",
        "pkg/a_test.go",
        "pkg/testdata/golden.txt",
    ] {
        let why = judges_file(&path(name), &[]);
        assert_eq!(why, Some("it is a test, or tests use it"), "{name}");
    }
}

#[test]
fn what_is_the_product() {
    let commands = [
        "make check",
        "just test",
        "python src/app.py",
        "sh run.sh",
        "cargo test",
    ];
    for name in [
        "src/a.py",
        "src/testing/helpers.py",
        "src/latest.py",
        "src/contest.py",
        "src/app.py",
        "api/spec/openapi.yml",
        "config.toml",
        "cargo/config.toml",
        "src/jest_config.py",
        "src/attest.rs",
        "README.md",
        "pyproject.toml",
        "package.json",
        "Cargo.toml",
        "scripts/release.sh",
    ] {
        assert_eq!(judges_file(&path(name), &commands), None, "{name}");
    }
}

#[test]
fn what_a_command_runs() {
    for (name, command) in [
        ("Makefile", "make check"),
        ("sub/Makefile", "cd sub && make"),
        ("rules.mk", "! CI=1 make -s lint"),
        ("justfile", "just test"),
        ("scripts/check.py", "python scripts/check.py {file}"),
        ("scripts/check.py", "python3 -m scripts.check"),
        ("scripts/check.py", "python -u ./scripts/check.py"),
        ("ci/all.sh", "./ci/all.sh"),
        ("run.sh", "set -e; bash run.sh | tail -1"),
        ("tools/verify.js", "(cd tools && node verify.js)"),
        ("tools/verify.js", "node 'tools/verify.js' --all"),
    ] {
        assert!(
            judges_file(&path(name), &[command]).is_some(),
            "{name}: {command}"
        );
    }
    for (name, command) in [
        ("Makefile", "cargo test make"),
        ("Makefile", "grep -q make Makefile"),
        ("scripts/check.py", "grep -q x scripts/check.py"),
        ("scripts/check.py", "python scripts/other_check.py"),
        ("src/app.py", "python src/app.py"),
        ("justfile", "echo just so"),
        ("run.sh", "test -e run.sh"),
    ] {
        assert_eq!(
            judges_file(&path(name), &[command]),
            None,
            "{name}: {command}"
        );
    }
}

/// A manifest before, and after a change that judges and one that does not.
const MANIFESTS: &[(&str, &str, &str, &str)] = &[
    (
        "pyproject.toml",
        "[project]\nname = \"a\"\n[tool.pytest.ini_options]\naddopts = \"-q\"\n",
        "[project]\nname = \"a\"\n[tool.pytest.ini_options]\naddopts = \"-q --deselect tests/a.py\"\n",
        "[project]\nname = \"a\"\ndependencies = [\"b\"]\n# more\n[tool.pytest.ini_options]\naddopts = '-q'\n",
    ),
    (
        "pyproject.toml",
        "[project]\nname = \"a\"\n",
        "[project]\nname = \"a\"\n[project.entry-points.pytest11]\np = \"p\"\n",
        "[project]\nname = \"a\"\n[project.scripts]\na = \"a:main\"\n[tool.poetry]\nname = \"a\"\n",
    ),
    (
        "setup.cfg",
        "[metadata]\nname = a\n[tool:pytest]\naddopts = -q\n",
        "[metadata]\nname = a\n[tool:pytest]\naddopts = -q\n  -k fast\n",
        "[metadata]\nname = b\n\n[tool:pytest]\n# quick\naddopts = -q\n",
    ),
    (
        "package.json",
        "{\"name\": \"a\", \"scripts\": {\"test\": \"jest\"}}",
        "{\"name\": \"a\", \"scripts\": {\"test\": \"true\"}}",
        "{\"scripts\": {\"test\": \"jest\", \"lint\": \"eslint\", \"prepare\": \"x\"}, \"name\": \"a\", \"dependencies\": {\"b\": \"1\"}}",
    ),
    (
        "package.json",
        "{\"scripts\": {\"test\": \"jest\"}}",
        "{\"scripts\": {\"pretest\": \"node fake.js\", \"test\": \"jest\"}}",
        "{\"scripts\": {\"build\": \"tsc\", \"test\": \"jest\"}}",
    ),
    (
        "web/package.json",
        "{\"jest\": {\"bail\": true}}",
        "{\"jest\": {\"bail\": true, \"passWithNoTests\": true}}",
        "{\"jest\": {\"bail\": true}, \"version\": \"2\"}",
    ),
    (
        "Cargo.toml",
        "[package]\nname = \"a\"\n[lib]\nname = \"a\"\n",
        "[package]\nname = \"a\"\n[lib]\nname = \"a\"\ntest = false\n",
        "[package]\nname = \"a\"\nversion = \"0.2.0\"\n[lib]\nname = \"a\"\n[dependencies]\nb = \"1\"\n",
    ),
    (
        "Cargo.toml",
        "[package]\nname = \"a\"\n[[bin]]\nname = \"x\"\n",
        "[package]\nname = \"a\"\n[[bin]]\nname = \"x\"\ntest = false\n",
        "[package]\nname = \"a\"\n[[bin]]\nname = \"x\"\n[[bin]]\nname = \"y\"\n",
    ),
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"a\", \"b\"]\n",
        "[workspace]\nmembers = [\"a\"]\n",
        "[workspace]\nmembers = [\"a\", \"b\", \"c\"]\n",
    ),
    (
        "Cargo.toml",
        "[package]\nname = \"a\"\n[[test]]\nname = \"t\"\n",
        "[package]\nname = \"a\"\n[[test]]\nname = \"t\"\nharness = false\n",
        "[package]\nname = \"a\"\n# tests\n[[test]]\nname = 't'\n",
    ),
];

#[test]
fn the_part_of_a_manifest_that_judges() {
    for (name, before, judges, product) in MANIFESTS {
        let changed = |after: Option<&str>| {
            judges_part_changed(
                &path(name),
                Some(before.as_bytes()),
                after.map(str::as_bytes),
            )
        };
        assert!(changed(Some(judges)), "{name}: {judges}");
        assert!(!changed(Some(product)), "{name}: {product}");
        assert!(!changed(Some(before)), "{name}");
        assert!(changed(Some("{[")), "{name}");
        assert!(!judges_part_changed(
            &path("a.py"),
            Some(before.as_bytes()),
            None
        ));
        let made = judges_part_changed(&path(name), None, Some(judges.as_bytes()));
        assert_eq!(made, !judges.starts_with("[workspace]"), "{name}: {judges}");
    }
}
