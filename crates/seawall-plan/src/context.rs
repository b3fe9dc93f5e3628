//! What the parts of the reader share while they read one plan.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use seawall_core::path::RepoPath;
use seawall_core::plan::{Agent, SandboxRules, WorkspaceRules};

use crate::problems::{At, Problems, error, list, shown};
use crate::tree::Tree;
use crate::world::World;

/// What the parts of the reader share.
pub(crate) struct Context<'w> {
    pub(crate) world: &'w dyn World,
    /// The plan's text.
    pub(crate) text: &'w str,
    /// The base's tree; none when there is no base, and then no path is looked up.
    pub(crate) tree: Option<Tree<'w>>,
    pub(crate) agents: BTreeMap<String, KnownAgent>,
    pub(crate) problems: Problems,
    /// Paths that the base does not have as the plan wants them; a task's work may make them so.
    pub(crate) pending: Vec<Pending>,
    /// What workers see besides the commit, so that no holdout may stand there.
    pub(crate) seen: Seen,
    /// The files beside the plan that holdouts put somewhere.
    pub(crate) put: Put,
    profiles: HashMap<String, Arc<str>>,
}

/// What workers see besides the commit.
#[derive(Default)]
pub(crate) struct Seen {
    /// Paths of the checkout that are carried along.
    pub(crate) carried: Vec<RepoPath>,
    /// Paths of the host that `[sandbox]` opens.
    pub(crate) opened: Vec<String>,
}

impl Seen {
    pub(crate) fn of(workspace: &WorkspaceRules, sandbox: &SandboxRules) -> Self {
        let carried = workspace.carry.iter().chain(&workspace.carry_files);
        Self {
            carried: carried.cloned().collect(),
            opened: sandbox.read.clone(),
        }
    }
}

/// Files beside the plan: each is read once, however many tasks put it somewhere.
#[derive(Default)]
pub(crate) struct Put {
    /// The bytes; none for what was reported.
    pub(crate) files: HashMap<RepoPath, Option<Arc<[u8]>>>,
    /// How many bytes they are together.
    pub(crate) bytes: u64,
}

/// An agent of the plan.
pub(crate) struct KnownAgent {
    /// Its name, shared by all its tasks.
    pub(crate) name: Arc<str>,
    /// None when its command could not be read.
    pub(crate) agent: Option<Agent>,
    /// The argument that holds `{file}` as a part of it.
    pub(crate) embeds_file: Option<String>,
}

/// A path or glob that the base does not have as the plan wants it.
pub(crate) struct Pending {
    pub(crate) wants: Wants,
    pub(crate) span: Range<usize>,
    /// The place of the table in the plan's list of tasks; none for `[defaults]`.
    pub(crate) block: Option<u32>,
}

/// What is wanted of the base.
pub(crate) enum Wants {
    /// A file to work on.
    File(RepoPath),
    /// No file, because the task makes it.
    Free(RepoPath),
    /// A file to delete.
    Doomed(RepoPath),
    /// Something to read.
    Glob(String),
}

impl<'w> Context<'w> {
    pub(crate) fn new(world: &'w dyn World, text: &'w str, tree: Option<Tree<'w>>) -> Self {
        Self {
            world,
            text,
            tree,
            agents: BTreeMap::new(),
            problems: Problems::new(),
            pending: Vec::new(),
            seen: Seen::default(),
            put: Put::default(),
            profiles: HashMap::new(),
        }
    }

    /// The agent of this name; an unknown one is reported.
    pub(crate) fn agent(&mut self, name: &At<&str>) -> Option<Arc<str>> {
        if let Some(known) = self.agents.get(name.value) {
            return Some(Arc::clone(&known.name));
        }
        let typed = shown(name.value);
        let near = self
            .problems
            .nearest(name.value, self.agents.keys().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.agents.is_empty() => {
                format!("define it: `[agent.{typed}]` with `run = [\"program\", \"{{file}}\"]`")
            }
            None => format!(
                "agents of this plan: {}",
                list(self.agents.keys().map(String::as_str))
            ),
        };
        self.problems.add(
            error("SW0131", format!("agent `{typed}` does not exist"))
                .at(name.span.clone(), "no agent has this name")
                .help(help),
        );
        None
    }

    /// The profile of this name; an unknown one is reported.
    pub(crate) fn profile(&mut self, name: &At<&str>) -> Option<Arc<str>> {
        if let Some(known) = self.profiles.get(name.value) {
            return Some(Arc::clone(known));
        }
        let all = self.world.profiles();
        if all.iter().any(|p| p == name.value) {
            let shared: Arc<str> = name.value.into();
            self.profiles
                .insert(name.value.to_owned(), Arc::clone(&shared));
            return Some(shared);
        }
        let near = self
            .problems
            .nearest(name.value, all.iter().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("profiles here: {}", list(all.iter().map(String::as_str))),
        };
        self.problems.add(
            error(
                "SW0133",
                format!("sandbox profile `{}` does not exist", shown(name.value)),
            )
            .at(name.span.clone(), "no profile has this name")
            .help(help),
        );
        None
    }
}
