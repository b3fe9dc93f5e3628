//! Tells of checks that contradict one another: what one demands in a file, another or a gate forbids there.
//!
//! Only plain `grep` commands and the rule `forbid` are compared, by the text of their patterns; anything cleverer is left
//! to the run. Commands are taken apart several times rather than kept, so that a plan of many tasks costs only what is
//! both demanded and forbidden somewhere.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};
use regex::bytes::Regex;
use seawall_core::diagnostic::Diagnostic;
use seawall_core::plan::{Rule, Task};

use crate::context::Context;
use crate::gates::Gate;
use crate::greps::{self, Grep, Wanted};
use crate::order::Edges;
use crate::owners::Search;
use crate::problems::{placed, shown, warning};
use crate::tasks::{Block, Tasks};

/// Comparisons of a demand with the rule of a gate, all together.
const COMPARISONS: usize = 1_000_000;
/// Those that forbid one pattern in one file, of which the first are looked at.
const FEW: usize = 8;

/// Who forbids something.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    /// The gate at this place.
    Gate(usize),
    /// A task, by its block and its own place.
    Task(u32, u32),
}

impl Who {
    /// The same for all members of a fan-out.
    fn as_block(self) -> Self {
        match self {
            Self::Task(block, _) => Self::Task(block, 0),
            gate => gate,
        }
    }
}

/// Adds a warning for each pair that contradicts itself.
pub(crate) fn tell(tasks: &Tasks, gates: &[Gate], edges: &Edges, cx: &mut Context<'_>) {
    let all = All {
        tasks,
        gates,
        text: cx.text,
    };
    let mut told = all.by_rules();
    if let Some(forbidden) = all.forbidden() {
        told.extend(all.by_greps(&forbidden, &mut Search::new(edges)));
    }
    cx.problems.add_all(told);
}

/// What is forbidden of that which is demanded as well.
#[derive(Default)]
struct Forbidden {
    wanted: HashSet<Wanted>,
    files: HashMap<(Wanted, Box<[u8]>), Vec<Who>>,
    /// Directories that are searched.
    below: Vec<(Wanted, Box<[u8]>, Who)>,
}

impl Forbidden {
    fn add(&mut self, grep: &Grep, file: &[u8], who: Who) {
        if grep.deep {
            self.below.push((grep.wanted.clone(), file.into(), who));
        }
        let known = self.files.entry((grep.wanted.clone(), file.into()));
        let known = known.or_default();
        if known.len() < FEW {
            known.push(who);
        }
    }

    fn of(&self, wanted: &Wanted, file: &[u8]) -> Vec<Who> {
        let key = (wanted.clone(), Box::from(file));
        let mut found = self.files.get(&key).cloned().unwrap_or_default();
        let below = self.below.iter().take(COMPARISONS / 1_000);
        let below = below.filter(|(other, dir, _)| other == wanted && is_below(file, dir));
        found.extend(below.map(|(_, _, who)| *who));
        found
    }
}

fn is_below(file: &[u8], dir: &[u8]) -> bool {
    let rest = file.strip_prefix(dir);
    dir == b"." || rest.is_some_and(|rest| rest.starts_with(b"/"))
}

struct All<'t> {
    tasks: &'t Tasks,
    gates: &'t [Gate],
    text: &'t str,
}

