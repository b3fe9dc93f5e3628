//! One task: its verdict, and the table of evidence behind it.

use serde::Serialize;

use seawall_core::evidence::{Flaked, Grade, Own, Value};
use seawall_core::ids::TaskIx;
use seawall_core::scheduler::{Scheduler, Standing};

use super::{grades, verdict};
use crate::look;
use crate::reason;
use crate::receipt::{Approval, AttemptBody, Landed, Review};
use crate::view::{AttemptView, View};
use crate::words::{count, many};

/// A task as a reader needs it to judge the verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Synthesis {
    /// Its id.
    pub task: String,
    /// Its wave, from 1.
    pub wave: u32,
    /// `accepted`, `rejected`, `needs-human`, `blocked`, `not-run`, or where it stands while it is open.
    pub verdict: &'static str,
    /// Why, in a sentence; empty while it is open.
    pub why: String,
    /// What is left to say where the table of evidence stands below.
    #[serde(skip)]
    pub(super) beside: String,
    /// How much its evidence says; null when nothing passes.
    pub grade: Option<Grade>,
    /// The weakest that is enough; null where only persons judge.
    pub floor: Option<Grade>,
    /// Whether its checks were run without its change, and none noticed.
    pub insensitive: bool,
    /// Its dispatches that count.
    pub dispatches: u32,
    /// What its last attempt changed, such as `1 file, +5 -0`; empty when nothing.
    pub change: String,
    /// The last line that its worker said.
    pub claim: String,
    /// One row per criterion, as its last attempt showed it.
    pub evidence: Vec<Row>,
    /// What another agent says of its last attempt; null when none looked.
    pub review: Option<Review>,
    /// What a person took the responsibility for.
    pub approved: Vec<Approval>,
}

/// One criterion.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// `check` or `holdout`.
    pub kind: &'static str,
    /// The sentence.
    pub says: String,
    /// What it must show, as in the plan.
    pub proof: &'static str,
    /// What the base showed, in a word.
    pub before: &'static str,
    /// What base + change showed, in a word.
    pub after: &'static str,
    /// Why it is so; empty when it was not looked at.
    pub why: String,
    /// The command as it was run.
    pub command: String,
    /// Tests executed; null when none were counted.
    pub tests: Option<u64>,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// That it was red and green on one tree.
    pub flaky: Option<Flaked>,
    /// Of a change to the judge's own files, whether it passes without the task's version of them.
    pub own: Option<Own>,
    /// The SHA-256 of the output.
    pub output: Option<String>,
}

pub(super) fn of(
    view: &View,
    scheduler: &Scheduler,
    ix: TaskIx,
    (attempt, landed): (Option<&AttemptBody>, Option<&Landed>),
) -> Synthesis {
    let task = view.plan().task(ix);
    let last = view.task(ix).last();
    let (verdict, why) = verdict(view, scheduler, ix);
    let sensed = landed.map_or(&[][..], |landed| &landed.sensed);
    let evidence = last.map_or(&[][..], |last| &last.evidence);
    let weight = grades::of_task(task, evidence, sensed);
    let claim = last.map(AttemptView::claim).unwrap_or_default();
    let said = claim.lines().rev().find(|line| !line.trim().is_empty());
    Synthesis {
        task: task.id.to_string(),
        wave: view.task(ix).wave.0,
        verdict,
        beside: beside(view, scheduler, ix),
        why,
        grade: weight.grade,
        floor: weight.floor,
        insensitive: !sensed.is_empty() && sensed.iter().all(|look| look.value == Value::Pass),
        dispatches: scheduler.dispatches(ix),
        change: last.map(change).unwrap_or_default(),
        claim: said.unwrap_or_default().trim().to_owned(),
        evidence: look::rows(view, ix, last).iter().map(Row::of).collect(),
        review: attempt.and_then(|attempt| attempt.review.clone()),
        approved: landed
            .map(|landed| landed.approved.clone())
            .unwrap_or_default(),
    }
}

fn beside(view: &View, scheduler: &Scheduler, ix: TaskIx) -> String {
    match scheduler.standing(ix) {
        Standing::Ended(verdict) => reason::beside_evidence(view, ix, verdict).unwrap_or_default(),
        _ => String::new(),
    }
}

fn change(attempt: &AttemptView) -> String {
    let Some(change) = attempt.change() else {
        return String::new();
    };
    let files = many(change.paths.len(), "file");
    format!("{files}, +{} -{}", change.insertions, change.deletions)
}

impl Row {
    fn of(row: &look::Row<'_>) -> Self {
        let look = row.after.or(row.base);
        Self {
            kind: row.kind,
            says: row.criterion.says.clone(),
            proof: look::proof(row.criterion.proof),
            before: row.before_word(),
            after: row.after_word(),
            why: look.map(|look| look.why.clone()).unwrap_or_default(),
            command: row.command().unwrap_or_default().to_owned(),
            tests: look
                .and_then(|look| look.tests.as_ref())
                .map(|tests| tests.executed()),
            ms: look.map_or(0, |look| look.ms),
            flaky: row.after.and_then(|look| look.flaky),
            own: row.after.and_then(|look| look.own),
            output: row.after.map(|look| look.output.0.to_string()),
        }
    }
}

impl Synthesis {
    /// `2 checks green, 14 tests`, or how many are not.
    pub(super) fn seen(&self) -> String {
        let green = |row: &&Row| matches!(row.after, "green" | "no redder");
        let all = self.evidence.len();
        let good = self.evidence.iter().filter(green).count();
        let tests: u64 = self.evidence.iter().filter_map(|row| row.tests).sum();
        let tests = match tests {
            0 => String::new(),
            n => format!(", {}", count(n, "test")),
        };
        match all {
            all if all == good => format!("{} green{tests}", many(all, "check")),
            all => format!("{good} of {} green{tests}", many(all, "check")),
        }
    }
}
