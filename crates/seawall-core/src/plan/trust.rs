//! How much a plan asks of evidence before it believes it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::evidence::Grade;

/// What kind of work a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Any change.
    #[default]
    Change,
    /// The mending of a defect: a check must reproduce it first.
    Fix,
}

/// What is at stake if a task's change is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Little: any check will do.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Much: the checks must have been seen to turn red without the change.
    High,
}

impl Risk {
    /// The weakest evidence that is enough where no floor is named.
    #[must_use]
    pub fn floor(self) -> Grade {
        match self {
            Self::Low => Grade::Presence,
            Self::Normal => Grade::Exit,
            Self::High => Grade::Sensitive,
        }
    }
}

/// What is done about a check that is red and green on one tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaky {
    /// A person must look.
    #[default]
    Hold,
    /// It passes if one of so many further looks is green, 1 to 10.
    Retry(u32),
}

/// Who looks at a change besides the checks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Review {
    /// The agent; never the one that did the work.
    pub by: Arc<str>,
}

/// How evidence is weighed, for the whole plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EvidenceRules {
    /// Whether it is measured.
    #[serde(default)]
    pub sensitivity: Sensitivity,
}

/// Whether the checks of accepted tasks are run once more without their change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// At each checkpoint, on the integrated tree.
    #[default]
    Measured,
    /// Only for tasks whose floor asks for it.
    Off,
}
