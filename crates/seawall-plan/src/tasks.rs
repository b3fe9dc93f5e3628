//! Reads tasks, one table at a time, and expands fan-outs.
//!
//! A table of the text is a *block*: one task, or the members of a fan-out, which share everything but
//! their id and file. Blocks keep the places in the text that later steps point at; tasks carry none.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use seawall_core::diagnostic::Diagnostic;
use seawall_core::path::RepoPath;
use seawall_core::plan::{Criterion, Kind, Review, Task};

use crate::context::Context;
use crate::criteria::{self, Owned};
use crate::floors::{self, Proofs};
use crate::head::check_name;
use crate::keys::Table;
use crate::ownership::{self, Group, Owns};
use crate::problems::{At, error, list, placed, shown};
use crate::section::Section;
use crate::settings::{Given, Settings};
use crate::{holdouts, reports};

/// Bytes of the longest id of a task.
const LONGEST_ID: usize = 100;
/// Reads, all tasks together, that a plan may expand to: beyond, it would not fit into memory.
const MOST_READS: usize = 5_000_000;

/// One `[[task]]` of the text.
pub(crate) struct Block {
    /// Its id, or empty if it has none.
    pub(crate) id: Arc<str>,
    /// The bytes of what it owns.
    pub(crate) owns: Option<Range<usize>>,
    /// Its tasks.
    pub(crate) tasks: Range<u32>,
    /// Whether it has `each`.
    pub(crate) fans_out: bool,
    /// The names it waits for, as the text has them.
    pub(crate) after: Vec<At<Box<str>>>,
}

/// All tasks read so far.
#[derive(Default)]
pub(crate) struct Tasks {
    pub(crate) blocks: Vec<Block>,
    pub(crate) tasks: Vec<Task>,
    /// The block of each id.
    pub(crate) by_id: HashMap<Arc<str>, u32>,
    without_agent: Vec<u32>,
    reads: usize,
}

impl Tasks {
    /// Reads one more table.
    pub(crate) fn add(&mut self, section: &Section<'_>, defaults: &Settings, cx: &mut Context<'_>) {
        let block = number(self.blocks.len());
        let id = self.read_id(section, block, cx);
        let settings = defaults.overlaid(section, Table::Task, Some(block), cx);
        let owns = ownership::read(section, block, cx);
        let criteria = Criteria::read(section, owns.as_ref().map(|(o, _)| o), cx);
        let review = floors::review(section, &settings.agent, cx);
        let place = owns.as_ref().map(|(_, place)| place.clone());
        if criteria.whole {
            let all = criteria.checks.iter().chain(&criteria.holdouts);
            Proofs {
                section,
                id: &id,
                place: place.clone(),
                criteria: all.collect(),
            }
            .check(&settings, cx);
        }
        if matches!(settings.prompt, Given::No) {
            cx.problems.add(no_prompt(section, &id));
        }
        if matches!(settings.agent, Given::No) {
            self.without_agent.push(block);
        }
        let first = number(self.tasks.len());
        if let Some((owns, place)) = owns {
            check_embedded(&owns, &place, &settings, cx);
            self.count_reads(&owns, &settings, &place, cx);
            let because = section.text("because").map(|b| Arc::from(b.value));
            self.expand(
                owns,
                &Pattern {
                    id: &id,
                    because,
                    settings,
                    checks: criteria.checks.into(),
                    holdouts: criteria.holdouts.into(),
                    kind: floors::kind(section),
                    review,
                },
            );
        }
        let after = section.texts("after").into_iter();
        self.blocks.push(Block {
            id,
            owns: place.or_else(|| section.header.clone()),
            tasks: first..number(self.tasks.len()),
            fans_out: section.has("each"),
            after: after.map(|a| At::new(a.value.into(), a.span)).collect(),
        });
    }

