//! Words that make a criterion mean nothing, and checks that look at nothing.
//!
//! The list is data: a phrase and what to write instead. It holds phrases that say *that* something is
//! good without saying *what* can be seen; ordinary words with a second, harmless use (`clean`,
//! `readable`, `fast`) are not in it, at the price of letting some vagueness through.

use std::ops::Range;

const NAME_IT: &str = "name the observable result: which output, exit status, test or value";
const SAY_WHICH: &str = "say which cases, and what happens in each";
const NUMBER: &str = "give the number and how it is measured";

/// Vague phrases in lower case, each with what to write instead.
const PHRASES: &[(&str, &str)] = &[
    ("works correctly", NAME_IT),
    ("works properly", NAME_IT),
    ("works fine", NAME_IT),
    ("works well", NAME_IT),
    ("works as", NAME_IT),
    ("should work", NAME_IT),
    ("everything works", NAME_IT),
    ("correctly", NAME_IT),
    ("properly", NAME_IT),
    ("as expected", NAME_IT),
    ("as intended", NAME_IT),
    ("as desired", NAME_IT),
    ("as it should", NAME_IT),
    ("looks good", NAME_IT),
    ("looks right", NAME_IT),
    ("makes sense", NAME_IT),
    ("no bugs", NAME_IT),
    ("bug-free", NAME_IT),
    ("production-ready", NAME_IT),
    ("production ready", NAME_IT),
    (
        "best practices",
        "name the rule and the linter that sees it",
    ),
    ("best practice", "name the rule and the linter that sees it"),
    ("clean code", "name the rule and the linter that sees it"),
    ("high quality", "name the rule and the linter that sees it"),
    ("high-quality", "name the rule and the linter that sees it"),
    ("well-tested", "name the tests that must exist and pass"),
    ("well tested", "name the tests that must exist and pass"),
    ("user-friendly", NAME_IT),
    ("user friendly", NAME_IT),
    ("intuitive", NAME_IT),
    ("seamless", NAME_IT),
    ("seamlessly", NAME_IT),
    ("robust", SAY_WHICH),
    ("robustly", SAY_WHICH),
    ("gracefully", SAY_WHICH),
    ("appropriate", SAY_WHICH),
    ("appropriately", SAY_WHICH),
    ("as appropriate", SAY_WHICH),
    ("as needed", SAY_WHICH),
    ("if needed", SAY_WHICH),
    ("if possible", SAY_WHICH),
    ("where possible", SAY_WHICH),
    ("and so on", SAY_WHICH),
    ("etc", SAY_WHICH),
    ("reasonable", NUMBER),
    ("reasonably", NUMBER),
    ("performant", NUMBER),
    ("fast enough", NUMBER),
    ("good performance", NUMBER),
];

/// The first vague phrase of `text`, the longest that begins there: its bytes, and what to write instead.
pub(crate) fn find(text: &str) -> Option<(Range<usize>, &'static str)> {
    let lower = text.to_ascii_lowercase();
    word_starts(&lower).find_map(|start| {
        let here = PHRASES
            .iter()
            .filter(|(phrase, _)| begins_with(&lower[start..], phrase));
        let &(phrase, instead) = here.max_by_key(|(phrase, _)| phrase.len())?;
        Some((start..start + phrase.len(), instead))
    })
}

fn word_starts(text: &str) -> impl Iterator<Item = usize> {
    let mut before = ' ';
    text.char_indices().filter_map(move |(at, c)| {
        let starts = is_of_word(c) && !is_of_word(before);
        before = c;
        starts.then_some(at)
    })
}

/// Whether `phrase` begins `text` and ends with a word there.
fn begins_with(text: &str, phrase: &str) -> bool {
    text.strip_prefix(phrase)
        .is_some_and(|rest| !rest.starts_with(is_of_word))
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a shell command succeeds whatever the tree is.
pub(crate) fn is_trivial(run: &str) -> bool {
    let words: Vec<&str> = run.split_whitespace().collect();
    matches!(
        words.as_slice(),
        ["true" | ":" | "/bin/true" | "exit" | "false"] | ["exit", _] | ["echo" | "printf", ..]
    ) && !run.contains(['|', '&', ';', '>', '$', '`'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_vague_phrases_as_whole_words() {
        for (text, expected) in [
            ("the parser works correctly", Some("works correctly")),
            ("Errors are handled PROPERLY", Some("PROPERLY")),
            ("lists, tuples, etc.", Some("etc")),
            ("no typing alias is left", None),
            ("incorrectly typed calls are gone", None),
            ("fetches /etcd/x", None),
            ("property access is typed", None),
            ("é as expected é", Some("as expected")),
        ] {
            assert_eq!(
                find(text).map(|(place, _)| &text[place]),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn finds_checks_that_look_at_nothing() {
        for (run, trivial) in [
            ("true", true),
            (" : ", true),
            ("exit 0", true),
            ("echo ok", true),
            ("false", true),
            ("true && pytest", false),
            ("echo x | grep y", false),
            ("python -m pytest -q", false),
        ] {
            assert_eq!(is_trivial(run), trivial, "{run}");
        }
    }
}
