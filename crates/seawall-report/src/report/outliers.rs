//! What is unlike the rest: much larger, much slower, or not right the first time.
//!
//! "Much" is four times the median of the accepted tasks, and a step above it that matters by itself, so that in a run
//! of two-line changes the one with nine is no outlier. With fewer than three accepted tasks there is no rest to be
//! unlike.

use serde::Serialize;

use seawall_core::ids::TaskIx;
use seawall_core::scheduler::Scheduler;

use super::accepted;
use crate::view::View;
use crate::words::{count, duration};

/// How much of the median is much.
const TIMES: u64 = 4;
/// Lines above the median that matter.
const LINES: u64 = 40;
/// Milliseconds above the median that matter.
const MS: u64 = 10_000;
/// Tasks from which on there is a rest.
const REST: usize = 3;

/// A task that is unlike the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outlier {
    /// The task.
    pub task: String,
    /// In what: `size`, `time` or `attempts`.
    pub kind: &'static str,
    /// How much: lines, milliseconds of the worker, dispatches.
    pub value: u64,
    /// What is usual, or was expected.
    pub usual: u64,
    /// The same in words.
    pub what: String,
}

/// The outliers among what was accepted; by kind, the largest first.
pub(super) fn find(view: &View, scheduler: &Scheduler) -> Vec<Outlier> {
    let tasks: Vec<_> = accepted(view, scheduler).collect();
    let mut all = sizes(view, &tasks);
    all.extend(times(view, &tasks));
    all.extend(again(view, scheduler, &tasks));
    all
}

fn sizes(view: &View, tasks: &[TaskIx]) -> Vec<Outlier> {
    let size = |ix: TaskIx| {
        view.task(ix)
            .landed()
            .map(|change| change.insertions + change.deletions)
    };
    let usual = median(tasks.iter().filter_map(|ix| size(*ix)).collect());
    let of = |ix: &TaskIx| {
        let value = size(*ix)?;
        let expected = view.plan().task(*ix).expected_lines.map(u64::from);
        let lines = count(value, "line");
        let (usual, what) = match expected {
            Some(expected) if much(value, expected, LINES) => {
                (expected, format!("{lines}, {expected} expected"))
            }
            None => {
                let usual = usual.filter(|usual| much(value, *usual, LINES))?;
                (usual, format!("{lines}, the median is {usual}"))
            }
            Some(_) => return None,
        };
        Some(outlier(view, *ix, "size", (value, usual), what))
    };
    sorted(tasks.iter().filter_map(of).collect())
}

fn times(view: &View, tasks: &[TaskIx]) -> Vec<Outlier> {
    let time = |ix: TaskIx| view.task(ix).last()?.worker.as_ref().map(|end| end.ms);
    let Some(usual) = median(tasks.iter().filter_map(|ix| time(*ix)).collect()) else {
        return Vec::new();
    };
    let of = |ix: &TaskIx| {
        let value = time(*ix).filter(|value| much(*value, usual, MS))?;
        let what = format!(
            "its worker took {}, the median is {}",
            duration(value),
            duration(usual)
        );
        Some(outlier(view, *ix, "time", (value, usual), what))
    };
    sorted(tasks.iter().filter_map(of).collect())
}

/// Tasks that were not right the first time.
fn again(view: &View, scheduler: &Scheduler, tasks: &[TaskIx]) -> Vec<Outlier> {
    let of = |ix: &TaskIx| {
        let value = u64::from(scheduler.dispatches(*ix));
        let attempts = &view.task(*ix).attempts;
        let rejected = attempts.iter().find(|attempt| {
            matches!(
                attempt.fate,
                crate::view::Fate::Rejected(_) | crate::view::Fate::Culprit { .. }
            )
        })?;
        let why = crate::reason::of_fate(view, *ix, rejected).text;
        let what = format!("{}; rejected first: {why}", count(value, "dispatch"));
        (value > 1).then(|| outlier(view, *ix, "attempts", (value, 1), what))
    };
    sorted(tasks.iter().filter_map(of).collect())
}

fn outlier(
    view: &View,
    ix: TaskIx,
    kind: &'static str,
    (value, usual): (u64, u64),
    what: String,
) -> Outlier {
    Outlier {
        task: view.plan().task(ix).id.to_string(),
        kind,
        value,
        usual,
        what,
    }
}

fn sorted(mut all: Vec<Outlier>) -> Vec<Outlier> {
    all.sort_by_key(|outlier| std::cmp::Reverse(outlier.value));
    all
}

fn much(value: u64, usual: u64, step: u64) -> bool {
    value > usual.saturating_mul(TIMES) && value > usual.saturating_add(step)
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    (values.len() >= REST).then(|| values[values.len() / 2])
}
