//! `cargo nextest run`: `Summary [   0.147s] 3 tests run: 2 passed (1 slow), 1 failed, 1 skipped`.

use seawall_core::counted::Counted;

use super::Tally;
use super::text::{number, number_of};

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let mut tally = Tally::default();
    for line in lines {
        if let Some(words) = summary(line) {
            // Skipped ones are mostly those that a filter left out.
            for (number, what) in words.split(", ").filter_map(number_of) {
                match what.split(' ').next() {
                    Some("passed") => tally.add(|t| &mut t.passed, number),
                    Some("failed" | "timed") => tally.add(|t| &mut t.failed, number),
                    Some("exec") => {
                        tally.add(|t| &mut t.failed, number);
                        tally.add(|t| &mut t.errors, number);
                    }
                    _ => {}
                }
            }
            tally.seen = true;
        } else if let Some(name) = failing(line) {
            tally.name(name);
        }
    }
    tally.counted("cargo nextest")
}

fn summary(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("Summary [")?;
    let (_, rest) = rest.split_once("] ")?;
    // `3 tests run: …`, or `3/10 tests run: …` when it stopped early.
    let (_, rest) = number(rest)?;
    let rest = match rest.strip_prefix('/') {
        Some(all) => number(all)?.1,
        None => rest,
    };
    rest.strip_prefix(" tests run: ")
        .or_else(|| rest.strip_prefix(" test run: "))
}

/// `FAIL [   0.144s] (3/3) fx tests::bad`: what follows the time and the place in the list.
fn failing(line: &str) -> Option<&str> {
    const WORDS: [&str; 4] = ["FAIL [", "TIMEOUT [", "SIGABRT [", "SIGSEGV ["];
    let line = line.trim_start();
    let rest = WORDS.iter().find_map(|word| line.strip_prefix(word))?;
    let (_, name) = rest.split_once("] ")?;
    let name = name.trim_start();
    match name
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(") "))
    {
        Some((place, name)) if place.contains('/') => Some(name),
        _ => Some(name),
    }
}