impl All<'_> {
    /// The commands of a block that can be taken apart.
    fn greps(&self, block: &Block) -> Vec<Grep> {
        let first = self.tasks.tasks.get(block.tasks.start as usize);
        let runs = first.into_iter().flat_map(|task| task.criteria());
        runs.filter_map(|c| greps::parse(c.run.as_deref()?))
            .collect()
    }

    /// The gates that hold always and whose commands forbid something.
    fn gate_greps(&self) -> impl Iterator<Item = (usize, Grep)> {
        let always = self.gates.iter().enumerate();
        let always = always.filter(|(_, gate)| gate.names.is_empty());
        let greps = always.filter_map(|(at, gate)| {
            let run = gate.criterion.run.as_deref()?;
            Some((at, greps::parse(run)?))
        });
        greps.filter(|(_, grep)| grep.forbids)
    }

    /// What is demanded in a single file: the task and the file of each member.
    fn demands<'a>(&'a self, block: &'a Block, grep: &'a Grep) -> Vec<(u32, &'a [u8])> {
        match grep.files.as_slice() {
            [one] if !grep.forbids && !grep.deep => self.places(block, one).collect(),
            _ => Vec::new(),
        }
    }

    /// The files that a word of a command stands for; none for `{file}` of a task that owns several.
    fn places<'a>(
        &'a self,
        block: &Block,
        word: &'a str,
    ) -> Box<dyn Iterator<Item = (u32, &'a [u8])> + 'a> {
        let members = block.tasks.clone();
        if word == "{file}" {
            Box::new(members.filter_map(|at| {
                let file = only_file(self.tasks.tasks.get(at as usize)?)?;
                Some((at, file))
            }))
        } else {
            let word = word.strip_prefix("./").unwrap_or(word);
            Box::new(members.take(1).map(move |at| (at, word.as_bytes())))
        }
    }

    /// What is both demanded and forbidden somewhere, and where it is forbidden; none when there is nothing.
    fn forbidden(&self) -> Option<Forbidden> {
        let of_tasks = self.tasks.blocks.iter().flat_map(|block| self.greps(block));
        let of_tasks = of_tasks.filter(|grep| grep.forbids);
        let of_gates = self.gate_greps().map(|(_, grep)| grep);
        let wanted: HashSet<Wanted> = of_tasks.chain(of_gates).map(|grep| grep.wanted).collect();
        let mut found = Forbidden::default();
        if wanted.is_empty() {
            return None;
        }
        for grep in self.tasks.blocks.iter().flat_map(|block| self.greps(block)) {
            if !grep.forbids && wanted.contains(&grep.wanted) {
                found.wanted.insert(grep.wanted);
            }
        }
        for (at, grep) in self.gate_greps() {
            if !found.wanted.contains(&grep.wanted) {
                continue;
            }
            for file in &grep.files {
                let file = file.strip_prefix("./").unwrap_or(file);
                found.add(&grep, file.trim_end_matches('/').as_bytes(), Who::Gate(at));
            }
        }
        for (place, block) in (0..).zip(&self.tasks.blocks) {
            self.add_forbidden(place, block, &mut found);
        }
        (!found.wanted.is_empty()).then_some(found)
    }

    fn add_forbidden(&self, place: u32, block: &Block, found: &mut Forbidden) {
        let greps = self.greps(block).into_iter();
        let greps = greps.filter(|grep| grep.forbids && found.wanted.contains(&grep.wanted));
        for grep in greps.collect::<Vec<_>>() {
            for (task, file) in grep.files.iter().flat_map(|word| self.places(block, word)) {
                found.add(&grep, file, Who::Task(place, task));
            }
        }
    }

    /// What commands forbid, each pair once.
    fn by_greps(&self, forbidden: &Forbidden, search: &mut Search<'_>) -> Vec<Diagnostic> {
        let mut told = Vec::new();
        for (place, block) in (0..).zip(&self.tasks.blocks) {
            let mut pairs = HashSet::new();
            let greps = self.greps(block).into_iter();
            for grep in greps.filter(|grep| forbidden.wanted.contains(&grep.wanted)) {
                for (task, file) in self.demands(block, &grep) {
                    let clashes = forbidden.of(&grep.wanted, file).into_iter();
                    let clashes = clashes.filter(|who| self.clash((place, task), *who, search));
                    let fresh = clashes.filter(|who| pairs.insert(who.as_block()));
                    told.extend(fresh.map(|who| self.contradiction(block, &grep, file, who)));
                }
            }
        }
        told
    }

    /// Whether a demand of a task and what `who` forbids can meet in one tree.
    fn clash(&self, demands: (u32, u32), who: Who, search: &mut Search<'_>) -> bool {
        match who {
            Who::Gate(_) => true,
            Who::Task(block, task) if block == demands.0 => task == demands.1,
            Who::Task(block, task) => !search.ordered((block, task), demands),
        }
    }

    fn contradiction(&self, block: &Block, grep: &Grep, file: &[u8], who: Who) -> Diagnostic {
        let other = match who {
            Who::Gate(at) => return self.against_gate(block, grep, file, &self.gates[at]),
            Who::Task(other, _) => &self.tasks.blocks[other as usize],
        };
        let (id, other_id) = (shown(&block.id), shown(&other.id));
        let (pattern, file) = (shown(&grep.wanted.pattern), shown_bytes(file));
        let message = if block.id == other.id {
            format!("`{id}` both demands and forbids `{pattern}` in `{file}`")
        } else {
            format!("`{id}` demands `{pattern}` in `{file}`, and `{other_id}` forbids it there")
        };
        let help = if block.id == other.id {
            "take one of the two checks out".to_owned()
        } else {
            format!(
                "take one of the two checks out; `after` says so where `{pattern}` is to come and to go"
            )
        };
        let place = self.place(block, &grep.wanted.pattern);
        placed(
            warning("SW0210", message).help(help),
            place.as_ref(),
            "cannot both be true",
        )
    }

    fn against_gate(&self, block: &Block, grep: &Grep, file: &[u8], gate: &Gate) -> Diagnostic {
        let (id, pattern) = (shown(&block.id), shown(&grep.wanted.pattern));
        let message = format!(
            "the {} forbids `{pattern}` in `{}`, where `{id}` demands it",
            gate.noun,
            shown_bytes(file)
        );
        let problem = warning("SW0211", message).help(
            "take the file out of the gate's paths, or say with `after` or `until` when the gate holds",
        );
        placed(
            problem,
            gate.looks.as_ref(),
            "would be red at the checkpoint",
        )
    }

    /// The bytes of a check's pattern in the text, or of what its task owns when escapes stand in between.
    fn place(&self, block: &Block, pattern: &str) -> Option<Range<usize>> {
        let owns = block.owns.clone()?;
        let found = self
            .text
            .get(owns.start..)
            .and_then(|rest| rest.find(pattern));
        let found = found.map(|at| owns.start + at..owns.start + at + pattern.len());
        Some(found.unwrap_or(owns))
    }

    /// What the rule `forbid` of a gate says against the demands of tasks.
    fn by_rules(&self) -> Vec<Diagnostic> {
        let rules: Vec<_> = self.gates.iter().filter_map(Forbids::of).collect();
        let mut told = Vec::new();
        let mut left = COMPARISONS;
        for block in self.tasks.blocks.iter().filter(|_| !rules.is_empty()) {
            for grep in &self.greps(block) {
                let demands = self.demands(block, grep);
                for rule in &rules {
                    left = left.saturating_sub(demands.len().max(1));
                    if left == 0 {
                        return told;
                    }
                    let hit = demands
                        .iter()
                        .find(|(_, file)| rule.hits(&grep.wanted, file));
                    told.extend(
                        hit.map(|(_, file)| self.against_gate(block, grep, file, rule.gate)),
                    );
                }
            }
        }
        told
    }
}

