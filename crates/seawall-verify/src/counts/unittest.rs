//! unittest: `Ran 7 tests in 0.001s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=1)`.

use seawall_core::counted::Counted;

use super::Tally;
use super::text::number;

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let mut tally = Tally::default();
    let mut ran = None;
    for line in lines {
        if let Some(number) = how_many(line) {
            // The verdict of the run before is missing: it was cut off.
            ran = Some(number);
            tally.seen = true;
        } else if let (Some(number), Some(words)) = (ran, verdict(line)) {
            add(&mut tally, number, words);
            ran = None;
        } else if let Some(name) = failing(line) {
            tally.name(name);
        }
    }
    tally.counted("unittest")
}

fn how_many(line: &str) -> Option<u64> {
    let (ran, rest) = number(line.strip_prefix("Ran ")?)?;
    let time = rest
        .strip_prefix(" tests in ")
        .or_else(|| rest.strip_prefix(" test in "))?;
    time.ends_with('s').then_some(ran)
}

/// The words in brackets of the line that ends a run.
fn verdict(line: &str) -> Option<&str> {
    let rest = ["OK", "FAILED", "NO TESTS RAN"]
        .iter()
        .find_map(|word| line.strip_prefix(word))?
        .trim();
    match rest {
        "" => Some(""),
        rest => rest.strip_prefix('(')?.strip_suffix(')'),
    }
}

fn add(tally: &mut Tally, ran: u64, words: &str) {
    let of = |what: &str| {
        words
            .split(", ")
            .filter_map(|word| word.split_once('='))
            .find(|(name, _)| *name == what)
            .and_then(|(_, number)| number.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let errors = of("errors");
    let left_out = of("skipped").saturating_add(of("expected failures"));
    let red = of("failures").saturating_add(of("unexpected successes"));
    // Several sub-tests of one test can fail.
    let failed = red.min(ran.saturating_sub(left_out));
    let not_passed = failed.saturating_add(errors).saturating_add(left_out);
    tally.add(|t| &mut t.failed, failed.saturating_add(errors));
    tally.add(|t| &mut t.errors, errors);
    tally.add(|t| &mut t.skipped, left_out);
    tally.add(|t| &mut t.passed, ran.saturating_sub(not_passed));
}

/// `FAIL: test_f (ut.T.test_f)`.
fn failing(line: &str) -> Option<&str> {
    let name = ["FAIL: ", "ERROR: ", "UNEXPECTED SUCCESS: "]
        .iter()
        .find_map(|word| line.strip_prefix(word))?;
    (name.contains(" (") && name.ends_with(')')).then_some(name)
}
