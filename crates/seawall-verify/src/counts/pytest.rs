//! pytest: `=== 1 failed, 3 passed in 0.12s ===`, with `-q` without the rule.

use seawall_core::counted::Counted;

use super::Tally;
use super::text::number_of;

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let mut tally = Tally::default();
    for line in lines {
        if let Some(words) = summary(line) {
            words
                .split(", ")
                .filter_map(number_of)
                .for_each(|(number, what)| add(&mut tally, number, what));
            tally.seen = true;
        } else if let Some(name) = failing(line) {
            tally.name(name);
        }
    }
    tally.counted("pytest")
}

fn add(tally: &mut Tally, number: u64, what: &str) {
    match what {
        "passed" | "xpassed" => tally.add(|t| &mut t.passed, number),
        "failed" => tally.add(|t| &mut t.failed, number),
        "error" | "errors" => {
            tally.add(|t| &mut t.failed, number);
            tally.add(|t| &mut t.errors, number);
        }
        // An expected failure proves as little as a test that was left out.
        "skipped" | "xfailed" => tally.add(|t| &mut t.skipped, number),
        _ => {}
    }
}

/// The words of a summary line: all but the time, which every one of them ends with.
fn summary(line: &str) -> Option<&str> {
    let (words, time) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
    let seconds = time.split(' ').next()?.strip_suffix('s')?;
    let timed = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let known = |part: &str| {
        number_of(part).is_some_and(|(_, what)| {
            what.split(' ')
                .all(|word| word.bytes().all(|b| b.is_ascii_alphabetic()))
        })
    };
    let all = words == "no tests ran" || words.split(", ").all(known);
    (timed && all && outcome(words)).then_some(words)
}

/// Whether one of the words is pytest's own: `2 warnings in 3s` is not enough.
fn outcome(words: &str) -> bool {
    const OWN: [&str; 8] = [
        " passed",
        " failed",
        " error",
        " errors",
        " skipped",
        " xfailed",
        " xpassed",
        " deselected",
    ];
    words == "no tests ran"
        || words
            .split(", ")
            .any(|part| OWN.iter().any(|own| part.ends_with(own)))
}

/// `FAILED tests/a.py::test_x[a - b] - AssertionError`: the part between the word and the reason.
fn failing(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("FAILED ")
        .or_else(|| line.strip_prefix("ERROR "))?;
    let name = match rest.find("] - ") {
        Some(end) if rest.find('[') < rest.find(" - ") => &rest[..=end],
        _ => rest.split(" - ").next()?,
    };
    let plain = name.contains("::") || name.ends_with(".py");
    (plain && !name.starts_with(':')).then_some(name)
}
