//! Everything that is known of one task: its checks before and after, its attempts, what was claimed.
//!
//! The diff of its last change is the caller's to add: it comes from git, not from the journal.

mod decision;
mod worth;

use serde::Serialize;
use serde_json::Value as Json;

use seawall_core::evidence::{Evidence, Grade, Harvest, Reviewed, WorkerEnd};
use seawall_core::finding::Finding;
use seawall_core::ids::{AttemptNo, Commit, TaskIx};
use seawall_core::plan::Task;
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::{Hold, Rejection};

use crate::findings;
use crate::log::{harvested, worker};
use crate::look::{self, Row};
use crate::reason::{self, Reason, verdict_name};
use crate::status::{CheckStatus, GateLook, TaskStatus, gate_looks, task_status};
use crate::view::{Approval, AttemptView, Fate, View};
use crate::weak;
use crate::words::{count, duration, few, last_lines, name, pad, shown};

/// Lines of output and claim that are shown.
const LINES: usize = 8;

/// `show --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// The run's id.
    pub run: String,
    /// As in `status --json`.
    #[serde(flatten)]
    pub task: TaskStatus,
    /// The task's prompt.
    pub prompt: String,
    /// The agent that does it.
    pub agent: String,
    /// The ids of the tasks that it waits for.
    pub after: Vec<String>,
    /// What keeps its change from landing until a person approves of it.
    pub holds: Vec<Hold>,
    /// What people took the responsibility for.
    pub approvals: Vec<Approval>,
    /// Its attempts in order, lost ones included.
    pub attempts: Vec<ShownAttempt>,
}

/// One attempt.
#[derive(Clone, Debug, Serialize)]
pub struct ShownAttempt {
    /// Its number in the run.
    pub attempt: AttemptNo,
    /// Which of the task's dispatches it is, from 1.
    pub dispatch: u32,
    /// Whether it counts; a lost one does not.
    pub counts: bool,
    /// The commit that it started from.
    pub base: Commit,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    pub began_ms: u64,
    /// When the last thing was known of it, likewise.
    pub seen_ms: u64,
    /// What became of it.
    pub fate: Reason,
    /// How its worker ended; null before it did. `claim` in it is what the worker said.
    pub worker: Option<WorkerEnd>,
    /// What it left; null before it was compared.
    pub harvest: Option<Harvest>,
    /// One entry per criterion.
    pub evidence: Vec<CheckStatus>,
    /// What is odd about the files that its brief named, and about its change.
    pub findings: Vec<Finding>,
    /// What its evidence is worth; null where no look passes.
    pub grade: Option<Grade>,
    /// The weakest grade that is enough; null when only persons judge the task.
    pub floor: Option<Grade>,
    /// Whether its checks turned red without its change; null where nobody looked.
    pub noticed: Option<bool>,
    /// What another agent said of its change; null where nobody was asked.
    pub review: Option<Reviewed>,
    /// The gates on the smallest red composition with it, when the checkpoint rejected it.
    pub gates: Vec<GateLook>,
    /// The ids of the tasks that are red only together with it.
    pub with: Vec<String>,
}

/// A task for machines: [`Shown`] as a tree.
#[must_use]
pub fn show_json(view: &View, scheduler: &Scheduler, ix: TaskIx) -> Json {
    let task = view.plan().task(ix);
    let shown = Shown {
        run: view.run().to_owned(),
        task: task_status(view, scheduler, ix),
        prompt: task.prompt.to_string(),
        agent: task.agent.to_string(),
        after: ids(view, &task.after),
        holds: view.task(ix).holds.clone(),
        approvals: view.task(ix).approvals.clone(),
        attempts: view
            .task(ix)
            .attempts
            .iter()
            .map(|attempt| shown_attempt(view, ix, attempt))
            .collect(),
    };
    serde_json::to_value(shown).expect("structs of strings and numbers serialise")
}

fn ids(view: &View, tasks: &[TaskIx]) -> Vec<String> {
    let id = |ix: &TaskIx| view.plan().task(*ix).id.to_string();
    tasks.iter().map(id).collect()
}

fn shown_attempt(view: &View, ix: TaskIx, attempt: &AttemptView) -> ShownAttempt {
    let (gates, with) = match &attempt.fate {
        Fate::Culprit { gates, with } => (gate_looks(view, gates), ids(view, with)),
        _ => (Vec::new(), Vec::new()),
    };
    let (weight, noticed) = weak::weigh(view.plan().task(ix), attempt);
    ShownAttempt {
        attempt: attempt.number,
        dispatch: attempt.dispatch,
        counts: attempt.fate != Fate::Lost,
        base: attempt.base.clone(),
        began_ms: attempt.began_ms,
        seen_ms: attempt.seen_ms,
        fate: reason::of_fate(view, ix, attempt),
        worker: attempt.worker.clone(),
        harvest: attempt.harvest.clone(),
        evidence: look::rows(view, ix, Some(attempt))
            .iter()
            .map(CheckStatus::of)
            .collect(),
        findings: attempt.findings.clone(),
        grade: weight.grade,
        floor: weight.floor,
        noticed,
        review: attempt.review.as_deref().cloned(),
        gates,
        with,
    }
}

