//! Findings: what the rules say of a harvest, and of the files that a brief names.
//!
//! A harvest costs two looks into its tree and the reading of what changed. The files of a brief are read once for
//! all tasks that name them, those that are text and no larger than [`LARGEST`]; each attempt costs a look into the tree.

use std::sync::Arc;

use dashmap::DashMap;
use seawall_core::finding::Finding;
use seawall_core::ids::{Commit, TaskIx};
use seawall_core::path::RepoPath;
use seawall_git::{BlobId, Entry, EntryKind, Store};
use seawall_verify::{ChangedFile, Subject, context_findings, findings};

use crate::crew::{Crew, id};
use crate::error::ExecuteError;

/// The findings on a file of a brief, for all tasks that name it.
pub(crate) type Oddities = DashMap<(RepoPath, BlobId), Arc<[Finding]>>;

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
    let owned: Vec<_> = task.owned().collect();
    let paths: Vec<_> = owned.iter().map(|path| path.as_bytes()).collect();
    let (old, new) = (
        store.entries(before, &paths)?,
        store.entries(&after, &paths)?,
    );
    let mut files = Vec::new();
    for ((path, old), new) in owned.into_iter().zip(old).zip(new) {
        if old != new {
            files.push(ChangedFile {
                path: path.clone(),
                before: content(store, old)?,
                after: content(store, new)?,
            });
        }
    }
    Ok(findings(&Subject {
        plan: &crew.setup.plan,
        task,
        files: &files,
        claim,
    }))
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
        if let Some(seen) = crew.oddities.get(&key) {
            found.extend_from_slice(&seen);
            continue;
        }
        let text = content(store, Some(entry))?.filter(|bytes| is_text(bytes));
        let seen: Arc<[Finding]> = text
            .map_or_else(Vec::new, |text| context_findings(plan, path, &text))
            .into();
        found.extend_from_slice(&seen);
        crew.oddities.insert(key, seen);
    }
    Ok(found)
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.len() <= LARGEST && !bytes.contains(&0)
}
