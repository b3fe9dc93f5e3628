//! The scheduler: a fold over events that says which effects are owed.
//!
//! It reads no clock, file or process. [`Scheduler::check`] says whether an event can have happened,
//! [`Scheduler::apply`] makes it true, [`Scheduler::due`] lists what to do now, [`Scheduler::outcome`] ends
//! the run. An event costs what it changes, never the size of the plan; a wave costs its tasks when it
//! starts and when it ends.
//!
//! `wave` holds what happens between waves, `attempt` what happens within one, `park` what becomes of a change that is red
//! alone, `land` how the changes of a round come to stand in a checkpoint, `held` what persons have to say, `stop` what
//! halts a run, and `ask` what anybody may know.

mod ask;
mod attempt;
mod check;
mod held;
mod land;
mod park;
mod records;
mod stop;
mod wave;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::effect::{Effect, Key};
use crate::event::{Event, Started};
use crate::evidence::Evidence;
use crate::grade::Weight;
use crate::ids::{AttemptNo, Commit, Digest, TaskIx, WaveNo};
use crate::lifecycle::Stage;
use crate::plan::Plan;
use crate::verdict::{Feedback, Hold, Verdict};
use crate::waves::Waves;

/// How a run ended, for now or for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every task has its verdict.
    Finished,
    /// The plan's gates do not pass on the base: nothing was started.
    Refused,
    /// The world refused an effect; `resume` tries again. With what it said.
    Parked(String),
    /// Somebody asked the run to stop; `resume` goes on.
    Interrupted,
}

/// The fold.
#[derive(Clone, Debug)]
pub struct Scheduler {
    plan: Arc<Plan>,
    waves: Arc<Waves>,
    state: State,
}

/// All that events change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    started: Option<Started>,
    phase: Phase,
    /// Where the run's branch stands, or the base.
    head: Commit,
    /// How many checkpoints were made.
    checkpoints: u32,
    /// The wave in work, from 1; 0 before the first.
    wave: u32,
    round: u32,
    /// The last round of each wave.
    rounds: Vec<u32>,
    /// The first wave, from 0, that may still have tasks without a last word.
    next_wave: usize,
    jobs: u32,
    tasks: Vec<Progress>,
    /// The tasks of this round.
    members: Vec<TaskIx>,
    /// Members that wait for a free place, and what for.
    ready: VecDeque<(TaskIx, park::Start)>,
    /// Places in use: tasks between their baseline and what the round has to say of them.
    live: u32,
    /// Members whose checks pass.
    passed: u32,
    /// Members whose change waits for those of its siblings.
    parked: BTreeMap<TaskIx, park::Parked>,
    /// Members that the checkpoint rejected and that may try again.
    again: Vec<TaskIx>,
    /// Tasks whose change only persons keep from landing.
    held: BTreeMap<TaskIx, held::Held>,
    /// Tasks of which persons have approved, and that have no round yet.
    returning: BTreeSet<TaskIx>,
    /// What was found to need what, in the order of the tasks.
    discovered: Vec<(TaskIx, Vec<TaskIx>)>,
    attempts: BTreeMap<AttemptNo, Attempt>,
    last_attempt: u32,
    /// Dispatches that count towards the budget.
    dispatches: u32,
    owed: VecDeque<Effect>,
    in_flight: BTreeMap<Key, Effect>,
    halt: Halt,
    /// The gates whose tests were counted, as they were on `head`.
    gates: Arc<[Evidence]>,
}

/// What keeps owed effects from being started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Halt {
    parked: Option<String>,
    interrupted: bool,
    wall_spent: bool,
}

/// What the run as a whole is doing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    New,
    /// The gates run on the base.
    Base,
    /// A wave's files are read.
    Preparing,
    /// Attempts.
    Working,
    /// Looking for what passes the gates together.
    Integrating(land::Integration),
    /// The checks of what passes them run without each change.
    Sensing(land::Sensing),
    /// The wave's commit is being made.
    Checkpointing(Vec<TaskIx>),
    Refused,
    Over,
}

/// One task's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Progress {
    standing: Standing,
    /// Dispatches that count.
    dispatches: u32,
    /// Changes that were rejected.
    rejected: Vec<Digest>,
    feedback: Option<Arc<Feedback>>,
    /// What its last rejection was about, as far as that can be the same again.
    failure: Option<Digest>,
    /// Whether that came twice in a row.
    stuck: bool,
    /// The checkpoint that its change is in, from 1; 0 = none.
    landed: u32,
    /// The checks whose tests were counted, as they were on the base of its attempts.
    measured: Arc<[Evidence]>,
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Its wave has not come.
    Waiting,
    /// Its wave is here; it waits for a free place.
    Queued,
    /// Its checks run on the base.
    Measuring,
    /// This attempt is under way.
    Attempting(AttemptNo),
    /// Its checks pass; the checkpoint has not spoken.
    Passed(Box<Passed>),
    /// The last word.
    Ended(Verdict),
}

/// What is kept of an attempt whose checks pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Passed {
    /// The attempt.
    pub attempt: AttemptNo,
    /// Its harvest.
    pub harvest: Commit,
    /// What its evidence weighs.
    pub weight: Weight,
    /// Whether its checks notice that its change is not there; none before they were run without it.
    pub sensed: Option<bool>,
    /// The digest of its change.
    digest: Digest,
    paths: Arc<[String]>,
    claim: String,
    /// What persons took the responsibility for.
    approved: Vec<Hold>,
    wave: u32,
    /// How many checkpoints there were when its checks passed.
    since: u32,
}

