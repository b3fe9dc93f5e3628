//! Between attempts: the base is looked at, waves and rounds start and end.

use std::sync::Arc;

use super::park::Start;
use super::records::measured;
use super::{Phase, Scheduler, Standing};
use crate::effect::Effect;
use crate::evidence::Evidence;
use crate::ids::{TaskIx, WaveNo};
use crate::verdict::{NotRun, Reason, Verdict};

impl Scheduler {
    pub(super) fn base_judged(&mut self, evidence: &[Evidence]) {
        if evidence.iter().all(Evidence::passes) {
            self.state.gates = measured(evidence);
            self.next_wave();
        } else {
            self.state.phase = Phase::Refused;
        }
    }

    /// Starts the next wave that has a task to run, or ends the run.
    fn next_wave(&mut self) {
        let waves = Arc::clone(&self.waves);
        while let Some(tasks) = waves.waves.get(self.state.next_wave) {
            self.state.next_wave += 1;
            self.state.wave = self.state.next_wave as u32;
            let open = |task: &TaskIx| *self.standing(*task) == Standing::Waiting;
            let mut members: Vec<_> = tasks.iter().copied().filter(open).collect();
            members.retain(|task| !self.set_aside(*task));
            if !members.is_empty() {
                return self.prepare(members);
            }
        }
        self.state.phase = Phase::Over;
    }

    /// Gives the last word to a task that cannot start.
    fn set_aside(&mut self, ix: TaskIx) -> bool {
        let unmet = |dep: &TaskIx| match self.standing(*dep) {
            Standing::Ended(verdict) => !verdict.satisfies(),
            _ => true,
        };
        let verdict = if let Some(dep) = self.plan.task(ix).after.iter().copied().find(unmet) {
            Verdict::Blocked(dep)
        } else if self.state.halt.wall_spent {
            Verdict::NotRun(NotRun::WallSpent)
        } else if self.state.dispatches >= self.plan.budget.attempts {
            Verdict::NotRun(NotRun::AttemptsSpent)
        } else {
            return false;
        };
        self.conclude(ix, verdict);
        true
    }

    fn prepare(&mut self, members: Vec<TaskIx>) {
        let state = &mut self.state;
        state.phase = Phase::Preparing;
        state.members = members;
        let rounds = &mut state.rounds[state.wave as usize - 1];
        *rounds += 1;
        state.round = *rounds;
        let (wave, round, base) = (WaveNo(state.wave), state.round, state.head.clone());
        self.owe(Effect::PrepareWave { wave, round, base });
    }

    pub(super) fn prepared(&mut self, problems: &[(TaskIx, String)]) {
        for (task, what) in problems {
            self.drop_parked(*task);
            self.conclude(*task, Verdict::Rejected(Reason::Gone(what.clone())));
        }
        self.state.phase = Phase::Working;
        self.state.passed = 0;
        for task in self.state.members.clone() {
            self.begin_round(task);
        }
        self.advance();
    }

    /// What a member of a round does first.
    fn begin_round(&mut self, ix: TaskIx) {
        let start = match self.standing(ix) {
            Standing::Ended(_) => return,
            Standing::Passed(_) => {
                self.state.passed += 1;
                return;
            }
            _ if self.is_late(ix) => Start::Probe,
            _ => {
                self.state.tasks[ix.index()].standing = Standing::Queued;
                Start::Fresh
            }
        };
        self.state.ready.push_back((ix, start));
    }

    /// Another round for what the checkpoint rejected, for what was found to need what landed, and for what persons
    /// approved of; else the next wave.
    pub(super) fn finish_round(&mut self) {
        let mut members = self.take_late();
        let mut again = std::mem::take(&mut self.state.again);
        again.retain(|task| !self.give_up(*task));
        members.append(&mut again);
        loop {
            members.extend(self.take_returning());
            if !members.is_empty() {
                members.sort_unstable();
                return self.prepare(members);
            }
            match self.wave_to_return_to() {
                Some(wave) => self.state.wave = wave,
                None => return self.next_wave(),
            }
        }
    }

    /// Gives the last word to a task that has no dispatch left.
    fn give_up(&mut self, ix: TaskIx) -> bool {
        let verdict = self.out_of_budget(ix);
        if let Some(verdict) = verdict {
            self.conclude(ix, verdict);
            return true;
        }
        false
    }
}
