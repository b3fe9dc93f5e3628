//! Holds what a task asks of its evidence against what its checks can show, before anything is spent.
//!
//! A floor that no check can reach would hold the task for a person whatever its worker does. How strong a check can be
//! is told from its text alone, in its favour where the text does not say: any command may run tests.

use std::ops::Range;

use seawall_core::diagnostic::Diagnostic;
use seawall_core::evidence::Grade;
use seawall_core::grade::only_looks_for_files;
use seawall_core::plan::{Criterion, Kind, Proof, Review, Risk};

use crate::context::Context;
use crate::keys::Table;
use crate::problems::{error, note, placed, shown};
use crate::section::Section;
use crate::settings::{Given, Settings};
use crate::vague;

/// What the checks of a task, as far as they were read, can show.
pub(crate) struct Proofs<'t> {
    pub(crate) section: &'t Section<'t>,
    pub(crate) id: &'t str,
    pub(crate) place: Option<Range<usize>>,
    pub(crate) criteria: Vec<&'t Criterion>,
}

impl Proofs<'_> {
    /// Reports a fix that nothing reproduces, and a floor that nothing reaches.
    pub(crate) fn check(&self, settings: &Settings, cx: &mut Context<'_>) {
        if kind(self.section) == Kind::Fix && !self.criteria.iter().any(|c| reproduces(c)) {
            cx.problems.add(self.not_reproduced());
        }
        let reach = self.criteria.iter().filter_map(|c| strongest(c)).max();
        let own = self.section.has("floor");
        match (reach, wanted(settings)) {
            (None, _) if own => cx.problems.add(self.only_manual()),
            (Some(reach), (floor, true)) if reach < floor => {
                cx.problems.add(self.out_of_reach(reach, floor));
            }
            (Some(reach), (floor, false)) if reach < floor => cx.problems.add(self.weak()),
            _ => {}
        }
    }

    fn not_reproduced(&self) -> Diagnostic {
        let task = shown(self.id);
        let problem = error("SW0154", format!("no check of `{task}` shows the defect before the work"))
            .help("add a check without `proof`, or a holdout: a command that is red because of the defect and green once it is mended");
        placed(
            problem,
            self.section.place("kind").as_ref(),
            "needs a fail-to-pass check",
        )
    }

    fn only_manual(&self) -> Diagnostic {
        let task = shown(self.id);
        let problem = error(
            "SW0163",
            format!("`{task}` names a floor, and only a person can tell whether it is done"),
        )
        .help("leave `floor` out, or add a check with a command");
        placed(problem, self.floor_place().as_ref(), "nothing is measured")
    }

    fn out_of_reach(&self, reach: Grade, floor: Grade) -> Diagnostic {
        let (task, reach, floor) = (shown(self.id), reach.word(), floor.word());
        let help = if reach == "presence" {
            "write a check that reads the file or runs its tests, or `floor = \"presence\"` on the task".to_owned()
        } else {
            format!(
                "add a check that is red before the work and green after it, or write `floor = \"{reach}\"` on the task"
            )
        };
        let message =
            format!("the floor of `{task}` is `{floor}`, and its checks reach `{reach}` at most");
        let problem = error("SW0163", message).help(help);
        placed(
            problem,
            self.floor_place().as_ref(),
            "would be held whatever it does",
        )
    }

    fn weak(&self) -> Diagnostic {
        let task = shown(self.id);
        let problem = note("SW0213", format!("the checks of `{task}` only look whether a file is there"))
            .help("write a check that reads the file or runs its tests, or say `floor = \"presence\"`; otherwise the task is held for a person");
        placed(
            problem,
            self.place.as_ref(),
            "graded `presence`, below `exit`",
        )
    }

    /// The key that sets the floor, where it stands on the task.
    fn floor_place(&self) -> Option<Range<usize>> {
        let own = self
            .section
            .place("floor")
            .or_else(|| self.section.place("risk"));
        own.or_else(|| self.place.clone())
    }
}

/// The effective floor, and whether anybody named it or the risk that it comes from.
fn wanted(settings: &Settings) -> (Grade, bool) {
    let by_risk = settings.risk.unwrap_or_default().floor();
    let named = settings.floor.is_some() || settings.risk.is_some_and(|risk| risk != Risk::Normal);
    (settings.floor.unwrap_or(by_risk), named)
}

fn reproduces(criterion: &Criterion) -> bool {
    criterion.proof == Proof::FailToPass && criterion.run.is_some()
}

/// The most that a look at this criterion can say; none for what a person looks at.
fn strongest(criterion: &Criterion) -> Option<Grade> {
    let run = criterion.run.as_deref();
    let only_looks = run.is_some_and(|run| only_looks_for_files(run) && !vague::is_trivial(run));
    match criterion.proof {
        Proof::Manual => None,
        _ if only_looks => Some(Grade::Presence),
        Proof::FailToPass => Some(Grade::Sensitive),
        Proof::PassToPass => Some(Grade::Tests),
    }
}

/// What kind of work a task is.
pub(crate) fn kind(section: &Section<'_>) -> Kind {
    match section.text("kind").map(|word| word.value) {
        Some("fix") => Kind::Fix,
        _ => Kind::Change,
    }
}

/// Reads who reviews a task whose agent is `agent`; nobody reviews their own work.
pub(crate) fn review(section: &Section<'_>, agent: &Given, cx: &mut Context<'_>) -> Option<Review> {
    let by = section
        .one("review", Table::Review, &mut cx.problems)?
        .text("by")?;
    let name = cx.agent(&by)?;
    let Given::Yes(worker) = agent else {
        return Some(Review { by: name });
    };
    if *worker != name {
        return Some(Review { by: name });
    }
    let others = cx.agents.keys().find(|other| **other != *name);
    let help = match others {
        Some(other) => format!("name another agent, such as `{}`", shown(other)),
        None => {
            "add a second agent to the plan: `[agent.reviewer]` with `run` and `prompt`".to_owned()
        }
    };
    cx.problems.add(
        error(
            "SW0153",
            format!("agent `{}` would review its own work", shown(&name)),
        )
        .at(by.span, "does the work itself")
        .help(help),
    );
    None
}
