//! Tells where two tasks own the same file and nothing in the text says which goes first.
//!
//! Nothing is wrong with that, plan order decides; but a reader should know. Each path's owners are
//! looked at in pairs of neighbours, and a pair is told once for all the files it shares. Whether
//! `after` orders a pair is searched a bounded number of steps back; a pair beyond the bound is not
//! told, which loses a note and nothing else, since the planner orders the pair either way.

use std::collections::{BTreeMap, HashMap, HashSet};

use seawall_core::diagnostic::Diagnostic;
use seawall_core::path::RepoPath;

use crate::context::Context;
use crate::order::Edges;
use crate::problems::{note, placed, shown};
use crate::tasks::{Block, Tasks};

/// Blocks that the search for an order between two visits.
const STEPS: usize = 200;

/// What two blocks share.
struct Shared<'t> {
    first: &'t RepoPath,
    count: usize,
}

/// Adds a note for each pair of blocks that share files without an order between them.
pub(crate) fn tell(tasks: &Tasks, edges: &Edges, cx: &mut Context<'_>) {
    for ((before, after), shared) in unordered(tasks, edges) {
        let (before, after) = (
            &tasks.blocks[before as usize],
            &tasks.blocks[after as usize],
        );
        cx.problems.add(both_own(before, after, &shared));
    }
}

fn both_own(before: &Block, after: &Block, shared: &Shared<'_>) -> Diagnostic {
    let (first, second) = (shown(&before.id), shown(&after.id));
    let more = match shared.count {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let problem = note(
        "SW0207",
        format!("`{first}` and `{second}` both own `{}`{more}", shared.first),
    )
    .note(format!("`{first}` goes first, as in the plan"))
    .help(format!("`after = [\"{first}\"]` on `{second}` says so"));
    placed(problem, after.owns.as_ref(), "owned by an earlier task")
}

fn unordered<'t>(tasks: &'t Tasks, edges: &Edges) -> BTreeMap<(u32, u32), Shared<'t>> {
    let mut search = Search::new(edges);
    let mut owner: HashMap<&RepoPath, (u32, u32)> = HashMap::with_capacity(tasks.tasks.len());
    let mut pairs: BTreeMap<(u32, u32), Shared<'t>> = BTreeMap::new();
    for (place, block) in (0..).zip(&tasks.blocks) {
        for task in block.tasks.clone() {
            for path in tasks.tasks[task as usize].owned() {
                let Some((before, member)) = owner.insert(path, (place, task)) else {
                    continue;
                };
                if before == place || search.ordered((before, member), (place, task)) {
                    continue;
                }
                pairs
                    .entry((before, place))
                    .or_insert(Shared {
                        first: path,
                        count: 0,
                    })
                    .count += 1;
            }
        }
    }
    pairs
}

/// Tells whether one task waits for another.
pub(crate) struct Search<'e> {
    edges: &'e Edges,
    /// What was found for pairs of whole blocks.
    answers: HashMap<(u32, u32), bool>,
}

impl<'e> Search<'e> {
    pub(crate) fn new(edges: &'e Edges) -> Self {
        Self {
            edges,
            answers: HashMap::new(),
        }
    }

    /// Whether one of two tasks, each given with its block, waits for the other, as far as the search
    /// goes; also when it does not go far enough to tell.
    pub(crate) fn ordered(&mut self, a: (u32, u32), b: (u32, u32)) -> bool {
        if let Some(known) = self.answers.get(&(a.0, b.0)) {
            return *known;
        }
        let forwards = self.reaches(b.0, a);
        let backwards = self.reaches(a.0, b);
        let answer = forwards.ordered || backwards.ordered;
        if !forwards.by_member && !backwards.by_member {
            self.answers.insert((a.0, b.0), answer);
        }
        answer
    }

    fn reaches(&self, from: u32, (block, task): (u32, u32)) -> Reached {
        let mut reached = Reached {
            ordered: false,
            by_member: false,
        };
        let mut seen = HashSet::from([from]);
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            for edge in &self.edges[at as usize] {
                if edge.block == block {
                    reached.by_member |= edge.member.is_some();
                    reached.ordered |= edge.member.is_none_or(|m| m == task);
                } else if seen.insert(edge.block) {
                    next.push(edge.block);
                }
                if reached.ordered || seen.len() > STEPS {
                    reached.ordered = true;
                    return reached;
                }
            }
        }
        reached
    }
}

struct Reached {
    ordered: bool,
    /// Whether a single member of the block was named on the way, so that the answer is not about all.
    by_member: bool,
}
