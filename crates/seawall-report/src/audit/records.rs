//! Record by record: each follows from those before it, and names trees and commits that are what it says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use seawall_core::effect::Effect;
use seawall_core::event::{Event, Started};
use seawall_core::evidence::{Change, Evidence, Harvest};
use seawall_core::ids::{AttemptNo, Commit, Digest, TaskIx, Tree, WaveNo};
use seawall_core::path::escape;
use seawall_core::scheduler::{Outcome, Scheduler};
use seawall_core::waves::waves;

use super::composed::{Anew, Compositions};
use super::{Differs, Evident, Objects, Problem};
use crate::receipt::Entry;
use crate::words::shown;

/// Whether the run has ended, or the first record that the plan and the records before it do not allow. Without the plan
/// nothing is said.
pub(super) fn replay(evident: &Evident<'_>) -> Result<bool, Problem> {
    let Some(plan) = evident.plan else {
        return Ok(true);
    };
    let plan = Arc::new(plan.clone());
    let order = waves(&plan)
        .map_err(|error| Problem::new("plan", format!("plan.json has no waves: {error}")))?;
    let mut scheduler = Scheduler::new(plan, Arc::new(order));
    for entry in &evident.entries {
        scheduler.check(entry.event).map_err(|illegal| {
            let what = format!("it cannot have happened here: {}", shown(&illegal.0, 240));
            Problem::new("record", what).at(entry.seq)
        })?;
        scheduler.apply(entry.event);
    }
    let end = scheduler.outcome();
    Ok(matches!(end, Some(Outcome::Finished | Outcome::Refused)))
}

/// Everything else, and at how many looks.
pub(super) fn walk(evident: &Evident<'_>, objects: &dyn Objects) -> (Vec<Problem>, usize) {
    let mut walk = Walk {
        objects,
        started: None,
        bases: BTreeMap::new(),
        measured: BTreeMap::new(),
        trees: BTreeMap::new(),
        harvested: BTreeMap::new(),
        composed: Compositions::default(),
        problems: Vec::new(),
        looks: 0,
    };
    for entry in &evident.entries {
        walk.see(entry);
    }
    (walk.problems, walk.looks)
}

struct Walk<'a> {
    objects: &'a dyn Objects,
    started: Option<&'a Started>,
    /// What each attempt started from.
    bases: BTreeMap<AttemptNo, Commit>,
    /// Where each task's checks were run before its attempts.
    measured: BTreeMap<TaskIx, Commit>,
    /// The tree of each base that was looked up.
    trees: BTreeMap<Commit, Option<Tree>>,
    /// The tree of each attempt's harvest.
    harvested: BTreeMap<AttemptNo, Tree>,
    composed: Compositions,
    problems: Vec<Problem>,
    looks: usize,
}

impl<'a> Walk<'a> {
    fn say(&mut self, kind: &'static str, record: u64, what: String) {
        self.problems.push(Problem::new(kind, what).at(record));
    }

    fn see(&mut self, entry: &Entry<'a>) {
        match entry.event {
            Event::RunStarted(started) => self.started = Some(started),
            Event::Issued { effect } => self.issued(effect),
            Event::Baselined { task, evidence } => {
                let base = self.measured.get(task).cloned();
                let tree = base.and_then(|base| self.tree_of(&base));
                self.evidence(entry.seq, evidence, tree.as_ref(), "the base");
            }
            Event::Harvested {
                attempt,
                harvest: Harvest::Changed(change),
            } => self.harvest(entry.seq, *attempt, change),
            Event::Verified {
                attempt, evidence, ..
            } => {
                let tree = self.harvested.get(attempt).cloned();
                self.evidence(entry.seq, evidence, tree.as_ref(), "the harvest");
            }
            Event::Integrated {
                wave,
                tree,
                evidence,
                ..
            } => {
                match *wave == WaveNo(0) {
                    true => self.base(entry.seq, tree),
                    false => self.trial(entry.seq, tree),
                }
                self.evidence(entry.seq, evidence, Some(tree), "the composition");
            }
            Event::Probed {
                attempt,
                probe,
                evidence,
            } => {
                let anew = self.composed.probe(*attempt, *probe, self.objects);
                self.anew(entry.seq, evidence, anew, "the composition");
            }
            Event::Sensed {
                wave,
                round,
                task,
                evidence,
            } => {
                let at = (*wave, *round, *task);
                let anew = self.composed.sensed(at, self.objects);
                self.anew(
                    entry.seq,
                    evidence,
                    anew,
                    "the composition without the change",
                );
            }
            _ => {}
        }
    }

    fn issued(&mut self, effect: &Effect) {
        self.composed.issued(effect);
        match effect {
            Effect::OpenWorkspace { attempt, base, .. } => {
                self.bases.insert(*attempt, base.clone());
            }
            Effect::Baseline { task, base } => {
                self.measured.insert(*task, base.clone());
            }
            _ => {}
        }
    }

    /// The tree of a commit; what cannot be read is told where the commit is made, and here once for a base.
    fn tree_of(&mut self, commit: &Commit) -> Option<Tree> {
        let objects = self.objects;
        let find = || objects.commit(commit).ok().map(|facts| facts.tree);
        self.trees
            .entry(commit.clone())
            .or_insert_with(find)
            .clone()
    }

    fn base(&mut self, record: u64, tree: &Tree) {
        let Some(started) = self.started else {
            return;
        };
        match self.objects.commit(&started.base) {
            Err(why) => {
                let what = format!("the base {} cannot be read: {why}", started.base.short());
                self.say("checkpoint", record, what);
            }
            Ok(facts) if facts.tree != *tree => {
                let what = format!(
                    "the base {} has tree {}, the journal says {}",
                    started.base.short(),
                    facts.tree.short(),
                    tree.short()
                );
                self.say("checkpoint", record, what);
            }
            Ok(_) => {}
        }
    }

