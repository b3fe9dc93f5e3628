//! The decisions that hold for the files of a task, as a section of its brief.
//!
//! The least specific give way when there are too many: a brief that says everything is read by nobody.

use std::fmt::Write as _;

use crate::plan::{Decision, DecisionKind, Plan, Task};

/// The most decisions in a brief.
const MOST: usize = 20;
/// The most bytes of them.
const BYTES: usize = 4 << 10;

/// Adds the section, the most specific decision last.
pub(super) fn tell(text: &mut String, plan: &Plan, task: &Task) {
    let all = task.decisions.iter();
    let all: Vec<_> = all
        .filter_map(|ix| plan.decisions.get(*ix as usize))
        .collect();
    let mut left = BYTES;
    let fits = |line: &String| {
        let rest = left.checked_sub(line.len());
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let newest = all.iter().rev().map(|decision| line(decision));
    let told: Vec<_> = newest.take(MOST).take_while(fits).collect();
    if all.is_empty() {
        return;
    }
    text.push_str("\n# Decisions that hold for these files\n\n");
    let more = all.len() - told.len();
    if more > 0 {
        let _ = writeln!(text, "- {more} more in `.seawall/decisions.toml`");
    }
    text.extend(told.into_iter().rev());
}

fn line(decision: &Decision) -> String {
    let kind = match decision.kind {
        DecisionKind::Constraint => "constraint",
        DecisionKind::Rejected => "rejected design, do not propose it again",
    };
    let (says, because) = (one_line(&decision.says), one_line(&decision.because));
    format!("- {kind}: {says} (because: {because})\n")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(count: u32, length: usize) -> String {
        let mut task = crate::sample::task("a", "a.py", &[], &[], 1);
        task.decisions = (0..count).collect();
        let mut plan = (*crate::sample::plan(vec![task.clone()], 1)).clone();
        let decision = |n| Decision {
            says: format!("rule {n}{}", "x".repeat(length)),
            because: "so\nit is".into(),
            paths: vec!["**".into()],
            kind: DecisionKind::Rejected,
        };
        plan.decisions = (0..count).map(decision).collect();
        let mut text = String::new();
        tell(&mut text, &plan, &task);
        text
    }

    #[test]
    fn the_most_specific_are_told_last_and_the_rest_is_counted() {
        assert_eq!(told(0, 0), "");
        let text = told(25, 0);
        assert!(text.contains("\n- 5 more in"), "{text}");
        assert!(
            text.ends_with("again: rule 24 (because: so it is)\n"),
            "{text}"
        );
        assert!(!text.contains("rule 4 "), "{text}");
        let text = told(20, 1_000);
        assert!(
            text.len() < BYTES + 200 && text.contains("17 more"),
            "{text}"
        );
    }
}
