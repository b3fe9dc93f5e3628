//! Sandbox profiles: named bounds for the kinds of command that a run starts.
//!
//! A profile is a file of commented TOML, read strictly: an unknown key is an error and not a protection that silently is not
//! there. It may extend another one; what it does not say is then said by that one. [`crate::Profiles`] finds and joins them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::order::{HOME_MARK, Limits, Opens, TMP_MARK, WEIGHTS, WORKSPACE_MARK};
use crate::proxy::{Policy, PolicyError, ProxyLimits};

const MIB: u64 = 1 << 20;

/// Named bounds for a kind of command, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What a plan calls it.
    pub name: String,
    /// What it is for, in one sentence.
    pub says: String,
    /// The files that it was read from, from the outermost layer to the innermost.
    pub layers: Vec<String>,
    /// What the command may write besides its private home and temporary directory.
    pub write: WriteRule,
    /// Further paths that may be read; `~/` is the user's home.
    pub read: Vec<String>,
    /// Variables that are set; `{home}`, `{tmp}` and `{workspace}` are the places as the command sees them.
    pub env: BTreeMap<String, String>,
    /// Places that may be reached through the proxy, such as `api.example.org:443`.
    pub hosts: Vec<String>,
    /// Loopback ports inside that lead to one place each.
    pub forward: BTreeMap<u16, String>,
    /// How long and how much.
    pub limits: Limits,
    /// How much may go over the named hosts and mapped ports.
    pub traffic: ProxyLimits,
    /// Bytes of output that are kept.
    pub output: u64,
    /// What is open beyond the usual.
    pub opens: Opens,
    /// Whether the workspace has a private git directory: the base commit alone, for `git status` and `git diff`.
    #[serde(default)]
    pub git: bool,
    /// Protections, by their names in the ledger, without which the command does not start.
    pub floor: Vec<String>,
}

/// What a profile lets a command write, before it is known which task it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteRule {
    /// The files that the task owns.
    Owned,
    /// Everything in the workspace.
    Workspace,
    /// Nothing.
    Nothing,
}

/// What becomes of the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Home {
    /// It is in memory and gone afterwards.
    Fresh,
    /// It is on disk and can be read afterwards.
    Kept,
}

/// One file, as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layer {
    pub(crate) extends: Option<String>,
    pub(crate) says: Option<String>,
    pub(crate) write: Option<WriteRule>,
    pub(crate) read: Option<Vec<String>>,
    pub(crate) env: Option<BTreeMap<String, String>>,
    pub(crate) hosts: Option<Vec<String>>,
    pub(crate) forward: Option<BTreeMap<String, String>>,
    pub(crate) home: Option<Home>,
    pub(crate) metadata: Option<bool>,
    pub(crate) terminals: Option<bool>,
    pub(crate) nesting: Option<bool>,
    pub(crate) git: Option<bool>,
    pub(crate) floor: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) limits: WrittenLimits,
}

/// The limits as a profile writes them: whole numbers whose unit is in the name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenLimits {
    wall_seconds: Option<u64>,
    silence_seconds: Option<u64>,
    grace_seconds: Option<u64>,
    open_files: Option<u64>,
    file_size_mib: Option<u64>,
    processes: Option<u64>,
    memory_mib: Option<u64>,
    disk_mib: Option<u64>,
    output_mib: Option<u64>,
    connections: Option<usize>,
    sent_mib: Option<u64>,
    received_mib: Option<u64>,
    connection_idle_seconds: Option<u64>,
    cpu_weight: Option<u64>,
}

/// The keys of a profile.
pub(crate) const KEYS: &[&str] = &[
    "extends",
    "says",
    "write",
    "read",
    "env",
    "hosts",
    "forward",
    "home",
    "metadata",
    "terminals",
    "nesting",
    "git",
    "floor",
    "limits",
];

