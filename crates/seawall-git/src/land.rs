//! Lands a result on the user's branch, when asked to.
//!
//! This is the one place that writes the user's checkout. It only ever moves a branch forward, and only over files that
//! are exactly as their commit has them. The checkout comes first and the branch last: after a crash in between, landing
//! again finds files that are already right and goes on.

use git2::build::CheckoutBuilder;
use git2::{AttrCheckFlags, AttrValue, ErrorCode, IndexEntryExtendedFlag};
use git2::{Object, Oid, Repository, RepositoryState};

use crate::edit::{Edit, changes};
use crate::error::{Error, Result, git};
use crate::id::CommitId;
use crate::path::as_path;
use crate::refs::{checked_out, patiently, value};
use crate::rollback::roll_back;
use crate::store::Store;
use crate::tree::commit_tree;
use crate::way::{refuse_changes, unfinished};

/// What landing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landed {
    /// The branch has the commit already; nothing was done.
    AlreadyThere {
        /// the short name of the branch
        branch: String,
        /// where it is
        at: CommitId,
    },
    /// The branch was moved.
    Moved {
        /// the short name of the branch
        branch: String,
        /// where it was
        from: CommitId,
        /// where it is
        to: CommitId,
        /// how many files of the checkout were brought along; nothing when the branch is not checked out
        files: Option<usize>,
    },
}

impl Store {
    /// Moves a branch of the user, given by its short or full name, forward to a commit. If it is the branch that is
    /// checked out, its checkout and index follow; if no checkout is on it, only the ref moves. Built-in conversions (line
    /// ends) are done as configured; nothing is run.
    ///
    /// # Errors
    /// Nothing is changed when this refuses: [`Error::NoSuchBranch`], [`Error::NotFastForward`], [`Error::InTheWay`] with the
    /// changed or untracked paths it would overwrite, [`Error::Busy`] in a merge or rebase, [`Error::CheckedOut`] when another
    /// checkout is on the branch, [`Error::NeedsGit`] for a sparse checkout or files with an external filter, and
    /// [`Error::Locked`].
    pub fn land(&self, branch: &str, target: &CommitId) -> Result<Landed> {
        let repo = self.open()?;
        let short = branch.strip_prefix("refs/heads/").unwrap_or(branch);
        let full = format!("refs/heads/{short}");
        let missing = || Error::NoSuchBranch(short.to_owned());
        let from = match git2::Reference::is_valid_name(&full) {
            true => value(&repo, &full)?.ok_or_else(missing)?,
            false => return Err(missing()),
        };
        let (branch, at, to) = (short.to_owned(), CommitId::from_oid(from), target.oid());
        if contains(&repo, from, to)? {
            return Ok(Landed::AlreadyThere { branch, at });
        }
        if !contains(&repo, to, from)? {
            return Err(Error::NotFastForward {
                branch,
                at,
                target: target.clone(),
            });
        }
        let files = match self.is_current(&repo, &full)? {
            true => Some(bring_checkout(&repo, &at, target)?),
            false => None,
        };
        self.forward(&repo, &full, from, to)?;
        Ok(Landed::Moved {
            branch,
            from: at,
            to: target.clone(),
            files,
        })
    }

    /// Whether this store's checkout is on the branch; refuses when another is.
    fn is_current(&self, repo: &Repository, full: &str) -> Result<bool> {
        let mut current = false;
        for place in checked_out(repo, full)? {
            let place = place.canonicalize().unwrap_or(place);
            match self.workdir() == Some(place.as_path()) {
                true => current = true,
                false => {
                    return Err(Error::CheckedOut {
                        branch: full.to_owned(),
                        place,
                    });
                }
            }
        }
        Ok(current)
    }

    fn forward(&self, repo: &Repository, full: &str, from: Oid, to: Oid) -> Result<()> {
        let log = "seawall: land (fast-forward)";
        let done = patiently(self, full, || {
            repo.reference_matching(full, to, true, from, log).map(drop)
        });
        match done {
            Err(Error::Git { source, .. }) if source.code() == ErrorCode::Modified => Err(
                crate::checkpoint::moved(full, Some(from), value(repo, full)?),
            ),
            done => done,
        }
    }
}

fn contains(repo: &Repository, commit: Oid, ancestor: Oid) -> Result<bool> {
    let below = || {
        repo.graph_descendant_of(commit, ancestor)
            .map_err(git("compare two commits"))
    };
    Ok(commit == ancestor || below()?)
}

/// Brings checkout and index from one commit to another, and says how many files differ.
fn bring_checkout(repo: &Repository, from: &CommitId, to: &CommitId) -> Result<usize> {
    let edits = changes(
        repo,
        commit_tree(repo, from)?.id(),
        commit_tree(repo, to)?.id(),
    )?;
    refuse_state(repo)?;
    if edits.is_empty() {
        return Ok(0);
    }
    refuse_filters(repo, &edits)?;
    if refuse_changes(repo, &edits)? {
        roll_back(repo, from.oid(), &edits)?;
    }
    let target = repo
        .find_object(to.oid(), None)
        .map_err(git("read the commit to land"))?;
    let paths: Vec<_> = edits.iter().map(|edit| edit.path.clone()).collect();
    check_out(repo, &target, &paths)?;
    match unfinished(repo, &edits)? {
        paths if paths.is_empty() => Ok(edits.len()),
        paths => Err(Error::InTheWay(paths)),
    }
}

/// Writes the paths of a commit to checkout and index, over files that are as `HEAD` has them.
fn check_out(repo: &Repository, target: &Object<'_>, paths: &[Vec<u8>]) -> Result<()> {
    let mut options = CheckoutBuilder::new();
    options.safe().disable_pathspec_match(true);
    for path in paths {
        options.path(path.as_slice());
    }
    let done = repo.checkout_tree(target, Some(&mut options));
    done.map_err(|source| match source.code() {
        ErrorCode::Conflict => Error::InTheWay(paths.to_vec()),
        _ => Error::Git {
            doing: "bring the checkout forward",
            source,
        },
    })
}

fn refuse_state(repo: &Repository) -> Result<()> {
    if repo.state() != RepositoryState::Clean {
        return Err(Error::Busy(format!("{:?}", repo.state()).to_lowercase()));
    }
    let lock = repo.path().join("index.lock");
    if lock.exists() {
        return Err(Error::Locked(lock));
    }
    let index = repo.index().map_err(git("read the index"))?;
    let skipped = IndexEntryExtendedFlag::SKIP_WORKTREE.bits();
    let sparse = index
        .iter()
        .find(|entry| entry.flags_extended & skipped != 0);
    match sparse {
        Some(entry) => Err(Error::NeedsGit {
            paths: vec![entry.path],
            why: "the checkout is sparse",
        }),
        None => Ok(()),
    }
}

/// libgit2 does not run external filters, so files that have one would be written wrongly.
fn refuse_filters(repo: &Repository, edits: &[Edit]) -> Result<()> {
    let mut paths = Vec::new();
    for edit in edits.iter().filter(|edit| edit.to.is_some()) {
        let path = as_path(&edit.path);
        let found = repo.get_attr_bytes(path, "filter", AttrCheckFlags::FILE_THEN_INDEX);
        let value = AttrValue::from_bytes(found.map_err(git("look up the attributes of a file"))?);
        if matches!(value, AttrValue::String(_) | AttrValue::Bytes(_)) {
            paths.push(edit.path.clone());
        }
    }
    match paths.is_empty() {
        true => Ok(()),
        false => {
            let why = "some files have a filter";
            Err(Error::NeedsGit { paths, why })
        }
    }
}
