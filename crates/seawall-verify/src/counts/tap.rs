//! The Test Anything Protocol (versions 12 to 14): a plan `1..N`, and `ok` or `not ok` for each test.

use seawall_core::counted::Counted;

use super::Tally;
use super::text::number;

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let plan = |line: &&str| {
        let rest = line.strip_prefix("1..").and_then(number);
        rest.is_some_and(|(_, rest)| rest.is_empty() || rest.trim_start().starts_with('#'))
    };
    let mut tally = Tally {
        seen: lines.iter().any(plan),
        ..Tally::default()
    };
    for line in lines {
        // Sub-tests are indented, and their parent speaks for them.
        if let Some(name) = not_ok(line).filter(|_| !line.starts_with(' ')) {
            tally.failed = tally.failed.saturating_add(1);
            tally.name(name);
        } else if let Some(directive) = result(line) {
            match directive {
                Some(_) => tally.skipped = tally.skipped.saturating_add(1),
                None => tally.passed = tally.passed.saturating_add(1),
            }
        }
    }
    tally.counted("TAP")
}

/// What a top-level test that did not fail says behind its `#`, if it is marked to be left out or not yet done.
fn result(line: &str) -> Option<Option<&str>> {
    let rest = line
        .strip_prefix("ok")
        .or_else(|| line.strip_prefix("not ok"))?;
    let plain = rest.is_empty() || rest.starts_with(' ');
    plain.then(|| directive(rest))
}

fn directive(rest: &str) -> Option<&str> {
    let (_, mark) = rest.rsplit_once("# ")?;
    let word = mark.get(..4)?;
    (word.eq_ignore_ascii_case("skip") || word.eq_ignore_ascii_case("todo")).then_some(mark)
}

/// The name of a test that failed, at any depth; one that is expected to fail has not.
pub(super) fn not_ok(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("not ok")?;
    if !(rest.is_empty() || rest.starts_with(' ')) || directive(rest).is_some() {
        return None;
    }
    let rest = rest.trim_start();
    let name = number(rest).map_or(rest, |(_, name)| name).trim_start();
    Some(name.strip_prefix("- ").unwrap_or(name))
}