    /// The composition on trial has the tree that the journal says.
    fn trial(&mut self, record: u64, tree: &Tree) {
        let what = match self.composed.trial(tree, self.objects) {
            Anew::Tree(is) if is != *tree => format!(
                "the changes on trial make tree {}, the journal says {}",
                is.short(),
                tree.short()
            ),
            Anew::Misfit(base) => format!(
                "the changes on trial do not fit on {}, the journal says that they make tree {}",
                base.short(),
                tree.short()
            ),
            Anew::Tree(_) | Anew::Unreadable | Anew::Unknown => return,
        };
        self.say("evidence", record, what);
    }

    /// Each look is at a tree that no commit names. One of changes that do not fit was made at what they do not fit on.
    fn anew(&mut self, record: u64, evidence: &[Evidence], anew: Anew, of: &str) {
        let tree = match anew {
            Anew::Tree(tree) => Some(tree),
            Anew::Misfit(base) => self.tree_of(&base),
            Anew::Unreadable => {
                self.looks += evidence.len();
                return;
            }
            Anew::Unknown => None,
        };
        self.evidence(record, evidence, tree.as_ref(), of);
    }

    /// Each look is at `tree`.
    fn evidence(&mut self, record: u64, evidence: &[Evidence], tree: Option<&Tree>, of: &str) {
        self.looks += evidence.len();
        for look in evidence {
            match tree {
                Some(tree) if look.tree == *tree => {}
                Some(tree) => {
                    let what = format!(
                        "criterion {} was looked at in tree {}, and {of} has tree {}",
                        look.criterion,
                        look.tree.short(),
                        tree.short()
                    );
                    self.say("evidence", record, what);
                }
                None => {
                    let (n, tree) = (look.criterion, look.tree.short());
                    let what = format!(
                        "criterion {n} was looked at in tree {tree}, and {of} is not known"
                    );
                    self.say("evidence", record, what);
                }
            }
        }
    }

    fn harvest(&mut self, record: u64, attempt: AttemptNo, change: &Change) {
        self.harvested.insert(attempt, change.tree.clone());
        self.composed.harvested(attempt, &change.commit);
        let commit = change.commit.short();
        let facts = match self.objects.commit(&change.commit) {
            Ok(facts) => facts,
            Err(why) => {
                let what = format!("harvest {attempt}: commit {commit} cannot be read: {why}");
                return self.say("harvest", record, what);
            }
        };
        if facts.tree != change.tree {
            let (is, says) = (facts.tree.short(), change.tree.short());
            let what = format!(
                "harvest {attempt}: commit {commit} has tree {is}, the journal says {says}"
            );
            self.say("harvest", record, what);
        }
        let base = self.bases.get(&attempt).cloned();
        if base
            .as_ref()
            .is_none_or(|base| facts.parents != [base.clone()])
        {
            let says = base.as_ref().map_or("nothing", Commit::short);
            let is = parents(&facts.parents);
            let what = format!(
                "harvest {attempt}: commit {commit} stands on {is}, the journal says {says}"
            );
            self.say("harvest", record, what);
        } else if let Some(base) = base {
            self.content(record, attempt, &base, change);
        }
        self.name(record, attempt, change);
    }

    /// The change is the one whose digest the journal has, and every file of it is there.
    fn content(&mut self, record: u64, attempt: AttemptNo, base: &Commit, change: &Change) {
        let changes = match self.objects.changes(base, &change.commit) {
            Ok(changes) => changes,
            Err(why) => {
                let what = format!("harvest {attempt}: its files cannot be read: {why}");
                return self.say("harvest", record, what);
            }
        };
        let (digest, says) = (digest(&changes), &change.digest);
        if digest != *says {
            let what = format!(
                "harvest {attempt}: its change has digest {}, the journal says {}",
                digest.short(),
                says.short()
            );
            self.say("harvest", record, what);
        }
    }

    /// The ref that keeps git from collecting the harvest.
    fn name(&mut self, record: u64, attempt: AttemptNo, change: &Change) {
        let Some(started) = self.started else {
            return;
        };
        let name = format!("refs/seawall/runs/{}/harvests/{attempt}", started.run);
        let problem = match self.objects.tip(&name) {
            Ok(Some(at)) if at == change.commit => return,
            Ok(Some(at)) => format!(
                "{name} is at {}, the journal says {}",
                at.short(),
                change.commit.short()
            ),
            Ok(None) => format!(
                "{name} is gone: nothing keeps git from collecting {}",
                change.commit.short()
            ),
            Err(why) => format!("{name} cannot be read: {why}"),
        };
        self.say("harvest", record, format!("harvest {attempt}: {problem}"));
    }
}

pub(super) fn parents(parents: &[Commit]) -> String {
    match parents {
        [] => "nothing".to_owned(),
        all => all
            .iter()
            .map(Commit::short)
            .collect::<Vec<_>>()
            .join(" and "),
    }
}

/// As a harvest's digest is made: a line for each path and what it holds afterwards.
fn digest(changes: &[Differs]) -> Digest {
    let mut text = String::new();
    for change in changes {
        let _ = escape(&change.path, &mut text); // a String takes every write, here and below
        let after = change.after.as_ref().map_or("", |leaf| &leaf.content);
        let _ = writeln!(text, "\0{after}");
    }
    Digest::of(text.as_bytes())
}
