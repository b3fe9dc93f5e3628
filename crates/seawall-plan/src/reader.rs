//! Reads a whole plan: the head, then the tasks, then what only all of them together can tell.

use std::ops::Range;

use seawall_core::diagnostic::Diagnostic;
use seawall_core::finding::FindingRule;
use seawall_core::plan::{Budget, Criterion, EvidenceRules, Plan};

use crate::codes;
use crate::context::{Context, Seen};
use crate::document::{self, Pieces};
use crate::gates::{self, Gate};
use crate::keys::Table;
use crate::problems::{Problems, error, floor, list, shown, warning};
use crate::section::Section;
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::tree::Tree;
use crate::world::{Base, World};
use crate::{
    Reading, briefs, contradictions, decisions, findings, head, idle, order, owners, pending,
    reports, windows, workspace,
};

/// Dispatches that a run may use for each task, when the plan does not say.
const ATTEMPTS_PER_TASK: u32 = 3;
/// The least number of dispatches that a run gets, when the plan does not say.
const LEAST_ATTEMPTS: u32 = 10;
/// Changed paths that are named.
const FEW_PATHS: usize = 5;
/// Syntax errors that are told; a text with more is not read any further.
const MOST_SYNTAX_ERRORS: usize = 50;

/// Reads `text`.
pub(crate) fn read(text: &str, world: &dyn World) -> Reading {
    let cut = (text.len() >= document::CUT_FROM)
        .then(|| Pieces::cut(text, document::BATCH))
        .flatten();
    cut.and_then(|pieces| read_pieces(&pieces, text, world))
        .or_else(|| read_pieces(&Pieces::whole(text), text, world))
        .expect("a text in one piece is always read")
}

/// Reads a text in pieces; none when it has to be read in one piece, which never needs to be.
pub(crate) fn read_pieces(pieces: &Pieces<'_>, text: &str, world: &dyn World) -> Option<Reading> {
    let (table, errors) = pieces.head();
    if pieces.is_cut() && (!errors.is_empty() || table.get_ref().contains_key("task")) {
        return None;
    }
    let mut cx = Context::new(world, text, base(world));
    let head = Head::read(table.get_ref(), &mut cx);
    let mut tasks = Tasks::default();
    add_tasks(table.get_ref(), 0, &head.defaults, &mut tasks, &mut cx);
    for (offset, table, sound) in pieces.batches() {
        if !sound {
            return None;
        }
        add_tasks(table.get_ref(), offset, &head.defaults, &mut tasks, &mut cx);
    }
    drop(table);
    let plan = head.finish(tasks, &mut cx);
    Some(reading(plan, cx.problems, &errors, text, world))
}

fn base(world: &dyn World) -> Option<Tree<'_>> {
    match world.base() {
        Base::Unborn => None,
        Base::Commit { .. } => Some(Tree::new(world.files())),
    }
}

fn add_tasks<'d>(
    table: &'d toml::de::DeTable<'d>,
    offset: usize,
    defaults: &Settings,
    tasks: &mut Tasks,
    cx: &mut Context<'_>,
) {
    for (entries, header) in document::tasks(table) {
        let header = header.start + offset..header.end + offset;
        let section = Section::open(Table::Task, entries, Some(header), offset, &mut cx.problems);
        tasks.add(&section, defaults, cx);
    }
}

/// Everything but the tasks.
struct Head {
    name: Option<String>,
    goal: Option<String>,
    budget: BudgetKeys,
    limits: seawall_core::plan::Limits,
    sandbox: seawall_core::plan::SandboxRules,
    workspace: seawall_core::plan::WorkspaceRules,
    evidence: EvidenceRules,
    checkpoints: Vec<Gate>,
    invariants: Vec<Gate>,
    findings: Vec<FindingRule>,
    defaults: Settings,
    /// Whether `task` stands in the text in a wrong form, which was reported.
    odd_tasks: bool,
}

/// The budget as the text has it.
struct BudgetKeys {
    attempts: Option<crate::problems::At<u32>>,
    wall_ms: u64,
}

impl BudgetKeys {
    fn read(section: Option<&Section<'_>>) -> Self {
        let wall_ms = section.and_then(|b| b.duration(Table::Budget, "wall"));
        Self {
            attempts: section.and_then(|b| b.count(Table::Budget, "attempts")),
            wall_ms: wall_ms.unwrap_or(head::DEFAULT_WALL_MS),
        }
    }

