//! What several looks of one check at one tree say together, and what a declared red is.
//!
//! A red is believed when it comes twice. One that is followed by a green is no verdict on the work but on the check: a person
//! must look, unless the plan says that one green of so many is enough. The cost is one more run of each red check.

use seawall_core::evidence::{Evidence, Flaked, Value};
use seawall_core::plan::{Criterion, Flaky};

/// Whether the check must be run once more on the same tree. `seen` are its looks so far, judged, the first one first.
#[must_use]
pub fn looks_again(criterion: &Criterion, seen: &[Evidence]) -> bool {
    let more = match criterion.flaky {
        Flaky::Hold => 1,
        Flaky::Retry(times) => times as usize,
    };
    !seen.is_empty() && seen.len() <= more && seen.iter().all(|look| look.value == Value::Fail)
}

/// What the looks say together; `seen` has at least one, and all but the last are red.
#[must_use]
pub fn settle(criterion: &Criterion, mut seen: Vec<Evidence>) -> Option<Evidence> {
    let red = seen.iter().filter(|look| look.value == Value::Fail).count();
    let last = seen.pop()?;
    if seen.is_empty() {
        return Some(last);
    }
    let first = seen.swap_remove(0);
    if !last.passes() {
        return Some(first); // red again, or nothing more could be seen
    }
    let flaky = Some(Flaked {
        red: u32::try_from(red).unwrap_or(u32::MAX),
        green: 1,
    });
    let times = if red == 1 { "once" } else { "first" };
    Some(match criterion.flaky {
        Flaky::Hold => Evidence {
            value: Value::CouldNotLook,
            why: format!(
                "red and green on one tree ({}; then {})",
                first.why, last.why
            ),
            flaky,
            ..first
        },
        Flaky::Retry(_) => Evidence {
            why: format!("{}, after it was red {times} ({})", last.why, first.why),
            flaky,
            ..last
        },
    })
}

/// The same record of a gate that may be red until these tasks are done.
#[must_use]
pub fn may_be_red(evidence: Evidence, until: &[&str]) -> Evidence {
    if evidence.value != Value::Fail {
        return evidence;
    }
    let until: Vec<_> = until.iter().map(|task| format!("`{task}`")).collect();
    let why = format!(
        "red, as declared until {} ({})",
        until.join(", "),
        evidence.why
    );
    Evidence {
        value: Value::Pass,
        why,
        ..evidence
    }
}
