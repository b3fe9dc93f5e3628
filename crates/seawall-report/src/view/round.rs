//! The end of a round: trials, who makes them red, and the checkpoint.

use std::sync::Arc;

use seawall_core::evidence::Evidence;
use seawall_core::ids::{Commit, TaskIx, Tree, WaveNo};
use seawall_core::narrow::{Answers, Narrowed};
use seawall_core::scheduler::Scheduler;

use super::{AttemptView, CheckpointView, Fate, News, Round, TrialView, View};

/// A trial's place: wave, round, number.
pub(super) type Place = (WaveNo, u32, u32);

impl View {
    pub(super) fn trying(&mut self, (wave, round, trial): Place, tasks: &[TaskIx]) {
        let same = |seen: &TrialView| (seen.wave, seen.round, seen.trial) == (wave, round, trial);
        if self.trials.last().is_some_and(same) {
            return;
        }
        if trial == 1 {
            self.round = Round {
                first_trial: self.trials.len(),
                ..Round::default()
            };
        }
        self.trials.push(TrialView {
            wave,
            round,
            trial,
            tasks: tasks.to_vec(),
            tree: None,
            evidence: Arc::new([]),
        });
    }

    pub(super) fn integrated(
        &mut self,
        (wave, round, trial): Place,
        tree: &Tree,
        evidence: &[Evidence],
        scheduler: &Scheduler,
    ) {
        let same = |seen: &TrialView| (seen.wave, seen.round, seen.trial) == (wave, round, trial);
        let Some(at) = self.trials.iter().rposition(same) else {
            return;
        };
        let seen = &mut self.trials[at];
        seen.tree = Some(tree.clone());
        seen.evidence = evidence.into();
        let (tasks, passes) = (seen.tasks.clone(), seen.passes() == Some(true));
        self.round.answers.note(tasks, passes);
        self.news.push(News::Trial(at));
        self.now_held(scheduler);
        let all = &self.trials[self.round.first_trial].tasks;
        if let Narrowed::Done { culprits, .. } = self.round.answers.narrow(all) {
            for culprit in &culprits {
                self.blame(culprit);
            }
            // When nothing lands, the round ends here, and with it the tasks that may not try again.
            for task in culprits.into_iter().flatten() {
                self.last_word(task, scheduler);
            }
        }
    }

    /// The smallest red composition of a round was found: its tasks are rejected.
    fn blame(&mut self, culprit: &[TaskIx]) {
        let trials = &self.trials[self.round.first_trial..];
        let trial = trials.iter().find(|trial| trial.tasks == culprit);
        let gates = trial.map_or_else(|| Arc::from([]), |trial| Arc::clone(&trial.evidence));
        for ix in culprit {
            let with = culprit.iter().copied().filter(|other| other != ix);
            let fate = Fate::Culprit {
                gates: Arc::clone(&gates),
                with: with.collect(),
            };
            if let Some(attempt) = self.passed_mut(*ix) {
                attempt.fate = fate;
                self.news.push(News::Attempt(*ix));
            }
        }
    }

    /// The attempt of a task whose checks pass and on which the checkpoint has not spoken.
    pub(super) fn passed_mut(&mut self, ix: TaskIx) -> Option<&mut AttemptView> {
        let attempts = self.tasks[ix.index()].attempts.iter_mut();
        attempts.rev().find(|attempt| attempt.fate == Fate::Passed)
    }

    /// The attempt of a task whose change lands: the last one that left any. It need not have passed at once, for a person
    /// can approve of it, and its checks can be green on top of what its siblings made.
    fn landing_mut(&mut self, ix: TaskIx) -> Option<&mut AttemptView> {
        let attempts = self.tasks[ix.index()].attempts.iter_mut();
        attempts.rev().find(|attempt| attempt.change().is_some())
    }

    pub(super) fn checkpointed(
        &mut self,
        at_ms: u64,
        wave: WaveNo,
        round: u32,
        commit: &Commit,
        scheduler: &Scheduler,
    ) {
        let tasks = std::mem::take(&mut self.round.lands);
        let at = self.checkpoints.len();
        for ix in &tasks {
            self.tasks[ix.index()].told = true;
            if let Some(attempt) = self.landing_mut(*ix) {
                attempt.fate = Fate::Landed(at);
            }
        }
        self.checkpoints.push(CheckpointView {
            wave,
            round,
            commit: commit.clone(),
            tasks,
            at_ms,
        });
        self.news.push(News::Checkpoint(at));
        // Culprits that may not try again get their last word now.
        let accepted = self.trials.get(self.round.first_trial);
        for ix in accepted
            .map(|trial| trial.tasks.clone())
            .unwrap_or_default()
        {
            self.last_word(ix, scheduler);
        }
        self.round.answers = Answers::default();
    }
}
