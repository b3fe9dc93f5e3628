//! The repository and the host, as the plan's reader asks for them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use seawall_core::path::RepoPath;
use seawall_git::{CommitId, EntryKind, Error as GitError, Store, show};
use seawall_plan::{Base, Kind, World};

use crate::failure::Failure;

/// The world at one commit.
#[derive(Debug)]
pub(crate) struct RepoWorld {
    store: Store,
    base: Base,
    files: Vec<(RepoPath, Kind)>,
    profiles: Vec<String>,
    /// The commit, and the branch that is checked out.
    pub(crate) head: Option<(CommitId, Option<String>)>,
}

impl RepoWorld {
    /// Reads what is checked out in the repository.
    pub(crate) fn read(store: &Store) -> Result<Self, Failure> {
        let profiles = crate::profiles::all(store.workdir())?;
        let profiles = profiles.names().map(str::to_owned).collect();
        let blank = Self {
            store: store.clone(),
            base: Base::Unborn,
            files: Vec::new(),
            profiles,
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
