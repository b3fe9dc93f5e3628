//! A run as plain lines, one fact each: for a pipe, a log of a build server, and above the progress on a terminal.
//!
//! Made from [`View::news`], so an event that brings no news makes no line.

use std::collections::HashSet;

use seawall_core::ids::{Commit, TaskIx};
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::{Reason, Verdict};

use crate::log::held;
use crate::look::{self, Lands};
use crate::reason::{of_fate, of_verdict, verdict_name};
use crate::status::{counts, short_branch};
use crate::view::{AttemptView, Fate, News, TrialView, View};
use crate::words::{converted, count, duration, few, last_line, many, name, shown};

/// Untried tasks that one event may name; of more, only the number is told.
const UNTRIED: usize = 20;

/// The lines of the event that `view` saw last.
#[must_use]
pub fn lines(view: &View, scheduler: &Scheduler) -> Vec<String> {
    let said: HashSet<_> = view.news().iter().filter_map(attempted).collect();
    let mut untried = 0;
    let mut lines = Vec::new();
    for news in view.news() {
        untried += usize::from(is_untried(scheduler, news));
        if untried <= UNTRIED || !is_untried(scheduler, news) {
            lines.extend(line(view, scheduler, &said, news));
        }
    }
    if untried > UNTRIED {
        let more = many(untried - UNTRIED, "more task");
        lines.push(format!("…  {more} blocked or not run"));
    }
    lines
}

fn attempted(news: &News) -> Option<TaskIx> {
    match news {
        News::Attempt(ix) => Some(*ix),
        _ => None,
    }
}

fn is_untried(scheduler: &Scheduler, news: &News) -> bool {
    let News::Ended(ix) = news else {
        return false;
    };
    let standing = scheduler.standing(*ix);
    matches!(
        standing,
        Standing::Ended(Verdict::Blocked(_) | Verdict::NotRun(_))
    )
}

fn line(view: &View, scheduler: &Scheduler, said: &HashSet<TaskIx>, news: &News) -> Option<String> {
    Some(match news {
        News::Began => began(view),
        News::BaseJudged => base_judged(view),
        News::Wave { wave, round, tasks } => {
            let (of, tasks) = (view.waves().waves.len(), many(*tasks, "task"));
            let base = scheduler.head().short();
            match round {
                1 => format!("wave {wave}  begins (of {of})  {tasks} from {base}"),
                _ => format!("wave {wave}  round {round}  {tasks} again, from {base}"),
            }
        }
        News::Moved(to) => moved(view, to),
        News::Settings => format!("base  written by git: {}", converted(view.settings()?)),
        News::Dispatched(ix) => told(view, *ix, &format!("dispatch {}", which(view, *ix))),
        News::Attempt(ix) => attempt(view, scheduler, *ix)?,
        News::Approved(ix) => approved(view, *ix)?,
        News::Ended(ix) => ended(view, scheduler, said, *ix)?,
        News::Trial(at) => trial(view, view.trials().get(*at)?)?,
        News::Checkpoint(at) => checkpoint(view, *at)?,
        News::Parked(why) => format!("parked  {}", shown(why, 400)),
        News::Interrupted => format!(
            "interrupted  {} to end; `seawall resume {}` goes on",
            many(view.live().count(), "attempt"),
            name(view.run())
        ),
        News::WallSpent => format!(
            "wall time  the budget of {} is used up: no further dispatch",
            duration(view.plan().budget.wall_ms)
        ),
        News::Resumed {
            jobs,
            lost,
            away_ms,
        } => resumed(view, scheduler, (*jobs, *lost, *away_ms)),
    })
}

fn began(view: &View) -> String {
    let plan = name(&view.plan().name);
    let Some(started) = view.started() else {
        return plan;
    };
    let onto = started.onto.as_ref().map_or_else(String::new, |onto| {
        format!(" ({})", name(short_branch(onto)))
    });
    format!(
        "run {}  {plan}  base {}{onto}  branch {}",
        name(&started.run),
        started.base.short(),
        name(short_branch(&started.branch))
    )
}

fn approved(view: &View, ix: TaskIx) -> Option<String> {
    let approval = view.task(ix).approvals.last()?;
    let text = format!(
        "approved  {} by {}: {}",
        held(&approval.hold),
        shown(&approval.by, 100),
        shown(&approval.note, 300)
    );
    Some(told(view, ix, &text))
}

fn moved(view: &View, to: &Commit) -> String {
    let started = view.started();
    let onto = started.and_then(|started| started.onto.as_deref());
    let base = started.map_or_else(String::new, |started| started.base.short().to_owned());
    format!(
        "moved  {} is at {} now; the run goes on from {base}, and `seawall land` will say what it needs",
        name(short_branch(onto.unwrap_or("the branch"))),
        to.short()
    )
}

fn base_judged(view: &View) -> String {
    let evidence = view.base_evidence();
    if !evidence.iter().all(|look| look.passes()) {
        return format!("base  refused  {}", look::failing_gates(view, evidence));
    }
    let plan = view.plan();
    let checks = many(plan.checkpoints.len(), "check");
    match plan.invariants.len() {
        0 => format!("base  green  {checks}"),
        n => format!("base  green  {checks}, {}", many(n, "invariant")),
    }
}

