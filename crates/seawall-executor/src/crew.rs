//! What every effect works with: the plan, the repository, the place on disk, the table of live workers.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::{DashMap, DashSet, Entry};
use seawall_core::event::Workspaces;
use seawall_core::evidence::Evidence;
use seawall_core::ids::{AttemptNo, Commit, TaskIx, Tree};
use seawall_core::plan::Plan;
use seawall_git::{CommitId, Store};
use seawall_sandbox::{Profile, Stopper};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::alive::Locks;
use crate::bases::Bases;
use crate::cache::Looks;
use crate::carry::{self, Carried};
use crate::error::{ExecuteError, at};
use crate::findings::Oddities;
use crate::notes::{Changed, Known};
use crate::place::Place;
use crate::reads::Reads;
use crate::rules::Said;
use crate::trash::Trash;

/// Different lists of what held; there are as many as profiles, unless commands differ in what they wrote to.
const MOST_LEDGERS: usize = 64;

/// What a session of a run is given.
#[derive(Debug)]
pub struct Setup {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The repository.
    pub store: Store,
    /// The run's directory.
    pub place: Place,
    /// The run's id.
    pub run: String,
    /// The run's branch, in full.
    pub branch: String,
    /// When the run began, in seconds since 1970: the time of all its commits, so that making one twice
    /// makes the same.
    pub began: i64,
    /// Wall time that is left of the budget.
    pub wall: Duration,
    /// The user's home, for `~/` in a plan.
    pub home: Option<PathBuf>,
    /// Whether namespaces are used where they can be had.
    pub namespaces: bool,
    /// What the run starts from.
    pub base: Commit,
    /// The branch that was checked out then, if one was, in full.
    pub onto: Option<String>,
    /// How workspaces are made.
    pub workspaces: Workspaces,
    /// Whether control groups bound the memory of each command.
    pub groups: bool,
    /// How many commands run at once, workers and checks together.
    pub jobs: u32,
    /// Whether the base of a run that has ended may become this one's, instead of one that is written anew.
    pub takes_kept_base: bool,
    /// The sandbox profiles that the plan names, and `check`, as they were when the run began.
    pub profiles: BTreeMap<String, Profile>,
}

/// The session's setup, and what its effects share.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) setup: Setup,
    /// Commits as directories.
    pub(crate) bases: Bases,
    /// Directories of the user's checkout that appear in every workspace.
    pub(crate) carried: Vec<Carried>,
    pub(crate) trash: Arc<Trash>,
    pub(crate) locks: Locks,
    /// Live workers, by attempt.
    live: DashMap<AttemptNo, Live>,
    /// Checks that met a limit with their workspace in memory: from then on theirs is on the disk.
    large: DashSet<Vec<u8>>,
    /// What held for commands, each list once.
    ledgers: Mutex<Vec<Arc<[String]>>>,
    /// The commit that a wave starts from, and its tree: of all looks at it the same text.
    base_tree: Mutex<Option<(Commit, Tree)>>,
    /// The files that the tasks of a wave read.
    pub(crate) reads: Reads,
    /// What differs between the run's base and a wave's.
    pub(crate) changed: Changed,
    /// What is known of how files changed, for all tasks that ask.
    pub(crate) interfaces: Known,
    /// What is odd about files that briefs name, likewise.
    pub(crate) oddities: Oddities,
    /// What commands showed of trees.
    pub(crate) looks: Looks,
    /// What files say to the plan's rules.
    pub(crate) said: Said,
    /// What was seen of changes that somebody reviews.
    pub(crate) verified: DashMap<AttemptNo, Arc<[Evidence]>>,
    /// As many as commands may run at once.
    places: Semaphore,
    /// As many as trees may be put together at once only to be looked at.
    turns: Semaphore,
}

/// A worker in the table of live ones.
#[derive(Debug)]
enum Live {
    /// It runs, and this ends it.
    Running(Stopper),
    /// It is to end, and has not started yet.
    Unwanted,
}

impl Crew {
    pub(crate) fn new(setup: Setup) -> Result<Self, ExecuteError> {
        let places = (setup.jobs as usize).clamp(1, Semaphore::MAX_PERMITS);
        let carried = carry::directories(&setup);
        let bottom = carry::lay(&setup, &carried)?;
        let trash = Arc::new(Trash::new(setup.place.trash())?);
        for left in std::fs::read_dir(setup.place.common_trash())
            .into_iter()
            .flatten()
        {
            trash.sweep(
                left.map_err(at("read", &setup.place.common_trash()))?
                    .path(),
            );
        }
        Ok(Self {
            bases: Bases::new(&setup, bottom, &carried, Arc::clone(&trash)),
            trash,
            locks: Locks::new(setup.place.alive()),
            carried,
            setup,
            live: DashMap::new(),
            large: DashSet::new(),
            ledgers: Mutex::default(),
            base_tree: Mutex::default(),
            reads: Reads::default(),
            interfaces: Known::new(),
            changed: Changed::default(),
            oddities: Oddities::new(),
            looks: Looks::default(),
            said: Said::default(),
            verified: DashMap::new(),
            places: Semaphore::new(places),
            turns: Semaphore::new(places),
        })
    }

