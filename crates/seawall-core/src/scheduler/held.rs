//! What only persons can let through: tasks that are held, approvals, and the way back into a round.
//!
//! A held task has its last word, `needs-human`, and the rest of the run goes on without it. An approval may come at any
//! later moment, also between two sessions of a run that is not over; the change waits in `returning` until the round in
//! work is finished and then gets a round of its own wave, on what has landed by then.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Passed, Phase, Scheduler, Standing};
use crate::grade::Weight;
use crate::ids::TaskIx;
use crate::path::RepoPath;
use crate::verdict::{Hold, Reason, Verdict};

/// A change that would land but for persons.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Held {
    passed: Box<Passed>,
    /// What nobody has approved of yet.
    open: Vec<Hold>,
}

impl Held {
    pub(super) fn open(&self) -> &[Hold] {
        &self.open
    }

    pub(super) fn weight(&self) -> Weight {
        self.passed.weight
    }
}

impl Scheduler {
    /// Keeps what would land for a person to look at.
    pub(super) fn hold(&mut self, ix: TaskIx, passed: Box<Passed>, open: Vec<Hold>) {
        self.state.held.insert(ix, Held { passed, open });
        self.conclude(ix, Verdict::NeedsHuman);
    }

    /// Whether a task is held for this, and nobody approved of it.
    pub(super) fn is_open(&self, ix: TaskIx, hold: &Hold) -> bool {
        let held = self.state.held.get(&ix);
        held.is_some_and(|held| held.open.contains(hold))
    }

    pub(super) fn approved(&mut self, ix: TaskIx, hold: &Hold) {
        let Some(held) = self.state.held.get_mut(&ix) else {
            return;
        };
        held.open.retain(|open| open != hold);
        held.passed.approved.push(hold.clone());
        if held.open.is_empty()
            && let Some(held) = self.state.held.remove(&ix)
        {
            self.state.tasks[ix.index()].standing = Standing::Passed(held.passed);
            self.state.returning.insert(ix);
        }
    }

    /// A run that was over goes on with what was approved of since.
    pub(super) fn go_on_with_approved(&mut self) {
        if self.state.phase == Phase::Over && !self.state.returning.is_empty() {
            self.finish_round();
        }
    }

    /// The first wave that has an approved task without a round.
    pub(super) fn wave_to_return_to(&self) -> Option<u32> {
        let wave = |ix: &TaskIx| match self.standing(*ix) {
            Standing::Passed(passed) => Some(passed.wave),
            _ => None,
        };
        self.state.returning.iter().filter_map(wave).min()
    }

    /// The approved tasks of the wave in work, for its next round. One whose files changed since is tried anew.
    pub(super) fn take_returning(&mut self) -> Vec<TaskIx> {
        let wave = self.state.wave;
        let of_wave = |ix: &TaskIx| matches!(self.standing(*ix), Standing::Passed(passed) if passed.wave == wave);
        let mut members: Vec<_> = self.state.returning.iter().copied().collect();
        members.retain(of_wave);
        for ix in &members {
            self.state.returning.remove(ix);
        }
        let stale = self.stale(&members);
        members.retain(|ix| {
            stale
                .get(ix)
                .is_none_or(|(path, by)| self.start_anew(*ix, path, *by))
        });
        members
    }

    /// Which of these changes were made to files that another task's change reached afterwards. One look at each task
    /// of the plan: it happens only where persons approved.
    fn stale(&self, members: &[TaskIx]) -> HashMap<TaskIx, (RepoPath, TaskIx)> {
        let mut owners: HashMap<&RepoPath, Vec<(TaskIx, u32)>> = HashMap::new();
        for ix in members {
            if let Standing::Passed(passed) = self.standing(*ix) {
                for path in self.plan.task(*ix).owned() {
                    owners.entry(path).or_default().push((*ix, passed.since));
                }
            }
        }
        let mut stale = HashMap::new();
        if owners.is_empty() {
            return stale;
        }
        for (by, task) in self.plan.each_task() {
            let landed = self.state.tasks[by.index()].landed;
            for path in task.owned().filter(|_| landed > 0) {
                for (ix, since) in owners.get(path).into_iter().flatten() {
                    if landed > *since {
                        stale.insert(*ix, (path.clone(), by));
                    }
                }
            }
        }
        stale
    }

    /// Whether a task may be dispatched again though its change was approved of; else it is gone.
    fn start_anew(&mut self, ix: TaskIx, path: &RepoPath, by: TaskIx) -> bool {
        let spent = self.state.tasks[ix.index()].dispatches >= self.plan.task(ix).attempts;
        if spent || self.out_of_budget(ix).is_some() {
            let why = format!(
                "`{path}` was changed by `{}` after this change was made",
                self.plan.task(by).id
            );
            self.conclude(ix, Verdict::Rejected(Reason::Gone(why)));
            return false;
        }
        self.state.tasks[ix.index()].standing = Standing::Waiting;
        true
    }

    /// What was blocked on tasks that landed after all gets its chance, and so on. In the order of the waves what a task
    /// waits for comes before it.
    pub(super) fn unblock(&mut self, landed: &[TaskIx]) {
        let mut free: HashSet<TaskIx> = landed.iter().copied().collect();
        let waves = Arc::clone(&self.waves);
        let mut first = self.state.next_wave;
        for (wave, tasks) in waves.waves.iter().enumerate().take(self.state.next_wave) {
            for ix in tasks {
                if let Standing::Ended(Verdict::Blocked(dep)) = self.standing(*ix)
                    && free.contains(dep)
                {
                    free.insert(*ix);
                    self.state.tasks[ix.index()].standing = Standing::Waiting;
                    first = first.min(wave);
                }
            }
        }
        self.state.next_wave = first;
    }
}
