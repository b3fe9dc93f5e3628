//! Jest: `Tests:       1 failed, 1 skipped, 2 passed, 4 total`.

use seawall_core::counted::Counted;

use super::Tally;
use super::text::number_of;

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let mut tally = Tally::default();
    let mut suites = 0;
    for line in lines {
        if let Some(words) = words(line, "Test Suites:") {
            suites = part(words, "failed");
        } else if let Some(words) = words(line, "Tests:") {
            tally.javascript(|what| part(words, what), suites);
        } else if line.starts_with("No tests found, exiting with code ") {
            tally.seen = true;
        } else if let Some(name) = failing(line) {
            tally.name(name);
        }
    }
    tally.counted("jest")
}

fn words<'a>(line: &'a str, head: &str) -> Option<&'a str> {
    let words = line.strip_prefix(head)?;
    words.trim_end().ends_with(" total").then_some(words)
}

fn part(words: &str, what: &str) -> u64 {
    let found = words
        .split(", ")
        .filter_map(number_of)
        .find(|(_, w)| *w == what);
    found.map_or(0, |(number, _)| number)
}

/// `  ● suite › test`; what is printed on the console stands below a bullet as well.
fn failing(line: &str) -> Option<&str> {
    let name = line.strip_prefix("  ● ")?;
    (name != "Console").then_some(name)
}
