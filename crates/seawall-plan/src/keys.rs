//! The keys of a plan file, as data.
//!
//! One row per key: where it stands, what it takes, what it is when absent, and what it is for. The
//! reader (`section`), the JSON Schema and the reference in `docs/plan.md` are all made from these
//! rows; a key exists because it has a row. The cost: a row cannot say how keys depend on one another,
//! that is code.

use Shape::{Choice, Count, Duration, Many, Named, One, Size, Text, TextMap, Texts};

/// A table of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Plan,
    Defaults,
    Budget,
    Limits,
    Sandbox,
    Workspace,
    Agent,
    Checkpoint,
    Invariant,
    Finding,
    Task,
    Check,
}

impl Table {
    /// In the order of the reference.
    pub(crate) const ALL: [Self; 12] = [
        Self::Plan,
        Self::Defaults,
        Self::Budget,
        Self::Limits,
        Self::Sandbox,
        Self::Workspace,
        Self::Agent,
        Self::Checkpoint,
        Self::Invariant,
        Self::Finding,
        Self::Task,
        Self::Check,
    ];

    /// How the table is written in a plan.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Plan => "the top of the file",
            Self::Defaults => "[defaults]",
            Self::Budget => "[budget]",
            Self::Limits => "[limits]",
            Self::Sandbox => "[sandbox]",
            Self::Workspace => "[workspace]",
            Self::Agent => "[agent.NAME]",
            Self::Checkpoint => "[[checkpoint]]",
            Self::Invariant => "[[invariant]]",
            Self::Finding => "[[finding]]",
            Self::Task => "[[task]]",
            Self::Check => "[[task.check]]",
        }
    }

    /// What the table is for, in one sentence.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Plan => "What the plan is, and the tables below.",
            Self::Defaults => "What a task takes when it does not say otherwise.",
            Self::Budget => {
                "Ceilings of the whole run; a run that reaches one parks and can be resumed."
            }
            Self::Limits => "Ceilings of one worker or check.",
            Self::Sandbox => "What workers and checks may see beyond the profile.",
            Self::Workspace => "What workspaces are made of, besides the files of the commit.",
            Self::Agent => {
                "A command that does the work of a task; NAME is what `agent` refers to."
            }
            Self::Checkpoint => "Must pass on the integrated tree at the end of every wave.",
            Self::Invariant => "Must hold at every checkpoint.",
            Self::Finding => {
                "What follows from a finding in this plan, where that is not what its rule says."
            }
            Self::Task => "One unit of work for one agent.",
            Self::Check => "What must be true after the task, and how to see it.",
        }
    }

    /// The rows of this table, in order.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |k| k.tables.contains(&self))
    }

    /// The row of `name` in this table.
    pub(crate) fn key(self, name: &str) -> Option<&'static Key> {
        KEYS.iter()
            .find(|k| k.name == name && k.tables.contains(&self))
    }
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A string with something in it.
    Text,
    /// A list of such strings; at least so many.
    Texts { least: usize },
    /// A table of strings.
    TextMap,
    /// A whole number.
    Count { least: u32, most: u32 },
    /// A duration such as `10m`, more than nothing and at most so many milliseconds.
    Duration { most: u64 },
    /// A number of bytes such as `16MiB`.
    Size { least: u64, most: u64 },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A table.
    One(Table),
    /// An array of tables.
    Many(Table),
    /// A table of tables, by name.
    Named(Table),
}

impl Shape {
    /// What to say that a value must be.
    pub(crate) fn wanted(self) -> &'static str {
        match self {
            Text | Choice(_) => "a string",
            Texts { .. } => "a list of strings",
            TextMap => "a table of strings",
            Count { .. } => "a whole number",
            Duration { .. } => "a string with a duration",
            Size { .. } => "a string with a size",
            One(_) => "a table",
            Many(_) => "an array of tables",
            Named(_) => "a table of named tables",
        }
    }
}

/// One key of the format.
#[derive(Debug)]
pub(crate) struct Key {
    /// Where it may stand.
    pub(crate) tables: &'static [Table],
    /// How it is spelt.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) shape: Shape,
    /// Whether its absence alone is an error.
    pub(crate) required: bool,
    /// What it is when absent, in words or as TOML; empty when there is nothing to say.
    pub(crate) default: &'static str,
    /// A value, as TOML.
    pub(crate) example: &'static str,
    /// What it is for.
    pub(crate) doc: &'static str,
}

const fn key(tables: &'static [Table], name: &'static str, shape: Shape) -> Key {
    Key {
        tables,
        name,
        shape,
        required: false,
        default: "",
        example: "",
        doc: "",
    }
}

impl Key {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }
}

/// Seven days: the longest time that one worker or check may ask for.
const WEEK: u64 = 7 * 24 * 3_600_000;

