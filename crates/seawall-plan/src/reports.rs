//! Reads `junit`: where a command writes its report, which must be a place that only commands write to.

use std::collections::HashMap;
use std::ops::Range;

use seawall_core::diagnostic::Diagnostic;
use seawall_core::path::RepoPath;

use crate::context::Context;
use crate::gates::Gate;
use crate::ownership::Owns;
use crate::paths;
use crate::problems::error;
use crate::section::Section;
use crate::tasks::Tasks;

/// The path of the report that a command writes; what can be no such place is reported.
pub(crate) fn read(section: &Section<'_>, cx: &mut Context<'_>) -> Option<RepoPath> {
    let typed = section.text("junit")?;
    let path = paths::parse(&typed, &mut cx.problems)?;
    if paths::is_own(&path) {
        cx.problems.add(paths::own(&typed, &path));
        return None;
    }
    let tree = cx.tree.as_ref()?;
    paths::can_be_file(tree, &typed, &path, &mut cx.problems).then_some(path)
}

/// Reports the checks and holdouts of a task that would read a report from a file that the task owns.
pub(crate) fn check_owned(sections: &[Section<'_>], owns: &Owns, cx: &mut Context<'_>) {
    for section in sections {
        let Some(typed) = section.text("junit") else {
            continue;
        };
        let Ok(path) = RepoPath::unescape(typed.value) else {
            continue;
        };
        if owns.has(&path) {
            cx.problems.add(forged(&path, typed.span, "the task"));
        }
    }
}

/// Reports the gates that would read a report from a file that a task owns.
pub(crate) fn check_gates(gates: &[Gate], tasks: &Tasks, cx: &mut Context<'_>) {
    let reports = gates
        .iter()
        .filter_map(|gate| Some((gate.criterion.junit.as_ref()?, gate.junit.clone()?)));
    let reports: HashMap<&RepoPath, Range<usize>> = reports.collect();
    if reports.is_empty() {
        return;
    }
    for task in &tasks.tasks {
        let owned = task
            .owned()
            .filter_map(|path| Some((path, reports.get(path)?)));
        for (path, span) in owned {
            let owner = format!("task `{}`", crate::problems::shown(&task.id));
            cx.problems.add(forged(path, span.clone(), &owner));
        }
    }
}

fn forged(path: &RepoPath, span: Range<usize>, owner: &str) -> Diagnostic {
    error("SW0161", format!("{owner} owns the report `{path}`"))
        .at(span, "a worker could write it")
        .help("let the command write its report to a path that no task owns, such as `build/junit.xml`")
}
