//! Whole runs through a real scheduler, and what is told of them.

mod hostile;
mod pictures;
mod receipts;
mod walk;
pub(crate) mod world;
