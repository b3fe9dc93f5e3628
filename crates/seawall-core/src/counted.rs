//! What a test runner said that it executed, read from the end of a check's output.
//!
//! Numbers of the command's own output: they can only make a verdict worse, never better, because a green check
//! must be green by its exit status as well. Every record in the journal carries them, so the names are bounded.

use serde::{Deserialize, Serialize};

/// The most names of failing tests that a record carries.
pub const NAMES: usize = 500;
/// The most bytes of one name.
pub const NAME: usize = 300;

/// The tests that one look at a criterion executed, all summaries of its output added up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counted {
    /// Whose summaries: `pytest`, `cargo test`, or several joined with ` + `.
    pub runner: String,
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, and what failed outside of a test: a set-up, a file that could not be loaded.
    pub failed: u64,
    /// How many of `failed` are no tests that ran to their end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub errors: u64,
    /// Tests that were left out by a mark in the code, expected failures included. What a filter left out is
    /// not counted, where the runner tells them apart.
    pub skipped: u64,
    /// The names of what failed, at most [`NAMES`]; empty where the runner gives none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<String>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Counted {
    /// Tests that ran to their end, well or not. An error is left out: one test can have both.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.passed
            .saturating_add(self.failed.saturating_sub(self.errors))
    }

    /// Whether nothing at all was tried.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.passed == 0 && self.failed == 0
    }

    /// Whether every failure has its name.
    #[must_use]
    pub fn names_all(&self) -> bool {
        self.failing.len() < NAMES && self.failing.len() as u64 >= self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_no_executed_test() {
        let counted = Counted {
            passed: 3,
            failed: 4,
            errors: 1,
            failing: vec!["a".into(); 4],
            ..Counted::default()
        };
        assert_eq!((counted.executed(), counted.names_all()), (6, true));
        assert!(Counted::default().is_empty() && Counted::default().names_all());
    }
}
