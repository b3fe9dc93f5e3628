//! Between attempts: the base is looked at, waves start, harvests are integrated, checkpoints made.

use std::sync::Arc;

use super::attempt::{failing, measured};
use super::{Integration, Phase, Scheduler, Standing};
use crate::effect::Effect;
use crate::evidence::Evidence;
use crate::ids::{Commit, TaskIx, Tree, WaveNo};
use crate::narrow::Narrowed;
use crate::verdict::{Feedback, NotRun, Reason, Rejection, Verdict};

/// What one trial showed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Trial {
    tree: Tree,
    failing: Arc<[Evidence]>,
    measured: Arc<[Evidence]>,
}

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
        while let Some(tasks) = waves.waves.get(self.state.wave as usize) {
            self.state.wave += 1;
            self.state.round = 1;
            let members: Vec<_> = tasks
                .iter()
                .copied()
                .filter(|task| !self.set_aside(*task))
                .collect();
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
        let (wave, round, base) = (WaveNo(state.wave), state.round, state.head.clone());
        self.owe(Effect::PrepareWave { wave, round, base });
    }

    pub(super) fn prepared(&mut self, problems: &[(TaskIx, String)]) {
        for (task, what) in problems {
            self.conclude(*task, Verdict::Rejected(Reason::Gone(what.clone())));
        }
        let members = std::mem::take(&mut self.state.members);
        let gone = |task: &TaskIx| matches!(self.standing(*task), Standing::Ended(_));
        let queue: Vec<_> = members.iter().copied().filter(|task| !gone(task)).collect();
        let state = &mut self.state;
        state.members = members;
        for task in &queue {
            state.tasks[task.index()].standing = Standing::Queued;
        }
        state.phase = Phase::Working;
        state.open = queue.len();
        state.ready = queue.into();
        if self.state.open == 0 {
            self.integrate()
        } else {
            self.fill()
        }
    }

    /// Every member has spoken: see which of their changes pass the gates together.
    pub(super) fn integrate(&mut self) {
        let passed = |task: &TaskIx| matches!(self.standing(*task), Standing::Passed(_));
        let accepted: Vec<_> = self.state.members.iter().copied().filter(passed).collect();
        if accepted.is_empty() {
            return self.finish_round();
        }
        self.state.phase = Phase::Integrating(Integration {
            accepted,
            ..Integration::default()
        });
        self.narrow();
    }

    fn narrow(&mut self) {
        let Phase::Integrating(integration) = &mut self.state.phase else {
            return;
        };
        match integration.answers.narrow(&integration.accepted) {
            Narrowed::Ask(tasks) => {
                integration.trials += 1;
                let trial = integration.trials;
                let (wave, round) = (WaveNo(self.state.wave), self.state.round);
                let base = self.state.head.clone();
                self.owe(Effect::Integrate {
                    wave,
                    round,
                    trial,
                    base,
                    tasks,
                });
            }
            Narrowed::Done { lands, culprits } => {
                let integration = std::mem::take(integration);
                self.narrowed(lands, &culprits, &integration);
            }
        }
    }

    pub(super) fn integrated(&mut self, trial: u32, tree: &Tree, evidence: &[Evidence]) {
        let Phase::Integrating(integration) = &mut self.state.phase else {
            return;
        };
        let Narrowed::Ask(tasks) = integration.answers.narrow(&integration.accepted) else {
            return;
        };
        debug_assert_eq!(trial, integration.trials, "one trial at a time");
        let failing = failing(evidence);
        integration.answers.note(tasks.clone(), failing.is_empty());
        integration.seen.insert(
            tasks,
            Trial {
                tree: tree.clone(),
                failing,
                measured: measured(evidence),
            },
        );
        self.narrow();
    }

    fn narrowed(
        &mut self,
        lands: Vec<TaskIx>,
        culprits: &[Vec<TaskIx>],
        integration: &Integration,
    ) {
        for culprit in culprits {
            let evidence = integration
                .seen
                .get(culprit)
                .map(|trial| Arc::clone(&trial.failing));
            for task in culprit {
                self.reject_at_checkpoint(*task, evidence.clone().unwrap_or_default());
            }
        }
        let Some(trial) = integration.seen.get(&lands) else {
            return self.finish_round();
        };
        let (wave, round, base) = (
            WaveNo(self.state.wave),
            self.state.round,
            self.state.head.clone(),
        );
        self.state.phase = Phase::Checkpointing(lands.clone());
        self.state.gates = Arc::clone(&trial.measured);
        self.owe(Effect::Checkpoint {
            wave,
            round,
            base,
            tree: trial.tree.clone(),
            tasks: lands,
        });
    }

    /// Its checks pass, but not the gates with it: it tries again on top of what lands, if it may.
    fn reject_at_checkpoint(&mut self, ix: TaskIx, evidence: Arc<[Evidence]>) {
        let Standing::Passed(passed) = self.standing(ix).clone() else {
            return;
        };
        let rejection = Rejection::Checkpoint;
        let feedback = Feedback {
            attempt: passed.attempt,
            rejection,
            evidence,
            claim: passed.claim,
        };
        self.remember(ix, feedback, Some(passed.digest));
        self.state.again.push(ix);
    }

    pub(super) fn checkpointed(&mut self, commit: &Commit) {
        self.state.head = commit.clone();
        if let Phase::Checkpointing(lands) =
            std::mem::replace(&mut self.state.phase, Phase::Working)
        {
            for task in lands {
                self.conclude(task, Verdict::Accepted);
            }
        }
        self.finish_round();
    }

    /// Another round for what the checkpoint rejected, or the next wave.
    fn finish_round(&mut self) {
        let mut again = std::mem::take(&mut self.state.again);
        again.sort_unstable();
        again.retain(|task| !self.give_up(*task));
        if again.is_empty() {
            return self.next_wave();
        }
        self.state.round += 1;
        self.prepare(again);
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
