//! What a reviewer rejected, as a block for `.seawall/decisions.toml`, so that the next run remembers it.
//!
//! The reviewer's words are hostile text: everything but plain letters is escaped as TOML escapes it.

use std::fmt::Write as _;

use seawall_core::path::{RepoPath, escape};
use seawall_core::plan::Task;

/// Bytes of a reason that are kept; a decision may have no more than 1,000.
const LONGEST: usize = 800;

/// The lines to paste.
pub(super) fn block(task: &Task, reasons: &[String], run: &str) -> Vec<String> {
    let mut end = reasons
        .first()
        .map_or(0, |reason| reason.len().min(LONGEST));
    let reason = reasons.first().map_or("", String::as_str);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let because = format!("the reviewer of run {run} rejected it");
    let paths: Vec<_> = task.owned().map(|path| quoted(&glob(path))).collect();
    vec![
        String::new(),
        "to remember it, add this to `.seawall/decisions.toml` and commit it:".to_owned(),
        String::new(),
        "[[decision]]".to_owned(),
        format!("says = {}", quoted(&reason[..end])),
        format!("because = {}", quoted(&because)),
        format!("paths = [{}]", paths.join(", ")),
        "kind = \"rejected\"".to_owned(),
    ]
}

/// The glob that matches this path; a byte that is not UTF-8 is any byte.
fn glob(path: &RepoPath) -> String {
    let mut glob = String::new();
    for chunk in path.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if "*?[]{}\\".contains(c) {
                glob.push('\\');
            }
            glob.push(c);
        }
        chunk.invalid().iter().for_each(|_| glob.push('?'));
    }
    glob
}

/// A basic string of TOML that shows on a terminal as it is.
fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        let mut shown = String::new();
        let mut bytes = [0; 4];
        escape(c.encode_utf8(&mut bytes).as_bytes(), &mut shown)
            .expect("a String takes every write");
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            _ if shown.starts_with(c) => out.push(c),
            _ => write!(out, "\\U{:08X}", u32::from(c)).expect("a String takes every write"),
        }
    }
    out + "\""
}
