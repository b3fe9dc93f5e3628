//! The journal folded for people: what every task, attempt and checkpoint came to.
//!
//! The scheduler forgets what it no longer needs to decide; a report must not. The view keeps every attempt with
//! its facts, so its memory grows with the attempts made (their evidence is bounded: at most
//! [`seawall_core::evidence::TAIL`] bytes of output a look). It is fed the same events in the same order live and
//! from the journal, [`Event::Issued`] included, and comes out the same; what an
//! event brought that is worth telling is left in [`View::news`] until the next one.

mod fold;
mod history;
mod people;
mod round;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seawall_core::effect::Key;
use seawall_core::event::{Event, Settings, Started, Workspaces};
use seawall_core::evidence::Evidence;
use seawall_core::ids::{AttemptNo, Commit, TaskIx, Tree, WaveNo};
use seawall_core::lifecycle::is_flaky;
use seawall_core::narrow::Answers;
use seawall_core::plan::Plan;
use seawall_core::waves::Waves;

pub use history::{Approval, AttemptView, Fate, TaskView};

/// A run, folded for display.
#[derive(Clone, Debug)]
pub struct View {
    plan: Arc<Plan>,
    waves: Arc<Waves>,
    tasks: Vec<TaskView>,
    started: Option<Started>,
    base_evidence: Arc<[Evidence]>,
    trials: Vec<TrialView>,
    checkpoints: Vec<CheckpointView>,
    sessions: Vec<Session>,
    parked: Option<String>,
    /// Tasks whose last attempt is rejected by its checks alone, and that have no last word: they may wait for others.
    undecided: BTreeSet<TaskIx>,
    /// The task of every attempt that is not over.
    live: BTreeMap<AttemptNo, TaskIx>,
    /// The task of every attempt.
    owners: BTreeMap<AttemptNo, TaskIx>,
    round: Round,
    /// Waves whose tasks may have got a last word without an event of their own.
    waves_seen: u32,
    /// How the workspaces of the last wave were made.
    workspaces: Option<Workspaces>,
    /// Where the branch that the run began on stood last, if elsewhere.
    moved: Option<Commit>,
    /// What the user's settings made of the base's files.
    settings: Option<Settings>,
    /// How many tasks the scheduler held.
    held: usize,
    news: Vec<News>,
}

/// What narrowing has found out in the current round.
#[derive(Clone, Debug, Default)]
struct Round {
    answers: Answers,
    /// Where in `trials` the round begins.
    first_trial: usize,
    lands: Vec<TaskIx>,
    tree: Option<Tree>,
}

/// One look at a composition of harvests.
#[derive(Clone, Debug)]
pub struct TrialView {
    /// Which wave.
    pub wave: WaveNo,
    /// Which round of it.
    pub round: u32,
    /// Which trial of that round, from 1.
    pub trial: u32,
    /// Whose changes.
    pub tasks: Vec<TaskIx>,
    /// The composed tree, once it was looked at.
    pub tree: Option<Tree>,
    /// One record per gate; empty until it was looked at.
    pub evidence: Arc<[Evidence]>,
}

impl TrialView {
    /// Whether no gate speaks against it; none before it was looked at. One that is red and green on one tree does not.
    #[must_use]
    pub fn passes(&self) -> Option<bool> {
        let fine = |look: &Evidence| look.passes() || is_flaky(look);
        self.tree.as_ref().map(|_| self.evidence.iter().all(fine))
    }
}

/// One commit of the run.
#[derive(Clone, Debug)]
pub struct CheckpointView {
    /// Which wave.
    pub wave: WaveNo,
    /// Which round of it.
    pub round: u32,
    /// The commit.
    pub commit: Commit,
    /// Whose changes it holds, in plan order.
    pub tasks: Vec<TaskIx>,
    /// When it stood, in milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
}

/// A supervisor's time with the run, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its first event.
    pub from_ms: u64,
    /// Its last event so far.
    pub to_ms: u64,
}

/// Something that an event brought and that is worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The run begins.
    Began,
    /// The gates were run on the base.
    BaseJudged,
    /// A round of a wave begins, with so many tasks.
    Wave {
        /// Which wave.
        wave: WaveNo,
        /// Which round of it.
        round: u32,
        /// How many tasks are in it.
        tasks: usize,
    },
    /// The branch that the run began on stands at another commit now.
    Moved(Commit),
    /// The user's settings made the files of the base what they are: [`View::settings`].
    Settings,
    /// An attempt's worker can start.
    Dispatched(TaskIx),
    /// The last attempt of a task has a new fate.
    Attempt(TaskIx),
    /// A person took the responsibility for something that held a task.
    Approved(TaskIx),
    /// The task got its last word; never said of accepted ones, whose checkpoint is told.
    Ended(TaskIx),
    /// A composition was looked at: an index into [`View::trials`].
    Trial(usize),
    /// A checkpoint stands: an index into [`View::checkpoints`].
    Checkpoint(usize),
    /// The world refused an effect.
    Parked(String),
    /// Somebody asked the run to stop.
    Interrupted,
    /// The run's wall time is used up.
    WallSpent,
    /// A new supervisor goes on.
    Resumed {
        /// How many attempts it runs at once.
        jobs: u32,
        /// How many workers were running when the last one died.
        lost: usize,
        /// How long nobody looked after the run, in milliseconds.
        away_ms: u64,
    },
}

