//! Lays layers: immutable directories that workspaces are stacked of.
//!
//! A *base* holds the files of one commit, a *change* only what a later commit has otherwise, with the marks of an
//! overlay for what is gone. A workspace is a stack of them below an upper directory of its own. A layer is never written
//! again once it has its name: whoever has it mounted would see it.

use std::path::Path;

use crate::conversions::{Record, beside};
use crate::error::Result;
use crate::id::CommitId;
use crate::place::Partial;
use crate::raw::write_tree;
use crate::remove::remove_workspace;
use crate::settings::needs_git;
use crate::store::Store;
use crate::tree::commit_tree;
use crate::users_git::UsersGit;

/// As what the files of a commit are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkout {
    /// as the user's own checkout has them: line ends, filters, sparse checkout
    User,
    /// as the commit has them, byte by byte
    Raw,
}

/// How a layer was laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Laid {
    /// who wrote the files: Seawall, or the user's `git` because of the settings of the checkout
    pub by: LaidBy,
    /// how many files, links and submodules it holds
    pub files: u64,
    /// how many of them are not, byte by byte, as the commit has them
    pub converted: u64,
    /// how many paths of the commit a sparse checkout left out
    pub left_out: u64,
}

/// Who wrote the files of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaidBy {
    /// Seawall itself: nothing was to be converted
    Seawall,
    /// `git`, with the user's settings
    Git,
}

impl Store {
    /// Writes the files of a commit as a layer at `dest`, which gets its name when it is complete. Whatever stood there is
    /// removed first. Costs a file creation per file of the commit; where the user's settings convert files, what git and
    /// their filters take, and reading everything once. A record of what was converted is left beside the layer.
    ///
    /// # Errors
    /// Those of [`Store::open_workspace`]; [`crate::Error::NoGit`] and [`crate::Error::GitFailed`] where the settings ask for
    /// git.
    pub fn lay_base(&self, commit: &CommitId, dest: &Path, checkout: Checkout) -> Result<Laid> {
        let place = self.begin_layer(dest)?;
        let repo = self.open()?;
        let tree = commit_tree(&repo, commit)?.id();
        let why = match checkout {
            Checkout::Raw => None,
            Checkout::User => needs_git(&repo, tree)?,
        };
        let laid = match why {
            Some(why) => self.lay_with_git(commit, &place, &why)?,
            None => Laid {
                by: LaidBy::Seawall,
                files: write_tree(self, &place.root, tree)?,
                converted: 0,
                left_out: 0,
            },
        };
        place.finish()?;
        Ok(laid)
    }

    fn lay_with_git(&self, commit: &CommitId, place: &Partial, why: &str) -> Result<Laid> {
        let index = beside(place.dest(), ".index");
        remove_workspace(&index)?;
        let git = UsersGit::new(self, commit, why)?;
        let done = git.check_out(commit, place.path(), &index);
        let record = done.and_then(|()| Record::take(&place.root, &index, commit, why));
        remove_workspace(&index)?;
        let record = record?;
        record.write(place.dest())?;
        Ok(Laid {
            by: LaidBy::Git,
            files: record.files,
            converted: record.converted.len() as u64,
            left_out: record.left_out.len() as u64,
        })
    }

    /// Begins a layer; the record of one that stood there goes with it.
    pub(crate) fn begin_layer(&self, dest: &Path) -> Result<Partial> {
        let place = self.begin(dest)?;
        remove_workspace(&beside(place.dest(), ".record"))?;
        Ok(place)
    }
}