    /// Reports the tasks that no agent was given to, all at once.
    pub(crate) fn report_without_agent(&self, cx: &mut Context<'_>) {
        if self.without_agent.is_empty() {
            return;
        }
        if cx.agents.is_empty() {
            let help =
                "say who does the work: `[agent.NAME]` with `run = [\"program\", \"{file}\"]`";
            cx.problems
                .add(error("SW0131", "the plan has no agent").help(help));
            return;
        }
        let blocks: Vec<&Block> = self
            .without_agent
            .iter()
            .map(|b| &self.blocks[*b as usize])
            .collect();
        let names = list(blocks.iter().map(|b| &*b.id));
        let have = if blocks.len() == 1 { "has" } else { "have" };
        let problem = error("SW0131", format!("{names} {have} no agent")).help(format!(
            "write `agent = \"…\"` in `[defaults]` or on the task; there are {}",
            list(cx.agents.keys().map(String::as_str))
        ));
        cx.problems
            .add(placed(problem, blocks[0].owns.as_ref(), "who does this?"));
    }

    fn read_id(&mut self, section: &Section<'_>, block: u32, cx: &mut Context<'_>) -> Arc<str> {
        let Some(id) = section.text("id") else {
            return "".into();
        };
        check_name("task id", &id, "-_.", LONGEST_ID, &mut cx.problems);
        let shared: Arc<str> = id.value.into();
        if self.by_id.contains_key(&shared) {
            cx.problems.add(
                error("SW0110", format!("two tasks have the id `{}`", shown(id.value)))
                    .at(id.span, "an earlier task has it")
                    .help("give each task an id of its own; one table with `each` makes many tasks of one id"),
            );
        } else {
            self.by_id.insert(Arc::clone(&shared), block);
        }
        shared
    }

    fn count_reads(
        &mut self,
        owns: &Owns,
        settings: &Settings,
        place: &Range<usize>,
        cx: &mut Context<'_>,
    ) {
        let members = if let Owns::Each(files) = owns {
            files.len()
        } else {
            1
        };
        let before = self.reads;
        self.reads = before.saturating_add(members.saturating_mul(settings.reads.len()));
        if before <= MOST_READS && self.reads > MOST_READS {
            cx.problems.add(
                error("SW0139", format!("the plan's tasks read more than {MOST_READS} files, counted for each task"))
                    .at(place.clone(), "one of them")
                    .help("let `reads` name what a task really needs to see; it is for ordering and the brief, not for permission"),
            );
        }
    }

    fn expand(&mut self, owns: Owns, pattern: &Pattern<'_>) {
        let keep_reads = self.reads <= MOST_READS;
        match owns {
            Owns::Group(group) => {
                self.tasks
                    .push(pattern.task(Arc::clone(pattern.id), group, keep_reads))
            }
            Owns::Each(files) => {
                self.tasks.reserve(files.len());
                for file in files.iter() {
                    let id = format!("{}:{file}", pattern.id).into();
                    let group = Group {
                        files: vec![file.clone()],
                        ..Group::default()
                    };
                    self.tasks.push(pattern.task(id, group, keep_reads));
                }
            }
        }
    }
}

/// What the tasks of a block share.
struct Pattern<'b> {
    id: &'b Arc<str>,
    because: Option<Arc<str>>,
    settings: Settings,
    checks: Arc<[Criterion]>,
    holdouts: Arc<[Criterion]>,
    kind: Kind,
    review: Option<Review>,
}

impl Pattern<'_> {
    fn task(&self, id: Arc<str>, group: Group, keep_reads: bool) -> Task {
        let settings = &self.settings;
        let own = |path: &RepoPath| group.files.contains(path) || group.deletes.contains(path);
        let reads = if keep_reads {
            settings.reads.iter().filter(|p| !own(p)).cloned().collect()
        } else {
            Vec::new()
        };
        Task {
            id,
            reads,
            files: group.files,
            creates: group.creates,
            deletes: group.deletes,
            read_globs: Arc::clone(&settings.read_globs),
            after: Vec::new(),
            because: self.because.clone(),
            prompt: settings.prompt.or_empty(),
            agent: settings.agent.or_empty(),
            profile: Arc::clone(&settings.profile),
            attempts: settings.attempts,
            timeout_ms: settings.timeout_ms,
            checks: Arc::clone(&self.checks),
            holdouts: Arc::clone(&self.holdouts),
            when: settings.when,
            expected_lines: settings.expected_lines,
            kind: self.kind,
            risk: settings.risk.unwrap_or_default(),
            floor: settings.floor,
            review: self.review.clone(),
            decisions: Arc::default(),
        }
    }
}

