//! Which task waits for which: resolves `after`, finds cycles, expands fan-outs.
//!
//! All of it works on blocks, the tables of the text, because the members of a fan-out wait for the
//! same tasks: a cycle of blocks is a cycle of tasks and the other way round. Only the last step makes
//! task-to-task waits, of which there are as many as two fan-outs have members multiplied; that number
//! is bounded.

use seawall_core::diagnostic::Diagnostic;
use seawall_core::ids::TaskIx;
use seawall_core::path::RepoPath;

use crate::context::Context;
use crate::problems::{At, Problems, error, list, placed, shown};
use crate::tasks::{Block, Tasks};

/// Task-to-task waits that a plan may expand to: beyond, it would not fit into memory.
const MOST_WAITS: usize = 10_000_000;
/// Ids that a cycle is shown with.
const LONGEST_CYCLE: usize = 12;

/// One name in an `after`, resolved.
pub(crate) struct Edge {
    /// The block that is waited for.
    pub(crate) block: u32,
    /// The one member of it, if only one.
    pub(crate) member: Option<u32>,
    /// The place of the name in the block's `after`.
    name: usize,
}

/// The waits of each block.
pub(crate) type Edges = Vec<Vec<Edge>>;

/// Resolves every `after`; unknown names and self-references are reported.
pub(crate) fn resolve(tasks: &Tasks, problems: &mut Problems) -> Edges {
    let mut edges = Vec::with_capacity(tasks.blocks.len());
    for (place, block) in (0..).zip(&tasks.blocks) {
        let mut own = Vec::with_capacity(block.after.len());
        for (name, typed) in block.after.iter().enumerate() {
            match target(tasks, &typed.value) {
                None => problems.add_unknown_dependency(block, typed, tasks),
                Some((target, _)) if target == place => problems.add_self_dependency(block, typed),
                Some((target, member)) => own.push(Edge {
                    block: target,
                    member,
                    name,
                }),
            }
        }
        edges.push(own);
    }
    edges
}

/// The block that `name` means, and the member if it means one.
pub(crate) fn target(tasks: &Tasks, name: &str) -> Option<(u32, Option<u32>)> {
    if let Some(block) = tasks.by_id.get(name) {
        return Some((*block, None));
    }
    let (id, path) = name.split_once(':')?;
    let block = *tasks.by_id.get(id)?;
    let members = &tasks.blocks[block as usize];
    let path = RepoPath::unescape(path).ok().filter(|_| members.fans_out)?;
    let of_block = &tasks.tasks[members.tasks.start as usize..members.tasks.end as usize];
    let member = of_block
        .binary_search_by(|task| task.files.first().cmp(&Some(&path)))
        .ok()?;
    Some((
        block,
        Some(members.tasks.start + crate::tasks::number(member)),
    ))
}

impl Problems {
    fn add_unknown_dependency(&mut self, block: &Block, typed: &At<Box<str>>, tasks: &Tasks) {
        let message = format!(
            "task `{}` waits for `{}`, which does not exist",
            shown(&block.id),
            shown(&typed.value)
        );
        self.add_unknown_task(message, typed, tasks);
    }

    /// Reports a name that is no task's, and guesses which was meant.
    pub(crate) fn add_unknown_task(
        &mut self,
        message: String,
        typed: &At<Box<str>>,
        tasks: &Tasks,
    ) {
        let problem = error("SW0104", message).at(typed.span.clone(), "no task has this id");
        let near = self.nearest(&typed.value, tasks.blocks.iter().map(|b| &*b.id));
        let help = match near
            .and_then(|id| tasks.by_id.get(id))
            .map(|b| &tasks.blocks[*b as usize])
        {
            Some(near) if near.fans_out => format!(
                "did you mean `{}`? it fans out to {}; waiting for it waits for all of them",
                near.id,
                counted(near.tasks.len(), "task")
            ),
            Some(near) => format!("did you mean `{}`?", near.id),
            None => self.known_tasks(&typed.value, tasks),
        };
        self.add(problem.help(help));
    }

    fn known_tasks(&mut self, typed: &str, tasks: &Tasks) -> String {
        let fan_out = typed
            .split_once(':')
            .and_then(|(id, _)| tasks.by_id.get(id));
        match fan_out.map(|b| &tasks.blocks[*b as usize]) {
            Some(block) if block.fans_out => {
                let members = &tasks.tasks[block.tasks.start as usize..block.tasks.end as usize];
                format!(
                    "`{}` fans out to {}",
                    block.id,
                    list(members.iter().map(|t| &*t.id))
                )
            }
            _ => format!(
                "tasks of this plan: {}",
                list(tasks.blocks.iter().map(|b| &*b.id))
            ),
        }
    }

