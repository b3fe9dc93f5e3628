//! The journal folded into receipts.
//!
//! It is a fold of its own and asks no scheduler, so that it says what the records say even where they lie. The only
//! rules that it shares are those of one attempt ([`seawall_core::lifecycle::next`]).

use std::collections::{BTreeMap, BTreeSet};

use seawall_core::effect::Effect;
use seawall_core::event::{Event, Started};
use seawall_core::evidence::{Evidence, Harvest};
use seawall_core::ids::{AttemptNo, Commit, Digest, TaskIx, Tree, WaveNo};
use seawall_core::plan::{Criterion, Plan};

use super::draft::Draft;
use super::seen::{seen, seen_of_task, task_of};
use super::{
    Approval, At, AttemptBody, BaseBody, Body, CheckpointBody, Entry, FIRST, Landed, Receipt,
    RecordRef, SCHEMA, Worker,
};

/// The chain of a run of `plan` up to the last of `entries`. Without its plan a run has receipts too, with other digests:
/// of commits, trees and harvests, but without names, criteria and verdicts.
#[must_use]
pub fn receipts<'a>(
    plan: Option<&Plan>,
    entries: impl IntoIterator<Item = Entry<'a>>,
) -> Vec<Receipt> {
    let mut fold = Fold::new(plan);
    for entry in entries {
        fold.see(&entry);
    }
    fold.chain
}

struct Fold<'p> {
    plan: Option<&'p Plan>,
    chain: Vec<Receipt>,
    /// The digest of the last receipt.
    last: Digest,
    started: Option<Started>,
    /// The tree of each commit that the journal says one of.
    trees: BTreeMap<Commit, Tree>,
    /// The wave and the round in work.
    round: (WaveNo, u32),
    baselines: BTreeMap<TaskIx, Vec<Evidence>>,
    drafts: BTreeMap<AttemptNo, Draft>,
    /// The last attempt of each task that left a change, which is the one that lands if one does.
    last_change: BTreeMap<TaskIx, Landed>,
    /// Probes of a harvest on the base alone, and whose.
    probes: BTreeSet<(AttemptNo, u32)>,
    /// Whose harvests the round's trials were of, and what the gates showed.
    trials: BTreeMap<u32, (Vec<TaskIx>, Vec<Evidence>)>,
    point: Option<Point>,
}

/// A checkpoint that is owed or being made.
struct Point {
    base: Commit,
    tree: Tree,
    tasks: Vec<TaskIx>,
    /// Where the journal stood at each try.
    journal: Vec<RecordRef>,
    /// Whether nothing but effects was written since the last try: a turn's effects are started together, with the digest
    /// of the last of them.
    same_turn: bool,
}

impl<'p> Fold<'p> {
    fn new(plan: Option<&'p Plan>) -> Self {
        Self {
            plan,
            chain: Vec::new(),
            last: Digest::from(FIRST),
            started: None,
            trees: BTreeMap::new(),
            round: (WaveNo(0), 0),
            baselines: BTreeMap::new(),
            drafts: BTreeMap::new(),
            last_change: BTreeMap::new(),
            probes: BTreeSet::new(),
            trials: BTreeMap::new(),
            point: None,
        }
    }

    fn see(&mut self, entry: &Entry<'_>) {
        match entry.event {
            Event::Issued { effect } => self.issued(entry, effect),
            event => {
                if let Some(point) = &mut self.point {
                    point.same_turn = false;
                }
                self.happened(entry, event);
            }
        }
    }

