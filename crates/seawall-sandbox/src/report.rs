//! What comes back: how the command ended, what it put out, and which protections held.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::proxy::NetworkSummary;

/// How one confined command went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How the command ended.
    pub end: End,
    /// From the start of the command to the death of the last process of its tree.
    pub wall: Duration,
    /// Bytes that were put out; zero when the output was inherited.
    pub output_bytes: u64,
    /// Bytes of them that are in the output file.
    pub output_kept: u64,
    /// Why the output file is incomplete below its cap, for example a full disk.
    pub output_error: Option<String>,
    /// Processes that were still alive when the main one had ended, and were killed.
    pub leftovers: u32,
    /// Limits that were met, in words, such as `memory 2 GiB: 1 killed`; also when the command itself went on.
    pub limits: Vec<String>,
    /// What was asked for and what held.
    pub ledger: Ledger,
    /// What went over the network, when hosts were named; known to the supervisor only.
    #[serde(default)]
    pub network: Option<NetworkSummary>,
}

/// How a confined command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It exited with this status.
    Exited(i32),
    /// It was killed by this signal, and not by us.
    Signalled(i32),
    /// It was killed by the kernel for going over a limit.
    Killed {
        /// The limit with its number, for example `memory 2 GiB`.
        limit: String,
    },
    /// It ran longer than [`crate::Limits::wall`].
    TimedOut,
    /// It was silent for longer than [`crate::Limits::silence`].
    Silent,
    /// [`crate::Stopper::stop`] was called.
    Stopped,
    /// It was never run.
    CouldNotStart {
        /// What was being done, for example ``exec `pyupgrade` ``.
        step: String,
        /// What the system said.
        error: String,
    },
}

/// The protections of one launch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// In the order in which they were put up.
    pub entries: Vec<Protection>,
}

/// One protection: what was asked for, and what held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// A stable short name such as `network` or `files`.
    pub name: String,
    /// Whether the order asked for it.
    pub requested: bool,
    /// What held.
    pub state: State,
}

/// What became of a protection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It held.
    Enforced {
        /// By what, for example `landlock` or `net namespace`.
        by: String,
    },
    /// It held less than asked for.
    Degraded {
        /// What is left of it.
        to: String,
        /// Why.
        because: String,
    },
    /// It was not asked for.
    Off,
}

impl Ledger {
    /// The protections that held less than was asked for.
    pub fn degraded(&self) -> impl Iterator<Item = &Protection> {
        self.entries
            .iter()
            .filter(|entry| matches!(entry.state, State::Degraded { .. }))
    }

    pub(crate) fn enforced(&mut self, name: &str, by: impl Into<String>) {
        self.enter(name, true, State::Enforced { by: by.into() });
    }

    pub(crate) fn degraded_to(
        &mut self,
        name: &str,
        to: impl Into<String>,
        because: impl Into<String>,
    ) {
        self.enter(
            name,
            true,
            State::Degraded {
                to: to.into(),
                because: because.into(),
            },
        );
    }

    pub(crate) fn off(&mut self, name: &str) {
        self.enter(name, false, State::Off);
    }

    fn enter(&mut self, name: &str, requested: bool, state: State) {
        self.entries.push(Protection {
            name: name.to_owned(),
            requested,
            state,
        });
    }
}
