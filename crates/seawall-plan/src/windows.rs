//! Settles from when to when gates hold: finds the tasks that are named, and windows that make no sense.
//!
//! Which tasks are done before others is told from `after` alone, one walk over the tables of the text for each gate that
//! has a window. The walks of a plan share a number of steps; beyond it windows are taken as they are.

use std::collections::HashSet;

use seawall_core::diagnostic::Diagnostic;
use seawall_core::ids::TaskIx;
use seawall_core::plan::Window;

use crate::context::Context;
use crate::gates::Gate;
use crate::order::{self, Edges};
use crate::problems::{At, Problems, error, note, shown, warning};
use crate::tasks::{Tasks, number};

/// Tables that all walks together visit.
const STEPS: usize = 5_000_000;
/// Tasks that the windows of a plan may name, all together: beyond, it would not fit into memory.
const MOST_NAMED: usize = 10_000_000;

/// A task or fan-out of the plan, or one member of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Named {
    block: u32,
    member: Option<u32>,
}

/// A window with its names found.
#[derive(Default)]
struct Found {
    after: Vec<Named>,
    until: Vec<Named>,
    red_until: Vec<Named>,
}

/// Writes the windows into the gates; unknown names and windows without a time are reported.
pub(crate) fn settle(
    gates: &mut [Gate],
    tasks: &Tasks,
    edges: Option<&Edges>,
    cx: &mut Context<'_>,
) {
    let mut named = 0_usize;
    let mut walks = edges.map(|edges| Walks {
        edges,
        steps: STEPS,
    });
    for gate in gates.iter_mut().filter(|gate| !gate.names.is_empty()) {
        let window = Found::read(gate, tasks, &mut cx.problems);
        gate.begun = None;
        if let Some(walks) = walks.as_mut().filter(|_| window.is_whole(gate)) {
            cx.problems.add_all(walks.judge(&window, gate, tasks));
            gate.begun = walks.done_with(&window.after).map(|done| done.blocks);
        }
        named = named.saturating_add(window.length(tasks));
        if named > MOST_NAMED {
            return cx.problems.add(too_many(gate));
        }
        gate.criterion.window = Window {
            after: expanded(&window.after, tasks),
            until: expanded(&window.until, tasks),
            red_until: expanded(&window.red_until, tasks),
        };
    }
}

fn found(names: &[At<Box<str>>], noun: &str, tasks: &Tasks, problems: &mut Problems) -> Vec<Named> {
    let mut all = Vec::new();
    for typed in names {
        match order::target(tasks, &typed.value) {
            Some((block, member)) => all.push(Named { block, member }),
            None => {
                let message = format!(
                    "the {noun} names the task `{}`, which does not exist",
                    shown(&typed.value)
                );
                problems.add_unknown_task(message, typed, tasks);
            }
        }
    }
    all
}

impl Found {
    fn read(gate: &Gate, tasks: &Tasks, problems: &mut Problems) -> Self {
        let mut find = |names| found(names, gate.noun, tasks, problems);
        Self {
            after: find(&gate.names.after),
            until: find(&gate.names.until),
            red_until: find(&gate.names.red_until),
        }
    }

    /// Whether every name was found.
    fn is_whole(&self, gate: &Gate) -> bool {
        let names = &gate.names;
        self.after.len() == names.after.len()
            && self.until.len() == names.until.len()
            && self.red_until.len() == names.red_until.len()
    }

    fn length(&self, tasks: &Tasks) -> usize {
        let all = self.after.iter().chain(&self.until).chain(&self.red_until);
        all.map(|named| members(*named, tasks).len()).sum()
    }
}

fn members(named: Named, tasks: &Tasks) -> std::ops::Range<u32> {
    let all = tasks.blocks[named.block as usize].tasks.clone();
    named.member.map_or(all, |member| member..member + 1)
}

fn expanded(named: &[Named], tasks: &Tasks) -> Vec<TaskIx> {
    let all = named.iter().flat_map(|named| members(*named, tasks));
    let mut all: Vec<TaskIx> = all.map(TaskIx).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn too_many(gate: &Gate) -> Diagnostic {
    let message = format!("the windows of the plan name more than {MOST_NAMED} tasks");
    let problem = error("SW0139", message).help(
        "name the task that comes last instead of every fan-out; what it waits for is done before it",
    );
    crate::problems::placed(problem, gate.looks.as_ref(), "one of them")
}

/// The walks over what tasks wait for.
struct Walks<'e> {
    edges: &'e Edges,
    steps: usize,
}

