//! Whether an event can have happened: what does not fit the state is refused before it is written down.

use super::{Phase, Scheduler};
use crate::event::Event;
use crate::ids::{AttemptNo, TaskIx};
use crate::lifecycle::{self, Illegal};

impl Scheduler {
    /// Whether `event` can have happened now.
    ///
    /// # Errors
    /// [`Illegal`] says what does not fit.
    pub fn check(&self, event: &Event) -> Result<(), Illegal> {
        let state = &self.state;
        let begins = matches!(event, Event::RunStarted(_));
        if begins != (state.phase == Phase::New) {
            return Err(illegal("a run begins once, with its first event", event));
        }
        if event
            .answers()
            .is_some_and(|key| !state.in_flight.contains_key(&key))
        {
            return Err(illegal("nobody waits for this", event));
        }
        match event {
            Event::Approved { task, hold, .. } if !self.is_open(*task, hold) => {
                Err(illegal("nothing waits for this approval", event))
            }
            Event::Issued { effect } if !state.owed.contains(effect) => {
                Err(illegal("this effect is not owed", event))
            }
            Event::WavePrepared { problems, .. }
                if !problems.iter().all(|(ix, _)| self.is_member(*ix)) =>
            {
                Err(illegal(
                    "a problem of a task that is not in the wave",
                    event,
                ))
            }
            Event::WorkspaceOpened { attempt, .. }
            | Event::WorkerEnded { attempt, .. }
            | Event::Harvested { attempt, .. }
            | Event::Verified { attempt, .. }
            | Event::Reviewed { attempt, .. } => self.check_attempt(*attempt, event),
            _ => Ok(()),
        }
    }

    fn is_member(&self, ix: TaskIx) -> bool {
        self.state.members.binary_search(&ix).is_ok()
    }

    fn check_attempt(&self, attempt: AttemptNo, event: &Event) -> Result<(), Illegal> {
        match self.state.attempts.get(&attempt) {
            None => Err(illegal("no such attempt", event)),
            Some(body) => lifecycle::next(body.stage, self.plan.task(body.task), event).map(|_| ()),
        }
    }
}

fn illegal(why: &str, event: &Event) -> Illegal {
    Illegal(format!("{why}: {event:?}"))
}
