//! Every schedule of small plans, and random walks through larger ones, with crashes anywhere.
//!
//! The world here is a table of answers (`world`), what may happen next is `steps`, what must be true is `holds`; `schedules`
//! visits everything, `walks` goes where lots say, `plays` and `people` are schedules with a point of their own. A crash may
//! come before an effect is issued, after it is issued and before it is started, and at any moment while it is in flight.

mod holds;
mod people;
mod plays;
mod schedules;
mod steps;
mod walks;
mod world;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use proptest::prelude::*;

use self::holds::{hold, hold_evidence, hold_step};
use self::plays::play;
use self::steps::{NO_TROUBLE, Trouble, approvals, resumptions, steps};
use self::walks::walk;
use self::world::{World, answers};
use super::*;
use crate::event::Workspaces;
use crate::evidence::{Flaked, Grade, Harvest, How, Own, ReviewVerdict, Value};
use crate::finding::{Finding, Severity};
use crate::plan::{Review, Risk};
use crate::sample::{begin, changed, ended, goes_well, integrated, look, plan, some_plan, task};
use crate::verdict::{NotRun, Reason, Rejection};
use crate::waves::waves;

fn start(plan: &Arc<Plan>, jobs: u32) -> (Scheduler, Event) {
    let waves = Arc::new(waves(plan).unwrap());
    (Scheduler::new(Arc::clone(plan), waves), begin(jobs))
}

fn step(at: &Scheduler, event: &Event) -> Scheduler {
    at.check(event)
        .unwrap_or_else(|e| panic!("{e}\n{:#?}", at.state));
    let mut next = at.clone();
    next.apply(event);
    hold_step(at, event, &next);
    hold_evidence(at, event, &next);
    next
}

/// Visits every reachable state; how many there are.
fn explore(plan: &Arc<Plan>, jobs: u32, trouble: Trouble, world: &World) -> usize {
    let (scheduler, begin) = start(plan, jobs);
    let first = step(&scheduler, &begin);
    let mut seen = HashSet::new();
    let mut stack = vec![(first, trouble)];
    let mut finished = 0;
    while let Some((at, trouble)) = stack.pop() {
        if !seen.insert((at.state.clone(), trouble)) {
            continue;
        }
        hold(&at, world);
        finished += usize::from(at.outcome() == Some(Outcome::Finished));
        for (event, left) in steps(&at, trouble, world) {
            stack.push((step(&at, &event), left));
        }
    }
    assert!(finished > 0, "no schedule ends");
    seen.len()
}

fn accepted(at: &Scheduler, ix: TaskIx) -> bool {
    at.standing(ix) == &Standing::Ended(Verdict::Accepted)
}
