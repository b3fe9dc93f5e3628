//! Where a run keeps its things: `<git common dir>/seawall/runs/<run>/`.
//!
//! ```text
//! journal.jsonl  plan.toml  plan.json  lock     what the run is
//! boot                                          the start of the machine that its last session was in
//! layers/base  layers/3f2c1ab…                  commits as directories, which workspaces are laid over
//! ../../base                                    the base of the last run that ended, for the next
//! attempts/7/{upper,work,carry,tmp}             what a worker writes over them, until it is discarded
//! attempts/7/{tree,home,tmp}                    the same where workspaces are copies
//! checks/verify-7/…                             a check's, while it runs, unless all of it is in memory
//! /var/tmp/seawall-UID/DIGEST/…                  attempts and checks of sessions without namespaces
//! mount  empty                                  where overlays are mounted, out of sight; what a home begins as
//! trash/12                                      what is being removed
//! alive/0                                       locked while any process of some command may live
//! logs/attempt-7.log  logs/attempt-7.brief.md   what was said to and by a worker; kept
//! logs/verify-7.0.log                           what a check printed; kept
//! logs/attempt-7.net.jsonl                      which hosts it reached or wanted to; kept
//! ```

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use seawall_core::ids::{AttemptNo, Digest};

use crate::error::{ExecuteError, at};
use crate::kept;
use crate::trash::Trash;

/// The directory of one run.
#[derive(Clone, Debug)]
pub struct Place {
    root: PathBuf,
    /// Where workspaces are that must not lie below the user's checkout.
    outside: PathBuf,
    /// Whether new ones are made there.
    is_outside: bool,
}

/// The private directories of one confined command.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// Holds the others.
    pub(crate) root: PathBuf,
    /// The workspace, if it is a copy.
    pub(crate) tree: PathBuf,
    /// Holds what is written to each carried directory.
    pub(crate) carry: PathBuf,
    /// What `HOME` is.
    pub(crate) home: PathBuf,
    /// What `TMPDIR` is.
    pub(crate) tmp: PathBuf,
}

/// Where runs that have finished leave what takes long to remove, beside the directory of all `runs`.
#[must_use]
pub fn common_trash(runs: &Path) -> PathBuf {
    runs.with_file_name("trash")
}

/// How long a worker of a dead supervisor may take to die: it notices at once, and then is killed.
const GHOSTS_DIE_WITHIN: Duration = Duration::from_secs(20);

