//! Reads plan text into a plan, or into a list of all its problems.
//!
//! One pass over the text, no file access, no clock, no panic on any input. What the text alone
//! cannot tell is asked of a [`World`]. The keys of the format are data (`keys`); the reader, the
//! JSON Schema and the reference in `docs/plan.md` all come from that one table, which costs an
//! indirection in the reader and keeps the three from drifting apart.

mod briefs;
mod code_table;
mod codes;
mod context;
mod contradictions;
mod criteria;
mod decisions;
mod deep_table;
mod document;
mod evidence_table;
mod finding_table;
mod findings;
mod floors;
mod gates;
mod greps;
mod head;
mod holdouts;
mod idle;
mod key_table;
mod keys;
mod nearest;
mod order;
mod owners;
mod ownership;
mod paths;
mod pending;
mod problems;
mod reader;
mod reports;
mod rules;
mod schema;
mod section;
mod settings;
mod shapes;
mod substitutions;
mod tasks;
mod tree;
mod vague;
mod values;
mod warning_table;
mod windows;
mod workspace;
mod world;

use seawall_core::diagnostic::Diagnostic;
use seawall_core::plan::Plan;

pub use codes::{Explanation, codes, explain, finding_codes};
pub use nearest::nearest;
pub use schema::{decisions_schema, schema};
pub use world::{Base, Beside, Kind, NotBeside, World};

/// What came of reading a plan's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The plan; there is one exactly when no diagnostic is an error.
    pub plan: Option<Plan>,
    /// Everything that is wrong or worth knowing, in the order of the text; what has no place in the
    /// text comes first.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads `text`; every problem is found in one pass.
///
/// Time and memory grow with the text and the tree, not with their product: 100,000 tasks are read in
/// well under a second.
#[must_use]
pub fn read(text: &str, world: &dyn World) -> Reading {
    reader::read(text, world)
}

#[cfg(test)]
mod tests;
