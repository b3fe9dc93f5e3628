//! Only comments or white space changed, though a check was red and is to be green.
//!
//! A comment turns a careless `grep` green and changes nothing. But there are honest tasks whose whole work is comments, an
//! encoding line or a licence, with a check that is red before: so this is a note.

use seawall_core::finding::Severity;
use seawall_core::plan::Proof;

use super::look::{File, Found, Look, lines};
use crate::outline::{Language, code_only};

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    let proven = |check: &seawall_core::plan::Criterion| check.proof == Proof::FailToPass;
    if look.files.is_empty() || !look.task.checks.iter().any(proven) {
        return;
    }
    if look.files.iter().all(is_outside_of_code) {
        let text = "only comments or white space changed, and that is what turned a check green";
        found.change(Severity::Note, text);
    }
}

fn is_outside_of_code(file: &File<'_>) -> bool {
    let (Some(language), Some((before, after))) = (file.language, file.both()) else {
        return false;
    };
    if before == after {
        return false;
    }
    let code = |text| code_only(language, text).map(|code| squeezed(language, &code));
    code(before).is_some_and(|before| code(after) == Some(before))
}

/// The code without blank lines and without white space that means nothing.
fn squeezed(language: Language, code: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (_, line) in lines(code) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        match language {
            Language::Python => out.extend_from_slice(line),
            _ => out.extend(line.iter().filter(|b| !b.is_ascii_whitespace())),
        }
        out.push(b'\n');
    }
    if language != Language::Python {
        out.retain(|b| *b != b'\n');
    }
    out
}
