//! What changed since the run began in the files that a task works with, for its brief.
//!
//! What differs is found once for a wave; a file that does costs two parses, once for all tasks that ask, and a look into
//! each checkpoint since. What cannot be parsed in bounded time is told as that, and decides nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use seawall_core::brief::Note;
use seawall_core::ids::Commit;
use seawall_core::path::RepoPath;
use seawall_git::{BlobId, CommitId, Entry, EntryKind, Store};
use seawall_verify::{Changes, Language, interface_note, language};

use crate::crew::{Crew, id};
use crate::error::ExecuteError;

/// Two versions of a file, and what they differ in.
pub(crate) type Known = DashMap<(Option<BlobId>, BlobId, Language), Arc<Changes>>;

/// What differs between the run's base and a later one: each path with its content before and after.
type Differences = HashMap<Vec<u8>, (Option<BlobId>, Option<BlobId>)>;

/// The differences on the base that was asked about last.
#[derive(Debug, Default)]
pub(crate) struct Changed(Mutex<Option<(Commit, Arc<Differences>)>>);

impl Changed {
    fn since(&self, crew: &Crew, base: &Commit) -> Result<Arc<Differences>, ExecuteError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, differences)) = &*kept
            && at == base
        {
            return Ok(Arc::clone(differences));
        }
        let (first, to) = (id(&crew.setup.base)?, id(base)?);
        let changes = crew.setup.store.changed_between(&first, &to)?.into_iter();
        let differences: Differences = changes
            .map(|change| (change.path, (change.before, change.after)))
            .collect();
        let differences = Arc::new(differences);
        *kept = Some((base.clone(), Arc::clone(&differences)));
        Ok(differences)
    }
}

/// The notes on those of `paths` whose interface is not what it was when the run began.
pub(crate) fn notes(
    crew: &Crew,
    base: &Commit,
    paths: &BTreeSet<&RepoPath>,
) -> Result<Vec<Note>, ExecuteError> {
    let changed = crew.changed.since(crew, base)?;
    let (first, base) = (id(&crew.setup.base)?, id(base)?);
    let mut notes = Vec::new();
    for path in paths {
        let Some((before, after)) = changed.get(path.as_bytes()) else {
            continue;
        };
        if let Some(changes) = changes(crew, before, after, path)? {
            let when = when(crew, &first, &base, path)?;
            notes.push(Note {
                head: format!("`{path}` changed {when}"),
                lines: changes.lines.clone(),
                more: changes.more,
            });
        }
    }
    Ok(notes)
}

fn changes(
    crew: &Crew,
    before: &Option<BlobId>,
    after: &Option<BlobId>,
    path: &RepoPath,
) -> Result<Option<Arc<Changes>>, ExecuteError> {
    let (Some(language), Some(after)) = (language(path), after) else {
        return Ok(None);
    };
    let changes = compare(crew, before.clone(), after.clone(), language)?;
    Ok(Some(changes).filter(|changes| !changes.lines.is_empty()))
}

/// Compares two versions of a file, once for all tasks.
fn compare(
    crew: &Crew,
    before: Option<BlobId>,
    after: BlobId,
    language: Language,
) -> Result<Arc<Changes>, ExecuteError> {
    let (store, key) = (&crew.setup.store, (before, after, language));
    if let Some(known) = crew.interfaces.get(&key) {
        return Ok(Arc::clone(&known));
    }
    let old = key.0.as_ref().map(|id| store.blob(id)).transpose()?;
    let new = store.blob(&key.1)?;
    let made = Arc::new(interface_note(language, old.as_deref(), &new));
    crew.interfaces.insert(key, Arc::clone(&made));
    Ok(made)
}

/// The content of a file; none when there is no regular file.
fn file(store: &Store, commit: &CommitId, path: &RepoPath) -> Result<Option<BlobId>, ExecuteError> {
    let entry = store.entry(commit, path.as_bytes())?;
    let is_file = |entry: &Entry| matches!(entry.kind, EntryKind::File { .. });
    Ok(entry.filter(is_file).map(|entry| entry.blob))
}

/// In which waves the file was changed, by the checkpoints between the two commits.
fn when(
    crew: &Crew,
    first: &CommitId,
    base: &CommitId,
    path: &RepoPath,
) -> Result<String, ExecuteError> {
    let store = &crew.setup.store;
    let mut waves = Vec::new();
    let mut at = base.clone();
    while at != *first {
        let facts = store.facts(&at)?;
        let Some(parent) = facts.parents.first() else {
            break;
        };
        if file(store, &at, path)? != file(store, parent, path)? {
            waves.extend(wave(&facts.message));
        }
        at = parent.clone();
    }
    waves.reverse();
    waves.dedup();
    Ok(match &waves[..] {
        [] => "since the run began".to_owned(),
        [one] => format!("in wave {one}"),
        many => format!("in waves {}", many.join(", ")),
    })
}

/// The wave of a checkpoint. Its last trailer of that name counts, for the goal above it is free text.
fn wave(message: &str) -> Option<String> {
    let (_, rest) = message.rsplit_once("\nSeawall-Wave: ")?;
    let number: u32 = rest.lines().next()?.parse().ok()?;
    Some(number.to_string())
}