    fn happened(&mut self, entry: &Entry<'_>, event: &Event) {
        match event {
            Event::RunStarted(started) => self.started = Some(started.clone()),
            Event::Baselined { task, evidence } => {
                self.baselines.insert(*task, evidence.clone());
            }
            Event::WorkspaceOpened { attempt, .. }
            | Event::WorkerEnded { attempt, .. }
            | Event::Harvested { attempt, .. }
            | Event::Verified { attempt, .. }
            | Event::Reviewed { attempt, .. } => {
                if let Some(draft) = self.drafts.get_mut(attempt) {
                    let task = task_of(self.plan, draft.task);
                    draft.keep(event, task);
                }
            }
            Event::Integrated {
                wave: WaveNo(0),
                tree,
                evidence,
                ..
            } => self.base(entry, tree, evidence),
            Event::Integrated {
                trial, evidence, ..
            } => {
                if let Some((_, seen)) = self.trials.get_mut(trial) {
                    seen.clone_from(evidence);
                }
            }
            Event::Checkpointed {
                wave,
                round,
                commit,
            } => self.checkpointed(entry, (*wave, *round), commit),
            event => self.beside(entry, event),
        }
    }

    /// What is known of a change after its attempt is over.
    fn beside(&mut self, entry: &Entry<'_>, event: &Event) {
        match event {
            Event::Probed {
                attempt,
                probe,
                evidence,
            } if self.probes.contains(&(*attempt, *probe)) => {
                let mut changes = self.last_change.iter_mut();
                let of = changes.find(|(_, landed)| landed.attempt == Some(*attempt));
                if let Some((ix, landed)) = of {
                    landed.probed = seen_of_task(self.plan, *ix, evidence);
                }
            }
            Event::Sensed { task, evidence, .. } => {
                let sensed = seen_of_task(self.plan, *task, evidence);
                if let Some(landed) = self.last_change.get_mut(task) {
                    landed.sensed = sensed;
                }
            }
            Event::Approved {
                task,
                hold,
                by,
                note,
            } => {
                if let Some(landed) = self.last_change.get_mut(task) {
                    landed.approved.push(Approval {
                        hold: hold.clone(),
                        by: by.clone(),
                        note: note.clone(),
                        record: entry.seq,
                    });
                }
            }
            _ => {}
        }
    }

    fn issued(&mut self, entry: &Entry<'_>, effect: &Effect) {
        match effect {
            Effect::PrepareWave { wave, round, .. } => {
                self.round = (*wave, *round);
                self.trials.clear();
            }
            Effect::OpenWorkspace {
                task,
                attempt,
                base,
            } => {
                let draft = || Draft::new(*task, base.clone(), self.round);
                self.drafts.entry(*attempt).or_insert_with(draft);
            }
            Effect::Verify { attempt, .. } => {
                if let Some(draft) = self.drafts.get_mut(attempt) {
                    draft.verifying = true;
                }
            }
            Effect::DiscardWorkspace { attempt } => self.settle(entry, *attempt),
            Effect::Integrate { trial, tasks, .. } => {
                self.trials.insert(*trial, (tasks.clone(), Vec::new()));
            }
            Effect::Probe {
                attempt, probe, on, ..
            } if on.is_empty() => {
                self.probes.insert((*attempt, *probe));
            }
            Effect::Checkpoint {
                base, tree, tasks, ..
            } => self.checkpoint(base, tree, tasks),
            _ => {}
        }
        self.turn(entry);
    }

    /// Notes where the journal stands at the end of a turn in which a checkpoint was issued.
    fn turn(&mut self, entry: &Entry<'_>) {
        let Some(point) = self.point.as_mut().filter(|point| point.same_turn) else {
            return;
        };
        point.journal.pop();
        point.journal.push(entry.into());
    }

    fn checkpoint(&mut self, base: &Commit, tree: &Tree, tasks: &[TaskIx]) {
        let point = self.point.get_or_insert_with(|| Point {
            base: base.clone(),
            tree: tree.clone(),
            tasks: tasks.to_vec(),
            journal: Vec::new(),
            same_turn: true,
        });
        point.same_turn = true;
        // `turn` puts the right one in its place.
        point.journal.push(RecordRef {
            seq: 0,
            sum: String::new(),
        });
    }

