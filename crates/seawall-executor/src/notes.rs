//! What changed since the run began in the files that a task works with, for its brief.
//!
//! Each file costs two looks into trees; one that differs costs two parses, once for all tasks that ask, and a look into
//! each checkpoint since. What cannot be parsed in bounded time is told as that, and decides nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

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

/// The notes on those of `paths` whose interface is not what it was when the run began.
pub(crate) fn notes(
    crew: &Crew,
    base: &Commit,
    paths: &BTreeSet<RepoPath>,
) -> Result<Vec<Note>, ExecuteError> {
    let (first, base) = (id(&crew.setup.base)?, id(base)?);
    if first == base {
        return Ok(Vec::new());
    }
    let mut notes = Vec::new();
    for path in paths {
        if let Some(changes) = changes(crew, &first, &base, path)? {
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
    first: &CommitId,
    base: &CommitId,
    path: &RepoPath,
) -> Result<Option<Arc<Changes>>, ExecuteError> {
    let (store, Some(language)) = (&crew.setup.store, language(path)) else {
        return Ok(None);
    };
    let Some(after) = file(store, base, path)? else {
        return Ok(None);
    };
    let before = file(store, first, path)?;
    if before.as_ref() == Some(&after) {
        return Ok(None);
    }
    let changes = compare(crew, before, after, language)?;
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
