//! The end of a run, truth first: the counts, then every task that did not make it with what happened and on what
//! evidence, then what landed, then what to type next.
//!
//! Accepted tasks are counted, not listed, unless they are few; of very many failed ones the first are told in
//! full and the rest in a line each.

mod next;

use seawall_core::evidence::{Evidence, Value};
use seawall_core::ids::TaskIx;
use seawall_core::plan::{Criterion, Proof};
use seawall_core::scheduler::{Outcome, Scheduler, Standing};
use seawall_core::verdict::Verdict;

use crate::findings;
use crate::lines::claim;
use crate::look;
use crate::look::Lands;
use crate::reason::{self, verdict_name};
use crate::status::{counts, short_branch};
use crate::view::{AttemptView, Fate, View};
use crate::weak;
use crate::words::{count, duration, few, last_lines, many, name, pad, shown};

/// Tasks that are told in full.
const IN_FULL: usize = 12;
/// Tasks that are told at all.
const AT_ALL: usize = 60;
/// Lines of output that are shown of one look.
const TAIL_LINES: usize = 3;
/// The column in which everything but the first word begins.
const INDENT: usize = 12;

/// The final report, newline at its end.
#[must_use]
pub fn summary(view: &View, scheduler: &Scheduler, outcome: &Outcome) -> String {
    let mut lines = vec![first(view, scheduler, outcome)];
    match outcome {
        Outcome::Refused => refused(view, &mut lines),
        Outcome::Parked(why) => lines.push(field("parked", &shown(why, 600))),
        Outcome::Finished | Outcome::Interrupted => {}
    }
    failures(view, scheduler, &mut lines);
    accepted(view, scheduler, &mut lines);
    weakest(view, scheduler, &mut lines);
    findings::noted(view, scheduler, &mut lines);
    discovered(view, scheduler, &mut lines);
    landed(view, &mut lines);
    next::next(view, scheduler, outcome, &mut lines);
    lines.push(String::new());
    lines.join("\n")
}

fn first(view: &View, scheduler: &Scheduler, outcome: &Outcome) -> String {
    let run = format!("{}  run {}", name(&view.plan().name), name(view.run()));
    let how = match outcome {
        Outcome::Finished => "finished in",
        Outcome::Parked(_) => "parked after",
        Outcome::Interrupted => "interrupted after",
        Outcome::Refused => {
            let tasks = many(view.plan().tasks.len(), "task");
            return format!(
                "{run}  refused: the base does not pass, so none of {tasks} was started"
            );
        }
    };
    let counts = counts(scheduler).sentence();
    format!("{run}  {how} {}: {counts}", duration(view.wall_ms()))
}

/// `word` in the first column, `text` beside it.
fn field(word: &str, text: &str) -> String {
    format!("{} {text}", pad(word, INDENT - 1))
        .trim_end()
        .to_owned()
}

fn refused(view: &View, lines: &mut Vec<String>) {
    let started = view.started();
    let base = started.map_or("", |started| started.base.short());
    lines.push(String::new());
    lines.push(field("base", base));
    gates(view, view.base_evidence(), lines);
}

fn gates(view: &View, seen: &[Evidence], lines: &mut Vec<String>) {
    for look in seen.iter().filter(|look| !look.passes()) {
        let (kind, says) = look::gate(view, look.criterion as usize)
            .map_or(("check", ""), |(kind, gate)| (kind, gate.says.as_str()));
        evidence(kind, says, after(look), look, lines);
    }
}

/// What a look at a change or a composition saw, in a word.
fn after(look: &Evidence) -> &'static str {
    match look.value {
        Value::Pass => "green",
        Value::Fail => "red",
        Value::CouldNotLook => "could not look",
    }
}

