//! `cargo test`: one `test result:` line per program, doc-tests included.

use seawall_core::counted::Counted;

use super::Tally;
use super::text::number_of;

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let mut tally = Tally::default();
    for line in lines {
        if let Some(words) = summary(line) {
            for (number, what) in words.split("; ").filter_map(number_of) {
                match what {
                    "passed" | "measured" => tally.add(|t| &mut t.passed, number),
                    "failed" => tally.add(|t| &mut t.failed, number),
                    "ignored" => tally.add(|t| &mut t.skipped, number),
                    _ => {}
                }
            }
        } else if let Some(name) = failing(line) {
            tally.name(name);
        }
    }
    tally.counted("cargo test")
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; …`: what follows the first full stop.
fn summary(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("test result: ")?;
    let words = rest
        .strip_prefix("ok. ")
        .or_else(|| rest.strip_prefix("FAILED. "))?;
    words.contains(" passed; ").then_some(words)
}

/// `test tests::bad ... FAILED`; with `--quiet` only `---- tests::bad stdout ----`.
fn failing(line: &str) -> Option<&str> {
    let quiet = || line.strip_prefix("---- ")?.strip_suffix(" stdout ----");
    let plain = line
        .strip_prefix("test ")
        .and_then(|rest| rest.strip_suffix(" ... FAILED"));
    plain.or_else(quiet)
}
