//! A new function with the body of one that is there already.
//!
//! Bodies are compared token by token, without comments, layout and the function's own name, so only what was copied is
//! found, never what merely resembles. Only files that the task owns or reads are known: the worker had them before its eyes.
//! Tests repeat themselves honestly and are left alone. It is a note.

use std::collections::HashMap;

use seawall_core::finding::Severity;
use seawall_core::ids::Digest;
use seawall_core::path::RepoPath;

use super::look::{File, Found, Look, excerpt};
use crate::outline::{Kind, language, outline};

/// Tokens and lines of a body that nobody writes twice by chance.
const TOKENS: u32 = 50;
const LINES: u32 = 8;

/// The body of a function of some length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The function's full name in its file.
    pub name: String,
    /// Its first line, from 1.
    pub line: u32,
    /// The digest of its tokens.
    pub digest: Digest,
}

/// The functions of a file that are long enough to be known again. None of a file that cannot be parsed.
#[must_use]
pub fn bodies(path: &RepoPath, bytes: &[u8]) -> Vec<Body> {
    let outline = language(path).and_then(|language| outline(language, bytes));
    let items = outline.unwrap_or_default().items.into_iter();
    items
        .filter(|item| matches!(item.kind, Kind::Function | Kind::Method))
        .filter(|item| item.weight >= TOKENS && item.lines.1 + 1 - item.lines.0 >= LINES)
        .map(|item| Body {
            name: item.name,
            line: item.lines.0,
            digest: item.body,
        })
        .collect()
}

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    let all_of = |path: &RepoPath, text: Option<&[u8]>| -> Vec<Body> {
        text.map_or_else(Vec::new, |text| bodies(path, text))
    };
    let mut before: HashMap<Digest, usize> = HashMap::new();
    let mut now: Vec<(&File<'_>, Body)> = Vec::new();
    for file in &look.files {
        for body in all_of(file.path, file.before) {
            *before.entry(body.digest).or_default() += 1;
        }
        let after = all_of(file.path, file.after).into_iter();
        now.extend(after.map(|body| (file, body)));
    }
    let mut places: HashMap<&Digest, Vec<(&RepoPath, &Body)>> = HashMap::new();
    for (file, body) in &now {
        let copies = places.entry(&body.digest).or_default();
        copies.push((file.path, body));
    }
    let elsewhere = unchanged(look);
    for (file, body) in now.iter().filter(|(file, _)| !file.is_test()) {
        let copies = &places[&body.digest];
        let old = before.get(&body.digest).copied().unwrap_or(0);
        let is_new = file.added.iter().any(|(line, _)| *line == body.line);
        if copies.len() <= old || !is_new {
            continue; // it moved, or was there
        }
        let is_other =
            |(path, other): &&(&RepoPath, &Body)| (*path, other.line) != (file.path, body.line);
        let beside = copies.iter().find(is_other);
        if let Some((path, other)) = elsewhere.get(&body.digest).or(beside) {
            let own = excerpt(body.name.as_bytes());
            let name = excerpt(other.name.as_bytes());
            let text = format!("`{own}` has the body of `{name}` ({path}:{})", other.line);
            found.at(Severity::Note, file.path, body.line, text);
        }
    }
}

/// The functions of files that are as they were.
fn unchanged<'a>(look: &Look<'a>) -> HashMap<&'a Digest, (&'a RepoPath, &'a Body)> {
    let changed = |path: &RepoPath| look.files.iter().any(|file| file.path == path);
    let rest = look.known.iter().filter(|(path, _)| !changed(path));
    rest.flat_map(|(path, all)| all.iter().map(move |body| (&body.digest, (path, body))))
        .collect()
}
