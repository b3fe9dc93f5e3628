//! Opens a plain workspace of raw files: the files of a commit in a private directory, and nothing else.
//!
//! The directory appears under its name only when it is complete. Costs a file creation per file of the commit.

use std::path::Path;

use crate::error::Result;
use crate::id::CommitId;
use crate::raw::write_tree;
use crate::seed::create;
use crate::store::Store;
use crate::tree::commit_tree;

impl Store {
    /// Writes the files of a commit below `dest`, which must be on one file system with its parent, and the files to
    /// create as empty ones. Whatever stood at `dest` or was left half-written beside it is removed first, so the result
    /// is always fresh. Files get the mode 0644 or 0755, symlinks are made and never followed, submodules are empty
    /// directories.
    ///
    /// # Errors
    /// [`crate::Error::UnsafePlace`] when `dest` holds the repository, lies in the checkout, or in the git directory
    /// elsewhere than below `seawall`; [`crate::Error::UnsafeEntry`] for a hostile tree; [`crate::Error::AlreadyInBase`]
    /// for a file to create that exists.
    pub fn open_workspace(
        &self,
        commit: &CommitId,
        dest: &Path,
        creates: &[Vec<u8>],
    ) -> Result<()> {
        let place = self.begin(dest)?;
        let tree = commit_tree(&self.open()?, commit)?.id();
        write_tree(self, &place.root, tree)?;
        for path in creates {
            create(&place.root, path)?;
        }
        place.finish()
    }
}
