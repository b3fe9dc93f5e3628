//! Which looks of a run can be taken again, and how what they show now differs from what they showed then.
//!
//! Looks at bases, harvests and checkpoints can: their commits are kept. Those at compositions that did not land cannot.
//! What is compared is the value and the tests counted; times and output differ from one run to the next.

use std::collections::BTreeMap;

use seawall_core::counted::Counted;
use seawall_core::effect::Effect;
use seawall_core::event::Event;
use seawall_core::evidence::{Evidence, Harvest, Value};
use seawall_core::ids::{AttemptNo, Commit, TaskIx, WaveNo};
use seawall_core::plan::{Criterion, GateNow, Plan};

use super::Problem;
use crate::receipt::Entry;
use crate::words::{name, shown};

/// Looks that were taken together.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The record that holds them.
    pub record: u64,
    /// Of what.
    pub of: Of,
    /// At which commit.
    pub commit: Commit,
    /// What they were compared with: looks where the work began.
    pub measured: Vec<Evidence>,
    /// What they showed.
    pub showed: Vec<Evidence>,
}

impl Taken {
    /// What each gate of the plan was then, in their order: one without a record was not looked at, and one that passed
    /// although its command did not was allowed to be red.
    #[must_use]
    pub fn gates(&self, plan: &Plan) -> Vec<GateNow> {
        let record = |n| self.showed.iter().find(|look| look.criterion == n);
        let now = |(n, gate): (u32, &Criterion)| match record(n) {
            None => GateNow::Off,
            Some(look) if look.passes() && look.exit != Some(0) && may_be_red(gate) => {
                GateNow::MayBeRed
            }
            Some(_) => GateNow::On,
        };
        (0..).zip(plan.gates()).map(now).collect()
    }
}

fn may_be_red(gate: &Criterion) -> bool {
    !gate.window.red_until.is_empty()
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The gates, on the run's base.
    Base,
    /// A task's checks, on the base of its attempts.
    Task(TaskIx),
    /// A task's checks, on the harvest of an attempt.
    Attempt(TaskIx, AttemptNo),
    /// The gates, on a checkpoint.
    Checkpoint(WaveNo),
}

/// Every look of a run that can be taken again, in order.
#[must_use]
pub fn taken<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Vec<Taken> {
    let mut fold = Fold::default();
    for entry in entries {
        fold.see(entry);
    }
    fold.taken.retain(|taken| !taken.showed.is_empty());
    fold.taken
}

#[derive(Default)]
struct Fold {
    taken: Vec<Taken>,
    base: Option<Commit>,
    /// Where each task's checks are run on a base, and what they showed.
    bases: BTreeMap<TaskIx, (Commit, Vec<Evidence>)>,
    attempts: BTreeMap<AttemptNo, (TaskIx, Option<Commit>)>,
    /// Whose harvests are on trial; the gates of the last trial of each set.
    trial: Vec<TaskIx>,
    trials: BTreeMap<Vec<TaskIx>, Vec<Evidence>>,
    lands: Vec<TaskIx>,
    /// The gates at the last checkpoint, or on the base.
    gates: Vec<Evidence>,
}

impl Fold {
    fn see(&mut self, entry: Entry<'_>) {
        let record = entry.seq;
        match entry.event {
            Event::RunStarted(started) => self.base = Some(started.base.clone()),
            Event::Issued { effect } => self.issued(effect),
            Event::Baselined { task, evidence } => {
                if let Some((base, seen)) = self.bases.get_mut(task) {
                    seen.clone_from(evidence);
                    let base = base.clone();
                    self.take(record, Of::Task(*task), base, (&[], evidence));
                }
            }
            Event::Harvested {
                attempt,
                harvest: Harvest::Changed(change),
            } => {
                if let Some((_, harvest)) = self.attempts.get_mut(attempt) {
                    *harvest = Some(change.commit.clone());
                }
            }
            Event::Verified {
                attempt, evidence, ..
            } => {
                if let Some((task, Some(harvest))) = self.attempts.get(attempt).cloned() {
                    let measured = self.bases.get(&task).map(|(_, seen)| seen.clone());
                    let measured = measured.unwrap_or_default();
                    self.take(
                        record,
                        Of::Attempt(task, *attempt),
                        harvest,
                        (&measured, evidence),
                    );
                }
            }
            Event::Integrated { wave, evidence, .. } => self.integrated(record, *wave, evidence),
            Event::Checkpointed { wave, commit, .. } => {
                let showed = self.trials.remove(&self.lands).unwrap_or_default();
                let measured = std::mem::replace(&mut self.gates, showed.clone());
                self.take(
                    record,
                    Of::Checkpoint(*wave),
                    commit.clone(),
                    (&measured, &showed),
                );
            }
            _ => {}
        }
    }

