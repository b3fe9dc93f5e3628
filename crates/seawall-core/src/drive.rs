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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;

    use super::*;
    use crate::sample::{begin, goes_well, plan, task};
    use crate::waves::waves;

    /// What the doors saw, in order.
    #[derive(Clone, Debug, PartialEq)]
    enum Seen {
        Wrote(Event),
        Synced,
        Told(Event),
        Started(Effect),
    }

    #[derive(Clone, Default)]
    struct Doors {
        seen: Rc<RefCell<Vec<Seen>>>,
        /// Syncs that succeed before the disk is full.
        syncs: Option<usize>,
        answers: Vec<Event>,
    }

    impl Journal for Doors {
        type Error = &'static str;

        fn append(&mut self, event: &Event) -> Result<(), Self::Error> {
            self.seen.borrow_mut().push(Seen::Wrote(event.clone()));
            Ok(())
        }

        fn sync(&mut self) -> Result<(), Self::Error> {
            self.seen.borrow_mut().push(Seen::Synced);
            match &mut self.syncs {
                Some(0) => Err("disk full"),
                left => {
                    *left = left.map(|n| n - 1);
                    Ok(())
                }
            }
        }

        fn head(&self) -> String {
            self.seen.borrow().len().to_string()
        }
    }

    impl Executor for Doors {
        fn start(&mut self, effect: &Effect, _: &Scheduler, _: &str) {
            self.seen.borrow_mut().push(Seen::Started(effect.clone()));
            self.answers.extend(goes_well(effect));
        }

        fn next(&mut self) -> Vec<Event> {
            std::mem::take(&mut self.answers)
        }
    }

    impl Reporter for Doors {
        fn tell(&mut self, event: &Event, _: &Scheduler) {
            self.seen.borrow_mut().push(Seen::Told(event.clone()));
        }
    }

    fn run(doors: &Doors) -> Result<Outcome, DriveError<&'static str>> {
        let plan = plan(
            vec![task("a", "a", &[], &[], 1), task("b", "b", &[0], &[], 1)],
            9,
        );
        let waves = Arc::new(waves(&plan).unwrap());
        let mut scheduler = Scheduler::new(plan, waves);
        let (mut journal, mut executor, mut reporter) =
            (doors.clone(), doors.clone(), doors.clone());
        drive(
            &mut scheduler,
            &mut journal,
            &mut executor,
            &mut reporter,
            vec![begin(1)],
        )
    }

    #[test]
    fn nothing_is_done_or_told_before_it_is_durable() {
        let doors = Doors::default();
        assert!(matches!(run(&doors), Ok(Outcome::Finished)));
        let seen = doors.seen.borrow();
        let durable = |upto: usize, event: &Event| {
            let wrote = seen[..upto]
                .iter()
                .position(|s| *s == Seen::Wrote(event.clone()));
            wrote.is_some_and(|at| seen[at..upto].contains(&Seen::Synced))
        };
        for (at, step) in seen.iter().enumerate() {
            match step {
                Seen::Told(event) => assert!(durable(at, event), "told too early: {event:?}"),
                Seen::Started(effect) => {
                    let issued = Event::Issued {
                        effect: effect.clone(),
                    };
                    assert!(durable(at, &issued), "done too early: {effect:?}");
                }
                Seen::Wrote(_) | Seen::Synced => {}
            }
        }
        let wrote = seen.iter().filter(|s| matches!(s, Seen::Wrote(_))).count();
        let told = seen.iter().filter(|s| matches!(s, Seen::Told(_))).count();
        assert_eq!(wrote, told, "everything is told once");
    }

    #[test]
    fn a_journal_that_fails_stops_the_run_before_anything_is_done() {
        for syncs in 0..12 {
            let doors = Doors {
                syncs: Some(syncs),
                ..Doors::default()
            };
            assert!(matches!(run(&doors), Err(DriveError::Journal("disk full"))));
            assert_eq!(doors.seen.borrow().last(), Some(&Seen::Synced));
        }
    }
}