const PLAN: &[Table] = &[Table::Plan];
const BUDGET: &[Table] = &[Table::Budget];
const LIMITS: &[Table] = &[Table::Limits];
const SANDBOX: &[Table] = &[Table::Sandbox];
const WORKSPACE: &[Table] = &[Table::Workspace];
const AGENT: &[Table] = &[Table::Agent];
const TASK: &[Table] = &[Table::Task];
const CHECK: &[Table] = &[Table::Check];
const CRITERIA: &[Table] = &[Table::Checkpoint, Table::Invariant, Table::Check];
const GATES: &[Table] = &[Table::Checkpoint, Table::Invariant];
const FINDING: &[Table] = &[Table::Finding];
const SETTINGS: &[Table] = &[Table::Defaults, Table::Task];

/// Every key of the format, in the order of the reference.
pub(crate) static KEYS: &[Key] = &[
    key(PLAN, "version", Count { least: 1, most: 1 }).required().example("1")
        .doc("The version of the format. There is one: 1."),
    key(PLAN, "name", Text).required().example("\"modern-typing\"")
        .doc("The plan's name, part of the branch `seawall/NAME/RUN`: letters, digits, `-` and `_`, at most 64."),
    key(PLAN, "goal", Text).required().example("\"Replace typing aliases by builtin generics without changing behaviour\"")
        .doc("What all tasks together are for; every brief begins with it."),
    key(PLAN, "defaults", One(Table::Defaults)).doc("What a task takes when it does not say otherwise."),
    key(PLAN, "budget", One(Table::Budget)).doc("Ceilings of the whole run."),
    key(PLAN, "limits", One(Table::Limits)).doc("Ceilings of one worker or check."),
    key(PLAN, "sandbox", One(Table::Sandbox)).doc("What workers and checks may see beyond the profile."),
    key(PLAN, "workspace", One(Table::Workspace)).doc("What workspaces are made of, besides the files of the commit."),
    key(PLAN, "agent", Named(Table::Agent)).required().doc("The commands that do the work, by name; at least one."),
    key(PLAN, "checkpoint", Many(Table::Checkpoint)).required()
        .doc("Must pass on the integrated tree at the end of every wave; at least one."),
    key(PLAN, "invariant", Many(Table::Invariant)).doc("Must hold at every checkpoint."),
    key(PLAN, "finding", Many(Table::Finding)).doc("What follows from a finding, where that is not what its rule says."),
    key(PLAN, "task", Many(Table::Task)).required().doc("The work, in plan order; at least one."),
    key(TASK, "id", Text).required().example("\"types\"")
        .doc("The task's name, unique in the plan: letters, digits, `-`, `_` and `.`, at most 100."),
    key(TASK, "file", Text).example("\"src/click/__init__.py\"")
        .doc("The one existing file that the task owns: its worker may write it, and nothing else."),
    key(TASK, "files", Texts { least: 1 }).example("[\"a.py\", \"b.py\"]")
        .doc("The existing files that the task owns, where one is not enough; needs `because`."),
    key(TASK, "because", Text).example("\"signature and callers move together\"")
        .doc("Why the task owns more than one file."),
    key(TASK, "creates", Texts { least: 1 }).example("[\"src/new.py\"]")
        .doc("Files that the task must make. They are there, empty, when its worker starts."),
    key(TASK, "deletes", Texts { least: 1 }).example("[\"src/old.py\"]").doc("Files that the task must delete."),
    key(TASK, "each", Text).example("\"src/click/*.py\"")
        .doc("A glob: one task per regular file of the base that matches, with the id `ID:PATH`, in the order of the paths' bytes. Instead of `file`."),
    key(TASK, "after", Texts { least: 0 }).example("[\"types\"]")
        .doc("Tasks that must be accepted before this one starts. The id of a fan-out stands for all its members, `ID:PATH` for one."),
    key(SETTINGS, "agent", Text).default("the only agent, if there is one").example("\"modernise\"").doc("Which agent does the work."),
    key(SETTINGS, "profile", Text).default("\"worker\"").example("\"worker\"").doc("Which sandbox profile confines the worker."),
    key(SETTINGS, "attempts", Count { least: 1, most: 100 }).default("2").example("2")
        .doc("How often a worker may be dispatched for the task, the first time included."),
    key(SETTINGS, "timeout", Duration { most: WEEK }).default("\"10m\"").example("\"10m\"").doc("Wall time of one dispatch, at most 7 days."),
    key(SETTINGS, "when", Choice(&["always", "red"])).default("\"always\"").example("\"red\"")
        .doc("What it means when every fail-to-pass check is green before any work: `always` rejects the task, `red` leaves it out."),
    key(SETTINGS, "expected_lines", Count { least: 1, most: 1_000_000 }).default("nobody expects a size").example("40")
        .doc("How many lines the change should about have, added and removed. One of more than three times as many is held for a person."),
    key(SETTINGS, "prompt", Text).example("\"Replace `t.List` by `list` in this file.\"")
        .doc("What the agent is told to do. Needed, here or in `[defaults]`."),
    key(SETTINGS, "reads", Texts { least: 0 }).example("[\"src/click/*.py\"]")
        .doc("Globs and paths of files that the task's brief lists and whose writers it must not share a wave with."),
    key(TASK, "check", Many(Table::Check)).required().doc("What must be true afterwards; at least one."),
    key(BUDGET, "attempts", Count { least: 1, most: 1_000_000 }).default("3 for each task, at least 10").example("60")
        .doc("Dispatches of workers, all tasks together."),
    key(BUDGET, "wall", Duration { most: 30 * 24 * 3_600_000 }).default("\"4h\"").example("\"2h\"")
        .doc("Wall time, summed over the sessions of the run; at most 30 days."),
    key(LIMITS, "check_timeout", Duration { most: WEEK }).default("\"5m\"").example("\"5m\"").doc("Wall time of one check, at most 7 days."),
    key(LIMITS, "output", Size { least: 1024, most: 1 << 32 }).default("\"16MiB\"").example("\"64MiB\"")
        .doc("How much output is kept of one worker or check, 1KiB to 4GiB; more is counted and dropped."),
    key(LIMITS, "silence", Duration { most: WEEK }).default("no such limit").example("\"5m\"")
        .doc("A worker that prints nothing for so long is ended."),
    key(SANDBOX, "read", Texts { least: 0 }).example("[\"~/.cargo\"]")
        .doc("Further paths that workers and checks may read, never write: absolute, or below the home directory with `~/`."),
    key(SANDBOX, "pass", Texts { least: 0 }).example("[\"LANG\"]").doc("Names of environment variables that are passed on."),
    key(SANDBOX, "env", TextMap).example("{ CARGO_NET_OFFLINE = \"true\" }")
        .doc("Environment variables that are set. A leading `~/` in a value is the home directory."),
    key(WORKSPACE, "mode", Choice(&["auto", "overlay", "copy"])).default("\"auto\"").example("\"copy\"")
        .doc("How workspaces are made: as overlays on one shared directory, as copies, or the first where the host can."),
    key(WORKSPACE, "carry", Texts { least: 0 }).example("[\"node_modules\", \".venv\", \"target\"]")
        .doc("Directories of your checkout that git ignores: each workspace and each check sees them at the same path and may write there, and yours are never written."),
    key(WORKSPACE, "carry_files", Texts { least: 0 }).example("[\".env.test\"]")
        .doc("Files of your checkout that git ignores, copied into each workspace."),
    key(AGENT, "run", Texts { least: 1 }).required().example("[\"pyupgrade\", \"--py38-plus\", \"{file}\"]")
        .doc("Program and arguments; no shell. `{file}`, `{prompt}`, `{prompt_file}` and `{task}` are filled in."),
    key(AGENT, "prompt", Choice(&["none", "stdin", "arg", "file"])).default("\"none\"").example("\"stdin\"")
        .doc("How the brief reaches the command: not at all, on standard input, as the last argument, or as a file."),
    key(GATES, "says", Text).required().example("\"the whole suite passes\"").doc("The sentence that must be true."),
    key(GATES, "run", Text).required().example("\"python -m pytest -q\"")
        .doc("The shell command that looks; exit status 0 says yes. Nothing is filled in."),
    key(FINDING, "code", Text).required().example("\"SW0513\"").doc("The rule, by its code; `docs/findings.md` lists them."),
    key(FINDING, "severity", Choice(&["off", "note", "hold", "block"])).required().example("\"off\"")
        .doc("What follows instead of what the rule says: nothing is found, it is told, a person must look, the attempt is rejected."),
    key(FINDING, "because", Text).required().example("\"a command line tool prints\"").doc("Why; it stands beside each finding."),
    key(FINDING, "paths", Texts { least: 1 }).default("all files").example("[\"src/cli/**\"]")
        .doc("Globs of the files for which this holds. Of two tables for one rule and file, the later counts."),
    key(CHECK, "says", Text).required().example("\"no typing alias is left\"").doc("The sentence that must be true afterwards."),
    key(CHECK, "run", Text).example("\"! grep -nE 't[.]List' {file}\"")
        .doc("The shell command that looks; exit status 0 says yes. `{file}` and `{task}` are filled in, quoted. Needed unless `proof` is `manual`."),
    key(CHECK, "proof", Choice(&["fail-to-pass", "pass-to-pass", "manual"])).default("\"fail-to-pass\"").example("\"pass-to-pass\"")
        .doc("What the command must show: red before and green after, green before and after, or nothing, because a person looks."),
    key(CRITERIA, "baseline", Choice(&["green", "red"])).default("\"green\"").example("\"red\"")
        .doc("What the base is like: `red` says that tests fail there already, and only failures that the base does not have count. Needs a test runner whose output is understood, and a command that is to stay green."),
    key(CRITERIA, "tests", Choice(&["keep", "may-shrink"])).default("\"keep\"").example("\"may-shrink\"")
        .doc("How many tests must be executed: `keep` at least as many as on the base, `may-shrink` also fewer, but never none."),
];
