//! A run told by exception, for who must decide whether to land it: the verdict, then what it stands on least, then
//! what is unlike the rest, then what was found, and only then everything.
//!
//! It is the synthesis of a run: for each task the verdict and the table of evidence behind it. What is said is read
//! from the journal (through [`View`] and the receipts) and, for the shapes of changes, from the differences that the
//! caller hands over; nothing is asked of the workers. It holds every accepted change's hunks for the time of folding, one
//! task at a time.

mod grades;
mod markdown;
mod outliers;
pub mod shapes;
mod synthesis;
mod text;

use std::collections::HashMap;

use serde::Serialize;

use seawall_core::evidence::{Grade, Value};
use seawall_core::finding::Finding;
use seawall_core::ids::{Commit, TaskIx};
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::Verdict;

use crate::look::Lands;
use crate::reason::{self, verdict_name};
use crate::receipt::{AttemptBody, Body, Landed, Receipt};
use crate::status::{Counts, GateLook, Liveness, counts, gate_looks, short_branch, state};
use crate::view::View;

pub use markdown::report_markdown;
pub use outliers::Outlier;
pub use shapes::{Folding, Shapes};
pub use synthesis::{Row, Synthesis};
pub use text::report_text;

/// `report --format json`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The run's id.
    pub run: String,
    /// The plan's name.
    pub plan: String,
    /// What all tasks together were for.
    pub goal: String,
    /// As in `status --json`.
    pub state: &'static str,
    /// How many tasks have which verdict.
    pub counts: Counts,
    /// Milliseconds in which a supervisor looked after it.
    pub wall_ms: u64,
    /// Dispatches that count.
    pub dispatches: u32,
    /// The run's branch, without `refs/heads/`.
    pub branch: String,
    /// Its last checkpoint, or the base.
    pub head: Commit,
    /// Its commits.
    pub commits: usize,
    /// What they change, such as `15 files, +210 -236`.
    pub lands: String,
    /// What the world said when the run parked; null unless it did.
    pub parked: Option<String>,
    /// The gates that do not pass on the base; then nothing was started.
    pub base: Vec<GateLook>,
    /// Tasks that are not accepted and had something to do, by id: what a person must act on first. Those that wait for
    /// their wave are left out.
    pub attention: Vec<String>,
    /// Accepted tasks whose evidence is weaker than it should be or than that of most, the weakest first.
    pub weakest: Vec<Weak>,
    /// What is unlike the rest.
    pub outliers: Vec<Outlier>,
    /// The hunks of accepted changes, folded by shape.
    pub shapes: Shapes,
    /// What was found in changes that landed or wait for a person.
    pub findings: Vec<Found>,
    /// Every task once: its verdict and the evidence behind it, in plan order.
    pub tasks: Vec<Synthesis>,
}

/// An accepted task, and how much its evidence says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Weak {
    /// The task.
    pub task: String,
    /// Its grade; null when nothing was looked at.
    pub grade: Option<Grade>,
    /// The weakest that was enough; null where only persons judge.
    pub floor: Option<Grade>,
    /// What weakens it, a few words each.
    pub why: Vec<String>,
}

/// A finding and whose it is.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The task.
    pub task: String,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
}

/// The report of a run, with the folded hunks of what was accepted.
#[must_use]
pub fn report(
    view: &View,
    scheduler: &Scheduler,
    liveness: Liveness,
    chain: &[Receipt],
    shapes: Shapes,
) -> Report {
    let (landed, attempts) = (landed(chain), attempts(chain));
    let started = view.started();
    let plan = view.plan();
    let tasks = plan.each_task();
    let tasks: Vec<_> = tasks
        .map(|(ix, task)| {
            let id = &*task.id;
            let receipts = (attempts.get(id).copied(), landed.get(id).copied());
            synthesis::of(view, scheduler, ix, receipts)
        })
        .collect();
    let points = view.checkpoints().iter().flat_map(|point| &point.tasks);
    Report {
        run: view.run().to_owned(),
        plan: plan.name.clone(),
        goal: plan.goal.clone(),
        state: state(scheduler, liveness),
        counts: counts(scheduler),
        wall_ms: view.wall_ms(),
        dispatches: scheduler.dispatched(),
        branch: started
            .map_or("", |started| short_branch(&started.branch))
            .to_owned(),
        head: scheduler.head().clone(),
        commits: view.checkpoints().len(),
        lands: Lands::of(view, points).to_string(),
        parked: view.parked().map(str::to_owned),
        base: red(view),
        attention: attention(view, scheduler),
        weakest: grades::weakest(&tasks),
        outliers: outliers::find(view, scheduler),
        shapes,
        findings: findings(view, scheduler),
        tasks,
    }
}

