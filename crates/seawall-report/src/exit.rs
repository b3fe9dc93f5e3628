//! The exit code of a run, from its end alone.

use seawall_core::scheduler::{Outcome, Scheduler, Standing};
use seawall_core::verdict::{NotRun, Verdict};

/// 0 all accepted, or nothing to do; 1 something rejected, blocked or not run; 2 refused; 4 something needs a
/// person, which outranks 1; 5 parked; 130 interrupted (128 + SIGINT, as shells say it).
#[must_use]
pub fn exit_code(scheduler: &Scheduler, outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Finished => finished(scheduler),
        Outcome::Refused => 2,
        Outcome::Parked(_) => 5,
        Outcome::Interrupted => 130,
    }
}

fn finished(scheduler: &Scheduler) -> u8 {
    let tasks = scheduler.plan().each_task();
    tasks
        .map(|(ix, _)| code_of(scheduler.standing(ix)))
        .max()
        .unwrap_or(0)
}

fn code_of(standing: &Standing) -> u8 {
    match standing {
        Standing::Ended(Verdict::Accepted | Verdict::NotRun(NotRun::NothingToDo)) => 0,
        Standing::Ended(Verdict::NeedsHuman) => 4,
        _ => 1,
    }
}
