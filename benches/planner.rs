//! What a plan of 100,000 tasks costs: its waves, and the scheduler driven through it by an instant world.
//!
//! `cargo bench -p seawall-core --bench planner`. Every figure is printed with its limit, and one over its
//! limit ends the program with status 1. The figures are those of the machine and the moment; only the ratio
//! of the cost of an event in a large plan to that in a small one is free of both, and it is the one that
//! holds the design: an event costs what it changes, never the size of the plan.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use seawall_core::drive::{Executor, Journal, Reporter, drive};
use seawall_core::effect::Effect;
use seawall_core::event::{Event, Started, Workspaces};
use seawall_core::evidence::{
    Change, Evidence, Harvest, How, ReviewVerdict, Reviewed, Value, WorkerEnd,
};
use seawall_core::ids::{Commit, Digest, TaskIx, Tree};
use seawall_core::path::RepoPath;
use seawall_core::plan::{
    Budget, Criterion, Limits, Plan, Proof, SandboxRules, Task, When, WorkspaceRules,
};
use seawall_core::scheduler::{Outcome, Scheduler};
use seawall_core::waves::{Waves, waves};

/// The plan that must be no trouble.
const LARGE: u32 = 100_000;
/// The plan whose cost per event is the measure for the large one.
const SMALL: u32 = 1_000;

/// How tasks hang together.
#[derive(Clone, Copy)]
enum Shape {
    /// Every tenth task waits for another, every seventh reads what another writes: a few waves.
    Mixed,
    /// No task knows another: one wave.
    Wide,
    /// Each task waits for the one before it: as many waves as tasks.
    Deep,
}

fn main() -> ExitCode {
    let fine = [
        planning(),
        scheduling("mixed", Shape::Mixed),
        scheduling("wide", Shape::Wide),
        scheduling("deep", Shape::Deep),
        narrowing(),
    ];
    ExitCode::from(u8::from(fine.contains(&false)))
}

/// Prints a figure; whether it is within its limit.
fn figure(what: &str, value: f64, unit: &str, limit: f64) -> bool {
    let fine = value <= limit;
    let mark = if fine { "" } else { "  TOO MUCH" };
    println!("{what:<44} {value:>10.2} {unit:<8} limit {limit}{mark}");
    fine
}

fn planning() -> bool {
    let plan = plan(LARGE, Shape::Mixed);
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            let made = waves(&plan).expect("the plan has no cycle");
            assert_eq!(
                made.waves.iter().map(Vec::len).sum::<usize>(),
                plan.tasks.len()
            );
            start.elapsed()
        })
        .collect();
    times.sort();
    let median = times[times.len() / 2].as_secs_f64() * 1000.0;
    let time = figure("waves of 100,000 tasks, median", median, "ms", 1000.0);
    let memory = figure("peak memory, the plan included", peak_mib(), "MiB", 150.0);
    time && memory
}

/// The largest resident set so far, in MiB (`VmHWM`, proc(5)).
fn peak_mib() -> f64 {
    let status =
        fs::read_to_string("/proc/self/status").expect("Linux tells a process about itself");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.expect("the peak is a number of KiB") / 1024.0
}

fn scheduling(name: &str, shape: Shape) -> bool {
    let small = per_event(SMALL, shape);
    let large = per_event(LARGE, shape);
    println!(
        "{name}: {:>34} events/s at 1,000 tasks, {} at 100,000",
        (1.0 / small) as u64,
        (1.0 / large) as u64
    );
    // Caches and the depth of trees cost a little; a cost in proportion to the plan would be a hundred.
    figure(
        &format!("{name}: event at 100,000 : at 1,000"),
        large / small,
        "times",
        4.0,
    )
}

/// Seconds per event; the best of a few runs, so that both sizes have warm caches and quiet moments.
fn per_event(tasks: u32, shape: Shape) -> f64 {
    let plan = Arc::new(plan(tasks, shape));
    let waves = Arc::new(waves(&plan).expect("the plan has no cycle"));
    let runs = if tasks == LARGE { 3 } else { 50 };
    let costs = (0..runs).map(|_| walk(&plan, &waves, |_| true));
    costs.fold(f64::INFINITY, f64::min)
}

