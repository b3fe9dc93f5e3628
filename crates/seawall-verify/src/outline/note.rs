//! What changed in a file's interface, in lines for a brief.
//!
//! All text of the file is escaped and in one line. What is beyond the first lines is only counted.

use seawall_core::path::escape;

use super::{InterfaceChange, Item, Language, interface_changes, outline};

/// Lines that are kept of one file.
const LINES: usize = 40;

/// What other files see of a file's change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// One line for each of the first changes.
    pub lines: Vec<String>,
    /// How many more there are.
    pub more: u64,
}

/// Says how the interface of a file differs. `before` is none when there was no such file.
#[must_use]
pub fn interface_note(language: Language, before: Option<&[u8]>, after: &[u8]) -> Changes {
    let Some(before) = outline(language, before.unwrap_or_default()) else {
        return unknown("how it differs cannot be said: what it was is too much to read");
    };
    let Some(after) = outline(language, after) else {
        return unknown("how it differs cannot be said: it is too much to read");
    };
    let changes = interface_changes(&before, &after);
    let mut lines: Vec<_> = changes.iter().take(LINES).map(line).collect();
    let more = (changes.len() - lines.len()) as u64;
    if after.broken || (before.broken && !lines.is_empty()) {
        lines.push("this may not be all: parts of the file cannot be parsed".to_owned());
    }
    Changes { lines, more }
}

fn unknown(why: &str) -> Changes {
    Changes {
        lines: vec![why.to_owned()],
        more: 0,
    }
}

fn line(change: &InterfaceChange) -> String {
    match change {
        InterfaceChange::Changed { before, after } => changed(before, after),
        InterfaceChange::Renamed { before, after } => format!(
            "{} was renamed to {}{}",
            show(before),
            quoted(&after.signature),
            at(after)
        ),
        InterfaceChange::Removed(item) => format!("{} was removed", show(item)),
        InterfaceChange::Hidden(item) => {
            format!("{} cannot be used from other files any more", show(item))
        }
        InterfaceChange::Added(item) => format!("{} is new{}", show(item), at(item)),
    }
}

fn changed(before: &Item, after: &Item) -> String {
    let kind = match before.kind == after.kind {
        true => String::new(),
        false => format!("{} ", after.kind.word()),
    };
    if before.signature == after.signature && kind.is_empty() {
        // They differ where they were cut.
        return format!("{} is declared differently{}", show(before), at(after));
    }
    let now = quoted(&after.signature);
    format!("{} is now {kind}{now}{}", show(before), at(after))
}

fn show(item: &Item) -> String {
    format!("{} {}", item.kind.word(), quoted(&item.signature))
}

fn at(item: &Item) -> String {
    format!(" (line {})", item.lines.0)
}

fn quoted(text: &str) -> String {
    let mut shown = String::from("`");
    let _ = escape(text.as_bytes(), &mut shown); // a String takes every write
    shown.push('`');
    shown
}
