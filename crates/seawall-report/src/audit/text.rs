//! An audit for people: what is broken, a line each, or what holds.

use super::{Audit, Problem};
use crate::words::{count, many, pad, shown};

/// The column in which everything but the first word begins.
const INDENT: usize = 12;

/// The audit, newline at its end.
#[must_use]
pub fn audit_text(audit: &Audit) -> String {
    let mut lines = match audit.problems.len() {
        0 => vec![format!("run {}  verified", audit.run)],
        n => vec![
            format!("run {}  broken: {}", audit.run, many(n, "problem")),
            String::new(),
        ],
    };
    lines.extend(audit.problems.iter().map(problem));
    if !audit.problems.is_empty() {
        lines.push(String::new());
    }
    held(audit, &mut lines);
    for note in &audit.notes {
        lines.push(field("note", &shown(note, 600)));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn field(word: &str, text: &str) -> String {
    format!("{} {text}", pad(word, INDENT - 1))
}

/// `checkpoint  wave 1.1, commit 1a2b3c4d: its tree is …  (receipt 4, record 31)`
fn problem(problem: &Problem) -> String {
    let places = [("receipt", problem.receipt), ("record", problem.record)];
    let named = |(word, n): (&str, Option<u64>)| n.map(|n| format!("{word} {n}"));
    let places: Vec<_> = places.into_iter().filter_map(named).collect();
    let place = match places.as_slice() {
        [] => String::new(),
        places => format!("  ({})", places.join(", ")),
    };
    field(
        problem.kind,
        &format!("{}{place}", shown(&problem.what, 600)),
    )
}

/// What was looked at.
fn held(audit: &Audit, lines: &mut Vec<String>) {
    let records = many(audit.records, "record");
    let last = audit
        .journal
        .as_ref()
        .map_or(String::new(), |sum| format!(", the last {sum}"));
    lines.push(field("journal", &format!("{records}{last}")));
    let (harvests, looks) = (many(audit.harvests, "harvest"), many(audit.looks, "look"));
    lines.push(field(
        "evidence",
        &format!("{looks} at {harvests}, bases and compositions"),
    ));
    lines.push(field("logs", &many(audit.logs, "file")));
    lines.push(field("commits", &many(audit.checkpoints, "checkpoint")));
    let last = audit
        .receipt
        .as_ref()
        .map_or(String::new(), |sum| format!(", the last {sum}"));
    let receipts = count(audit.receipts as u64, "receipt");
    lines.push(field("receipts", &format!("{receipts}{last}")));
}
