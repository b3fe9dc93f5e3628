//! Confines one process tree with what the kernel offers, and tells how it went.
//!
//! Two walls at once where the kernel has both: namespaces, which make things absent, and Landlock, which makes what is
//! left unreadable or unwritable. Landlock is the floor: without it (ABI 3, Linux 6.2) nothing is run. What cannot be had
//! beyond it is written into the [`Ledger`] of the launch, never passed over in silence.
//!
//! The parts, in the order in which they run:
//!
//! | process | what it is | module |
//! |---|---|---|
//! | supervisor | the caller; may have threads; keeps only a socket | `spawn` |
//! | nursery | this program executed again, once for each supervisor: one thread, no environment; forks launchers | `nursery` |
//! | launcher | a fork of the nursery, one for each command, and the supervisor's child; in [`run`] the caller itself | `launcher` |
//! | keeper | its child, process 1 of the pid namespace; watches, ends, reports | `keeper` |
//! | worker | the keeper's child, in the same memory; confines itself, then becomes the command | `worker` |
//!
//! A program that uses this crate must call [`launch_main`] when its first argument is [`LAUNCH_COMMAND`], before it does
//! anything else. This is the only crate with `unsafe`, all of it in `sys`.

mod acts;
mod aside;
mod catalog;
mod cgroup;
mod check;
mod command;
mod compose;
mod delegation;
mod desk;
mod doors;
mod environment;
mod error;
mod explain;
mod filter;
mod floor;
mod grants;
mod hierarchy;
mod host;
mod instructions;
mod interrupts;
mod keeper;
mod kept;
mod launch;
mod launcher;
mod nursery;
mod order;
mod overlay;
mod overlay_check;
mod overlay_probe;
mod pieces;
mod places;
mod probe;
mod profile;
mod proxy;
mod recipe;
mod report;
mod rules;
mod rung;
mod sink;
mod spawn;
mod sys;
mod toolchains;
mod tree;
mod view;
mod wall;
mod watch;
mod wire;
mod worker;

pub use acts::Outcome;
pub use catalog::{Origin, ProfileError, Profiles};
pub use error::SandboxError;
pub use explain::{Explanation, Line, explain};
pub use host::{CONTROL_GROUPS, Feature, HostReport, host};
pub use launcher::launch_main;
pub use order::{
    Carry, HOME_MARK, Limits, MOST_LAYERS, Network, Opens, Order, Output, Overlay, Stdin, TMP_MARK,
    Upper, WORKSPACE_MARK, Write,
};
pub use overlay_probe::overlays;
pub use probe::{PROBE_COMMAND, Probe, probe, probe_main};
pub use profile::{Profile, WriteRule};
pub use proxy::{
    MOST_FORWARDS, MOST_PLACES, NetworkSummary, PROXY_PORT, Policy, PolicyError, Proxy,
    ProxyHandle, ProxyLimits,
};
pub use report::{End, Ledger, Protection, Report, State};
pub use spawn::{Confined, LAUNCH_COMMAND, Stopper, run, spawn};
pub use toolchains::base_of_venv;
