//! Why a task or an attempt came to its end: a stable code for machines and a sentence for people.
//!
//! The codes are part of the JSON of `status` and `show`; they are never renamed, only added to.

mod held;

use serde::Serialize;

use seawall_core::evidence::{Evidence, Harvest, How, Value};
use seawall_core::ids::TaskIx;
use seawall_core::lifecycle::Stage;
use seawall_core::plan::Proof;
use seawall_core::scheduler::Standing;
use seawall_core::verdict::{NotRun, Reason as Rejected, Rejection, Verdict};

use crate::findings;
use crate::look;
use crate::view::{AttemptView, Fate, View};
use crate::words::{count, duration, few, many, name, shown};

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The stable code, kebab-case.
    pub code: &'static str,
    /// The sentence, escaped for a terminal.
    pub text: String,
}

fn reason(code: &'static str, text: impl Into<String>) -> Reason {
    let text = text.into();
    Reason { code, text }
}

/// The verdict's name: `accepted`, `rejected`, `blocked`, `needs-human` or `not-run`.
#[must_use]
pub fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Rejected(_) => "rejected",
        Verdict::Blocked(_) => "blocked",
        Verdict::NeedsHuman => "needs-human",
        Verdict::NotRun(_) => "not-run",
    }
}

/// The name of where an open task stands; none for an ended one.
pub(crate) fn standing_name(standing: &Standing) -> Option<&'static str> {
    match standing {
        Standing::Waiting => Some("waiting"),
        Standing::Queued => Some("queued"),
        Standing::Measuring => Some("measuring"),
        Standing::Attempting(_) => Some("attempting"),
        Standing::Passed(_) => Some("passed"),
        Standing::Ended(_) => None,
    }
}

/// Why the task at `ix` has this verdict.
#[must_use]
pub fn of_verdict(view: &View, ix: TaskIx, verdict: &Verdict) -> Reason {
    match verdict {
        Verdict::Accepted => accepted(view, ix),
        Verdict::Rejected(why) => rejected(view, ix, why),
        Verdict::Blocked(dep) => reason(
            "blocked",
            format!(
                "waits for `{}`, which was not accepted",
                name(&view.plan().task(*dep).id)
            ),
        ),
        Verdict::NeedsHuman => held::needs_human(view, ix),
        Verdict::NotRun(why) => not_run(view, *why),
    }
}

fn accepted(view: &View, ix: TaskIx) -> Reason {
    let checks = many(view.plan().task(ix).criteria().count(), "check");
    let landed = view.task(ix).last().map(|attempt| &attempt.fate);
    let place = match landed {
        Some(Fate::Landed(at)) => view.checkpoints().get(*at),
        _ => None,
    };
    match place {
        Some(point) => reason(
            "landed",
            format!(
                "{checks} green; in checkpoint {} of wave {}",
                point.commit.short(),
                point.wave
            ),
        ),
        None => reason("landed", format!("{checks} green")),
    }
}

fn rejected(view: &View, ix: TaskIx, why: &Rejected) -> Reason {
    let last = view.task(ix).last();
    match why {
        Rejected::Base => base(view, ix),
        Rejected::Gone(what) => reason(
            "not-as-planned",
            format!("its files are not what the plan says: {}", shown(what, 300)),
        ),
        Rejected::Attempt(rejection) => of_rejection(view, ix, last, rejection),
        Rejected::Stuck => stuck(view, ix, last),
        Rejected::WallSpent => reason(
            "wall-spent",
            "the wall time of the run was used up while it was tried",
        ),
    }
}

/// The base shows a check as it must not be.
fn base(view: &View, ix: TaskIx) -> Reason {
    let plan = view.plan();
    let wrong = |look: &&Evidence| !look.passes();
    let Some(look) = view.task(ix).baseline.iter().find(wrong) else {
        return reason(
            "base-not-as-expected",
            "a check is not as it must be on the base",
        );
    };
    let check = plan.task(ix).criteria().nth(look.criterion as usize);
    let says = name(check.map_or("", |check| &check.says));
    let proof = check.map_or(Proof::FailToPass, |check| check.proof);
    match (look.value, proof) {
        (Value::CouldNotLook, _) => reason(
            "base-not-seen",
            format!("on the base, check `{says}` {}", look::why(look)),
        ),
        (_, Proof::PassToPass) => reason(
            "base-red",
            format!(
                "check `{says}` must be green before any work, and is red: {}",
                shown(&look.why, 120)
            ),
        ),
        _ => reason(
            "base-green",
            format!("check `{says}` is green before any work, so it proves nothing"),
        ),
    }
}

