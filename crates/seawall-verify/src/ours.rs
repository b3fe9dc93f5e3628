//! Whether a name that a program printed means a file that the plan's tasks own.
//!
//! Programs name files by absolute path, relative to where they run, or as modules; all of them are tried, because a
//! wrong yes only takes a red check for what its exit status says, as it would be without this.

use seawall_core::path::RepoPath;
use seawall_core::plan::Plan;

/// The files that a plan's tasks own.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    plan: Option<&'a Plan>,
}

impl<'a> Ours<'a> {
    /// Those of this plan.
    #[must_use]
    pub fn of(plan: &'a Plan) -> Self {
        Self { plan: Some(plan) }
    }

    /// No files at all.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { plan: None }
    }

    /// Whether `name`, as printed, can mean one of the files, or a directory with one of them.
    pub(crate) fn has(&self, name: &str) -> bool {
        let name = trimmed(name);
        let mut paths = self.plan.into_iter().flat_map(|plan| {
            let tasks = plan.tasks.iter();
            tasks.flat_map(seawall_core::plan::Task::owned)
        });
        !name.is_empty() && paths.any(|path| means(name, path))
    }
}

/// The name without what tools put round it: `file://`, `./`, `:12:3`, `::test_x`.
fn trimmed(name: &str) -> &str {
    let name = name.strip_prefix("file://").unwrap_or(name);
    let name = name.split_once("::").map_or(name, |(path, _)| path);
    let mut name = name.trim_matches([',', ';', '"', '\'', '`', '[', ']', '<', '>', ' ']);
    while let Some((path, line)) = name.rsplit_once(':') {
        if !line.bytes().all(|b| b.is_ascii_digit()) {
            break;
        }
        name = path;
    }
    while let Some(rest) = name.strip_prefix("./").or_else(|| name.strip_prefix("../")) {
        name = rest;
    }
    name.trim_end_matches('/')
}

fn means(name: &str, path: &RepoPath) -> bool {
    let Ok(path) = std::str::from_utf8(path.as_bytes()) else {
        return false;
    };
    let within = |outer: &str, inner: &str| {
        outer
            .strip_suffix(inner)
            .is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    let mut above = path;
    loop {
        if within(name, above) {
            return true;
        }
        match above.rsplit_once('/') {
            Some((parent, _)) => above = parent,
            None => break,
        }
    }
    // Relative to a directory of the repository, or a module without its ending.
    let stem = stem(path);
    within(path, name) || within(stem, name) || is_module(name, stem)
}

/// The path without the last ending.
fn stem(path: &str) -> &str {
    let (dir, file) = path
        .rsplit_once('/')
        .map_or(("", path), |(dir, file)| (dir, file));
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => &path[..path.len() - (file.len() - stem.len())],
        _ if dir.is_empty() => file,
        _ => path,
    }
}

/// Whether the dotted name `pkg.new` is a run of whole parts of `src/pkg/new`.
fn is_module(name: &str, stem: &str) -> bool {
    let identifier =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !name.split('.').all(identifier) {
        return false;
    }
    let wanted: Vec<&str> = name.split('.').collect();
    let parts: Vec<&str> = stem.split('/').collect();
    parts.windows(wanted.len()).any(|window| window == wanted)
}
