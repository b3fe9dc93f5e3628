//! What stands in the way of a landing: the user's unsaved work at paths that would be written.
//!
//! libgit2's safe checkout looks at the files alone. Here a staged change counts too, an ignored file is as dear as any
//! other, and every path in the way is named before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use git2::{Index, Oid, Repository, StatusEntry};

use crate::edit::Edit;
use crate::error::{Error, Result, git};
use crate::path::{ancestors, as_path, join};
use crate::store::everything_unsaved;
use crate::tree::EntryKind;

/// Refuses when a path that is to change is not as the old commit has it, unless it is already as the new one has it.
///
/// Returns whether some are as the new commit has them, as a landing that was interrupted leaves them.
pub(crate) fn refuse_changes(repo: &Repository, edits: &[Edit]) -> Result<bool> {
    let Some(workdir) = repo.workdir() else {
        return Ok(false);
    };
    let going = edits.iter().filter(|edit| edit.to.is_none());
    let way = Way {
        workdir,
        index: repo.index().map_err(git("read the index"))?,
        unsaved: unsaved(repo, edits)?,
        going: going.map(|edit| edit.path.as_slice()).collect(),
    };
    let blocked = edits.iter().filter(|edit| way.is_blocked(edit));
    let paths: Vec<_> = blocked.map(|edit| edit.path.clone()).collect();
    if !paths.is_empty() {
        return Err(Error::InTheWay(paths));
    }
    Ok(!way.unsaved.is_empty())
}

/// Which of the paths differ from `HEAD` in the index or the checkout, and whether something is staged for them.
fn unsaved(repo: &Repository, edits: &[Edit]) -> Result<BTreeMap<Vec<u8>, bool>> {
    let mut options = everything_unsaved();
    options.include_ignored(true).recurse_ignored_dirs(true);
    options.disable_pathspec_match(true);
    for edit in edits {
        options.pathspec(edit.path.as_slice());
    }
    let statuses = repo
        .statuses(Some(&mut options))
        .map_err(git("compare the checkout with HEAD"))?;
    let staged = |entry: &StatusEntry<'_>| entry.head_to_index().is_some();
    Ok(statuses
        .iter()
        .map(|entry| (entry.path_bytes().to_vec(), staged(&entry)))
        .collect())
}

/// The checkout as it is before landing.
struct Way<'l> {
    workdir: &'l Path,
    index: Index,
    unsaved: BTreeMap<Vec<u8>, bool>,
    /// the paths that the new commit does not have
    going: BTreeSet<&'l [u8]>,
}

impl Way<'_> {
    fn is_blocked(&self, edit: &Edit) -> bool {
        let staged = self.unsaved.get(&edit.path) == Some(&true) && !self.is_staged(edit);
        let comes = edit.from.is_none();
        let changed = (self.unsaved.contains_key(&edit.path) || comes) && !self.is_at_target(edit);
        staged || changed || comes && self.is_blocked_above(&edit.path)
    }

    /// Whether the index has a path as the new commit has it.
    fn is_staged(&self, edit: &Edit) -> bool {
        let staged = self
            .index
            .get_path(as_path(&edit.path), 0)
            .map(|entry| entry.id);
        staged == edit.to.map(|to| to.id)
    }

    /// Whether something that is no directory stands where a new file needs one, other than a file that goes.
    fn is_blocked_above(&self, path: &[u8]) -> bool {
        ancestors(path).any(|above| {
            let found = fs::symlink_metadata(self.workdir.join(as_path(above)));
            found.is_ok_and(|found| !found.is_dir()) && !self.going.contains(above)
        })
    }

    /// Whether nothing would be lost at a path: it is byte by byte as the new commit has it, as a landing that was
    /// interrupted leaves it, or a new path is free.
    fn is_at_target(&self, edit: &Edit) -> bool {
        let path = self.workdir.join(as_path(&edit.path));
        let found = fs::symlink_metadata(&path);
        match (edit.to, found) {
            (to, Err(_)) => to.is_none() || edit.from.is_none(),
            (None, Ok(found)) => found.is_dir(),
            (Some(_), Ok(found)) if found.is_dir() => {
                edit.from.is_none() && self.all_goes(&edit.path)
            }
            (Some(to), Ok(found)) => {
                let same =
                    || Oid::hash_file(git2::ObjectType::Blob, &path).is_ok_and(|id| id == to.id);
                matches!(to.kind, EntryKind::File { .. }) && found.is_file() && same()
            }
        }
    }

    /// Whether every file in a directory goes.
    fn all_goes(&self, dir: &[u8]) -> bool {
        let mut pending = vec![dir.to_vec()];
        while let Some(dir) = pending.pop() {
            let Ok(entries) = fs::read_dir(self.workdir.join(as_path(&dir))) else {
                return false;
            };
            for entry in entries {
                let Ok(entry) = entry else { return false };
                let path = join(&dir, entry.file_name().as_bytes());
                match entry.file_type().is_ok_and(|found| found.is_dir()) {
                    true => pending.push(path),
                    false if self.going.contains(path.as_slice()) => {}
                    false => return false,
                }
            }
        }
        true
    }
}

/// The paths that are not as they should be after a landing.
pub(crate) fn unfinished(repo: &Repository, edits: &[Edit]) -> Result<Vec<Vec<u8>>> {
    let Some(workdir) = repo.workdir() else {
        return Ok(Vec::new());
    };
    let index = repo.index().map_err(git("read the index"))?;
    let done = |edit: &Edit| {
        let found = fs::symlink_metadata(workdir.join(as_path(&edit.path)));
        let staged = index.get_path(as_path(&edit.path), 0).map(|entry| entry.id);
        let present = found.is_ok_and(|found| edit.to.is_some() || !found.is_dir());
        present == edit.to.is_some() && staged == edit.to.map(|to| to.id)
    };
    Ok(edits
        .iter()
        .filter(|edit| !done(edit))
        .map(|edit| edit.path.clone())
        .collect())
}
