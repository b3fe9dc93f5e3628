//! How many tests a check executed, read from the end of its output.
//!
//! One file per runner, each a pure function over lines. A runner is recognised by its summary alone, in the exact
//! form that it prints, never by words in between. The cost: a summary that scrolled out of [`COUNTED`] bytes, or one
//! that an option suppresses (`pytest -qq`), is not seen, and a command can print what it likes. Therefore a count
//! never turns a red check green on its own.

mod cargo;
mod go;
mod jest;
mod junit;
mod mocha;
mod nextest;
mod node;
mod pytest;
mod tap;
mod text;
mod unittest;
mod vitest;

use seawall_core::counted::{Counted, NAME, NAMES};

pub use junit::{junit, together};
pub(crate) use text::plain;

/// Bytes of the end of a check's output in which summaries are looked for.
pub const COUNTED: usize = 1 << 20;

/// What the runners whose summaries stand in `output` executed, added up; none when there is no summary.
pub(crate) fn count(output: &[u8]) -> Option<Counted> {
    let text = text::plain(output);
    let lines: Vec<&str> = text.lines().collect();
    let found = [
        pytest::read(&lines),
        unittest::read(&lines),
        // Nextest shows the output of the programs that `cargo test` would have run.
        nextest::read(&lines).or_else(|| cargo::read(&lines)),
        go::read(&lines),
        // Node's runner writes TAP when nobody watches.
        node::read(&lines).or_else(|| tap::read(&lines)),
        vitest::read(&lines),
        jest::read(&lines),
        mocha::read(&lines),
    ];
    found.into_iter().flatten().reduce(add)
}

fn add(mut sum: Counted, other: Counted) -> Counted {
    sum.runner = format!("{} + {}", sum.runner, other.runner);
    sum.passed = sum.passed.saturating_add(other.passed);
    sum.failed = sum.failed.saturating_add(other.failed);
    sum.errors = sum.errors.saturating_add(other.errors);
    sum.skipped = sum.skipped.saturating_add(other.skipped);
    let room = NAMES.saturating_sub(sum.failing.len());
    sum.failing.extend(other.failing.into_iter().take(room));
    sum
}

/// What one runner has said so far.
#[derive(Debug, Default)]
struct Tally {
    seen: bool,
    passed: u64,
    failed: u64,
    errors: u64,
    skipped: u64,
    failing: Vec<String>,
}

impl Tally {
    /// Adds to a number and remembers that there was a summary.
    fn add(&mut self, which: impl FnOnce(&mut Self) -> &mut u64, more: u64) {
        self.seen = true;
        let number = which(self);
        *number = number.saturating_add(more);
    }

    /// Adds a summary of a runner for JavaScript; `part` is what it says of a kind, `red_files` how many files failed.
    fn javascript(&mut self, part: impl Fn(&str) -> u64, red_files: u64) {
        let failed = part("failed");
        self.add(|t| &mut t.passed, part("passed"));
        self.add(|t| &mut t.failed, failed);
        let skipped = part("skipped").saturating_add(part("todo"));
        self.add(|t| &mut t.skipped, skipped);
        // A file that cannot be loaded is red without a red test.
        if failed == 0 {
            self.add(|t| &mut t.failed, red_files);
            self.add(|t| &mut t.errors, red_files);
        }
    }

    /// Remembers the name of something that failed, once.
    fn name(&mut self, name: &str) {
        let name = text::cut(name.trim(), NAME);
        let known = |known: &String| known == name;
        if !name.is_empty() && self.failing.len() < NAMES && !self.failing.iter().any(known) {
            self.failing.push(name.to_owned());
        }
    }

    fn counted(self, runner: &str) -> Option<Counted> {
        self.seen.then(|| Counted {
            runner: runner.to_owned(),
            passed: self.passed,
            failed: self.failed,
            errors: self.errors.min(self.failed),
            skipped: self.skipped,
            failing: self.failing,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
