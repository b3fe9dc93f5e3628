//! What the evidence of an attempt is worth, what its reviewer says, and what persons took upon themselves.
//!
//! The worth of an attempt that its checks reject is told by its checks, so it has no line here.

use seawall_core::evidence::{Grade, ReviewVerdict, Value};
use seawall_core::ids::TaskIx;
use seawall_core::plan::Task;

use super::field;
use crate::log::{held, worker};
use crate::view::{AttemptView, View};
use crate::weak;
use crate::words::{few, shown};

/// Reasons of a reviewer that are shown.
const REASONS: usize = 8;

/// What holds a task, and what was approved of.
pub(super) fn persons(view: &View, ix: TaskIx, lines: &mut Vec<String>) {
    let task = view.task(ix);
    if !task.holds.is_empty() {
        lines.push(field("held by", &few(task.holds.iter().map(held), 6, ", ")));
    }
    for approval in &task.approvals {
        let (by, note) = (shown(&approval.by, 100), shown(&approval.note, 300));
        let text = format!("{} by {by}: {note}", held(&approval.hold));
        lines.push(field("approved", &text));
    }
}

/// `exit, floor red-to-green; without its change nothing turns red`.
pub(super) fn evidence(task: &Task, attempt: &AttemptView, lines: &mut Vec<String>) {
    let red = attempt
        .evidence
        .iter()
        .any(|look| look.value == Value::Fail);
    if red || attempt.evidence.is_empty() {
        return;
    }
    let (weight, noticed) = weak::weigh(task, attempt);
    let word = |grade: Option<Grade>| grade.map_or("none", Grade::word);
    let without = match noticed {
        None => "",
        Some(true) => "; without its change a check turns red",
        Some(false) => "; without its change nothing turns red",
    };
    let text = format!(
        "{}, floor {}{without}",
        word(weight.grade),
        word(weight.floor)
    );
    lines.push(field("  evidence", &text));
}

/// What another agent said of the change, a line a reason.
pub(super) fn review(attempt: &AttemptView, lines: &mut Vec<String>) {
    let Some(review) = &attempt.review else {
        return;
    };
    let says = match review.verdict {
        ReviewVerdict::Accept => "accept",
        ReviewVerdict::Hold => "hold",
        ReviewVerdict::Reject => "reject",
    };
    lines.push(field(
        "  review",
        &format!("{says}  {}", worker(&review.end)),
    ));
    for reason in review.reasons.iter().take(REASONS) {
        lines.push(field("", &format!("\"{}\"", shown(reason, 300))));
    }
    if let Some(more) = review.reasons.len().checked_sub(REASONS + 1) {
        lines.push(field("", &format!("… {} more", more + 1)));
    }
}