    fn base(&mut self, entry: &Entry<'_>, tree: &Tree, evidence: &[Evidence]) {
        let Some(started) = self.started.clone() else {
            return;
        };
        self.trees.insert(started.base.clone(), tree.clone());
        let body = BaseBody {
            seawall: started.seawall,
            profiles: started.profiles,
            base: self.at(&started.base),
            branch: started.branch,
            gates: seen(evidence, |n| self.gate(n)),
        };
        self.add(entry, Body::Base(body));
    }

    /// Gives an attempt that is over its receipt. An effect that is owed again after a crash is issued again: only the
    /// first time counts.
    fn settle(&mut self, entry: &Entry<'_>, number: AttemptNo) {
        let Some(draft) = self.drafts.remove(&number) else {
            return;
        };
        let verdict = draft.verdict();
        let change = match &draft.harvest {
            Some(Harvest::Changed(change)) => Some(change.commit.clone()),
            _ => None,
        };
        let ix = draft.task;
        let id = self.id(ix);
        let before = self.baselines.get(&ix).map_or(&[][..], Vec::as_slice);
        let body = AttemptBody {
            task: id.clone(),
            attempt: number,
            wave: draft.round.0.0,
            round: draft.round.1,
            base: self.at(&draft.base),
            worker: draft.worker.as_ref().map(Worker::of),
            before: seen_of_task(self.plan, ix, before),
            after: seen_of_task(self.plan, ix, &draft.evidence),
            review: draft.review,
            harvest: draft.harvest,
            findings: draft.findings,
            verdict,
        };
        let receipt = self.add(entry, Body::Attempt(Box::new(body)));
        if let Some(change) = change {
            let landed = Landed {
                attempt: Some(number),
                harvest: Some(change),
                receipt: Some(receipt),
                ..Landed::unknown(id)
            };
            self.last_change.insert(ix, landed);
        }
    }

    fn checkpointed(&mut self, entry: &Entry<'_>, (wave, round): (WaveNo, u32), commit: &Commit) {
        let Some(point) = self.point.take() else {
            return;
        };
        self.trees.insert(commit.clone(), point.tree.clone());
        let mut trials = self.trials.values();
        let gates = trials.find(|(tasks, _)| *tasks == point.tasks);
        let gates = gates.map_or(&[][..], |(_, evidence)| evidence.as_slice());
        let landed = |ix: &TaskIx| {
            let change = self.last_change.get(ix).cloned();
            change.unwrap_or_else(|| Landed::unknown(self.id(*ix)))
        };
        let body = CheckpointBody {
            wave: wave.0,
            round,
            parent: self.at(&point.base),
            commit: commit.clone(),
            tree: point.tree,
            tasks: point.tasks.iter().map(landed).collect(),
            gates: seen(gates, |n| self.gate(n)),
            journal: point.journal,
        };
        self.add(entry, Body::Checkpoint(body));
    }

    fn id(&self, ix: TaskIx) -> String {
        task_of(self.plan, ix).map_or_else(String::new, |task| task.id.to_string())
    }

    fn gate(&self, n: usize) -> Option<&'p Criterion> {
        self.plan.and_then(|plan| plan.gates().nth(n))
    }

    fn at(&self, commit: &Commit) -> At {
        At {
            commit: commit.clone(),
            tree: self.trees.get(commit).cloned(),
        }
    }

    /// Adds a receipt; its digest.
    fn add(&mut self, entry: &Entry<'_>, body: Body) -> Digest {
        let (run, plan) = match &self.started {
            Some(started) => (started.run.clone(), started.plan.clone()),
            None => (String::new(), Digest::from(FIRST)),
        };
        let receipt = Receipt {
            schema: SCHEMA,
            number: self.chain.len() as u64,
            previous: self.last.clone(),
            record: entry.into(),
            run,
            plan,
            body,
        };
        self.last = receipt.digest();
        self.chain.push(receipt);
        self.last.clone()
    }
}

impl Landed {
    fn unknown(task: String) -> Self {
        Self {
            task,
            attempt: None,
            harvest: None,
            receipt: None,
            probed: Vec::new(),
            sensed: Vec::new(),
            approved: Vec::new(),
        }
    }
}
