//! `forbid`: no line of these files matches.

use regex::bytes::Regex;
use seawall_core::evidence::Value;
use seawall_core::path::RepoPath;

use super::globs::Globs;
use super::{Facts, InvariantError, Said, Scene, could_not, more, unread};
use crate::findings::look::{excerpt, lines};

/// Lines of one file that are kept.
const KEPT: usize = 20;
/// Lines that are told.
const TOLD: usize = 3;

#[derive(Debug)]
pub(super) struct Forbid {
    text: String,
    pattern: Regex,
    pub(super) paths: Globs,
}

/// The lines of a file that match: the first ones, and how many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    first: Vec<(u32, String)>,
    all: usize,
}

impl Forbid {
    pub(super) fn new(pattern: &str, paths: &[String]) -> Result<Self, InvariantError> {
        Ok(Self {
            text: pattern.to_owned(),
            pattern: compile(pattern)?,
            paths: Globs::new(paths)?,
        })
    }

    pub(super) fn lines(&self, bytes: &[u8]) -> Lines {
        let mut found = Lines::default();
        if bytes.is_empty() {
            return found;
        }
        for (number, line) in lines(bytes) {
            if self.pattern.is_match(line) {
                found.all += 1;
                if found.first.len() < KEPT {
                    found.first.push((number, excerpt(line)));
                }
            }
        }
        found
    }

    pub(super) fn judge(&self, scene: &Scene<'_>) -> (Value, String) {
        let mut told: Vec<String> = Vec::new();
        let mut all = 0;
        for (path, lines) in hits(scene.files) {
            all += lines.all;
            for (line, text) in &lines.first {
                if told.len() < TOLD {
                    told.push(format!("{path}:{line} `{text}`"));
                }
            }
        }
        if all > 0 {
            let more = more(all, told.len());
            let why = format!("`{}` is forbidden: {}{more}", self.text, told.join(", "));
            return (Value::Fail, why);
        }
        let paths = scene.files.iter().map(|(path, _)| path);
        if let Some(glob) = self.paths.idle(paths) {
            return could_not(format!("no file matches `{glob}`"));
        }
        unread(scene.files).unwrap_or_else(|| {
            let files = seawall_core::words::many(scene.files.len(), "file");
            (Value::Pass, format!("no line of {files} matches"))
        })
    }
}

fn hits(files: &[(RepoPath, Facts)]) -> impl Iterator<Item = (&RepoPath, &Lines)> {
    files.iter().filter_map(|(path, facts)| match &facts.0 {
        Said::Lines(lines) => Some((path, lines)),
        _ => None,
    })
}

/// Compiles a pattern as plans have it.
pub(super) fn compile(pattern: &str) -> Result<Regex, InvariantError> {
    Regex::new(pattern).map_err(|source| InvariantError::Pattern {
        pattern: pattern.to_owned(),
        source,
    })
}
