//! What the scheduler owes the world: each effect is written down before it is attempted.
//!
//! An effect names everything that makes it safe to do twice: attempt, base, harvest. Its [`Key`] is
//! what the answer to it must match.

use serde::{Deserialize, Serialize};

use crate::ids::{AttemptNo, Commit, TaskIx, Tree, WaveNo};

/// One thing to do, in the order of the flow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Effect {
    /// Re-read the files of the wave's tasks from `base`.
    PrepareWave {
        /// Which wave.
        wave: WaveNo,
        /// Which round of it, from 1; a further one retries what the checkpoint rejected.
        round: u32,
        /// The commit that its workspaces start from.
        base: Commit,
    },
    /// Run a task's checks on the base, before anything is spent on it.
    Baseline {
        /// Whose checks.
        task: TaskIx,
        /// Where.
        base: Commit,
    },
    /// Make the private workspace of an attempt.
    OpenWorkspace {
        /// The task.
        task: TaskIx,
        /// The attempt.
        attempt: AttemptNo,
        /// What it starts from.
        base: Commit,
    },
    /// Start the confined worker of an attempt and see it to its end.
    LaunchWorker {
        /// The task.
        task: TaskIx,
        /// The attempt.
        attempt: AttemptNo,
        /// What its brief is composed from.
        base: Commit,
    },
    /// End a running worker.
    StopWorker {
        /// Whose worker.
        attempt: AttemptNo,
    },
    /// Compare the workspace with its base and take what the task owns.
    Harvest {
        /// The task.
        task: TaskIx,
        /// The attempt.
        attempt: AttemptNo,
        /// What the workspace was made from.
        base: Commit,
    },
    /// Run the task's checks on a fresh workspace of the harvest.
    Verify {
        /// The task.
        task: TaskIx,
        /// The attempt.
        attempt: AttemptNo,
        /// Base and change as one commit.
        harvest: Commit,
    },
    /// Have another agent look at a change whose checks pass.
    Review {
        /// The task.
        task: TaskIx,
        /// The attempt.
        attempt: AttemptNo,
        /// Base and change as one commit.
        harvest: Commit,
    },
    /// Run the checks of a task whose change was red alone on top of its siblings' changes.
    Probe {
        /// The task.
        task: TaskIx,
        /// The attempt whose harvest it is.
        attempt: AttemptNo,
        /// Which probe of that attempt, from 1.
        probe: u32,
        /// What everything is put on.
        base: Commit,
        /// Base and change as one commit; the base may be an earlier one.
        harvest: Commit,
        /// Whose changes it stands on besides, in plan order; none = on `base` alone.
        on: Vec<TaskIx>,
    },
    /// Delete an attempt's workspace.
    DiscardWorkspace {
        /// The attempt.
        attempt: AttemptNo,
    },
    /// Compose harvests on `base` and run the plan's gates on the result. No ref moves.
    Integrate {
        /// Which wave; 0 looks at the base itself.
        wave: WaveNo,
        /// Which round of it.
        round: u32,
        /// Which trial of that round, from 1.
        trial: u32,
        /// What the harvests are put on.
        base: Commit,
        /// Whose harvests, in plan order.
        tasks: Vec<TaskIx>,
    },
    /// Run a task's checks on what passed the gates, without this task's change.
    Sense {
        /// Which wave.
        wave: WaveNo,
        /// Which round of it.
        round: u32,
        /// The task.
        task: TaskIx,
        /// The tree that passed the gates.
        tree: Tree,
        /// The task's harvest: base and change as one commit.
        harvest: Commit,
    },
    /// Make the commit of a wave and move the run's branch to it.
    Checkpoint {
        /// Which wave.
        wave: WaveNo,
        /// Which round of it.
        round: u32,
        /// Its parent, where the branch stands.
        base: Commit,
        /// What passed the gates.
        tree: Tree,
        /// Whose changes it holds, in plan order.
        tasks: Vec<TaskIx>,
    },
}

/// The identity of an effect in flight: no two of one key are ever in flight together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// [`Effect::PrepareWave`]
    PrepareWave(WaveNo, u32),
    /// [`Effect::Baseline`]
    Baseline(TaskIx),
    /// [`Effect::OpenWorkspace`]
    OpenWorkspace(AttemptNo),
    /// [`Effect::LaunchWorker`]
    LaunchWorker(AttemptNo),
    /// [`Effect::StopWorker`]
    StopWorker(AttemptNo),
    /// [`Effect::Harvest`]
    Harvest(AttemptNo),
    /// [`Effect::Verify`]
    Verify(AttemptNo),
    /// [`Effect::Review`]
    Review(AttemptNo),
    /// [`Effect::Probe`]
    Probe(AttemptNo, u32),
    /// [`Effect::DiscardWorkspace`]
    DiscardWorkspace(AttemptNo),
    /// [`Effect::Integrate`]
    Integrate(WaveNo, u32, u32),
    /// [`Effect::Sense`]
    Sense(WaveNo, u32, TaskIx),
    /// [`Effect::Checkpoint`]
    Checkpoint(WaveNo, u32),
}

impl Effect {
    /// What an answer to this effect must match.
    #[must_use]
    pub fn key(&self) -> Key {
        match *self {
            Self::PrepareWave { wave, round, .. } => Key::PrepareWave(wave, round),
            Self::Baseline { task, .. } => Key::Baseline(task),
            Self::OpenWorkspace { attempt, .. } => Key::OpenWorkspace(attempt),
            Self::LaunchWorker { attempt, .. } => Key::LaunchWorker(attempt),
            Self::StopWorker { attempt } => Key::StopWorker(attempt),
            Self::Harvest { attempt, .. } => Key::Harvest(attempt),
            Self::Verify { attempt, .. } => Key::Verify(attempt),
            Self::Review { attempt, .. } => Key::Review(attempt),
            Self::Probe { attempt, probe, .. } => Key::Probe(attempt, probe),
            Self::DiscardWorkspace { attempt } => Key::DiscardWorkspace(attempt),
            Self::Integrate {
                wave, round, trial, ..
            } => Key::Integrate(wave, round, trial),
            Self::Sense {
                wave, round, task, ..
            } => Key::Sense(wave, round, task),
            Self::Checkpoint { wave, round, .. } => Key::Checkpoint(wave, round),
        }
    }
}
