//! The loop: decide, write down, do, observe.
//!
//! It is generic over three doors to the world, so that the same loop runs in production, after a crash
//! and in the exploration of every schedule. One turn costs one sync of the journal, however many events
//! arrived and effects are started in it.

use crate::effect::Effect;
use crate::event::Event;
use crate::lifecycle::Illegal;
use crate::scheduler::{Outcome, Scheduler};

/// Remembers events.
pub trait Journal {
    /// What can go wrong.
    type Error;

    /// Adds an event; it need not be durable yet.
    ///
    /// # Errors
    /// When it cannot be written; the run must stop.
    fn append(&mut self, event: &Event) -> Result<(), Self::Error>;

    /// Makes every event added so far durable.
    ///
    /// # Errors
    /// When it cannot be promised; the run must stop.
    fn sync(&mut self) -> Result<(), Self::Error>;

    /// The digest that stands for the journal up to here.
    fn head(&self) -> String;
}

/// Does effects.
pub trait Executor {
    /// Starts `effect` and returns at once. `head` is the journal's digest at this moment.
    fn start(&mut self, effect: &Effect, scheduler: &Scheduler, head: &str);

    /// Waits for what happens next: at least one event, and all that are there.
    fn next(&mut self) -> Vec<Event>;
}

/// Tells people and machines.
pub trait Reporter {
    /// Called for each event after it is durable, with the state that it led to.
    fn tell(&mut self, event: &Event, scheduler: &Scheduler);
}

/// Why the loop stopped before the run had an outcome.
#[derive(Debug, thiserror::Error)]
pub enum DriveError<E> {
    /// The journal is the authority: without it nothing goes on.
    #[error("the journal cannot be written")]
    Journal(#[source] E),
    /// An event that cannot have happened.
    #[error(transparent)]
    Illegal(#[from] Illegal),
}

/// Runs until the scheduler has an outcome. `first` are the events that begin this session.
///
/// # Errors
/// When the journal fails, or an event does not fit.
pub fn drive<J: Journal>(
    scheduler: &mut Scheduler,
    journal: &mut J,
    executor: &mut impl Executor,
    reporter: &mut impl Reporter,
    first: Vec<Event>,
) -> Result<Outcome, DriveError<J::Error>> {
    let mut events = first;
    loop {
        for event in &events {
            scheduler.check(event)?; // possible first,
            journal.append(event).map_err(DriveError::Journal)?; // then written,
            scheduler.apply(event); // then true,
        }
        let effects = scheduler.due(); // decide,
        for effect in &effects {
            let issued = Event::Issued {
                effect: effect.clone(),
            };
            journal.append(&issued).map_err(DriveError::Journal)?; // write down,
            scheduler.apply(&issued);
            events.push(issued);
        }
        journal.sync().map_err(DriveError::Journal)?; // durable before told or done,
        for event in &events {
            reporter.tell(event, scheduler);
        }
        let head = journal.head();
        for effect in &effects {
            executor.start(effect, scheduler, &head); // do,
        }
        if let Some(outcome) = scheduler.outcome() {
            return Ok(outcome);
        }
        events = executor.next(); // observe
    }
}
