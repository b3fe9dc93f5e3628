//! Reads what a task owns: one file, a declared group, or each file that matches a glob.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use seawall_core::diagnostic::Diagnostic;
use seawall_core::path::RepoPath;

use crate::context::{Context, Pending, Wants};
use crate::paths::{self, Found};
use crate::problems::{At, error, placed, shown};
use crate::section::Section;
use crate::settings::expand;

/// What a task owns.
pub(crate) enum Owns {
    /// One file for each of its tasks, in the order of the bytes.
    Each(Arc<[RepoPath]>),
    /// These files, all together.
    Group(Group),
}

impl Owns {
    /// Whether a task, or one of the tasks, owns this path.
    pub(crate) fn has(&self, path: &RepoPath) -> bool {
        match self {
            Self::Each(files) => files.binary_search(path).is_ok(),
            Self::Group(group) => [&group.files, &group.creates, &group.deletes]
                .into_iter()
                .any(|paths| paths.contains(path)),
        }
    }
}

/// The files of one task.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) files: Vec<RepoPath>,
    pub(crate) creates: Vec<RepoPath>,
    pub(crate) deletes: Vec<RepoPath>,
}

/// Reads what the task of `section` owns, and where the text says so; none when it does not say it in
/// a way that makes sense, which was reported.
pub(crate) fn read(
    section: &Section<'_>,
    block: u32,
    cx: &mut Context<'_>,
) -> Option<(Owns, Range<usize>)> {
    let given: Vec<&str> = OWNING.into_iter().filter(|k| section.has(k)).collect();
    let Some(first) = given.first() else {
        cx.problems.add(owns_nothing(section));
        return None;
    };
    let place = section.place(first)?;
    if let Some((left, right)) = clash(&given) {
        cx.problems.add(together(section, left, right));
        return None;
    }
    if *first == "each" {
        let files = section.text("each").and_then(|glob| fan_out(&glob, cx))?;
        return Some((Owns::Each(files), place));
    }
    let group = read_group(section, block, cx);
    check_because(section, &group, &place, cx);
    Some((Owns::Group(group), place))
}

/// The keys that say what a task owns.
const OWNING: [&str; 5] = ["each", "file", "files", "creates", "deletes"];

/// The first two of `given` that cannot stand together.
fn clash<'k>(given: &[&'k str]) -> Option<(&'k str, &'k str)> {
    let second = given.get(1)?;
    match (given[0], *second) {
        ("each", other) | (other, "each") => Some(("each", other)),
        ("file", "files") => Some(("file", "files")),
        _ => None,
    }
}

fn owns_nothing(section: &Section<'_>) -> Diagnostic {
    let problem = error("SW0124", "a task owns nothing")
        .help("say what it may change: `file = \"path\"`, `each = \"glob\"`, or `creates`, `deletes`, `files` with `because`");
    placed(
        problem,
        section.header.as_ref(),
        "neither `file` nor `each`, `files`, `creates`, `deletes`",
    )
}

fn together(section: &Section<'_>, left: &str, right: &str) -> Diagnostic {
    let help = if left == "each" {
        format!("`each` makes one task per file; put `{right}` into a task of its own")
    } else {
        "keep `file` for one file, `files` with `because` for several".to_owned()
    };
    error(
        "SW0124",
        format!("`{left}` and `{right}` cannot stand together"),
    )
    .at(
        section.place(right).unwrap_or_default(),
        format!("`{left}` is there already"),
    )
    .help(help)
}

fn fan_out(glob: &At<&str>, cx: &mut Context<'_>) -> Option<Arc<[RepoPath]>> {
    let files = expand(glob, cx)?;
    if files.is_empty() {
        cx.problems.add(
            error("SW0123", format!("`{}` matches no file", shown(glob.value)))
                .at(glob.span.clone(), "nothing in the base commit")
                .help("only regular files of the commit match, and `*` does not cross a `/`: `git ls-files` lists them, `**` crosses"),
        );
        return None;
    }
    if let Some(own) = files.iter().find(|path| paths::is_own(path)) {
        cx.problems.add(paths::own(glob, own));
        return None;
    }
    Some(files)
}

fn read_group(section: &Section<'_>, block: u32, cx: &mut Context<'_>) -> Group {
    let mut seen = HashSet::new();
    let mut read = |typed: Vec<At<&str>>, wants: fn(RepoPath) -> Wants, cx: &mut Context<'_>| {
        typed
            .iter()
            .filter_map(|path| read_path(path, wants, block, &mut seen, cx))
            .collect()
    };
    let mut existing: Vec<At<&str>> = section.text("file").into_iter().collect();
    existing.extend(section.texts("files"));
    Group {
        files: read(existing, Wants::File, cx),
        creates: read(section.texts("creates"), Wants::Free, cx),
        deletes: read(section.texts("deletes"), Wants::Doomed, cx),
    }
}

fn read_path(
    typed: &At<&str>,
    wants: fn(RepoPath) -> Wants,
    block: u32,
    seen: &mut HashSet<RepoPath>,
    cx: &mut Context<'_>,
) -> Option<RepoPath> {
    let path = paths::parse(typed, &mut cx.problems)?;
    if paths::is_own(&path) {
        cx.problems.add(paths::own(typed, &path));
        return None;
    }
    if !seen.insert(path.clone()) {
        cx.problems.add(twice(typed, &path));
        return None;
    }
    let Some(tree) = cx.tree.as_ref() else {
        return Some(path);
    };
    let wants = wants(path.clone());
    let unmet = match paths::look(cx.world, tree, typed, &path, &mut cx.problems) {
        Found::File => matches!(wants, Wants::Free(_)),
        Found::Absent => !matches!(wants, Wants::Free(_)),
        Found::Refused => return None,
    };
    if unmet {
        cx.pending.push(Pending {
            wants,
            span: typed.span.clone(),
            block: Some(block),
        });
    }
    Some(path)
}

fn twice(typed: &At<&str>, path: &RepoPath) -> Diagnostic {
    error("SW0120", format!("a task names `{path}` twice"))
        .at(typed.span.clone(), "named before")
        .help("name each file once, under what happens to it")
}

fn check_because(section: &Section<'_>, group: &Group, place: &Range<usize>, cx: &mut Context<'_>) {
    let count = group.files.len() + group.creates.len() + group.deletes.len();
    if count > 1 && !section.has("because") {
        cx.problems.add(
            error("SW0125", format!("a task owns {count} files and does not say why"))
                .at(place.clone(), "one file per task is the rule")
                .help("make one task of each file, or say `because = \"…\"` why they must change together"),
        );
    }
}
