//! Makes commits: checkpoints on the branch of a run, and scratch commits for trials.
//!
//! A commit depends on nothing but its arguments: author and committer are constants and the time is given. Doing it
//! again gives the same id, so a crash between commit and ref heals by repetition.

use git2::{ObjectType, Oid, Repository, Signature, Time};

use crate::error::{Error, Result, git};
use crate::id::{CommitId, TreeId};
use crate::refs;
use crate::store::Store;
use crate::tree::find_tree;

/// Author and committer of everything that Seawall commits.
pub(crate) const NAME: &str = "seawall";
/// A mail address that belongs to nobody (RFC 2606).
pub(crate) const EMAIL: &str = "seawall@localhost.invalid";

impl Store {
    /// Commits a tree on a parent and moves the branch, a full ref below `refs/heads/` or `refs/seawall/`, from the parent
    /// to it; a branch that does not exist is created. `when` is in seconds since 1970 UTC. Touches no checkout and no
    /// index. Doing it twice returns the same commit.
    ///
    /// # Errors
    /// [`Error::RefMoved`] when the branch is neither at the parent nor at the new commit; [`Error::CheckedOut`] when it is
    /// the current branch of a checkout.
    pub fn checkpoint(
        &self,
        parent: &CommitId,
        tree: &TreeId,
        message: &str,
        branch: &str,
        when: i64,
    ) -> Result<CommitId> {
        let repo = self.open()?;
        refs::check_branch(&repo, branch)?;
        let commit = commit(&repo, parent, tree.oid(), message, when)?;
        match refs::value(&repo, branch)? {
            Some(at) if at == commit => {}
            at => refs::advance(self, &repo, branch, at, parent.oid(), commit)?,
        }
        Ok(CommitId::from_oid(commit))
    }

    /// Commits a tree on a parent without a ref, for a trial that ends before git would collect it (two weeks by default,
    /// see `gc.pruneExpire` in git-config(1)). The same arguments give the same commit.
    pub fn scratch_commit(
        &self,
        tree: &TreeId,
        parent: &CommitId,
        message: &str,
        when: i64,
    ) -> Result<CommitId> {
        let repo = self.open()?;
        commit(&repo, parent, tree.oid(), message, when).map(CommitId::from_oid)
    }
}

pub(crate) fn commit(
    repo: &Repository,
    parent: &CommitId,
    tree: Oid,
    message: &str,
    when: i64,
) -> Result<Oid> {
    let by = Signature::new(NAME, EMAIL, &Time::new(when, 0)).map_err(git("sign a commit"))?;
    let parent = repo
        .find_commit(parent.oid())
        .map_err(git("read the parent of a commit"))?;
    let tree = find_tree(repo, tree)?;
    // In two steps, because `git_commit_create` of libgit2 1.9 reports success when the disk is full: it drops the error
    // of its `git_odb_write`.
    let bytes = repo
        .commit_create_buffer(&by, &by, message, &tree, &[&parent])
        .map_err(git("compose a commit"))?;
    let odb = repo.odb().map_err(git("open the object database"))?;
    odb.write(ObjectType::Commit, &bytes)
        .map_err(git("write a commit"))
}

/// The error for a ref that is elsewhere.
pub(crate) fn moved(name: &str, expected: Option<Oid>, found: Option<Oid>) -> Error {
    let tell =
        |value: Option<Oid>| value.map_or_else(|| "nothing".to_owned(), |oid| oid.to_string());
    Error::RefMoved {
        name: name.to_owned(),
        expected: tell(expected),
        found: tell(found),
    }
}