/// Drives a whole run in which a set of tasks passes the gates when `green` says so; seconds per event.
fn walk(plan: &Arc<Plan>, waves: &Arc<Waves>, green: impl Fn(&[TaskIx]) -> bool) -> f64 {
    let mut scheduler = Scheduler::new(Arc::clone(plan), Arc::clone(waves));
    let (mut count, mut world) = (
        Count(0),
        Instantly {
            green,
            happened: VecDeque::new(),
        },
    );
    let first = vec![Event::RunStarted(started())];
    let start = Instant::now();
    let outcome = drive(&mut scheduler, &mut count, &mut world, &mut Nobody, first);
    let took = start.elapsed().as_secs_f64();
    assert_eq!(outcome.expect("the world is legal"), Outcome::Finished);
    took / count.0 as f64
}

/// Bad changes among many in one wave: how long the scheduler thinks until they are found.
fn narrowing() -> bool {
    let alone = |tasks: &[TaskIx]| !tasks.contains(&TaskIx(12_345));
    let together = |tasks: &[TaskIx]| ![123, 15_000].iter().all(|n| tasks.contains(&TaskIx(*n)));
    let one = narrowed("one culprit", alone);
    let two = narrowed("two that are only red together", together);
    one && two
}

fn narrowed(what: &str, green: impl Fn(&[TaskIx]) -> bool) -> bool {
    let plan = Arc::new(plan(20_000, Shape::Wide));
    let waves = Arc::new(waves(&plan).expect("the plan has no cycle"));
    let start = Instant::now();
    walk(&plan, &waves, green);
    let took = start.elapsed().as_secs_f64();
    figure(&format!("{what} among 20,000"), took, "s", 2.0)
}

/// A journal that only counts.
struct Count(u64);

impl Journal for Count {
    type Error = Infallible;

    fn append(&mut self, _: &Event) -> Result<(), Infallible> {
        self.0 += 1;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn head(&self) -> String {
        String::new()
    }
}

struct Nobody;

impl Reporter for Nobody {
    fn tell(&mut self, _: &Event, _: &Scheduler) {}
}

/// A world in which every effect is done the moment it is started, and told one at a time.
struct Instantly<G> {
    green: G,
    happened: VecDeque<Event>,
}

impl<G: Fn(&[TaskIx]) -> bool> Executor for Instantly<G> {
    fn start(&mut self, effect: &Effect, _: &Scheduler, _: &str) {
        let event = match effect.clone() {
            Effect::PrepareWave { wave, round, .. } => Event::WavePrepared {
                wave,
                round,
                problems: Vec::new(),
                workspaces: Workspaces::Overlay,
                moved: None,
                settings: None,
            },
            Effect::Baseline { task, .. } => Event::Baselined {
                task,
                evidence: vec![look(true)],
            },
            Effect::OpenWorkspace { attempt, .. } => Event::WorkspaceOpened {
                attempt,
                findings: Vec::new(),
            },
            Effect::LaunchWorker { attempt, .. } => Event::WorkerEnded {
                attempt,
                end: end(),
            },
            Effect::StopWorker { .. } => return,
            Effect::Harvest { attempt, task, .. } => Event::Harvested {
                attempt,
                harvest: Harvest::Changed(change(task, attempt.0)),
            },
            Effect::Verify { attempt, .. } => Event::Verified {
                attempt,
                evidence: vec![look(true)],
                findings: Vec::new(),
            },
            Effect::Review { attempt, .. } => Event::Reviewed {
                attempt,
                review: Reviewed {
                    verdict: ReviewVerdict::Accept,
                    reasons: Vec::new(),
                    end: end(),
                },
            },
            Effect::Probe { attempt, probe, .. } => Event::Probed {
                attempt,
                probe,
                evidence: vec![look(false)],
            },
            Effect::Sense {
                wave, round, task, ..
            } => Event::Sensed {
                wave,
                round,
                task,
                evidence: vec![look(false)],
            },
            Effect::DiscardWorkspace { attempt } => Event::WorkspaceDiscarded { attempt },
            Effect::Integrate {
                wave,
                round,
                trial,
                tasks,
                ..
            } => {
                let evidence = vec![look((self.green)(&tasks))];
                Event::Integrated {
                    wave,
                    round,
                    trial,
                    tree: Tree::from("t"),
                    evidence,
                }
            }
            Effect::Checkpoint { wave, round, .. } => Event::Checkpointed {
                wave,
                round,
                commit: Commit::from("c"),
            },
        };
        self.happened.push_back(event);
    }

