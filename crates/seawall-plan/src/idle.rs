//! Tells of rules that have nothing to look at yet: their files are only made by a task, and the gate does not wait for it.
//!
//! A rule without files has shown nothing, which is never a pass, so such a gate would stop the waves before that task.

use std::collections::{HashMap, HashSet};

use seawall_core::diagnostic::Diagnostic;
use seawall_core::path::RepoPath;
use seawall_core::plan::Rule;

use crate::context::Context;
use crate::gates::Gate;
use crate::problems::{placed, shown, warning};
use crate::tasks::Tasks;
use crate::tree::{Tree, is_glob};
use crate::world::Kind;

/// Adds a warning for each gate that could be looked at before there is a file for it.
pub(crate) fn tell(gates: &[Gate], tasks: &Tasks, cx: &mut Context<'_>) {
    let Some(base) = cx.tree.as_mut() else {
        return;
    };
    let globs = gates
        .iter()
        .flat_map(|gate| globs(gate).map(move |glob| (gate, glob)));
    let idle: Vec<_> = globs
        .filter(|(_, glob)| matching(base, glob).is_empty())
        .collect();
    if idle.is_empty() {
        return;
    }
    let makers = makers(tasks);
    let mut files: Vec<_> = makers
        .keys()
        .map(|path| (path.clone(), Kind::File))
        .collect();
    files.sort();
    let mut made = Tree::new(&files);
    for (gate, glob) in idle {
        let of_glob = matching(&mut made, glob);
        let of_glob = of_glob.iter().filter_map(|path| makers.get(path));
        let Some(first) = of_glob.clone().min() else {
            continue; // was reported
        };
        let waits = |begun: &HashSet<u32>| of_glob.clone().any(|b| begun.contains(b));
        if gate.begun.as_ref().is_some_and(|begun| !waits(begun)) {
            let maker = &tasks.blocks[*first as usize].id;
            cx.problems.add(too_early(gate, glob, maker));
        }
    }
}

/// The globs that must match a file wherever the gate is looked at.
fn globs(gate: &Gate) -> impl Iterator<Item = &String> {
    let (list, captures) = match &gate.criterion.rule {
        Some(Rule::Forbid { paths, .. } | Rule::Imports { paths, .. }) => {
            (paths.as_slice(), &[][..])
        }
        Some(Rule::Wired { files, .. }) => (files.as_slice(), &[][..]),
        Some(Rule::Agree { captures, .. }) => (&[][..], captures.as_slice()),
        None => (&[][..], &[][..]),
    };
    list.iter()
        .chain(captures.iter().map(|capture| &capture.path))
}

fn matching(tree: &mut Tree<'_>, glob: &str) -> Vec<RepoPath> {
    if is_glob(glob) {
        return tree
            .matching(glob)
            .map(|found| found.to_vec())
            .unwrap_or_default();
    }
    let path = RepoPath::unescape(glob).ok();
    let there = path.filter(|path| tree.kind(path.as_bytes()) == Some(Kind::File));
    there.into_iter().collect()
}

/// The first block that creates each path.
fn makers(tasks: &Tasks) -> HashMap<RepoPath, u32> {
    let mut makers = HashMap::new();
    for (place, block) in (0..).zip(&tasks.blocks) {
        let of_block = &tasks.tasks[block.tasks.start as usize..block.tasks.end as usize];
        for path in of_block.iter().flat_map(|task| &task.creates) {
            makers.entry(path.clone()).or_insert(place);
        }
    }
    makers
}

fn too_early(gate: &Gate, glob: &str, maker: &str) -> Diagnostic {
    let (glob, maker) = (shown(glob), shown(maker));
    let message = format!(
        "`{glob}` of the {} matches no file before `{maker}` is done",
        gate.noun
    );
    let problem = warning("SW0216", message)
        .note("a rule without files has shown nothing, and that never passes")
        .help(format!("let it begin there: `after = [\"{maker}\"]`"));
    placed(problem, gate.looks.as_ref(), "nothing to look at yet")
}
