//! A plan as the rest of the program sees it: checked, expanded, and free of text positions.
//!
//! `seawall-plan` makes it from text; a run pins it by digest. One prompt or check that fans out to
//! ten thousand tasks is held once, behind an [`Arc`], so a large plan costs its paths and little else.

mod decision;
mod gate;
mod trust;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::evidence::Grade;
use crate::finding::FindingRule;
use crate::ids::TaskIx;
use crate::path::RepoPath;

pub use decision::{Decision, DecisionKind};
pub use gate::{Capture, GateNow, Relation, Rule, Window};
pub use trust::{EvidenceRules, Flaky, Kind, Review, Risk, Sensitivity};

/// A whole plan, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Plan {
    /// Its name: letters, digits, `-` and `_`; part of the branch's name.
    pub name: String,
    /// What all tasks together are for; the first paragraph of every brief.
    pub goal: String,
    /// Ceilings of the whole run.
    pub budget: Budget,
    /// Ceilings of one worker or check.
    pub limits: Limits,
    /// What workers and checks may see beyond the defaults.
    pub sandbox: SandboxRules,
    /// What workspaces are made of.
    #[serde(default)]
    pub workspace: WorkspaceRules,
    /// How evidence is weighed.
    #[serde(default)]
    pub evidence: EvidenceRules,
    /// The commands that do the work, by name.
    pub agents: BTreeMap<String, Agent>,
    /// Must pass on the integrated tree at the end of every wave.
    pub checkpoints: Vec<Criterion>,
    /// Must hold at every checkpoint.
    pub invariants: Vec<Criterion>,
    /// What is otherwise about findings than their rules say; of two for one file, the later counts.
    #[serde(default)]
    pub findings: Vec<FindingRule>,
    /// What the repository has decided before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// The tasks in plan order, fan-outs expanded in path order.
    pub tasks: Vec<Task>,
}

impl Plan {
    /// The task at `ix`; an index of this plan is always in range.
    #[must_use]
    pub fn task(&self, ix: TaskIx) -> &Task {
        &self.tasks[ix.index()]
    }

    /// Every task with its index, in plan order.
    pub fn each_task(&self) -> impl Iterator<Item = (TaskIx, &Task)> {
        (0..).map(TaskIx).zip(&self.tasks)
    }

    /// What a checkpoint must pass, checks first.
    pub fn gates(&self) -> impl Iterator<Item = &Criterion> {
        self.checkpoints.iter().chain(&self.invariants)
    }
}

/// Ceilings of a whole run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Budget {
    /// Dispatches of workers, all tasks together.
    pub attempts: u32,
    /// Wall time in milliseconds, summed over the sessions of a run.
    pub wall_ms: u64,
}

/// Ceilings of one worker or check.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Wall time of one check, in milliseconds.
    pub check_timeout_ms: u64,
    /// Bytes of output that are kept of one worker or check; more is counted and dropped.
    pub output_bytes: u64,
    /// A worker that prints nothing for so many milliseconds is ended; none = no such limit.
    pub silence_ms: Option<u64>,
}

/// What workers and checks may see beyond the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SandboxRules {
    /// Absolute paths that may be read, never written. A leading `~/` is the user's home.
    pub read: Vec<String>,
    /// Names of environment variables that are passed on.
    pub pass: Vec<String>,
    /// Environment variables that are set. A leading `~/` in a value is the user's home.
    pub env: BTreeMap<String, String>,
}

/// What workspaces are made of, besides the files of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorkspaceRules {
    /// How they are made.
    pub mode: WorkspaceMode,
    /// Ignored directories of the user's checkout that appear in each workspace, copy-on-write.
    pub carry: Vec<RepoPath>,
    /// Ignored files of the user's checkout that appear in each workspace, as copies.
    pub carry_files: Vec<RepoPath>,
}

/// How workspaces are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkspaceMode {
    /// As overlays where the host can, else as copies.
    #[default]
    Auto,
    /// As overlays; a host that cannot refuses the run.
    Overlay,
    /// As copies.
    Copy,
}

/// A command that does the work of a task.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Agent {
    /// Program and arguments, with `{file}`, `{prompt}`, `{prompt_file}` and `{task}` not yet filled in.
    pub run: Vec<String>,
    /// How the brief reaches the command.
    pub prompt: PromptMode,
}

/// How a brief reaches an agent's command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromptMode {
    /// Not at all; standard input is `/dev/null`.
    #[default]
    None,
    /// On standard input.
    Stdin,
    /// As the last argument.
    Arg,
    /// As a file, whose path is the last argument unless the command names `{prompt_file}`.
    File,
}

