//! The worker before it becomes the command: it confines itself, step by step, and says which step failed.
//!
//! The order matters. The keeper has opened the rules, while everything could be opened; capabilities go before Landlock so that
//! nothing after has them; Landlock would forbid the rest, and the system call filter, which is last, Landlock itself.
//!
//! Until the exec it runs in the keeper's memory, which sleeps meanwhile: a copy of it would cost as much as all the steps. Only
//! what the kernel keeps for each process is changed here, and nothing of the command is in that memory yet.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::Resource;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::Mode;
use nix::unistd::{fchdir, getuid, setsid};

use crate::cgroup::Group;
use crate::filter::{self, Open};
use crate::floor;
use crate::launch::Launch;
use crate::launcher::Grouped;
use crate::report::{End, Ledger};
use crate::rung::Rung;
use crate::view::View;
use crate::wall::{self, Wall};
use crate::{command, sys};

/// What the keeper hands to the worker that it forks.
pub(crate) struct Start<'a> {
    pub(crate) launch: &'a Launch,
    pub(crate) view: &'a View,
    /// The `/proc` of the host.
    pub(crate) host_proc: &'a OwnedFd,
    pub(crate) rung: Rung,
    pub(crate) streams: &'a [OwnedFd; 3],
    /// Where output and errors go instead of the streams.
    pub(crate) piped: Option<&'a OwnedFd>,
    pub(crate) group: &'a Grouped,
    pub(crate) wall: &'a Result<Wall, Failure>,
    /// What the keeper has put up already.
    pub(crate) ledger: &'a Ledger,
}

/// What a worker leaves in the keeper's memory before it becomes the command or ends.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How it is confined; empty until it is.
    pub(crate) ledger: Ledger,
    /// How it failed to become the command.
    pub(crate) failure: Option<End>,
}

/// A step that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) step: String,
    pub(crate) error: String,
}

/// The step and what came of it.
pub(crate) fn at<T, E: std::fmt::Display>(
    step: impl Into<String>,
    done: Result<T, E>,
) -> Result<T, Failure> {
    done.map_err(|error| Failure {
        step: step.into(),
        error: error.to_string(),
    })
}

/// The life of the worker up to the command.
///
/// The keeper's memory is shared until then: what is owned there is only borrowed here, and what is told stays there.
pub(crate) fn main(start: &Start<'_>, told: &mut Told) -> ! {
    let Err(failure) = become_command(start, told);
    told.failure = Some(End::CouldNotStart {
        step: failure.step,
        error: failure.error,
    });
    sys::leave(127)
}

fn become_command(start: &Start<'_>, told: &mut Told) -> Result<std::convert::Infallible, Failure> {
    at("put the signals back", restore_signals())?;
    // A session of its own has no terminal, so nothing can be typed into the caller's (`TIOCSTI`).
    at("start a session", setsid())?;
    at("go first when memory is short", go_first(start.host_proc))?;
    // This memory is the keeper's, whom nobody may look into; with the command comes another. From here on `/proc` is root's.
    let undumpable = prctl::set_dumpable(false);
    at("keep the keeper from being looked into", undumpable)?;
    let wall = start.wall.as_ref().map_err(Failure::clone)?;
    let mut ledger = wall.ledger.clone();
    enter(start, &wall.workspace)?;
    restrict(start, &mut ledger)?;
    give_up_privileges(&mut ledger)?;
    at("die with the keeper", prctl::set_pdeathsig(Signal::SIGKILL))?;
    wall::raise(wall)?;
    connect(start)?;
    guard(start, &mut ledger)?;
    floor::held(&start.launch.floor, [start.ledger, &ledger])?;
    at("mark descriptors", sys::close_from(3, true))?;
    told.ledger = ledger;
    Err(command::execute(start))
}

/// Loads the system call filter; from here on the worker can do little but become the command.
fn guard(start: &Start<'_>, ledger: &mut Ledger) -> Result<(), Failure> {
    let sees_mounts = start.rung.has(libc::CLONE_NEWNS);
    let open = Open {
        internet: start.rung.has(libc::CLONE_NEWNET),
        local: sees_mounts,
        ipc: start.rung.has(libc::CLONE_NEWIPC),
        metadata: sees_mounts || start.launch.opens.metadata,
        nesting: start.launch.opens.nesting,
    };
    let program = filter::program(open);
    at("load the system call filter", sys::load_filter(&program))?;
    ledger.enforced("system calls", "seccomp");
    match open.metadata {
        _ if sees_mounts => ledger.enforced("metadata", "read-only mounts"),
        false => ledger.enforced(
            "metadata",
            "seccomp: no change of mode, owner, times or attributes at all",
        ),
        true => ledger.degraded_to(
            "metadata",
            "mode, times and attributes of every file of the same user can be changed",
            "there is no mount namespace, and the command may change those of its own",
        ),
    }
    if !open.local {
        ledger.enforced("local sockets", "seccomp: none but pairs of streams");
    }
    Ok(())
}

/// When the host runs out of memory, the tree goes before everything else (`proc_pid_oom_score_adj(5)`). For a process that borrows
/// its memory until it executes something, the kernel sets this for itself alone.
fn go_first(host_proc: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    let file = openat(host_proc, "self/oom_score_adj", flags, Mode::empty())?;
    nix::unistd::write(&file, b"500")?;
    Ok(())
}

fn restore_signals() -> io::Result<()> {
    sys::default_signals();
    Ok(SigSet::empty().thread_set_mask()?)
}

