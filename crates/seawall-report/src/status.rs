//! Where a run stands, for machines: `status --json`. For people it is in `status/text.rs`.
//!
//! The JSON is what these structs serialise to: the types are the schema. Members are only ever added. Texts that
//! came from elsewhere (commands, output) stand there unchanged, with JSON's own escapes.

mod looks;
mod text;

use serde::Serialize;
use serde_json::Value as Json;

use seawall_core::event::{Settings, Workspaces};
use seawall_core::finding::Finding;
use seawall_core::ids::{Commit, Digest, TaskIx};
use seawall_core::scheduler::{Outcome, Scheduler, Standing};
use seawall_core::verdict::Verdict;

use crate::look;
use crate::reason::{self, Reason, standing_name, verdict_name};
use crate::view::View;

pub(crate) use looks::gate_looks;
pub use looks::{CheckStatus, GateLook, Look};
pub use text::status_text;

/// Whether a supervisor holds the run's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// One does.
    Alive,
    /// None does.
    Dead,
}

/// `status --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The run's id; empty before its first event.
    pub run: String,
    /// `running`, `finished`, `refused` (the base does not pass), `parked` (the world refused something; resumable),
    /// `interrupted` (resumable) or `stopped` (its supervisor died; resumable).
    pub state: &'static str,
    /// What the world said when the run parked; null unless it did.
    pub parked: Option<String>,
    /// The plan's name.
    pub plan: String,
    /// The digest of the expanded plan.
    pub plan_digest: Option<Digest>,
    /// The version of Seawall that started the run.
    pub seawall: Option<String>,
    /// The commit that everything starts from.
    pub base: Option<Commit>,
    /// The branch that was checked out at the start, without `refs/heads/`; null when none was.
    pub onto: Option<String>,
    /// Where that branch was seen last, if it is not where it was; `land` needs it there.
    pub moved: Option<Commit>,
    /// How the workspaces of the last wave were made: `overlay` or `copy`; null before the first wave.
    pub workspaces: Option<Workspaces>,
    /// What the settings of the user's checkout made of the files of the base; null where they are as the commit has them.
    pub settings: Option<Settings>,
    /// The branch that the run makes, without `refs/heads/`.
    pub branch: Option<String>,
    /// The last checkpoint's commit, or the base.
    pub head: Option<Commit>,
    /// When the run began, in milliseconds since 1970-01-01 UTC.
    pub began_ms: Option<u64>,
    /// When its last event was written, likewise.
    pub seen_ms: Option<u64>,
    /// Milliseconds in which a supervisor looked after it.
    pub wall_ms: u64,
    /// Dispatches that count, all tasks together.
    pub dispatches: u32,
    /// How many tasks have which verdict.
    pub counts: Counts,
    /// The gates on the base.
    pub base_evidence: Vec<GateLook>,
    /// The run's commits, in order.
    pub checkpoints: Vec<Point>,
    /// Every task once, in plan order.
    pub tasks: Vec<TaskStatus>,
}

/// How many tasks have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Its change stands in a checkpoint.
    pub accepted: usize,
    /// Its change does not land.
    pub rejected: usize,
    /// It waits for a task that was not accepted.
    pub blocked: usize,
    /// A person must look.
    pub needs_human: usize,
    /// It was left out.
    pub not_run: usize,
    /// No last word yet.
    pub open: usize,
}

/// One commit of the run.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// Its wave, from 1.
    pub wave: u32,
    /// The round of that wave, from 1.
    pub round: u32,
    /// The commit.
    pub commit: Commit,
    /// The ids of the tasks whose changes it holds.
    pub tasks: Vec<String>,
    /// When it stood, in milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
}

/// One task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskStatus {
    /// Its id.
    pub id: String,
    /// Its wave, from 1.
    pub wave: u32,
    /// `accepted`, `rejected`, `blocked`, `needs-human`, `not-run`; null while it is open.
    pub verdict: Option<&'static str>,
    /// `waiting`, `queued`, `measuring`, `attempting` or `passed` while it is open; null afterwards.
    pub standing: Option<&'static str>,
    /// Why; null while it is open.
    pub reason: Option<Reason>,
    /// Its dispatches that count.
    pub dispatches: u32,
    /// One entry per criterion, with what its last attempt showed.
    pub evidence: Vec<CheckStatus>,
    /// What is odd about its last attempt: the files that its brief named, and its change.
    pub findings: Vec<Finding>,
    /// The paths that it owns, escaped as in the plan.
    pub paths: Vec<String>,
}

/// `status --json`, as a tree.
#[must_use]
pub fn status(view: &View, scheduler: &Scheduler, liveness: Liveness) -> Json {
    let status = status_of(view, scheduler, liveness);
    serde_json::to_value(status).expect("structs of strings and numbers serialise")
}

