//! Reads `.seawall/decisions.toml` of the base commit, and finds out which decisions hold for which task.
//!
//! Its problems are problems of the plan that have their place in another text.

use std::collections::HashMap;
use std::sync::Arc;

use globset::{Candidate, Glob, GlobBuilder, GlobSet};
use seawall_core::diagnostic::{Diagnostic, Source};
use seawall_core::path::RepoPath;
use seawall_core::plan::{Decision, DecisionKind, Task};
use toml::de::DeTable;

use crate::context::Context;
use crate::findings::not_a_glob;
use crate::keys::Table;
use crate::problems::{Problems, error, shown};
use crate::section::Section;
use crate::tree::META;
use crate::world::Kind;

/// Where the decisions of a repository stand.
pub(crate) const FILE: &str = ".seawall/decisions.toml";
/// Bytes of the longest file.
const LONGEST: u64 = 256 << 10;
/// Decisions, and globs of all of them.
const MOST: usize = 200;
const MOST_GLOBS: usize = 1_000;
/// Bytes of one text.
const LONGEST_TEXT: usize = 1_000;

/// The decisions of the base; they are noted on the tasks for which they hold.
pub(crate) fn settle(tasks: &mut [Task], cx: &mut Context<'_>) -> Vec<Decision> {
    let text = match text(cx) {
        Ok(text) => text,
        Err(problem) => {
            cx.problems.add(*problem);
            return Vec::new();
        }
    };
    let mut problems = Problems::new();
    let (decisions, globs) = read(&text, &mut problems);
    match Matcher::new(&globs) {
        Ok(matcher) => matcher.assign(tasks),
        Err(why) => problems.add(unusable(&shown(&why.to_string()))),
    }
    let name = FILE.to_owned();
    let source = Arc::new(Source { name, text });
    let problems = problems.into_sorted().into_iter();
    cx.problems
        .add_all(problems.map(|problem| moved(problem, &source)).collect());
    decisions
}

/// The text of the file; empty when the base has none.
fn text(cx: &Context<'_>) -> Result<String, Box<Diagnostic>> {
    let kind = cx.tree.as_ref().and_then(|tree| tree.kind(FILE.as_bytes()));
    match kind {
        None => return Ok(String::new()),
        Some(Kind::File) => {}
        Some(Kind::Symlink | Kind::Submodule) => {
            return Err(unusable("it is no regular file").into());
        }
    }
    let path = RepoPath::new(FILE.as_bytes()).expect("it is a path of a repository");
    let bytes = cx.world.committed(&path);
    let bytes = bytes.map_err(|why| unusable(&shown(&why)))?;
    if bytes.len() as u64 > LONGEST {
        return Err(unusable(&format!("it has more than {LONGEST} bytes")).into());
    }
    String::from_utf8(bytes).map_err(|_| unusable("it is not UTF-8").into())
}

fn unusable(why: &str) -> Diagnostic {
    error(
        "SW0164",
        format!("`{FILE}` of the base cannot be used: {why}"),
    )
    .help("commit a TOML file with `[[decision]]`, `says`, `because` and `paths`, or remove it")
}

/// The decisions, and each glob with the number of its decision.
fn read(text: &str, problems: &mut Problems) -> (Vec<Decision>, Vec<(u32, Glob)>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    if let Some(e) = errors.first() {
        let problem = error(
            "SW0100",
            format!("this is not TOML: {}", shown(e.message())),
        );
        let problem = problem.help("strings stand in quotes, lists in `[` and `]`");
        problems.add(crate::problems::placed(problem, e.span().as_ref(), "here"));
        return (Vec::new(), Vec::new());
    }
    let root = Section::open(Table::Decisions, table.get_ref(), None, 0, problems);
    let (mut decisions, mut globs) = (Vec::new(), Vec::new());
    for section in root.many("decision", Table::Decision, problems) {
        let number = crate::tasks::number(decisions.len());
        decisions.extend(one(&section, number, &mut globs, problems));
    }
    if decisions.len() > MOST || globs.len() > MOST_GLOBS {
        let most = format!("there may be {MOST} decisions with {MOST_GLOBS} globs");
        problems.add(unusable(&most));
        globs.clear();
    }
    (decisions, globs)
}

