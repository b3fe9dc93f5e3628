//! Harvests a workspace: what the worker left, as a commit if it is acceptable.
//!
//! The whole workspace is compared with the base. What the task owns is taken; a difference anywhere else is drift, and
//! then nothing is taken at all. A harvest is kept alive by a ref, so that `git gc` cannot lose the work before the
//! checkpoint that contains it.

use std::fmt;
use std::io;
use std::path::Path;

use crate::apply::apply;
use crate::batch::Batch;
use crate::checkpoint::commit;
use crate::conversions::Conversions;
use crate::diff::{Stat, stat_of};
use crate::dirfd::{FileKind, Root};
use crate::error::{Error, Result};
use crate::findings::Findings;
use crate::id::{BlobId, CommitId, TreeId};
use crate::label::Label;
use crate::own_ref::NewValue;
use crate::owned::{Owned, Roles};
use crate::record;
use crate::scan::{Comparison, Extent, scan};
use crate::store::Store;
use crate::tree::commit_tree;

/// What was found in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Harvest {
    /// Nothing differs from the base.
    Empty,
    /// Something differs that the task does not own, or differs in a way that is not allowed. Nothing was taken.
    Drift(Drifts),
    /// A promise was not kept; there is no drift. Nothing was taken.
    Missing(Vec<Missing>),
    /// The task changed what it owns and nothing else.
    Changed(Changed),
}

/// All drift of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifts {
    /// the first hundred, sorted by path
    pub list: Vec<Drift>,
    /// how many there are, at least when not `complete`
    pub total: u64,
    /// false when the search ended early because there was so much
    pub complete: bool,
    /// the promises that were not kept either
    pub missing: Vec<Missing>,
}

/// One path that must not be as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// the path in the workspace
    pub path: Vec<u8>,
    /// what is wrong with it
    pub what: DriftKind,
}

/// What is wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DriftKind {
    /// it is not in the base, and no ignore rule of the base names it
    Added(FileKind),
    /// its content differs, or the target of a link
    Modified,
    /// it is gone
    Deleted,
    /// its executable bit differs
    ModeChanged {
        /// what it is now
        executable: bool,
    },
    /// it is something else now
    Replaced(FileKind),
    /// an owned file has a second name somewhere
    HardLinked,
    /// an owned file is larger than what is taken, 64 MiB
    TooLarge {
        /// its size
        bytes: u64,
    },
    /// it cannot be read
    Unreadable,
    /// its name is a spelling of `.git`
    DotGit,
    /// it has a mark of an overlay that no worker can set through one
    ForgedMark,
    /// it lies deeper than a path can reach, and was not looked into
    TooDeep,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Symlink => "a symbolic link",
            Self::Fifo => "a fifo",
            Self::Socket => "a socket",
            Self::Device => "a device",
        })
    }
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(FileKind::File) => f.write_str("added"),
            Self::Added(kind) => write!(f, "added {kind}"),
            Self::Modified => f.write_str("changed"),
            Self::Deleted => f.write_str("deleted"),
            Self::ModeChanged { executable: true } => f.write_str("made executable"),
            Self::ModeChanged { executable: false } => f.write_str("made not executable"),
            Self::Replaced(kind) => write!(f, "replaced by {kind}"),
            Self::HardLinked => f.write_str("has a second name"),
            Self::TooLarge { bytes } => write!(f, "too large to take ({bytes} bytes)"),
            Self::Unreadable => f.write_str("cannot be read"),
            Self::DotGit => f.write_str("has a name that stands for `.git`"),
            Self::ForgedMark => f.write_str("has a forged mark of an overlay"),
            Self::TooDeep => f.write_str("nested too deep to look into"),
        }
    }
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// the path in the workspace
    pub path: Vec<u8>,
    /// which promise
    pub what: MissingKind,
}

/// Which promise was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissingKind {
    /// a file to create is not there
    NotMade,
    /// a file to create is as empty as it was given to the worker
    StillEmpty,
    /// a file to delete is there
    StillThere,
}

impl fmt::Display for MissingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotMade => "was to be created and is not there",
            Self::StillEmpty => "was to be created and is still empty",
            Self::StillThere => "was to be deleted and is still there",
        })
    }
}

/// What was taken from a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// the base with the change, as a commit on the base
    pub commit: CommitId,
    /// its tree; two attempts that did the same have the same
    pub tree: TreeId,
    /// the paths that changed, sorted
    pub changes: Vec<Change>,
    /// the size of the change
    pub stat: Stat,
    /// how many untracked paths the ignore rules of the base dropped; an ignored directory counts as one
    pub ignored: u64,
}