impl Given {
    /// The setting; empty when there is none, and then an error forbids the plan.
    fn or_empty(&self) -> Arc<str> {
        match self {
            Self::Yes(text) => Arc::clone(text),
            Self::No | Self::Wrong => "".into(),
        }
    }
}

/// The criteria of a task.
struct Criteria {
    checks: Vec<Criterion>,
    holdouts: Vec<Criterion>,
    /// Whether there is a check, and all that the text has could be read.
    whole: bool,
}

impl Criteria {
    fn read(section: &Section<'_>, owns: Option<&Owns>, cx: &mut Context<'_>) -> Self {
        let owned = owned(owns);
        let checks = section.many("check", Table::Check, &mut cx.problems);
        if checks.is_empty() && (!section.has("check") || section.is_empty_list("check")) {
            cx.problems.add(no_check(section));
        }
        let hidden = section.many("holdout", Table::Holdout, &mut cx.problems);
        if let Some(owns) = owns {
            reports::check_owned(&checks, owns, cx);
            reports::check_owned(&hidden, owns, cx);
        }
        let written = section.length("check") + section.length("holdout");
        let checks = criteria::checks(&checks, owned, cx);
        let holdouts = holdouts::read(&hidden, owned, owns, cx);
        Self {
            whole: !checks.is_empty() && checks.len() + holdouts.len() == written,
            checks,
            holdouts,
        }
    }
}

/// How many files `{file}` stands for in the checks of a task.
fn owned(owns: Option<&Owns>) -> Owned {
    let Some(Owns::Group(group)) = owns else {
        return Owned::One;
    };
    match group.files.len() + group.creates.len() {
        0 if group.deletes.is_empty() => Owned::One,
        0 => Owned::None,
        1 => Owned::One,
        _ => Owned::Several,
    }
}

fn no_check(section: &Section<'_>) -> Diagnostic {
    let id = section.text("id");
    let task = id.map_or("a task".to_owned(), |id| {
        format!("task `{}`", shown(id.value))
    });
    let problem = error("SW0127", format!("{task} has no check"))
        .help("add `[[task.check]]` with `says` and `run`: what is true afterwards, and the command that sees it");
    placed(
        problem,
        section.header.as_ref(),
        "nothing would tell good work from bad",
    )
}

fn no_prompt(section: &Section<'_>, id: &str) -> Diagnostic {
    let problem = error("SW0105", format!("task `{}` has no `prompt`", shown(id)))
        .help("write `prompt = \"…\"`, here or in `[defaults]`: what the agent is told to do");
    placed(problem, section.header.as_ref(), "`prompt` is missing")
}

/// Reports an agent that can only be given one file and a task that owns several.
fn check_embedded(owns: &Owns, place: &Range<usize>, settings: &Settings, cx: &mut Context<'_>) {
    let Owns::Group(group) = owns else { return };
    let Given::Yes(agent) = &settings.agent else {
        return;
    };
    let known = cx
        .agents
        .get(&**agent)
        .and_then(|a| a.embeds_file.as_deref());
    let Some(argument) = known.filter(|_| group.files.len() + group.creates.len() > 1) else {
        return;
    };
    cx.problems.add(
        error(
            "SW0137",
            format!("agent `{agent}` takes one file, and the task owns several"),
        )
        .at(place.clone(), "several files")
        .note(format!(
            "its argument `{}` has one `{{file}}` in it",
            shown(argument)
        ))
        .help("let `\"{file}\"` be an argument of its own: it becomes one argument per file"),
    );
}

/// A place in a list as a number; a text with four billion tasks does not fit into a `Vec`.
pub(crate) fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
