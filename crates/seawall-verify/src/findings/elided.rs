//! Code that was left out, with a comment where it stood: `# ... rest of the code`.
//!
//! An agent that answers with an excerpt and writes it to the file deletes all the rest. The comment gives it away; nobody
//! writes one by hand, so it blocks. It must be a whole comment of its own line, in a file of a language that has comments
//! of this form.

use seawall_core::finding::Severity;

use super::look::{Found, Look, excerpt};

/// What such a comment says, after its dots, in lower case.
const SAYS: &[&str] = &[
    "rest of the code",
    "rest of the file",
    "rest of your code",
    "rest of the implementation",
    "rest of the function",
    "rest of the class",
    "rest of code",
    "rest of file",
    "rest of implementation",
    "rest remains unchanged",
    "rest remains the same",
    "rest unchanged",
    "remaining code",
    "remaining methods",
    "remaining code unchanged",
    "existing code",
    "existing implementation",
    "existing methods",
    "previous code",
    "other methods",
    "unchanged code",
    "code omitted",
    "omitted for brevity",
    "same as before",
    "your code here",
    "implementation goes here",
    "add your code here",
    "code goes here",
];

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in look.files.iter().filter(|file| file.language.is_some()) {
        for (line, text) in &file.added {
            if is_elision(text) {
                let text = format!("code was left out: `{}`", excerpt(text));
                found.at(Severity::Block, file.path, *line, text);
            }
        }
    }
}

/// A comment that begins with dots or ends with them and says that something is not there, or that says so and nothing else.
fn is_elision(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line).trim().to_lowercase();
    let comment = ["#", "//", "/*", "{/*"]
        .iter()
        .find_map(|mark| text.strip_prefix(mark));
    let Some(comment) = comment else { return false };
    let ends = |c: char| matches!(c, '*' | '/' | '}' | '#') || c.is_whitespace();
    let comment = comment.trim_matches(ends);
    let bare =
        comment.trim_matches(|c: char| matches!(c, '.' | '…' | '(' | ')') || c.is_whitespace());
    let bare = bare.strip_prefix("the ").unwrap_or(bare);
    let dotted = comment.starts_with("...") || comment.starts_with('…');
    match dotted {
        true => SAYS.iter().any(|says| bare.starts_with(says)),
        false => {
            SAYS.contains(&bare)
                && (comment.ends_with("...") || comment.ends_with('…') || is_gap(bare))
        }
    }
}

/// What is said of nothing but a gap, with dots or without.
fn is_gap(bare: &str) -> bool {
    bare.ends_with("code here") || bare.ends_with("goes here") || bare.ends_with("for brevity")
}
