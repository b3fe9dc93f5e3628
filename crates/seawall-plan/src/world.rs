//! What the reader needs to know of the repository and the host, asked through one trait.
//!
//! The binary answers from git and the file system, tests from memory; the reader itself opens
//! nothing. The whole tree is handed over as one sorted slice, which costs a few megabytes on a large
//! repository and makes every question about it a binary search.

use seawall_core::path::RepoPath;

/// What a plan's text cannot say by itself.
pub trait World {
    /// The commit from which a run would start.
    fn base(&self) -> Base;
    /// The whole tree of the base, sorted by the bytes of the paths; directories are not listed.
    fn files(&self) -> &[(RepoPath, Kind)];
    /// Whether git ignores `path`.
    fn ignored(&self, path: &RepoPath) -> bool;
    /// The names of the sandbox profiles that a task may ask for.
    fn profiles(&self) -> &[String];
    /// Whether `program` is found on `PATH`, or is the absolute path of a program.
    fn command_exists(&self, program: &str) -> bool;
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
