//! Bytes that do not belong into a text: NUL, control characters, what is no UTF-8 where all was.
//!
//! A NUL in a file that was text, or whose name says that it is, makes git take the file for binary: nobody sees its diff
//! again. That blocks. Other junk may be meant (an escape in a fixture, a file turned to Latin-1), so a person looks.

use seawall_core::finding::Severity;

use super::look::{File, Found, Look};

/// Names of files that are text by custom.
const TEXT: &[&str] = &[
    "py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "tsx", "rs", "go", "java", "c", "h", "cc", "cpp",
    "hpp", "rb", "sh", "toml", "json", "yaml", "yml", "md", "rst", "txt", "cfg", "ini", "html",
    "css", "xml",
];

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in &look.files {
        let Some(after) = file.after else { continue };
        if !was_text(file) {
            continue;
        }
        if let Some(at) = after.iter().position(|b| *b == 0) {
            let text = "a NUL byte in a text file";
            found.at(Severity::Block, file.path, line_of(after, at), text);
        } else if let Err(error) = std::str::from_utf8(after) {
            if file
                .before
                .is_some_and(|old| std::str::from_utf8(old).is_ok())
            {
                let line = line_of(after, error.valid_up_to());
                found.at(Severity::Hold, file.path, line, "not UTF-8 any more");
            }
        } else if let Some((line, byte)) =
            file.added.iter().find_map(|(n, l)| Some((*n, control(l)?)))
            && !file.before.unwrap_or_default().contains(&byte)
        {
            let text = format!("a control character, byte {byte:#04x}");
            found.at(Severity::Hold, file.path, line, text);
        }
    }
}

fn was_text(file: &File<'_>) -> bool {
    match file.before {
        Some(before) if !before.is_empty() => !before.contains(&0),
        _ => TEXT.contains(&file.extension().as_str()),
    }
}

/// A control character that no editor writes; form feeds are of old used in Python and C.
fn control(line: &[u8]) -> Option<u8> {
    let odd = |b: &u8| (*b < 32 && !matches!(*b, b'\t' | b'\r' | 0x0c)) || *b == 127;
    line.iter().copied().find(odd)
}

fn line_of(text: &[u8], at: usize) -> u32 {
    let before = text[..at].iter().filter(|b| **b == b'\n').count();
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}
