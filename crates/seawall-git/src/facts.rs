//! Facts about single commits and branches, read without a checkout.

use git2::ErrorCode;

use crate::error::{Error, Result, git};
use crate::id::{CommitId, TreeId};
use crate::store::Store;

/// What a commit says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// its parents, in order
    pub parents: Vec<CommitId>,
    /// its tree
    pub tree: TreeId,
    /// its message; what is not UTF-8 in it is replaced
    pub message: String,
}

impl Store {
    /// Parents, tree and message of a commit.
    ///
    /// # Errors
    /// When there is no such commit.
    pub fn facts(&self, commit: &CommitId) -> Result<Facts> {
        let repo = self.handle()?;
        let found = repo
            .find_commit(commit.oid())
            .map_err(git("read a commit"))?;
        Ok(Facts {
            parents: found.parent_ids().map(CommitId::from_oid).collect(),
            tree: TreeId::from_oid(found.tree_id()),
            message: String::from_utf8_lossy(found.message_raw_bytes()).into_owned(),
        })
    }

    /// The commit that a branch, given by its full name, points at; none when there is no such branch.
    ///
    /// # Errors
    /// When the ref cannot be read or names no commit.
    pub fn tip(&self, branch: &str) -> Result<Option<CommitId>> {
        let repo = self.handle()?;
        match repo.find_reference(branch) {
            Ok(found) => {
                let commit = found
                    .peel_to_commit()
                    .map_err(git("read the commit of a branch"))?;
                Ok(Some(CommitId::from_oid(commit.id())))
            }
            Err(source) if source.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(Error::Git {
                doing: "read a branch",
                source,
            }),
        }
    }
}