/// One owned path that changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// the path
    pub path: Vec<u8>,
    /// how it changed
    pub kind: ChangeKind,
    /// its content before
    pub before: Option<BlobId>,
    /// its content after
    pub after: Option<BlobId>,
}

/// How a path changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// it was not in the base
    Added,
    /// its content differs
    Modified,
    /// it is gone
    Deleted,
}

/// What a worker left, and what it was given.
#[derive(Debug, Clone, Copy)]
pub struct Left<'l> {
    /// the plain workspace, or the upper directory of an overlay
    pub dir: &'l Path,
    /// the layers that the workspace was made of, the top one first
    pub layers: &'l [&'l Path],
    /// whether the worker was given a `.git` at the top, which the harvest then skips
    pub private_git: bool,
}

impl Store {
    /// Compares a plain workspace with the base that it was opened from, and takes what the task owns into a commit on the
    /// base that a ref named by `label` keeps. `when` is the time of the commit in seconds since 1970 UTC. The worker must
    /// be dead. Doing it again with the same arguments gives the same commit.
    ///
    /// Reads every file of the workspace once; memory is bounded by the largest owned file and the largest directory of
    /// the base, not by what the worker left.
    ///
    /// # Errors
    /// [`crate::Error::NotInBase`], [`crate::Error::AlreadyInBase`], [`crate::Error::OwnedTwice`] when `owned` does not fit the
    /// base. What a worker does to the workspace is never an error, but drift.
    pub fn harvest_copy(
        &self,
        base: &CommitId,
        left: &Left<'_>,
        owned: &Owned,
        label: &Label,
        when: i64,
    ) -> Result<Harvest> {
        self.compare(base, left, Extent::Whole, owned, label, when)
    }

    /// Does the same for the upper directory of an overlay whose layers show the base. Reads the upper directory alone, so
    /// the cost follows what the worker touched; the result is what [`Store::harvest_copy`] finds in the merged tree.
    ///
    /// # Errors
    /// Those of [`Store::harvest_copy`].
    pub fn harvest_upper(
        &self,
        base: &CommitId,
        left: &Left<'_>,
        owned: &Owned,
        label: &Label,
        when: i64,
    ) -> Result<Harvest> {
        self.compare(base, left, Extent::Upper, owned, label, when)
    }

    fn compare(
        &self,
        base: &CommitId,
        left: &Left<'_>,
        extent: Extent,
        owned: &Owned,
        label: &Label,
        when: i64,
    ) -> Result<Harvest> {
        let repo = self.handle()?;
        let batch = Batch::new(&repo)?;
        let tree = commit_tree(&repo, base)?;
        let roles = Roles::new(owned, &tree)?;
        let root = match Root::open(left.dir) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
                return Ok(Harvest::Drift(closed()));
            }
            opened => opened?,
        };
        let given = Conversions::of(self, left.layers)?;
        let with = Comparison {
            repo: &batch,
            root: &root,
            roles: &roles,
            extent,
            given: &given,
            private_git: left.private_git,
        };
        let findings = scan(with, tree.id())?;
        match findings.refusal() {
            Ok(findings) => self.keep(&batch, base, &findings, label, when),
            Err(harvest) => Ok(harvest),
        }
    }

    /// Commits what was found on the base, and points the ref of the label at it.
    fn keep(
        &self,
        repo: &Batch<'_>,
        base: &CommitId,
        found: &Findings,
        label: &Label,
        when: i64,
    ) -> Result<Harvest> {
        let before = commit_tree(repo, base)?.id();
        let after = apply(repo, before, &found.edits)?;
        let message = record::message(&format!("harvest {label}"), &found.edits);
        let commit = CommitId::from_oid(commit(repo, base, after, &message, when)?);
        let stat = stat_of(repo, &found.edits)?;
        let value = self.prepare_ref(repo, &label.ref_name(), &commit)?;
        repo.flush_with(self, value.as_ref().map(NewValue::file))?;
        value.map_or(Ok(()), NewValue::set)?;
        Ok(Harvest::Changed(Changed {
            commit,
            tree: TreeId::from_oid(after),
            changes: found.changes(),
            stat,
            ignored: found.ignored,
        }))
    }
}

/// A workspace whose top directory the worker has closed.
fn closed() -> Drifts {
    let list = vec![Drift {
        path: b".".to_vec(),
        what: DriftKind::Unreadable,
    }];
    Drifts {
        list,
        total: 1,
        complete: false,
        missing: Vec::new(),
    }
}
