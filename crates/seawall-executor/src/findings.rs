//! Findings: what the rules say of a harvest, and of the files that a brief names.
//!
//! A harvest costs two looks into its tree and the reading of what changed, and a third where an earlier wave has landed. The
//! files that tasks own and read are read once for all tasks that name them, those that are text and no larger than
//! [`LARGEST`]; each attempt costs a look into the tree. The names of all files are listed once for each base.

use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use seawall_core::finding::Finding;
use seawall_core::ids::{Commit, TaskIx};
use seawall_core::path::RepoPath;
use seawall_core::plan::Task;
use seawall_git::{BlobId, CommitId, Entry, EntryKind, Store};
use seawall_verify::{
    Around, Body, ChangedFile, Subject, bodies, context_findings, findings, language,
};

use crate::crew::{Crew, commit, id};
use crate::error::ExecuteError;

/// What is known of files, for all tasks that name them.
#[derive(Debug, Default)]
pub(crate) struct Oddities {
    /// The findings on files of briefs.
    context: DashMap<(RepoPath, BlobId), Arc<[Finding]>>,
    /// The functions of files, to know copies of them.
    bodies: DashMap<(RepoPath, BlobId), Arc<[Body]>>,
    /// What there is around the changes of the base that was asked about last.
    around: Mutex<Option<(CommitId, Arc<Around>)>>,
}

impl Oddities {
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

/// The largest file of a brief that is looked at, in bytes.
const LARGEST: usize = 1 << 20;
/// The most files of a brief that are looked at.
const MOST: usize = 200;

/// What is odd about the change of a harvest.
pub(crate) fn of_change(
    crew: &Crew,
    ix: TaskIx,
    harvest: &Commit,
    claim: &str,
) -> Result<Vec<Finding>, ExecuteError> {
    let (store, task) = (&crew.setup.store, crew.setup.plan.task(ix));
    let after = id(harvest)?;
    let facts = store.facts(&after)?;
    let Some(before) = facts.parents.first() else {
        return Err(ExecuteError::Lost(format!(
            "harvest `{harvest}` has no base"
        )));
    };
    let files = changed(crew, task, before, &after)?;
    let code = files.iter().any(|file| language(&file.path).is_some());
    let (around, known) = match code {
        true => (Some(around(crew, before)?), functions(crew, task, before)?),
        false => (None, Vec::new()),
    };
    Ok(findings(&Subject {
        plan: &crew.setup.plan,
        task,
        files: &files,
        claim,
        around: around.as_deref(),
        known: &known,
    }))
}

/// The files of the task that the harvest changed.
fn changed(
    crew: &Crew,
    task: &Task,
    before: &CommitId,
    after: &CommitId,
) -> Result<Vec<ChangedFile>, ExecuteError> {
    let store = &crew.setup.store;
    let owned: Vec<_> = task.owned().collect();
    let paths: Vec<_> = owned.iter().map(|path| path.as_bytes()).collect();
    let began = id(&crew.setup.base)?;
    let (old, new) = (
        store.entries(before, &paths)?,
        store.entries(after, &paths)?,
    );
    let first = match began == *before {
        true => old.clone(),
        false => store.entries(&began, &paths)?,
    };
    let mut files = Vec::new();
    for (((path, old), new), first) in owned.into_iter().zip(old).zip(new).zip(first) {
        if old != new {
            let earlier = (first != old).then(|| content(store, first)).transpose()?;
            files.push(ChangedFile {
                path: path.clone(),
                before: content(store, old)?,
                after: content(store, new)?,
                first: earlier,
            });
        }
    }
    Ok(files)
}

/// The modules and packages of a base: the names of all its files, and its manifests. Found once for all tasks of a wave.
fn around(crew: &Crew, base: &CommitId) -> Result<Arc<Around>, ExecuteError> {
    let mut kept = crew
        .oddities
        .around
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some((at, around)) = &*kept
        && at == base
    {
        return Ok(Arc::clone(around));
    }
    let store = &crew.setup.store;
    let (mut all, mut manifests) = (Vec::new(), Vec::new());
    for entry in store.list(base)? {
        let Ok(path) = RepoPath::new(&entry.path) else {
            continue;
        };
        if Around::is_manifest(&path)
            && let Some(bytes) = content(store, Some(entry))?
        {
            manifests.push((path.clone(), bytes));
        }
        all.push(path);
    }
    let around = Arc::new(Around::new(&all, &manifests));
    *kept = Some((base.clone(), Arc::clone(&around)));
    Ok(around)
}

/// A file, and the functions in it.
type FileFunctions = (RepoPath, Arc<[Body]>);

/// The functions of the files that the task owns or reads, each file parsed once for all tasks.
fn functions(
    crew: &Crew,
    task: &Task,
    base: &CommitId,
) -> Result<Vec<FileFunctions>, ExecuteError> {
    let store = &crew.setup.store;
    let reads = crew.reads.of(store, &commit(base), task)?;
    let named = task.files.iter().chain(&*reads);
    let named: Vec<_> = named
        .filter(|path| language(path).is_some())
        .take(MOST)
        .collect();
    let paths: Vec<_> = named.iter().map(|path| path.as_bytes()).collect();
    let mut found = Vec::new();
    for (path, entry) in named.into_iter().zip(store.entries(base, &paths)?) {
        let Some(entry) = entry else { continue };
        let key = (path.clone(), entry.blob.clone());
        if let Some(known) = crew.oddities.bodies.get(&key) {
            found.push((path.clone(), Arc::clone(&known)));
            continue;
        }
        let text = content(store, Some(entry))?.filter(|bytes| is_text(bytes));
        let known: Arc<[Body]> = text
            .map_or_else(Vec::new, |text| bodies(path, &text))
            .into();
        crew.oddities.bodies.insert(key, Arc::clone(&known));
        found.push((path.clone(), known));
    }
    Ok(found)
}

fn content(store: &Store, entry: Option<Entry>) -> Result<Option<Vec<u8>>, ExecuteError> {
    let file = entry.filter(|entry| matches!(entry.kind, EntryKind::File { .. }));
    Ok(file.map(|entry| store.blob(&entry.blob)).transpose()?)
}

/// What is odd about the files that a task's brief names, before anybody is sent to read them.
pub(crate) fn of_context(
    crew: &Crew,
    ix: TaskIx,
    base: &Commit,
) -> Result<Vec<Finding>, ExecuteError> {
    let (plan, task) = (&crew.setup.plan, crew.setup.plan.task(ix));
    let reads = crew.reads.of(&crew.setup.store, base, task)?;
    let (store, base) = (&crew.setup.store, id(base)?);
    let known: Vec<_> = task.files.iter().chain(&*reads).take(MOST).collect();
    let paths: Vec<_> = known.iter().map(|path| path.as_bytes()).collect();
    let mut found = Vec::new();
    for (path, entry) in known.into_iter().zip(store.entries(&base, &paths)?) {
        let Some(entry) = entry else { continue };
        let key = (path.clone(), entry.blob.clone());
        if let Some(seen) = crew.oddities.context.get(&key) {
            found.extend_from_slice(&seen);
            continue;
        }
        let text = content(store, Some(entry))?.filter(|bytes| is_text(bytes));
        let seen: Arc<[Finding]> = text
            .map_or_else(Vec::new, |text| context_findings(plan, path, &text))
            .into();
        found.extend_from_slice(&seen);
        crew.oddities.context.insert(key, seen);
    }
    Ok(found)
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.len() <= LARGEST && !bytes.contains(&0)
}