/// Why an attempt is rejected.
fn of_rejection(
    view: &View,
    ix: TaskIx,
    attempt: Option<&AttemptView>,
    rejection: &Rejection,
) -> Reason {
    match rejection {
        Rejection::Worker(how) => worker(view, ix, how),
        Rejection::Empty => reason("no-change", "it changed nothing"),
        Rejection::Drift(what) => drift(attempt, what),
        Rejection::Missing(what) => reason(
            "promise-broken",
            format!(
                "it did not do what the task promises: {}",
                list(what, what.len() as u64)
            ),
        ),
        Rejection::Findings(blocking) => reason("finding", findings::sentence(blocking)),
        Rejection::Checks => checks(view, ix, attempt),
        Rejection::Checkpoint => checkpoint(view, attempt),
        Rejection::Review(reasons) => reason(
            "review",
            format!(
                "another agent looked at it and rejects it: {}",
                list(reasons, reasons.len() as u64)
            ),
        ),
    }
}

fn worker(view: &View, ix: TaskIx, how: &How) -> Reason {
    let timeout = duration(view.plan().task(ix).timeout_ms);
    match how {
        How::TimedOut => reason(
            "worker-timed-out",
            format!("its worker was ended after {timeout}, its timeout"),
        ),
        How::Killed(limit) => reason(
            "worker-over-limit",
            format!("its worker was killed: {}", shown(limit, 100)),
        ),
        How::Silent => reason(
            "worker-silent",
            format!("its worker was ended after {} of silence", silence(view)),
        ),
        How::CouldNotStart(why) => reason(
            "worker-not-started",
            format!("its worker could not start: {}", shown(why, 300)),
        ),
        How::Stopped => reason("worker-stopped", "its worker was ended with the run"),
        How::Exited(status) => reason(
            "worker-exited",
            format!("its worker ended with status {status}"),
        ),
        How::Signalled(signal) => reason(
            "worker-signalled",
            format!("its worker was ended by signal {signal}"),
        ),
    }
}

fn silence(view: &View) -> String {
    view.plan()
        .limits
        .silence_ms
        .map_or_else(|| "a time".to_owned(), duration)
}

fn drift(attempt: Option<&AttemptView>, what: &[String]) -> Reason {
    let total = match attempt.and_then(|attempt| attempt.harvest.as_ref()) {
        Some(Harvest::Drift { total, .. }) => *total,
        _ => what.len() as u64,
    };
    reason(
        "drift",
        format!(
            "it made {} to what it does not own: {}",
            count(total, "change"),
            list(what, total)
        ),
    )
}

/// The first of `what`, of which there are `total`.
pub(crate) fn list(what: &[String], total: u64) -> String {
    const SHOWN: usize = 3;
    let text = few(
        what.iter().take(SHOWN).map(|line| shown(line, 160)),
        SHOWN,
        ", ",
    );
    let more = total.saturating_sub(what.len().min(SHOWN) as u64);
    if more == 0 {
        text
    } else {
        format!("{text}, … {more} more")
    }
}

fn checks(view: &View, ix: TaskIx, attempt: Option<&AttemptView>) -> Reason {
    let evidence = attempt.map_or(&[][..], |attempt| &attempt.evidence);
    let text = look::failing_checks(view, ix, evidence);
    let red = |look: &Evidence| look.value == Value::Fail;
    let code = if evidence.iter().any(red) {
        "check-red"
    } else {
        "check-not-seen"
    };
    reason(code, text)
}

fn checkpoint(view: &View, attempt: Option<&AttemptView>) -> Reason {
    let red = match attempt.map(|attempt| &attempt.fate) {
        Some(Fate::Culprit { gates, .. }) => {
            format!(": {}", look::failing_gates(view, gates))
        }
        _ => String::new(),
    };
    reason("checkpoint-red", format!("{}{red}", culprit(view, attempt)))
}