/// An attempt that is under way, or whose workspace is not yet gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Attempt {
    task: TaskIx,
    base: Commit,
    stage: Stage,
    room: Room,
    claim: String,
    change: Option<Made>,
    weight: Weight,
    /// What persons must look at, known before the reviewer spoke.
    holds: Vec<Hold>,
    /// Whether a finding makes it more than red.
    odd: bool,
}

/// Where the workspace of an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Room {
    There,
    Leaving,
    Gone,
}

/// What is kept of a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Made {
    harvest: Commit,
    digest: Digest,
    paths: Arc<[String]>,
}

impl Scheduler {
    /// A run of `plan` in which nothing has happened.
    #[must_use]
    pub fn new(plan: Arc<Plan>, waves: Arc<Waves>) -> Self {
        let blank = Progress {
            standing: Standing::Waiting,
            dispatches: 0,
            rejected: Vec::new(),
            feedback: None,
            failure: None,
            stuck: false,
            landed: 0,
            measured: Arc::new([]),
        };
        let state = State {
            started: None,
            phase: Phase::New,
            head: Commit::from(""),
            checkpoints: 0,
            wave: 0,
            round: 0,
            rounds: vec![0; waves.waves.len()],
            next_wave: 0,
            jobs: 1,
            tasks: vec![blank; plan.tasks.len()],
            members: Vec::new(),
            ready: VecDeque::new(),
            live: 0,
            passed: 0,
            parked: BTreeMap::new(),
            again: Vec::new(),
            held: BTreeMap::new(),
            returning: BTreeSet::new(),
            discovered: Vec::new(),
            attempts: BTreeMap::new(),
            last_attempt: 0,
            dispatches: 0,
            owed: VecDeque::new(),
            in_flight: BTreeMap::new(),
            halt: Halt::default(),
            gates: Arc::new([]),
        };
        Self { plan, waves, state }
    }

    /// Makes `event` true. It must have passed [`Scheduler::check`]; one that has not changes nothing
    /// that matters to later events, but the run is no longer what the journal says.
    pub fn apply(&mut self, event: &Event) {
        if let (Some(key), false) = (event.answers(), matches!(event, Event::EffectFailed { .. })) {
            self.state.in_flight.remove(&key);
        }
        match event {
            Event::RunStarted(started) => self.begin(started),
            Event::Issued { effect } => self.issued(effect),
            Event::WavePrepared { problems, .. } => self.prepared(problems),
            Event::Baselined { task, evidence } => self.baselined(*task, evidence),
            Event::WorkspaceOpened { attempt, .. }
            | Event::WorkerEnded { attempt, .. }
            | Event::Harvested { attempt, .. }
            | Event::Verified { attempt, .. }
            | Event::Reviewed { attempt, .. } => self.attempt_event(*attempt, event),
            Event::Probed {
                attempt, evidence, ..
            } => self.probed(*attempt, evidence),
            Event::Sensed { task, evidence, .. } => self.sensed(*task, evidence),
            Event::Approved { task, hold, .. } => self.approved(*task, hold),
            Event::WorkspaceDiscarded { attempt } => self.discarded(*attempt),
            Event::Integrated {
                wave: WaveNo(0),
                evidence,
                ..
            } => self.base_judged(evidence),
            Event::Integrated {
                trial,
                tree,
                evidence,
                ..
            } => self.integrated(*trial, tree, evidence),
            Event::Checkpointed { commit, .. } => self.checkpointed(commit),
            Event::EffectFailed { key, why } => self.failed(*key, why),
            Event::Interrupted => self.interrupted(),
            Event::WallSpent => self.wall_spent(),
            Event::Resumed { jobs, rebooted } => self.resumed(*jobs, *rebooted),
        }
    }

    fn begin(&mut self, started: &Started) {
        self.state.started = Some(started.clone());
        self.state.head = started.base.clone();
        self.state.jobs = started.jobs.max(1);
        self.state.phase = Phase::Base;
        self.owe(Effect::Integrate {
            wave: WaveNo(0),
            round: 0,
            trial: 1,
            base: started.base.clone(),
            tasks: Vec::new(),
        });
    }

    fn issued(&mut self, effect: &Effect) {
        let state = &mut self.state;
        // Effects are issued in the order they are owed, so this looks at one or two of them.
        if let Some(at) = state.owed.iter().position(|owed| owed == effect) {
            state.owed.remove(at);
        }
        state.in_flight.insert(effect.key(), effect.clone());
    }

    fn owe(&mut self, effect: Effect) {
        self.state.owed.push_back(effect);
    }

    /// The effects to start now, in order. Each is issued ([`Event::Issued`]) before it is started.
    #[must_use]
    pub fn due(&self) -> Vec<Effect> {
        let halted = self.state.halt.interrupted || self.state.halt.parked.is_some();
        let stops = |effect: &&Effect| !halted || matches!(effect, Effect::StopWorker { .. });
        self.state.owed.iter().filter(stops).cloned().collect()
    }

    /// How the run ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let state = &self.state;
        let idle = state.in_flight.is_empty();
        if idle && state.owed.is_empty() && state.phase == Phase::Over {
            let more = !state.returning.is_empty();
            return Some(if more {
                Outcome::Interrupted // what was approved meanwhile lands when somebody goes on
            } else {
                Outcome::Finished
            });
        }
        if idle && state.phase == Phase::Refused {
            return Some(Outcome::Refused);
        }
        if state.halt.interrupted {
            let working = state
                .in_flight
                .keys()
                .any(|key| matches!(key, Key::LaunchWorker(_)));
            return (!working).then_some(Outcome::Interrupted);
        }
        let parked = state.halt.parked.as_ref().filter(|_| idle);
        parked.map(|why| Outcome::Parked(why.clone()))
    }
}

#[cfg(test)]
mod explore;
