//! The files as a worker sees them, in a mount namespace of its own.
//!
//! A new, empty root into which only what is needed is mounted: the system and the toolchains read-only, a handful of devices,
//! the workspace at the repository's own path, so that absolute paths in build files and messages stay true. Everything else
//! is absent and not merely unreadable: the real `.git`, other workspaces, the user's home, sockets. What may not be written
//! is a read-only mount, so that mode, owner, times and attributes cannot be changed either, which Landlock does not see.
//!
//! Everything is copied as detached mounts first, then the root is changed, then the copies are attached. The cost is about
//! twenty mounts; none of it grows with the repository.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::{Mode, SFlag, mknod};
use nix::unistd::{chdir, pivot_root};

use crate::launch::Launch;
use crate::overlay;
use crate::pieces::{self, Piece, Pieces};
use crate::report::Ledger;
use crate::rung::Rung;
use crate::sys::{self, NO_DEVICES, NO_SETUID, READ_ONLY};
use crate::wire::Raw;

const PRIVATE: &str = "/run/seawall";
const HOME: &str = "/run/seawall/home";
const TMP: &str = "/run/seawall/tmp";

/// Directories that are empty at first, writable and nobody else's, besides `HOME` and `TMPDIR`.
const SCRATCH: [&str; 2] = ["/tmp", "/dev/shm"];

/// Where the new root is mounted before it becomes the root; any directory that every host has.
const FOOTHOLD: &str = "/usr";

/// Size of the private areas when the order does not say one.
pub(crate) const DEFAULT_SIZE: u64 = 1 << 30;

/// Where a worker finds its own places.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) workspace: PathBuf,
    pub(crate) home: PathBuf,
    pub(crate) tmp: PathBuf,
    /// Further directories that are writable and that nobody else has.
    pub(crate) scratch: Vec<PathBuf>,
}

/// Builds the view that the rung allows; `Err` says what the rung did not let happen.
pub(crate) fn build(launch: &Launch, rung: Rung, ledger: &mut Ledger) -> Result<View, String> {
    overlay::note(launch, ledger);
    if !rung.has(libc::CLONE_NEWNS) {
        return Ok(View {
            workspace: launch.workspace.clone().into_path(),
            home: launch.home.clone().into_path(),
            tmp: launch.tmp.clone().into_path(),
            scratch: Vec::new(),
        });
    }
    assemble(launch, ledger).map_err(|(what, error)| format!("cannot {what}: {error}"))
}

/// The acts that a view needs, without a view: for the probe of a host.
pub(crate) fn rehearse() -> Result<(), String> {
    let tried = detach().map_err(|error| ("make the mounts private".to_owned(), error));
    let tried = tried.and_then(|()| {
        let system = step("copy the system's mounts", pieces::system())?;
        let _fresh = step("change the root", change_root(1 << 20))?;
        system.iter().try_for_each(attach)?;
        step("make the mounts read-only", seal())
    });
    tried.map_err(|(what, error)| format!("cannot {what}: {error}"))
}

pub(crate) type Step<T> = Result<T, (String, io::Error)>;

pub(crate) fn step<T>(what: impl Into<String>, done: io::Result<T>) -> Step<T> {
    done.map_err(|error| (what.into(), error))
}

