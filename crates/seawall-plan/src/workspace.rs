//! Reads `[workspace]`: how workspaces are made, and what of the user's checkout they carry along.
//!
//! What is carried must be ignored by git and hold nothing that a commit has: else it would stand in a harvest, or hide
//! files of the base. Whether it is there at all is for the host to say, not for the text.

use seawall_core::diagnostic::Diagnostic;
use seawall_core::path::RepoPath;
use seawall_core::plan::{WorkspaceMode, WorkspaceRules};

use crate::context::Context;
use crate::paths;
use crate::problems::{At, Problems, error, shown};
use crate::section::Section;

/// What is asked of a path that is carried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    Directory,
    File,
}

pub(crate) fn read(section: Option<&Section<'_>>, cx: &mut Context<'_>) -> WorkspaceRules {
    let Some(section) = section else {
        return WorkspaceRules::default();
    };
    let carry = all(&section.texts("carry"), As::Directory, cx);
    let carry_files = all(&section.texts("carry_files"), As::File, cx);
    overlapping(section, &carry, &carry_files, &mut cx.problems);
    WorkspaceRules {
        mode: match section.text("mode").map(|mode| mode.value) {
            Some("overlay") => WorkspaceMode::Overlay,
            Some("copy") => WorkspaceMode::Copy,
            _ => WorkspaceMode::Auto,
        },
        carry,
        carry_files,
    }
}

fn all(typed: &[At<&str>], kind: As, cx: &mut Context<'_>) -> Vec<RepoPath> {
    typed
        .iter()
        .filter_map(|path| one(path, kind, cx))
        .collect()
}

fn one(typed: &At<&str>, kind: As, cx: &mut Context<'_>) -> Option<RepoPath> {
    let path = paths::parse(typed, &mut cx.problems)?;
    let tree = cx.tree.as_ref()?;
    let tracked = tree.kind(path.as_bytes()).is_some()
        || tree.is_directory(path.as_bytes())
        || tree.blocked(path.as_bytes()).is_some();
    let why = match () {
        () if paths::is_own(&path) => return refuse(cx, paths::own(typed, &path)),
        () if tracked => "is in the commit",
        () if !is_ignored(&path, kind, cx) => "is not ignored by git",
        () => return Some(path),
    };
    let help = "carry what builds and installations leave behind; everything that is committed is in a workspace anyway";
    refuse(
        cx,
        error("SW0142", format!("`{}` {why}", shown(typed.value)))
            .at(typed.span.clone(), why)
            .help(help),
    )
}

fn refuse(cx: &mut Context<'_>, problem: Diagnostic) -> Option<RepoPath> {
    cx.problems.add(problem);
    None
}

/// A rule such as `target/` is for directories only, so for a directory a path below it is asked about.
fn is_ignored(path: &RepoPath, kind: As, cx: &Context<'_>) -> bool {
    match kind {
        As::File => cx.world.ignored(path),
        As::Directory => {
            let below = [path.as_bytes(), b"/x"].concat();
            RepoPath::new(&below).is_ok_and(|below| cx.world.ignored(&below))
        }
    }
}

/// One inside the other would be mounted twice.
fn overlapping(
    section: &Section<'_>,
    carry: &[RepoPath],
    files: &[RepoPath],
    problems: &mut Problems,
) {
    let all: Vec<_> = carry.iter().chain(files).collect();
    for (n, path) in all.iter().enumerate() {
        let others = all.iter().enumerate().filter(|(other, _)| *other != n);
        let mut inside = others.filter(|(_, other)| paths::is_inside(path, other));
        if let Some((_, other)) = inside.find(|(m, other)| *m < n || path != *other) {
            let span = section.header.clone().unwrap_or_default();
            problems.add(
                error("SW0142", format!("`{path}` is carried twice"))
                    .at(span, "one of these holds the other")
                    .help(format!("`{other}` has it already; remove `{path}`")),
            );
        }
    }
}
