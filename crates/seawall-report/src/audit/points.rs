//! Checkpoint by checkpoint: the commit, its trailers, what it is composed of, on what evidence.

use std::collections::BTreeMap;

use seawall_core::evidence::{Harvest, Value};
use seawall_core::ids::{AttemptNo, Commit, Tree};
use seawall_core::path::escape;
use seawall_core::plan::{Criterion, Proof, Task};
use seawall_core::verdict::Hold;

use super::records::parents;
use super::{CommitFacts, Differs, Evident, Objects, Problem, branch};
use crate::receipt::{AttemptBody, Body, CheckpointBody, Landed, Receipt, Seen};
use crate::words::{count, few, name, shown};

pub(super) fn walk(
    evident: &Evident<'_>,
    chain: &[Receipt],
    objects: &dyn Objects,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut head = None;
    let known = Known::of(evident, chain);
    for receipt in chain {
        match &receipt.body {
            Body::Base(base) => head = Some(base.base.commit.clone()),
            Body::Checkpoint(point) => {
                let look = Point {
                    evident,
                    objects,
                    known: &known,
                    receipt,
                    point,
                };
                let found = look.all(head.as_ref());
                let of = |what| Problem::new("checkpoint", look.named(what)).of(receipt);
                problems.extend(found.into_iter().map(of));
                head = Some(point.commit.clone());
            }
            Body::Attempt(_) => {}
        }
    }
    if !evident.cut {
        problems.extend(branch::look(evident, chain, head.as_ref(), objects));
    }
    problems
}

/// What is looked up by name.
struct Known<'a> {
    attempts: BTreeMap<AttemptNo, (&'a Receipt, &'a AttemptBody)>,
    tasks: BTreeMap<&'a str, &'a Task>,
}

impl<'a> Known<'a> {
    fn of(evident: &Evident<'a>, chain: &'a [Receipt]) -> Self {
        let attempt = |receipt: &'a Receipt| match &receipt.body {
            Body::Attempt(attempt) => Some((attempt.attempt, (receipt, &**attempt))),
            _ => None,
        };
        let tasks = evident.plan.into_iter().flat_map(|plan| &plan.tasks);
        Self {
            attempts: chain.iter().filter_map(attempt).collect(),
            tasks: tasks.map(|task| (&*task.id, task)).collect(),
        }
    }
}

/// One checkpoint, and all that is needed to judge it.
struct Point<'a> {
    evident: &'a Evident<'a>,
    objects: &'a dyn Objects,
    known: &'a Known<'a>,
    receipt: &'a Receipt,
    point: &'a CheckpointBody,
}

