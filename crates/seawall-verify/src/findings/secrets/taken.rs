//! The forms of secrets that Betterleaks keeps, as far as they are sure enough to reject a change: `data/secrets.toml`, which
//! `data/take_secrets.py` makes and says how they were chosen.
//!
//! Most lines hold no keyword of any rule, so one search through a line is all that they cost; a rule's expression is compiled
//! when its keyword is met for the first time.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder};
use toml::{Table, Value};

use super::is_random;

/// The rules, as text.
const TEXT: &str = include_str!("../../../data/secrets.toml");

static RULES: LazyLock<Rules> = LazyLock::new(Rules::read);

struct Rules {
    /// Finds any keyword of any rule.
    keywords: Regex,
    all: Vec<Rule>,
}

/// One form of a secret.
struct Rule {
    id: String,
    /// In small letters; a line without one of them holds no such secret.
    keywords: Vec<String>,
    text: String,
    regex: OnceLock<Regex>,
    /// Bits for each character of a secret, at least.
    entropy: f64,
}

/// The rule whose secret stands in the line.
pub(super) fn rule(line: &[u8]) -> Option<&'static str> {
    let rules = &*RULES;
    if !rules.keywords.is_match(line) {
        return None;
    }
    let lower = line.to_ascii_lowercase();
    let found = rules.all.iter().find(|rule| rule.is_in(line, &lower));
    found.map(|rule| rule.id.as_str())
}

impl Rules {
    fn read() -> Self {
        let table: Table = TEXT.parse().expect("the rules are TOML, as a test shows");
        let rules = table.get("rules").and_then(Value::as_array);
        let all: Vec<Rule> = rules.into_iter().flatten().filter_map(Rule::of).collect();
        let words = all.iter().flat_map(|rule| &rule.keywords);
        let words: Vec<String> = words.map(|word| regex::escape(word)).collect();
        Self {
            keywords: compile(&format!("(?i:{})", words.join("|"))),
            all,
        }
    }
}

impl Rule {
    fn of(table: &Value) -> Option<Self> {
        let text = |key| table.get(key).and_then(Value::as_str).map(str::to_owned);
        let keywords = table.get("keywords")?.as_array()?.iter();
        Some(Self {
            id: text("id")?,
            keywords: keywords
                .filter_map(|word| Some(word.as_str()?.to_owned()))
                .collect(),
            text: text("regex")?,
            regex: OnceLock::new(),
            entropy: table.get("entropy")?.as_float()?,
        })
    }

    fn is_in(&self, line: &[u8], lower: &[u8]) -> bool {
        let holds = |word: &String| {
            lower
                .windows(word.len())
                .any(|piece| piece == word.as_bytes())
        };
        if !self.keywords.iter().any(holds) {
            return false;
        }
        let regex = self.regex.get_or_init(|| compile(&self.text));
        regex.captures_iter(line).any(|found| {
            let whole = found.get(0).map_or(&b""[..], |piece| piece.as_bytes());
            let secret = found.get(1).map_or(whole, |piece| piece.as_bytes());
            is_random(whole) && entropy(secret) >= self.entropy
        })
    }
}

/// As the engine that the rules are written for reads them: bytes are letters, and no others.
fn compile(text: &str) -> Regex {
    RegexBuilder::new(text)
        .unicode(false)
        .build()
        .expect("each rule can be compiled, as a test shows")
}

/// Shannon's: bits for each character.
fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    text.iter().for_each(|b| counts[usize::from(*b)] += 1);
    let all = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    let counts = counts.iter().filter(|n| **n > 0);
    counts
        .map(|n| f64::from(*n) / all)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    use proptest::string::string_regex;
    use proptest::test_runner::TestRunner;

    use super::*;

    /// What a rule says of the secret itself, without bounds and what comes after it, as the drawing of texts reads it.
    fn core(text: &str) -> String {
        let bounds = [
            r#"(?:\\?['"\x60]|[\s;]|\\[nr]|$)"#,
            r#"(?:[\x60'"\s;]|\\[nr]|$|\b)"#,
            r"(?:[^\w-]|\z)",
            "(?:^|[^A-Za-z0-9_-])",
            "(?:[^A-Za-z0-9_-]|$)",
            "(?:$|[^A-Za-z0-9_-])",
            r"(?:[^\w\/+=-]|\z)",
            r"\b",
            "(?i)",
        ];
        let bare = bounds
            .iter()
            .fold(text.to_owned(), |text, bound| text.replace(bound, ""));
        let bare = bare.replace("(?-i:", "(").replace("(?i:", "(");
        let bare = bare.replace("hooks.slack.com", r"hooks\.slack\.com");
        let bare = bare.replace(r"\s+", " ");
        bare.replace(r"\w", "[0-9A-Za-z_]").replace(r"\d", "[0-9]")
    }

    #[test]
    fn each_rule_is_understood_and_finds_what_it_is_for() {
        let mut runner = TestRunner::deterministic();
        assert!(RULES.all.len() > 120, "{}", RULES.all.len());
        let mut lost = Vec::new();
        for rule in &RULES.all {
            let secrets = match string_regex(&core(&rule.text)) {
                Ok(secrets) => secrets,
                Err(error) => {
                    lost.push(format!("{}: {error}", rule.id));
                    continue;
                }
            };
            let mut tried: Vec<String> = Vec::new();
            while tried.len() < 40 {
                tried.push(secrets.new_tree(&mut runner).unwrap().current());
            }
            let is_found = |s: &&String| super::rule(format!("k = \"{s}\"").as_bytes()).is_some();
            // Now and then lots draw what looks made up.
            let found = tried.iter().filter(is_found).count();
            if found < 20 {
                lost.push(format!("{}: {found} of 40, such as {}", rule.id, tried[0]));
            }
        }
        assert!(lost.is_empty(), "{lost:#?}");
    }

    #[test]
    fn bits_of_texts() {
        for (text, bits) in [("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0)] {
            assert!((entropy(text.as_bytes()) - bits).abs() < 1e-9, "{text}");
        }
    }
}
