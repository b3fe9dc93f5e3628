//! The files that tasks read, as the globs of the plan find them on a wave's base.
//!
//! A glob lists only the directory of its literal beginning, and what it found is kept for all tasks of the wave that share it,
//! so the cost follows the directories that are read, not the repository.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use globset::{GlobBuilder, GlobMatcher};
use seawall_core::ids::Commit;
use seawall_core::path::RepoPath;
use seawall_core::plan::Task;
use seawall_git::{EntryKind, Store};

use crate::crew::id;
use crate::error::ExecuteError;

/// What globs match on one base.
type Matched = HashMap<Arc<[String]>, Arc<[RepoPath]>>;

/// What globs matched on the base that was asked about last.
#[derive(Debug, Default)]
pub(crate) struct Reads(Mutex<Option<(Commit, Matched)>>);

impl Reads {
    /// The files that the task reads on `base`, sorted.
    pub(crate) fn of(
        &self,
        store: &Store,
        base: &Commit,
        task: &Task,
    ) -> Result<Arc<[RepoPath]>, ExecuteError> {
        if task.read_globs.is_empty() {
            return Ok(task.reads.as_slice().into());
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, matched) = match &mut *kept {
            Some(known) if known.0 == *base => known,
            other => other.insert((base.clone(), Matched::new())),
        };
        if let Some(found) = matched.get(&task.read_globs) {
            return Ok(Arc::clone(found));
        }
        let found: Arc<[RepoPath]> = search(store, base, &task.read_globs)?.into();
        matched.insert(Arc::clone(&task.read_globs), Arc::clone(&found));
        Ok(found)
    }
}

fn search(store: &Store, base: &Commit, globs: &[String]) -> Result<Vec<RepoPath>, ExecuteError> {
    let matchers: Vec<_> = globs.iter().filter_map(|glob| matcher(glob)).collect();
    let dirs: Vec<_> = globs.iter().map(|glob| listed(glob).as_bytes()).collect();
    let wanted = |path: &RepoPath| {
        let path = OsStr::from_bytes(path.as_bytes());
        matchers.iter().any(|glob| glob.is_match(path))
    };
    let entries = store.list_below(&id(base)?, &dirs)?.into_iter();
    // A name that is no path of ours can be read by no task.
    let files = entries
        .filter(|entry| matches!(entry.kind, EntryKind::File { .. }))
        .filter_map(|entry| RepoPath::new(&entry.path).ok());
    Ok(files.filter(wanted).collect())
}

/// The plan's reader has checked that the glob compiles, with the same options.
fn matcher(glob: &str) -> Option<GlobMatcher> {
    let compiled = GlobBuilder::new(glob).literal_separator(true).build();
    compiled.ok().map(|glob| glob.compile_matcher())
}

/// The path that everything which the glob matches is at or below.
fn listed(glob: &str) -> &str {
    const META: &[char] = &['*', '?', '[', ']', '{', '}', '\\'];
    match glob.find(META) {
        None => glob,
        Some(open) => glob[..open].rfind('/').map_or("", |slash| &glob[..slash]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_lists_its_literal_directory() {
        for (glob, dir) in [
            ("src/a.py", "src/a.py"),
            ("src/*.py", "src"),
            ("src/a*/b.py", "src"),
            ("src/deep/{a,b}.py", "src/deep"),
            ("*.py", ""),
            ("s*/x", ""),
            ("src/\\*.py", "src"),
        ] {
            assert_eq!(listed(glob), dir, "{glob}");
        }
    }
}
