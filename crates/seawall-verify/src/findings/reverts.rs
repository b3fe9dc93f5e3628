//! A change that puts back what an earlier wave of the same run had changed.
//!
//! A worker that writes a file from memory writes it as it was. What landed would be lost without a word: the checks of the
//! earlier task are not run again by this one. A file that is again exactly as the run found it is held; one in which most of
//! the lines came back that an earlier wave had replaced is told. Plans take things out again that they put in for a while,
//! and where this one speaks of that, it is a note.

use std::collections::HashMap;

use seawall_core::finding::Severity;

use super::look::{File, Found, Look, lines};

/// What a plan says that wants something gone again.
const ASKED: &[&str] = &[
    "revert",
    "undo",
    "roll back",
    "rollback",
    "back out",
    "restore",
    "remove",
    "drop",
    "delete",
    "take out",
    "no longer",
    "clean up",
    "put back",
    "get rid",
    "finish the migration",
    "contract",
];

/// Lines that came back from which on it is no chance.
const LEAST: u32 = 3;

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    let severity = match look.asks(ASKED) {
        true => Severity::Note,
        false => Severity::Hold,
    };
    for file in &look.files {
        let Some(first) = file.first else { continue };
        if first == file.before || look.task.deletes.contains(file.path) {
            continue;
        }
        if first == file.after {
            let text = "it is again as it was before the run: what an earlier wave changed is gone";
            found.file(severity, file.path, text);
        } else if let Some(text) = partly(file, first.unwrap_or_default()) {
            found.file(Severity::Note, file.path, text);
        }
    }
}

/// How often each line stands in a text; lines of a few signs say nothing.
fn counted(text: &[u8]) -> HashMap<&[u8], u32> {
    let mut counts = HashMap::new();
    if text.is_empty() {
        return counts;
    }
    for (_, line) in lines(text) {
        let letters = line.iter().filter(|b| b.is_ascii_alphanumeric()).count();
        if letters >= 4 {
            *counts.entry(line.trim_ascii()).or_default() += 1;
        }
    }
    counts
}

/// Whether most of the lines came back that an earlier wave had replaced.
fn partly(file: &File<'_>, first: &[u8]) -> Option<String> {
    let (first, before) = (counted(first), counted(file.before.unwrap_or_default()));
    let after = counted(file.after?);
    let of = |counts: &HashMap<&[u8], u32>, line: &[u8]| counts.get(line).copied().unwrap_or(0);
    let (mut gone, mut back) = (0, 0);
    for (line, had) in &first {
        let (kept, now) = (of(&before, line), of(&after, line));
        gone += had.saturating_sub(kept);
        back += now.min(*had).saturating_sub(kept);
    }
    let most = back >= LEAST && back.saturating_mul(4) >= gone.saturating_mul(3);
    most.then(|| {
        format!("{back} of {gone} lines that an earlier wave of this run had replaced are back")
    })
}
