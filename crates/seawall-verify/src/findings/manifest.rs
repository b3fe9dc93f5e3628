//! The packages that a manifest asks for, by name: Cargo, npm, pip, pyproject, Go.
//!
//! What cannot be read asks for nothing here; a build that needs the manifest says so itself.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use toml::{Table, Value};

/// The names; none when the file is no manifest that is known, or cannot be read.
pub(crate) fn packages(name: &str, bytes: &[u8]) -> Option<BTreeSet<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    match name {
        "Cargo.toml" => Some(cargo(&text.parse().ok()?)),
        "pyproject.toml" => Some(pyproject(&text.parse().ok()?)),
        "package.json" => npm(&serde_json::from_str(text).ok()?),
        "go.mod" => Some(go(text)),
        _ if name.starts_with("requirements")
            && (name.ends_with(".txt") || name.ends_with(".in")) =>
        {
            Some(text.lines().filter_map(requirement).collect())
        }
        _ => None,
    }
}

fn keys(table: Option<&Value>) -> impl Iterator<Item = String> {
    let table = table.and_then(Value::as_table);
    table.into_iter().flat_map(|table| table.keys().cloned())
}

fn cargo(root: &Table) -> BTreeSet<String> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut all = BTreeSet::new();
    let mut take = |table: &Table| {
        for kind in KINDS {
            all.extend(keys(table.get(kind)));
        }
    };
    take(root);
    for outer in ["workspace", "target"] {
        if let Some(table) = root.get(outer).and_then(Value::as_table) {
            take(table);
            table
                .values()
                .filter_map(Value::as_table)
                .for_each(&mut take);
        }
    }
    all
}

fn pyproject(root: &Table) -> BTreeSet<String> {
    let at = |path: &[&str]| {
        let mut here = root.get(path[0])?;
        for part in &path[1..] {
            here = here.get(part)?;
        }
        Some(here)
    };
    let mut all = BTreeSet::new();
    let mut list = |list: Option<&Value>| {
        let list = list.and_then(Value::as_array).into_iter().flatten();
        all.extend(list.filter_map(Value::as_str).filter_map(requirement));
    };
    list(at(&["project", "dependencies"]));
    list(at(&["build-system", "requires"]));
    for groups in [
        at(&["project", "optional-dependencies"]),
        at(&["dependency-groups"]),
    ] {
        let groups = groups.and_then(Value::as_table).into_iter();
        groups
            .flat_map(Table::values)
            .for_each(|group| list(Some(group)));
    }
    all.extend(keys(at(&["tool", "poetry", "dependencies"])));
    all.extend(keys(at(&["tool", "poetry", "dev-dependencies"])));
    let groups = at(&["tool", "poetry", "group"])
        .and_then(Value::as_table)
        .into_iter();
    for group in groups.flat_map(Table::values) {
        all.extend(keys(group.get("dependencies")));
    }
    all
}

/// `Requests[socks] >= 2 ; python_version > "3"` asks for `requests`.
fn requirement(line: &str) -> Option<String> {
    let line = line.split('#').next()?.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = line.chars().take_while(|c| is_name(*c)).collect();
    let first = name.chars().next()?;
    first
        .is_ascii_alphanumeric()
        .then(|| name.to_lowercase().replace('_', "-"))
}

fn npm(root: &Json) -> Option<BTreeSet<String>> {
    let root = root.as_object()?;
    let kinds = [
        "dependencies",
        "devDependencies",
        "peerDependencies",
        "optionalDependencies",
    ];
    let tables = kinds.iter().filter_map(|kind| root.get(*kind)?.as_object());
    Some(tables.flat_map(|table| table.keys().cloned()).collect())
}

fn go(text: &str) -> BTreeSet<String> {
    let lines = text
        .lines()
        .map(|line| line.trim().trim_start_matches("require "));
    let asked = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let (module, version) = (words.next()?, words.next()?);
        (module.contains('.') && version.starts_with('v')).then(|| module.to_owned())
    });
    asked.collect()
}
