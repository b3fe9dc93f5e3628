//! What waits for a person, and what persons took upon themselves.

use seawall_core::evidence::Evidence;
use seawall_core::ids::TaskIx;
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::{Hold, Verdict};

use super::{Approval, AttemptView, Fate, News, View};

impl View {
    /// The checks of a task were run without its change; after the last of a round some may be held.
    pub(super) fn sensed(&mut self, ix: TaskIx, evidence: &[Evidence], scheduler: &Scheduler) {
        let attempts = self.tasks[ix.index()].attempts.iter_mut();
        if let Some(attempt) = attempts.rev().find(|attempt| attempt.fate == Fate::Passed) {
            attempt.sensed = Some(evidence.into());
        }
        self.now_held(scheduler);
    }

    /// Tasks that a checkpoint would have landed and that wait for a person instead.
    pub(super) fn now_held(&mut self, scheduler: &Scheduler) {
        let held = scheduler.held_tasks();
        if held <= std::mem::replace(&mut self.held, held) {
            return;
        }
        let first = self.trials.get(self.round.first_trial);
        for ix in first.map_or_else(Vec::new, |trial| trial.tasks.clone()) {
            let is_held = *scheduler.standing(ix) == Standing::Ended(Verdict::NeedsHuman);
            if let Some(attempt) = self.passed_mut(ix).filter(|_| is_held) {
                attempt.fate = Fate::NeedsHuman;
                self.news.push(News::Attempt(ix));
                self.last_word(ix, scheduler);
            }
        }
    }

    /// A person's word; with the last one that was missing the change may land after all.
    pub(super) fn approved(
        &mut self,
        ix: TaskIx,
        (hold, by, note): (&Hold, &str, &str),
        scheduler: &Scheduler,
    ) {
        let task = &mut self.tasks[ix.index()];
        task.holds.retain(|open| open != hold);
        task.approvals.push(Approval {
            hold: hold.clone(),
            by: by.to_owned(),
            note: note.to_owned(),
        });
        if scheduler.held(ix).is_none() {
            task.told = false;
            self.held = scheduler.held_tasks();
            let held = |attempt: &&mut AttemptView| attempt.fate == Fate::NeedsHuman;
            if let Some(attempt) = task.attempts.iter_mut().rev().find(held) {
                attempt.fate = Fate::Passed;
            }
        }
        self.news.push(News::Approved(ix));
    }
}
