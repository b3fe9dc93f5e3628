//! Small plans, and events as a world would send them, for the tests of this crate.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use crate::effect::Effect;
use crate::event::{Event, Started, Workspaces};
use crate::evidence::{Change, Evidence, Harvest, How, ReviewVerdict, Reviewed, Value, WorkerEnd};
use crate::ids::{AttemptNo, Commit, Digest, TaskIx, Tree, WaveNo};
use crate::path::RepoPath;
use crate::plan::{
    Baseline, Budget, Criterion, Limits, Plan, Proof, SandboxRules, Task, Tests, When,
    WorkspaceRules,
};

/// A task that owns one file.
pub(crate) fn task(id: &str, file: &str, after: &[u32], reads: &[&str], attempts: u32) -> Task {
    let path = |name: &&str| RepoPath::new(name.as_bytes()).unwrap();
    Task {
        id: id.into(),
        files: vec![path(&file)],
        creates: vec![],
        deletes: vec![],
        reads: reads.iter().map(path).collect(),
        read_globs: Arc::new([]),
        after: after.iter().copied().map(TaskIx).collect(),
        because: None,
        prompt: "p".into(),
        agent: "a".into(),
        profile: "worker".into(),
        attempts,
        timeout_ms: 1,
        checks: Arc::new([Criterion {
            says: "s".into(),
            run: Some("r".into()),
            proof: Proof::FailToPass,
            baseline: Baseline::Green,
            tests: Tests::Keep,
            ..Criterion::default()
        }]),
        when: When::Always,
        expected_lines: None,
        ..Task::default()
    }
}

/// A plan with a budget of `attempts`.
pub(crate) fn plan(tasks: Vec<Task>, attempts: u32) -> Arc<Plan> {
    Arc::new(Plan {
        decisions: Vec::new(),
        name: "p".into(),
        goal: "g".into(),
        budget: Budget {
            attempts,
            wall_ms: 1,
        },
        limits: Limits {
            check_timeout_ms: 1,
            output_bytes: 1,
            silence_ms: None,
        },
        sandbox: SandboxRules::default(),
        workspace: WorkspaceRules::default(),
        evidence: Default::default(),
        agents: BTreeMap::new(),
        checkpoints: vec![],
        invariants: vec![],
        findings: vec![],
        tasks,
    })
}

/// Plans of up to twelve tasks on six files, with `after` that closes no cycle.
pub(crate) fn some_plan() -> impl Strategy<Value = Vec<Task>> {
    let after = proptest::collection::vec(0..12u32, 0..3);
    let one = (
        0..6u8,
        after,
        proptest::collection::vec(0..6u8, 0..2),
        1..3u32,
    );
    proptest::collection::vec(one, 1..12).prop_map(|tasks| {
        let name = |n: u8| format!("f{n}");
        let build =
            |(ix, (file, after, reads, attempts)): (usize, (u8, Vec<u32>, Vec<u8>, u32))| {
                let after: Vec<u32> = after
                    .into_iter()
                    .filter(|dep| (*dep as usize) < ix)
                    .collect();
                let reads: Vec<String> =
                    reads.into_iter().filter(|r| *r != file).map(name).collect();
                let reads: Vec<&str> = reads.iter().map(String::as_str).collect();
                task(&format!("t{ix}"), &name(file), &after, &reads, attempts)
            };
        tasks.into_iter().enumerate().map(build).collect()
    })
}

/// The first event of a run.
pub(crate) fn begin(jobs: u32) -> Event {
    Event::RunStarted(Started {
        run: "r".into(),
        seawall: "0".into(),
        plan: Digest::of(b""),
        profiles: None,
        base: Commit::from("base"),
        onto: None,
        branch: "refs/heads/seawall/p/r".into(),
        jobs,
    })
}

