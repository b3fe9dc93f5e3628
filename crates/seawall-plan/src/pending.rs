//! Settles what the base does not have as the plan wants it: another task may make it so.
//!
//! A task may work on a file that an earlier task creates, and create one that an earlier task deletes.
//! "Earlier" is plan order, which is how tasks on one path are ordered unless `after` says otherwise; a
//! plan that orders them only by `after`, against plan order, is asked to write them in order.

use std::collections::HashMap;

use seawall_core::path::RepoPath;

use crate::context::{Context, Pending, Wants};
use crate::paths;
use crate::problems::{error, shown};
use crate::tasks::Tasks;
use crate::tree::{Tree, is_glob};
use crate::world::Kind;

/// Reports everything that no task makes so.
pub(crate) fn settle(tasks: &Tasks, cx: &mut Context<'_>) {
    let pending = std::mem::take(&mut cx.pending);
    if pending.is_empty() {
        return;
    }
    let created = first_by_path(tasks, |t| &t.creates);
    let deleted = first_by_path(tasks, |t| &t.deletes);
    let mut new: Vec<(RepoPath, Kind)> =
        created.keys().map(|p| ((*p).clone(), Kind::File)).collect();
    new.sort();
    let mut new = Tree::new(&new);
    for Pending { wants, span, block } in pending {
        let before = |by: &HashMap<&RepoPath, u32>, path| {
            by.get(path)
                .is_some_and(|made| block.is_none_or(|b| *made < b))
        };
        match wants {
            Wants::File(path) if !before(&created, &path) => {
                missing(&path, span, created.get(&path), tasks, cx)
            }
            Wants::Free(path) if !before(&deleted, &path) => exists(&path, span, cx),
            Wants::Doomed(path) if !before(&created, &path) => nothing_to_delete(&path, span, cx),
            Wants::Glob(glob) if !some_match(&glob, &mut new) => reads_nothing(&glob, span, cx),
            Wants::File(_) | Wants::Free(_) | Wants::Doomed(_) | Wants::Glob(_) => {}
        }
    }
}

fn first_by_path(
    tasks: &Tasks,
    of: fn(&seawall_core::plan::Task) -> &Vec<RepoPath>,
) -> HashMap<&RepoPath, u32> {
    let mut first = HashMap::new();
    for (place, block) in (0..).zip(&tasks.blocks) {
        for task in &tasks.tasks[block.tasks.start as usize..block.tasks.end as usize] {
            for path in of(task) {
                first.entry(path).or_insert(place);
            }
        }
    }
    first
}

fn some_match(glob: &str, new: &mut Tree<'_>) -> bool {
    if is_glob(glob) {
        new.matching(glob).is_ok_and(|found| !found.is_empty())
    } else {
        RepoPath::unescape(glob).is_ok_and(|path| new.kind(path.as_bytes()).is_some())
    }
}

type Span = std::ops::Range<usize>;

fn missing(path: &RepoPath, span: Span, later: Option<&u32>, tasks: &Tasks, cx: &mut Context<'_>) {
    let Some(later) = later else {
        if let Some(tree) = &cx.tree {
            paths::missing(tree, span, path, &mut cx.problems);
        }
        return;
    };
    let creator = &tasks.blocks[*later as usize].id;
    cx.problems.add(
        error(
            "SW0116",
            format!(
                "there is no file `{path}` yet: `{}` creates it, and stands later in the plan",
                shown(creator)
            ),
        )
        .at(span, "not in the commit")
        .help("write the task that creates it first"),
    );
}

fn exists(path: &RepoPath, span: Span, cx: &mut Context<'_>) {
    cx.problems.add(
        error("SW0117", format!("`creates` names `{path}`, which exists"))
            .at(span, "already in the commit")
            .help(format!("a file to change is `file = \"{path}\"`")),
    );
}

fn nothing_to_delete(path: &RepoPath, span: Span, cx: &mut Context<'_>) {
    cx.problems.add(
        error("SW0118", format!("`deletes` names `{path}`, which does not exist"))
            .at(span, "not in the commit")
            .help("name a file of the base commit, or of an earlier task's `creates`; `git ls-files` lists the first"),
    );
}

fn reads_nothing(glob: &str, span: Span, cx: &mut Context<'_>) {
    cx.problems.add(
        error("SW0123", format!("`{}` matches no file", shown(glob)))
            .at(span, "nothing in the base commit, and no task creates it")
            .help("only regular files of the commit match, and `*` does not cross a `/`: `git ls-files` lists them, `**` crosses"),
    );
}
