//! A file whose line ends were turned over as a whole: every line differs, and no reviewer sees which do.

use seawall_core::finding::Severity;

use super::look::{Found, Look};

/// Files with fewer lines are read in full anyway.
const LEAST: usize = 5;

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in &look.files {
        let Some((before, after)) = file.both() else {
            continue;
        };
        let (Some(old), Some(new)) = (main_end(before), main_end(after)) else {
            continue;
        };
        if old == new {
            continue;
        }
        let asked = look.asks(&["line end", "line-end", "crlf", "eol", "newline"]);
        let severity = if asked {
            Severity::Note
        } else {
            Severity::Hold
        };
        let text = format!("all line ends were changed from {old} to {new}");
        found.file(severity, file.path, text);
    }
}

/// The end that nine of ten lines have.
fn main_end(text: &[u8]) -> Option<&'static str> {
    let all = text.iter().filter(|b| **b == b'\n').count();
    let long = text.windows(2).filter(|pair| *pair == b"\r\n").count();
    match () {
        () if all < LEAST => None,
        () if long * 10 >= all * 9 => Some("CRLF"),
        () if long * 10 <= all => Some("LF"),
        () => None,
    }
}
