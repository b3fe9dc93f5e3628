//! Makes commits: checkpoints on the branch of a run, and scratch commits for trials.
//!
//! A commit depends on nothing but its arguments: author and committer are constants and the time is given. Doing it
//! again gives the same id, so a crash between commit and ref heals by repetition.

use git2::{ObjectType, Oid};

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::id::{CommitId, TreeId};
use crate::refs;
use crate::store::Store;

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
        let repo = self.handle()?;
        refs::check_branch(&repo, branch)?;
        let batch = Batch::new(&repo)?;
        let made = CommitId::from_oid(commit(&batch, parent, tree.oid(), message, when)?);
        match refs::value(&repo, branch)? {
            Some(at) if at == made.oid() => batch.flush(self)?,
            Some(_) => {
                let new = self.prepare_move(&repo, branch, parent, &made)?;
                batch.flush_with(self, Some(new.file()))?;
                new.set_for_good()?;
            }
            None => {
                batch.flush(self)?;
                refs::create(self, &repo, branch, &made)?;
            }
        }
        Ok(made)
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
        let repo = self.handle()?;
        let batch = Batch::new(&repo)?;
        let made = commit(&batch, parent, tree.oid(), message, when)?;
        batch.flush(self)?;
        Ok(CommitId::from_oid(made))
    }
}

/// Adds a commit; its parent and its tree must be there.
pub(crate) fn commit(
    batch: &Batch<'_>,
    parent: &CommitId,
    tree: Oid,
    message: &str,
    when: i64,
) -> Result<Oid> {
    batch.expect(parent.oid(), ObjectType::Commit)?;
    batch.expect(tree, ObjectType::Tree)?;
    let by = format!("{NAME} <{EMAIL}> {when} +0000");
    let mut text = format!("tree {tree}\nparent {parent}\nauthor {by}\ncommitter {by}\n\n");
    text.reserve_exact(message.len());
    // A commit has no NUL (fsck.c, `nulInCommit`).
    for (n, part) in message.split('\0').enumerate() {
        text.push_str(if n > 0 { "\u{fffd}" } else { "" });
        text.push_str(part);
    }
    batch.write(ObjectType::Commit, text.as_bytes())
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
