//! What was looked at and seen, for machines: the parts of `status --json` and `show --json` that are evidence.
//!
//! A look's `tail` stands there whole, so a status grows with the checks of a plan; its journal has the same.

use serde::Serialize;

use seawall_core::counted::Counted;
use seawall_core::evidence::{Evidence, Value};
use seawall_core::ids::{Digest, Tree};
use seawall_core::plan::{Baseline, Proof};

use crate::look::{self, Row};
use crate::view::View;

/// One criterion of a task.
#[derive(Clone, Debug, Serialize)]
pub struct CheckStatus {
    /// The sentence.
    pub says: String,
    /// The command; null when there is none.
    pub command: Option<String>,
    /// What it must show.
    pub proof: Proof,
    /// What the base showed; null before it was looked at. `value` is `pass` when the base is as the proof
    /// demands: for `fail-to-pass` that is red.
    pub base: Option<Look>,
    /// What base + change showed; null before it was looked at.
    pub value: Option<Value>,
    /// The reason, in a few words.
    pub why: Option<String>,
    /// The exit status; null when the command did not end by itself.
    pub exit: Option<i32>,
    /// Wall time in milliseconds.
    pub ms: Option<u64>,
    /// The end of the output.
    pub tail: Option<String>,
    /// Bytes of output in all.
    pub bytes: Option<u64>,
    /// The SHA-256 of the output that was kept.
    pub output: Option<Digest>,
    /// What the base must be like.
    pub baseline: Baseline,
    /// The tests that were counted; null when no runner's summary was found.
    pub tests: Option<Box<Counted>>,
}

/// One look.
#[derive(Clone, Debug, Serialize)]
pub struct Look {
    /// What it showed.
    pub value: Value,
    /// The reason, in a few words.
    pub why: String,
    /// The exit status; null when the command did not end by itself.
    pub exit: Option<i32>,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// The end of the output.
    pub tail: String,
    /// Bytes of output in all.
    pub bytes: u64,
    /// The SHA-256 of the output that was kept.
    pub output: Digest,
    /// The tree that was looked at.
    pub tree: Tree,
    /// The tree whose look this one was compared with; null when it was with none.
    pub base_tree: Option<Tree>,
    /// The tests that were counted; null when no runner's summary was found.
    pub tests: Option<Box<Counted>>,
}

/// One look at a gate of the plan.
#[derive(Clone, Debug, Serialize)]
pub struct GateLook {
    /// The sentence.
    pub says: String,
    /// `check` or `invariant`.
    pub kind: &'static str,
    /// The command as it was run.
    pub command: String,
    /// What it showed.
    #[serde(flatten)]
    pub look: Look,
}

/// Looks at gates, with what they looked for.
pub(crate) fn gate_looks(view: &View, evidence: &[Evidence]) -> Vec<GateLook> {
    let looked = |look: &Evidence| {
        let (kind, criterion) = look::gate(view, look.criterion as usize)?;
        Some(GateLook {
            says: criterion.says.clone(),
            kind,
            command: look.command.clone(),
            look: Look::of(look),
        })
    };
    evidence.iter().filter_map(looked).collect()
}

impl Look {
    fn of(look: &Evidence) -> Self {
        Self {
            value: look.value,
            why: look.why.clone(),
            exit: look.exit,
            ms: look.ms,
            tail: look.tail.clone(),
            bytes: look.bytes,
            output: look.output.clone(),
            tree: look.tree.clone(),
            base_tree: look.base.clone(),
            tests: look.tests.clone(),
        }
    }
}

impl CheckStatus {
    pub(crate) fn of(row: &Row<'_>) -> Self {
        let after = row.after;
        Self {
            says: row.criterion.says.clone(),
            command: row.command().map(str::to_owned),
            proof: row.criterion.proof,
            base: row.base.map(Look::of),
            value: after.map(|look| look.value),
            why: after.map(|look| look.why.clone()),
            exit: after.and_then(|look| look.exit),
            ms: after.map(|look| look.ms),
            tail: after.map(|look| look.tail.clone()),
            bytes: after.map(|look| look.bytes),
            output: after.map(|look| look.output.clone()),
            baseline: row.criterion.baseline,
            tests: after.and_then(|look| look.tests.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_from_before_tests_were_counted_is_read_and_written_as_it_was() {
        let old = r#"{"criterion":0,"value":"pass","why":"exit status 0","command":"c","tree":"t","exit":0,"ms":1,"tail":"","bytes":0,"output":"o"}"#;
        let read: Evidence = serde_json::from_str(old).unwrap();
        assert_eq!((&read.tests, &read.base), (&None, &None));
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }
}