    /// Waits for a place to run a command in, which lasts as long as what is returned.
    pub(crate) async fn place(&self) -> Result<SemaphorePermit<'_>, ExecuteError> {
        let place = self.places.acquire().await;
        place.map_err(|e| ExecuteError::Lost(e.to_string()))
    }

    /// Waits until another tree may be put together only to be looked at: each is a layer on the disk, and a wave of ten
    /// thousand tasks has as many of them to come. Whoever waits for a place has its turn already.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, ExecuteError> {
        let turn = self.turns.acquire().await;
        turn.map_err(|e| ExecuteError::Lost(e.to_string()))
    }

    /// Keeps what was seen of a change, if somebody is to review it.
    pub(crate) fn note(&self, task: TaskIx, attempt: AttemptNo, evidence: &[Evidence]) {
        if self.setup.plan.task(task).review.is_some() {
            self.verified.insert(attempt, evidence.into());
        }
    }

    /// Puts a worker into the table. One that was asked to end before it started is ended at once.
    pub(crate) fn enter(&self, attempt: AttemptNo, stopper: Stopper) -> io::Result<()> {
        match self.live.entry(attempt) {
            Entry::Occupied(_) => stopper.stop(),
            Entry::Vacant(place) => {
                place.insert(Live::Running(stopper));
                Ok(())
            }
        }
    }

    /// The same list for all commands that were confined alike: a run of ten thousand tasks keeps what it said once.
    pub(crate) fn said_once(&self, list: Vec<String>) -> Arc<[String]> {
        let mut known = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = known.iter().find(|known| ***known == *list) {
            return Arc::clone(same);
        }
        let list: Arc<[String]> = list.into();
        if known.len() < MOST_LEDGERS {
            known.push(Arc::clone(&list));
        }
        list
    }

    /// The tree of a wave's base, if it was asked for before.
    pub(crate) fn base_tree(&self, base: &Commit) -> Option<Tree> {
        let known = self.base_tree.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|(commit, _)| commit == base);
        known.map(|(_, tree)| tree.clone())
    }

    /// Notes it.
    pub(crate) fn note_base_tree(&self, base: &Commit, tree: &Tree) {
        let known = self.base_tree.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = Some((base.clone(), tree.clone()));
    }

    /// Takes a worker that ended out of the table.
    pub(crate) fn leave(&self, attempt: AttemptNo) {
        self.live.remove(&attempt);
    }

    /// Ends a worker, whether it has started or is about to.
    pub(crate) fn stop(&self, attempt: AttemptNo) -> io::Result<()> {
        match &*self.live.entry(attempt).or_insert(Live::Unwanted) {
            Live::Running(stopper) => stopper.stop(),
            Live::Unwanted => Ok(()),
        }
    }

    /// How many bytes of memory the workspace of a check may take, if it is to be there.
    pub(crate) fn check_in_memory(&self, command: &[u8], profile: &Profile) -> Option<u64> {
        let setup = &self.setup;
        let possible = setup.workspaces == Workspaces::Overlay && setup.groups;
        let bounded = profile
            .limits
            .memory
            .filter(|_| profile.limits.disk.is_some());
        bounded.filter(|_| possible && !self.large.contains(command))
    }

    /// Notes that the workspace of a check does not fit into memory.
    pub(crate) fn needs_disk(&self, command: Vec<u8>) {
        self.large.insert(command);
    }

    /// The pinned profile of that name.
    pub(crate) fn profile(&self, name: &str) -> Result<Profile, ExecuteError> {
        let found = self.setup.profiles.get(name).cloned();
        found.ok_or_else(|| ExecuteError::Lost(format!("there is no profile `{name}`")))
    }
}

/// A commit as the repository knows it.
pub(crate) fn id(commit: &Commit) -> Result<CommitId, ExecuteError> {
    Ok(commit.0.parse()?)
}

/// A commit as the core knows it.
pub(crate) fn commit(id: &CommitId) -> Commit {
    Commit::from(id.as_str())
}
