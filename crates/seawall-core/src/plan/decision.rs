//! What a repository has decided before: designs that were rejected, and constraints that hold.
//!
//! The base commit's `.seawall/decisions.toml` says them. Which hold for a task is settled when the plan is read, as a
//! list of numbers, so that a brief needs no globs; tasks for which the same hold share one list.

use serde::{Deserialize, Serialize};

/// One decision of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decision {
    /// The sentence.
    pub says: String,
    /// Why it was decided.
    pub because: String,
    /// The globs of the files it is about.
    pub paths: Vec<String>,
    /// Whether it demands or forbids.
    #[serde(default)]
    pub kind: DecisionKind,
}

/// Whether a decision demands or forbids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionKind {
    /// What it says holds.
    #[default]
    Constraint,
    /// What it says was tried or proposed, and rejected.
    Rejected,
}
