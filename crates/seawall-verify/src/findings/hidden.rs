//! Characters that a reader does not see and a compiler or an agent does.
//!
//! Text that runs backwards (the "Trojan Source" attack), tag characters, zero-width characters and variation selectors
//! can carry whole sentences. Many of them have honest uses: emoji, scripts that join their letters, ideographs. There
//! they are let pass. What is left blocks in code; in prose, tests and translations, where a zero-width space is now and then
//! meant, a person looks. Only characters that the file has more of than before are told.

use std::collections::HashMap;

use seawall_core::finding::Severity;
use seawall_core::path::RepoPath;

use super::look::{File, Found, Look, lines};

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in &look.files {
        let Some(after) = file.after else { continue };
        let mut before: HashMap<char, u32> = HashMap::new();
        for hidden in scan(file.before.unwrap_or_default()) {
            *before.entry(hidden.what).or_default() += 1;
        }
        let new = scan(after).into_iter().filter(|hidden| {
            let left = before.get_mut(&hidden.what).filter(|left| **left > 0);
            left.is_none_or(|left| {
                *left -= 1;
                false
            })
        });
        tell(file.path, new, severity(file), found);
    }
}

/// Tells each line once.
fn tell(
    path: &RepoPath,
    hidden: impl Iterator<Item = Hidden>,
    severity: impl Fn(char) -> Severity,
    found: &mut Found,
) {
    let mut last = 0;
    for one in hidden {
        if one.line != last {
            last = one.line;
            found.at(severity(one.what), path, one.line, one.words());
        }
    }
}

fn severity(file: &File<'_>) -> impl Fn(char) -> Severity {
    let translated = [
        "po",
        "pot",
        "ftl",
        "xliff",
        "xlf",
        "strings",
        "arb",
        "properties",
    ];
    let prose = [
        "md", "rst", "txt", "html", "htm", "adoc", "tex", "svg", "xml", "json", "csv",
    ];
    let extension = file.extension();
    let translated = translated.contains(&extension.as_str());
    let prose = prose.contains(&extension.as_str()) || file.is_test();
    move |what| match what {
        _ if translated => Severity::Hold,
        '\u{202d}' | '\u{202e}' | '\u{e0000}'..='\u{e01ef}' => Severity::Block,
        _ if prose => Severity::Hold,
        _ => Severity::Block,
    }
}

/// A character that is not seen, and has no reason to be where it is.
pub(crate) struct Hidden {
    pub(crate) line: u32,
    what: char,
}

impl Hidden {
    /// What it is, in words.
    pub(crate) fn words(&self) -> String {
        let kind = match self.what {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "changes the direction of text",
            '\u{e0000}'..='\u{e007f}' => "is a tag, an invisible letter",
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => "selects a variation of nothing",
            _ => "has no width",
        };
        format!(
            "hidden character U+{:04X}, which {kind}",
            u32::from(self.what)
        )
    }
}

/// Every hidden character of a text; none of what is not UTF-8.
pub(crate) fn scan(bytes: &[u8]) -> Vec<Hidden> {
    let mut all = Vec::new();
    if bytes.is_ascii() {
        return all;
    }
    for (line, text) in lines(bytes) {
        let Ok(text) = std::str::from_utf8(text) else {
            continue;
        };
        let text = match line {
            1 => text.strip_prefix('\u{feff}').unwrap_or(text),
            _ => text,
        };
        let mut before = None;
        let mut flag = false; // inside of a flag, which is spelt with tags
        for what in text.chars() {
            flag = what == '\u{1f3f4}' || (flag && is_tag(what));
            if !(flag && is_tag(what)) && is_hidden(before, what) {
                all.push(Hidden { line, what });
            }
            before = Some(what);
        }
    }
    all
}

fn is_tag(c: char) -> bool {
    ('\u{e0020}'..='\u{e007f}').contains(&c)
}

fn is_hidden(before: Option<char>, what: char) -> bool {
    match what {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}' => true,
        '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{180e}' => {
            !before.is_some_and(joins)
        }
        '\u{200c}' | '\u{200d}' => !before.is_some_and(|c| joins(c) || is_picture(c)),
        // Marks of direction beside letters of that direction.
        '\u{200e}' | '\u{200f}' | '\u{61c}' => !before.is_some_and(joins),
        '\u{fe00}'..='\u{fe0f}' => !before.is_some_and(|c| is_picture(c) || joins(c)),
        '\u{e0100}'..='\u{e01ef}' => !before.is_some_and(is_ideograph),
        _ => false,
    }
}

/// Scripts from Hebrew to Mongolian, whose writing uses joiners, marks and breaks.
fn joins(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{61b}' | '\u{61d}'..='\u{109f}' | '\u{1780}'..='\u{180a}'
        | '\u{1820}'..='\u{18af}' | '\u{1900}'..='\u{1aff}' | '\u{a800}'..='\u{abff}' | '\u{fb1d}'..='\u{fdff}')
}

/// Symbols, pictures, ideographs, and the few signs below them that have an emoji form.
fn is_picture(c: char) -> bool {
    match c {
        '#' | '*' | '0'..='9' | '\u{a9}' | '\u{ae}' => true,
        '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{20e3}' => true,
        '\u{2100}'..='\u{fdff}' | '\u{1f000}'..='\u{1faff}' | '\u{fe0f}' => true,
        _ => is_ideograph(c),
    }
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
