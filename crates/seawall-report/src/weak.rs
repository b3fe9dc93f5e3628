//! The accepted tasks whose evidence says least, for the end of a run.
//!
//! Weak is a change that none of its checks notices when it is taken away. Where nobody looked, only what no check can have
//! noticed is weak: a file that is there, a status of unknown meaning.

use seawall_core::evidence::{Evidence, Grade, Value};
use seawall_core::grade::{self, Weight};
use seawall_core::ids::TaskIx;
use seawall_core::plan::Task;
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::Verdict;

use crate::view::{AttemptView, View};
use crate::words::{many, name};

/// Tasks that are told.
const MOST: usize = 5;

/// What the evidence of an attempt weighs, and whether its checks noticed that its change was not there; none where nobody
/// looked.
pub(crate) fn weigh(task: &Task, attempt: &AttemptView) -> (Weight, Option<bool>) {
    let weight = grade::weigh(task, &attempt.evidence);
    let red = |looks: &[Evidence]| looks.iter().any(|look| look.value == Value::Fail);
    let noticed = attempt.sensed.as_deref().map(red);
    (weight.sensed(noticed == Some(true)), noticed)
}

/// A line for each of the weakest, and how many more there are.
pub(crate) fn lines(view: &View, scheduler: &Scheduler) -> Vec<String> {
    let accepted = |ix: TaskIx| *scheduler.standing(ix) == Standing::Ended(Verdict::Accepted);
    let weak = |(ix, task): (TaskIx, &Task)| {
        let attempt = view.task(ix).last()?;
        let (weight, noticed) = weigh(task, attempt);
        let little = weight.grade < Some(Grade::Tests);
        let is_weak = noticed == Some(false) || (noticed.is_none() && little);
        is_weak.then(|| (weight.grade, line(task, attempt, weight, noticed)))
    };
    let tasks = view.plan().each_task().filter(|(ix, _)| accepted(*ix));
    let mut all: Vec<_> = tasks.filter_map(weak).collect();
    all.sort_by_key(|(grade, _)| *grade);
    let more = all.len().saturating_sub(MOST);
    let mut lines: Vec<_> = all.into_iter().take(MOST).map(|(_, line)| line).collect();
    if more > 0 {
        let run = name(view.run());
        let tasks = many(more, "more task");
        lines.push(format!("… {tasks}; `seawall report {run}` lists them"));
    }
    lines
}

/// `docs   1 check, exit; without its change nothing turns red`.
fn line(task: &Task, attempt: &AttemptView, weight: Weight, noticed: Option<bool>) -> String {
    let checks = many(attempt.evidence.len(), "check");
    let grade = weight.grade.map_or("none", Grade::word);
    let text = format!("{}   {checks}, {grade}", name(&task.id));
    match noticed {
        Some(false) => format!("{text}; without its change nothing turns red"),
        _ => text,
    }
}
