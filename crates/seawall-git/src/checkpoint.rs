//! Makes commits: checkpoints on the branch of a run, and scratch commits for trials.
//!
//! A commit depends on nothing but its arguments: author and committer are constants and the time is given. Doing it
//! again gives the same id, so a crash between commit and ref heals by repetition.

use git2::{ObjectType, Oid, Repository, Signature, Time};

use crate::batch::Batch;
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
        let commit = self.commit(&repo, parent, tree, message, when)?;
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
        self.commit(&repo, parent, tree, message, when)
            .map(CommitId::from_oid)
    }

    /// Makes a commit, and brings it to disk.
    fn commit(
        &self,
        repo: &Repository,
        parent: &CommitId,
        tree: &TreeId,
        message: &str,
        when: i64,
    ) -> Result<Oid> {
        let batch = Batch::new(repo)?;
        let commit = commit(&batch, parent, tree.oid(), message, when)?;
        batch.flush(self)?;
        Ok(commit)
    }
}

pub(crate) fn commit(
    repo: &Batch<'_>,
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
    let bytes = repo
        .commit_create_buffer(&by, &by, message, &tree, &[&parent])
        .map_err(git("compose a commit"))?;
    repo.write(ObjectType::Commit, &bytes)
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