/// `wave 1  types:src/click/core.py  …`
fn told(view: &View, ix: TaskIx, what: &str) -> String {
    let task = view.plan().task(ix);
    format!("wave {}  {}  {what}", view.task(ix).wave, name(&task.id))
}

/// `1/2`: which of its dispatches a task is at.
pub(crate) fn which(view: &View, ix: TaskIx) -> String {
    let last = view.task(ix).attempts.last();
    let n = last.map_or(0, |attempt| attempt.dispatch);
    format!("{n}/{}", view.plan().task(ix).attempts)
}

fn attempt(view: &View, scheduler: &Scheduler, ix: TaskIx) -> Option<String> {
    let attempt = view.task(ix).attempts.last()?;
    let which = which(view, ix);
    let text = of_fate(view, ix, attempt).text;
    Some(match &attempt.fate {
        Fate::Passed => told(view, ix, &format!("passed {which}  {}", passed(attempt))),
        Fate::Lost => told(view, ix, &format!("lost {which}  {text}")),
        Fate::NeedsHuman => told(view, ix, &format!("needs-human {which}  {text}")),
        Fate::Rejected(_) | Fate::Stuck | Fate::Culprit { .. } => {
            let end = match scheduler.standing(ix) {
                Standing::Ended(_) => "; no further dispatch",
                _ => "",
            };
            let claim = claim(attempt);
            told(view, ix, &format!("rejected {which}  {text}{claim}{end}"))
        }
        Fate::Live(_) | Fate::Landed(_) => return None,
    })
}

/// `2 checks green, 278 tests, 1 file, +12 -3`.
fn passed(attempt: &AttemptView) -> String {
    let checks = many(attempt.evidence.len(), "check");
    let tests =
        look::tests(&attempt.evidence).map_or(String::new(), |n| format!(", {}", count(n, "test")));
    match attempt.change() {
        Some(change) => format!(
            "{checks} green{tests}, {}, +{} -{}",
            many(change.paths.len(), "file"),
            change.insertions,
            change.deletions
        ),
        None => format!("{checks} green{tests}"),
    }
}

/// `; claimed "all replaced"`, or nothing.
pub(crate) fn claim(attempt: &AttemptView) -> String {
    last_line(attempt.claim()).map_or_else(String::new, |line| format!("; claimed \"{line}\""))
}

/// The last word, unless the end of its last attempt says it in the same breath.
fn ended(view: &View, scheduler: &Scheduler, said: &HashSet<TaskIx>, ix: TaskIx) -> Option<String> {
    let Standing::Ended(verdict) = scheduler.standing(ix) else {
        return None;
    };
    let known = matches!(
        verdict,
        Verdict::Rejected(Reason::Attempt(_) | Reason::Stuck) | Verdict::NeedsHuman
    );
    let name = verdict_name(verdict);
    match (known, said.contains(&ix)) {
        (true, true) => None,
        (true, false) => Some(told(view, ix, &format!("{name}  no further dispatch"))),
        (false, _) => {
            let text = of_verdict(view, ix, verdict).text;
            Some(told(view, ix, &format!("{name}  {text}")))
        }
    }
}

/// The first look at a green round is told by its checkpoint.
fn trial(view: &View, trial: &TrialView) -> Option<String> {
    let (wave, n) = (trial.wave, trial.trial);
    let tasks = many(trial.tasks.len(), "task");
    match (trial.passes()?, n) {
        (true, 1) => None,
        // Its rejection follows at once.
        (false, 1) if trial.tasks.len() == 1 => None,
        (true, _) => Some(format!(
            "wave {wave}  narrowing  trial {n}: green with {tasks}"
        )),
        (false, 1) => {
            let red = look::failing_gates(view, &trial.evidence);
            Some(format!(
                "wave {wave}  checkpoint red with {tasks}: {red}; narrowing"
            ))
        }
        (false, _) => Some(format!(
            "wave {wave}  narrowing  trial {n}: red with {tasks}"
        )),
    }
}

fn checkpoint(view: &View, at: usize) -> Option<String> {
    let point = view.checkpoints().get(at)?;
    let ids = point.tasks.iter().map(|ix| name(&view.plan().task(*ix).id));
    Some(format!(
        "wave {}  checkpoint {}  {} accepted: {}  {}",
        point.wave,
        point.commit.short(),
        many(point.tasks.len(), "task"),
        few(ids, 4, ", "),
        Lands::of(view, &point.tasks),
    ))
}

fn resumed(view: &View, scheduler: &Scheduler, (jobs, lost, away_ms): (u32, usize, u64)) -> String {
    let lost = match lost {
        0 => String::new(),
        1 => "; 1 worker was running: its dispatch does not count".to_owned(),
        n => format!("; {n} workers were running: their dispatches do not count"),
    };
    let (wave, _) = scheduler.wave();
    let place = match wave.0 {
        0 => "at the base".to_owned(),
        n => format!("in wave {n}"),
    };
    format!(
        "run {}  resumed {place} after {}: {}{lost}; {} at once",
        name(view.run()),
        duration(away_ms),
        counts(scheduler).sentence(),
        count(u64::from(jobs), "attempt"),
    )
}