/// `the checkpoint is red because of it`, and because of whom besides.
fn culprit(view: &View, attempt: Option<&AttemptView>) -> String {
    let text = "the checkpoint is red because of it";
    match attempt.map(|attempt| &attempt.fate) {
        Some(Fate::Culprit { with, .. }) if !with.is_empty() => {
            let plan = view.plan();
            let ids = with
                .iter()
                .map(|ix| format!("`{}`", name(&plan.task(*ix).id)));
            format!("{text}, together with {}", few(ids, 3, ", "))
        }
        _ => text.to_owned(),
    }
}

/// What is left to say of a verdict where the evidence stands below it; nothing when that says it all.
pub(crate) fn beside_evidence(view: &View, ix: TaskIx, verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Rejected(Rejected::Attempt(Rejection::Checks | Rejection::Findings(_))) => None,
        Verdict::Rejected(Rejected::Attempt(Rejection::Checkpoint)) => {
            Some(culprit(view, view.task(ix).last()))
        }
        Verdict::Rejected(Rejected::Base) => match base(view, ix) {
            Reason {
                code: "base-green", ..
            } => Some("green before any work, its check proves nothing".to_owned()),
            _ => Some("before any work, its check is not as it must be".to_owned()),
        },
        _ => Some(of_verdict(view, ix, verdict).text),
    }
}

fn stuck(view: &View, ix: TaskIx, attempt: Option<&AttemptView>) -> Reason {
    if let Some(Fate::Rejected(rejection)) = attempt.map(|attempt| &attempt.fate) {
        let last = of_rejection(view, ix, attempt, rejection).text;
        return reason(
            "same-failure-again",
            format!("it failed twice in the same way, so no further dispatch was spent: {last}"),
        );
    }
    let task = view.task(ix);
    let digest = |attempt: &AttemptView| attempt.change().map(|change| change.digest.clone());
    let last = attempt.and_then(digest);
    let first = task
        .attempts
        .iter()
        .find(|attempt| digest(attempt) == last && attempt.fate != Fate::Stuck);
    let of = first.map_or_else(String::new, |first| {
        format!(" as dispatch {}, which was rejected", first.dispatch)
    });
    reason(
        "same-change-again",
        format!("it made the same change again{of}"),
    )
}

fn not_run(view: &View, why: NotRun) -> Reason {
    let budget = &view.plan().budget;
    match why {
        NotRun::NothingToDo => reason(
            "nothing-to-do",
            "its checks are green already, and it says `when = \"red\"`",
        ),
        NotRun::AttemptsSpent => reason(
            "attempts-spent",
            format!(
                "the budget of {} was used up",
                count(u64::from(budget.attempts), "dispatch")
            ),
        ),
        NotRun::WallSpent => reason(
            "wall-spent",
            format!("the budget of {} was used up", duration(budget.wall_ms)),
        ),
    }
}

/// What became of an attempt, in a few words; for a rejected one, why.
pub(crate) fn of_fate(view: &View, ix: TaskIx, attempt: &AttemptView) -> Reason {
    match &attempt.fate {
        Fate::Live(stage) => reason("under-way", under_way(*stage)),
        Fate::Lost => reason(
            "lost",
            "its end is unknown, because the run stopped; it does not count",
        ),
        Fate::Passed => reason("passed", "its checks pass; the checkpoint has not spoken"),
        Fate::Landed(_) => accepted(view, ix),
        Fate::NeedsHuman => held::needs_human(view, ix),
        Fate::Rejected(rejection) => of_rejection(view, ix, Some(attempt), rejection),
        Fate::Stuck => stuck(view, ix, Some(attempt)),
        Fate::Culprit { .. } => checkpoint(view, Some(attempt)),
    }
}

fn under_way(stage: Stage) -> &'static str {
    match stage {
        Stage::Opening => "its workspace is being made",
        Stage::Working => "its worker runs",
        Stage::Harvesting => "it is being harvested",
        Stage::Verifying | Stage::Ended => "its checks run",
        Stage::Reviewing => "another agent looks at its change",
        Stage::Parked => "its checks are red alone; it waits for its siblings",
    }
}