fn one(
    section: &Section<'_>,
    number: u32,
    globs: &mut Vec<(u32, Glob)>,
    problems: &mut Problems,
) -> Option<Decision> {
    let paths = section.texts("paths");
    let mut names: Vec<_> = paths.iter().map(|glob| glob.value.to_owned()).collect();
    for glob in &paths {
        match build(glob.value) {
            Ok(built) => globs.push((number, built)),
            Err(why) => problems.add(not_a_glob(glob, &why)),
        }
    }
    if !section.has("paths") {
        names.push("**".to_owned());
        globs.extend(build("**").ok().map(|all| (number, all)));
    }
    for name in ["says", "because"] {
        let long = section.text(name).filter(|t| t.value.len() > LONGEST_TEXT);
        if let Some(text) = long {
            let message = format!("`{name}` of a decision has more than {LONGEST_TEXT} bytes");
            let problem = error("SW0165", message).at(text.span, "too long for a brief");
            problems.add(problem.help("say the decision in a sentence or two"));
        }
    }
    Some(Decision {
        says: section.text("says")?.value.to_owned(),
        because: section.text("because")?.value.to_owned(),
        paths: names,
        kind: match section.text("kind").map(|kind| kind.value) {
            Some("rejected") => DecisionKind::Rejected,
            _ => DecisionKind::Constraint,
        },
    })
}

fn build(glob: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
}

/// A problem that has its place in this file.
fn moved(mut problem: Diagnostic, source: &Arc<Source>) -> Diagnostic {
    match problem.span {
        Some(_) => problem.source = Some(Arc::clone(source)),
        None if !problem.message.contains(FILE) => {
            problem.message = format!("`{FILE}`: {}", problem.message);
        }
        None => {}
    }
    problem
}

/// Finds the decisions of a path.
struct Matcher {
    set: GlobSet,
    /// Of each glob its decision and how specific it is.
    of: Vec<(u32, (usize, usize))>,
}

impl Matcher {
    fn new(globs: &[(u32, Glob)]) -> Result<Self, globset::Error> {
        let mut set = GlobSet::builder();
        for (_, glob) in globs {
            set.add(glob.clone());
        }
        let of = globs.iter().map(|(n, glob)| (*n, specific(glob.glob())));
        Ok(Self {
            set: set.build()?,
            of: of.collect(),
        })
    }

    /// Notes on each task what holds for it, the most specific last; equal lists are held once.
    fn assign(&self, tasks: &mut [Task]) {
        if self.of.is_empty() {
            return;
        }
        let mut known: HashMap<Vec<u32>, Arc<[u32]>> = HashMap::new();
        for task in tasks {
            let list = self.list(task);
            let shared = known
                .entry(list)
                .or_insert_with_key(|list| list.as_slice().into());
            task.decisions = Arc::clone(shared);
        }
    }

    fn list(&self, task: &Task) -> Vec<u32> {
        let mut ranks: HashMap<u32, (usize, usize)> = HashMap::new();
        for path in task.owned() {
            let matched = self
                .set
                .matches_candidate(&Candidate::from_bytes(path.as_bytes()));
            for (decision, rank) in matched.into_iter().map(|at| self.of[at]) {
                let best = ranks.entry(decision).or_default();
                *best = rank.max(*best);
            }
        }
        let mut list: Vec<_> = ranks.into_iter().map(|(ix, rank)| (rank, ix)).collect();
        list.sort_unstable();
        list.into_iter().map(|(_, ix)| ix).collect()
    }
}

/// How specific a glob is: the length of its literal beginning, then the number of its literal bytes.
fn specific(glob: &str) -> (usize, usize) {
    let prefix = glob.find(META).unwrap_or(glob.len());
    (prefix, glob.len() - glob.matches(META).count())
}