    fn next(&mut self) -> Vec<Event> {
        vec![
            self.happened
                .pop_front()
                .expect("a run without an outcome owes something"),
        ]
    }
}

fn started() -> Started {
    Started {
        run: "bench".to_owned(),
        seawall: String::new(),
        plan: Digest("".into()),
        profiles: None,
        base: Commit::from("b"),
        onto: None,
        branch: String::new(),
        jobs: 64,
    }
}

fn look(green: bool) -> Evidence {
    Evidence {
        criterion: 0,
        value: if green { Value::Pass } else { Value::Fail },
        why: String::new(),
        command: String::new(),
        tree: Tree::from("t"),
        exit: Some(0),
        ms: 1,
        tail: String::new(),
        bytes: 0,
        output: Digest("".into()),
        log: None,
        tests: None,
        base: None,
        enforced: Arc::default(),
        flaky: None,
        own: None,
    }
}

fn end() -> WorkerEnd {
    WorkerEnd {
        how: How::Exited(0),
        ms: 1,
        claim: String::new(),
        bytes: 0,
        leftovers: 0,
        limits: Box::default(),
        enforced: Arc::default(),
        brief: None,
        log: None,
    }
}

fn change(task: TaskIx, attempt: u32) -> Change {
    let name = format!("{}-{attempt}", task.0);
    Change {
        commit: Commit::from(&*name),
        tree: Tree::from("t"),
        digest: Digest(name.into()),
        paths: Vec::new(),
        insertions: 1,
        deletions: 0,
    }
}

fn budget() -> Budget {
    Budget {
        attempts: 300_000,
        wall_ms: 3_600_000,
    }
}

fn plan(tasks: u32, shape: Shape) -> Plan {
    let shared = Shared {
        text: "do it".into(),
        agent: "agent".into(),
        checks: vec![criterion("the file is new")].into(),
    };
    Plan {
        decisions: Vec::new(),
        name: "bench".to_owned(),
        goal: "measure".to_owned(),
        budget: budget(),
        limits: Limits {
            check_timeout_ms: 1000,
            output_bytes: 1024,
            silence_ms: None,
        },
        sandbox: SandboxRules::default(),
        workspace: WorkspaceRules::default(),
        evidence: Default::default(),
        agents: BTreeMap::new(),
        checkpoints: vec![criterion("the suite passes")],
        invariants: Vec::new(),
        findings: Vec::new(),
        tasks: (0..tasks).map(|n| task(n, shape, &shared)).collect(),
    }
}

/// What a fan-out's members hold in common.
struct Shared {
    text: Arc<str>,
    agent: Arc<str>,
    checks: Arc<[Criterion]>,
}

fn criterion(says: &str) -> Criterion {
    Criterion {
        says: says.to_owned(),
        run: Some("true".to_owned()),
        proof: Proof::FailToPass,
        baseline: Default::default(),
        tests: Default::default(),
        ..Criterion::default()
    }
}

fn path(task: u32, n: u32) -> RepoPath {
    let text = format!("crates/part-{:03}/src/module_{task:06}_{n}.rs", task % 500);
    RepoPath::new(text.as_bytes()).expect("a plain relative path")
}

/// Task number `n`: three files, and what its shape adds.
fn task(n: u32, shape: Shape, shared: &Shared) -> Task {
    let (after, reads) = match shape {
        Shape::Wide => (None, None),
        Shape::Deep => (n.checked_sub(1), None),
        Shape::Mixed => (
            (n % 10 == 9).then(|| n - n % 97 % 9 - 1),
            (n % 7 == 6).then(|| path(n - 5, 0)),
        ),
    };
    Task {
        id: format!("task:{n}").into(),
        files: (0..3).map(|k| path(n, k)).collect(),
        creates: Vec::new(),
        deletes: Vec::new(),
        reads: reads.into_iter().collect(),
        read_globs: Vec::new().into(),
        after: after.map(TaskIx).into_iter().collect(),
        because: Some(Arc::clone(&shared.text)),
        prompt: Arc::clone(&shared.text),
        agent: Arc::clone(&shared.agent),
        profile: Arc::clone(&shared.agent),
        attempts: 2,
        timeout_ms: 1000,
        checks: Arc::clone(&shared.checks),
        when: When::Always,
        expected_lines: None,
        ..Task::default()
    }
}
