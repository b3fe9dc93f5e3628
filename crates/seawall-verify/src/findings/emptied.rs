//! A file that had something in it and has nothing any more.
//!
//! An agent that cannot edit a file now and then writes an empty one. Emptying on purpose is rare, and a plan that wants it
//! says so, or `deletes` the file. `__init__.py` is the exception: an empty one is a file that does its work.

use seawall_core::finding::Severity;

use super::look::{Found, Look};

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in &look.files {
        let Some((before, after)) = file.both() else {
            continue;
        };
        if is_blank(before) || !is_blank(after) {
            continue;
        }
        let severity = if look.asks(&["empty", "emptied", "clear the file"]) {
            Severity::Note
        } else if matches!(file.name().as_str(), "__init__.py" | "py.typed") {
            Severity::Hold
        } else {
            Severity::Block
        };
        let text = format!("the file was emptied; it had {} bytes", before.len());
        found.file(severity, file.path, text);
    }
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}
