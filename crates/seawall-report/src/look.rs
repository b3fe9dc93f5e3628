//! A task's criteria with what was seen of them, before and after: the rows of every evidence table.

use std::collections::HashSet;
use std::fmt;

use seawall_core::counted::Counted;
use seawall_core::evidence::{Evidence, Value};
use seawall_core::ids::TaskIx;
use seawall_core::plan::{Baseline, Criterion, Proof, Task};

use crate::view::{AttemptView, View};
use crate::words::{last_line, many, name, shown};

/// Characters of a reason that are shown.
pub(crate) const WHY: usize = 300;

/// The tests that looks have counted, all together; none when no runner was recognised.
pub(crate) fn tests(evidence: &[Evidence]) -> Option<u64> {
    let counted = evidence.iter().filter_map(|look| look.tests.as_deref());
    counted
        .map(Counted::executed)
        .reduce(|sum, more| sum.saturating_add(more))
}

/// One criterion of a task, and the looks at it.
pub(crate) struct Row<'a> {
    /// `check` or `holdout`.
    pub(crate) kind: &'static str,
    pub(crate) criterion: &'a Criterion,
    /// On the base of the task's wave.
    pub(crate) base: Option<&'a Evidence>,
    /// On base + harvest.
    pub(crate) after: Option<&'a Evidence>,
}

/// The rows of a task, with the looks of `attempt`.
pub(crate) fn rows<'a>(
    view: &'a View,
    ix: TaskIx,
    attempt: Option<&'a AttemptView>,
) -> Vec<Row<'a>> {
    let task = view.plan().task(ix);
    let after = attempt.map_or(&[][..], |attempt| &attempt.evidence);
    (0..)
        .zip(task.criteria())
        .map(|(n, criterion)| Row {
            kind: kind(task, n),
            criterion,
            base: of(&view.task(ix).baseline, n),
            after: of(after, n),
        })
        .collect()
}

/// What a criterion of a task is called.
pub(crate) fn kind(task: &Task, criterion: u32) -> &'static str {
    match task.is_holdout(criterion) {
        true => "holdout",
        false => "check",
    }
}

fn of(evidence: &[Evidence], criterion: u32) -> Option<&Evidence> {
    evidence.iter().find(|look| look.criterion == criterion)
}

impl Row<'_> {
    /// The command as it was run, or as the plan has it.
    pub(crate) fn command(&self) -> Option<&str> {
        let ran = self.after.or(self.base).map(|look| look.command.as_str());
        ran.filter(|command| !command.is_empty())
            .or(self.criterion.run.as_deref())
    }

    /// What the base showed, in a word.
    pub(crate) fn before_word(&self) -> &'static str {
        match self.base.map(|look| look.value) {
            None => "not looked at",
            Some(Value::Pass) if self.beside_red(self.base) => "red, as declared",
            Some(value) => shown_on_base(self.criterion.proof, value),
        }
    }

    /// Whether a look passes although its command does not, because the plan declares the base red.
    fn beside_red(&self, look: Option<&Evidence>) -> bool {
        self.criterion.baseline == Baseline::Red && look.is_some_and(|look| look.exit != Some(0))
    }

    /// What base + harvest showed, in a word.
    pub(crate) fn after_word(&self) -> &'static str {
        match (self.criterion.proof, self.after.map(|look| look.value)) {
            (_, None) => "not looked at",
            (_, Some(Value::Pass)) if self.beside_red(self.after) => "no redder",
            (_, Some(Value::Pass)) => "green",
            (_, Some(Value::Fail)) => "red",
            (Proof::Manual, Some(Value::CouldNotLook)) => "for a person",
            (_, Some(Value::CouldNotLook)) => "could not look",
        }
    }
}

/// What the changes of some tasks come to; shown as `15 files, +210 -236`.
#[derive(Debug, Default)]
pub(crate) struct Lands<'a> {
    files: HashSet<&'a str>,
    insertions: u64,
    deletions: u64,
}