/// One look at one criterion.
pub(crate) fn look(passes: bool) -> Vec<Evidence> {
    vec![Evidence {
        criterion: 0,
        value: if passes { Value::Pass } else { Value::Fail },
        why: String::new(),
        command: String::new(),
        tree: Tree::from("t"),
        exit: Some(i32::from(!passes)),
        ms: 0,
        tail: String::new(),
        bytes: 0,
        output: Digest::of(b""),
        log: None,
        tests: None,
        base: None,
        enforced: Arc::default(),
        flaky: None,
        own: None,
    }]
}

/// The end of a worker.
pub(crate) fn ended(attempt: AttemptNo, how: How) -> Event {
    let end = WorkerEnd {
        how,
        ms: 0,
        claim: String::new(),
        bytes: 0,
        leftovers: 0,
        limits: Box::default(),
        enforced: Arc::default(),
        brief: None,
        log: None,
    };
    Event::WorkerEnded { attempt, end }
}

/// A harvest; equal contents are equal changes.
pub(crate) fn changed(attempt: AttemptNo, task: TaskIx, content: &str) -> Event {
    let change = Change {
        commit: Commit::from(format!("h{}-{content}", task.0).as_str()),
        tree: Tree::from("t"),
        digest: Digest::from(format!("d{}-{content}", task.0).as_str()),
        paths: vec![],
        insertions: 0,
        deletions: 0,
    };
    Event::Harvested {
        attempt,
        harvest: Harvest::Changed(change),
    }
}

/// The end of a trial.
pub(crate) fn integrated(
    (wave, round, trial): (WaveNo, u32, u32),
    tasks: &[TaskIx],
    green: bool,
) -> Event {
    let tree = Tree::from(format!("{tasks:?}").as_str());
    Event::Integrated {
        wave,
        round,
        trial,
        tree,
        evidence: look(green),
    }
}

/// The answer of a world in which everything goes well.
pub(crate) fn goes_well(effect: &Effect) -> Option<Event> {
    Some(match effect {
        Effect::PrepareWave { wave, round, .. } => Event::WavePrepared {
            wave: *wave,
            round: *round,
            problems: vec![],
            workspaces: Workspaces::Overlay,
            moved: None,
            settings: None,
        },
        Effect::Baseline { task, .. } => Event::Baselined {
            task: *task,
            evidence: look(true),
        },
        Effect::OpenWorkspace { attempt, .. } => Event::WorkspaceOpened {
            attempt: *attempt,
            findings: vec![],
        },
        Effect::LaunchWorker { attempt, .. } => ended(*attempt, How::Exited(0)),
        Effect::StopWorker { .. } => return None,
        Effect::Harvest { attempt, task, .. } => changed(*attempt, *task, &attempt.to_string()),
        Effect::Verify { attempt, .. } => Event::Verified {
            attempt: *attempt,
            evidence: look(true),
            findings: vec![],
        },
        Effect::Review { attempt, .. } => {
            let Event::WorkerEnded { end, .. } = ended(*attempt, How::Exited(0)) else {
                unreachable!("it makes the end of a worker")
            };
            Event::Reviewed {
                attempt: *attempt,
                review: Reviewed {
                    verdict: ReviewVerdict::Accept,
                    reasons: vec![],
                    end,
                },
            }
        }
        Effect::Probe { attempt, probe, .. } => Event::Probed {
            attempt: *attempt,
            probe: *probe,
            evidence: look(false),
        },
        Effect::Sense {
            wave, round, task, ..
        } => Event::Sensed {
            wave: *wave,
            round: *round,
            task: *task,
            evidence: look(false),
        },
        Effect::DiscardWorkspace { attempt } => Event::WorkspaceDiscarded { attempt: *attempt },
        Effect::Integrate {
            wave,
            round,
            trial,
            tasks,
            ..
        } => integrated((*wave, *round, *trial), tasks, true),
        Effect::Checkpoint {
            wave,
            round,
            base,
            tasks,
            ..
        } => {
            let tasks: Vec<_> = tasks.iter().map(|t| t.0).collect();
            let commit = Commit::from(format!("{base}+{tasks:?}").as_str());
            Event::Checkpointed {
                wave: *wave,
                round: *round,
                commit,
            }
        }
    })
}
