//! A change far larger than the task was expected to be.
//!
//! Only a plan that says `expected_lines` has expectations. Twice as many lines are told, more than three times as many
//! are held: scope creep has no other form that can be measured.

use seawall_core::finding::Severity;

use super::look::{Found, Look};

/// Lines of which nobody says that they are too many.
const SLACK: u64 = 10;

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    let Some(expected) = look.task.expected_lines.map(u64::from) else {
        return;
    };
    let of_file = |file: &super::look::File<'_>| file.added.len() as u64 + u64::from(file.removed);
    let lines: u64 = look.files.iter().map(of_file).sum();
    let severity = match () {
        () if lines > expected * 3 + SLACK => Severity::Hold,
        () if lines > expected * 2 + SLACK => Severity::Note,
        () => return,
    };
    let text = format!("{lines} lines were added and removed where about {expected} were expected");
    found.change(severity, text);
}