fn assemble(launch: &Launch, ledger: &mut Ledger) -> Step<View> {
    step("make the mounts private", detach())?;
    let workspace = launch.workspace.clone().into_path();
    overlay::mount(launch, &workspace)?;
    let seen_at = launch
        .appears_at
        .clone()
        .map_or_else(|| workspace.clone(), Raw::into_path);
    let target = step(
        "find the place of the workspace",
        fs::canonicalize(&seen_at),
    )?;
    let mut pieces = Pieces::gather(launch, &workspace, &target)?;
    pieces.link(&seen_at, &target);
    let carried = overlay::carry(launch, &workspace)?;
    let private = [(&launch.home, HOME), (&launch.tmp, TMP)]
        .map(|(from, at)| Private::find(launch, from.as_path(), at));
    let size = launch.limits.disk.unwrap_or(DEFAULT_SIZE);
    let proc = step("change the root", change_root(size))?;
    note_proc(proc, ledger);
    pieces.read.iter().try_for_each(attach)?;
    step("make the mounts read-only", seal())?;
    if launch.opens.nesting {
        step("open /proc for an inner sandbox", open_proc())?;
    }
    step("furnish /dev", furnish_devices(launch, &pieces.devices))?;
    step(
        "make the private directories",
        SCRATCH.into_iter().try_for_each(scratch),
    )?;
    pieces.written.iter().try_for_each(attach)?;
    overlay::settle(&carried, &target)?;
    for private in private {
        let private = private?;
        step(format!("furnish `{}`", private.at), private.furnish())?;
    }
    pieces
        .links
        .iter()
        .try_for_each(|(from, to)| step(format!("link `{}`", from.display()), link(from, to)))?;
    note_disk(launch, ledger);
    Ok(View {
        workspace: seen_at,
        home: HOME.into(),
        tmp: TMP.into(),
        scratch: SCRATCH.map(PathBuf::from).into(),
    })
}

/// Nothing that is mounted here reaches the host, and nothing of the host comes in later.
pub(crate) fn detach() -> io::Result<()> {
    let none: Option<&str> = None;
    Ok(mount(
        none,
        "/",
        none,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        none,
    )?)
}

/// An inode costs about a kibibyte of kernel memory, so empty files must be bounded too.
pub(crate) fn most_files(size: u64) -> u64 {
    (size >> 12).max(1 << 14)
}

fn tmpfs(at: &str, size: u64) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let options = format!("mode=755,size={size},nr_inodes={}", most_files(size));
    Ok(mount(
        Some("tmpfs"),
        at,
        Some("tmpfs"),
        flags,
        Some(options.as_str()),
    )?)
}

/// Makes an empty file system the root, with a fresh `/proc`, and takes the old root away; the process list is fresh when
/// the kernel allows that, else the host's.
fn change_root(size: u64) -> io::Result<io::Result<()>> {
    tmpfs(FOOTHOLD, size)?;
    chdir(FOOTHOLD)?;
    fs::create_dir("proc")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    // While the old root is still there: the kernel asks for a /proc in sight that is not covered.
    let fresh = mount(Some("proc"), "proc", Some("proc"), flags, None::<&str>);
    if fresh.is_err() {
        let host_proc = sys::clone_mounts(Path::new("/proc"))?;
        sys::attach_mounts(host_proc.as_fd(), Path::new("proc"))?;
    }
    // The old root ends up on top of the new one, where it is taken off (`pivot_root(2)`, notes).
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")?;
    Ok(fresh.map_err(Into::into))
}

fn note_proc(fresh: io::Result<()>, ledger: &mut Ledger) {
    match fresh {
        Ok(()) => ledger.enforced("process list", "a fresh /proc"),
        // The kernel refuses a fresh one when the host's is partly covered, as in many containers.
        Err(error) => ledger.degraded_to(
            "process list",
            "the host's process list is visible; Landlock denies looking into its processes",
            format!("a fresh /proc cannot be mounted: {error}"),
        ),
    }
}

fn note_disk(launch: &Launch, ledger: &mut Ledger) {
    match launch.limits.disk {
        Some(_) if launch.opens.kept_home => ledger.degraded_to(
            "disk",
            "home is a directory of the host without a limit; tmp has one",
            "the profile keeps the home",
        ),
        Some(size) => ledger.enforced("disk", format!("a tmpfs of {} MiB", size >> 20)),
        None => ledger.off("disk"),
    }
}

fn attach(piece: &Piece) -> Step<()> {
    let attached = || {
        match piece.directory {
            true => fs::create_dir_all(&piece.at)?,
            false if piece.at.exists() => {}
            false => make_file(&piece.at)?,
        }
        sys::attach_mounts(piece.tree.as_fd(), &piece.at)
    };
    step(format!("mount `{}`", piece.at.display()), attached())
}

