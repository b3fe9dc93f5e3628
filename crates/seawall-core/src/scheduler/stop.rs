//! What halts a run, and going on afterwards. A crash is one more event: there is no recovery mode.

use super::Scheduler;
use crate::effect::{Effect, Key};
use crate::ids::AttemptNo;

impl Scheduler {
    /// The world refused an effect: it stays owed, nothing new starts, what runs may end.
    pub(super) fn failed(&mut self, key: Key, why: &str) {
        if let Some(effect) = self.state.in_flight.remove(&key) {
            self.state.owed.push_front(effect);
        }
        if let Some(attempt) = worker(&key) {
            self.forget_stop(attempt); // a worker that never ran needs no end
        }
        self.state.halt.parked.get_or_insert_with(|| why.to_owned());
    }

    pub(super) fn interrupted(&mut self) {
        self.state.halt.interrupted = true;
        self.stop_workers();
    }

    pub(super) fn wall_spent(&mut self) {
        self.state.halt.wall_spent = true;
        self.stop_workers();
    }

    fn stop_workers(&mut self) {
        let running: Vec<_> = self.state.in_flight.keys().filter_map(worker).collect();
        for attempt in running {
            let effect = Effect::StopWorker { attempt };
            if !self.state.in_flight.contains_key(&effect.key())
                && !self.state.owed.contains(&effect)
            {
                self.owe(effect);
            }
        }
    }

    /// A worker ended: nobody needs to stop it any more.
    pub(super) fn forget_stop(&mut self, attempt: AttemptNo) {
        let stop = Effect::StopWorker { attempt };
        if self.state.in_flight.remove(&stop.key()).is_none() && self.halts() {
            self.state.owed.retain(|effect| *effect != stop);
        }
    }

    fn halts(&self) -> bool {
        self.state.halt.interrupted || self.state.halt.wall_spent
    }

    /// Whatever was in flight is not any more. A worker that ran has lost its attempt, for its end is
    /// unknown; so has one whose workspace was still to be harvested when the machine went down, for nobody knows what of it
    /// reached the disk. Every other effect is owed again, before those that were not started.
    pub(super) fn resumed(&mut self, jobs: u32, rebooted: bool) {
        self.state.jobs = jobs.max(1);
        self.state.halt.parked = None;
        self.state.halt.interrupted = false;
        let in_flight = std::mem::take(&mut self.state.in_flight);
        let owed = std::mem::take(&mut self.state.owed);
        let mut lost: Vec<_> = in_flight.keys().filter_map(worker).collect();
        for effect in in_flight.into_values().chain(owed) {
            match effect {
                Effect::LaunchWorker { attempt, .. } if lost.contains(&attempt) => {}
                Effect::StopWorker { .. } => {}
                Effect::Harvest { attempt, .. } if rebooted => lost.push(attempt),
                other => self.state.owed.push_back(other),
            }
        }
        for attempt in lost {
            self.lose(attempt);
        }
        self.go_on_with_approved();
    }
}

fn worker(key: &Key) -> Option<AttemptNo> {
    match key {
        Key::LaunchWorker(attempt) => Some(*attempt),
        _ => None,
    }
}
