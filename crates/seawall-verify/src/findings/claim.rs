//! What the worker said beside what it did: files that it says it changed and did not, and the reverse.
//!
//! Both are notes. Talk is loose, and nothing follows from it; but a worker that tells of another change than it made is
//! worth a look.

use seawall_core::finding::Severity;
use seawall_core::path::RepoPath;

use super::look::{Found, Look};

/// Words of sentences that tell what was not changed.
const NOT: &[&str] = &[
    "unchanged",
    "not change",
    "n't change",
    "no change",
    "untouched",
    "left",
    "already",
    "without",
    "not need",
];
/// Words of sentences that tell what was.
const DID: &[&str] = &[
    "changed",
    "updated",
    "edited",
    "modified",
    "rewrote",
    "added",
    "fixed",
    "replaced",
    "refactored",
    "implemented",
];
/// What is said by one that has done nothing.
const NOTHING: &[&str] = &[
    "no changes were",
    "no changes needed",
    "no changes made",
    "made no changes",
    "nothing to change",
    "nothing was changed",
    "no change was needed",
    "did not change anything",
];

/// Owned files that it says it changed and that are as they were.
pub(crate) fn unchanged(look: &Look<'_>, found: &mut Found) {
    for path in look.task.owned() {
        if look.files.iter().any(|file| file.path == path) {
            continue;
        }
        let said = sentences(look.claim)
            .find(|sentence| names(sentence, path) && has(sentence, DID) && !has(sentence, NOT));
        if said.is_some() {
            let text = "the worker says that it changed this file, which is as it was";
            found.file(Severity::Note, path, text);
        }
    }
}

/// Changes that it does not tell of, where it tells of others or of none.
pub(crate) fn unclaimed(look: &Look<'_>, found: &mut Found) {
    let claim = look.claim.to_lowercase();
    if NOTHING.iter().any(|words| claim.contains(words)) && !has(&claim, DID_SOME) {
        for file in &look.files {
            let text = "the worker says that it changed nothing, and this file changed";
            found.file(Severity::Note, file.path, text);
        }
        return;
    }
    let named = |path: &RepoPath| sentences(&claim).any(|s| names(&s, path));
    let (told, untold): (Vec<_>, Vec<_>) = look.files.iter().partition(|file| named(file.path));
    if !told.is_empty() {
        for file in untold {
            let text = "the worker tells of other files that it changed, and not of this one";
            found.file(Severity::Note, file.path, text);
        }
    }
}

/// What is said by one that has done something after all: `updated a.py, no changes needed in b.py`.
const DID_SOME: &[&str] = &[
    "updated",
    "edited",
    "modified",
    "rewrote",
    "fixed",
    "replaced",
    "refactored",
    "implemented",
];

/// The sentences of a text in lower case; a dot within a file's name ends none.
fn sentences(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().flat_map(|line| line.split(". "));
    lines.map(str::to_lowercase)
}

fn has(sentence: &str, words: &[&str]) -> bool {
    words.iter().any(|word| sentence.contains(word))
}

/// Whether a sentence names a file, by its path or its name, as a word of its own.
fn names(sentence: &str, path: &RepoPath) -> bool {
    let path = path.to_string().to_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    name.len() >= 3
        && sentence.match_indices(name).any(|(at, _)| {
            let before = sentence[..at].chars().next_back();
            let after = sentence[at + name.len()..].chars().next();
            !before.is_some_and(inside) && !after.is_some_and(inside)
        })
}