impl<'a> Lands<'a> {
    /// Of `tasks`, those that stand in a checkpoint.
    pub(crate) fn of(view: &'a View, tasks: impl IntoIterator<Item = &'a TaskIx>) -> Self {
        let mut lands = Self::default();
        for change in tasks.into_iter().filter_map(|ix| view.task(*ix).landed()) {
            lands.files.extend(change.paths.iter().map(String::as_str));
            lands.insertions += change.insertions;
            lands.deletions += change.deletions;
        }
        lands
    }
}

impl fmt::Display for Lands<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = many(self.files.len(), "file");
        write!(f, "{files}, +{} -{}", self.insertions, self.deletions)
    }
}

/// On a base, a value says whether the look was as the proof demands; this is what it saw.
pub(crate) fn shown_on_base(proof: Proof, value: Value) -> &'static str {
    match (proof, value) {
        (_, Value::CouldNotLook) => "could not look",
        (Proof::FailToPass, Value::Pass) | (Proof::PassToPass, Value::Fail) => "red",
        (Proof::FailToPass, Value::Fail) | (Proof::PassToPass, Value::Pass) => "green",
        (Proof::Manual, _) => "for a person",
    }
}

/// The kebab-case name of a proof, as in the plan.
pub(crate) fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::FailToPass => "fail-to-pass",
        Proof::PassToPass => "pass-to-pass",
        Proof::Manual => "manual",
    }
}

/// ``check `says` is red: exit status 1: last line``, for the first that does not pass, and how many more.
fn failing<'a>(
    evidence: &[Evidence],
    criterion: impl Fn(usize) -> Option<(&'static str, &'a Criterion)>,
) -> String {
    let counts = |look: &&Evidence| {
        let manual = |(_, c): (_, &Criterion)| c.proof == Proof::Manual;
        !look.passes() && !criterion(look.criterion as usize).is_some_and(manual)
    };
    let mut red = evidence.iter().filter(counts);
    let Some(first) = red.next() else {
        return "a check was not looked at".to_owned();
    };
    let (kind, says) =
        criterion(first.criterion as usize).map_or(("check", ""), |(kind, c)| (kind, &c.says));
    let more = match red.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("{kind} `{}` {}{more}", name(says), why(first))
}

/// The same for looks at the checks of a task.
pub(crate) fn failing_checks(view: &View, ix: TaskIx, evidence: &[Evidence]) -> String {
    let task = view.plan().task(ix);
    let criterion = |n: usize| {
        let kind = kind(task, u32::try_from(n).unwrap_or(u32::MAX));
        task.criteria().nth(n).map(|criterion| (kind, criterion))
    };
    failing(evidence, criterion)
}

/// The same for looks at the plan's gates.
pub(crate) fn failing_gates(view: &View, evidence: &[Evidence]) -> String {
    failing(evidence, |n| gate(view, n))
}

/// A gate by its index, and whether it is a check or an invariant.
pub(crate) fn gate(view: &View, n: usize) -> Option<(&'static str, &Criterion)> {
    let plan = view.plan();
    let invariants = n.checked_sub(plan.checkpoints.len());
    match invariants {
        None => plan.checkpoints.get(n).map(|gate| ("check", gate)),
        Some(n) => plan.invariants.get(n).map(|gate| ("invariant", gate)),
    }
}

/// `is red: exit status 1: last line of output`.
pub(crate) fn why(look: &Evidence) -> String {
    let word = match look.value {
        Value::Pass => "is green",
        Value::Fail => "is red",
        Value::CouldNotLook => "could not be looked at",
    };
    let mut text = word.to_owned();
    if !look.why.is_empty() {
        text.push_str(": ");
        text.push_str(&shown(&look.why, WHY));
    }
    if let Some(line) = last_line(&look.tail) {
        text.push_str(": ");
        text.push_str(&line);
    }
    text
}