/// The rule `forbid` of a gate that holds always.
struct Forbids<'t> {
    gate: &'t Gate,
    pattern: &'t str,
    regex: Regex,
    paths: GlobSet,
}

impl<'t> Forbids<'t> {
    fn of(gate: &'t Gate) -> Option<Self> {
        let Some(Rule::Forbid { pattern, paths }) = &gate.criterion.rule else {
            return None;
        };
        let mut set = GlobSetBuilder::new();
        for glob in paths.iter().filter(|_| gate.names.is_empty()) {
            set.add(
                GlobBuilder::new(glob)
                    .literal_separator(true)
                    .build()
                    .ok()?,
            );
        }
        Some(Self {
            gate,
            pattern,
            regex: Regex::new(pattern).ok()?,
            paths: set.build().ok()?,
        })
    }

    /// Whether a file that has what is wanted has a line that is forbidden.
    fn hits(&self, wanted: &Wanted, file: &[u8]) -> bool {
        let anywhere = |text: &str| {
            [format!("x{text}x"), format!(" {text} ")]
                .iter()
                .all(|line| self.regex.is_match(line.as_bytes()))
        };
        (wanted.pattern == self.pattern || wanted.literal().is_some_and(anywhere))
            && self.paths.is_match_candidate(&Candidate::from_bytes(file))
    }
}

/// The one file that a task owns and does not delete.
fn only_file(task: &Task) -> Option<&[u8]> {
    let mut files = task.files.iter().chain(&task.creates);
    let first = files.next()?;
    files.next().is_none().then(|| first.as_bytes())
}

fn shown_bytes(file: &[u8]) -> String {
    shown(&String::from_utf8_lossy(file))
}
