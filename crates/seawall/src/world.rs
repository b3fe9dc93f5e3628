//! The repository and the host, as the plan's reader asks for them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use seawall_core::path::RepoPath;
use seawall_git::{CommitId, EntryKind, Error as GitError, Store, show};
use seawall_plan::{Base, Beside, Kind, NotBeside, World};

use crate::failure::Failure;

/// The world at one commit.
#[derive(Debug)]
pub(crate) struct RepoWorld {
    store: Store,
    base: Base,
    files: Vec<(RepoPath, Kind)>,
    profiles: Vec<String>,
    /// The directory of the plan, without symbolic links.
    beside: PathBuf,
    /// The commit, and the branch that is checked out.
    pub(crate) head: Option<(CommitId, Option<String>)>,
}

impl RepoWorld {
    /// Reads what is checked out in the repository, for the plan at `plan`.
    pub(crate) fn read(store: &Store, plan: &Path) -> Result<Self, Failure> {
        let profiles = crate::profiles::all(store.workdir())?;
        let profiles = profiles.names().map(str::to_owned).collect();
        let blank = Self {
            store: store.clone(),
            base: Base::Unborn,
            files: Vec::new(),
            profiles,
            beside: directory_of(plan),
            head: None,
        };
        let head = match store.head() {
            Ok(head) => head,
            Err(GitError::Unborn) => return Ok(blank),
            Err(error) => return Err(error.into()),
        };
        let dirty = store.dirty()?;
        let short = head.commit.as_str().get(..8).unwrap_or_default().to_owned();
        let listed = dirty.paths.iter().map(|path| show(path)).collect();
        let base = Base::Commit {
            short,
            dirty: listed,
            dirty_count: dirty.total,
        };
        let entries = store.list(&head.commit)?.into_iter();
        // A name that is no path of ours (such as one with `.git` in it) can be owned by no task.
        let files = entries
            .filter_map(|e| Some((RepoPath::new(&e.path).ok()?, kind(&e.kind))))
            .collect();
        Ok(Self {
            base,
            files,
            head: Some((head.commit, head.branch)),
            ..blank
        })
    }
}

fn kind(kind: &EntryKind) -> Kind {
    match kind {
        EntryKind::File { .. } => Kind::File,
        EntryKind::Symlink => Kind::Symlink,
        EntryKind::Submodule => Kind::Submodule,
    }
}

impl World for RepoWorld {
    fn base(&self) -> Base {
        self.base.clone()
    }

    fn files(&self) -> &[(RepoPath, Kind)] {
        &self.files
    }

    fn committed(&self, path: &RepoPath) -> Result<Vec<u8>, String> {
        let (commit, _) = self.head.as_ref().ok_or("there is no commit")?;
        let found = self.store.read(commit, path.as_bytes());
        let found = found.map_err(|e| e.to_string())?;
        found.ok_or_else(|| "the base does not have it".to_owned())
    }

    fn ignored(&self, path: &RepoPath) -> bool {
        // A rule that cannot be read ignores nothing; harvest looks at the base's own rules again.
        self.store.is_ignored(path.as_bytes()).unwrap_or(false)
    }

    fn profiles(&self) -> &[String] {
        &self.profiles
    }

    fn command_exists(&self, program: &str) -> bool {
        if program.contains('/') {
            let top = self.store.workdir().unwrap_or(Path::new("/"));
            return executable(&top.join(program));
        }
        on_path(program)
    }

    fn beside(&self, path: &RepoPath, most: u64) -> Result<Beside, NotBeside> {
        let bytes = read_below(&self.beside, path, most)?;
        Ok(Beside {
            bytes: bytes.into(),
            place: self.place(path),
        })
    }

    fn opens(&self, read: &str, path: &RepoPath) -> bool {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let opened = seawall_executor::expand(read, home.as_deref());
        let opened = opened.canonicalize().unwrap_or(opened);
        self.beside.join(name(path)).starts_with(opened)
    }
}

impl RepoWorld {
    /// Where in the repository a file beside the plan stands; none outside of the checkout.
    fn place(&self, path: &RepoPath) -> Option<RepoPath> {
        let top = self.store.workdir()?.canonicalize().ok()?;
        let whole = self.beside.join(name(path));
        RepoPath::new(whole.strip_prefix(top).ok()?.as_os_str().as_bytes()).ok()
    }
}

fn name(path: &RepoPath) -> &OsStr {
    OsStr::from_bytes(path.as_bytes())
}

/// The directory that a plan's file is named in; one that is not there holds nothing beside the plan.
fn directory_of(plan: &Path) -> PathBuf {
    let parent = plan.parent().filter(|dir| !dir.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    parent.canonicalize().unwrap_or_else(|_| parent.to_owned())
}

/// The bytes of a plain file below `dir`; the kernel follows no link on the way (openat2(2), Linux 5.6), and does not
/// wait for a pipe's other end.
fn read_below(dir: &Path, path: &RepoPath, most: u64) -> Result<Vec<u8>, NotBeside> {
    let unread = |e: std::io::Error| NotBeside::Unread(e.to_string());
    let dir = openat(
        CWD,
        dir,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(no_way)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
    let opened = openat2(&dir, path.as_bytes(), flags, Mode::empty(), resolve).map_err(no_way)?;
    let file = File::from(opened);
    let found = file.metadata().map_err(unread)?;
    if !found.is_file() {
        return Err(NotBeside::NotAFile);
    }
    let mut bytes = Vec::new();
    let limit = most.saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > most {
        return Err(NotBeside::TooLarge);
    }
    Ok(bytes)
}

fn no_way(why: Errno) -> NotBeside {
    match why {
        Errno::NOENT | Errno::NOTDIR => NotBeside::Missing,
        Errno::LOOP => NotBeside::Link,
        why => NotBeside::Unread(std::io::Error::from(why).to_string()),
    }
}

/// Whether a name is that of a program on `PATH`.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| executable(&dir.join(program)))
}

fn executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
