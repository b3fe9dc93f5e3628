//! A world that answers effects from a table, and the loop of `seawall_core::drive` around it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use seawall_core::effect::Effect;
use seawall_core::event::{Event, Started, Workspaces};
use seawall_core::evidence::{
    Change, Evidence, Harvest, How, ReviewVerdict, Reviewed, Value, WorkerEnd,
};
use seawall_core::ids::{AttemptNo, Commit, Digest, TaskIx, Tree};
use seawall_core::path::RepoPath;
use seawall_core::plan::*;
use seawall_core::scheduler::{Outcome, Scheduler};
use seawall_core::waves::waves;

use crate::lines::lines;
use crate::log::log_line;
use crate::view::{News, View};

/// What a dispatch of a task does.
#[derive(Clone, Debug, Default)]
pub(super) enum Does {
    #[default]
    Well,
    /// The check is red, with this output.
    Red(&'static str),
    Blind,
    Nothing,
    Drift,
    Hangs,
    /// A change with this content, red.
    Same(&'static str),
}

#[derive(Clone, Debug, Default)]
pub(super) struct World {
    /// By task id and dispatch.
    pub(super) does: HashMap<(&'static str, u32), Does>,
    /// Sets of tasks that are red together; the second member is the first dispatch at which they are mended.
    pub(super) red: Vec<(Vec<u32>, u32)>,
    pub(super) base_red: bool,
    /// Tasks whose check is green on the base.
    pub(super) green: Vec<u32>,
    pub(super) claim: String,
    /// Whether what was red alone is green on top of its siblings.
    pub(super) probes_green: bool,
    /// What reviewers say.
    pub(super) review: Option<(ReviewVerdict, Vec<String>)>,
}

pub(super) fn criterion(says: &str, run: Option<&str>, proof: Proof) -> Criterion {
    Criterion {
        says: says.into(),
        run: run.map(str::to_owned),
        proof,
        baseline: Default::default(),
        tests: Default::default(),
        ..Criterion::default()
    }
}

pub(super) fn task(id: &str, files: &[&str], after: &[u32], attempts: u32) -> Task {
    let path = |name: &&str| RepoPath::new(name.as_bytes()).unwrap();
    Task {
        id: id.into(),
        files: files.iter().map(path).collect(),
        creates: vec![],
        deletes: vec![],
        reads: vec![],
        read_globs: Arc::new([]),
        after: after.iter().copied().map(TaskIx).collect(),
        because: None,
        prompt: "replace the aliases".into(),
        agent: "modernise".into(),
        profile: "worker".into(),
        attempts,
        timeout_ms: 600_000,
        checks: Arc::new([criterion(
            "no alias is left",
            Some("! grep -n List {file}"),
            Proof::FailToPass,
        )]),
        when: When::Always,
        expected_lines: None,
        ..Task::default()
    }
}

pub(super) fn plan(tasks: Vec<Task>) -> Plan {
    Plan {
        decisions: Vec::new(),
        name: "typing".into(),
        goal: "g".into(),
        budget: Budget {
            attempts: 60,
            wall_ms: 7_200_000,
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
        checkpoints: vec![criterion(
            "the whole suite passes",
            Some("pytest -q"),
            Proof::PassToPass,
        )],
        invariants: vec![],
        findings: vec![],
        tasks,
    }
}

pub(crate) fn started(jobs: u32) -> Event {
    Event::RunStarted(Started {
        run: "7f3a".into(),
        seawall: "0.1.0".into(),
        plan: Digest::of(b"plan"),
        profiles: None,
        base: Commit::from("3f2c1ab97777"),
        onto: Some("refs/heads/main".into()),
        branch: "refs/heads/seawall/typing/7f3a".into(),
        jobs,
    })
}

pub(crate) fn look(value: Value, why: &str, tail: &str) -> Evidence {
    Evidence {
        criterion: 0,
        value,
        why: why.into(),
        command: "! grep -n List src/a.py".into(),
        tree: Tree::from("t"),
        exit: (value != Value::CouldNotLook).then(|| i32::from(value == Value::Fail)),
        ms: 12,
        tail: tail.into(),
        bytes: tail.len() as u64,
        output: Digest::of(tail.as_bytes()),
        log: None,
        tests: None,
        base: None,
        enforced: Arc::default(),
        flaky: None,
        own: None,
    }
}

pub(super) fn ended(attempt: AttemptNo, how: How, claim: &str) -> Event {
    let end = WorkerEnd {
        how,
        ms: 12_000,
        claim: claim.into(),
        bytes: claim.len() as u64,
        leftovers: 0,
        limits: Box::default(),
        enforced: Arc::new(["landlock 7".into()]),
        brief: None,
        log: None,
    };
    Event::WorkerEnded { attempt, end }
}

pub(super) fn changed(attempt: AttemptNo, content: &str, path: &str) -> Event {
    let change = Change {
        commit: Commit::from(format!("{content}-commit").as_str()),
        tree: Tree::from("t"),
        digest: Digest::from(content),
        paths: vec![path.to_owned()],
        insertions: 12,
        deletions: 3,
    };
    Event::Harvested {
        attempt,
        harvest: Harvest::Changed(change),
    }
}

/// A run under way.
pub(super) struct Run {
    pub(super) scheduler: Scheduler,
    pub(super) view: View,
    pub(super) world: World,
    pub(super) now: u64,
    pub(super) lines: Vec<String>,
    pub(super) log: Vec<String>,
    /// Tasks whose last word was news, in order.
    pub(super) ended: Vec<TaskIx>,
    pub(super) events: Vec<(u64, Event)>,
}

impl Run {
    pub(super) fn new(plan: Plan, world: World) -> Self {
        let plan = Arc::new(plan);
        let waves = Arc::new(waves(&plan).unwrap());
        Self {
            scheduler: Scheduler::new(Arc::clone(&plan), Arc::clone(&waves)),
            view: View::new(plan, waves),
            world,
            now: 1_790_000_000_000,
            lines: vec![],
            log: vec![],
            ended: vec![],
            events: vec![],
        }
    }

    /// One turn of the loop.
    pub(super) fn turn(&mut self, mut events: Vec<Event>) {
        for event in &events {
            self.scheduler.check(event).unwrap();
            self.scheduler.apply(event);
        }
        for effect in self.scheduler.due() {
            let issued = Event::Issued { effect };
            self.scheduler.apply(&issued);
            events.push(issued);
        }
        for event in events {
            self.now += 500;
            self.view.see(self.now, &event, &self.scheduler);
            self.lines.extend(lines(&self.view, &self.scheduler));
            self.ended
                .extend(self.view.news().iter().filter_map(|news| match news {
                    News::Ended(ix) => Some(*ix),
                    _ => None,
                }));
            self.log.push(log_line("12:00:00", &event, &self.view));
            self.events.push((self.now, event));
        }
    }

    /// Answers the first effect in flight until the run has an outcome.
    pub(super) fn finish(&mut self) -> Outcome {
        loop {
            if let Some(outcome) = self.scheduler.outcome() {
                return outcome;
            }
            let effect = self.scheduler.in_flight().next().unwrap().clone();
            let answer = self.answer(&effect);
            self.turn(vec![answer]);
        }
    }

    pub(super) fn through(plan: Plan, world: World) -> (Self, Outcome) {
        let mut run = Self::new(plan, world);
        run.turn(vec![started(1)]);
        let outcome = run.finish();
        (run, outcome)
    }

    pub(super) fn does(&self, ix: TaskIx) -> Does {
        let id = self.view.plan().task(ix).id.to_string();
        let dispatch = self.scheduler.dispatches(ix);
        let mut all = self.world.does.iter();
        all.find(|((name, n), _)| *name == id && *n == dispatch)
            .map(|(_, does)| does.clone())
            .unwrap_or_default()
    }

    pub(super) fn answer(&self, effect: &Effect) -> Event {
        match effect {
            Effect::PrepareWave { wave, round, .. } => Event::WavePrepared {
                wave: *wave,
                round: *round,
                problems: vec![],
                workspaces: Workspaces::Overlay,
                moved: None,
                settings: None,
            },
            Effect::Baseline { task, .. } => self.baseline(*task),
            Effect::OpenWorkspace { attempt, .. } => Event::WorkspaceOpened {
                attempt: *attempt,
                findings: vec![],
            },
            Effect::LaunchWorker { task, attempt, .. } => match self.does(*task) {
                Does::Hangs => ended(*attempt, How::TimedOut, &self.world.claim),
                _ => ended(*attempt, How::Exited(0), &self.world.claim),
            },
            Effect::StopWorker { attempt } => ended(*attempt, How::Stopped, ""),
            Effect::Harvest { task, attempt, .. } => self.harvest(*task, *attempt),
            Effect::Verify { task, attempt, .. } => Event::Verified {
                attempt: *attempt,
                evidence: self.verify(*task),
                findings: vec![],
            },
            Effect::Review { attempt, .. } => {
                let Event::WorkerEnded { end, .. } = ended(*attempt, How::Exited(0), "") else {
                    unreachable!("it makes the end of a worker")
                };
                let says = self.world.review.clone();
                let (verdict, reasons) = says.unwrap_or((ReviewVerdict::Accept, vec![]));
                Event::Reviewed {
                    attempt: *attempt,
                    review: Reviewed {
                        verdict,
                        reasons,
                        end,
                    },
                }
            }
            Effect::Probe { attempt, probe, .. } => Event::Probed {
                attempt: *attempt,
                probe: *probe,
                evidence: vec![if self.world.probes_green {
                    look(Value::Pass, "exit status 0", "")
                } else {
                    look(Value::Fail, "exit status 1", "")
                }],
            },
            Effect::Sense {
                wave, round, task, ..
            } => Event::Sensed {
                wave: *wave,
                round: *round,
                task: *task,
                evidence: vec![look(Value::Fail, "exit status 1", "")],
            },
            Effect::DiscardWorkspace { attempt } => Event::WorkspaceDiscarded { attempt: *attempt },
            Effect::Integrate {
                wave,
                round,
                trial,
                tasks,
                ..
            } => Event::Integrated {
                wave: *wave,
                round: *round,
                trial: *trial,
                tree: Tree::from("4b825dc642cb"),
                evidence: vec![self.gate(tasks)],
            },
            Effect::Checkpoint { wave, round, .. } => Event::Checkpointed {
                wave: *wave,
                round: *round,
                commit: Commit::from(format!("c0ffee{wave}{round}").as_str()),
            },
        }
    }

    fn baseline(&self, task: TaskIx) -> Event {
        let evidence = if self.world.green.contains(&task.0) {
            Evidence {
                exit: Some(0),
                ..look(Value::Fail, "exit status 0", "")
            }
        } else {
            look(Value::Pass, "exit status 1", "812: List")
        };
        Event::Baselined {
            task,
            evidence: vec![evidence],
        }
    }

    fn harvest(&self, task: TaskIx, attempt: AttemptNo) -> Event {
        let path = self
            .view
            .plan()
            .task(task)
            .owned()
            .next()
            .unwrap()
            .to_string();
        match self.does(task) {
            Does::Nothing => Event::Harvested {
                attempt,
                harvest: Harvest::Empty,
            },
            Does::Drift => Event::Harvested {
                attempt,
                harvest: Harvest::Drift {
                    what: vec!["changed src/b.py".into()],
                    total: 1,
                },
            },
            Does::Same(content) => changed(attempt, content, &path),
            _ => changed(attempt, &attempt.to_string(), &path),
        }
    }

    fn verify(&self, task: TaskIx) -> Vec<Evidence> {
        let one = match self.does(task) {
            Does::Red(tail) => look(Value::Fail, "exit status 1", tail),
            Does::Same(_) => look(Value::Fail, "exit status 1", "the same"),
            Does::Blind => look(Value::CouldNotLook, "timed out after 5 m", ""),
            _ => look(Value::Pass, "exit status 0", ""),
        };
        let checks = self.view.plan().task(task).checks.len();
        let person = (1..checks).map(|n| Evidence {
            criterion: u32::try_from(n).unwrap(),
            ..look(Value::CouldNotLook, "a person must look", "")
        });
        std::iter::once(one).chain(person).collect()
    }

    fn gate(&self, tasks: &[TaskIx]) -> Evidence {
        let broken = |(set, mended): &(Vec<u32>, u32)| {
            set.iter().all(|n| {
                tasks.contains(&TaskIx(*n)) && self.scheduler.dispatches(TaskIx(*n)) < *mended
            })
        };
        let red = (tasks.is_empty() && self.world.base_red) || self.world.red.iter().any(broken);
        let gate = if red {
            look(
                Value::Fail,
                "exit status 1",
                "....F\nFAILED tests/test_compat.py::test_ascii\n1 failed, 4 passed\n",
            )
        } else {
            look(Value::Pass, "exit status 0", "5 passed")
        };
        Evidence {
            command: "pytest -q".into(),
            ..gate
        }
    }
}