/// The keys of its limits.
pub(crate) const LIMITS: &[&str] = &[
    "wall_seconds",
    "silence_seconds",
    "grace_seconds",
    "open_files",
    "file_size_mib",
    "processes",
    "memory_mib",
    "disk_mib",
    "output_mib",
    "connections",
    "sent_mib",
    "received_mib",
    "connection_idle_seconds",
    "cpu_weight",
];

/// Protections that a floor can name: those that not every host has.
pub(crate) const FLOORS: &[&str] = &[
    "view",
    "network",
    "process list",
    "process tree",
    "memory",
    "processes",
    "processor weight",
    "disk",
    "abstract sockets",
    "signals",
    "device control",
];

/// What only namespaces can hold.
const BY_NAMESPACES: &[&str] = &["view", "process list", "process tree", "disk"];

impl Layer {
    /// This layer on top of another: what it does not say is said by that one. Floors add up.
    pub(crate) fn over(self, under: Self) -> Self {
        let floor = [
            under.floor.unwrap_or_default(),
            self.floor.unwrap_or_default(),
        ]
        .concat();
        Self {
            extends: None,
            says: self.says.or(under.says),
            write: self.write.or(under.write),
            read: self.read.or(under.read),
            env: self.env.or(under.env),
            hosts: self.hosts.or(under.hosts),
            forward: self.forward.or(under.forward),
            home: self.home.or(under.home),
            metadata: self.metadata.or(under.metadata),
            terminals: self.terminals.or(under.terminals),
            nesting: self.nesting.or(under.nesting),
            git: self.git.or(under.git),
            floor: Some(floor),
            limits: self.limits.over(under.limits),
        }
    }

    /// The first key that opens something which a file of the repository may not open.
    pub(crate) fn opens(&self) -> Option<&'static str> {
        let opens = [
            (
                "read",
                self.read.as_ref().is_some_and(|read| !read.is_empty()),
            ),
            (
                "hosts",
                self.hosts.as_ref().is_some_and(|hosts| !hosts.is_empty()),
            ),
            (
                "forward",
                self.forward.as_ref().is_some_and(|ports| !ports.is_empty()),
            ),
            ("metadata", self.metadata == Some(true)),
            ("nesting", self.nesting == Some(true)),
        ];
        opens
            .into_iter()
            .find_map(|(key, open)| open.then_some(key))
    }

    /// The profile of that name; `Err` says what it lacks or what is wrong in it.
    pub(crate) fn complete(self, name: &str, layers: Vec<String>) -> Result<Profile, String> {
        let mut floor = self.floor.unwrap_or_default();
        floor.sort();
        floor.dedup();
        let mut forward = BTreeMap::new();
        for (port, place) in self.forward.unwrap_or_default() {
            let port = port
                .parse()
                .map_err(|_| format!("`{port}` is not a port from 1 to 65535"))?;
            forward.insert(port, place);
        }
        self.limits.check()?;
        let profile = Profile {
            name: name.to_owned(),
            says: self.says.ok_or("it lacks `says`")?,
            layers,
            write: self.write.ok_or("it lacks `write`")?,
            read: self.read.unwrap_or_default(),
            env: self.env.unwrap_or_default(),
            hosts: self.hosts.unwrap_or_default(),
            forward,
            traffic: self.limits.traffic(),
            output: self.limits.output_mib.unwrap_or(16).saturating_mul(MIB),
            limits: self.limits.into(),
            opens: Opens {
                metadata: self.metadata.unwrap_or(false),
                terminals: self.terminals.unwrap_or(false),
                kept_home: self.home == Some(Home::Kept),
                nesting: self.nesting.unwrap_or(false),
            },
            git: self.git.unwrap_or(true),
            floor,
        };
        profile.policy().map_err(|error| error.to_string())?;
        Ok(profile)
    }
}

