//! How the changes of a round come to stand in a checkpoint: composed, passed by the gates, weighed without each of them.
//!
//! ```text
//! Integrating ─ red → narrowed: the culprits try again
//!      ↑      └ green → Sensing → Checkpointing
//!      └── the rest, once some are held: for a flaky gate, or below their floor
//! ```
//!
//! The answers about sets of tasks are kept for the whole round, so that no composition is tried twice.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use super::records::{failing, measured};
use super::{Passed, Phase, Scheduler, Standing};
use crate::effect::Effect;
use crate::evidence::{Evidence, Grade, Value};
use crate::ids::{Commit, TaskIx, Tree, WaveNo};
use crate::lifecycle;
use crate::narrow::{Answers, Narrowed};
use crate::plan::Sensitivity;
use crate::verdict::{Feedback, Hold, Rejection, Verdict};

/// The trials of one round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Integration {
    accepted: Vec<TaskIx>,
    answers: Answers,
    trials: u32,
    /// What each set that was tried showed.
    seen: BTreeMap<Vec<TaskIx>, Trial>,
}

/// What one trial showed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Trial {
    tree: Tree,
    failing: Arc<[Evidence]>,
    /// The gates that were red and green on this tree, where no other failed.
    flaky: Vec<u32>,
    measured: Arc<[Evidence]>,
}

impl Trial {
    fn of(tree: &Tree, evidence: &[Evidence]) -> Self {
        let failing = failing(evidence);
        let only_flaky = failing.iter().all(lifecycle::is_flaky);
        let flaky = failing.iter().filter(|_| only_flaky);
        Self {
            tree: tree.clone(),
            flaky: flaky.map(|record| record.criterion).collect(),
            failing,
            measured: measured(evidence),
        }
    }

    /// A flaky gate is nobody's fault, so it is no reason to look for culprits.
    fn passes(&self) -> bool {
        self.failing.len() == self.flaky.len()
    }
}

/// The looks without each change that lands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sensing {
    integration: Integration,
    lands: Vec<TaskIx>,
    tree: Tree,
    todo: VecDeque<TaskIx>,
    open: u32,
}

impl Scheduler {
    /// The members whose checks pass in this round, in plan order.
    pub(super) fn passed_members(&self) -> Vec<TaskIx> {
        let passed = |task: &TaskIx| {
            matches!(self.standing(*task), Standing::Passed(_))
                && !self.state.returning.contains(task)
        };
        self.state.members.iter().copied().filter(passed).collect()
    }

    /// Every member has spoken: see which of their changes pass the gates together.
    pub(super) fn integrate(&mut self) {
        let accepted = self.passed_members();
        if accepted.is_empty() {
            return self.finish_round();
        }
        self.narrow(Integration {
            accepted,
            ..Integration::default()
        });
    }

    fn narrow(&mut self, mut integration: Integration) {
        match integration.answers.narrow(&integration.accepted) {
            Narrowed::Ask(tasks) => {
                integration.trials += 1;
                self.owe(Effect::Integrate {
                    wave: WaveNo(self.state.wave),
                    round: self.state.round,
                    trial: integration.trials,
                    base: self.state.head.clone(),
                    tasks,
                });
                self.state.phase = Phase::Integrating(integration);
            }
            Narrowed::Done { lands, culprits } => self.narrowed(lands, &culprits, integration),
        }
    }

    pub(super) fn integrated(&mut self, trial: u32, tree: &Tree, evidence: &[Evidence]) {
        let Phase::Integrating(integration) = &mut self.state.phase else {
            return;
        };
        let mut integration = std::mem::take(integration);
        debug_assert_eq!(trial, integration.trials, "one trial at a time");
        if let Narrowed::Ask(tasks) = integration.answers.narrow(&integration.accepted) {
            let trial = Trial::of(tree, evidence);
            integration.answers.note(tasks.clone(), trial.passes());
            integration.seen.insert(tasks, trial);
        }
        self.narrow(integration);
    }

    fn narrowed(&mut self, lands: Vec<TaskIx>, culprits: &[Vec<TaskIx>], integration: Integration) {
        for culprit in culprits {
            let trial = integration.seen.get(culprit);
            let evidence = trial.map(|trial| Arc::clone(&trial.failing));
            for task in culprit {
                self.reject_at_checkpoint(*task, evidence.clone().unwrap_or_default());
            }
        }
        self.land(lands, integration);
    }

    /// Looks once more at what the gates let through, holds what may not land, and makes the checkpoint of the rest.
    fn land(&mut self, lands: Vec<TaskIx>, integration: Integration) {
        let Some(trial) = integration.seen.get(&lands) else {
            return self.finish_round();
        };
        let (tree, flaky) = (trial.tree.clone(), trial.flaky.clone());
        let gates = Arc::clone(&trial.measured);
        if let Some(rest) = self.hold_some(&lands, |_, passed| unapproved_gates(&flaky, passed)) {
            return self.land_rest(rest, integration);
        }
        let todo: VecDeque<_> = lands.iter().copied().filter(|t| self.senses(*t)).collect();
        if !todo.is_empty() {
            self.state.phase = Phase::Sensing(Sensing {
                integration,
                lands,
                tree,
                todo,
                open: 0,
            });
            return self.sense();
        }
        if let Some(rest) = self.hold_some(&lands, |_, passed| weak(passed)) {
            return self.land_rest(rest, integration);
        }
        self.state.gates = gates;
        self.checkpoint(lands, tree);
    }

    fn land_rest(&mut self, rest: Vec<TaskIx>, integration: Integration) {
        if rest.is_empty() {
            return self.finish_round();
        }
        self.narrow(Integration {
            accepted: rest,
            ..integration
        });
    }

