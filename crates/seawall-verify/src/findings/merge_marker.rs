//! Merge markers that were left in.
//!
//! A beginning, a middle and an end in this order are no accident, and block; in prose and in tests, which may quote a
//! conflict to explain it or to have one, a person looks. A lone one is, in a source file,
//! most likely the rest of a conflict that was half resolved; in prose it may be a quotation of the seventh degree.

use seawall_core::finding::Severity;

use super::look::{File, Found, Look, lines};

/// Files that may speak of conflicts.
const PROSE: &[&str] = &["md", "rst", "txt", "adoc", "html", "tex"];

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in &look.files {
        let Some(after) = file.after else { continue };
        let Some((line, marker)) = file.added.iter().find(|(_, line)| is_edge(line)) else {
            continue;
        };
        let what = String::from_utf8_lossy(&marker[..7]).into_owned();
        if is_conflict(after) {
            let text = format!("merge marker `{what}` was left in");
            let quoted = file.is_test() || PROSE.contains(&file.extension().as_str());
            let severity = match quoted {
                true => Severity::Hold,
                false => Severity::Block,
            };
            found.at(severity, file.path, *line, text);
        } else if is_source(file) {
            let text = format!("`{what}` looks like the rest of a merge conflict");
            found.at(Severity::Hold, file.path, *line, text);
        }
    }
}

fn is_source(file: &File<'_>) -> bool {
    let data = [
        "json", "toml", "yaml", "yml", "c", "h", "cc", "cpp", "java", "rb", "sh",
    ];
    file.language.is_some() || data.contains(&file.extension().as_str())
}

fn is_edge(line: &[u8]) -> bool {
    is_marker(line, b'<') || is_marker(line, b'>')
}

/// Seven of the character, and then nothing or a label.
fn is_marker(line: &[u8], of: u8) -> bool {
    let run = line.iter().take_while(|b| **b == of).count();
    run == 7 && line.get(7).is_none_or(|b| *b == b' ')
}

fn is_conflict(text: &[u8]) -> bool {
    let mut wanted = [b'<', b'=', b'>'].into_iter().peekable();
    for (_, line) in lines(text) {
        if wanted.peek().is_some_and(|of| is_marker(line, *of)) {
            wanted.next();
        }
    }
    wanted.peek().is_none()
}
