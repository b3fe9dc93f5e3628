//! Vitest: `      Tests  1 failed | 2 passed (3)`.

use seawall_core::counted::Counted;

use super::Tally;
use super::text::number_of;

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let mut tally = Tally::default();
    let mut files = 0;
    for line in lines {
        if let Some(words) = words(line, "Test Files") {
            files = part(words, "failed");
        } else if let Some(words) = words(line, "Tests") {
            tally.javascript(|what| part(words, what), files);
        } else if line
            .trim_start()
            .starts_with("No test files found, exiting with code ")
        {
            tally.seen = true;
        } else if let Some(name) = failing(line) {
            tally.name(name);
        }
    }
    tally.counted("vitest")
}

/// What follows the head: `  1 failed | 2 passed (3)`, or `no tests`.
fn words<'a>(line: &'a str, head: &str) -> Option<&'a str> {
    let words = line.trim_start().strip_prefix(head)?;
    let trimmed = words.trim();
    let counted = trimmed.ends_with(')') && number_of(trimmed).is_some();
    (words.starts_with("  ") && (counted || trimmed == "no tests")).then_some(words)
}

fn part(words: &str, what: &str) -> u64 {
    words
        .split('|')
        .filter_map(number_of)
        .find(|(_, w)| w.split(' ').next() == Some(what))
        .map_or(0, |(number, _)| number)
}

/// ` FAIL  test/x.test.js > suite > test`.
fn failing(line: &str) -> Option<&str> {
    line.strip_prefix(" FAIL  ")
}
