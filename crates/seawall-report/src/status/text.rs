//! Where a run stands, for people: a line a wave, and a line for each task that is not simply waiting or done.

use seawall_core::ids::TaskIx;
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::Verdict;

use super::{Counts, Liveness, counts, short_branch, state};
use crate::reason::{self, verdict_name};
use crate::view::View;
use crate::words::{count, duration, many, name, pad, shown};

/// Tasks that are listed.
const LISTED: usize = 100;

/// `status` for people.
#[must_use]
pub fn status_text(view: &View, scheduler: &Scheduler, liveness: Liveness) -> String {
    let mut text = head(view, scheduler, liveness);
    if let Some(why) = view.parked() {
        text.push_str(&format!("parked    {}\n", shown(why, 300)));
    }
    for (n, members) in (1..).zip(&view.waves().waves) {
        text.push_str(&wave_line(scheduler, n, members));
    }
    let told = view
        .plan()
        .each_task()
        .filter(|(ix, _)| speaks(scheduler.standing(*ix)));
    let mut more = 0;
    for (n, (ix, task)) in told.enumerate() {
        if n < LISTED {
            let standing = standing_text(view, scheduler, ix);
            text.push_str(&format!("  {}  {standing}\n", name(&task.id)));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        text.push_str(&format!("  … {more} more; `--json` has them all\n"));
    }
    if matches!(
        state(scheduler, liveness),
        "parked" | "interrupted" | "stopped"
    ) {
        text.push_str(&format!(
            "\nnext      seawall resume {}   go on\n",
            name(view.run())
        ));
    }
    text
}

fn head(view: &View, scheduler: &Scheduler, liveness: Liveness) -> String {
    let plan = name(&view.plan().name);
    let Some(started) = view.started() else {
        return format!("{plan}  nothing has happened yet\n");
    };
    format!(
        "run {}  {plan}  {} after {}: {}\nhead {}  branch {}  {}, {}\n",
        name(&started.run),
        state(scheduler, liveness),
        duration(view.wall_ms()),
        counts(scheduler).sentence(),
        scheduler.head().short(),
        name(short_branch(&started.branch)),
        many(view.checkpoints().len(), "checkpoint"),
        count(u64::from(scheduler.dispatched()), "dispatch"),
    )
}

fn wave_line(scheduler: &Scheduler, n: u32, members: &[TaskIx]) -> String {
    let mut counts = Counts::default();
    for ix in members {
        counts.add(scheduler.standing(*ix));
    }
    let tasks = pad(&many(members.len(), "task"), 11);
    format!("wave {n:<3}  {tasks}  {}\n", counts.brief())
}

/// Tasks that are done or that wait for their wave are counted, not listed.
fn speaks(standing: &Standing) -> bool {
    !matches!(
        standing,
        Standing::Waiting | Standing::Queued | Standing::Ended(Verdict::Accepted)
    )
}

fn standing_text(view: &View, scheduler: &Scheduler, ix: TaskIx) -> String {
    let of = format!(
        "{}/{}",
        scheduler.dispatches(ix),
        view.plan().task(ix).attempts
    );
    match scheduler.standing(ix) {
        Standing::Ended(verdict) => format!(
            "{}  {}",
            verdict_name(verdict),
            reason::of_verdict(view, ix, verdict).text
        ),
        Standing::Attempting(_) => match view.task(ix).last() {
            Some(attempt) => format!("dispatch {of}  {}", reason::of_fate(view, ix, attempt).text),
            None => format!("dispatch {of}"),
        },
        Standing::Passed(_) => "its checks pass; the checkpoint has not spoken".to_owned(),
        _ => "its checks run on the base".to_owned(),
    }
}
