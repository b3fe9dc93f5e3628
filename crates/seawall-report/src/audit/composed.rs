//! Trees that no commit names: of trials that did not land, of probes, of looks without a change. They are made anew from the
//! changes that the records name, in memory, so that they can be held also when git has collected them.

use std::collections::BTreeMap;

use seawall_core::effect::Effect;
use seawall_core::ids::{AttemptNo, Commit, TaskIx, Tree, WaveNo};

use super::Objects;

/// Changes, and what they are put on.
#[derive(Clone, Debug)]
struct Parts {
    base: Commit,
    harvests: Vec<Commit>,
}

/// What the records say was put together.
#[derive(Default)]
pub(super) struct Compositions {
    owners: BTreeMap<AttemptNo, TaskIx>,
    /// The last change of each task.
    harvests: BTreeMap<TaskIx, Commit>,
    trial: Option<Parts>,
    trials: BTreeMap<Tree, Parts>,
    probes: BTreeMap<(AttemptNo, u32), Parts>,
    senses: BTreeMap<(WaveNo, u32, TaskIx), (Tree, Commit)>,
    /// The trees of one trial without each of its changes.
    without: Option<(Tree, BTreeMap<Commit, Tree>)>,
}

/// A tree, as far as it could be made anew.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Anew {
    /// It is this.
    Tree(Tree),
    /// The changes do not fit on this commit.
    Misfit(Commit),
    /// A part cannot be read, which is told where that part is looked at.
    Unreadable,
    /// No record says what it is made of.
    Unknown,
}

impl Compositions {
    pub(super) fn harvested(&mut self, attempt: AttemptNo, commit: &Commit) {
        if let Some(task) = self.owners.get(&attempt) {
            self.harvests.insert(*task, commit.clone());
        }
    }

    pub(super) fn issued(&mut self, effect: &Effect) {
        match effect {
            Effect::OpenWorkspace { task, attempt, .. } => {
                self.owners.insert(*attempt, *task);
            }
            Effect::Integrate { base, tasks, .. } => {
                self.trial = Some(self.parts(base, tasks));
            }
            Effect::Probe {
                attempt,
                probe,
                base,
                harvest,
                on,
                ..
            } => {
                let mut parts = self.parts(base, on);
                parts.harvests.push(harvest.clone());
                self.probes.insert((*attempt, *probe), parts);
            }
            Effect::Sense {
                wave,
                round,
                task,
                tree,
                harvest,
            } => {
                let asked = (tree.clone(), harvest.clone());
                self.senses.insert((*wave, *round, *task), asked);
            }
            _ => {}
        }
    }

    fn parts(&self, base: &Commit, tasks: &[TaskIx]) -> Parts {
        let harvests = tasks.iter().filter_map(|ix| self.harvests.get(ix));
        Parts {
            base: base.clone(),
            harvests: harvests.cloned().collect(),
        }
    }

    /// The tree of the trial that was issued last; the record says that it is `tree`.
    pub(super) fn trial(&mut self, tree: &Tree, objects: &dyn Objects) -> Anew {
        let Some(parts) = self.trial.clone() else {
            return Anew::Unknown;
        };
        let anew = made(&parts, objects);
        self.trials.insert(tree.clone(), parts);
        anew
    }

    /// The tree of a probe.
    pub(super) fn probe(&self, attempt: AttemptNo, probe: u32, objects: &dyn Objects) -> Anew {
        match self.probes.get(&(attempt, probe)) {
            Some(parts) => made(parts, objects),
            None => Anew::Unknown,
        }
    }

    /// The tree without a task's change.
    pub(super) fn sensed(&mut self, at: (WaveNo, u32, TaskIx), objects: &dyn Objects) -> Anew {
        let Some((whole, harvest)) = self.senses.get(&at) else {
            return Anew::Unknown;
        };
        if self.without.as_ref().is_none_or(|(of, _)| of != whole) {
            let Some(Parts { base, harvests }) = self.trials.get(whole) else {
                return Anew::Unknown;
            };
            let Ok(trees) = objects.without_each(base, harvests) else {
                return Anew::Unreadable;
            };
            let trees = harvests.iter().cloned().zip(trees).collect();
            self.without = Some((whole.clone(), trees));
        }
        let trees = self.without.as_ref().map(|(_, trees)| trees);
        match trees.and_then(|trees| trees.get(harvest)) {
            Some(tree) => Anew::Tree(tree.clone()),
            None => Anew::Unknown,
        }
    }
}

fn made(parts: &Parts, objects: &dyn Objects) -> Anew {
    match objects.composed(&parts.base, &parts.harvests) {
        Ok(Some(tree)) => Anew::Tree(tree),
        Ok(None) => Anew::Misfit(parts.base.clone()),
        Err(_) => Anew::Unreadable,
    }
}
