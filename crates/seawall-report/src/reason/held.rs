//! What keeps a change from landing until a person approves of it, in words.

use seawall_core::evidence::Grade;
use seawall_core::grade::Weight;
use seawall_core::ids::TaskIx;
use seawall_core::plan::Task;
use seawall_core::verdict::Hold;

use super::{Reason, list, reason};
use crate::findings;
use crate::look;
use crate::view::{AttemptView, View};
use crate::weak;
use crate::words::{few, name};

pub(super) fn needs_human(view: &View, ix: TaskIx) -> Reason {
    let holds = &view.task(ix).holds;
    let code = match holds.first() {
        Some(Hold::Criterion(_)) | None => "needs-human",
        Some(Hold::Finding(_)) => "finding-held",
        Some(Hold::Review) => "review-held",
        Some(Hold::Weak) => "evidence-weak",
        Some(Hold::Flaky(_) | Hold::FlakyGate(_)) => "flaky",
    };
    let all: Vec<_> = holds.iter().flat_map(|hold| held(view, ix, hold)).collect();
    reason(
        code,
        format!("a person must look: {}", few(all.into_iter(), 3, ", ")),
    )
}

/// What holds a task, in words; a code may stand for several findings.
fn held(view: &View, ix: TaskIx, hold: &Hold) -> Vec<String> {
    let task = view.plan().task(ix);
    let last = view.task(ix).last();
    let says = |n: &u32| {
        let criterion = task.criteria().nth(*n as usize);
        name(criterion.map_or("", |criterion| &criterion.says))
    };
    vec![match hold {
        Hold::Criterion(n) => format!("`{}`", says(n)),
        Hold::Finding(code) => {
            return last.map_or_else(Vec::new, |last| findings::held(last, code));
        }
        Hold::Review => reviewed(last),
        Hold::Weak => weak(task, last),
        Hold::Flaky(n) => {
            let kind = look::kind(task, *n);
            format!("{kind} `{}` is red and green on one tree", says(n))
        }
        Hold::FlakyGate(n) => {
            let gate = look::gate(view, *n as usize);
            let (kind, says) = gate.map_or(("check", ""), |(kind, gate)| (kind, &gate.says));
            format!(
                "{kind} `{}` of the checkpoint is red and green on one tree",
                name(says)
            )
        }
    }]
}

fn reviewed(attempt: Option<&AttemptView>) -> String {
    let review = attempt.and_then(|attempt| attempt.review.as_ref());
    let reasons = review.map_or(&[][..], |review| &review.reasons);
    match reasons {
        [] => "its reviewer gives no reason".to_owned(),
        _ => format!("its reviewer says: {}", list(reasons, reasons.len() as u64)),
    }
}

/// `its evidence is weak: exit, floor tests`.
fn weak(task: &Task, attempt: Option<&AttemptView>) -> String {
    let weight = attempt.map_or_else(Weight::default, |attempt| weak::weigh(task, attempt).0);
    let word = |grade: Option<Grade>| grade.map_or("none", Grade::word);
    format!(
        "its evidence is weak: {}, floor {}",
        word(weight.grade),
        word(weight.floor)
    )
}