/// A sentence that must be true, and the shell command or the rule that looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Criterion {
    /// The sentence.
    pub says: String,
    /// The shell command; exit status 0 says that the sentence is true. Absent for [`Proof::Manual`] and where
    /// there is a rule.
    pub run: Option<String>,
    /// What the files must be like, for an invariant without a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// What the command must show.
    pub proof: Proof,
    /// Whether the base may be red.
    #[serde(default)]
    pub baseline: Baseline,
    /// Whether fewer tests than on the base may be executed.
    #[serde(default)]
    pub tests: Tests,
    /// What is done if it is red and green on one tree.
    #[serde(default)]
    pub flaky: Flaky,
    /// The JUnit XML file that the command writes, from the top of the repository; its tests count instead of those
    /// of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub junit: Option<RepoPath>,
    /// From when to when it holds; only for gates.
    #[serde(default, skip_serializing_if = "Window::is_always")]
    pub window: Window,
    /// Files that stand in the workspace of this check and in no worker's: only for holdouts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub put: BTreeMap<RepoPath, Arc<[u8]>>,
}

/// What a base must be like for a criterion that holds before and after the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// Green.
    #[default]
    Green,
    /// It may be red: then only failures that the base does not have count.
    Red,
}

/// What the number of executed tests must be like, compared with the base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tests {
    /// Not smaller.
    #[default]
    Keep,
    /// It may be smaller: the work takes tests away.
    MayShrink,
}

/// What a check must show to prove its criterion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Red on the base, green after the work.
    #[default]
    FailToPass,
    /// Green on the base, still green after the work.
    PassToPass,
    /// Only a person can tell.
    Manual,
}

/// One unit of work for one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Task {
    /// Its name, unique in the plan; `ID:PATH` for a member of a fan-out.
    pub id: Arc<str>,
    /// Existing files that it owns, as the plan names them.
    pub files: Vec<RepoPath>,
    /// Files that it must make.
    pub creates: Vec<RepoPath>,
    /// Files that it must delete.
    pub deletes: Vec<RepoPath>,
    /// Files of the base that it reads.
    pub reads: Vec<RepoPath>,
    /// The globs from which `reads` was expanded; expanded anew on the base of its wave.
    pub read_globs: Arc<[String]>,
    /// Tasks that must be accepted before it starts.
    pub after: Vec<TaskIx>,
    /// Why it owns more than one file.
    pub because: Option<Arc<str>>,
    /// What the agent is told to do.
    pub prompt: Arc<str>,
    /// Which agent does it.
    pub agent: Arc<str>,
    /// Which sandbox profile confines it.
    pub profile: Arc<str>,
    /// Dispatches that it may use, the first included.
    pub attempts: u32,
    /// Wall time of one dispatch, in milliseconds.
    pub timeout_ms: u64,
    /// What must be true afterwards.
    pub checks: Arc<[Criterion]>,
    /// What must be true besides, and is never shown to a worker; looked at after all checks. Their numbers go on
    /// where those of the checks end.
    #[serde(default = "nothing", skip_serializing_if = "is_empty")]
    pub holdouts: Arc<[Criterion]>,
    /// What a green base means.
    pub when: When,
    /// Lines that its change should about have, added and removed; none when nobody said.
    #[serde(default)]
    pub expected_lines: Option<u32>,
    /// What kind of work it is.
    #[serde(default)]
    pub kind: Kind,
    /// What is at stake.
    #[serde(default)]
    pub risk: Risk,
    /// The weakest evidence that is enough, where the plan names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Grade>,
    /// Who looks at the change besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The numbers of the decisions that hold for its files, the most specific last.
    #[serde(default = "none_hold", skip_serializing_if = "none_holds")]
    pub decisions: Arc<[u32]>,
}

fn none_hold() -> Arc<[u32]> {
    Arc::new([])
}

fn none_holds(decisions: &Arc<[u32]>) -> bool {
    decisions.is_empty()
}

fn nothing() -> Arc<[Criterion]> {
    Arc::new([])
}

fn is_empty(criteria: &Arc<[Criterion]>) -> bool {
    criteria.is_empty()
}

/// What it means when every fail-to-pass check of a task is green before any work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// The check proves nothing: the task is rejected before it is dispatched.
    #[default]
    Always,
    /// There is nothing to do: the task is left out, which is no failure.
    Red,
}

impl Task {
    /// Every path that the task may change: existing, new and deleted.
    pub fn owned(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.iter().chain(&self.creates).chain(&self.deletes)
    }

    /// Every criterion by its number: the checks, then the holdouts.
    pub fn criteria(&self) -> impl Iterator<Item = &Criterion> {
        self.checks.iter().chain(self.holdouts.iter())
    }

    /// Whether the criterion of this number is a holdout.
    #[must_use]
    pub fn is_holdout(&self, criterion: u32) -> bool {
        criterion as usize >= self.checks.len()
    }
}