impl Place {
    /// The run whose directory is `root`.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        let name = Digest::of(root.as_os_str().as_bytes()).to_string();
        let outside = outside().join(name.get(..16).unwrap_or(&name));
        Self {
            root,
            outside,
            is_outside: false,
        }
    }

    /// The same run, whose workspaces from now on lie outside the user's checkout: without a view of its own, a tool that
    /// looks for its configuration in the directories above would find the user's, and may not read it.
    ///
    /// # Errors
    /// When the directory for that belongs to somebody else, or cannot be made.
    pub fn with_rooms_outside(mut self) -> Result<Self, ExecuteError> {
        own(&outside())?;
        own(&self.outside)?;
        for name in ROOMS {
            own(&self.outside.join(name))?;
        }
        self.is_outside = true;
        Ok(self)
    }

    /// The directories that hold rooms, the preferred one last.
    fn homes(&self) -> [&Path; 2] {
        match self.is_outside {
            true => [&self.root, &self.outside],
            false => [&self.outside, &self.root],
        }
    }

    /// The run's directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the directories that every run has.
    ///
    /// # Errors
    /// What the system says.
    pub fn lay_out(&self) -> Result<(), ExecuteError> {
        for name in [
            "layers", "mount", "empty", "attempts", "checks", "trash", "alive", "logs",
        ] {
            let dir = self.root.join(name);
            match fs::create_dir(&dir) {
                // If it is something else, whoever needs a directory there says so.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(at("make", &dir))?,
            }
        }
        Ok(())
    }

    /// Removes what only a run that goes on needs: the layers under its workspaces, and all that lies outside its directory.
    /// The base is kept for the next run where it can be. Many files take longer to remove than anybody wants to wait: what is
    /// not done after two seconds is left in the common trash.
    ///
    /// # Errors
    /// What the system says.
    pub fn tidy(&self) -> Result<(), ExecuteError> {
        seawall_git::remove_workspace(&self.outside)?;
        sweep(&self.alive())?;
        let name = self.root.file_name().unwrap_or_default();
        let away = self.common_trash().join(name);
        fs::create_dir_all(&away).map_err(at("make", &away))?;
        let trash = Trash::new(away.clone())?;
        // A base that cannot be kept goes with the other layers.
        drop(kept::keep(self, &trash));
        for entry in fs::read_dir(self.layers()).map_err(at("read", &self.layers()))? {
            trash.throw(&entry.map_err(at("read", &self.layers()))?.path())?;
        }
        drop(trash);
        match fs::remove_dir(&away) {
            // A large base: the next run, or `gc`, goes on with it.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => removed.map_err(at("remove", &away)),
        }
    }

    /// The directory of all runs.
    pub(crate) fn runs(&self) -> &Path {
        self.root.parent().unwrap_or(&self.root)
    }

    pub(crate) fn common_trash(&self) -> PathBuf {
        common_trash(self.runs())
    }

    /// Bytes of disk that the run's directory takes. Looks at every file, and passes over those that go meanwhile.
    #[must_use]
    pub fn disk(&self) -> u64 {
        disk(&self.root)
    }

    /// What a worker printed.
    #[must_use]
    pub fn worker_log(&self, attempt: AttemptNo) -> PathBuf {
        self.root.join(format!("logs/attempt-{attempt}.log"))
    }

    /// What a worker was told.
    #[must_use]
    pub fn brief(&self, attempt: AttemptNo) -> PathBuf {
        self.root.join(format!("logs/attempt-{attempt}.brief.md"))
    }

    /// What a command's proxy let through and what not.
    pub(crate) fn network_log(&self, label: &str) -> PathBuf {
        self.root.join(format!("logs/{label}.net.jsonl"))
    }

    /// A log, by its name.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(name)
    }

    /// An empty directory, on which anybody's overlay can be mounted, for mounts are seen only by who made them.
    pub(crate) fn mount_point(&self) -> PathBuf {
        self.root.join("mount")
    }

    /// Another one: what a home in memory begins as. On the mount point there would be the whole workspace.
    pub(crate) fn empty(&self) -> PathBuf {
        self.root.join("empty")
    }

    pub(crate) fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }

    /// The layer of the commit that the run starts from.
    pub(crate) fn base(&self) -> PathBuf {
        self.layers().join("base")
    }

    /// The layer that has the private git directory of a commit in it.
    pub(crate) fn private_git(&self, commit: &str) -> PathBuf {
        self.layers().join(format!("{commit}.git"))
    }

    pub(crate) fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    pub(crate) fn attempt(&self, attempt: AttemptNo) -> Room {
        let name = format!("attempts/{attempt}");
        let [other, preferred] = self.homes().map(|dir| dir.join(&name));
        // A session before this one may have made it elsewhere.
        Room::at(if other.exists() { other } else { preferred })
    }

    pub(crate) fn check(&self, label: &str) -> Room {
        Room::at(self.homes()[1].join("checks").join(label))
    }

    pub(crate) fn alive(&self) -> PathBuf {
        self.root.join("alive")
    }

    /// Waits until every process of an earlier supervisor of this run is dead, and removes the workspaces of
    /// its checks. Returns how many workers or checks it had left.
    ///
    /// # Errors
    /// When one does not die, or a directory cannot be removed.
    pub fn lay_ghosts(&self) -> Result<usize, ExecuteError> {
        let alive = self.alive();
        let deadline = Instant::now() + GHOSTS_DIE_WITHIN;
        let mut ghosts = 0;
        for entry in fs::read_dir(&alive).map_err(at("read", &alive))? {
            let path = entry.map_err(at("read", &alive))?.path();
            ghosts += usize::from(wait_unlocked(&path, deadline)?);
            fs::remove_file(&path).map_err(at("remove", &path))?;
        }
        let outside = self.outside.join("checks");
        if outside.exists() {
            sweep(&outside)?;
        }
        sweep(&self.root.join("checks"))?;
        sweep(&self.trash())?;
        Ok(ghosts)
    }
}

