//! What is odd about a change, or about a file that a brief sends a worker to, though no check says so.
//!
//! A finding is a record of the journal, like evidence. Its severity decides: a change with one that blocks is rejected
//! before its checks are run, one that holds leaves the last word to a person, a note is only told. What finds them lives
//! in `seawall-verify`; here is what the scheduler needs to know.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What follows from a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It is told.
    Note,
    /// A person must look before the change lands.
    Hold,
    /// The attempt is rejected.
    Block,
}

impl Severity {
    /// As plans and reports write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Hold => "hold",
            Self::Block => "block",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's code, `SW05xx`.
    pub code: String,
    /// What follows from it.
    pub severity: Severity,
    /// The file, as shown; empty when it is about the change as a whole.
    pub path: String,
    /// The line, from 1, after the change; for what is gone, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What was found, in one line. It may hold text of the file, escaped.
    pub text: String,
    /// Why the plan gives it another severity than the rule's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl Finding {
    /// `src/a.py:12`, `src/a.py`, or nothing.
    #[must_use]
    pub fn place(&self) -> String {
        match self.line {
            Some(line) if !self.path.is_empty() => format!("{}:{line}", self.path),
            _ => self.path.clone(),
        }
    }
}

/// What a plan says of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FindingRule {
    /// The rule's code.
    pub code: String,
    /// The severity instead of the rule's own; none = the rule is off.
    pub severity: Option<Severity>,
    /// Why.
    pub because: String,
    /// Globs of the files for which this holds; empty = for all.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// The worst severity among findings.
#[must_use]
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// The findings for which an attempt is rejected.
#[must_use]
pub fn blocking(findings: &[Finding]) -> Arc<[Finding]> {
    let blocks = |finding: &&Finding| finding.severity == Severity::Block;
    findings.iter().filter(blocks).cloned().collect()
}