    fn attempts(&self, tasks: &Tasks, cx: &mut Context<'_>) -> u32 {
        let count = crate::tasks::number(tasks.tasks.len());
        let Some(given) = &self.attempts else {
            return count.saturating_mul(ATTEMPTS_PER_TASK).max(LEAST_ATTEMPTS);
        };
        if given.value < count {
            cx.problems.add(
                warning(
                    "SW0202",
                    format!("{} attempts are not enough for {count} tasks", given.value),
                )
                .at(given.span.clone(), "some tasks cannot be dispatched")
                .help(format!(
                    "write at least {count}; {} lets every task have a second try",
                    count.saturating_mul(2)
                )),
            );
        }
        given.value
    }
}

impl Head {
    fn read(table: &toml::de::DeTable<'_>, cx: &mut Context<'_>) -> Self {
        let root = Section::open(Table::Plan, table, None, 0, &mut cx.problems);
        let workspace = root.one("workspace", Table::Workspace, &mut cx.problems);
        let carried = workspace.as_ref().map(|w| w.texts("carry"));
        head::agents(&root, &carried.unwrap_or_default(), cx);
        let problems = &mut cx.problems;
        let budget = root.one("budget", Table::Budget, problems);
        let limits = root.one("limits", Table::Limits, problems);
        let evidence = root.one("evidence", Table::Evidence, problems);
        let findings = root.many("finding", Table::Finding, problems);
        let findings = findings::read(&findings, problems);
        let defaults = root.one("defaults", Table::Defaults, problems);
        let sandbox = root.one("sandbox", Table::Sandbox, problems);
        let sandbox = head::sandbox(sandbox.as_ref(), problems);
        let workspace = workspace::read(workspace.as_ref(), cx);
        cx.seen = Seen::of(&workspace, &sandbox);
        let checkpoints = gates::checkpoints(&root, cx);
        let invariants = gates::invariants(&root, cx);
        let built_in = Settings::built_in(cx);
        let problems = &mut cx.problems;
        Self {
            name: head::name(&root, problems),
            goal: root.text("goal").map(|g| g.value.to_owned()),
            budget: BudgetKeys::read(budget.as_ref()),
            limits: head::limits(limits.as_ref()),
            sandbox,
            workspace,
            evidence: head::evidence(evidence.as_ref()),
            checkpoints,
            invariants,
            findings,
            defaults: defaults
                .map(|d| built_in.overlaid(&d, Table::Defaults, None, cx))
                .unwrap_or(built_in),
            odd_tasks: root.has("task") && !root.is_empty_list("task"),
        }
    }

    /// Holds everything against everything else and makes the plan.
    fn finish(self, mut tasks: Tasks, cx: &mut Context<'_>) -> Option<Plan> {
        if tasks.blocks.is_empty() && !self.odd_tasks {
            cx.problems.add(no_task());
        }
        let mut gates = self.checkpoints;
        let checkpoints = gates.len();
        gates.extend(self.invariants);
        hold_together(&mut tasks, &mut gates, &self.goal, cx);
        let mut gates: Vec<Criterion> = gates.into_iter().map(|gate| gate.criterion).collect();
        let invariants = gates.split_off(checkpoints);
        let decisions = decisions::settle(&mut tasks.tasks, cx);
        let attempts = self.budget.attempts(&tasks, cx);
        let agents = std::mem::take(&mut cx.agents);
        Some(Plan {
            name: self.name?,
            goal: self.goal?,
            budget: Budget {
                attempts,
                wall_ms: self.budget.wall_ms,
            },
            limits: self.limits,
            sandbox: self.sandbox,
            workspace: self.workspace,
            evidence: self.evidence,
            agents: agents
                .into_iter()
                .map(|(name, known)| Some((name, known.agent?)))
                .collect::<Option<_>>()?,
            checkpoints: gates,
            invariants,
            findings: self.findings,
            decisions,
            tasks: tasks.tasks,
        })
    }
}