fn connect(start: &Start<'_>) -> Result<(), Failure> {
    let [input, output, errors] = start.streams;
    let (output, errors) = start.piped.map_or((output, errors), |pipe| (pipe, pipe));
    for (from, to) in [(input, 0), (output, 1), (errors, 2)] {
        at("connect the standard streams", sys::place(from.as_fd(), to))?;
    }
    Ok(())
}

fn enter(start: &Start<'_>, workspace: &OwnedFd) -> Result<(), Failure> {
    let Some(cwd) = start.launch.cwd.clone().map(crate::wire::Raw::into_path) else {
        return at("enter the workspace", fchdir(workspace));
    };
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let step = format!("enter `{}` in the workspace", cwd.display());
    let cwd = if cwd.as_os_str().is_empty() {
        Path::new(".")
    } else {
        &cwd
    };
    let directory = at(&step, openat2(workspace, cwd, how))?;
    at(&step, fchdir(&directory))
}

/// Control groups where there are some, resource limits for the rest.
fn restrict(start: &Start<'_>, ledger: &mut Ledger) -> Result<(), Failure> {
    let limits = &start.launch.limits;
    let group = start.group.as_ref().ok().and_then(Option::as_ref);
    if let Some(group) = group {
        at("enter the control group", group.enter())?;
    }
    let simple = [
        ("core dumps", Resource::RLIMIT_CORE, Some(0)),
        ("open files", Resource::RLIMIT_NOFILE, limits.open_files),
        ("file size", Resource::RLIMIT_FSIZE, limits.file_size),
    ];
    for (name, resource, most) in simple {
        match most {
            Some(most) => {
                at(format!("limit {name}"), sys::limit(resource, most))?;
                ledger.enforced(name, "resource limit");
            }
            None => ledger.off(name),
        }
    }
    restrict_memory(start, group, ledger)?;
    note_weight(start, group, ledger);
    hide_groups(start, ledger);
    restrict_processes(start, group, ledger)
}

fn note_weight(start: &Start<'_>, group: Option<&Group>, ledger: &mut Ledger) {
    match (start.launch.limits.cpu_weight, group) {
        (None, _) => ledger.off("processor weight"),
        (Some(_), Some(group)) if group.weighs() => ledger.enforced("processor weight", group.by),
        (Some(_), _) => ledger.degraded_to(
            "processor weight",
            "the share of any other process",
            no_group(start),
        ),
    }
}

/// Where the worker stands among the control groups of the host is not told to it: its own group is the top of what it sees.
fn hide_groups(start: &Start<'_>, ledger: &mut Ledger) {
    const NAME: &str = "control group names";
    if !start.rung.has(libc::CLONE_NEWNS) {
        return ledger.off(NAME);
    }
    match unshare(CloneFlags::CLONE_NEWCGROUP) {
        Ok(()) => ledger.enforced(NAME, "cgroup namespace"),
        Err(error) => ledger.degraded_to(
            NAME,
            "the names of its groups can be read",
            error.to_string(),
        ),
    }
}

fn restrict_memory(
    start: &Start<'_>,
    group: Option<&Group>,
    ledger: &mut Ledger,
) -> Result<(), Failure> {
    let Some(most) = start.launch.limits.memory else {
        ledger.off("memory");
        return Ok(());
    };
    if let Some(group) = group.filter(|group| group.limits_memory()) {
        ledger.enforced("memory", group.by);
        return Ok(());
    }
    // Not the address space: runtimes reserve far more of it than they use.
    at("limit memory", sys::limit(Resource::RLIMIT_DATA, most))?;
    ledger.degraded_to(
        "memory",
        "data of each process, not of the tree (RLIMIT_DATA)",
        no_group(start),
    );
    Ok(())
}

fn restrict_processes(
    start: &Start<'_>,
    group: Option<&Group>,
    ledger: &mut Ledger,
) -> Result<(), Failure> {
    let Some(most) = start.launch.limits.processes else {
        ledger.off("processes");
        return Ok(());
    };
    if let Some(group) = group.filter(|group| group.limits_processes()) {
        ledger.enforced("processes", group.by);
        return Ok(());
    }
    // The kernel counts them for each user and user namespace, and never for root.
    if start.rung.has(libc::CLONE_NEWUSER) && !getuid().is_root() {
        at("limit processes", sys::limit(Resource::RLIMIT_NPROC, most))?;
        ledger.enforced("processes", "resource limit in a user namespace of its own");
    } else {
        ledger.degraded_to("processes", "no limit", no_group(start));
    }
    Ok(())
}

fn no_group(start: &Start<'_>) -> String {
    match start.group {
        Err(why) => format!("there is no control group: {why}"),
        Ok(_) => "this control group hierarchy lacks the controller".to_owned(),
    }
}

fn give_up_privileges(ledger: &mut Ledger) -> Result<(), Failure> {
    let ceiling = sys::lower_capability_ceiling();
    at("give up capabilities", sys::give_up_capabilities())?;
    at("forbid new privileges", prctl::set_no_new_privs())?;
    match ceiling {
        Ok(()) => ledger.enforced("capabilities", "empty sets and an empty bounding set"),
        // Lowering the ceiling needs a privilege itself; who lacks that one can gain nothing below it either.
        Err(_) => ledger.enforced("capabilities", "empty sets and no_new_privs"),
    }
    ledger.enforced("new privileges", "no_new_privs");
    Ok(())
}
