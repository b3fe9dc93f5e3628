//! Invariants by rule: the files of a tree are read, and what they say is judged. Nothing is run, and no workspace is made.
//!
//! What a file says to a rule is kept by its content, so a wave costs the files that it changed and a list of the tree.

use std::sync::Arc;
use std::time::Instant;

use dashmap::DashMap;
use seawall_core::evidence::{Evidence, Value};
use seawall_core::ids::{Commit, Digest};
use seawall_core::path::RepoPath;
use seawall_git::{BlobId, Entry, EntryKind};
use seawall_verify::{Facts, Invariant, Scene, manual};

use crate::crew::{Crew, id};
use crate::error::ExecuteError;
use crate::look::Look;

/// What files are kept of; with more, all are forgotten and read again.
const MOST: usize = 200_000;

/// What files say to rules: by the rule's number, the path and the content.
pub(crate) type Said = DashMap<(u32, RepoPath, BlobId), Facts>;

/// Judges the rules of these gates at a tree, in the order of their numbers.
pub(crate) fn look(
    crew: &Crew,
    look: &Look,
    numbers: &[u32],
) -> Result<Vec<Evidence>, ExecuteError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let (all, first) = (files(crew, &look.commit)?, files(crew, &crew.setup.base)?);
    let trees = Trees {
        paths: all.iter().map(|(path, _)| path.clone()).collect(),
        all,
        first,
    };
    numbers
        .iter()
        .map(|n| one(crew, look, &trees, *n))
        .collect()
}

/// The regular files of a tree, and of the one that the run began with.
struct Trees {
    all: Vec<(RepoPath, BlobId)>,
    first: Vec<(RepoPath, BlobId)>,
    paths: Vec<RepoPath>,
}

fn files(crew: &Crew, commit: &Commit) -> Result<Vec<(RepoPath, BlobId)>, ExecuteError> {
    let entries = crew.setup.store.list(&id(commit)?)?.into_iter();
    let file = |entry: Entry| match entry.kind {
        // A name that is no path of ours is matched by no glob.
        EntryKind::File { .. } => Some((RepoPath::new(&entry.path).ok()?, entry.blob)),
        _ => None,
    };
    Ok(entries.filter_map(file).collect())
}

fn one(crew: &Crew, look: &Look, trees: &Trees, number: u32) -> Result<Evidence, ExecuteError> {
    let began = Instant::now();
    let gate = crew.setup.plan.gates().nth(number as usize);
    let rule = gate.and_then(|gate| gate.rule.as_ref());
    let rule = rule.ok_or_else(|| ExecuteError::Lost(format!("gate {number} has no rule")))?;
    let (value, why) = match Invariant::new(rule) {
        Ok(rule) => {
            let files = said(crew, number, &rule, &trees.all, |path| rule.wants(path))?;
            let base = said(crew, number, &rule, &trees.first, |path| {
                rule.wants_base(path)
            })?;
            rule.judge(&Scene {
                files: &files,
                base: &base,
                all: &trees.paths,
            })
        }
        Err(error) => (Value::CouldNotLook, error.to_string()),
    };
    Ok(Evidence {
        value,
        output: Digest::of(why.as_bytes()),
        why,
        ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        ..manual(number, look.tree.clone())
    })
}

/// What the wanted files say to the rule.
fn said(
    crew: &Crew,
    number: u32,
    rule: &Invariant,
    files: &[(RepoPath, BlobId)],
    wants: impl Fn(&RepoPath) -> bool,
) -> Result<Arc<[(RepoPath, Facts)]>, ExecuteError> {
    let mut all = Vec::new();
    for (path, blob) in files.iter().filter(|(path, _)| wants(path)) {
        let key = (number, path.clone(), blob.clone());
        let known = crew.said.get(&key).map(|known| known.clone());
        let facts = match known {
            Some(known) => known,
            None => {
                let read = rule.facts(path, &crew.setup.store.blob(blob)?);
                if crew.said.len() >= MOST {
                    crew.said.clear();
                }
                crew.said.insert(key, read.clone());
                read
            }
        };
        all.push((path.clone(), facts));
    }
    Ok(all.into())
}
