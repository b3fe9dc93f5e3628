//! The Landlock wall: one ruleset for files, network and scopes, built in the final mount namespace.
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
use nix::libc;

use crate::report::Ledger;
use crate::rules::Rules;
use crate::sys;
use crate::worker::{Failure, Start, at};

/// A ruleset that is complete and not yet in force; none where nothing that this kernel knows is asked for.
pub(crate) struct Wall(Option<RulesetCreated>);

/// Builds the ruleset of a launch; every path is opened now.
pub(crate) fn build(
    start: &Start<'_>,
    workspace: &OwnedFd,
    ledger: &mut Ledger,
) -> Result<Wall, Failure> {
    let abi = at("ask for the Landlock ABI", sys::landlock_abi())?;
    let Some(ruleset) = declare(start, abi, ledger)? else {
        return Ok(Wall(None));
    };
    if !start.launch.opens.nesting {
        Rules::of(&ruleset)?.fill(start, workspace, devices(abi))?;
    }
    Ok(Wall(Some(ruleset)))
}

/// Puts the ruleset in force for this process and all that it will start.
pub(crate) fn raise(wall: Wall) -> Result<(), Failure> {
    let Some(ruleset) = wall.0 else {
        return Ok(());
    };
    let status = at("raise the Landlock wall", ruleset.restrict_self())?;
    let held = status.ruleset == RulesetStatus::FullyEnforced && status.no_new_privs;
    at(
        "raise the Landlock wall",
        if held {
            Ok(())
        } else {
            Err(format!("it holds only in part: {status:?}"))
        },
    )
}

fn declare(
    start: &Start<'_>,
    abi: u32,
    ledger: &mut Ledger,
) -> Result<Option<RulesetCreated>, Failure> {
    let step = "declare the Landlock wall";
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if start.launch.opens.nesting {
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
    ruleset = network(start, abi, ruleset, ledger)?;
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
    start: &Start<'_>,
    abi: u32,
    ruleset: Ruleset,
    ledger: &mut Ledger,
) -> Result<Ruleset, Failure> {
    if start.rung.has(libc::CLONE_NEWNET) {
        let by = match start.launch.ports.is_empty() {
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
