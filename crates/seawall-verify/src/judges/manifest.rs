//! The parts of a manifest that runners, linters and build tools read.
//!
//! A manifest that cannot be parsed may hold anything: then every difference counts.

use std::collections::BTreeMap;

use seawall_core::path::RepoPath;
use serde_json::Value as Json;
use toml::{Table, Value};

use crate::places::Parts;

/// What differs between two versions, or none where one cannot be read.
type Differs = fn(&str, &str) -> Option<bool>;

/// Whether the part of a manifest that judges is not what it was. False for a file that is no manifest.
#[must_use]
pub fn judges_part_changed(path: &RepoPath, before: Option<&[u8]>, after: Option<&[u8]>) -> bool {
    let differs: Differs = match Parts::of(path).name.as_str() {
        "pyproject.toml" => pyproject,
        "setup.cfg" => setup,
        "package.json" => package,
        "Cargo.toml" => cargo,
        _ => return false,
    };
    // Bytes that are no UTF-8 are compared as such.
    if before == after {
        return false;
    }
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec());
    match (text(before), text(after)) {
        (Ok(before), Ok(after)) => differs(&before, &after).unwrap_or(true),
        _ => true,
    }
}

/// Tables of `[tool]` that judge.
const TOOLS: &[&str] = &[
    "pytest",
    "tox",
    "nox",
    "coverage",
    "mypy",
    "pyright",
    "basedpyright",
    "ruff",
    "pylint",
    "flake8",
    "black",
    "isort",
    "poe",
    "taskipy",
];

fn at<'t>(root: &'t Table, path: &[&str]) -> Option<&'t Value> {
    let (first, rest) = path.split_first()?;
    let mut here = root.get(*first)?;
    for part in rest {
        here = here.get(part)?;
    }
    Some(here)
}

fn pyproject(before: &str, after: &str) -> Option<bool> {
    let (before, after): (Table, Table) = (before.parse().ok()?, after.parse().ok()?);
    let differs = |path: &[&str]| at(&before, path) != at(&after, path);
    let tools = TOOLS.iter().any(|tool| differs(&["tool", tool]));
    let others: [&[&str]; 4] = [
        &["tool", "hatch", "envs"],
        &["tool", "pdm", "scripts"],
        // Where plug-ins of pytest are declared.
        &["project", "entry-points"],
        &["build-system", "build-backend"],
    ];
    Some(tools || others.iter().any(|path| differs(path)))
}

fn cargo(before: &str, after: &str) -> Option<bool> {
    let (before, after): (Table, Table) = (before.parse().ok()?, after.parse().ok()?);
    const WHOLE: [&[&str]; 14] = [
        &["test"],
        &["lib", "test"],
        &["lib", "doctest"],
        &["lib", "harness"],
        &["package", "autotests"],
        &["package", "build"],
        &["profile", "dev"],
        &["profile", "test"],
        &["lints"],
        &["workspace", "lints"],
        &["workspace", "exclude"],
        &["workspace", "default-members"],
        &["patch"],
        &["cargo-features"],
    ];
    let differs = |path: &&[&str]| at(&before, path) != at(&after, path);
    let targets = |root: &Table, kind: &str| -> Vec<(Option<Value>, Option<Value>)> {
        let all = root
            .get(kind)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let marked = all.filter(|target| target.get("test").is_some());
        marked
            .map(|target| (target.get("name").cloned(), target.get("test").cloned()))
            .collect()
    };
    let unmarked = ["bin", "example", "bench"]
        .iter()
        .any(|kind| targets(&before, kind) != targets(&after, kind));
    Some(WHOLE.iter().any(differs) || unmarked || lost(&before, &after))
}

/// Whether a package is no member of the workspace any more, and its tests with it. A new one is no matter.
fn lost(before: &Table, after: &Table) -> bool {
    let members = |root: &Table| -> Vec<Value> {
        let list = at(root, &["workspace", "members"]).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let now = members(after);
    members(before).iter().any(|member| !now.contains(member))
}

fn package(before: &str, after: &str) -> Option<bool> {
    const KEYS: [&str; 8] = [
        "jest",
        "vitest",
        "mocha",
        "ava",
        "nyc",
        "c8",
        "tap",
        "eslintConfig",
    ];
    let read = |text: &str| -> Option<Json> {
        match text {
            "" => Some(Json::Null),
            text => serde_json::from_str(text).ok(),
        }
    };
    let (before, after) = (read(before)?, read(after)?);
    let settings = KEYS.iter().any(|key| before.get(key) != after.get(key));
    Some(settings || scripts_differ(before.get("scripts"), after.get("scripts")))
}

/// Whether a script is another, or is run by one that was there. A new one of its own is no matter, and neither is what an
/// installation runs.
fn scripts_differ(before: Option<&Json>, after: Option<&Json>) -> bool {
    const INSTALLS: [&str; 4] = ["preinstall", "install", "postinstall", "prepare"];
    let all = |scripts: Option<&Json>| -> BTreeMap<String, Json> {
        let object = scripts.and_then(Json::as_object).cloned();
        object.unwrap_or_default().into_iter().collect()
    };
    let (before, after) = (all(before), all(after));
    let judges = |name: &str| !INSTALLS.contains(&name);
    let changed =
        |(name, script): (&String, &Json)| judges(name) && after.get(name) != Some(script);
    let joins = |name: &String| {
        let prefixed = ["pre", "post", "test"].iter().any(|p| name.starts_with(p));
        prefixed && judges(name) && !before.contains_key(name)
    };
    before.iter().any(changed) || after.keys().any(joins)
}

/// Sections of `setup.cfg`, by how they begin.
const SECTIONS: &[&str] = &[
    "tool:",
    "tox",
    "testenv",
    "coverage",
    "flake8",
    "mypy",
    "pylint",
    "pycodestyle",
    "isort",
    "aliases",
    "options.entry_points",
];

fn setup(before: &str, after: &str) -> Option<bool> {
    Some(sections(before) != sections(after))
}

/// The lines of the sections that judge, without comments and blank lines.
fn sections(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        let line = line.trim_end();
        let name = line.strip_prefix('[').and_then(|l| l.strip_suffix(']'));
        if let Some(name) = name {
            let judges = SECTIONS.iter().any(|section| name.starts_with(section));
            current = Some(name).filter(|_| judges);
        } else if let Some(section) = current
            && !line.trim_start().starts_with(['#', ';'])
            && !line.is_empty()
        {
            all.entry(section).or_default().push(line);
        }
    }
    all
}
