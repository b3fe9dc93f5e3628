//! Re-reading: what the files of a wave's tasks are now, on the wave's own base.

use std::collections::HashMap;

use seawall_core::brief::FileFact;
use seawall_core::event::Settings;
use seawall_core::ids::{Commit, TaskIx};
use seawall_core::path::RepoPath;
use seawall_core::plan::Task;
use seawall_git::{Entry, EntryKind};

use crate::crew::{Crew, commit, id};
use crate::error::ExecuteError;

/// What is known of a wave before anything of it is dispatched.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The tasks whose files are not what the plan says, and how.
    pub(crate) problems: Vec<(TaskIx, String)>,
    /// Where the branch that the run began on stands, if it is not where it was.
    pub(crate) moved: Option<Commit>,
    /// What the user's settings made of the run's base.
    pub(crate) settings: Option<Settings>,
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
        settings: crew.bases.settings()?,
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
    let tasks = members.iter().map(|ix| (*ix, crew.setup.plan.task(*ix)));
    let owned: Vec<_> = tasks.clone().flat_map(|(_, task)| task.owned()).collect();
    let paths: Vec<_> = owned.iter().map(|path| path.as_bytes()).collect();
    let found = crew.setup.store.entries(&id(base)?, &paths)?;
    let found: Found<'_> = owned.into_iter().zip(found).collect();
    let mut problems = Vec::new();
    for (ix, task) in tasks {
        let problem = match owned_problem(task, &found) {
            Some(problem) => Some(problem),
            None => unread(crew, base, task)?,
        };
        problems.extend(problem.map(|problem| (ix, problem)));
    }
    Ok(problems)
}

/// What the paths of a wave's tasks are on its base.
type Found<'a> = HashMap<&'a RepoPath, Option<Entry>>;

fn owned_problem(task: &Task, found: &Found<'_>) -> Option<String> {
    let kind = |path: &RepoPath| {
        found
            .get(path)
            .and_then(Option::as_ref)
            .map(|entry| &entry.kind)
    };
    let is_file = |path: &&RepoPath| matches!(kind(path), Some(EntryKind::File { .. }));
    let mut needed = task.files.iter().chain(&task.deletes);
    if let Some(path) = needed.find(|path| !is_file(path)) {
        return Some(format!("`{path}` is no file of the wave's base any more"));
    }
    let there = task.creates.iter().find(|path| kind(path).is_some());
    there.map(|path| format!("`{path}` is to be created, and the wave's base has it already"))
}

fn unread(crew: &Crew, base: &Commit, task: &Task) -> Result<Option<String>, ExecuteError> {
    let none =
        !task.read_globs.is_empty() && crew.reads.of(&crew.setup.store, base, task)?.is_empty();
    Ok(none.then(|| "its `reads` match no file of the wave's base any more".to_owned()))
}

/// Size and lines of each path in `base`.
pub(crate) fn facts<'a>(
    crew: &Crew,
    base: &Commit,
    paths: impl IntoIterator<Item = &'a RepoPath>,
) -> Result<Vec<FileFact>, ExecuteError> {
    let paths: Vec<_> = paths.into_iter().collect();
    let names: Vec<_> = paths.iter().map(|path| path.as_bytes()).collect();
    let mut facts = Vec::new();
    crew.setup.store.read_each(&id(base)?, &names, |n, bytes| {
        let lines = bytes.map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count());
        facts.push(FileFact {
            path: paths[n].to_string(),
            bytes: bytes.map(|bytes| bytes.len() as u64),
            lines: lines as u64,
        });
    })?;
    Ok(facts)
}
