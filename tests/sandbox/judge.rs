//! One attack in every mode, against what the table says of it.

use std::fmt::Write as _;
use std::sync::RwLock;

use crate::arena::{Arena, Outcome};
use crate::needs;

/// Nobody, who owns nothing.
const ORDINARY: u32 = 65534;

/// The exit status of an attack that cannot tell by itself whether it succeeded.
const LOOK_OUTSIDE: i32 = 3;

/// The exit status of a command that was killed by a limit.
const KILLED: i32 = 137;

/// Attacks on resources run alone, because others would fail for want of them.
static CROWD: RwLock<()> = RwLock::new(());

/// An attack and what must become of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) family: &'static str,
    pub(crate) name: &'static str,
    pub(crate) profile: &'static str,
    pub(crate) needs: Needs,
    pub(crate) terminal: bool,
    pub(crate) alone: bool,
    pub(crate) gap: Option<Gap>,
}

/// Who can carry out an attack without a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Anybody,
    Root,
    /// An ordinary user, on a machine where the tests run as root.
    Ordinary,
    /// Nobody on kernels that lack or forbid something, so that it cannot be shown everywhere.
    Kernel,
}

/// What is known not to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    /// In the words of the documentation.
    pub(crate) says: &'static str,
    /// Only as root, only as an ordinary user, or both.
    pub(crate) who: Option<Needs>,
    /// Whether namespaces do not help either.
    pub(crate) with_namespaces: bool,
    /// Whether it depends on the host, so that the attack may be stopped as well.
    pub(crate) on_some_hosts: bool,
}

/// An attack that must be stopped in every mode.
pub(crate) const fn row(family: &'static str, name: &'static str) -> Row {
    Row {
        family,
        name,
        profile: "worker",
        needs: Needs::Anybody,
        terminal: false,
        alone: false,
        gap: None,
    }
}

impl Row {
    /// The whole workspace is writable, which gives the attack a place to start from.
    pub(crate) const fn writable(self) -> Self {
        let profile = "worker-rename";
        Self { profile, ..self }
    }

    /// A profile of the user's with limits so low that a test can reach them.
    pub(crate) const fn tight(self) -> Self {
        let profile = "tight";
        Self { profile, ..self }
    }

    pub(crate) const fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// With a terminal of the user as its standard input and controlling terminal.
    pub(crate) const fn on_a_terminal(self) -> Self {
        let terminal = true;
        Self { terminal, ..self }
    }

    /// Takes so much that nothing else may run beside it.
    pub(crate) const fn alone(self) -> Self {
        let alone = true;
        Self { alone, ..self }
    }

    /// Landlock and seccomp alone do not stop it.
    pub(crate) const fn gap_of_landlock(self, says: &'static str) -> Self {
        let gap = Some(Gap {
            says,
            who: None,
            with_namespaces: false,
            on_some_hosts: false,
        });
        Self { gap, ..self }
    }

    /// The gap is there for these users only.
    pub(crate) const fn only_for(mut self, who: Needs) -> Self {
        if let Some(gap) = &mut self.gap {
            gap.who = Some(who);
        }
        self
    }

    /// Namespaces do not close the gap.
    pub(crate) const fn with_namespaces_too(mut self) -> Self {
        if let Some(gap) = &mut self.gap {
            gap.with_namespaces = true;
        }
        self
    }

    /// The gap is there on some hosts only.
    pub(crate) const fn on_some_hosts(mut self) -> Self {
        if let Some(gap) = &mut self.gap {
            gap.on_some_hosts = true;
        }
        self
    }

    /// What the profile lets it change, below the home.
    fn own(&self) -> &'static str {
        if self.profile == "worker-rename" {
            "work"
        } else {
            "work/a.py"
        }
    }

    /// Whether what came of it is what the table says.
    fn is_as_told(&self, user: Needs, namespaces: bool, harmed: bool) -> bool {
        let is_there = |gap: &Gap| {
            (!namespaces || gap.with_namespaces) && gap.who.is_none_or(|who| who == user)
        };
        match self.gap.filter(is_there) {
            Some(gap) => harmed || gap.on_some_hosts,
            None => !harmed,
        }
    }

    fn can_be_shown(&self, user: Needs) -> bool {
        self.needs == Needs::Anybody || self.needs == user
    }
}

/// Runs the attack as every user and in every mode.
pub(crate) fn judge(row: &Row) {
    if !needs::python() {
        return;
    }
    let shared = (!row.alone).then(|| CROWD.read().unwrap_or_else(|lock| lock.into_inner()));
    let only = row
        .alone
        .then(|| CROWD.write().unwrap_or_else(|lock| lock.into_inner()));
    let mut wrong = String::new();
    if needs::is_root() {
        judge_as(row, Needs::Root, None, &mut wrong);
        judge_as(row, Needs::Ordinary, Some(ORDINARY), &mut wrong);
    } else {
        judge_as(row, Needs::Ordinary, None, &mut wrong);
    }
    drop((shared, only));
    assert!(wrong.is_empty(), "{}::{}\n{wrong}", row.family, row.name);
}

fn judge_as(row: &Row, who: Needs, user: Option<u32>, wrong: &mut String) {
    let mut arena = Arena::new(user);
    for namespaces in [true, false] {
        let (harmed, outcome) = attempt(row, &mut arena, |arena| {
            arena.confined(row.family, row.name, row.profile, namespaces, row.terminal)
        });
        if !row.is_as_told(who, namespaces, harmed) || !is_an_answer(&outcome) {
            let stopped = if harmed {
                "it SUCCEEDED"
            } else {
                "it was stopped"
            };
            tell(
                wrong,
                who,
                &format!("namespaces {namespaces}: {stopped}"),
                &outcome,
            );
        }
        if harmed || row.profile == "worker-rename" {
            arena = Arena::new(user);
        }
    }
    if !row.can_be_shown(who) {
        return;
    }
    let (harmed, outcome) = attempt(row, &mut arena, |arena| {
        arena.unconfined(row.family, row.name, row.terminal)
    });
    if !harmed {
        tell(wrong, who, "it does not work unconfined either", &outcome);
    }
}

/// Whether an attack did any harm, by its own word or as seen from outside.
fn attempt(row: &Row, arena: &mut Arena, act: impl FnOnce(&Arena) -> Outcome) -> (bool, Outcome) {
    let before = arena.state(row.own());
    let outcome = act(arena);
    let harmed = outcome.status == Some(0) || arena.state(row.own()) != before;
    (harmed, outcome)
}

fn is_an_answer(outcome: &Outcome) -> bool {
    matches!(outcome.status, Some(0 | 1 | LOOK_OUTSIDE | KILLED))
}

fn tell(wrong: &mut String, who: Needs, what: &str, outcome: &Outcome) {
    let (status, said) = (outcome.status, outcome.said.trim());
    writeln!(wrong, "  as {who:?}, {what} (status {status:?}): {said}").unwrap();
}