    /// Holds those of `tasks` that have a reason to be; the rest, if any were.
    fn hold_some(
        &mut self,
        tasks: &[TaskIx],
        why: impl Fn(TaskIx, &Passed) -> Vec<Hold>,
    ) -> Option<Vec<TaskIx>> {
        let mut rest = tasks.to_vec();
        rest.retain(|ix| {
            let Standing::Passed(passed) = self.standing(*ix) else {
                return true;
            };
            let holds = why(*ix, passed);
            if holds.is_empty() {
                return true;
            }
            let passed = passed.clone();
            self.hold(*ix, passed, holds);
            false
        });
        (rest.len() < tasks.len()).then_some(rest)
    }

    /// Whether looks without a change can show more than what needs an approval: at most one for each attempt.
    fn senses(&self, ix: TaskIx) -> bool {
        let Standing::Passed(passed) = self.standing(ix) else {
            return false;
        };
        passed.sensed.is_none() && self.will_sense(passed.weight.floor)
    }

    /// Whether a change that passes the gates is looked at without it.
    pub(super) fn will_sense(&self, floor: Option<Grade>) -> bool {
        self.plan.evidence.sensitivity == Sensitivity::Measured || floor == Some(Grade::Sensitive)
    }

    /// Gives free places to looks without a change.
    fn sense(&mut self) {
        let (wave, round, jobs) = (WaveNo(self.state.wave), self.state.round, self.state.jobs);
        while let Phase::Sensing(sensing) = &mut self.state.phase {
            if sensing.open >= jobs {
                return;
            }
            let Some(task) = sensing.todo.pop_front() else {
                return;
            };
            sensing.open += 1;
            let tree = sensing.tree.clone();
            let Standing::Passed(passed) = self.standing(task) else {
                continue;
            };
            let harvest = passed.harvest.clone();
            self.owe(Effect::Sense {
                wave,
                round,
                task,
                tree,
                harvest,
            });
        }
    }

    pub(super) fn sensed(&mut self, ix: TaskIx, evidence: &[Evidence]) {
        let red = evidence.iter().any(|record| record.value == Value::Fail);
        if let Standing::Passed(passed) = &mut self.state.tasks[ix.index()].standing {
            passed.sensed = Some(red);
            passed.weight = passed.weight.sensed(red);
        }
        let Phase::Sensing(sensing) = &mut self.state.phase else {
            return;
        };
        sensing.open -= 1;
        if sensing.open > 0 || !sensing.todo.is_empty() {
            return self.sense();
        }
        let lands = std::mem::take(&mut sensing.lands);
        let integration = std::mem::take(&mut sensing.integration);
        self.land(lands, integration);
    }

    fn checkpoint(&mut self, tasks: Vec<TaskIx>, tree: Tree) {
        self.state.phase = Phase::Checkpointing(tasks.clone());
        self.owe(Effect::Checkpoint {
            wave: WaveNo(self.state.wave),
            round: self.state.round,
            base: self.state.head.clone(),
            tree,
            tasks,
        });
    }

    /// Its checks pass, but not the gates with it: it tries again on top of what lands, if it may.
    fn reject_at_checkpoint(&mut self, ix: TaskIx, evidence: Arc<[Evidence]>) {
        let Standing::Passed(passed) = self.standing(ix).clone() else {
            return;
        };
        let feedback = Feedback {
            attempt: passed.attempt,
            rejection: Rejection::Checkpoint,
            evidence,
            claim: passed.claim,
            paths: passed.paths,
            moved: Arc::default(),
        };
        self.remember(ix, feedback, Some(passed.digest));
        self.state.tasks[ix.index()].standing = Standing::Waiting;
        self.state.again.push(ix);
    }

    pub(super) fn checkpointed(&mut self, commit: &Commit) {
        self.state.head = commit.clone();
        self.state.checkpoints += 1;
        if let Phase::Checkpointing(lands) =
            std::mem::replace(&mut self.state.phase, Phase::Working)
        {
            let approved = |ix: &&TaskIx| matches!(self.standing(**ix), Standing::Passed(passed) if !passed.approved.is_empty());
            let returned: Vec<_> = lands.iter().filter(approved).copied().collect();
            for task in &lands {
                self.conclude(*task, Verdict::Accepted);
                self.state.tasks[task.index()].landed = self.state.checkpoints;
            }
            self.tell_what_moved(&lands);
            if !returned.is_empty() {
                self.unblock(&returned);
            }
        }
        self.finish_round();
    }

    /// Notes for each task that tries again which of its files are no longer those of its last attempt.
    fn tell_what_moved(&mut self, landed: &[TaskIx]) {
        if self.state.again.is_empty() {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let moved: HashSet<_> = landed.iter().flat_map(|t| plan.task(*t).owned()).collect();
        for ix in &self.state.again {
            let task = plan.task(*ix);
            let of_task = task.owned().chain(&task.reads);
            let paths: Vec<_> = of_task
                .filter(|path| moved.contains(path))
                .map(ToString::to_string)
                .collect();
            if let Some(feedback) = &mut self.state.tasks[ix.index()].feedback
                && !paths.is_empty()
            {
                Arc::make_mut(feedback).moved = paths.into();
            }
        }
    }
}

/// The gates that were flaky and of which nobody approved for this change.
fn unapproved_gates(flaky: &[u32], passed: &Passed) -> Vec<Hold> {
    let holds = flaky.iter().copied().map(Hold::FlakyGate);
    holds
        .filter(|hold| !passed.approved.contains(hold))
        .collect()
}

/// Whether its evidence, as far as it goes, is not enough and nobody approved of that.
fn weak(passed: &Passed) -> Vec<Hold> {
    let approved = passed.approved.contains(&Hold::Weak);
    if passed.weight.is_weak() && !approved {
        vec![Hold::Weak]
    } else {
        vec![]
    }
}
