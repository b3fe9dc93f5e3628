//! What a checkpoint must show besides commands: rules over the files of a tree, and from when to when a gate holds.

use serde::{Deserialize, Serialize};

use crate::ids::TaskIx;

/// A sentence about the files of a tree that is judged by reading them, without a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// No line of these files matches.
    Forbid {
        /// A regular expression, matched line by line.
        pattern: String,
        /// Globs of the files.
        paths: Vec<String>,
    },
    /// Values captured from several files agree.
    Agree {
        /// Where each value stands, in the order of the relation.
        captures: Vec<Capture>,
        /// How neighbours must relate.
        relation: Relation,
    },
    /// Each public symbol that the run added to these files is used outside its own file and outside tests.
    Wired {
        /// Globs of the files.
        files: Vec<String>,
        /// Files whose symbols are called from outside: what they reach is wired.
        entries: Vec<String>,
    },
    /// Files of these globs import nothing of those.
    Imports {
        /// Globs of the files that import.
        paths: Vec<String>,
        /// Globs of repository files, or names of modules and packages, that they must not import.
        forbid: Vec<String>,
    },
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Capture {
    /// A glob of the files; each must hold the value, all the same one.
    pub path: String,
    /// A regular expression with one group: the value. Every match in a file counts.
    pub pattern: String,
}

/// How the values of neighbouring captures relate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The same; as numbers with units where both are.
    #[default]
    Equal,
    /// Each smaller than the next.
    Less,
    /// None greater than the next.
    LessOrEqual,
}

/// From when to when a gate holds. A task counts as done once its change stands in the tree that is looked at, or once
/// there was nothing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// It is not looked at before all of these are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<TaskIx>,
    /// It is not looked at any more once all of these are done; none = for ever.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub until: Vec<TaskIx>,
    /// It may be red until all of these are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub red_until: Vec<TaskIx>,
}

/// What a gate is at one tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GateNow {
    /// It is not looked at.
    Off,
    /// It is looked at and may be red.
    MayBeRed,
    /// It must pass.
    On,
}

impl Window {
    /// Whether the gate holds always, as most do.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// What the gate is where exactly the tasks for which `done` answers yes are done.
    #[must_use]
    pub fn now(&self, done: impl Fn(TaskIx) -> bool) -> GateNow {
        let all = |tasks: &[TaskIx]| tasks.iter().all(|task| done(*task));
        if !all(&self.after) || (!self.until.is_empty() && all(&self.until)) {
            GateNow::Off
        } else if all(&self.red_until) {
            GateNow::On
        } else {
            GateNow::MayBeRed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_holds_within_its_window() {
        let window = Window {
            after: vec![TaskIx(0)],
            until: vec![TaskIx(2), TaskIx(3)],
            red_until: vec![TaskIx(1)],
        };
        let now = |done: &[u32]| window.now(|task| done.contains(&task.0));
        assert_eq!(now(&[]), GateNow::Off);
        assert_eq!(now(&[0]), GateNow::MayBeRed);
        assert_eq!(now(&[0, 1]), GateNow::On);
        assert_eq!(now(&[0, 1, 2]), GateNow::On);
        assert_eq!(now(&[0, 1, 2, 3]), GateNow::Off);
        assert_eq!(Window::default().now(|_| false), GateNow::On);
    }
}
