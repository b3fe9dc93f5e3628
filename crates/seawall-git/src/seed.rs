//! Files to create: they stand in a workspace from the start, empty, so that a worker which may only write its own files
//! needs no right to make any.

use std::path::Path;

use nix::errno::Errno;

use crate::dirfd::Root;
use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::path::{self, ancestors, as_path, name_of};
use crate::raw::{make_dir, make_file};
use crate::store::Store;
use crate::tree::{Node, commit_tree, node_at};

impl Store {
    /// Makes the files to create as empty ones in the upper directory of a workspace of `base`, with the directories above
    /// them. The upper directory exists and holds nothing else. Costs the depth of the paths.
    ///
    /// # Errors
    /// [`Error::AlreadyInBase`] for a file that exists; [`Error::InvalidPath`] for one that leads through a file.
    pub fn seed(&self, base: &CommitId, upper: &Path, creates: &[Vec<u8>]) -> Result<()> {
        if creates.is_empty() {
            return Ok(());
        }
        let repo = self.handle()?;
        let tree = commit_tree(&repo, base)?;
        let root = Root::open(upper)?;
        for path in creates {
            path::check(path)?;
            if tree.get_path(as_path(path)).is_ok() {
                return Err(Error::AlreadyInBase(path.clone()));
            }
            for above in ancestors(path) {
                if matches!(node_at(&tree, above)?, Some(Node::Leaf(_))) {
                    return Err(through_a_file(path));
                }
            }
            create(&root, path)?;
        }
        Ok(())
    }
}

/// Makes an empty file and the directories above it.
pub(crate) fn create(root: &Root, path: &[u8]) -> Result<()> {
    path::check(path)?;
    let mut above: Vec<_> = ancestors(path).collect();
    above.reverse();
    for dir in above {
        match make_dir(root, &open_above(root, dir)?, name_of(dir), dir) {
            Err(Error::Io { source, .. })
                if source.raw_os_error() == Some(Errno::EEXIST as i32) => {}
            made => made?,
        }
    }
    let dir = open_above(root, path)?;
    make_file(root, &dir, name_of(path), path, 0o644, true).map(drop)
}

fn open_above(root: &Root, path: &[u8]) -> Result<std::os::fd::OwnedFd> {
    root.above(path).map_err(|errno| match errno {
        Errno::ELOOP | Errno::ENOTDIR => through_a_file(path),
        errno => root.fail("open the directory of", path)(errno),
    })
}

fn through_a_file(path: &[u8]) -> Error {
    Error::InvalidPath {
        path: path.to_vec(),
        why: "it leads through something that is not a directory",
    }
}
