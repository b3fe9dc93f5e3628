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

/// What the settings of the user's checkout made of the files of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// the setting because of which the user's `git` wrote them
    pub why: String,
    /// how many files are not, byte by byte, as the commit has them
    pub converted: u64,
    /// how many paths of the commit a sparse checkout left out
    pub left_out: u64,
}

impl Store {
    /// What the user's settings made of a layer that was laid; none where Seawall wrote it itself.
    ///
    /// # Errors
    /// When the record beside the layer cannot be read.
    pub fn settings_of(&self, layer: &Path) -> Result<Option<Settings>> {
        let record = self.records().of(layer)?;
        Ok(record.map(|record| Settings {
            why: record.why.clone(),
            converted: record.converted.len() as u64,
            left_out: record.left_out.len() as u64,
        }))
    }

    /// Writes the files of a commit, as the user's own checkout would have them, as a layer at `dest`, which must be on one
    /// file system with its parent and gets its name when it is complete. Whatever stood there or was left half-written
    /// beside it is removed first. Files get the mode 0644 or 0755, symlinks are made and never followed, submodules are
    /// empty directories. Costs a file creation per file of the commit; where the user's settings convert files, what git
    /// and their filters take, and reading everything once. A record of what was converted is left beside the layer.
    ///
    /// # Errors
    /// [`crate::Error::UnsafePlace`] when `dest` holds the repository, lies in the checkout, or in the git directory
    /// elsewhere than below `seawall`; [`crate::Error::UnsafeEntry`] for a hostile tree; [`crate::Error::NoGit`] and
    /// [`crate::Error::GitFailed`] where the settings ask for git.
    pub fn lay_base(&self, commit: &CommitId, dest: &Path) -> Result<Laid> {
        let place = self.begin_layer(dest)?;
        let repo = self.open()?;
        let tree = commit_tree(&repo, commit)?.id();
        let laid = match needs_git(&repo, tree)? {
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