/// One look: the sentence and what it showed, the command, the end of its output.
fn evidence(kind: &str, says: &str, word: &str, look: &Evidence, lines: &mut Vec<String>) {
    let why = shown(&look.why, look::WHY);
    let says = name(says);
    lines.push(field("", &format!("{kind}  \"{says}\"  {word}: {why}")));
    if !look.command.is_empty() {
        lines.push(field(
            "",
            &format!("       $ {}", shown(&look.command, 200)),
        ));
    }
    for line in last_lines(&look.tail, TAIL_LINES, 160) {
        lines.push(field("", &format!("       | {line}")));
    }
}

fn failures(view: &View, scheduler: &Scheduler, lines: &mut Vec<String>) {
    let failed: Vec<_> = view
        .plan()
        .each_task()
        .filter_map(|(ix, _)| match scheduler.standing(ix) {
            Standing::Ended(Verdict::Accepted) => None,
            Standing::Ended(verdict) => Some((rank(verdict), ix, verdict)),
            _ => None,
        })
        .collect();
    let mut sorted = failed;
    sorted.sort_by_key(|(rank, ix, _)| (*rank, *ix));
    if !sorted.is_empty() {
        lines.push(String::new());
    }
    for (n, (_, ix, verdict)) in sorted.iter().take(AT_ALL).enumerate() {
        failure(view, scheduler, *ix, verdict, n < IN_FULL, lines);
    }
    if sorted.len() > AT_ALL {
        let more = sorted.len() - AT_ALL;
        lines.push(field(
            "",
            &format!(
                "… {more} more; `seawall status {}` lists them",
                next::run(view)
            ),
        ));
    }
}

/// What a person must act on comes first.
fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::NeedsHuman => 0,
        Verdict::Rejected(_) => 1,
        Verdict::Blocked(_) => 2,
        Verdict::NotRun(_) | Verdict::Accepted => 3,
    }
}

fn failure(
    view: &View,
    scheduler: &Scheduler,
    ix: TaskIx,
    verdict: &Verdict,
    in_full: bool,
    lines: &mut Vec<String>,
) {
    let id = name(&view.plan().task(ix).id);
    let why = reason::of_verdict(view, ix, verdict).text;
    let untried = matches!(verdict, Verdict::Blocked(_) | Verdict::NotRun(_));
    if untried || !in_full {
        return lines.push(field(verdict_name(verdict), &format!("{id}   {why}")));
    }
    let dispatches = count(u64::from(scheduler.dispatches(ix)), "dispatch");
    lines.push(field(
        verdict_name(verdict),
        &format!("{id}   {dispatches}"),
    ));
    if let Some(why) = reason::beside_evidence(view, ix, verdict) {
        lines.push(field("", &why));
    }
    details(view, ix, lines);
}

/// On what evidence, and what the worker said.
fn details(view: &View, ix: TaskIx, lines: &mut Vec<String>) {
    let task = view.task(ix);
    let Some(last) = task.last() else {
        return on_base(view, ix, lines);
    };
    match &last.fate {
        Fate::Culprit { gates: seen, .. } => gates(view, seen, lines),
        Fate::Stuck => {
            let judged = |attempt: &&AttemptView| !attempt.evidence.is_empty();
            if let Some(before) = task.attempts.iter().rev().find(judged) {
                on_change(view, ix, &before.evidence, lines);
            }
        }
        _ => on_change(view, ix, &last.evidence, lines),
    }
    for line in findings::lines(&last.findings) {
        lines.push(field("", &format!("finding  {line}")));
    }
    said(last, lines);
}

fn said(attempt: &AttemptView, lines: &mut Vec<String>) {
    let claim = claim(attempt);
    if let Some(claim) = claim.strip_prefix("; claimed ") {
        lines.push(field("", &format!("claim  {claim}")));
    }
}

fn on_change(view: &View, ix: TaskIx, seen: &[Evidence], lines: &mut Vec<String>) {
    for (check, look) in failing(view, ix, seen) {
        let kind = look::kind(view.plan().task(ix), look.criterion);
        evidence(kind, &check.says, after(look), look, lines);
    }
}

