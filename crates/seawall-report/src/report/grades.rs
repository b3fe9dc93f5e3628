//! How much the evidence of accepted tasks says, and which of it says least.

use seawall_core::evidence::{Evidence, Grade, Own, Value};
use seawall_core::grade::{Weight, weigh};
use seawall_core::plan::Task;

use super::{Synthesis, Weak};
use crate::receipt::Seen;

/// What a task's evidence weighs, with what was seen without its change.
pub(super) fn of_task(task: &Task, evidence: &[Evidence], sensed: &[Seen]) -> Weight {
    let red = sensed.iter().any(|look| look.value == Value::Fail);
    weigh(task, evidence).sensed(red)
}

/// The accepted tasks whose evidence is below what is usual in the run, below their floor, or weakened by something; the
/// weakest first.
pub(super) fn weakest(tasks: &[Synthesis]) -> Vec<Weak> {
    let accepted = || tasks.iter().filter(|task| task.verdict == "accepted");
    let mut grades: Vec<_> = accepted().map(|task| task.grade).collect();
    grades.sort_unstable();
    let usual = grades.get(grades.len() / 2).copied().flatten();
    let of = |task: &Synthesis| Weak {
        task: task.task.clone(),
        grade: task.grade,
        floor: task.floor,
        why: why(task),
    };
    let weak = |weak: &Weak| {
        weak.grade < usual
            || weak.grade < weak.floor
            || weak.grade < Some(Grade::RedToGreen)
            || !weak.why.is_empty()
    };
    let mut all: Vec<_> = accepted().map(of).filter(weak).collect();
    all.sort_by(|one, other| {
        let key = |weak: &Weak| (weak.grade, std::cmp::Reverse(weak.why.len()));
        key(one).cmp(&key(other))
    });
    all
}

/// What weakens a task's evidence besides its grade.
fn why(task: &Synthesis) -> Vec<String> {
    let mut why = Vec::new();
    let rows = || task.evidence.iter();
    if task.insensitive {
        why.push("reverting its change turns nothing red".to_owned());
    }
    let own = rows().filter(|row| row.own == Some(Own::Needed)).count();
    if own > 0 && own == rows().filter(|row| row.after == "green").count() {
        why.push("it passes only with tests of its own".to_owned());
    }
    for flaky in rows().filter_map(|row| row.flaky) {
        let (red, green) = (flaky.red, flaky.green);
        why.push(format!("flaky: {red} red and {green} green on one tree"));
    }
    for approval in &task.approved {
        why.push(format!(
            "landed on the word of {}: {}",
            approval.by, approval.note
        ));
    }
    why
}
