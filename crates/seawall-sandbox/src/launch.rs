//! What the supervisor tells the launcher: the order made explicit, so that the launcher looks nothing up.
//!
//! The launcher runs with an empty environment; `PATH`, the toolchains and the read grants are resolved by the supervisor.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::order::{Carry, Limits, Opens, Order, Output, Upper, Write};
use crate::report::Report;
use crate::wire::Raw;

/// The first message on the control socket.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Run this; three descriptors come along: standard input, output and error of the command.
    Launch(Box<Launch>),
    /// Say what namespaces can be had.
    Probe,
    /// Say whether overlays can be mounted in them; the directory is one that [`crate::overlays`] has laid out.
    ProbeOverlays(Raw),
    /// Be the nursery: one control socket after another comes along, each for a launcher.
    Stay,
}

/// The answer to it.
#[derive(Debug, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one per launch, and most are the largest"
)]
pub(crate) enum Reply {
    /// The command has ended, or could not be started, and its tree is dead.
    Report(Report),
    /// The keeper died before it could report; its tree is dead.
    Lost(String),
    /// The listeners for [`Launch::ports`] come along; the command is about to start.
    Listening,
    /// One line per attempt: what was tried, and what the system said when it failed.
    Probed(Vec<(String, Option<String>)>),
}

/// One byte from the supervisor after the first message: end the command.
pub(crate) const STOP: u8 = b'S';

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(crate) argv: Vec<Raw>,
    pub(crate) env: Vec<(Raw, Raw)>,
    pub(crate) workspace: Raw,
    pub(crate) appears_at: Option<Raw>,
    pub(crate) cwd: Option<Raw>,
    pub(crate) write: Grant,
    /// System and toolchain paths; those that do not exist are skipped.
    pub(crate) system: Vec<Raw>,
    /// Paths that the order names.
    pub(crate) read: Vec<Raw>,
    pub(crate) home: Raw,
    pub(crate) tmp: Raw,
    /// How many bytes of output are kept; `None` when the output is inherited.
    pub(crate) cap: Option<u64>,
    pub(crate) limits: Limits,
    pub(crate) alive: Option<Raw>,
    pub(crate) namespaces: bool,
    pub(crate) opens: Opens,
    pub(crate) floor: Vec<String>,
    /// Names the control group of the run; a command that belongs to none has a group by itself.
    pub(crate) run: Option<String>,
    /// The loopback ports inside that the supervisor listens at.
    pub(crate) ports: Vec<u16>,
    pub(crate) overlay: Option<Layered>,
    pub(crate) carry: Vec<Carried>,
}

/// [`crate::Overlay`] in a form that crosses the socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Layered {
    pub(crate) layers: Vec<Raw>,
    pub(crate) upper: Top,
}

/// [`crate::Carry`] in a form that crosses the socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Carried {
    pub(crate) at: Raw,
    pub(crate) from: Raw,
    pub(crate) upper: Top,
}

/// [`Upper`] in a form that crosses the socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Top {
    Kept(Raw),
    Memory(u64),
}

/// [`Write`] in a form that crosses the socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Grant {
    Nothing,
    Files(Vec<Raw>),
    Workspace,
    Paths(Vec<Raw>),
}

impl Launch {
    /// `system` and `env` are what [`crate::grants`] and [`crate::environment`] found on this host.
    pub(crate) fn new(
        order: &Order,
        system: &[PathBuf],
        read: &[PathBuf],
        env: Vec<(Raw, Raw)>,
    ) -> Self {
        Self {
            argv: order.argv.iter().map(|word| Raw::new(word)).collect(),
            env,
            workspace: Raw::path(&order.workspace),
            appears_at: order.appears_at.as_deref().map(Raw::path),
            cwd: order.cwd.as_deref().map(Raw::path),
            write: Grant::new(&order.write),
            system: raws(system),
            read: raws(read),
            home: Raw::path(&order.home),
            tmp: Raw::path(&order.tmp),
            cap: match order.output {
                Output::Inherit => None,
                Output::File { cap, .. } => Some(cap),
            },
            limits: order.limits.clone(),
            alive: order.alive.as_deref().map(Raw::path),
            namespaces: order.namespaces,
            opens: order.opens,
            floor: order.floor.clone(),
            run: order.run.clone(),
            ports: order.network.policy.ports().collect(),
            overlay: order.overlay.as_ref().map(|overlay| Layered {
                layers: raws(&overlay.layers),
                upper: Top::new(&overlay.upper),
            }),
            carry: order.carry.iter().map(Carried::new).collect(),
        }
    }

    /// Whether the workspace is more than a directory, so that it cannot be had without mounts.
    pub(crate) fn mounts(&self) -> bool {
        self.overlay.is_some() || !self.carry.is_empty()
    }
}

impl Carried {
    fn new(carry: &Carry) -> Self {
        Self {
            at: Raw::path(&carry.at),
            from: Raw::path(&carry.from),
            upper: Top::new(&carry.upper),
        }
    }
}

impl Top {
    fn new(upper: &Upper) -> Self {
        match upper {
            Upper::Kept(directory) => Self::Kept(Raw::path(directory)),
            Upper::Memory(most) => Self::Memory(*most),
        }
    }
}

impl Grant {
    fn new(write: &Write) -> Self {
        match write {
            Write::Nothing => Self::Nothing,
            Write::Files(files) => Self::Files(raws(files)),
            Write::Workspace => Self::Workspace,
            Write::Paths(paths) => Self::Paths(raws(paths)),
        }
    }
}

fn raws(paths: &[PathBuf]) -> Vec<Raw> {
    paths.iter().map(|path| Raw::path(path)).collect()
}
