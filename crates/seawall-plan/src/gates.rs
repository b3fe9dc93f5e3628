//! Reads checkpoints and invariants: what is looked at on the integrated tree, by a command or by a rule.
//!
//! The names of their windows are kept as the text has them until all tasks are read.

use std::collections::HashSet;
use std::ops::Range;

use seawall_core::diagnostic::Diagnostic;
use seawall_core::plan::{Criterion, Proof};

use crate::context::Context;
use crate::criteria;
use crate::keys::Table;
use crate::problems::{At, error, placed};
use crate::rules;
use crate::section::Section;
use crate::substitutions;

/// A checkpoint or invariant.
pub(crate) struct Gate {
    pub(crate) criterion: Criterion,
    /// What it is, for messages.
    pub(crate) noun: &'static str,
    /// The bytes of what it looks with: its command or its rule.
    pub(crate) looks: Option<Range<usize>>,
    /// The bytes of the path of its report.
    pub(crate) junit: Option<Range<usize>>,
    /// The tasks of its window, as the text has them.
    pub(crate) names: Names,
    /// The tables of the text whose tasks are all done where it is first looked at; none when that is not known.
    pub(crate) begun: Option<HashSet<u32>>,
}

/// The tasks of a window, as the text has them.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) after: Vec<At<Box<str>>>,
    pub(crate) until: Vec<At<Box<str>>>,
    pub(crate) red_until: Vec<At<Box<str>>>,
}

impl Names {
    fn read(section: &Section<'_>) -> Self {
        let names = |key| {
            let typed = section.texts_or_one(key).into_iter();
            typed
                .map(|name| At::new(name.value.into(), name.span))
                .collect()
        };
        Self {
            after: names("after"),
            until: names("until"),
            red_until: names("red_until"),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.after.is_empty() && self.until.is_empty() && self.red_until.is_empty()
    }
}

/// Reads the checkpoints; a plan without any is reported.
pub(crate) fn checkpoints(root: &Section<'_>, cx: &mut Context<'_>) -> Vec<Gate> {
    let sections = root.many("checkpoint", Table::Checkpoint, &mut cx.problems);
    if sections.is_empty() && (!root.has("checkpoint") || root.is_empty_list("checkpoint")) {
        cx.problems.add(no_checkpoint());
    }
    let read = |section| command(section, "checkpoint", cx);
    sections.iter().filter_map(read).collect()
}

fn no_checkpoint() -> Diagnostic {
    error("SW0126", "the plan has no checkpoint")
        .help("add `[[checkpoint]]` with `says` and `run`: what must pass on the whole tree after every wave, such as the test suite")
}

/// Reads the invariants.
pub(crate) fn invariants(root: &Section<'_>, cx: &mut Context<'_>) -> Vec<Gate> {
    let sections = root.many("invariant", Table::Invariant, &mut cx.problems);
    let read = |section| invariant(section, cx);
    sections.iter().filter_map(read).collect()
}

/// The keys that say what an invariant looks with.
const KINDS: [&str; 5] = ["run", "forbid", "agree", "wired", "imports"];

fn invariant(section: &Section<'_>, cx: &mut Context<'_>) -> Option<Gate> {
    let given: Vec<&str> = KINDS.into_iter().filter(|key| section.has(key)).collect();
    match given.as_slice() {
        ["run"] => command(section, "invariant", cx),
        [kind] => ruled(section, kind, cx),
        _ => {
            cx.problems.add(no_kind(section, &given));
            None
        }
    }
}

fn no_kind(section: &Section<'_>, given: &[&str]) -> Diagnostic {
    let help = "write exactly one of `run`, `forbid`, `agree`, `wired` and `imports`; two sentences are two invariants";
    match given {
        [first, second, ..] => error(
            "SW0155",
            format!("an invariant has both `{first}` and `{second}`"),
        )
        .at(
            section.place(second).unwrap_or_default(),
            format!("`{first}` is there already"),
        )
        .help(help),
        _ => {
            let problem = error("SW0155", "an invariant says nothing to look at").help(help);
            placed(problem, section.header.as_ref(), "neither command nor rule")
        }
    }
}

fn command(section: &Section<'_>, noun: &'static str, cx: &mut Context<'_>) -> Option<Gate> {
    let run = section.text("run");
    if let Some(run) = &run {
        let place = if noun == "checkpoint" {
            "a checkpoint"
        } else {
            "an invariant"
        };
        substitutions::check(run, substitutions::GATE, place, &mut cx.problems);
        criteria::check_trivial(run, &mut cx.problems);
    }
    let looked = criteria::looked(section, Proof::PassToPass, cx);
    let says = criteria::read_says(section, cx.text, &mut cx.problems)?;
    let run = run?;
    let criterion = Criterion {
        says,
        run: Some(run.value.to_owned()),
        ..looked
    };
    Some(gate(section, criterion, noun, Some(run.span)))
}

fn ruled(section: &Section<'_>, kind: &str, cx: &mut Context<'_>) -> Option<Gate> {
    criteria::useless(
        section,
        &["baseline", "tests", "flaky", "junit"],
        &mut cx.problems,
    );
    let table = match kind {
        "forbid" => Table::Forbid,
        "agree" => Table::Agree,
        "wired" => Table::Wired,
        _ => Table::Imports,
    };
    let inner = section.one(kind, table, &mut cx.problems);
    let rule = inner.and_then(|inner| rules::read(&inner, table, cx));
    let says = criteria::read_says(section, cx.text, &mut cx.problems)?;
    let criterion = Criterion {
        says,
        rule: Some(rule?),
        proof: Proof::PassToPass,
        ..Criterion::default()
    };
    Some(gate(section, criterion, "invariant", section.place(kind)))
}

fn gate(
    section: &Section<'_>,
    criterion: Criterion,
    noun: &'static str,
    looks: Option<Range<usize>>,
) -> Gate {
    Gate {
        criterion,
        noun,
        looks,
        junit: section.place("junit"),
        names: Names::read(section),
        begun: Some(HashSet::new()),
    }
}
