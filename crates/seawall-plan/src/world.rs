//! What the reader needs to know of the repository and the host, asked through one trait.
//!
//! The binary answers from git and the file system, tests from memory; the reader itself opens
//! nothing. The whole tree is handed over as one sorted slice, which costs a few megabytes on a large
//! repository and makes every question about it a binary search.

use std::sync::Arc;

use seawall_core::path::RepoPath;

/// What a plan's text cannot say by itself.
pub trait World {
    /// The commit from which a run would start.
    fn base(&self) -> Base;
    /// The whole tree of the base, sorted by the bytes of the paths; directories are not listed.
    fn files(&self) -> &[(RepoPath, Kind)];
    /// The bytes of a regular file of the base.
    ///
    /// # Errors
    /// Says why there are none.
    fn committed(&self, path: &RepoPath) -> Result<Vec<u8>, String>;
    /// Whether git ignores `path`.
    fn ignored(&self, path: &RepoPath) -> bool;
    /// The names of the sandbox profiles that a task may ask for.
    fn profiles(&self) -> &[String];
    /// Whether `program` is found on `PATH`, or is the absolute path of a program.
    fn command_exists(&self, program: &str) -> bool;
    /// The file at `path` below the plan's directory, reached through no symbolic link.
    ///
    /// # Errors
    /// Says why there are no bytes; a file of more than `most` bytes is not read.
    fn beside(&self, path: &RepoPath, most: u64) -> Result<Beside, NotBeside>;
    /// Whether the file at `path` below the plan's directory is at or below `read`, a path of `[sandbox] read`.
    fn opens(&self, read: &str, path: &RepoPath) -> bool;
}

/// A file beside the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// All of it.
    pub bytes: Arc<[u8]>,
    /// Its path in the repository; none when it stands outside of the checkout.
    pub place: Option<RepoPath>,
}

/// Why a file beside the plan gives no bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotBeside {
    /// Nothing is there.
    Missing,
    /// It, or a directory on the way, is a symbolic link.
    Link,
    /// A directory or something stranger.
    NotAFile,
    /// More bytes than were asked for.
    TooLarge,
    /// What the system said, in its words.
    Unread(String),
}

/// The commit from which a run would start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// `HEAD` names a branch without a commit: there is nothing to start from.
    Unborn,
    /// A commit.
    Commit {
        /// Its id, abbreviated for people.
        short: String,
        /// Some of the paths that differ from it in the user's checkout, in their shown form.
        dirty: Vec<String>,
        /// How many paths differ, all together.
        dirty_count: usize,
    },
}

/// What a path of the base's tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A regular file, executable or not.
    File,
    /// A symbolic link.
    Symlink,
    /// The commit of a submodule.
    Submodule,
}
