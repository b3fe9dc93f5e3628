//! The files as a worker sees them, in a mount namespace of its own.
//!
//! The workspace covers the real checkout at the repository's own path, so absolute paths in build files and messages stay
//! true and the real `.git` is absent, not merely unreadable. `/run` is an empty file system with the private home and
//! temporary directory below it; what a grant needs below the real `/run` is carried over. Everything is copied as detached
//! mounts first, because the sources lie below paths that are about to be covered.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::mount::{MsFlags, mount};

use crate::launch::{Grant, Launch};
use crate::launcher::Rung;
use crate::report::Ledger;
use crate::sys;

const RUN: &str = "/run";
const HOME: &str = "/run/seawall/home";
const TMP: &str = "/run/seawall/tmp";
const SHARED_MEMORY: &str = "/dev/shm";

/// Where a worker finds its own places.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) workspace: PathBuf,
    pub(crate) home: PathBuf,
    pub(crate) tmp: PathBuf,
    /// A shared memory directory that nobody else has.
    pub(crate) shared_memory: Option<PathBuf>,
}

/// A path that must survive the covering of `/run`.
struct Carried {
    path: PathBuf,
    tree: OwnedFd,
    is_directory: bool,
}

/// Builds the view that the rung allows; `Err` says what the rung did not let happen.
pub(crate) fn build(launch: &Launch, rung: Rung, ledger: &mut Ledger) -> Result<View, String> {
    if !rung.has(libc::CLONE_NEWNS) {
        return Ok(View {
            workspace: launch.workspace.clone().into_path(),
            home: launch.home.clone().into_path(),
            tmp: launch.tmp.clone().into_path(),
            shared_memory: None,
        });
    }
    let view = cover(launch).map_err(|(what, error)| format!("cannot {what}: {error}"))?;
    let shared_memory = fresh_shared_memory(ledger);
    fresh_proc(ledger);
    Ok(View {
        shared_memory,
        ..view
    })
}

/// The acts that a view needs, without a view: for the probe of a host.
pub(crate) fn rehearse() -> Result<(), String> {
    let tried = detach()
        .and_then(|()| sys::clone_mounts(Path::new("/usr")))
        .and_then(|tree| {
            tmpfs(RUN, "mode=755,size=1m")?;
            fs::create_dir(HOME_PARENT)?;
            sys::attach_mounts(tree.as_fd(), Path::new(HOME_PARENT))
        });
    tried.map_err(|error| format!("cannot mount: {error}"))
}

const HOME_PARENT: &str = "/run/seawall";

type Step<T> = Result<T, (&'static str, io::Error)>;

fn step<T>(what: &'static str, done: io::Result<T>) -> Step<T> {
    done.map_err(|error| (what, error))
}

fn cover(launch: &Launch) -> Step<View> {
    step("make the mounts private", detach())?;
    let workspace = launch.workspace.clone().into_path();
    let seen_at = launch
        .appears_at
        .clone()
        .map_or_else(|| workspace.clone(), crate::wire::Raw::into_path);
    let target = step(
        "find the place of the workspace",
        fs::canonicalize(&seen_at),
    )?;
    let source = step("find the workspace", sys::clone_mounts(&workspace))?;
    let home = step(
        "find the private home",
        sys::clone_mounts(&launch.home.clone().into_path()),
    )?;
    let tmp = step(
        "find the private temporary directory",
        sys::clone_mounts(&launch.tmp.clone().into_path()),
    )?;
    let carried = step("carry the grants below /run", carried(launch))?;

    step("cover /run", tmpfs(RUN, "mode=755,size=16m"))?;
    step(
        "place the private home",
        put_directory(&home, Path::new(HOME)),
    )?;
    step(
        "place the private temporary directory",
        put_directory(&tmp, Path::new(TMP)),
    )?;
    step(
        "carry the grants below /run",
        carried.iter().try_for_each(put),
    )?;
    step("place the workspace", put_directory(&source, &target))?;
    Ok(View {
        workspace: seen_at,
        home: HOME.into(),
        tmp: TMP.into(),
        shared_memory: None,
    })
}

/// Nothing that is mounted here reaches the host, and nothing of the host comes in later.
fn detach() -> io::Result<()> {
    let none: Option<&str> = None;
    Ok(mount(
        none,
        "/",
        none,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        none,
    )?)
}

fn tmpfs(at: &str, options: &str) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    Ok(mount(
        Some("tmpfs"),
        at,
        Some("tmpfs"),
        flags,
        Some(options),
    )?)
}

fn carried(launch: &Launch) -> io::Result<Vec<Carried>> {
    let written: &[_] = if let Grant::Paths(paths) = &launch.write {
        paths
    } else {
        &[]
    };
    let mut carried = Vec::new();
    for path in launch.system.iter().chain(&launch.read).chain(written) {
        // What does not exist is no grant; the order's own paths were looked at by the supervisor.
        let Ok(path) = fs::canonicalize(path.clone().into_path()) else {
            continue;
        };
        if path.starts_with(RUN) && path != Path::new(RUN) {
            let is_directory = fs::metadata(&path)?.is_dir();
            carried.push(Carried {
                tree: sys::clone_mounts(&path)?,
                path,
                is_directory,
            });
        }
    }
    Ok(carried)
}

fn put(carried: &Carried) -> io::Result<()> {
    if carried.is_directory {
        return put_directory(&carried.tree, &carried.path);
    }
    if !carried.path.exists() {
        fs::create_dir_all(carried.path.parent().unwrap_or(Path::new(RUN)))?;
        File::create_new(&carried.path)?;
    }
    sys::attach_mounts(carried.tree.as_fd(), &carried.path)
}

fn put_directory(tree: &OwnedFd, at: &Path) -> io::Result<()> {
    if at.starts_with(RUN) {
        fs::create_dir_all(at)?;
    }
    sys::attach_mounts(tree.as_fd(), at)
}

fn fresh_proc(ledger: &mut Ledger) {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    match mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>) {
        Ok(()) => ledger.enforced("process list", "a fresh /proc"),
        // The kernel refuses a fresh one when the host's is partly covered, as in many containers.
        Err(error) => ledger.degraded_to(
            "process list",
            "the host's process list is visible; Landlock denies looking into its processes",
            format!("a fresh /proc cannot be mounted: {error}"),
        ),
    }
}

fn fresh_shared_memory(ledger: &mut Ledger) -> Option<PathBuf> {
    match tmpfs(SHARED_MEMORY, "mode=1777,size=50%") {
        Ok(()) => {
            ledger.enforced("shared memory", "a fresh /dev/shm");
            Some(SHARED_MEMORY.into())
        }
        Err(error) => {
            ledger.degraded_to(
                "shared memory",
                "none: /dev/shm cannot be used at all",
                error.to_string(),
            );
            None
        }
    }
}
