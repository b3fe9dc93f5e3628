//! Errors that are caught and forgotten: `except Exception: pass`, `catch {}`.
//!
//! A handler for one narrow kind of error, or with a comment in it, has a reason. What catches everything and does nothing
//! is told, as a note: there are places for it. A file that only got another name has no new ones; one that was changed as
//! well is a new file.

use std::collections::HashMap;

use seawall_core::finding::Severity;
use tree_sitter::Node;

use super::look::{Found, Look};
use crate::outline::Language;
use crate::outline::code::each_node;
use crate::outline::parse::{children, field, parse};

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    let mut gone = gone(look);
    for file in &look.files {
        let (Some(language), Some(after)) = (file.language, file.after) else {
            continue;
        };
        if file.before.is_none() && renamed(&mut gone, after) {
            continue;
        }
        let old = file
            .before
            .map_or(0, |before| swallowers(language, before).len());
        let new = swallowers(language, after);
        if new.len() > old {
            let fresh = new
                .iter()
                .filter(|at| file.added.iter().any(|(line, _)| line == *at));
            for line in fresh.take(new.len() - old) {
                let text = "every error is caught here and none is told";
                found.at(Severity::Note, file.path, *line, text);
            }
        }
    }
}

/// The files that are not there any more, by content.
fn gone<'a>(look: &Look<'a>) -> HashMap<&'a [u8], u32> {
    let mut gone = HashMap::new();
    for file in look.files.iter().filter(|file| file.after.is_none()) {
        if let Some(before) = file.before {
            *gone.entry(before).or_default() += 1;
        }
    }
    gone
}

/// Whether a new file has the content of one that is gone. Each of those is found once, so a second copy is new.
fn renamed(gone: &mut HashMap<&[u8], u32>, after: &[u8]) -> bool {
    match gone.get_mut(after) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

/// The lines of such handlers.
fn swallowers(language: Language, source: &[u8]) -> Vec<u32> {
    let mut lines = Vec::new();
    let Some(tree) = parse(language, source) else {
        return lines;
    };
    each_node(&tree, |node| {
        let forgets = match (language, node.kind()) {
            (Language::Python, "except_clause") => python(node, source),
            (Language::JavaScript | Language::TypeScript | Language::Tsx, "catch_clause") => {
                field(node, "body").is_some_and(|body| body.named_child_count() == 0)
            }
            _ => false,
        };
        if forgets {
            lines.push(u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX));
        }
        true
    });
    lines
}

fn python(node: Node<'_>, source: &[u8]) -> bool {
    let parts = children(node);
    let Some((_, body)) = parts.iter().find(|(_, part)| part.kind() == "block") else {
        return false;
    };
    let nothing = body.named_child_count() == 1
        && matches!(source.get(body.byte_range()), Some(b"pass" | b"..."));
    let head = &source[node.start_byte()..body.start_byte()];
    let head = String::from_utf8_lossy(head);
    let caught = head
        .trim()
        .trim_start_matches("except")
        .trim_end_matches(':')
        .trim();
    let caught = caught.split(" as ").next().unwrap_or_default().trim();
    nothing && !head.contains('#') && matches!(caught, "" | "Exception" | "BaseException")
}