/// The last attempt of each task.
fn attempts(chain: &[Receipt]) -> HashMap<&str, &AttemptBody> {
    let mut last = HashMap::new();
    for receipt in chain {
        if let Body::Attempt(attempt) = &receipt.body {
            last.insert(attempt.task.as_str(), &**attempt);
        }
    }
    last
}

/// The landed changes by task.
fn landed(chain: &[Receipt]) -> HashMap<&str, &Landed> {
    let points = chain.iter().filter_map(Receipt::point);
    let landed = points.flat_map(|point| &point.tasks);
    landed
        .map(|landed| (landed.task.as_str(), landed))
        .collect()
}

/// The accepted tasks, in plan order: those whose changes are worth folding.
pub fn accepted<'a>(view: &'a View, scheduler: &'a Scheduler) -> impl Iterator<Item = TaskIx> + 'a {
    let tasks = view.plan().each_task();
    let is = |ix: &TaskIx| *scheduler.standing(*ix) == Standing::Ended(Verdict::Accepted);
    tasks.map(|(ix, _)| ix).filter(is)
}

fn red(view: &View) -> Vec<GateLook> {
    let mut looks = gate_looks(view, view.base_evidence());
    looks.retain(|look| look.look.value != Value::Pass);
    looks
}

/// What a person must act on comes first.
fn attention(view: &View, scheduler: &Scheduler) -> Vec<String> {
    let rank = |ix| match scheduler.standing(ix) {
        Standing::Ended(Verdict::NeedsHuman) => Some(0),
        Standing::Ended(Verdict::Rejected(_)) => Some(1),
        Standing::Ended(Verdict::Blocked(_)) => Some(2),
        Standing::Ended(verdict) if verdict.satisfies() => None,
        Standing::Ended(_) => Some(3),
        Standing::Waiting | Standing::Queued => None,
        _ => Some(4),
    };
    let tasks = view.plan().each_task();
    let mut all: Vec<_> = tasks
        .filter_map(|(ix, task)| Some((rank(ix)?, ix, task)))
        .collect();
    all.sort_by_key(|(rank, ix, _)| (*rank, *ix));
    all.into_iter()
        .map(|(_, _, task)| task.id.to_string())
        .collect()
}

/// The worst first; those of attempts that were rejected stand with their tasks.
fn findings(view: &View, scheduler: &Scheduler) -> Vec<Found> {
    let stands = |ix: &TaskIx| {
        matches!(
            scheduler.standing(*ix),
            Standing::Ended(Verdict::Accepted | Verdict::NeedsHuman)
        )
    };
    let tasks = view.plan().each_task().filter(|(ix, _)| stands(ix));
    let mut all: Vec<_> = tasks
        .flat_map(|(ix, task)| {
            let last = view.task(ix).last();
            let findings = last.map_or(&[][..], |last| &last.findings);
            findings.iter().map(|finding| Found {
                task: task.id.to_string(),
                finding: finding.clone(),
            })
        })
        .collect();
    all.sort_by_key(|found| std::cmp::Reverse(found.finding.severity));
    all
}

/// A verdict's name and reason, or where the task stands.
fn verdict(view: &View, scheduler: &Scheduler, ix: TaskIx) -> (&'static str, String) {
    match scheduler.standing(ix) {
        Standing::Ended(verdict) => (
            verdict_name(verdict),
            reason::of_verdict(view, ix, verdict).text,
        ),
        open => (reason::standing_name(open).unwrap_or("open"), String::new()),
    }
}