/// Checks what only all tasks and gates together can tell, and orders them.
fn hold_together(
    tasks: &mut Tasks,
    gates: &mut [Gate],
    goal: &Option<String>,
    cx: &mut Context<'_>,
) {
    tasks.report_without_agent(cx);
    pending::settle(tasks, cx);
    reports::check_gates(gates, tasks, cx);
    let edges = order::resolve(tasks, &mut cx.problems);
    let ordered = order::check_cycles(tasks, &edges, &mut cx.problems);
    if ordered {
        owners::tell(tasks, &edges, cx);
    }
    windows::settle(gates, tasks, ordered.then_some(&edges), cx);
    if !cx.problems.any_error() {
        order::expand(tasks, &edges, cx);
        idle::tell(gates, tasks, cx);
        contradictions::tell(tasks, gates, &edges, cx);
        briefs::tell(tasks, goal.as_deref().unwrap_or_default(), cx);
    }
}

fn no_task() -> Diagnostic {
    error("SW0130", "the plan has no task")
        .help("add `[[task]]` with `id`, `file`, `prompt` and a `[[task.check]]`; `seawall explain SW0130` has a whole plan")
}

/// Puts syntax errors and what they leave of the other problems together.
fn reading(
    plan: Option<Plan>,
    mut problems: Problems,
    errors: &[toml::de::Error],
    text: &str,
    world: &dyn World,
) -> Reading {
    add_syntax(&mut problems, errors, text);
    tell_base(world, &mut problems);
    let refused = problems.any_error();
    let diagnostics = problems.into_sorted();
    debug_assert!(
        refused || plan.is_some(),
        "a plan that is not made has an error"
    );
    Reading {
        plan: plan.filter(|_| !refused),
        diagnostics,
    }
}

fn add_syntax(problems: &mut Problems, errors: &[toml::de::Error], text: &str) {
    if errors.len() > MOST_SYNTAX_ERRORS {
        *problems = Problems::new(); // whatever this text is, it is no plan with slips in it
    } else if !errors.is_empty() {
        let spans = errors.iter().filter_map(toml::de::Error::span);
        let broken: Vec<Range<usize>> = spans.map(|s| lines_of(text, &s)).collect();
        let stands = |d: &Diagnostic| !touches(&broken, d.span.as_ref());
        problems.retain(|d| !codes::may_follow_from_syntax(d.code) && stands(d));
    }
    for e in errors.iter().take(MOST_SYNTAX_ERRORS) {
        problems.add(syntax(e, text));
    }
}

fn syntax(e: &toml::de::Error, text: &str) -> Diagnostic {
    let problem = error(
        "SW0100",
        format!("this is not TOML: {}", shown(e.message())),
    );
    let problem = match e.span() {
        Some(span) => problem.at(clipped(span, text), "here"),
        None => problem,
    };
    problem
        .help("strings stand in quotes, lists in `[` and `]`, and a key stands once in its table")
}

/// A span inside of the text and on the borders of its characters, whatever the parser said.
fn clipped(span: Range<usize>, text: &str) -> Range<usize> {
    let start = floor(text, span.start);
    start..floor(text, span.end).max(start)
}

/// The bytes of the lines that `span` touches.
fn lines_of(text: &str, span: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let first = span.start.min(bytes.len());
    let last = span.end.clamp(first, bytes.len());
    let start = bytes[..first]
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    let end = bytes[last..]
        .iter()
        .position(|b| *b == b'\n')
        .map_or(bytes.len(), |at| last + at);
    start..end
}

fn touches(broken: &[Range<usize>], span: Option<&Range<usize>>) -> bool {
    span.is_some_and(|s| broken.iter().any(|b| s.start <= b.end && b.start <= s.end))
}

fn tell_base(world: &dyn World, problems: &mut Problems) {
    match world.base() {
        Base::Unborn => problems.add(
            error("SW0134", "the repository has no commit to start from")
                .help("commit first: `git add -A && git commit`; a run starts from a commit, never from files on disk"),
        ),
        Base::Commit { dirty_count: 0, .. } => {}
        Base::Commit { short, dirty, dirty_count } => {
            let are = if dirty_count == 1 { "path is" } else { "paths are" };
            let message = format!("{dirty_count} changed {are} not part of the run, which starts from commit {}", shown(&short));
            let few = dirty.iter().take(FEW_PATHS).map(String::as_str);
            let more = dirty_count.saturating_sub(few.len());
            let few = list(few) + &if more > 0 { format!(" and {more} more") } else { String::new() };
            problems.add(
                warning("SW0201", message)
                    .note(format!("not in the commit: {few}"))
                    .help("commit or stash them if the work should see them; the run does not touch them"),
            );
        }
    }
}
