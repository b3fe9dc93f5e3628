//! Invariants that are judged by reading files, without a command: `forbid`, `agree`, `wired`, `imports`.
//!
//! In two steps, so that the first can be kept by content: what one file says, and what all of that means. Nothing is run and
//! nothing is read here. There are three values: a file that cannot be read or parsed, a glob that matches no file and a
//! value that is nowhere have shown nothing, which is never a pass. The price is that a rule over files of which one cannot
//! be parsed stays without an answer until its globs leave that file out.

mod agree;
mod forbid;
mod globs;
mod imports;
mod marks;
mod number;
mod resolve;
mod uses;
mod wired;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use seawall_core::evidence::Value;
use seawall_core::path::RepoPath;
use seawall_core::plan::Rule;
use thiserror::Error;

use agree::Agree;
use forbid::Forbid;
use imports::Imports;
use wired::Wired;

/// The most bytes of a file that a rule reads.
pub const LARGEST_READ: usize = 16 << 20;

/// Why a rule cannot be used. The plan's reader finds these first.
#[derive(Debug, Error)]
pub enum InvariantError {
    /// A regular expression does not compile.
    #[error("`{pattern}` is no regular expression")]
    Pattern {
        /// As the plan has it.
        pattern: String,
        /// What is wrong with it.
        source: regex::Error,
    },
    /// A glob does not compile.
    #[error("`{glob}` is no glob")]
    Glob {
        /// As the plan has it.
        glob: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// The pattern of a capture does not have exactly one group.
    #[error("`{0}` must have one group, which is the value")]
    Group(String),
}

/// A rule, ready to look at files.
#[derive(Debug)]
pub struct Invariant(Kind);

#[derive(Debug)]
enum Kind {
    Forbid(Forbid),
    Agree(Agree),
    Wired(Wired),
    Imports(Imports),
}

/// What one file says to one rule; cheap to clone. It depends on the rule, the path and the content, and on nothing else.
#[derive(Clone, Debug)]
pub struct Facts(Said);

#[derive(Clone, Debug)]
enum Said {
    /// Nothing can be said of the file; why.
    Unreadable(String),
    /// The file has nothing to do with the rule, for example because it holds no code.
    Nothing,
    Lines(forbid::Lines),
    Values(Vec<agree::Found>),
    Uses(Arc<uses::Uses>),
    Imports(Arc<[crate::outline::imported::Import]>),
}

impl Facts {
    /// Those of a file that could not be read, for this reason.
    #[must_use]
    pub fn unreadable(why: impl Into<String>) -> Self {
        Self(Said::Unreadable(why.into()))
    }
}

/// The tree that is judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scene<'a> {
    /// What each file that the rule wants says.
    pub files: &'a [(RepoPath, Facts)],
    /// The same of the tree that the run began with; empty unless the rule asks for it.
    pub base: &'a [(RepoPath, Facts)],
    /// Every file of the tree.
    pub all: &'a [RepoPath],
}

impl Invariant {
    /// Prepares a rule.
    ///
    /// # Errors
    /// When a pattern or glob does not compile.
    pub fn new(rule: &Rule) -> Result<Self, InvariantError> {
        Ok(Self(match rule {
            Rule::Forbid { pattern, paths } => Kind::Forbid(Forbid::new(pattern, paths)?),
            Rule::Agree { captures, relation } => Kind::Agree(Agree::new(captures, *relation)?),
            Rule::Wired { files, entries } => Kind::Wired(Wired::new(files, entries)?),
            Rule::Imports { paths, forbid } => Kind::Imports(Imports::new(paths, forbid)?),
        }))
    }

    /// Whether this file must be read.
    #[must_use]
    pub fn wants(&self, path: &RepoPath) -> bool {
        match &self.0 {
            Kind::Forbid(rule) => rule.paths.has(path),
            Kind::Agree(rule) => rule.wants(path),
            Kind::Wired(rule) => rule.wants(path),
            Kind::Imports(rule) => rule.paths.has(path),
        }
    }

    /// Whether this file must be read in the tree that the run began with as well.
    #[must_use]
    pub fn wants_base(&self, path: &RepoPath) -> bool {
        match &self.0 {
            Kind::Wired(rule) => rule.files.has(path),
            _ => false,
        }
    }

    /// What a file says to the rule.
    #[must_use]
    pub fn facts(&self, path: &RepoPath, bytes: &[u8]) -> Facts {
        if bytes.len() > LARGEST_READ {
            return Facts::unreadable("it is larger than 16 MiB");
        }
        Facts(match &self.0 {
            Kind::Forbid(rule) => Said::Lines(rule.lines(bytes)),
            Kind::Agree(rule) => Said::Values(rule.values(path, bytes)),
            Kind::Wired(rule) => rule.facts(path, bytes),
            Kind::Imports(_) => imports::facts(path, bytes),
        })
    }

    /// Whether the rule holds, and why in a few words.
    #[must_use]
    pub fn judge(&self, scene: &Scene<'_>) -> (Value, String) {
        match &self.0 {
            Kind::Forbid(rule) => rule.judge(scene),
            Kind::Agree(rule) => rule.judge(scene),
            Kind::Wired(rule) => rule.judge(scene),
            Kind::Imports(rule) => rule.judge(scene),
        }
    }
}

/// Nothing can be said; why.
fn could_not(why: impl Into<String>) -> (Value, String) {
    (Value::CouldNotLook, why.into())
}

/// Why nothing can be said of all of these files, if nothing can be said of one.
fn unread<'a>(files: impl IntoIterator<Item = &'a (RepoPath, Facts)>) -> Option<(Value, String)> {
    let mut all = files.into_iter();
    all.find_map(|(path, facts)| match &facts.0 {
        Said::Unreadable(why) => Some(could_not(format!("`{path}` was not looked at: {why}"))),
        _ => None,
    })
}

/// `and 3 more`, where there are more than were told.
fn more(all: usize, told: usize) -> String {
    match all.saturating_sub(told) {
        0 => String::new(),
        n => format!(", and {n} more"),
    }
}
