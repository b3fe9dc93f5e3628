//! The Landlock wall: one ruleset for files, network and scopes, built in the final mount namespace.
//!
//! One ruleset and no more, because every layer that does not grant the right to link and rename across directories takes
//! it away. All rights up to ABI 3 are the floor; what newer kernels add is used when it is there and entered in the ledger
//! when it is not. Whether a kernel has something is decided here, by its ABI number, and the library is then told to fail
//! rather than to leave anything out.

use std::os::fd::OwnedFd;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::libc;
use nix::sys::stat::{Mode, SFlag, fstat};

use crate::grants;
use crate::launch::Grant;
use crate::pieces::is_below;
use crate::report::Ledger;
use crate::sys;
use crate::wire::Raw;
use crate::worker::{Failure, Start, at};

/// The system's programs and libraries, granted whole.
const PROGRAMS: &str = "/usr";

/// A ruleset that is complete and not yet in force.
pub(crate) struct Wall {
    /// None where nothing that this kernel knows is asked for.
    ruleset: Option<RulesetCreated>,
}

/// Builds the ruleset of a launch; every path is opened now.
pub(crate) fn build(
    start: &Start<'_>,
    workspace: &OwnedFd,
    ledger: &mut Ledger,
) -> Result<Wall, Failure> {
    let abi = at("ask for the Landlock ABI", sys::landlock_abi())?;
    let Some(ruleset) = declare(start, abi, ledger)? else {
        return Ok(Wall { ruleset: None });
    };
    let mut wall = Wall {
        ruleset: Some(ruleset),
    };
    if start.launch.opens.nesting {
        return Ok(wall);
    }
    let (read, all) = (AccessFs::from_read(ABI::V3), AccessFs::from_all(ABI::V3));
    let sees_mounts = start.rung.has(libc::CLONE_NEWNS);
    for path in start.launch.system.iter().map(Raw::as_path) {
        // A view shows nothing below it that is not its own, so one rule is as good as many.
        let covered = sees_mounts && is_below(path, PROGRAMS) && path != Path::new(PROGRAMS);
        if !covered {
            wall.grant_if_there(path, read)?;
        }
    }
    for device in grants::DEVICES_WRITTEN {
        wall.grant_if_there(
            Path::new(device),
            AccessFs::ReadFile | AccessFs::WriteFile | devices(abi),
        )?;
    }
    if start.launch.opens.terminals {
        for terminals in ["/dev/pts", "/dev/ptmx"] {
            wall.grant_if_there(
                Path::new(terminals),
                AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::ReadDir | devices(abi),
            )?;
        }
    }
    for path in &start.launch.read {
        // Below the place of the workspace there is only the workspace now, which is granted by itself.
        wall.grant_if_there(path.as_path(), read)?;
    }
    for private in [&start.view.home, &start.view.tmp]
        .into_iter()
        .chain(&start.view.scratch)
    {
        wall.grant(private, all)?;
    }
    wall.grant_work(start, workspace)?;
    Ok(wall)
}

/// Puts the ruleset in force for this process and all that it will start.
pub(crate) fn raise(wall: Wall) -> Result<(), Failure> {
    let Some(ruleset) = wall.ruleset else {
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

impl Wall {
    fn grant_work(&mut self, start: &Start<'_>, workspace: &OwnedFd) -> Result<(), Failure> {
        let all = AccessFs::from_all(ABI::V3);
        let seen = &start.view.workspace;
        for carried in &start.launch.carry {
            self.grant(&seen.join(carried.at.clone().into_path()), all)?;
        }
        match &start.launch.write {
            Grant::Workspace => return self.grant(seen, all),
            Grant::Nothing => {}
            Grant::Files(files) => {
                for file in files.iter().cloned().map(Raw::into_path) {
                    self.grant_file(workspace, &file)?;
                }
            }
            Grant::Paths(paths) => {
                for path in paths.iter().cloned().map(Raw::into_path) {
                    self.grant(&path, all)?;
                }
            }
        }
        self.grant(seen, AccessFs::from_read(ABI::V3))
    }

    /// One owned file: it must be a plain file with one name, or writing it would write something else. A directory is granted
    /// with all below it.
    fn grant_file(&mut self, workspace: &OwnedFd, path: &Path) -> Result<(), Failure> {
        let step = format!("open the owned file `{}`", path.display());
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        let file = at(&step, openat2(workspace, path, how))?;
        let found = at(&step, fstat(&file))?;
        let kind = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFDIR {
            return self.add(file, AccessFs::from_all(ABI::V3), || step);
        }
        at(
            &step,
            if kind == SFlag::S_IFREG {
                Ok(())
            } else {
                Err("it is not a regular file")
            },
        )?;
        at(
            &step,
            if found.st_nlink == 1 {
                Ok(())
            } else {
                Err("it has several names (hard links)")
            },
        )?;
        self.add(
            file,
            AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate,
            || step,
        )
    }

    fn grant(&mut self, path: &Path, access: BitFlags<AccessFs>) -> Result<(), Failure> {
        let opened = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty());
        let file = opened.map_err(|error| failed(path, error))?;
        self.add_fitting(file, path, access)
    }

    fn grant_if_there(&mut self, path: &Path, access: BitFlags<AccessFs>) -> Result<(), Failure> {
        match open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()) {
            Ok(file) => self.add_fitting(file, path, access),
            // What cannot be reached cannot be read either: no grant is the safe side.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ELOOP) => Ok(()),
            Err(error) => Err(failed(path, error)),
        }
    }

    /// Of a file, only the rights that a file can have.
    fn add_fitting(
        &mut self,
        file: OwnedFd,
        path: &Path,
        access: BitFlags<AccessFs>,
    ) -> Result<(), Failure> {
        let found = fstat(&file).map_err(|error| failed(path, error))?;
        let directory = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR;
        let fitting = if directory {
            access
        } else {
            access & AccessFs::from_file(ABI::V5)
        };
        self.add(file, fitting, || step_for(path))
    }

    fn add(
        &mut self,
        file: OwnedFd,
        access: BitFlags<AccessFs>,
        step: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let rule = PathBeneath::new(file, access).set_compatibility(CompatLevel::HardRequirement);
        match &mut self.ruleset {
            Some(ruleset) => ruleset.add_rule(rule).map(drop).map_err(|error| Failure {
                step: step(),
                error: error.to_string(),
            }),
            None => Ok(()),
        }
    }
}

fn step_for(path: &Path) -> String {
    format!("open `{}` for the Landlock wall", path.display())
}

fn failed(path: &Path, error: Errno) -> Failure {
    Failure {
        step: step_for(path),
        error: error.to_string(),
    }
}
