//! What can go wrong between Seawall, a repository and a workspace.
//!
//! One enum for the crate: callers match on few of the variants (a moved ref, changes in the way), the rest is told to
//! the user, so each text names the path or ref it is about.

use std::io;
use std::path::{Path, PathBuf};

use crate::path::{show, show_all};

/// The result of every operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of this crate; the text is for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory lies in no git repository.
    #[error("`{}` is not inside a git repository", .0.display())]
    NotARepository(PathBuf),
    /// The repository exists, but cannot be used (foreign owner, SHA-256 objects, unknown extension).
    #[error("the repository at `{}` cannot be used", path.display())]
    Unusable {
        /// where it was looked for
        path: PathBuf,
        /// what libgit2 says
        source: git2::Error,
    },
    /// `HEAD` points at a branch that has no commit.
    #[error("the repository has no commit yet")]
    Unborn,
    /// The text is not a full object id.
    #[error("`{0}` is not a full object id of 40 hexadecimal digits")]
    InvalidId(String),
    /// A path that cannot be one inside a repository.
    #[error("`{}` is not a path inside the repository: {why}", show(path))]
    InvalidPath {
        /// the path
        path: Vec<u8>,
        /// which rule it breaks
        why: &'static str,
    },
    /// A tree of the repository holds an entry that must not be written to a disk.
    #[error("the commit holds `{}`, which is not safe to write: {why}", show(path))]
    UnsafeEntry {
        /// the entry
        path: Vec<u8>,
        /// which rule it breaks
        why: &'static str,
    },
    /// An owned file, or one to delete, is not a regular file of the base.
    #[error("`{}` is not a regular file of the base commit", show(.0))]
    NotInBase(Vec<u8>),
    /// A file that the task promises to create is there already.
    #[error("`{}` is to be created, but the base commit has it", show(.0))]
    AlreadyInBase(Vec<u8>),
    /// A path is given in two of the lists of [`crate::Owned`].
    #[error("`{}` is owned in two different ways", show(.0))]
    OwnedTwice(Vec<u8>),
    /// A workspace must not be made at this place.
    #[error("`{}` is no place for a workspace: {why}", path.display())]
    UnsafePlace {
        /// the place
        path: PathBuf,
        /// the reason
        why: &'static str,
    },
    /// Two harvests change one path.
    #[error("two harvests change `{}`", show(.0))]
    Overlap(Vec<u8>),
    /// A harvest changes a path that is not the same in the tree it is composed with.
    #[error("`{}` differs between the base of a harvest and the tree it is composed with", show(.0))]
    StaleBase(Vec<u8>),
    /// One change needs a directory where another has a file.
    #[error("`{}` would be a file and a directory at once", show(.0))]
    PathClash(Vec<u8>),
    /// A harvest must have exactly one parent.
    #[error("commit {0} is not a harvest: it does not have exactly one parent")]
    NotAHarvest(crate::CommitId),
    /// A name that cannot be a ref, or a ref that Seawall must not write.
    #[error("`{name}` is not a ref that Seawall may write: {why}")]
    RefusedRef {
        /// the name
        name: String,
        /// which rule it breaks
        why: &'static str,
    },
    /// A ref does not have the value it must have to be moved.
    #[error("`{name}` was moved by someone else: it should be at {expected}, and is at {found}")]
    RefMoved {
        /// the ref
        name: String,
        /// the value it should have had
        expected: String,
        /// the value it has
        found: String,
    },
    /// A branch is checked out somewhere, so moving it would falsify that checkout.
    #[error("branch `{branch}` is checked out in `{}`", place.display())]
    CheckedOut {
        /// the branch
        branch: String,
        /// the checkout
        place: PathBuf,
    },
    /// Another process holds a lock file, or left it behind.
    #[error("`{}` is locked; if no other git process is running, remove the file", .0.display())]
    Locked(PathBuf),
    /// The branch to land on does not exist.
    #[error("there is no branch `{0}`")]
    NoSuchBranch(String),
    /// The branch has commits that the target does not have.
    #[error("branch `{branch}` is at {at}, which is not an ancestor of {target}")]
    NotFastForward {
        /// the branch
        branch: String,
        /// where it is
        at: crate::CommitId,
        /// where it should go
        target: crate::CommitId,
    },
    /// The checkout has changes at paths that landing would write.
    #[error("the checkout has changes in the way: {}", show_all(.0))]
    InTheWay(Vec<Vec<u8>>),
    /// A merge, rebase or the like is in progress in the checkout.
    #[error("the checkout is in the middle of another operation ({0})")]
    Busy(String),
    /// Paths that only git itself can check out, because a filter such as LFS is configured for them.
    #[error("{why}, which only git can check out: {}", show_all(paths))]
    NeedsGit {
        /// the paths
        paths: Vec<Vec<u8>>,
        /// what they need
        why: &'static str,
    },
    /// The user's settings ask for git, and there is none.
    #[error("{0} asks for `git` to write the files, and there is no `git` on the path")]
    NoGit(String),
    /// The user's git, or a filter that it ran, failed.
    #[error("`git`, which {why} asks for, failed: {said}")]
    GitFailed {
        /// the setting that asks for it
        why: String,
        /// the first lines of what it said
        said: String,
    },
    /// The kernel lacks something this crate needs.
    #[error("this kernel or container does not allow {0}")]
    Unsupported(&'static str),
    /// Something failed on a path.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// what was attempted, as a verb
        doing: &'static str,
        /// on which path
        path: PathBuf,
        /// what the system says
        source: io::Error,
    },
    /// Something failed inside the repository.
    #[error("cannot {doing}")]
    Git {
        /// what was attempted, as a verb
        doing: &'static str,
        /// what libgit2 says
        source: git2::Error,
    },
}

impl Error {
    /// Whether a change does not fit where it was to be put.
    #[must_use]
    pub fn does_not_fit(&self) -> bool {
        matches!(
            self,
            Self::StaleBase(_) | Self::PathClash(_) | Self::Overlap(_)
        )
    }
}

/// Puts a libgit2 error in its context, for `map_err`.
pub(crate) fn git(doing: &'static str) -> impl FnOnce(git2::Error) -> Error {
    move |source| Error::Git { doing, source }
}

/// Puts a system error in its context, for `map_err`; takes `io::Error` and `Errno`.
pub(crate) fn io<E: Into<io::Error>>(doing: &'static str, path: &Path) -> impl FnOnce(E) -> Error {
    move |source| Error::Io {
        doing,
        path: path.to_path_buf(),
        source: source.into(),
    }
}
