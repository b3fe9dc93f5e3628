//! Where the problems of a plan gather while it is read.
//!
//! Everything that the user typed is escaped and shortened on its way into a message. Guessing what a
//! word was meant to be costs a comparison with every known word, so only the first few get a guess:
//! a plan with a hundred thousand unknown names is read as fast as one with ten.

use std::ops::Range;

use seawall_core::diagnostic::{Diagnostic, Severity};
use seawall_core::path::escape;

use crate::nearest::nearest;

/// How many words get a guess.
const GUESSES: u32 = 32;
/// How many known words one of them is compared with, the first ones.
const COMPARISONS: usize = 10_000;
/// The longest piece of what the user typed in a message, in characters.
const LONGEST: usize = 100;

/// The problems found so far.
pub(crate) struct Problems {
    found: Vec<Diagnostic>,
    guesses: u32,
}

impl Problems {
    pub(crate) fn new() -> Self {
        Self {
            found: Vec::new(),
            guesses: GUESSES,
        }
    }

    /// Adds one.
    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Adds several.
    pub(crate) fn add_all(&mut self, diagnostics: Vec<Diagnostic>) {
        self.found.extend(diagnostics);
    }

    /// Keeps those that `keep` wants.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Diagnostic) -> bool) {
        self.found.retain(keep);
    }

    /// As [`nearest`], as long as guesses are left.
    pub(crate) fn nearest<'a>(
        &mut self,
        word: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Option<&'a str> {
        if self.may_guess() {
            nearest(word, known.take(COMPARISONS))
        } else {
            None
        }
    }

    /// Takes one of the guesses, as long as some are left.
    pub(crate) fn may_guess(&mut self) -> bool {
        let left = self.guesses.checked_sub(1);
        self.guesses = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether one of them forbids the plan.
    pub(crate) fn any_error(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    /// All of them in the order of the text, first the ones without a place there.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|d| {
            let span = d.span.as_ref().map(|s| (s.start, s.end));
            (d.source.is_none() && span.is_some(), span)
        });
        self.found
    }
}

/// An error with `code`.
pub(crate) fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, Severity::Error, message)
}

/// A warning with `code`.
pub(crate) fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, Severity::Warning, message)
}

/// A note with `code`.
pub(crate) fn note(code: &'static str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, Severity::Note, message)
}

/// A value and the bytes of the plan's text that say it.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<T> At<T> {
    pub(crate) fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }
}

/// Says where a problem is, if it has a place.
pub(crate) fn placed(problem: Diagnostic, place: Option<&Range<usize>>, label: &str) -> Diagnostic {
    match place {
        Some(place) => problem.at(place.clone(), label),
        None => problem,
    }
}

/// What the user typed, for a message: control characters escaped, a long text shortened.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (place, c) in text.chars().enumerate() {
        if place == LONGEST {
            out.push('…');
            break;
        }
        if c == '\\' {
            out.push(c);
        } else {
            let mut buffer = [0; 4];
            escape(c.encode_utf8(&mut buffer).as_bytes(), &mut out)
                .expect("a String takes every write");
        }
    }
    out
}

/// The last border between characters that is not behind `at`.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// The first few of `names`, each in backticks, and how many more there are. Costs the few, however
/// many there are.
pub(crate) fn list<'a>(mut names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const FEW: usize = 8;
    let few: Vec<String> = names
        .by_ref()
        .take(FEW)
        .map(|name| format!("`{}`", shown(name)))
        .collect();
    let few = few.join(", ");
    match names.len() {
        0 => few,
        more => format!("{few} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_typed_cannot_play_with_the_terminal() {
        assert_eq!(
            shown("a\\b \x1b[31m\u{202e}"),
            "a\\b \\x1b[31m\\xe2\\x80\\xae"
        );
        assert_eq!(shown(&"x".repeat(1_000)).chars().count(), LONGEST + 1);
    }
}
