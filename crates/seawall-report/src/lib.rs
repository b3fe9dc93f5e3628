//! tells: progress, lines, JSON
//!
//! Everything here reads; nothing has influence on the run. [`view::View`] folds the events into what people
//! ask about, and each other module draws one picture of it: [`lines`] and [`progress`] while a run goes on,
//! [`summary`] at its end, [`status`], [`show`] and [`log`] afterwards, [`waves`] before anything is spent.
//! The pictures are pure functions to text or JSON; only [`teller`] writes, and a reader that goes away
//! (a broken pipe) is none of the run's business.

pub mod audit;
pub mod diagnostics;
pub mod exit;
mod findings;
pub mod junit;
pub mod lines;
pub mod log;
mod look;
pub mod progress;
pub mod reason;
pub mod receipt;
pub mod report;
pub mod show;
pub mod status;
pub mod summary;
pub mod teller;
pub mod view;
pub mod waves;
mod weak;
mod words;

#[cfg(test)]
mod tests;
