//! The claim beside the contradiction: where the numbers and the words of a worker are not what its checks counted.
//!
//! Only two kinds of sentence are understood, `N passed` (or failed) and `all tests pass`, because only for these do the
//! records hold the other side. What is not understood is not held against anybody: the claim is shown as a whole besides.

use crate::counted::Counted;
use crate::evidence::Evidence;

/// The most characters of a claim's line that are quoted.
const QUOTED: usize = 160;

/// One sentence for each line of `claim` that a red record contradicts.
pub(super) fn contradictions(claim: &str, evidence: &[&Evidence]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in claim.lines() {
        let words = words(line);
        let record = evidence
            .iter()
            .find_map(|record| contradicts(&words, record));
        let said =
            record.map(|seen| format!("you said \"{}\"; the check shows {seen}", quoted(line)));
        found.extend(said.filter(|said| !found.contains(said)));
    }
    found
}

/// What a record shows instead, if a line says otherwise.
fn contradicts(words: &[String], record: &Evidence) -> Option<String> {
    let has = |word: &str| words.iter().any(|w| w == word);
    let all_pass = (has("all") || has("every"))
        && has("tests")
        && (has("pass") || has("passed") || has("passing"));
    let seen = match &record.tests {
        Some(counted) if all_pass || counts_otherwise(words, counted) => counts(counted),
        None if all_pass => record.why.clone(),
        _ => return None,
    };
    Some(seen)
}

fn counts(counted: &Counted) -> String {
    format!("{} passed, {} failed", counted.passed, counted.failed)
}

/// Whether a line names a number of passed or failed tests that was not counted.
fn counts_otherwise(words: &[String], counted: &Counted) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let Ok(said) = word.parse::<u64>() else {
            return false;
        };
        // `12 passed`, `12 tests passed`, `12 tests are passing`
        let what = words.iter().skip(at + 1).take(3);
        let what = what.take_while(|word| word.parse::<u64>().is_err());
        what.filter_map(|word| of_what(word, counted))
            .next()
            .is_some_and(|seen| seen != said)
    })
}

fn of_what(word: &str, counted: &Counted) -> Option<u64> {
    match word {
        "pass" | "passed" | "passing" | "passes" => Some(counted.passed),
        "fail" | "failed" | "failing" | "fails" | "failures" => Some(counted.failed),
        _ => None,
    }
}

fn words(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn quoted(line: &str) -> String {
    let plain = line.trim().chars().filter(|c| !c.is_control());
    plain.take(QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::look;

    fn against(claim: &str, tests: Option<(u64, u64)>) -> Vec<String> {
        let mut record = look(false).remove(0);
        record.why = "exit status 1".into();
        record.tests = tests.map(|(passed, failed)| {
            Box::new(Counted {
                passed,
                failed,
                ..Counted::default()
            })
        });
        contradictions(claim, &[&record])
    }

    #[test]
    fn a_number_stands_beside_the_one_that_was_counted() {
        let found = against("Done.\n12 passed, 0 failed in 0.1s", Some((11, 1)));
        let want = "you said \"12 passed, 0 failed in 0.1s\"; the check shows 11 passed, 1 failed";
        assert_eq!(found, [want]);
        assert_eq!(
            against("All 12 tests pass.", None),
            ["you said \"All 12 tests pass.\"; the check shows exit status 1"]
        );
    }

    #[test]
    fn what_is_true_or_not_understood_is_no_contradiction() {
        for claim in [
            "11 passed, 1 failed",
            "I changed 3 files",
            "",
            "the tests are hard to pass",
        ] {
            assert_eq!(
                against(claim, Some((11, 1))),
                Vec::<String>::new(),
                "{claim}"
            );
        }
    }
}
