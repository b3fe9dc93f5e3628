//! The repository of the user: where it is, what is checked out, what is unsaved.
//!
//! libgit2's handle is not for several threads at once, so each operation borrows or opens its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ErrorCode, Repository, RepositoryOpenFlags, StatusOptions};

use crate::conversions::Records;
use crate::durable::Durable;
use crate::error::{Error, Result, git, io};
use crate::handles::{Handle, Idle};
use crate::id::CommitId;
use crate::ignores::ignored_by_commit;
use crate::path::{self, as_path};

/// A repository. Cheap to clone; may be used by many threads at once.
#[derive(Debug, Clone)]
pub struct Store {
    /// what to open: the checkout, or the git directory when there is none
    place: PathBuf,
    common_dir: PathBuf,
    workdir: Option<PathBuf>,
    durable: Arc<Durable>,
    /// The same for a run's own work.
    unlogged: Arc<Durable>,
    records: Arc<Records>,
    idle: Arc<Idle>,
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// the commit
    pub commit: CommitId,
    /// the short name of the branch, if `HEAD` is on one
    pub branch: Option<String>,
}

/// What differs between the user's checkout and its `HEAD`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dirty {
    /// the first twenty paths, sorted
    pub paths: Vec<Vec<u8>>,
    /// how many there are
    pub total: usize,
}

/// How many dirty paths are listed.
const LISTED: usize = 20;

impl Store {
    /// Finds the repository that `dir` lies in.
    ///
    /// # Errors
    /// When the directory cannot be read, lies in no repository, or the repository cannot be used: owned by someone
    /// else (see `safe.directory` in git-config(1)), SHA-256 objects, an extension that libgit2 does not know.
    pub fn discover(dir: &Path) -> Result<Self> {
        fs::read_dir(dir).map_err(io("read the directory", dir))?;
        // Not `Repository::discover`, which forgets where the checkout of a separate git directory is.
        let no_limit: [&Path; 0] = [];
        let found = Repository::open_ext(dir, RepositoryOpenFlags::empty(), no_limit);
        let repo = found.map_err(|source| match source.code() {
            ErrorCode::NotFound => Error::NotARepository(dir.to_path_buf()),
            _ => Error::Unusable {
                path: dir.to_path_buf(),
                source,
            },
        })?;
        let common_dir = canonical(repo.commondir())?;
        let workdir = repo.workdir().map(canonical).transpose()?;
        let place = match &workdir {
            Some(workdir) => workdir.clone(),
            None => canonical(repo.path())?,
        };
        Ok(Self {
            place,
            common_dir,
            workdir,
            durable: Arc::new(Durable::new()?),
            unlogged: Arc::new(Durable::unlogged()?),
            records: Arc::default(),
            idle: Arc::default(),
        })
    }

    /// The directory that holds objects and refs, without links; the same for all checkouts of the repository.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The user's checkout, without links; a bare repository has none.
    pub fn workdir(&self) -> Option<&Path> {
        self.workdir.as_deref()
    }

    /// What is checked out.
    ///
    /// # Errors
    /// [`Error::Unborn`] when the branch has no commit yet.
    pub fn head(&self) -> Result<Head> {
        let repo = self.open()?;
        let head = repo.head().map_err(|source| match source.code() {
            ErrorCode::UnbornBranch | ErrorCode::NotFound => Error::Unborn,
            _ => Error::Git {
                doing: "read HEAD",
                source,
            },
        })?;
        let commit = head
            .peel_to_commit()
            .map_err(git("read the commit at HEAD"))?;
        let branch = head.name_bytes().strip_prefix(b"refs/heads/");
        let branch = branch.map(|name| String::from_utf8_lossy(name).into_owned());
        Ok(Head {
            commit: CommitId::from_oid(commit.id()),
            branch,
        })
    }

    /// Paths of the user's checkout that differ from `HEAD`: changed, staged, or untracked and not ignored. Reads the
    /// whole checkout and writes nothing, not even the index. A bare repository is never dirty.
    pub fn dirty(&self) -> Result<Dirty> {
        if self.workdir.is_none() {
            return Ok(Dirty::default());
        }
        let repo = self.open()?;
        let statuses = repo
            .statuses(Some(&mut everything_unsaved()))
            .map_err(git("compare the checkout with HEAD"))?;
        let mut paths: Vec<_> = statuses
            .iter()
            .map(|entry| entry.path_bytes().to_vec())
            .collect();
        paths.sort();
        let total = paths.len();
        paths.truncate(LISTED);
        Ok(Dirty { paths, total })
    }

    /// Whether the user's ignore rules (all of gitignore(5)) name the path; a bare repository has those of the commit at
    /// `HEAD`. That a tracked file is never ignored is not looked at.
    pub fn is_ignored(&self, path: &[u8]) -> Result<bool> {
        path::check(path)?;
        let repo = self.open()?;
        match self.workdir {
            Some(_) => repo
                .is_path_ignored(as_path(path))
                .map_err(git("look up the ignore rules")),
            None => ignored_by_commit(&repo, &self.head()?.commit, path),
        }
    }

    /// What is known of the layers that git wrote.
    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    /// A handle for objects and refs, kept from an earlier use if there is one.
    pub(crate) fn handle(&self) -> Result<Handle> {
        self.idle.take(|| self.open_with(&self.unlogged))
    }

    /// A new handle for this thread whose writes are durable, and which has read the settings and attributes of now.
    pub(crate) fn open(&self) -> Result<Repository> {
        self.open_with(&self.durable)
    }

    fn open_with(&self, settings: &Durable) -> Result<Repository> {
        let unusable = |source| Error::Unusable {
            path: self.place.clone(),
            source,
        };
        let repo = Repository::open(&self.place).map_err(unusable)?;
        settings.apply(&repo)?;
        Ok(repo)
    }
}

/// What to compare: index and checkout with `HEAD`, untracked files too, and without refreshing the index.
pub(crate) fn everything_unsaved() -> StatusOptions {
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true);
    options.no_refresh(true).update_index(false);
    options
}

fn canonical(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(io("find", path))
}
