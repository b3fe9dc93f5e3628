//! What `{word}` means in a command: which words are known where, and what a worker's command would
//! make of them.
//!
//! Braces belong to shells, awk and JSON too, so a word that is not ours is left alone; only one that
//! looks like ours misspelt gets a warning. Several owned files make several arguments, which only works
//! where `{file}` is an argument of its own.

use std::ops::Range;

use seawall_core::diagnostic::Diagnostic;

use crate::nearest::nearest;
use crate::problems::{At, Problems, error, warning};

/// Known in an agent's `run`.
pub(crate) const AGENT: &[&str] = &["file", "prompt", "prompt_file", "task"];
/// Known in a check's `run`.
pub(crate) const CHECK: &[&str] = &["file", "task"];
/// Known in the `run` of a checkpoint or invariant.
pub(crate) const GATE: &[&str] = &[];

/// Every `{word}` of `text` that could be a substitution: where it stands, and the word.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices('{').filter_map(|(open, _)| {
        let rest = &text[open + 1..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))?;
        let known_shape =
            end > 0 && rest[end..].starts_with('}') && !text[..open].ends_with(['$', '{']);
        known_shape.then(|| (open..open + end + 2, &rest[..end]))
    })
}

/// Reports the words of `run` that mean nothing where it stands. `place` says it in words.
pub(crate) fn check(run: &At<&str>, known: &[&str], place: &str, problems: &mut Problems) {
    for (_, word) in words(run.value).filter(|(_, word)| !known.contains(word)) {
        if AGENT.contains(&word) {
            problems.add(unusable(run, word, known, place));
        } else if let Some(near) =
            nearest(word, AGENT.iter().copied()).filter(|_| !known.is_empty())
        {
            problems.add(
                warning(
                    "SW0204",
                    format!("`{{{word}}}` is left as it is in {place}"),
                )
                .at(run.span.clone(), format!("`{{{word}}}` is no substitution"))
                .help(format!("did you mean `{{{near}}}`?")),
            );
        }
    }
}

fn unusable(run: &At<&str>, word: &str, known: &[&str], place: &str) -> Diagnostic {
    let help = if known.is_empty() {
        "it runs once for the whole tree: name the paths, or check a task's file in `[[task.check]]`".to_owned()
    } else {
        let known: Vec<_> = known.iter().map(|k| format!("`{{{k}}}`")).collect();
        format!("filled in here: {}", known.join(" and "))
    };
    error("SW0135", format!("`{{{word}}}` means nothing in {place}"))
        .at(run.span.clone(), "would be passed on as it is")
        .help(help)
}

/// How a `{file}` stands in its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As a word of its own.
    Alone,
    /// As a part of a longer word.
    Embedded,
    /// Inside quotes.
    Quoted,
}

/// How each `{file}` of a shell string stands. One walk: a long string costs its length.
pub(crate) fn standings(shell: &str) -> Vec<Standing> {
    let mut quotes = Quotes::default();
    let mut seen = 0;
    let mut found = Vec::new();
    for (place, _) in words(shell).filter(|(_, word)| *word == "file") {
        quotes.walk(&shell[seen..place.start]);
        seen = place.start;
        found.push(standing(
            quotes.open.is_some(),
            &shell[..place.start],
            &shell[place.end..],
        ));
    }
    found
}

fn standing(quoted: bool, before: &str, after: &str) -> Standing {
    let edge = |c: char| c.is_whitespace() || ";|&()<>`".contains(c);
    let starts = before.is_empty() || before.ends_with(edge);
    let ends = after.is_empty() || after.starts_with(edge);
    match (quoted, starts && ends) {
        (true, _) => Standing::Quoted,
        (false, true) => Standing::Alone,
        (false, false) => Standing::Embedded,
    }
}

/// What a shell that read so far is inside of.
#[derive(Default)]
struct Quotes {
    open: Option<char>,
    escaped: bool,
}

impl Quotes {
    fn walk(&mut self, text: &str) {
        for c in text.chars() {
            match (self.open, c) {
                _ if self.escaped => self.escaped = false,
                (None | Some('"'), '\\') => self.escaped = true,
                (None, '\'' | '"') => self.open = Some(c),
                (Some(open), c) if open == c => self.open = None,
                _ => {}
            }
        }
    }
}

/// Whether `argument` holds `{file}` as a part, so that several files cannot be put in its place.
pub(crate) fn embeds_file(argument: &str) -> bool {
    argument != "{file}" && argument.contains("{file}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_words_in_braces_and_leaves_other_braces_alone() {
        for (text, expected) in [
            ("a {file} {task}", "file task"),
            ("awk '{print $1}' {file}", "file"),
            ("${file} {{file}} {} {a b} {", ""),
            ("{\"json\": 1} {prompt_file}", "prompt_file"),
        ] {
            let found: Vec<_> = words(text).map(|(_, word)| word).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn sees_how_a_file_stands_in_a_shell_string() {
        use Standing::{Alone, Embedded, Quoted};
        for (text, expected) in [
            ("grep x {file}", &[Alone][..]),
            ("cat<{file}|wc", &[Alone]),
            ("x --in={file} {file}", &[Embedded, Alone]),
            ("grep 'it' \"{file}\"", &[Quoted]),
            ("grep \\' {file} '{file}'", &[Alone, Quoted]),
            ("grep x", &[]),
        ] {
            assert_eq!(standings(text), expected, "{text}");
        }
    }
}