/// Tasks that are surely done.
#[derive(Default)]
struct Done {
    blocks: HashSet<u32>,
    members: HashSet<u32>,
}

impl Done {
    fn has(&self, named: Named) -> bool {
        self.blocks.contains(&named.block)
            || named
                .member
                .is_some_and(|member| self.members.contains(&member))
    }

    fn has_all(&self, all: &[Named]) -> bool {
        all.iter().all(|named| self.has(*named))
    }
}

impl Walks<'_> {
    /// What is odd about a window; nothing once the steps are used up.
    fn judge(&mut self, window: &Found, gate: &Gate, tasks: &Tasks) -> Vec<Diagnostic> {
        let Some(begun) = self.done_with(&window.after) else {
            return Vec::new();
        };
        let odd = match (gate.names.until.first(), gate.names.red_until.first()) {
            (Some(until), _) if begun.has_all(&window.until) => Some(never(gate, until)),
            (_, None) => None,
            (_, Some(red)) if begun.has_all(&window.red_until) => Some(no_effect(gate, red)),
            (_, Some(red)) => self.judge_red(window, gate, red, tasks),
        };
        odd.into_iter().collect()
    }

    /// What is odd about how long a gate may be red.
    fn judge_red(
        &mut self,
        window: &Found,
        gate: &Gate,
        red: &Name,
        tasks: &Tasks,
    ) -> Option<Diagnostic> {
        let both = window.after.iter().chain(&window.red_until).copied();
        let green = self.done_with(&both.collect::<Vec<_>>())?;
        if !window.until.is_empty() {
            return green.has_all(&window.until).then(|| never_green(gate, red));
        }
        let all = 0..number(tasks.blocks.len());
        let whole = all.len() > 1 && all.clone().all(|block| green.blocks.contains(&block));
        whole.then(|| only_at_the_end(gate, red))
    }

    /// All that is surely done where these are: what they wait for, and what that waits for.
    fn done_with(&mut self, named: &[Named]) -> Option<Done> {
        let mut done = Done::default();
        let mut seen = HashSet::new();
        let mut next: Vec<Named> = named.to_vec();
        while let Some(at) = next.pop() {
            match at.member {
                None => done.blocks.insert(at.block),
                Some(member) => done.members.insert(member),
            };
            if !seen.insert(at.block) {
                continue; // the members of a fan-out wait for the same tasks
            }
            let edges = &self.edges[at.block as usize];
            self.steps = self.steps.checked_sub(edges.len() + 1)?;
            next.extend(edges.iter().map(|edge| Named {
                block: edge.block,
                member: edge.member,
            }));
        }
        Some(done)
    }
}

type Name = At<Box<str>>;

fn never(gate: &Gate, until: &Name) -> Diagnostic {
    error("SW0152", format!("the {} is never looked at", gate.noun))
        .at(until.span.clone(), "done before it begins")
        .help("let `until` name tasks that are done later than those of `after`, or leave one of the two out")
}

fn no_effect(gate: &Gate, name: &Name) -> Diagnostic {
    warning(
        "SW0214",
        format!("`red_until` of the {} has no effect", gate.noun),
    )
    .at(name.span.clone(), "done before it begins")
    .help("leave `red_until` out: what `after` names comes later or at the same time")
}

fn never_green(gate: &Gate, name: &Name) -> Diagnostic {
    warning("SW0214", format!("the {} never has to be green", gate.noun))
        .at(name.span.clone(), "it is not looked at any more then")
        .help("let `red_until` name earlier tasks, or `until` later ones")
}

fn only_at_the_end(gate: &Gate, name: &Name) -> Diagnostic {
    let problem = note(
        "SW0214",
        format!(
            "the {} has to be green only when the whole plan is done",
            gate.noun
        ),
    );
    problem
        .at(name.span.clone(), "waits for every task")
        .help("name the last task that it really needs, so that later waves build on green")
}