/// A file with several names counts once.
fn disk(root: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let (mut bytes, mut seen) = (0, HashSet::new());
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else {
                continue;
            };
            if found.nlink() == 1 || found.is_dir() || seen.insert((found.dev(), found.ino())) {
                bytes += found.blocks() * 512;
            }
            if found.is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    bytes
}

/// Removes everything in a directory.
pub(crate) fn sweep(dir: &Path) -> Result<(), ExecuteError> {
    for entry in fs::read_dir(dir).map_err(at("read", dir))? {
        seawall_git::remove_workspace(&entry.map_err(at("read", dir))?.path())?;
    }
    Ok(())
}

/// Whether the lock was held at first.
fn wait_unlocked(path: &Path, deadline: Instant) -> Result<bool, ExecuteError> {
    let mut file = fs::File::open(path).map_err(at("open", path))?;
    let mut held = false;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(_) => return Ok(held),
            Err((_, errno)) if Instant::now() > deadline => {
                return Err(at(
                    "wait for the processes of an earlier run that hold",
                    path,
                )(errno.into()));
            }
            Err((back, _)) => file = back,
        }
        held = true;
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Room {
    fn at(root: PathBuf) -> Self {
        let [tree, carry, home, tmp] = ["tree", "carry", "home", "tmp"].map(|name| root.join(name));
        Self {
            root,
            tree,
            carry,
            home,
            tmp,
        }
    }

    /// Makes what the command of a copy needs; git makes the copy.
    pub(crate) fn furnish_copy(&self) -> Result<(), ExecuteError> {
        let all = [&self.root, &self.home, &self.tmp];
        all.into_iter().try_for_each(|dir| make(dir))
    }

    /// Makes what an overlay and so many carried directories need.
    pub(crate) fn furnish_overlay(&self, carried: usize) -> Result<(), ExecuteError> {
        make_upper(&self.root)?;
        make(&self.tmp)?;
        if carried > 0 {
            make(&self.carry)?;
        }
        (0..carried).try_for_each(|n| make_upper(&self.carried(n)))
    }

    /// Makes the home of a profile that keeps it.
    pub(crate) fn furnish_home(&self) -> Result<(), ExecuteError> {
        fs::create_dir_all(&self.home).map_err(at("make", &self.home))
    }

    /// Where what is written to the carried directory of that number goes.
    pub(crate) fn carried(&self, number: usize) -> PathBuf {
        self.carry.join(number.to_string())
    }

    /// What a worker changed in an overlay.
    pub(crate) fn written(&self) -> PathBuf {
        self.root.join("upper")
    }
}

/// The directories of rooms.
const ROOMS: [&str; 2] = ["attempts", "checks"];

/// A directory on the disk that has nothing of the user's above it, as `/tmp` has, and is not emptied while a run lasts.
fn outside() -> PathBuf {
    PathBuf::from(format!("/var/tmp/seawall-{}", nix::unistd::geteuid()))
}

/// Makes a directory that nobody else can write, or finds that it is one.
fn own(dir: &Path) -> Result<(), ExecuteError> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map_err(at("make", dir)),
    }
    let found = dir.symlink_metadata().map_err(at("look at", dir))?;
    let ours = found.is_dir()
        && found.uid() == nix::unistd::geteuid().as_raw()
        && found.mode() & 0o077 == 0;
    match ours {
        true => Ok(()),
        false => Err(at("use", dir)(io::Error::other(
            "it is not a directory of yours alone; remove it",
        ))),
    }
}

fn make_upper(dir: &Path) -> Result<(), ExecuteError> {
    make(dir)?;
    make(&dir.join("upper"))?;
    make(&dir.join("work"))
}

fn make(dir: &Path) -> Result<(), ExecuteError> {
    fs::create_dir(dir).map_err(at("make", dir))
}
