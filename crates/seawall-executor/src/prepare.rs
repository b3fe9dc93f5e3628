//! Re-reading: what the files of a wave's tasks are now, on the wave's own base.

use globset::{GlobBuilder, GlobMatcher};
use seawall_core::brief::FileFact;
use seawall_core::ids::{Commit, TaskIx};
use seawall_core::path::RepoPath;
use seawall_core::plan::Task;
use seawall_git::EntryKind;

use crate::crew::{Crew, Listing, commit, id};
use crate::error::ExecuteError;

/// What is known of a wave before anything of it is dispatched.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The tasks whose files are not what the plan says, and how.
    pub(crate) problems: Vec<(TaskIx, String)>,
    /// Where the branch that the run began on stands, if it is not where it was.
    pub(crate) moved: Option<Commit>,
}

/// Re-reads the files of a wave, and lays its base.
pub(crate) fn wave(
    crew: &Crew,
    base: &Commit,
    members: &[TaskIx],
) -> Result<Prepared, ExecuteError> {
    crew.bases.of_wave(base)?;
    Ok(Prepared {
        problems: problems(crew, base, members)?,
        moved: moved(crew)?,
    })
}

/// A branch that was deleted is told when it is missed: by `land`.
fn moved(crew: &Crew) -> Result<Option<Commit>, ExecuteError> {
    let Some(onto) = &crew.setup.onto else {
        return Ok(None);
    };
    let tip = crew.setup.store.tip(onto)?.map(|tip| commit(&tip));
    Ok(tip.filter(|tip| *tip != crew.setup.base))
}

fn problems(
    crew: &Crew,
    base: &Commit,
    members: &[TaskIx],
) -> Result<Vec<(TaskIx, String)>, ExecuteError> {
    let listing = crew.listing(base)?;
    let problem = |ix: &TaskIx| Some((*ix, problem(crew.setup.plan.task(*ix), &listing)?));
    Ok(members.iter().filter_map(problem).collect())
}

fn problem(task: &Task, listing: &Listing) -> Option<String> {
    let is_file = |path: &&RepoPath| matches!(listing.get(*path), Some(EntryKind::File { .. }));
    let gone = task
        .files
        .iter()
        .chain(&task.deletes)
        .find(|path| !is_file(path));
    if let Some(path) = gone {
        return Some(format!("`{path}` is no file of the wave's base any more"));
    }
    if let Some(path) = task.creates.iter().find(|path| listing.contains_key(*path)) {
        return Some(format!(
            "`{path}` is to be created, and the wave's base has it already"
        ));
    }
    let unread = !task.read_globs.is_empty() && reads(task, listing).is_empty();
    unread.then(|| "its `reads` match no file of the wave's base any more".to_owned())
}

/// The files that the task reads, as the listing has them, sorted.
pub(crate) fn reads(task: &Task, listing: &Listing) -> Vec<RepoPath> {
    let globs: Vec<_> = task
        .read_globs
        .iter()
        .filter_map(|glob| matcher(glob))
        .collect();
    if globs.is_empty() {
        return task.reads.clone();
    }
    let wanted = |path: &&RepoPath| globs.iter().any(|glob| glob.is_match(os(path)));
    let mut found: Vec<_> = listing.keys().filter(wanted).cloned().collect();
    found.sort();
    found
}

/// The plan's reader has checked that the glob compiles, with the same options.
fn matcher(glob: &str) -> Option<GlobMatcher> {
    let compiled = GlobBuilder::new(glob).literal_separator(true).build();
    compiled.ok().map(|glob| glob.compile_matcher())
}

fn os(path: &RepoPath) -> &std::ffi::OsStr {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(path.as_bytes())
}

/// Size and lines of each path in `base`.
pub(crate) fn facts(
    crew: &Crew,
    base: &Commit,
    paths: &[RepoPath],
) -> Result<Vec<FileFact>, ExecuteError> {
    let base = id(base)?;
    let fact = |path: &RepoPath| {
        let bytes = crew.setup.store.read(&base, path.as_bytes())?;
        Ok(FileFact {
            path: path.to_string(),
            bytes: bytes.as_ref().map(|bytes| bytes.len() as u64),
            lines: bytes.map_or(0, |bytes| {
                bytes.iter().filter(|b| **b == b'\n').count() as u64
            }),
        })
    };
    paths.iter().map(fact).collect()
}
