//! Tests that were deleted, skipped, emptied, or that assert less than before.
//!
//! A task that owns tests owns its own judge. Tests are compared by name over the whole change, so one that moved to
//! another file is found again, and one that was renamed is found by its body. What is weaker is held: taking a test out
//! can be right, and only a person can tell. A plan that speaks of taking tests out reads notes.

use std::collections::{BTreeMap, HashSet};

use seawall_core::finding::Severity;
use seawall_core::ids::Digest;
use seawall_core::path::RepoPath;

use super::look::{Found, Look};
use super::tests_counted::{Test, tests};

/// All tests of one name.
#[derive(Default)]
struct Known {
    count: u32,
    asserts: u32,
    skipped: u32,
    line: u32,
    bodies: Vec<Digest>,
}

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    let mut after: BTreeMap<String, Known> = BTreeMap::new();
    for file in &look.files {
        if let (Some(language), Some(text)) = (file.language, file.after) {
            tests(language, text)
                .into_iter()
                .for_each(|test| add(&mut after, test));
        }
    }
    let bodies: HashSet<Digest> = after
        .values()
        .flat_map(|known| known.bodies.clone())
        .collect();
    let severity = severity(look);
    for file in &look.files {
        let (Some(language), Some(text)) = (file.language, file.before) else {
            continue;
        };
        if look.task.deletes.contains(file.path) {
            continue;
        }
        let mut before: BTreeMap<String, Known> = BTreeMap::new();
        tests(language, text)
            .into_iter()
            .for_each(|test| add(&mut before, test));
        for (name, old) in &before {
            compare(
                name,
                old,
                after.get(name),
                &bodies,
                (severity, file.path),
                found,
            );
        }
    }
}

fn severity(look: &Look<'_>) -> Severity {
    let removes = look.asks(&[
        "remove",
        "delete",
        "drop",
        "skip",
        "xfail",
        "merge",
        "parametri",
        "consolidate",
    ]);
    match removes && look.asks(&["test"]) {
        true => Severity::Note,
        false => Severity::Hold,
    }
}

fn add(all: &mut BTreeMap<String, Known>, test: Test) {
    let known = all.entry(test.name).or_default();
    known.count += 1;
    known.asserts += test.asserts;
    known.skipped += u32::from(test.skipped);
    known.line = if known.count == 1 {
        test.line
    } else {
        known.line
    };
    known.bodies.push(test.body);
}

fn compare(
    name: &str,
    old: &Known,
    new: Option<&Known>,
    bodies: &HashSet<Digest>,
    (severity, path): (Severity, &RepoPath),
    found: &mut Found,
) {
    let name = super::look::excerpt(name.as_bytes());
    let Some(new) = new else {
        // A new name with the same body is the same test.
        if !old.bodies.iter().all(|body| bodies.contains(body)) {
            found.file(severity, path, format!("test `{name}` is gone"));
        }
        return;
    };
    let text = if new.count < old.count {
        format!(
            "{} of {} tests `{name}` are gone",
            old.count - new.count,
            old.count
        )
    } else if new.skipped > old.skipped {
        format!("test `{name}` is skipped now")
    } else if new.asserts == 0 && old.asserts > 0 {
        format!("test `{name}` asserts nothing any more")
    } else if new.asserts < old.asserts {
        format!(
            "test `{name}` asserts less: {} instead of {}",
            new.asserts, old.asserts
        )
    } else {
        return;
    };
    found.at(severity, path, new.line, text);
}