/// The same as a struct.
#[must_use]
pub fn status_of(view: &View, scheduler: &Scheduler, liveness: Liveness) -> Status {
    let plan = view.plan();
    let started = view.started();
    let branch = |name: &String| short_branch(name).to_owned();
    Status {
        run: view.run().to_owned(),
        state: state(scheduler, liveness),
        parked: view.parked().map(str::to_owned),
        plan: plan.name.clone(),
        plan_digest: started.map(|started| started.plan.clone()),
        seawall: started.map(|started| started.seawall.clone()),
        base: started.map(|started| started.base.clone()),
        onto: started.and_then(|started| started.onto.as_ref().map(branch)),
        moved: view.moved().cloned(),
        workspaces: view.workspaces(),
        settings: view.settings().cloned(),
        branch: started.map(|started| branch(&started.branch)),
        head: started.map(|_| scheduler.head().clone()),
        began_ms: view.sessions().first().map(|session| session.from_ms),
        seen_ms: view.sessions().last().map(|session| session.to_ms),
        wall_ms: view.wall_ms(),
        dispatches: scheduler.dispatched(),
        counts: counts(scheduler),
        base_evidence: gate_looks(view, view.base_evidence()),
        checkpoints: points(view),
        tasks: plan
            .each_task()
            .map(|(ix, _)| task_status(view, scheduler, ix))
            .collect(),
    }
}

/// A branch as people say it.
pub(crate) fn short_branch(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

/// The run's state, in a word.
pub(crate) fn state(scheduler: &Scheduler, liveness: Liveness) -> &'static str {
    match (scheduler.outcome(), liveness) {
        (Some(Outcome::Finished), _) => "finished",
        (Some(Outcome::Refused), _) => "refused",
        (_, Liveness::Alive) => "running",
        (Some(Outcome::Parked(_)), Liveness::Dead) => "parked",
        (Some(Outcome::Interrupted), Liveness::Dead) => "interrupted",
        (None, Liveness::Dead) => "stopped",
    }
}

/// How many tasks have which verdict.
#[must_use]
pub fn counts(scheduler: &Scheduler) -> Counts {
    let mut counts = Counts::default();
    for (ix, _) in scheduler.plan().each_task() {
        counts.add(scheduler.standing(ix));
    }
    counts
}

impl Counts {
    pub(crate) fn add(&mut self, standing: &Standing) {
        let place = match standing {
            Standing::Ended(Verdict::Accepted) => &mut self.accepted,
            Standing::Ended(Verdict::Rejected(_)) => &mut self.rejected,
            Standing::Ended(Verdict::Blocked(_)) => &mut self.blocked,
            Standing::Ended(Verdict::NeedsHuman) => &mut self.needs_human,
            Standing::Ended(Verdict::NotRun(_)) => &mut self.not_run,
            _ => &mut self.open,
        };
        *place += 1;
    }

    /// `15 accepted, 1 rejected, 0 blocked`, and whatever else there is.
    #[must_use]
    pub fn sentence(&self) -> String {
        let always = |word: &str| matches!(word, "accepted" | "rejected" | "blocked");
        self.words(|n, word| n > 0 || always(word))
    }

    /// Only what there is.
    pub(crate) fn brief(&self) -> String {
        self.words(|n, _| n > 0)
    }

    fn words(&self, say: impl Fn(usize, &str) -> bool) -> String {
        let person = if self.needs_human == 1 {
            "needs a person"
        } else {
            "need a person"
        };
        let words = [
            (self.accepted, "accepted"),
            (self.rejected, "rejected"),
            (self.blocked, "blocked"),
            (self.needs_human, person),
            (self.not_run, "not run"),
            (self.open, "open"),
        ];
        let said = words.iter().filter(|(n, word)| say(*n, word));
        let said: Vec<_> = said.map(|(n, word)| format!("{n} {word}")).collect();
        said.join(", ")
    }
}

fn points(view: &View) -> Vec<Point> {
    let id = |ix: &TaskIx| view.plan().task(*ix).id.to_string();
    let point = |seen: &crate::view::CheckpointView| Point {
        wave: seen.wave.0,
        round: seen.round,
        commit: seen.commit.clone(),
        tasks: seen.tasks.iter().map(id).collect(),
        at_ms: seen.at_ms,
    };
    view.checkpoints().iter().map(point).collect()
}

/// One task's part of the status.
pub(crate) fn task_status(view: &View, scheduler: &Scheduler, ix: TaskIx) -> TaskStatus {
    let task = view.plan().task(ix);
    let standing = scheduler.standing(ix);
    let verdict = match standing {
        Standing::Ended(verdict) => Some(verdict),
        _ => None,
    };
    let looked = view.task(ix).last();
    TaskStatus {
        id: task.id.to_string(),
        wave: view.task(ix).wave.0,
        verdict: verdict.map(verdict_name),
        standing: standing_name(standing),
        reason: verdict.map(|verdict| reason::of_verdict(view, ix, verdict)),
        dispatches: scheduler.dispatches(ix),
        evidence: look::rows(view, ix, looked)
            .iter()
            .map(CheckStatus::of)
            .collect(),
        findings: looked.map_or_else(Vec::new, |attempt| attempt.findings.clone()),
        paths: task.owned().map(ToString::to_string).collect(),
    }
}
