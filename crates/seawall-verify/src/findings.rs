//! What is odd about a change though no check says so: rules, one a file.
//!
//! A rule is a pure function of the task, the files before and after, and what the worker said. Its severity follows from
//! how sure it can be: it blocks only what no honest change contains, holds what a person can settle at a glance, and notes
//! the rest, because work that is held up without a cause costs more than an oddity that is merely told. Where the plan
//! asks for what a rule looks for, the rule is silent or says a note. A plan may set another severity, with a reason.
//!
//! The price of reading code as code: a file that cannot be parsed in bounded time has no findings that need its tree, so
//! such a rule never blocks alone for being slow.

mod apply;
mod binary;
mod claim;
mod comments;
mod context;
mod debug;
mod dependencies;
mod duplicate;
mod elided;
mod emptied;
mod examined;
mod executed;
mod foreign;
mod hidden;
mod line_ends;
pub(crate) mod look;
pub(crate) mod manifest;
mod merge_marker;
mod reformat;
mod reverts;
mod secrets;
mod size;
mod stubs;
mod swallowed;
mod tests_counted;
mod weaker_tests;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use seawall_core::finding::{Finding, Severity};
use seawall_core::path::RepoPath;
use seawall_core::plan::{Plan, Task};

pub use duplicate::{Body, bodies};

use crate::around::Around;
use look::{Found, Look};

/// One file of a change.
#[derive(Clone, Debug)]
pub struct ChangedFile {
    /// Where it is.
    pub path: RepoPath,
    /// Its content in the base; none when there is no regular file.
    pub before: Option<Vec<u8>>,
    /// Its content in the harvest; none when there is no regular file any more.
    pub after: Option<Vec<u8>>,
    /// Its content when the run began, if that is not what it is in the base: an earlier wave changed it. The inner none
    /// when there was no regular file.
    pub first: Option<Option<Vec<u8>>>,
}

/// What the rules look at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The task.
    pub task: &'a Task,
    /// The files that the harvest changed.
    pub files: &'a [ChangedFile],
    /// The last lines that the worker printed.
    pub claim: &'a str,
    /// What there is around the change; without it nothing is said of imports.
    pub around: Option<&'a Around>,
    /// The functions of the other files that the task owns or reads, see [`bodies`].
    pub known: &'a [(RepoPath, Arc<[Body]>)],
}

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its code, which `seawall explain` knows.
    pub code: &'static str,
    /// The worst that follows from it by itself.
    pub severity: Severity,
    look: fn(&Look<'_>, &mut Found),
}

const fn rule(code: &'static str, severity: Severity, look: fn(&Look<'_>, &mut Found)) -> Rule {
    Rule {
        code,
        severity,
        look,
    }
}

/// Every rule, in the order of the codes.
pub const RULES: &[Rule] = &[
    rule("SW0501", Severity::Block, merge_marker::look),
    rule("SW0502", Severity::Hold, executed::look),
    rule("SW0503", Severity::Block, hidden::look),
    rule("SW0504", Severity::Block, secrets::look),
    rule("SW0505", Severity::Block, emptied::look),
    rule("SW0506", Severity::Note, comments::look),
    rule("SW0507", Severity::Hold, line_ends::look),
    rule("SW0508", Severity::Note, reformat::look),
    rule("SW0509", Severity::Block, binary::look),
    rule("SW0510", Severity::Block, stubs::look),
    rule("SW0511", Severity::Block, elided::look),
    rule("SW0512", Severity::Note, swallowed::look),
    rule("SW0513", Severity::Note, debug::look),
    rule("SW0514", Severity::Hold, weaker_tests::look),
    rule("SW0515", Severity::Hold, size::look),
    rule("SW0516", Severity::Note, claim::unchanged),
    rule("SW0517", Severity::Note, claim::unclaimed),
    rule("SW0518", Severity::Hold, dependencies::look),
    rule(context::HIDDEN, Severity::Note, |_, _| {}),
    rule(context::ADDRESSED, Severity::Note, |_, _| {}),
    rule("SW0521", Severity::Note, foreign::look),
    rule("SW0522", Severity::Hold, reverts::look),
    rule("SW0523", Severity::Note, duplicate::look),
    rule("SW0524", Severity::Note, examined::look),
];

/// The findings on a change, as the plan wants them, the first twenty of each rule.
#[must_use]
pub fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let look = Look::new(subject);
    let mut all = Vec::new();
    for rule in RULES {
        let mut found = Found::new(rule.code);
        (rule.look)(&look, &mut found);
        all.append(&mut found.list);
    }
    apply::rules(&subject.plan.findings, all)
}

/// The findings on a file that a brief names, before anybody is sent to read it. They are notes.
#[must_use]
pub fn context_findings(plan: &Plan, path: &RepoPath, bytes: &[u8]) -> Vec<Finding> {
    apply::rules(&plan.findings, context::look(path, bytes))
}
