//! The keys of a plan file, as data.
//!
//! One row of `key_table` per key: where it stands, what it takes, what it is when absent, and what it is
//! for. The reader (`section`), the JSON Schema and the reference in `docs/plan.md` are all made from these
//! rows; a key exists because it has a row. The cost: a row cannot say how keys depend on one another,
//! that is code.

use self::Shape::{
    Choice, Count, Duration, Many, Named, One, Retry, Size, Text, TextMap, Texts, TextsOrOne,
};

use crate::key_table::KEYS;

/// A table of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Plan,
    Defaults,
    Budget,
    Limits,
    Evidence,
    Sandbox,
    Workspace,
    Agent,
    Checkpoint,
    Invariant,
    Forbid,
    Agree,
    Capture,
    Wired,
    Imports,
    Finding,
    Task,
    Check,
    Holdout,
    Review,
    /// The other file, `.seawall/decisions.toml`; no part of a plan, so not in `ALL`.
    Decisions,
    Decision,
}

impl Table {
    /// In the order of the reference.
    pub(crate) const ALL: [Self; 20] = [
        Self::Plan,
        Self::Defaults,
        Self::Budget,
        Self::Limits,
        Self::Evidence,
        Self::Sandbox,
        Self::Workspace,
        Self::Agent,
        Self::Checkpoint,
        Self::Invariant,
        Self::Forbid,
        Self::Agree,
        Self::Capture,
        Self::Wired,
        Self::Imports,
        Self::Finding,
        Self::Task,
        Self::Check,
        Self::Holdout,
        Self::Review,
    ];

    /// How the table is written in a plan.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Plan => "the top of the file",
            Self::Defaults => "[defaults]",
            Self::Budget => "[budget]",
            Self::Limits => "[limits]",
            Self::Evidence => "[evidence]",
            Self::Sandbox => "[sandbox]",
            Self::Workspace => "[workspace]",
            Self::Agent => "[agent.NAME]",
            Self::Checkpoint => "[[checkpoint]]",
            Self::Invariant => "[[invariant]]",
            Self::Forbid => "[invariant.forbid]",
            Self::Agree => "[invariant.agree]",
            Self::Capture => "[[invariant.agree.equal]]",
            Self::Wired => "[invariant.wired]",
            Self::Imports => "[invariant.imports]",
            Self::Finding => "[[finding]]",
            Self::Task => "[[task]]",
            Self::Check => "[[task.check]]",
            Self::Holdout => "[[task.holdout]]",
            Self::Review => "[task.review]",
            Self::Decisions => "the decisions",
            Self::Decision => "[[decision]]",
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
            Self::Evidence => "How evidence is weighed, for the whole plan.",
            Self::Sandbox => "What workers and checks may see beyond the profile.",
            Self::Workspace => "What workspaces are made of, besides the files of the commit.",
            Self::Agent => {
                "A command that does the work of a task; NAME is what `agent` refers to."
            }
            Self::Checkpoint => "Must pass on the integrated tree at the end of every wave.",
            Self::Invariant => {
                "Must hold at every checkpoint: a command, or one of four rules that are judged by reading the files."
            }
            Self::Forbid => "No line of these files matches.",
            Self::Agree => {
                "Values that stand in several files agree; exactly one of the three keys, with two captures or more."
            }
            Self::Capture => "Where a value stands; the same for `less` and `less_or_equal`.",
            Self::Wired => {
                "Each public symbol that the run adds to these files is used outside of its file and outside of tests."
            }
            Self::Imports => "Files of these globs import nothing of those.",
            Self::Finding => {
                "What follows from a finding in this plan, where that is not what its rule says."
            }
            Self::Task => "One unit of work for one agent.",
            Self::Check => "What must be true after the task, and how to see it.",
            Self::Holdout => {
                "What must be true besides and is never shown to a worker; looked at after all checks."
            }
            Self::Review => {
                "Another agent looks at the change, cold, after all checks have passed."
            }
            Self::Decisions => "What the repository has decided.",
            Self::Decision => "A constraint, or a design that was rejected.",
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
    /// A list of such strings, or one of them alone.
    TextsOrOne,
    /// A table of strings.
    TextMap,
    /// `hold`, or `retry:N` with a number of so many at most.
    Retry { most: u32 },
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
            Text | Choice(_) | Retry { .. } => "a string",
            TextsOrOne => "a string or a list of strings",
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

pub(crate) const fn key(tables: &'static [Table], name: &'static str, shape: Shape) -> Key {
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
    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    pub(crate) const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    pub(crate) const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }
}
