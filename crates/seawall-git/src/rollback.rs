//! Takes back a landing that was interrupted, so that it can be done anew.
//!
//! libgit2's safe checkout takes a new file that is there already for a conflict, and leaves out a file in place of a
//! directory that is gone without a word. So the paths of the landing are first put back to the old commit. Each was
//! found to be as the old or the new commit has it, so nothing is lost that the repository does not hold.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use git2::build::CheckoutBuilder;
use git2::{Index, IndexEntry, IndexTime, ObjectType, Oid, Repository};

use crate::edit::Edit;
use crate::error::{Error, Result, git, io};
use crate::path::{ancestors, as_path};
use crate::tree::Leaf;

/// Puts the paths of the edits back to what they were before, in checkout and index.
pub(crate) fn roll_back(repo: &Repository, from: Oid, edits: &[Edit]) -> Result<()> {
    let Some(workdir) = repo.workdir() else {
        return Ok(());
    };
    for edit in edits.iter().filter(|edit| edit.from.is_none()) {
        remove_new(workdir, edit)?;
    }
    for edit in edits.iter().filter(|edit| edit.to.is_none()) {
        remove_empty(workdir, edit)?;
    }
    let mut index = repo.index().map_err(git("read the index"))?;
    unstage(&mut index, edits).map_err(git("put the index back"))?;
    index.write().map_err(git("write the index"))?;
    restore(repo, from, edits)
}

/// Writes the old files by force.
fn restore(repo: &Repository, from: Oid, edits: &[Edit]) -> Result<()> {
    let mut options = CheckoutBuilder::new();
    options.force().disable_pathspec_match(true);
    let old = edits.iter().filter(|edit| edit.from.is_some());
    let paths: Vec<_> = old.map(|edit| edit.path.as_slice()).collect();
    if paths.is_empty() {
        // No path would mean every path, and force would then cost the user everything unsaved.
        return Ok(());
    }
    for path in paths {
        options.path(path);
    }
    let old = repo
        .find_object(from, Some(ObjectType::Commit))
        .map_err(git("read the old commit"))?;
    repo.checkout_tree(&old, Some(&mut options))
        .map_err(git("put the checkout back"))
}

/// Removes a new file, and the directories above it that it leaves empty.
fn remove_new(workdir: &Path, edit: &Edit) -> Result<()> {
    let place = workdir.join(as_path(&edit.path));
    if !fs::symlink_metadata(&place).is_ok_and(|found| found.is_file()) {
        return Ok(());
    }
    fs::remove_file(&place).map_err(io("put back", &place))?;
    for above in ancestors(&edit.path) {
        // One that is not empty ends it; git keeps no empty directory, so none of them was the user's to lose.
        if fs::remove_dir(workdir.join(as_path(above))).is_err() {
            break;
        }
    }
    Ok(())
}

/// Removes an empty directory that stands where the old commit has a file.
fn remove_empty(workdir: &Path, edit: &Edit) -> Result<()> {
    let place = workdir.join(as_path(&edit.path));
    match fs::remove_dir(&place) {
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
            Err(Error::InTheWay(vec![edit.path.clone()]))
        }
        // Usually there is a file, or nothing.
        Err(error) if !matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::NotFound) => {
            Err(io("put back", &place)(error))
        }
        _ => Ok(()),
    }
}

/// Puts the entries back; the new ones go first, because one may be a directory of the old.
fn unstage(index: &mut Index, edits: &[Edit]) -> std::result::Result<(), git2::Error> {
    for edit in edits {
        let path = as_path(&edit.path);
        if edit.from.is_none() && index.get_path(path, 0).is_some() {
            index.remove(path, 0)?;
        }
    }
    for edit in edits {
        if let Some(leaf) = edit.from {
            index.add(&entry(&edit.path, leaf))?;
        }
    }
    Ok(())
}

/// An index entry without the times and sizes of a file: git looks at the file itself then.
fn entry(path: &[u8], leaf: Leaf) -> IndexEntry {
    IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: leaf.mode.unsigned_abs(),
        uid: 0,
        gid: 0,
        file_size: 0,
        id: leaf.id,
        flags: 0,
        flags_extended: 0,
        path: path.to_vec(),
    }
}
