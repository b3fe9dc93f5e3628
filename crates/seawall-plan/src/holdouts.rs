//! Reads holdouts: criteria that no worker sees, and the files beside the plan that only their workspaces hold.
//!
//! The bytes are read here, once each, so that a run carries them and nothing is looked up later. The cost is memory:
//! at most 16 MiB for a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use seawall_core::path::RepoPath;
use seawall_core::plan::{Criterion, Proof};

use crate::context::Context;
use crate::criteria::{self, Owned};
use crate::ownership::Owns;
use crate::paths;
use crate::problems::{At, error, shown};
use crate::section::Section;
use crate::world::NotBeside;

/// Bytes of the largest file that is put.
const LARGEST: u64 = 1 << 20;
/// Bytes of all files that are put, each counted once.
const ALL: u64 = 16 << 20;

/// Reads the holdouts of a task that owns `owns`.
pub(crate) fn read(
    sections: &[Section<'_>],
    owned: Owned,
    owns: Option<&Owns>,
    cx: &mut Context<'_>,
) -> Vec<Criterion> {
    let read = |section: &Section<'_>| {
        let run = section.text("run");
        if let Some(run) = &run {
            criteria::check_run(run, owned, "a holdout", &mut cx.problems);
        }
        let proof = match criteria::proof(section) {
            Proof::Manual => Proof::PassToPass, // reported: a holdout is always run
            proof => proof,
        };
        let looked = criteria::looked(section, proof, cx);
        let put = put(section, owns, cx);
        let says = criteria::read_says(section, cx.text, &mut cx.problems)?;
        Some(Criterion {
            says,
            run: Some(run?.value.to_owned()),
            put,
            ..looked
        })
    };
    sections.iter().filter_map(read).collect()
}

fn put(
    section: &Section<'_>,
    owns: Option<&Owns>,
    cx: &mut Context<'_>,
) -> BTreeMap<RepoPath, Arc<[u8]>> {
    let mut files = BTreeMap::new();
    for (target, source) in section.map("put") {
        let place = target_path(&target, owns, &files, cx);
        let bytes = source_bytes(&source, cx);
        if let (Some(place), Some(bytes)) = (place, bytes) {
            files.insert(place, bytes);
        }
    }
    files
}

/// Where a file is put; none when it cannot stand there, which was reported.
fn target_path(
    typed: &At<&str>,
    owns: Option<&Owns>,
    others: &BTreeMap<RepoPath, Arc<[u8]>>,
    cx: &mut Context<'_>,
) -> Option<RepoPath> {
    let path = paths::parse(typed, &mut cx.problems)?;
    let why = if owns.is_some_and(|owns| owns.has(&path)) {
        "the task owns it"
    } else if others.keys().any(|other| in_the_way(other, &path)) {
        "another file is put there"
    } else if cx.tree.as_ref().is_some_and(|tree| {
        let bytes = path.as_bytes();
        tree.is_directory(bytes) || tree.blocked(bytes).is_some() || tree.is_strange(bytes)
    }) {
        "no plain file can stand there"
    } else {
        return Some(path);
    };
    cx.problems.add(
        error("SW0160", format!("nothing can be put at `{path}`: {why}"))
            .at(typed.span.clone(), why)
            .help("name a path of its own for it, in a directory where the tests are found"),
    );
    None
}

/// Whether two paths are the same, or one would have to be a directory for the other.
fn in_the_way(a: &RepoPath, b: &RepoPath) -> bool {
    paths::is_inside(a, b) || paths::is_inside(b, a)
}

fn source_bytes(typed: &At<&str>, cx: &mut Context<'_>) -> Option<Arc<[u8]>> {
    let path = paths::parse(typed, &mut cx.problems)?;
    if let Some(known) = cx.put.files.get(&path) {
        return known.clone();
    }
    let bytes = fetch(typed, &path, cx);
    cx.put.files.insert(path, bytes.clone());
    bytes
}

fn fetch(typed: &At<&str>, path: &RepoPath, cx: &mut Context<'_>) -> Option<Arc<[u8]>> {
    let found = match cx.world.beside(path, LARGEST) {
        Ok(found) => found,
        Err(why) => return no_file(typed, &reason(&why), cx),
    };
    if let Some(seen) = seen(path, found.place.as_ref(), cx) {
        cx.problems.add(
            error("SW0159", format!("a worker would see `{path}`: {seen}"))
                .at(typed.span.clone(), "no secret from workers")
                .help("keep it outside of the repository beside the plan, or untracked"),
        );
        return None;
    }
    let before = cx.put.bytes;
    cx.put.bytes = before.saturating_add(found.bytes.len() as u64);
    if cx.put.bytes > ALL {
        return if before > ALL {
            None
        } else {
            no_file(typed, "all such files together have more than 16 MiB", cx)
        };
    }
    Some(found.bytes)
}

fn no_file(typed: &At<&str>, why: &str, cx: &mut Context<'_>) -> Option<Arc<[u8]>> {
    cx.problems.add(
        error(
            "SW0158",
            format!("`{}` cannot be put anywhere: {why}", shown(typed.value)),
        )
        .at(typed.span.clone(), why)
        .help("write the path, from the directory of the plan, of a plain file of at most 1 MiB"),
    );
    None
}

fn reason(why: &NotBeside) -> String {
    match why {
        NotBeside::Missing => "there is no such file beside the plan".to_owned(),
        NotBeside::Link => "it goes through a symbolic link".to_owned(),
        NotBeside::NotAFile => "it is not a plain file".to_owned(),
        NotBeside::TooLarge => "it has more than 1 MiB".to_owned(),
        NotBeside::Unread(why) => shown(why),
    }
}

/// Why a worker would see the file `path` beside the plan, which stands at `place` in the checkout.
fn seen(path: &RepoPath, place: Option<&RepoPath>, cx: &Context<'_>) -> Option<String> {
    if let Some(read) = cx
        .seen
        .opened
        .iter()
        .find(|read| cx.world.opens(read, path))
    {
        return Some(format!("`[sandbox] read` opens `{}`", shown(read)));
    }
    let place = place?;
    let tracked = cx.tree.as_ref()?.kind(place.as_bytes()).is_some();
    if tracked {
        return Some(format!("`{place}` is in the commit"));
    }
    let carried = &cx.seen.carried;
    let holder = carried.iter().find(|dir| paths::is_inside(place, dir))?;
    Some(format!("`{holder}` is carried into each workspace"))
}