    fn issued(&mut self, effect: &Effect) {
        match effect {
            Effect::PrepareWave { .. } => self.trials.clear(),
            Effect::Baseline { task, base } => {
                self.bases.insert(*task, (base.clone(), Vec::new()));
            }
            Effect::OpenWorkspace { task, attempt, .. } => {
                self.attempts.insert(*attempt, (*task, None));
            }
            Effect::Integrate { tasks, .. } => self.trial.clone_from(tasks),
            Effect::Checkpoint { tasks, .. } => self.lands.clone_from(tasks),
            _ => {}
        }
    }

    fn integrated(&mut self, record: u64, wave: WaveNo, evidence: &[Evidence]) {
        match self.base.clone().filter(|_| wave == WaveNo(0)) {
            Some(base) => {
                self.gates = evidence.to_vec();
                self.take(record, Of::Base, base, (&[], evidence));
            }
            None => {
                self.trials.insert(self.trial.clone(), evidence.to_vec());
            }
        }
    }

    fn take(
        &mut self,
        record: u64,
        of: Of,
        commit: Commit,
        (measured, showed): (&[Evidence], &[Evidence]),
    ) {
        let counted = measured.iter().filter(|look| look.tests.is_some());
        self.taken.push(Taken {
            record,
            of,
            commit,
            measured: counted.cloned().collect(),
            showed: showed.to_vec(),
        });
    }
}

/// What `now` shows otherwise than `taken` did.
#[must_use]
pub fn differences(plan: &Plan, taken: &Taken, now: &[Evidence]) -> Vec<Problem> {
    let of = |then: &Evidence| {
        let same = |look: &&Evidence| look.criterion == then.criterion;
        let what = difference(then, now.iter().find(same))?;
        let named = named(plan, taken.of, then.criterion);
        Some(Problem::new("rerun", format!("{named}: {what}")).at(taken.record))
    };
    taken.showed.iter().filter_map(of).collect()
}

fn difference(then: &Evidence, now: Option<&Evidence>) -> Option<String> {
    let Some(now) = now else {
        return Some("it was looked at then, and is not now".to_owned());
    };
    if now.value != then.value {
        return Some(format!(
            "{} then ({}), {} now ({})",
            word(then.value),
            shown(&then.why, 120),
            word(now.value),
            shown(&now.why, 120)
        ));
    }
    let counts = |tests: &Counted| (tests.passed, tests.failed, tests.skipped);
    if now.tests.as_deref().map(counts) == then.tests.as_deref().map(counts) {
        return None;
    }
    Some(format!("{} then, {} now", tests(then), tests(now)))
}

fn word(value: Value) -> &'static str {
    match value {
        Value::Pass => "pass",
        Value::Fail => "fail",
        Value::CouldNotLook => "could not look",
    }
}

fn tests(look: &Evidence) -> String {
    match &look.tests {
        None => "no tests counted".to_owned(),
        Some(tests) => format!(
            "{} passed, {} failed, {} skipped",
            tests.passed, tests.failed, tests.skipped
        ),
    }
}

fn named(plan: &Plan, of: Of, criterion: u32) -> String {
    let n = criterion as usize;
    let gate = || plan.gates().nth(n).map_or("", |gate| &gate.says);
    let task = |ix: TaskIx| plan.tasks.get(ix.index());
    let check = |ix| {
        task(ix)
            .and_then(|task| task.criteria().nth(n))
            .map_or("", |check| &check.says)
    };
    let id = |ix| task(ix).map_or("", |task| &task.id);
    match of {
        Of::Base => format!("gate `{}` on the base", name(gate())),
        Of::Checkpoint(wave) => format!("gate `{}` at the checkpoint of wave {wave}", name(gate())),
        Of::Task(ix) => format!(
            "check `{}` of `{}` on its base",
            name(check(ix)),
            name(id(ix))
        ),
        Of::Attempt(ix, attempt) => {
            let (says, id) = (name(check(ix)), name(id(ix)));
            format!("check `{says}` of `{id}` on harvest {attempt}")
        }
    }
}