impl Point<'_> {
    fn named(&self, what: String) -> String {
        let CheckpointBody {
            wave,
            round,
            commit,
            ..
        } = self.point;
        format!("wave {wave}.{round}, commit {}: {what}", commit.short())
    }

    /// What is wrong with it, one sentence each.
    fn all(&self, head: Option<&Commit>) -> Vec<String> {
        let mut found = Vec::new();
        let point = self.point;
        if head != Some(&point.parent.commit) {
            let at = head.map_or("nothing", Commit::short);
            found.push(format!(
                "it is put on {}, and the run stood at {at}",
                point.parent.commit.short()
            ));
        }
        match self.objects.commit(&point.commit) {
            Err(why) => found.push(format!("it cannot be read: {why}")),
            Ok(facts) => {
                self.commit(&facts, &mut found);
                self.trailers(&facts.message, &mut found);
                self.composition(&mut found);
            }
        }
        if self.evident.plan.is_some() {
            self.gates(&mut found);
            for landed in &point.tasks {
                self.landed(landed, &mut found);
            }
        }
        found
    }

    fn commit(&self, facts: &CommitFacts, found: &mut Vec<String>) {
        let parent = &self.point.parent.commit;
        if facts.parents != [parent.clone()] {
            found.push(format!(
                "it stands on {}, the journal says {}",
                parents(&facts.parents),
                parent.short()
            ));
        }
        if facts.tree != self.point.tree {
            found.push(format!(
                "it has tree {}, the journal says {}",
                facts.tree.short(),
                self.point.tree.short()
            ));
        }
    }

    fn trailers(&self, message: &str, found: &mut Vec<String>) {
        let point = self.point;
        let ids = point.tasks.iter().map(|landed| landed.task.clone());
        let tasks = self.evident.plan.map(|_| ids.collect::<Vec<_>>());
        let expected = [
            ("Seawall-Run", Some(vec![self.receipt.run.clone()])),
            ("Seawall-Wave", Some(vec![point.wave.to_string()])),
            ("Seawall-Round", Some(vec![point.round.to_string()])),
            ("Seawall-Task", tasks),
        ];
        for (key, want) in expected {
            let has = trailer(message, key);
            if let Some(want) = want.filter(|want| *want != has) {
                let (has, want) = (said(&has), said(&want));
                found.push(format!("its trailer {key} says {has}, the journal {want}"));
            }
        }
        self.anchor(&trailer(message, "Seawall-Journal"), found);
    }

    /// The digest in the commit is one that the journal had at that very point.
    fn anchor(&self, has: &[String], found: &mut Vec<String>) {
        let [sum] = has else {
            let times = count(has.len() as u64, "digest");
            return found.push(format!("its trailer Seawall-Journal has {times}"));
        };
        if self.point.journal.iter().any(|at| at.sum == *sum) {
            return;
        }
        let of = self.evident.entries.iter().find(|entry| entry.sum == sum);
        let is = match of {
            Some(entry) => format!("the digest of record {}", entry.seq),
            None => format!("{}, which no record of this journal has", shown(sum, 64)),
        };
        let at = self.point.journal.last().map_or(0, |at| at.seq);
        found.push(format!(
            "its trailer Seawall-Journal is {is}; the journal stood at record {at}"
        ));
    }

    /// What changed from the parent is what the harvests changed, each path once.
    fn composition(&self, found: &mut Vec<String>) {
        let point = self.point;
        let mut parts: BTreeMap<Vec<u8>, (Differs, String)> = BTreeMap::new();
        for landed in &point.tasks {
            let Some(harvest) = &landed.harvest else {
                continue;
            };
            let changes = match self.own(harvest) {
                Ok(changes) => changes,
                // Told by the record of the harvest.
                Err(_) => return,
            };
            for change in changes {
                let path = change.path.clone();
                if let Some((_, other)) = parts.insert(path, (change.clone(), landed.task.clone()))
                {
                    let (path, task) = (show(&change.path), name(&landed.task));
                    found.push(format!(
                        "`{task}` and `{}` both change {path}",
                        name(&other)
                    ));
                }
            }
        }
        match self.objects.changes(&point.parent.commit, &point.commit) {
            Err(why) => found.push(format!("its files cannot be read: {why}")),
            Ok(whole) => compare(&whole, parts, found),
        }
    }

    fn own(&self, harvest: &Commit) -> Result<Vec<Differs>, String> {
        let facts = self.objects.commit(harvest)?;
        match facts.parents.as_slice() {
            [parent] => self.objects.changes(parent, harvest),
            _ => Err("a harvest has one parent".to_owned()),
        }
    }

    fn gates(&self, found: &mut Vec<String>) {
        let gates = self.evident.plan.into_iter().flat_map(|plan| plan.gates());
        for (n, gate) in (0..).zip(gates) {
            let looked = self.point.gates.iter().any(|look| look.criterion == n);
            // Whether its window is open is held by the replay of the journal.
            if !looked && !gate.window.is_always() {
                continue;
            }
            let everyone = || {
                let mut tasks = self.point.tasks.iter();
                tasks.all(|landed| has(landed, &Hold::FlakyGate(n)))
            };
            let tree = Some(&self.point.tree);
            if let Some(why) = unproved(&self.point.gates, n, gate, tree, everyone) {
                found.push(format!("gate {why}"));
            }
        }
    }

    /// No change lands without evidence that passes for each of its criteria. That a person judged what only a person
    /// can is held by the replay of the journal.
    fn landed(&self, landed: &Landed, found: &mut Vec<String>) {
        let id = name(&landed.task);
        let attempt = |number| self.known.attempts.get(&number);
        let Some((receipt, attempt)) = landed.attempt.and_then(attempt) else {
            return found.push(format!("`{id}` landed without a change of its own"));
        };
        if landed.receipt.as_ref() != Some(&receipt.digest()) {
            found.push(format!(
                "`{id}` landed with another receipt than {}",
                receipt.number
            ));
        }
        let Some(task) = self.known.tasks.get(&*landed.task) else {
            return found.push(format!("`{id}` landed, and the plan has no such task"));
        };
        let tree = match &attempt.harvest {
            Some(Harvest::Changed(change)) => Some(&change.tree),
            _ => None,
        };
        // A change that was red on its own base may be green on a later one, and lands on that.
        let (seen, tree) = match landed.probed.is_empty() {
            true => (&attempt.after, tree),
            false => (&landed.probed, None),
        };
        for (n, check) in (0..).zip(task.criteria()) {
            let approved = || has(landed, &Hold::Flaky(n));
            if let Some(why) = unproved(seen, n, check, tree, approved) {
                found.push(format!("`{id}` landed, and check {why}"));
            }
        }
    }
}

