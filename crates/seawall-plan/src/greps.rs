//! Commands of the form `grep PATTERN FILE` and `! grep PATTERN FILE`, taken apart as far as two of them can be compared.
//!
//! Only what a shell cannot read in two ways is taken apart: no variables, pipes, globs or substitutions. Anything else is
//! no such command, which loses a hint and nothing else.

use std::collections::BTreeSet;

/// What a `grep` says about files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grep {
    /// Whether the pattern must not be found.
    pub(crate) forbids: bool,
    /// Whether directories are searched.
    pub(crate) deep: bool,
    /// What is looked for, and how.
    pub(crate) wanted: Wanted,
    /// Where, as it is written; `{file}` is what the task owns.
    pub(crate) files: Vec<String>,
}

/// What is looked for, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) pattern: String,
    /// The options that change what matches, in order and once each.
    pub(crate) options: String,
}

impl Wanted {
    /// The text that must stand in a line, where the pattern is no more than that.
    pub(crate) fn literal(&self) -> Option<&str> {
        let has = |option| self.options.contains(option);
        let special = match () {
            () if has('F') => "",
            () if has('E') || has('P') => r"\.[]*^$+?(){}|",
            () => r"\.[]*^$",
        };
        let plain = !self.pattern.contains(|c: char| special.contains(c));
        (plain && !has('i')).then_some(&self.pattern)
    }
}

/// Options that do not change what matches in a file.
const SILENT: &str = "nqsHhoIa";
/// Options that do.
const TELLING: &str = "iwxEFP";

/// Takes a command apart; none when it is no such command.
pub(crate) fn parse(run: &str) -> Option<Grep> {
    let words = words(run)?;
    let (forbids, words) = match words.split_first()? {
        (first, rest) if first == "!" => (true, rest),
        _ => (false, words.as_slice()),
    };
    let (program, rest) = words.split_first()?;
    let mut options = Options::of(program)?;
    let mut rest = rest.iter();
    let pattern = options.take(&mut rest)?;
    let files: Vec<String> = rest.cloned().collect();
    let plain = !files.is_empty() && !files.iter().any(|file| file.starts_with('-'));
    plain.then(|| Grep {
        forbids,
        deep: options.deep,
        wanted: Wanted {
            pattern: pattern.clone(),
            options: options.telling.into_iter().collect(),
        },
        files,
    })
}

/// The options of a command, as far as they are of one letter and take nothing.
struct Options {
    deep: bool,
    /// Those that change what matches.
    telling: BTreeSet<char>,
}

impl Options {
    fn of(program: &str) -> Option<Self> {
        let telling = match program {
            "grep" => None,
            "egrep" => Some('E'),
            "fgrep" => Some('F'),
            _ => return None,
        };
        Some(Self {
            deep: false,
            telling: telling.into_iter().collect(),
        })
    }

    /// Takes all options; answers with the word behind them.
    fn take<'w>(&mut self, words: &mut impl Iterator<Item = &'w String>) -> Option<&'w String> {
        loop {
            let word = words.next()?;
            match word.strip_prefix('-') {
                None | Some("") => return Some(word),
                Some("-") => return words.next(),
                Some(letters) => letters.chars().try_for_each(|letter| self.add(letter))?,
            }
        }
    }

    fn add(&mut self, letter: char) -> Option<()> {
        match letter {
            'r' | 'R' => self.deep = true,
            c if TELLING.contains(c) => {
                self.telling.insert(c);
            }
            c if SILENT.contains(c) => {}
            _ => return None,
        }
        Some(())
    }
}

/// The words of a simple command; none when a shell would do more than split it.
fn words(run: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = run.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                quoted(&mut chars, word, '\'')?;
            }
            '"' => {
                let word = word.get_or_insert_default();
                quoted(&mut chars, word, '"')?;
            }
            '|' | '&' | ';' | '<' | '>' | '$' | '`' | '(' | ')' | '\n' | '*' | '?' | '[' | '#'
            | '~' | '\\' => return None,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// Adds what stands before the next `end`; none when the quote is not closed or holds more than text.
fn quoted(chars: &mut std::str::Chars<'_>, word: &mut String, end: char) -> Option<()> {
    for c in chars {
        match c {
            c if c == end => return Some(()),
            '$' | '`' | '\\' if end == '"' => return None,
            c => word.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_patterns_that_are_plain_text() {
        for (run, expected) in [
            ("grep 'print(' a", Some("print(")),
            ("grep -E 'print(' a", None),
            ("grep -F 'a.b' a", Some("a.b")),
            ("grep 'a.b' a", None),
            ("grep -i x a", None),
        ] {
            let found = parse(run).unwrap();
            assert_eq!(found.wanted.literal(), expected, "{run}");
        }
    }

    #[test]
    fn takes_simple_commands_apart() {
        for (run, expected) in [
            ("grep -q x {file}", Some((false, false, "x", "", "{file}"))),
            (
                "! grep -rnE 'a|b' src lib",
                Some((true, true, "a|b", "E", "src lib")),
            ),
            (
                "grep -Ei \"it's\" a",
                Some((false, false, "it's", "Ei", "a")),
            ),
            ("fgrep -- -x a", Some((false, false, "-x", "F", "a"))),
            ("grep -v x a", None),
            ("grep -c x a", None),
            ("grep x a | wc -l", None),
            ("grep \"$x\" a", None),
            ("grep x *.py", None),
            ("grep x", None),
            ("grep 'x a", None),
            ("cat a", None),
            ("", None),
        ] {
            let found = parse(run);
            let found = found.as_ref().map(|g| {
                let (pattern, options) = (g.wanted.pattern.as_str(), g.wanted.options.as_str());
                (g.forbids, g.deep, pattern, options, g.files.join(" "))
            });
            let expected = expected.map(|(f, d, p, o, files)| (f, d, p, o, files.to_owned()));
            assert_eq!(found, expected, "{run}");
        }
    }
}