    fn add_self_dependency(&mut self, block: &Block, typed: &At<Box<str>>) {
        self.add(
            error("SW0112", format!("task `{}` waits for itself", shown(&block.id)))
                .at(typed.span.clone(), "would never start")
                .help("name the tasks that must be accepted before it; the members of a fan-out cannot wait for one another"),
        );
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Reports cycles, one for each knot of tasks that wait for one another; whether there was none.
///
/// A depth-first walk with its own stack. A cycle that shares a block with one that was reported is
/// not shown again, which keeps the walk linear in the text.
pub(crate) fn check_cycles(tasks: &Tasks, edges: &Edges, problems: &mut Problems) -> bool {
    let mut walk = Walk {
        state: vec![State::New; edges.len()],
        stack: Vec::new(),
        clean: true,
    };
    for start in 0..crate::tasks::number(edges.len()) {
        walk.enter(start);
        while let Some(&Frame { block, next, .. }) = walk.stack.last() {
            match edges[block as usize].get(next) {
                Some(edge) => walk.follow(edge, tasks, problems),
                None => walk.leave(),
            }
        }
    }
    walk.clean
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the stack, at this depth.
    Open(usize),
    Done,
}

struct Frame {
    block: u32,
    next: usize,
    /// The lowest depth above which no frame is part of a reported cycle.
    fresh_from: usize,
}

struct Walk {
    state: Vec<State>,
    stack: Vec<Frame>,
    clean: bool,
}

impl Walk {
    fn enter(&mut self, block: u32) {
        if self.state[block as usize] == State::New {
            self.state[block as usize] = State::Open(self.stack.len());
            let fresh_from = self.stack.last().map_or(0, |f| f.fresh_from);
            self.stack.push(Frame {
                block,
                next: 0,
                fresh_from,
            });
        }
    }

    fn leave(&mut self) {
        if let Some(frame) = self.stack.pop() {
            self.state[frame.block as usize] = State::Done;
        }
    }

    fn follow(&mut self, edge: &Edge, tasks: &Tasks, problems: &mut Problems) {
        let top = self
            .stack
            .last_mut()
            .expect("an edge is followed from the top of the stack");
        top.next += 1;
        let (from, fresh_from) = (top.block, top.fresh_from);
        match self.state[edge.block as usize] {
            State::New => self.enter(edge.block),
            State::Done => {}
            State::Open(depth) => {
                self.clean = false;
                if depth >= fresh_from {
                    self.report(depth, from, edge, tasks, problems);
                }
            }
        }
    }

    fn report(
        &mut self,
        depth: usize,
        from: u32,
        edge: &Edge,
        tasks: &Tasks,
        problems: &mut Problems,
    ) {
        let from = &tasks.blocks[from as usize];
        let ids: Vec<&str> = self.stack[depth..]
            .iter()
            .map(|f| &*tasks.blocks[f.block as usize].id)
            .collect();
        problems.add(
            error(
                "SW0111",
                format!("tasks wait for one another: `{}`", cycle(&ids)),
            )
            .at(from.after[edge.name].span.clone(), "closes the circle")
            .help(format!(
                "let one of them go first: take a name out of its `after`, such as `{}` here",
                shown(&from.after[edge.name].value)
            )),
        );
        for (at, frame) in self.stack.iter_mut().enumerate().skip(depth) {
            frame.fresh_from = at + 1;
        }
    }
}

/// `a -> b -> a`; the middle of a long one is left out.
fn cycle(ids: &[&str]) -> String {
    let mut names: Vec<String> = ids.iter().take(LONGEST_CYCLE).map(|id| shown(id)).collect();
    if ids.len() > LONGEST_CYCLE {
        names.push(format!("… {} more …", ids.len() - LONGEST_CYCLE));
    }
    names.extend(ids.first().map(|id| shown(id)));
    names.join(" -> ")
}

/// Writes the waits into the tasks.
pub(crate) fn expand(tasks: &mut Tasks, edges: &Edges, cx: &mut Context<'_>) {
    let mut total = 0_usize;
    for (block, edges) in tasks
        .blocks
        .iter()
        .zip(edges)
        .filter(|(_, edges)| !edges.is_empty())
    {
        let waits = waits(&tasks.blocks, edges);
        total = total.saturating_add(waits.len().saturating_mul(block.tasks.len()));
        if total > MOST_WAITS {
            cx.problems.add(too_many(block));
            return;
        }
        for task in &mut tasks.tasks[block.tasks.start as usize..block.tasks.end as usize] {
            task.after.clone_from(&waits);
        }
    }
}

fn waits(blocks: &[Block], edges: &[Edge]) -> Vec<TaskIx> {
    let mut waits: Vec<TaskIx> = Vec::new();
    for edge in edges {
        let all = blocks[edge.block as usize].tasks.clone();
        waits.extend(edge.member.map_or(all, |m| m..m + 1).map(TaskIx));
    }
    waits.sort_unstable();
    waits.dedup();
    waits
}

fn too_many(block: &Block) -> Diagnostic {
    let message =
        format!("the plan's tasks wait for more than {MOST_WAITS} others, counted for each task");
    let place = block.after.first().map(|name| &name.span);
    placed(error("SW0139", message), place, "a fan-out that waits for a fan-out")
        .help("split the plan in two where everything waits for everything; tasks on the same file are ordered without `after`")
}
