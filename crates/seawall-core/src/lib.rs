//! decides: the plan's model, waves, the scheduler and its loop
//!
//! Nothing in this crate reads a clock, a file or a process, and nothing async happens in it: a run is a
//! fold of [`event::Event`]s, and what it owes the world follows from the fold alone.

pub mod brief;
pub mod counted;
pub mod diagnostic;
pub mod drive;
pub mod effect;
pub mod event;
pub mod evidence;
pub mod fill;
pub mod finding;
pub mod fingerprint;
pub mod grade;
pub mod ids;
pub mod lifecycle;
pub mod narrow;
pub mod path;
pub mod plan;
#[cfg(test)]
mod sample;
pub mod scheduler;
pub mod verdict;
pub mod waves;
pub mod words;