/// An empty file that must not be there yet, by one call (`mknod(2)`).
fn make_file(at: &Path) -> io::Result<()> {
    let make = || mknod(at, SFlag::S_IFREG, Mode::from_bits_truncate(0o666), 0);
    match (make(), at.parent()) {
        (Err(Errno::ENOENT), Some(parent)) => {
            fs::create_dir_all(parent)?;
            Ok(make()?)
        }
        (made, _) => Ok(made?),
    }
}

/// Everything that is mounted so far becomes read-only, but for the root itself, which is the worker's own.
fn seal() -> io::Result<()> {
    sys::set_mounts(Path::new("/"), READ_ONLY | NO_SETUID | NO_DEVICES, 0, true)?;
    sys::set_mounts(Path::new("/"), 0, READ_ONLY, false)
}

/// An inner sandbox maps its users in `/proc`. What there belongs to the whole host is root's to write, and root is not let into a
/// profile for such a tool.
fn open_proc() -> io::Result<()> {
    sys::set_mounts(Path::new("/proc"), 0, READ_ONLY, false)
}

fn furnish_devices(launch: &Launch, devices: &[Piece]) -> io::Result<()> {
    fs::create_dir("/dev")?;
    for device in devices {
        make_file(&device.at)?;
        sys::attach_mounts(device.tree.as_fd(), &device.at)?;
    }
    for (name, to) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ] {
        std::os::unix::fs::symlink(to, Path::new("/dev").join(name))?;
    }
    if launch.opens.terminals {
        fs::create_dir("/dev/pts")?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
        let options = "newinstance,ptmxmode=0666,mode=620";
        mount(
            Some("devpts"),
            "/dev/pts",
            Some("devpts"),
            flags,
            Some(options),
        )?;
        std::os::unix::fs::symlink("pts/ptmx", "/dev/ptmx")?;
    }
    Ok(())
}

fn scratch(at: &str) -> io::Result<()> {
    fs::create_dir_all(at)?;
    fs::set_permissions(at, fs::Permissions::from_mode(0o1777))
}

/// A private directory, found while the host's root is still in sight.
struct Private {
    /// A copy of its mount when it is to be kept, else the directory: a copy that is mounted nowhere takes the kernel long to
    /// throw away. None when it is made here.
    found: Option<OwnedFd>,
    at: &'static str,
    kept: bool,
}

impl Private {
    fn find(launch: &Launch, from: &Path, at: &'static str) -> Step<Self> {
        if from.as_os_str().is_empty() {
            let (found, kept) = (None, false);
            return Ok(Self { found, at, kept });
        }
        let kept = launch.limits.disk.is_none() || (at == HOME && launch.opens.kept_home);
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let found = if kept {
            sys::clone_mounts(from)
        } else {
            open(from, flags, Mode::empty()).map_err(io::Error::from)
        };
        let found = Some(step(format!("find `{}`", from.display()), found)?);
        Ok(Self { found, at, kept })
    }

    /// The directory itself when it is to be kept, else a copy of it in memory, which has a limit.
    fn furnish(&self) -> io::Result<()> {
        let at = Path::new(self.at);
        fs::create_dir_all(at)?;
        fs::set_permissions(PRIVATE, fs::Permissions::from_mode(0o755))?;
        if let (Some(found), true) = (&self.found, self.kept) {
            sys::set_copy(found.as_fd(), NO_SETUID | NO_DEVICES)?;
            return sys::attach_mounts(found.as_fd(), at);
        }
        fs::set_permissions(at, fs::Permissions::from_mode(0o700))?;
        match &self.found {
            Some(found) => copy(
                &Path::new("/proc/self/fd").join(found.as_raw_fd().to_string()),
                at,
            ),
            None => Ok(()),
        }
    }
}

/// Copies the little that the supervisor has put into a private directory: plain files, directories, links.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&to)?;
            copy(&entry.path(), &to)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &to)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

/// Another name of a place, as the host has it; one that a mount brought along stays as it is.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    if from.symlink_metadata().is_ok() {
        return Ok(());
    }
    if let Some(parent) = from.parent() {
        fs::create_dir_all(parent)?;
    }
    std::os::unix::fs::symlink(to, from)
}