impl Profile {
    /// The named hosts and mapped ports.
    ///
    /// # Errors
    /// When one of them is not written as it must be; a profile that was read has none of those.
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        let forward = self
            .forward
            .iter()
            .map(|(port, place)| (*port, place.as_str()));
        Policy::new(self.hosts.iter().map(String::as_str), forward)
    }

    /// The variables, with marks for the places that only the launcher knows.
    #[must_use]
    pub fn variables(&self) -> Vec<(OsString, OsString)> {
        let filled = |value: &str| {
            let value = value
                .replace("{home}", HOME_MARK)
                .replace("{tmp}", TMP_MARK);
            value.replace("{workspace}", WORKSPACE_MARK)
        };
        self.env
            .iter()
            .map(|(name, value)| (name.into(), filled(value).into()))
            .collect()
    }

    /// The further paths that may be read and that exist.
    #[must_use]
    pub fn reads(&self, home: Option<&Path>) -> Vec<PathBuf> {
        let expanded = self
            .read
            .iter()
            .map(|path| match (path.strip_prefix("~/"), home) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => path.into(),
            });
        expanded.filter(|path| path.exists()).collect()
    }

    /// The protections without which a command does not start; whoever chose to do without namespaces has accepted to do
    /// without those that only namespaces give.
    #[must_use]
    pub fn floor(&self, namespaces: bool) -> Vec<String> {
        let counts = |name: &&String| namespaces || !BY_NAMESPACES.contains(&name.as_str());
        self.floor.iter().filter(counts).cloned().collect()
    }
}

impl WrittenLimits {
    fn over(self, under: Self) -> Self {
        Self {
            wall_seconds: self.wall_seconds.or(under.wall_seconds),
            silence_seconds: self.silence_seconds.or(under.silence_seconds),
            grace_seconds: self.grace_seconds.or(under.grace_seconds),
            open_files: self.open_files.or(under.open_files),
            file_size_mib: self.file_size_mib.or(under.file_size_mib),
            processes: self.processes.or(under.processes),
            memory_mib: self.memory_mib.or(under.memory_mib),
            disk_mib: self.disk_mib.or(under.disk_mib),
            output_mib: self.output_mib.or(under.output_mib),
            connections: self.connections.or(under.connections),
            sent_mib: self.sent_mib.or(under.sent_mib),
            received_mib: self.received_mib.or(under.received_mib),
            connection_idle_seconds: self
                .connection_idle_seconds
                .or(under.connection_idle_seconds),
            cpu_weight: self.cpu_weight.or(under.cpu_weight),
        }
    }

    /// Refuses what the kernel would refuse at each launch.
    fn check(&self) -> Result<(), String> {
        match self.cpu_weight {
            Some(weight) if !WEIGHTS.contains(&weight) => Err(format!(
                "`cpu_weight = {weight}` is not from {} to {}",
                WEIGHTS.start(),
                WEIGHTS.end()
            )),
            _ => Ok(()),
        }
    }

    fn traffic(&self) -> ProxyLimits {
        let default = ProxyLimits::default();
        let bytes = |mib: Option<u64>, default| mib.map_or(default, |mib| mib.saturating_mul(MIB));
        ProxyLimits {
            connections: self.connections.unwrap_or(default.connections),
            bytes_up: bytes(self.sent_mib, default.bytes_up),
            bytes_down: bytes(self.received_mib, default.bytes_down),
            idle: self
                .connection_idle_seconds
                .map_or(default.idle, Duration::from_secs),
            ..default
        }
    }
}

impl From<WrittenLimits> for Limits {
    fn from(written: WrittenLimits) -> Self {
        let default = Self::default();
        let mib = |size: Option<u64>| size.map(|size| size.saturating_mul(MIB));
        Self {
            wall: written.wall_seconds.map(Duration::from_secs),
            silence: written.silence_seconds.map(Duration::from_secs),
            grace: written
                .grace_seconds
                .map_or(default.grace, Duration::from_secs),
            open_files: written.open_files.or(default.open_files),
            file_size: mib(written.file_size_mib),
            processes: written.processes,
            memory: mib(written.memory_mib),
            disk: mib(written.disk_mib),
            cpu_weight: written.cpu_weight,
        }
    }
}
