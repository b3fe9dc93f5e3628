//! A package that nobody asked for, in a manifest.
//!
//! A new dependency is code of strangers, and a name that an agent invented may be one that a stranger registered. A
//! package that goal, prompt or checks name is asked for. A manifest that the task makes is told as a note, for it must
//! ask for something.

use std::collections::BTreeSet;

use seawall_core::finding::Severity;

use super::look::{Found, Look, excerpt};
use super::manifest::packages;

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    let known: BTreeSet<String> = look
        .files
        .iter()
        .filter_map(|file| packages(&file.name(), file.before?))
        .flatten()
        .collect();
    for file in &look.files {
        let name = file.name();
        let Some(new) = file.after.and_then(|after| packages(&name, after)) else {
            continue;
        };
        let severity = match file.before {
            Some(before) if packages(&name, before).is_some() => Severity::Hold,
            _ => Severity::Note,
        };
        for package in new.difference(&known) {
            if look.asks(&[package.to_lowercase().as_str()]) {
                continue;
            }
            let text = format!(
                "new dependency `{}`, which the plan does not name",
                excerpt(package.as_bytes())
            );
            match file.added.iter().find(|(_, line)| mentions(line, package)) {
                Some((line, _)) => found.at(severity, file.path, *line, text),
                None => found.file(severity, file.path, text),
            }
        }
    }
}

fn mentions(line: &[u8], package: &str) -> bool {
    let line = String::from_utf8_lossy(line)
        .to_lowercase()
        .replace('_', "-");
    line.contains(&package.to_lowercase().replace('_', "-"))
}
