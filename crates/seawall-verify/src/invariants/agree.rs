//! `agree`: values captured from several files are equal, or ordered.
//!
//! Values are compared as numbers where both are, whatever their units; else as text. A value that is nowhere, and two
//! numbers of which only one says a unit of time, cannot be compared, and nothing is guessed.

use std::cmp::Ordering;

use regex::bytes::Regex;
use seawall_core::evidence::Value;
use seawall_core::path::RepoPath;
use seawall_core::plan::{Capture, Relation};

use super::globs::Globs;
use super::number::{Number, number};
use super::{Facts, InvariantError, Said, Scene, could_not, unread};
use crate::findings::look::{excerpt, lines};

/// Values of one file that are kept; more than one is only of interest where they differ.
const KEPT: usize = 100;

#[derive(Debug)]
pub(super) struct Agree {
    captures: Vec<Place>,
    relation: Relation,
}

/// Where a value stands.
#[derive(Debug)]
struct Place {
    glob: String,
    paths: Globs,
    text: String,
    pattern: Regex,
}

/// A value that was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Which capture.
    capture: usize,
    line: u32,
    text: String,
}

/// A value with its place, to be told.
struct At<'a> {
    path: &'a RepoPath,
    line: u32,
    text: &'a str,
}

impl Agree {
    pub(super) fn new(captures: &[Capture], relation: Relation) -> Result<Self, InvariantError> {
        let place = |capture: &Capture| {
            let pattern = super::forbid::compile(&capture.pattern)?;
            if pattern.captures_len() != 2 {
                return Err(InvariantError::Group(capture.pattern.clone()));
            }
            Ok(Place {
                glob: capture.path.clone(),
                paths: Globs::new([&capture.path])?,
                text: capture.pattern.clone(),
                pattern,
            })
        };
        let captures = captures.iter().map(place).collect::<Result<_, _>>()?;
        Ok(Self { captures, relation })
    }

    pub(super) fn wants(&self, path: &RepoPath) -> bool {
        self.captures.iter().any(|place| place.paths.has(path))
    }

    pub(super) fn values(&self, path: &RepoPath, bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        for (capture, place) in self.captures.iter().enumerate() {
            if !place.paths.has(path) {
                continue;
            }
            let of_line = |(line, text)| {
                let groups = place.pattern.captures_iter(text);
                let values = groups.filter_map(|groups| groups.get(1));
                values.map(move |value| Found {
                    capture,
                    line,
                    text: clean(value.as_bytes()),
                })
            };
            found.extend(lines(bytes).flat_map(of_line).take(KEPT));
        }
        found
    }

    pub(super) fn judge(&self, scene: &Scene<'_>) -> (Value, String) {
        let mut firsts: Vec<At<'_>> = Vec::new();
        let mut missing = None;
        for (capture, place) in self.captures.iter().enumerate() {
            match place.value(capture, scene.files) {
                Ok(first) => firsts.push(first),
                Err((Value::Fail, why)) => return (Value::Fail, why),
                Err(trouble) => missing = missing.or(Some(trouble)),
            }
        }
        if let Some(trouble) = missing {
            return trouble;
        }
        for pair in firsts.windows(2) {
            if let Some(trouble) = self.relate(&pair[0], &pair[1]) {
                return trouble;
            }
        }
        let told: Vec<_> = firsts.iter().map(At::told).collect();
        (Value::Pass, told.join(", "))
    }

    /// Why two neighbours do not relate as they must.
    fn relate(&self, one: &At<'_>, other: &At<'_>) -> Option<(Value, String)> {
        let (told, other_told) = (one.told(), other.told());
        let order = match compare(one.text, other.text) {
            Ok(order) => order,
            Err(why) => return Some(could_not(format!("{told} and {other_told}: {why}"))),
        };
        let (holds, must) = match (self.relation, order) {
            (Relation::Equal, order) => (order == Some(Ordering::Equal), "be equal"),
            (_, None) => {
                let why = format!("{told} and {other_told} are not both numbers");
                return Some(could_not(why));
            }
            (Relation::Less, Some(order)) => (order.is_lt(), "be less"),
            (Relation::LessOrEqual, Some(order)) => (order.is_le(), "not be greater"),
        };
        (!holds).then(|| (Value::Fail, format!("{told} must {must}: {other_told}")))
    }
}

impl Place {
    /// The one value of all files.
    fn value<'a>(
        &self,
        capture: usize,
        files: &'a [(RepoPath, Facts)],
    ) -> Result<At<'a>, (Value, String)> {
        let mut first: Option<At<'a>> = None;
        let mut missing = None;
        for (path, facts) in files.iter().filter(|(path, _)| self.paths.has(path)) {
            let all = values(facts).iter();
            let mut here = all.filter(|found| found.capture == capture).peekable();
            if here.peek().is_none() {
                missing = missing.or(Some(path));
            }
            for found in here {
                let at = At {
                    path,
                    line: found.line,
                    text: &found.text,
                };
                let Some(known) = &first else {
                    first = Some(at);
                    continue;
                };
                if !is_same(known.text, at.text) {
                    let why = format!("{} is not {}", known.told(), at.told());
                    return Err((Value::Fail, why));
                }
            }
        }
        let of_it = files.iter().filter(|(path, _)| self.paths.has(path));
        if let Some(trouble) = unread(of_it) {
            return Err(trouble);
        }
        match (first, missing) {
            (Some(first), None) => Ok(first),
            (_, Some(path)) => Err(could_not(format!(
                "`{path}` has no value: nothing matches `{}`",
                self.text
            ))),
            (None, None) => Err(could_not(format!("no file matches `{}`", self.glob))),
        }
    }
}

impl At<'_> {
    fn told(&self) -> String {
        let text = excerpt(self.text.as_bytes());
        format!("`{text}` ({}:{})", self.path, self.line)
    }
}

fn values(facts: &Facts) -> &[Found] {
    match &facts.0 {
        Said::Values(values) => values,
        _ => &[],
    }
}

/// The value without white space and quotes round it.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let quotes = ['"', '\'', '`'];
    let bare = text
        .strip_prefix(quotes)
        .and_then(|t| t.strip_suffix(quotes));
    bare.unwrap_or(text).to_owned()
}

fn is_same(one: &str, other: &str) -> bool {
    one == other || matches!(compare(one, other), Ok(Some(Ordering::Equal)))
}

/// How two values relate; none when they differ and have no order, an error when nobody can say.
fn compare(one: &str, other: &str) -> Result<Option<Ordering>, &'static str> {
    match (number(one), number(other)) {
        (Some(a), Some(b)) if a == b && one != other && is_version(one) && is_version(other) => {
            Err("as numbers they are equal, as versions they are not")
        }
        (Some(one), Some(other)) => order(one, other),
        _ => Ok((one == other).then_some(Ordering::Equal)),
    }
}

/// Whether a number may be a version: `1.10`.
fn is_version(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn order(one: Number, other: Number) -> Result<Option<Ordering>, &'static str> {
    if one.measure == other.measure {
        return Ok(Some(one.value.cmp(&other.value)));
    }
    Err("only one of them says a unit of time")
}