/// A task for people, newline at its end.
#[must_use]
pub fn show(view: &View, scheduler: &Scheduler, ix: TaskIx) -> String {
    let task = view.plan().task(ix);
    let mut lines = vec![head(view, scheduler, ix)];
    facts(view, task, &mut lines);
    worth::persons(view, ix, &mut lines);
    if view.task(ix).attempts.is_empty() {
        for row in look::rows(view, ix, None) {
            criterion("", &row, &mut lines);
        }
    }
    for attempt in &view.task(ix).attempts {
        lines.push(String::new());
        one(view, ix, attempt, &mut lines);
    }
    if let Some(Fate::Rejected(Rejection::Review(reasons))) =
        view.task(ix).last().map(|attempt| &attempt.fate)
    {
        lines.extend(decision::block(task, reasons, view.run()));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn head(view: &View, scheduler: &Scheduler, ix: TaskIx) -> String {
    let standing = match scheduler.standing(ix) {
        Standing::Ended(verdict) => format!(
            "{}  {}",
            verdict_name(verdict),
            reason::of_verdict(view, ix, verdict).text
        ),
        open => crate::reason::standing_name(open)
            .unwrap_or_default()
            .to_owned(),
    };
    let id = name(&view.plan().task(ix).id);
    format!("{id}  wave {}  {standing}", view.task(ix).wave)
}

fn field(word: &str, text: &str) -> String {
    format!("{} {text}", pad(word, 12)).trim_end().to_owned()
}

fn facts(view: &View, task: &Task, lines: &mut Vec<String>) {
    let owned: Vec<_> = task.owned().map(ToString::to_string).collect();
    lines.push(field("owns", &few(owned.into_iter(), 6, "  ")));
    if !task.reads.is_empty() {
        let reads = task.reads.iter().map(ToString::to_string);
        lines.push(field("reads", &few(reads, 6, "  ")));
    }
    if !task.after.is_empty() {
        let after = task.after.iter().map(|ix| name(&view.plan().task(*ix).id));
        lines.push(field("after", &few(after, 6, "  ")));
    }
    if let Some(because) = &task.because {
        lines.push(field("because", &name(because)));
    }
    let dispatches = count(u64::from(task.attempts), "dispatch");
    let (agent, time) = (name(&task.agent), duration(task.timeout_ms));
    lines.push(field(
        "agent",
        &format!("{agent}, at most {dispatches} of {time}"),
    ));
}

fn one(view: &View, ix: TaskIx, attempt: &AttemptView, lines: &mut Vec<String>) {
    let attempts = view.plan().task(ix).attempts;
    lines.push(format!(
        "attempt {}  dispatch {}/{attempts} from {}  {}",
        attempt.number,
        attempt.dispatch,
        attempt.base.short(),
        reason::of_fate(view, ix, attempt).text
    ));
    if let Some(end) = &attempt.worker {
        lines.push(field("  worker", &worker(end)));
        if !end.enforced.is_empty() {
            let enforced = end.enforced.iter().map(|entry| name(entry));
            lines.push(field("  confined", &few(enforced, 12, ", ")));
        }
        claimed(&end.claim, lines);
    }
    if let Some(harvest) = &attempt.harvest {
        lines.push(field("  harvest", &harvested(harvest)));
        paths(harvest, lines);
    }
    for line in findings::lines(&attempt.findings) {
        lines.push(field("  finding", &line));
    }
    if !attempt.evidence.is_empty() {
        for row in look::rows(view, ix, Some(attempt)) {
            criterion("  ", &row, lines);
        }
    }
    worth::evidence(view.plan().task(ix), attempt, lines);
    worth::review(attempt, lines);
    if let Fate::Culprit { gates, .. } = &attempt.fate {
        for look in gates.iter() {
            gate(view, look, lines);
        }
    }
}

fn claimed(claim: &str, lines: &mut Vec<String>) {
    let said = last_lines(claim, LINES, 160);
    for (n, line) in said.iter().enumerate() {
        let word = if n == 0 { "  claim" } else { "" };
        lines.push(field(word, &format!("\"{line}\"")));
    }
}

fn paths(harvest: &Harvest, lines: &mut Vec<String>) {
    if let Harvest::Changed(change) = harvest {
        let paths = change.paths.iter().map(|path| shown(path, 200));
        lines.push(field("", &few(paths, 6, "  ")));
    }
}

/// `check  "says"  base red (exit status 1) -> after green (exit status 0)`.
fn criterion(indent: &str, row: &Row<'_>, lines: &mut Vec<String>) {
    let seen = |word: &str, look: Option<&Evidence>| match look {
        Some(look) if !look.why.is_empty() => format!("{word} ({})", shown(&look.why, look::WHY)),
        _ => word.to_owned(),
    };
    let text = format!(
        "\"{}\"  {}  base {} -> after {}",
        name(&row.criterion.says),
        look::proof(row.criterion.proof),
        seen(row.before_word(), row.base),
        seen(row.after_word(), row.after),
    );
    lines.push(field(&format!("{indent}{}", row.kind), &text));
    if let Some(command) = row.command() {
        lines.push(field("", &format!("$ {}", shown(command, 300))));
    }
    for (when, look) in [("base", row.base), ("after", row.after)] {
        look.into_iter().for_each(|look| output(when, look, lines));
    }
}

fn gate(view: &View, look: &Evidence, lines: &mut Vec<String>) {
    let (kind, says) = look::gate(view, look.criterion as usize)
        .map_or(("check", ""), |(kind, gate)| (kind, gate.says.as_str()));
    lines.push(field(
        "  checkpoint",
        &format!("{kind} \"{}\" {}", name(says), look::why(look)),
    ));
    if !look.command.is_empty() {
        lines.push(field("", &format!("$ {}", shown(&look.command, 300))));
    }
    output("with it", look, lines);
}

fn output(when: &str, look: &Evidence, lines: &mut Vec<String>) {
    for line in last_lines(&look.tail, LINES, 160) {
        lines.push(field("", &format!("{when} | {line}")));
    }
    let more = look.bytes.saturating_sub(look.tail.len() as u64);
    if more > 0 {
        let digest = look.output.short();
        lines.push(field(
            "",
            &format!(
                "{when} | {} more before, output {digest}",
                count(more, "byte")
            ),
        ));
    }
}