/// Whether a person took the responsibility for this.
fn has(landed: &Landed, hold: &Hold) -> bool {
    landed
        .approved
        .iter()
        .any(|approval| approval.hold == *hold)
}

/// Why a criterion is not proved by what was seen of it at `tree`; none stands for a tree that no commit has.
fn unproved(
    seen: &[Seen],
    n: u32,
    criterion: &Criterion,
    tree: Option<&Tree>,
    approved: impl Fn() -> bool,
) -> Option<String> {
    if criterion.proof == Proof::Manual {
        return None;
    }
    let says = name(&criterion.says);
    let Some(look) = seen.iter().find(|look| look.criterion == n) else {
        return Some(format!("`{says}` has no evidence"));
    };
    let flaky = look.value == Value::CouldNotLook && look.flaky.is_some();
    if look.value != Value::Pass && !(flaky && approved()) {
        return Some(format!("`{says}` does not pass: {}", shown(&look.why, 160)));
    }
    let elsewhere = tree.is_some_and(|tree| look.tree != *tree);
    elsewhere.then(|| format!("`{says}` passed in tree {}", look.tree.short()))
}

/// `whole` must hold what `parts` do, path by path.
fn compare(
    whole: &[Differs],
    mut parts: BTreeMap<Vec<u8>, (Differs, String)>,
    found: &mut Vec<String>,
) {
    for change in whole {
        let path = show(&change.path);
        match parts.remove(&change.path) {
            None => found.push(format!("{path} differs, and no accepted task changed it")),
            Some((part, task)) if part != *change => {
                let task = name(&task);
                found.push(format!("{path} is not what `{task}` made of it"));
            }
            Some(_) => {}
        }
    }
    for (path, (_, task)) in parts {
        let (path, task) = (show(&path), name(&task));
        found.push(format!("the change of `{task}` to {path} is not in it"));
    }
}

fn show(path: &[u8]) -> String {
    let mut text = String::new();
    let _ = escape(path, &mut text); // a String takes every write
    shown(&text, 200)
}

/// The values of a trailer, from the last paragraph of a message.
fn trailer(message: &str, key: &str) -> Vec<String> {
    let last = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let value = |line: &str| {
        line.strip_prefix(key)?
            .strip_prefix(": ")
            .map(str::to_owned)
    };
    last.lines().filter_map(value).collect()
}

fn said(values: &[String]) -> String {
    match values {
        [] => "nothing".to_owned(),
        [one] => format!("`{}`", name(one)),
        many => few(many.iter().map(|one| format!("`{}`", name(one))), 4, ", "),
    }
}
