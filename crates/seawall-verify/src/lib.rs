//! judges: turns what a check did into evidence
//!
//! A check is run by Seawall, in a fresh workspace; this crate says what its end means. It knows nothing of
//! retries: what follows from a failure is the scheduler's to decide.

mod around;
mod counts;
mod findings;
mod invariants;
mod judge;
mod judges;
mod missing;
mod ours;
mod outline;
mod places;
mod ran;
mod stumble;
mod words;

pub use around::Around;
pub use counts::{COUNTED, junit, together};
pub use findings::{Body, ChangedFile, RULES, Rule, Subject, bodies, context_findings, findings};
pub use invariants::{Facts, Invariant, InvariantError, LARGEST_READ, Scene};
pub use judge::{after, looks_again, manual, may_be_red, on_base, settle};
pub use judges::{judges_file, judges_part_changed};
pub use ours::Ours;
pub use outline::{
    Changes, InterfaceChange, Item, Kind, Language, Outline, Reach, interface_changes,
    interface_note, language, outline,
};
pub use ran::{End, Ran, Report};
