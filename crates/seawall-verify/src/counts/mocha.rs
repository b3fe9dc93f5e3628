//! Mocha: `  3 passing (5ms)`, then `  1 pending` and `  1 failing`, then what failed, numbered.

use seawall_core::counted::Counted;

use super::Tally;
use super::text::{number, number_of};

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let mut tally = Tally::default();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let said = line.strip_prefix("  ").and_then(number_of);
        match said.map(|(number, what)| (number, what.split(' ').next().unwrap_or(what))) {
            Some((passed, "passing")) => tally.add(|t| &mut t.passed, passed),
            Some((skipped, "pending")) if tally.seen => tally.add(|t| &mut t.skipped, skipped),
            Some((failed, "failing")) if tally.seen => tally.add(|t| &mut t.failed, failed),
            _ if line.starts_with("Error: No test files found: ") => tally.seen = true,
            _ if tally.failed > 0 => {
                if let Some(name) = failing(&lines[at - 1..]) {
                    tally.name(&name);
                }
            }
            _ => {}
        }
    }
    tally.counted("mocha")
}

/// `  1) Suite`, `       inner:` and so on down to the line that ends with a colon: the titles, joined.
fn failing(lines: &[&str]) -> Option<String> {
    let first = lines.first()?.strip_prefix("  ")?;
    let (_, title) = number(first).and_then(|(n, rest)| Some((n, rest.strip_prefix(") ")?)))?;
    let mut titles = vec![title.trim()];
    for line in lines.iter().skip(1).take(12) {
        if titles.last().is_some_and(|title| title.ends_with(':')) || line.trim().is_empty() {
            break;
        }
        titles.push(line.trim());
    }
    let name = titles.join(" > ");
    name.ends_with(':')
        .then(|| name.trim_end_matches(':').to_owned())
}