impl View {
    /// A view of a run of `plan` in which nothing has happened.
    #[must_use]
    pub fn new(plan: Arc<Plan>, waves: Arc<Waves>) -> Self {
        let blank = TaskView {
            wave: WaveNo(0),
            baseline: Arc::new([]),
            attempts: Vec::new(),
            holds: Vec::new(),
            approvals: Vec::new(),
            told: false,
        };
        let mut tasks = vec![blank; plan.tasks.len()];
        for (wave, members) in (1..).map(WaveNo).zip(&waves.waves) {
            for task in members {
                tasks[task.index()].wave = wave;
            }
        }
        Self {
            plan,
            waves,
            tasks,
            started: None,
            base_evidence: Arc::new([]),
            trials: Vec::new(),
            checkpoints: Vec::new(),
            sessions: Vec::new(),
            parked: None,
            undecided: BTreeSet::new(),
            live: BTreeMap::new(),
            owners: BTreeMap::new(),
            round: Round::default(),
            waves_seen: 0,
            workspaces: None,
            moved: None,
            settings: None,
            held: 0,
            news: Vec::new(),
        }
    }

    /// Forgets the looks at the base of tasks whose worker can start now: lines and the summary speak of them only where there
    /// is no attempt, and a wave may have ten thousand.
    pub(crate) fn forget_bases(&mut self) {
        for news in &self.news {
            if let News::Dispatched(ix) = news {
                self.tasks[ix.index()].baseline = Arc::default();
            }
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The waves.
    #[must_use]
    pub fn waves(&self) -> &Arc<Waves> {
        &self.waves
    }

    /// How the workspaces of the last wave were made.
    #[must_use]
    pub fn workspaces(&self) -> Option<Workspaces> {
        self.workspaces
    }

    /// Where the branch that the run began on was seen last, if it is not where it was.
    #[must_use]
    pub fn moved(&self) -> Option<&Commit> {
        self.moved.as_ref()
    }

    /// What the user's settings made of the base's files, once it was laid; none where they are as the commit has them.
    #[must_use]
    pub fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// What the run is, once it has begun.
    #[must_use]
    pub fn started(&self) -> Option<&Started> {
        self.started.as_ref()
    }

    /// The run's id; empty before it has begun.
    #[must_use]
    pub fn run(&self) -> &str {
        self.started.as_ref().map_or("", |started| &started.run)
    }

    /// A task's history; an index of the plan is always in range.
    #[must_use]
    pub fn task(&self, ix: TaskIx) -> &TaskView {
        &self.tasks[ix.index()]
    }

    /// The task of that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<TaskIx> {
        let mut tasks = self.plan.each_task();
        tasks.find(|(_, task)| &*task.id == id).map(|(ix, _)| ix)
    }

    /// The task of an attempt.
    #[must_use]
    pub fn task_of(&self, attempt: AttemptNo) -> Option<TaskIx> {
        self.owners.get(&attempt).copied()
    }

    /// The task that an event is about, if it is about one.
    #[must_use]
    pub fn task_at(&self, event: &Event) -> Option<TaskIx> {
        let key = match event {
            Event::Issued { effect } => Some(effect.key()),
            event => event.answers(),
        };
        match key? {
            Key::Baseline(task) | Key::Sense(_, _, task) => Some(task),
            Key::OpenWorkspace(attempt)
            | Key::LaunchWorker(attempt)
            | Key::StopWorker(attempt)
            | Key::Harvest(attempt)
            | Key::Verify(attempt)
            | Key::Review(attempt)
            | Key::Probe(attempt, _)
            | Key::DiscardWorkspace(attempt) => self.task_of(attempt),
            Key::PrepareWave(..) | Key::Integrate(..) | Key::Checkpoint(..) => None,
        }
    }

    /// The gates on the base, one record each; empty until they were run.
    #[must_use]
    pub fn base_evidence(&self) -> &[Evidence] {
        &self.base_evidence
    }

    /// Every composition that was tried, in order, the base left out.
    #[must_use]
    pub fn trials(&self) -> &[TrialView] {
        &self.trials
    }

    /// The run's commits, in order.
    #[must_use]
    pub fn checkpoints(&self) -> &[CheckpointView] {
        &self.checkpoints
    }

    /// The supervisors' times, in order.
    #[must_use]
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// Milliseconds in which a supervisor looked after the run, all sessions together.
    #[must_use]
    pub fn wall_ms(&self) -> u64 {
        self.sessions
            .iter()
            .map(|session| session.to_ms.saturating_sub(session.from_ms))
            .sum()
    }

    /// What the world said when the run parked, until it is resumed.
    #[must_use]
    pub fn parked(&self) -> Option<&str> {
        self.parked.as_deref()
    }

    /// What the last event brought.
    #[must_use]
    pub fn news(&self) -> &[News] {
        &self.news
    }

    /// The attempts that are under way, oldest first, with their tasks.
    pub fn live(&self) -> impl Iterator<Item = (TaskIx, &AttemptView)> {
        self.live
            .iter()
            .filter_map(|(number, ix)| Some((*ix, self.task(*ix).attempt(*number)?)))
    }
}
