//! What happened: the facts that a run consists of. The journal is a list of these and nothing else.

use serde::{Deserialize, Serialize};

use crate::effect::{Effect, Key};
use crate::evidence::{Evidence, Harvest, Reviewed, WorkerEnd};
use crate::finding::Finding;
use crate::ids::{AttemptNo, Commit, Digest, TaskIx, Tree, WaveNo};
use crate::verdict::Hold;

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first of every run.
    RunStarted(Started),
    /// An effect is about to be attempted.
    Issued {
        /// Which.
        effect: Effect,
    },
    /// The files of a wave's tasks were read from its base.
    WavePrepared {
        /// Which wave.
        wave: WaveNo,
        /// Which round of it.
        round: u32,
        /// Tasks whose files are not what the plan says, and how.
        problems: Vec<(TaskIx, String)>,
        /// How the wave's workspaces are made.
        #[serde(default)]
        workspaces: Workspaces,
        /// Where the branch that the run began on stands, if it is not where it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        moved: Option<Commit>,
        /// What the user's settings made of the files of the run's base; none where they are as the commit has them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settings: Option<Settings>,
    },
    /// A task's checks were run on the base.
    Baselined {
        /// Whose.
        task: TaskIx,
        /// One record per check that has a command; `Pass` = as the proof demands of a base.
        evidence: Vec<Evidence>,
    },
    /// An attempt's workspace stands.
    WorkspaceOpened {
        /// Whose.
        attempt: AttemptNo,
        /// What is odd about the files that its brief names. No verdict depends on it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Finding>,
    },
    /// A worker and all its descendants are gone.
    WorkerEnded {
        /// Whose.
        attempt: AttemptNo,
        /// How.
        end: WorkerEnd,
    },
    /// A workspace was compared with its base.
    Harvested {
        /// Whose.
        attempt: AttemptNo,
        /// What was found.
        harvest: Harvest,
    },
    /// A harvest was judged.
    Verified {
        /// Whose.
        attempt: AttemptNo,
        /// One record per check of the task; none when a finding blocks, for then no check is run.
        evidence: Vec<Evidence>,
        /// What is odd about the change.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Finding>,
    },
    /// Another agent looked at a change.
    Reviewed {
        /// Whose.
        attempt: AttemptNo,
        /// What it says.
        review: Reviewed,
    },
    /// A task's checks were run on top of its siblings' changes.
    Probed {
        /// Whose.
        attempt: AttemptNo,
        /// Which probe.
        probe: u32,
        /// One record per criterion of the task.
        evidence: Vec<Evidence>,
    },
    /// An attempt's workspace is gone.
    WorkspaceDiscarded {
        /// Whose.
        attempt: AttemptNo,
    },
    /// The plan's gates were run on a composition of harvests.
    Integrated {
        /// Which wave; 0 is the base.
        wave: WaveNo,
        /// Which round of it.
        round: u32,
        /// Which trial.
        trial: u32,
        /// The composed tree.
        tree: Tree,
        /// One record per gate.
        evidence: Vec<Evidence>,
    },
    /// A task's checks were run without its change.
    Sensed {
        /// Which wave.
        wave: WaveNo,
        /// Which round of it.
        round: u32,
        /// Whose.
        task: TaskIx,
        /// The records up to the first red one; `Fail` = the check notices that the change is not there.
        evidence: Vec<Evidence>,
    },
    /// A person takes the responsibility for something that keeps a task from landing.
    Approved {
        /// The task.
        task: TaskIx,
        /// For what.
        hold: Hold,
        /// Who, as the host knows them.
        by: String,
        /// Why.
        note: String,
    },
    /// The commit of a wave stands, and the run's branch points to it.
    Checkpointed {
        /// Which wave.
        wave: WaveNo,
        /// Which round of it.
        round: u32,
        /// The commit.
        commit: Commit,
    },
    /// The world refused an effect (disk full, no permission): the run parks, the effect stays owed.
    EffectFailed {
        /// Which.
        key: Key,
        /// What the world said, and what to do.
        why: String,
    },
    /// Somebody asked the run to stop.
    Interrupted,
    /// The run's wall time is used up.
    WallSpent,
    /// A new supervisor goes on; whatever was in flight is not any more.
    Resumed {
        /// How many attempts it runs at once.
        jobs: u32,
        /// Whether the machine started anew since: what was not yet harvested may not have reached the disk.
        #[serde(default)]
        rebooted: bool,
    },
}

/// How the workspaces of a wave are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workspaces {
    /// As overlays on directories that all of them share.
    Overlay,
    /// As copies.
    #[default]
    Copy,
}

/// What the settings of the user's checkout, such as `core.autocrlf`, filters or a sparse checkout, made of a base.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Settings {
    /// The setting because of which the user's git wrote the files.
    pub why: String,
    /// Files that are not, byte by byte, as the commit has them.
    pub converted: u64,
    /// Paths of the commit that no workspace has.
    pub left_out: u64,
}

/// What a run is, said once at its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Started {
    /// The run's id.
    pub run: String,
    /// The version of the program.
    pub seawall: String,
    /// The digest of the expanded plan.
    pub plan: Digest,
    /// The digest of the sandbox profiles that it began with; journals of earlier versions do not name them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Digest>,
    /// The commit that everything starts from.
    pub base: Commit,
    /// The branch that was checked out, if one was.
    pub onto: Option<String>,
    /// The full name of the branch that the run makes.
    pub branch: String,
    /// How many attempts run at once.
    pub jobs: u32,
}

impl Event {
    /// The effect that this event ends, if it ends one.
    #[must_use]
    pub fn answers(&self) -> Option<Key> {
        Some(match *self {
            Self::WavePrepared { wave, round, .. } => Key::PrepareWave(wave, round),
            Self::Baselined { task, .. } => Key::Baseline(task),
            Self::WorkspaceOpened { attempt, .. } => Key::OpenWorkspace(attempt),
            Self::WorkerEnded { attempt, .. } => Key::LaunchWorker(attempt),
            Self::Harvested { attempt, .. } => Key::Harvest(attempt),
            Self::Verified { attempt, .. } => Key::Verify(attempt),
            Self::Reviewed { attempt, .. } => Key::Review(attempt),
            Self::Probed { attempt, probe, .. } => Key::Probe(attempt, probe),
            Self::WorkspaceDiscarded { attempt } => Key::DiscardWorkspace(attempt),
            Self::Integrated {
                wave, round, trial, ..
            } => Key::Integrate(wave, round, trial),
            Self::Sensed {
                wave, round, task, ..
            } => Key::Sense(wave, round, task),
            Self::Checkpointed { wave, round, .. } => Key::Checkpoint(wave, round),
            Self::EffectFailed { key, .. } => key,
            Self::RunStarted(_)
            | Self::Issued { .. }
            | Self::Approved { .. }
            | Self::Interrupted
            | Self::WallSpent
            | Self::Resumed { .. } => return None,
        })
    }
}