fn on_base(view: &View, ix: TaskIx, lines: &mut Vec<String>) {
    for (check, look) in failing(view, ix, &view.task(ix).baseline) {
        let word = look::shown_on_base(check.proof, look.value);
        evidence(
            look::kind(view.plan().task(ix), look.criterion),
            &check.says,
            &format!("{word} on the base"),
            look,
            lines,
        );
    }
}

/// The looks that do not pass, with their checks; those that only a person can judge left out.
fn failing<'a>(
    view: &'a View,
    ix: TaskIx,
    seen: &'a [Evidence],
) -> impl Iterator<Item = (&'a Criterion, &'a Evidence)> {
    let task = view.plan().task(ix);
    seen.iter()
        .filter(|look| !look.passes())
        .filter_map(|look| Some((task.criteria().nth(look.criterion as usize)?, look)))
        .filter(|(check, _)| check.proof != Proof::Manual)
}

/// Accepted tasks: by name when a wave has few, as a count otherwise.
fn accepted(view: &View, scheduler: &Scheduler, lines: &mut Vec<String>) {
    let accepted = |ix: &&TaskIx| *scheduler.standing(**ix) == Standing::Ended(Verdict::Accepted);
    let id = |ix: &&TaskIx| name(&view.plan().task(**ix).id);
    let mut word = "accepted";
    for (n, tasks) in (1..).zip(&view.waves().waves) {
        let mine: Vec<_> = tasks.iter().filter(accepted).collect();
        if mine.is_empty() {
            continue;
        }
        let names = match mine.len() {
            1..=3 => few(mine.iter().map(id), 3, "  "),
            n => format!("{n} of {}", many(tasks.len(), "task")),
        };
        if !word.is_empty() {
            lines.push(String::new());
        }
        let later = later(view, &mine);
        lines.push(field(word, &format!("wave {n}  {names}{later}")));
        word = "";
    }
}

/// How many of the accepted tasks were rejected before.
fn later(view: &View, tasks: &[&TaskIx]) -> String {
    let dispatch = |ix: &TaskIx| view.task(*ix).last().map_or(0, |last| last.dispatch);
    match tasks.iter().filter(|ix| dispatch(ix) > 1).count() {
        0 => String::new(),
        n => format!("   {n} of them after a rejected dispatch"),
    }
}

fn weakest(view: &View, scheduler: &Scheduler, lines: &mut Vec<String>) {
    let weak = weak::lines(view, scheduler);
    if !weak.is_empty() {
        lines.push(String::new());
        lines.push("weakest evidence".to_owned());
    }
    lines.extend(weak.iter().map(|line| field("", line)));
}

/// Edges that the plan does not have, as lines to paste into it.
fn discovered(view: &View, scheduler: &Scheduler, lines: &mut Vec<String>) {
    let found = scheduler.discovered();
    if found.is_empty() {
        return;
    }
    let id = |ix: &TaskIx| name(&view.plan().task(*ix).id);
    lines.push(String::new());
    lines.push("order that the plan does not have".to_owned());
    for (ix, needs) in found.iter().take(IN_FULL) {
        let needs: Vec<_> = needs
            .iter()
            .map(|need| format!("\"{}\"", id(need)))
            .collect();
        let text = format!("{}   after = [{}]", id(ix), needs.join(", "));
        lines.push(field("", &text));
    }
    if found.len() > IN_FULL {
        let more = found.len() - IN_FULL;
        lines.push(field("", &format!("… {more} more")));
    }
}

fn landed(view: &View, lines: &mut Vec<String>) {
    let commits = view.checkpoints().len();
    if commits == 0 {
        return;
    }
    let tasks = view.checkpoints().iter().flat_map(|point| &point.tasks);
    let lands = Lands::of(view, tasks);
    let branch = view.started().map_or("", |started| &started.branch);
    let branch = name(short_branch(branch));
    let commits = many(commits, "commit");
    lines.push(format!("landed on {branch}   {commits}, {lands}"));
}
