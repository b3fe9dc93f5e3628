//! The plan's gates on a tree: checkpoint checks and invariants, each only where its window is open.

use std::sync::Arc;

use seawall_core::effect::Effect;
use seawall_core::evidence::Evidence;
use seawall_core::plan::{Criterion, GateNow, Plan};
use seawall_core::scheduler::Scheduler;
use seawall_verify::may_be_red;

use crate::answers::{self, Judged};
use crate::crew::Crew;
use crate::error::ExecuteError;
use crate::execute::blocking;
use crate::look::{Look, before, question};
use crate::rules;

/// What each gate is at the tree of an effect, in the order of the plan's gates; none for another effect.
pub(crate) fn now(effect: &Effect, scheduler: &Scheduler) -> Vec<GateNow> {
    let Effect::Integrate { tasks, .. } = effect else {
        return Vec::new();
    };
    let gates = scheduler.plan().gates();
    gates.map(|gate| scheduler.gate_now(gate, tasks)).collect()
}

/// Runs the plan's gates on the base itself.
pub(crate) async fn on_base(
    crew: &Arc<Crew>,
    look: Look,
    now: &[GateNow],
) -> Result<Vec<Evidence>, ExecuteError> {
    run(crew, &look, now, |_| Judged::OnBase, false).await
}

/// Runs the plan's gates on harvests; with `first_red_ends`, the first one that does not pass is the last.
pub(crate) async fn after(
    crew: &Arc<Crew>,
    look: Look,
    now: &[GateNow],
    measured: &[Evidence],
    first_red_ends: bool,
) -> Result<Vec<Evidence>, ExecuteError> {
    let judged = |n| Judged::After(before(measured, n));
    run(crew, &look, now, judged, first_red_ends).await
}

async fn run(
    crew: &Arc<Crew>,
    look: &Look,
    now: &[GateNow],
    judged: impl Fn(u32) -> Judged,
    first_red_ends: bool,
) -> Result<Vec<Evidence>, ExecuteError> {
    let plan = &crew.setup.plan;
    let (mut asked, mut ruled) = (Vec::new(), Vec::new());
    for (n, gate) in open(plan, now) {
        match (&gate.run, &gate.rule) {
            (None, Some(_)) => ruled.push(n),
            (run, _) => {
                let command = run.clone().unwrap_or_default().into_bytes();
                asked.push(question(look, n, gate, command, judged(n)));
            }
        }
    }
    // Reading is cheap: what it shows comes before anything is run.
    let at = look.clone();
    let read = move |crew: &Crew| rules::look(crew, &at, &ruled);
    let mut all = blocking(crew, read).await?;
    let red = |e: &Evidence| !declared(plan, now, e.clone()).passes();
    if !(first_red_ends && all.iter().any(red)) {
        all.extend(answers::all(crew, asked, first_red_ends).await?);
    }
    look.forget(crew).await?;
    all.sort_by_key(|evidence| evidence.criterion);
    Ok(all.into_iter().map(|e| declared(plan, now, e)).collect())
}

/// The gates that are looked at, with their numbers.
fn open<'a>(plan: &'a Plan, now: &'a [GateNow]) -> impl Iterator<Item = (u32, &'a Criterion)> {
    let gates = (0..).zip(plan.gates());
    gates.filter(|(n, _)| is(now, *n) != GateNow::Off)
}

/// What a gate is; one of which nothing is said must pass.
fn is(now: &[GateNow], number: u32) -> GateNow {
    now.get(number as usize).copied().unwrap_or(GateNow::On)
}

/// The record of a gate, where a declared red passes.
fn declared(plan: &Plan, now: &[GateNow], evidence: Evidence) -> Evidence {
    let number = evidence.criterion;
    if is(now, number) != GateNow::MayBeRed {
        return evidence;
    }
    let gate = plan.gates().nth(number as usize);
    let until = gate.map_or(&[][..], |gate| &gate.window.red_until);
    let names: Vec<&str> = until.iter().map(|ix| &*plan.task(*ix).id).collect();
    may_be_red(evidence, &names)
}
