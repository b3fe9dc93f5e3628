//! The Landlock wall: one ruleset for files, network and scopes, built in the final mount namespace.
//!
//! The keeper builds it, while it would wait for what is made beside the view; the worker puts it in force for itself.
//!
//! One ruleset and no more, because every layer that does not grant the right to link and rename across directories takes
//! it away. All rights up to ABI 3 are the floor; what newer kernels add is used when it is there and entered in the ledger
//! when it is not. Whether a kernel has something is decided here, by its ABI number, and the library is then told to fail
//! rather than to leave anything out.

use std::os::fd::OwnedFd;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreated, RulesetStatus, Scope,
};
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::stat::Mode;

use crate::launch::Launch;
use crate::report::Ledger;
use crate::rules::Rules;
use crate::rung::Rung;
use crate::sys;
use crate::view::View;
use crate::worker::{Failure, at};

/// Where a wall is to stand.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) launch: &'a Launch,
    pub(crate) view: &'a View,
    pub(crate) rung: Rung,
}

/// A ruleset that is complete and not yet in force, and what it will enforce.
pub(crate) struct Wall {
    /// None where nothing that this kernel knows is asked for.
    ruleset: Option<RulesetCreated>,
    pub(crate) workspace: OwnedFd,
    pub(crate) ledger: Ledger,
}

/// Builds the ruleset of a launch; every path is opened now.
pub(crate) fn build(site: Site<'_>) -> Result<Wall, Failure> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let workspace = open(&site.view.workspace, flags, Mode::empty());
    let workspace = at("open the workspace", workspace)?;
    let mut ledger = Ledger::default();
    let abi = at("ask for the Landlock ABI", sys::landlock_abi())?;
    let ruleset = declare(site, abi, &mut ledger)?;
    if let Some(ruleset) = &ruleset
        && !site.launch.opens.nesting
    {
        Rules::of(ruleset)?.fill(site, &workspace, devices(abi))?;
    }
    Ok(Wall {
        ruleset,
        workspace,
        ledger,
    })
}

/// Puts the ruleset in force for this process and all that it will start.
pub(crate) fn raise(wall: &Wall) -> Result<(), Failure> {
    let step = "raise the Landlock wall";
    let Some(ruleset) = &wall.ruleset else {
        return Ok(());
    };
    // The ruleset is the keeper's, like everything in its memory, and the library takes what it puts in force.
    let ruleset = at(step, ruleset.try_clone())?;
    let status = at(step, ruleset.restrict_self())?;
    let held = status.ruleset == RulesetStatus::FullyEnforced && status.no_new_privs;
    let in_part = || format!("it holds only in part: {status:?}");
    at(step, held.then_some(()).ok_or_else(in_part))
}

fn declare(
    site: Site<'_>,
    abi: u32,
    ledger: &mut Ledger,
) -> Result<Option<RulesetCreated>, Failure> {
    let step = "declare the Landlock wall";
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if site.launch.opens.nesting {
        let because = "the profile lets it make mounts, which Landlock rules on files forbid";
        ledger.degraded_to("files", "what the view shows, by mounts alone", because);
        if abi < 6 {
            return Ok(None);
        }
    } else {
        ruleset = at(
            step,
            ruleset.handle_access(AccessFs::from_all(ABI::V3) | devices(abi)),
        )?;
        ledger.enforced("files", "landlock");
        note(
            ledger,
            "device control",
            abi >= 5,
            "ioctl on devices that may be opened",
            "ABI 5 (Linux 6.10)",
        );
    }
    ruleset = network(site, abi, ruleset, ledger)?;
    if abi >= 6 {
        ruleset = at(
            step,
            ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal),
        )?;
    }
    note(
        ledger,
        "abstract sockets",
        abi >= 6,
        "those of this network namespace",
        "ABI 6 (Linux 6.12)",
    );
    note(
        ledger,
        "signals",
        abi >= 6,
        "those to processes of the same user in sight",
        "ABI 6 (Linux 6.12)",
    );
    at(step, ruleset.create()).map(Some)
}

/// With a net namespace there is nobody to reach, and tests that talk to themselves must work; without one the filter
/// refuses every internet socket, and TCP is denied here as well.
fn network(
    site: Site<'_>,
    abi: u32,
    ruleset: Ruleset,
    ledger: &mut Ledger,
) -> Result<Ruleset, Failure> {
    if site.rung.has(libc::CLONE_NEWNET) {
        let by = match site.launch.ports.is_empty() {
            true => "net namespace with loopback only",
            false => "net namespace; the only way out is the proxy to named hosts",
        };
        ledger.enforced("network", by);
        return Ok(ruleset);
    }
    ledger.enforced("network", "seccomp: no internet sockets, not even loopback");
    if abi < 4 {
        return Ok(ruleset);
    }
    let tcp = AccessNet::BindTcp | AccessNet::ConnectTcp;
    at("declare the Landlock wall", ruleset.handle_access(tcp))
}

fn note(ledger: &mut Ledger, name: &str, held: bool, open: &str, needs: &str) {
    if held {
        ledger.enforced(name, "landlock");
    } else {
        ledger.degraded_to(
            name,
            format!("open: {open}"),
            format!("it needs Landlock {needs}"),
        );
    }
}

fn devices(abi: u32) -> BitFlags<AccessFs> {
    if abi >= 5 {
        AccessFs::IoctlDev.into()
    } else {
        BitFlags::EMPTY
    }
}
