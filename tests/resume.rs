//! Whatever ends a supervisor, `seawall resume` goes on: the same final tree as an undisturbed run, nothing that was
//! finished done again, no process, lock or workspace left behind.
//!
//! A phase is hit for certain, not by luck: workers and checks wait for files that the test controls, the journal
//! says what the supervisor is at, and where a step cannot be made to wait the run is made anew until the kill fell
//! into it. `sha256sum` and string cutting stand in for the journal's own code where its format is checked.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test file uses its part of what they share")]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;

use support::traces::{Mine, assert_clean, assert_no_process, processes};
use support::{Output, Repo, SEAWALL};

/// A bound that no wait of these tests comes near, on a machine that does anything else at all.
const LONG: Duration = Duration::from_secs(60);

/// The tasks of the plan below.
const TASKS: usize = 4;

/// Four tasks in two waves. Everything that runs waits while a file named after its phase exists in `gate`.
fn plan(gate: &Path, more: &str) -> String {
    let gate = gate.display();
    format!(
        r#"
version = 1
name = "renew"
goal = "every file says new"
[defaults]
timeout = "2m"
{more}
[sandbox]
read = ["{gate}"]
[agent.edit]
run = ["sh", "-c", '''
echo started
while [ -e {gate}/worker ]; do sleep 0.02; done
sed 's/old/new/' "$1" > "$TMPDIR/new" && cat "$TMPDIR/new" > "$1"
echo done''', "edit", "{{file}}"]
[[checkpoint]]
says = "every file has one word"
run = '''
phase=integrate; grep -q new wide/a || phase=base
while [ -e {gate}/$phase ]; do sleep 0.02; done
for f in wide/* last; do test "$(wc -w < $f)" = 1 || exit 1; done'''
[[task]]
id = "wide"
each = "wide/*"
prompt = "say new"
  [[task.check]]
  says = "the file says new"
  run = '''
phase=verify; grep -q old {{file}} && phase=baseline
while [ -e {gate}/$phase ]; do sleep 0.02; done
grep -qx new {{file}}'''
[[task]]
id = "last"
file = "last"
after = ["wide"]
reads = ["wide/*"]
prompt = "say new"
  [[task.check]]
  says = "the file says new"
  run = "grep -qx new {{file}}"
"#
    )
}

/// A repository, its plan, the phases that are held, and what it was like before.
struct World {
    repo: Repo,
    plan: PathBuf,
    gate: PathBuf,
    mine: Mine,
}

impl World {
    fn new() -> Self {
        Self::with("")
    }

    /// With more lines before the first table of the plan that has a name.
    fn with(more: &str) -> Self {
        Self::of(|gate| plan(gate, more))
    }

    /// With the plan that is made for a gate.
    fn of(plan: impl FnOnce(&Path) -> String) -> Self {
        let names = ["wide/a", "wide/b", "wide/c", "last"];
        let repo = Repo::with(&names.map(|name| (name, "old\n")));
        let gate = repo.root().join("gate");
        fs::create_dir(&gate).unwrap();
        let plan = repo.plan(&plan(&gate));
        let mine = Mine::of(&repo);
        Self {
            repo,
            plan,
            gate,
            mine,
        }
    }

    fn hold(&self, phase: &str) {
        fs::write(self.gate.join(phase), "").unwrap();
    }

    fn release(&self, phase: &str) {
        fs::remove_file(self.gate.join(phase)).unwrap();
    }

    /// Starts the run and leaves it to itself.
    fn start(&self) -> Supervisor {
        self.supervise(&["run", self.plan.to_str().unwrap()])
    }

    fn supervise(&self, args: &[&str]) -> Supervisor {
        let mut command = self.repo.command(SEAWALL);
        command.args(args).args(["--jobs", "2"]);
        command
            .stdout(self.log())
            .stderr(self.log())
            .process_group(0);
        Supervisor(command.spawn().unwrap())
    }

    /// Where supervisors say what they say.
    fn log(&self) -> fs::File {
        let path = self.repo.root().join("said");
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
    }

    /// What they said so far.
    fn said(&self) -> String {
        fs::read_to_string(self.repo.root().join("said")).unwrap()
    }

    fn resume(&self) -> Output {
        self.repo.seawall(&["resume", "--jobs", "2"])
    }

    /// The directory of the only run, once it is there.
    fn dir(&self) -> Option<PathBuf> {
        let runs = fs::read_dir(self.repo.dir().join(".git/seawall/runs")).ok()?;
        let named = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|n| !n.as_encoded_bytes().starts_with(b"."))
        };
        runs.map(|run| run.unwrap().path()).find(named)
    }

    fn journal(&self) -> Option<PathBuf> {
        Some(self.dir()?.join("journal.jsonl"))
    }

    /// The whole lines of the journal so far.
    fn records(&self) -> Vec<Value> {
        let text = self
            .journal()
            .and_then(|path| fs::read_to_string(path).ok())
            .unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Waits until the journal has a record like this; where it stands.
    #[track_caller]
    fn wait_for(&self, wanted: Mark) -> usize {
        let deadline = Instant::now() + LONG;
        loop {
            let records = self.records();
            if let Some(at) = records.iter().position(|record| wanted.is(&record["body"])) {
                return at;
            }
            assert!(
                Instant::now() < deadline,
                "{wanted:?} never came: {records:#?}"
            );
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Whether every task has its verdict, although nobody may have lived to tell.
    fn is_over(&self) -> bool {
        !self.records().is_empty() && self.repo.status().text("state") == "finished"
    }

    /// The run is complete, and as an undisturbed one would have left it.
    #[track_caller]
    fn assert_finished(&self) {
        let status = self.repo.status();
        assert_eq!(status.text("state"), "finished");
        assert_eq!(status.count("accepted"), TASKS as u64, "{:#}", status.0);
        let (base, branch) = (status.text("base"), status.text("branch"));
        assert_eq!(trees(&self.repo, base, branch), undisturbed());
        assert_each_step_once(&self.records());
        self.mine.assert_untouched(&self.repo);
        assert_clean(&self.repo);
    }

    /// How often a worker of each task was started, by what the workers themselves printed.
    fn starts(&self) -> BTreeMap<u64, usize> {
        let mut starts = BTreeMap::new();
        for record in self.records() {
            let effect = &record["body"]["effect"];
            if effect["do"] != "launch-worker" {
                continue;
            }
            let log = format!("logs/attempt-{}.log", effect["attempt"]);
            let text = fs::read_to_string(self.dir().unwrap().join(log)).unwrap_or_default();
            *starts.entry(effect["task"].as_u64().unwrap()).or_default() +=
                text.matches("started").count();
        }
        starts
    }
}

/// A running `seawall`; killed when dropped.
struct Supervisor(Child);

impl Supervisor {
    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.0.id()).unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends a signal to the supervisor alone; the exit code.
    fn signal(mut self, signal: Signal) -> Option<i32> {
        kill(self.pid(), signal).unwrap();
        self.0.wait().unwrap().code()
    }

    /// The exit code, once it ends by itself.
    fn code(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Dead already unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A kind of record.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// An effect was issued, in this wave where it is one of a wave.
    Issued(&'static str, Option<u64>),
    /// An event happened.
    Event(&'static str, Option<u64>),
}

impl Mark {
    fn is(self, body: &Value) -> bool {
        let (kind, at, wave) = match self {
            Self::Issued(kind, wave) => {
                (&body["effect"]["do"], &body["effect"]["wave"], (kind, wave))
            }
            Self::Event(kind, wave) => (&body["event"], &body["wave"], (kind, wave)),
        };
        kind == wave.0 && wave.1.is_none_or(|wave| *at == wave)
    }
}

/// The trees of a run's commits, the oldest first.
fn trees(repo: &Repo, base: &str, branch: &str) -> Vec<String> {
    let range = format!("{base}..{branch}");
    repo.git(&["log", "--reverse", "--format=%T", &range])
        .lines()
        .map(str::to_owned)
        .collect()
}

/// What an undisturbed run of the plan leaves.
fn undisturbed() -> Vec<String> {
    static TREES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    let run = || {
        let world = World::new();
        assert_eq!(world.start().code(), Some(0));
        let status = world.repo.status();
        let found = trees(&world.repo, status.text("base"), status.text("branch"));
        assert_eq!(found.len(), 2, "one commit for each wave");
        found
    };
    TREES.get_or_init(run).clone()
}

/// No step has two answers, each worker that ended did so once for its task, and what was answered was issued.
#[track_caller]
fn assert_each_step_once(records: &[Value]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut tasks: BTreeMap<u64, u64> = BTreeMap::new();
    for body in records.iter().map(|record| &record["body"]) {
        let effect = &body["effect"];
        if let (Some(attempt), Some(task)) = (effect["attempt"].as_u64(), effect["task"].as_u64()) {
            tasks.insert(attempt, task);
        }
        let kind = body["event"].as_str().unwrap();
        let of = match kind {
            "issued" | "resumed" | "interrupted" | "effect-failed" => continue,
            "workspace-discarded" | "workspace-opened" => format!("attempt {}", body["attempt"]),
            "worker-ended" | "harvested" | "verified" => {
                if body["end"]["how"] == "stopped" {
                    continue;
                }
                format!("task {}", tasks[&body["attempt"].as_u64().unwrap()])
            }
            _ => format!(
                "{} {} {} {}",
                body["task"], body["wave"], body["round"], body["trial"]
            ),
        };
        *seen.entry(format!("{kind} {of}")).or_default() += 1;
    }
    let twice: Vec<_> = seen.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "done twice: {twice:#?}");
}

/// Attempts whose worker was started and whose end nobody saw.
fn lost(records: &[Value]) -> usize {
    let count = |mark: Mark| {
        records
            .iter()
            .filter(|record| mark.is(&record["body"]))
            .count()
    };
    count(Mark::Issued("launch-worker", None)) - count(Mark::Event("worker-ended", None))
}

/// Kills the supervisor when the journal says `mark`; the world, and the journal's length at that moment.
///
/// With `within`, the record that answers the step must not be there: else the kill came too late to hit the step,
/// and the run is made anew.
fn killed_at(mark: Mark, within: bool) -> World {
    for _ in 0..40 {
        let world = World::new();
        let supervisor = world.start();
        let at = world.wait_for(mark);
        supervisor.kill();
        let records = world.records();
        let hit = !within || !answered(&records, at);
        if hit && !world.is_over() {
            return world;
        }
    }
    panic!("{mark:?} is always over before it can be hit");
}

/// Whether the effect issued by record `at` has its answer.
fn answered(records: &[Value], at: usize) -> bool {
    let effect = &records[at]["body"]["effect"];
    let answer = match effect["do"].as_str().unwrap() {
        "prepare-wave" => "wave-prepared",
        "baseline" => "baselined",
        "open-workspace" => "workspace-opened",
        "launch-worker" => "worker-ended",
        "harvest" => "harvested",
        "verify" => "verified",
        "discard-workspace" => "workspace-discarded",
        "integrate" => "integrated",
        "checkpoint" => "checkpointed",
        other => panic!("an effect `{other}` that this test does not know"),
    };
    records[at..]
        .iter()
        .map(|record| &record["body"])
        .any(|body| {
            let same = |member: &str| body[member].is_null() || body[member] == effect[member];
            body["event"] == answer && ["task", "attempt", "wave", "trial"].into_iter().all(same)
        })
}

/// After a kill: its workers die by themselves, and `resume` finishes the run with as many starts as it must.
#[track_caller]
fn assert_goes_on(world: &World) {
    assert_no_process(world.repo.root());
    let before = world.records();
    let lost = lost(&before);
    let _ = world.resume().code(0);
    world.assert_finished();
    let after = world.records();
    assert_eq!(after[..before.len()], before[..], "what was written stays");
    let launched = after
        .iter()
        .filter(|r| Mark::Issued("launch-worker", None).is(&r["body"]))
        .count();
    assert_eq!(
        launched,
        TASKS + lost,
        "only a lost attempt is dispatched again"
    );
    for (task, count) in world.starts() {
        assert!(
            count <= 1 + lost,
            "task {task} was started {count} times, {lost} attempts were lost"
        );
    }
}

const STEPS: [(&str, Option<u64>); 13] = [
    ("integrate", Some(0)),
    ("prepare-wave", Some(1)),
    ("baseline", None),
    ("open-workspace", None),
    ("launch-worker", None),
    ("harvest", None),
    ("verify", None),
    ("discard-workspace", None),
    ("integrate", Some(1)),
    ("checkpoint", Some(1)),
    ("prepare-wave", Some(2)),
    ("integrate", Some(2)),
    ("checkpoint", Some(2)),
];

#[test]
fn killed_within_a_step() {
    for (step, wave) in STEPS {
        assert_goes_on(&killed_at(Mark::Issued(step, wave), true));
    }
}

#[test]
fn killed_right_after_a_step() {
    const EVENTS: [(&str, Option<u64>); 12] = [
        ("run-started", None),
        ("integrated", Some(0)),
        ("wave-prepared", Some(1)),
        ("baselined", None),
        ("workspace-opened", None),
        ("worker-ended", None),
        ("harvested", None),
        ("verified", None),
        ("workspace-discarded", None),
        ("integrated", Some(1)),
        ("checkpointed", Some(1)),
        ("integrated", Some(2)),
    ];
    for (event, wave) in EVENTS {
        assert_goes_on(&killed_at(Mark::Event(event, wave), false));
    }
}

/// Each phase in which something runs, held until the kill is over: what ran is dead before anybody resumes.
#[test]
fn what_a_dead_supervisor_ran_dies_with_it() {
    for (phase, step, wave) in [
        ("base", "integrate", Some(0)),
        ("baseline", "baseline", None),
        ("worker", "launch-worker", None),
        ("verify", "verify", None),
        ("integrate", "integrate", Some(1)),
    ] {
        let world = World::new();
        world.hold(phase);
        let supervisor = world.start();
        world.wait_for(Mark::Issued(step, wave));
        wait_until(&format!("something runs in {phase}"), || {
            processes(world.repo.root()).len() > 2
        });
        supervisor.kill();
        assert_no_process(world.repo.root());
        world.release(phase);
        assert_goes_on(&world);
    }
}

#[track_caller]
fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The first attempt is harvested and waits for its checks when the plug is pulled: its change is what lands.
#[test]
fn a_harvest_made_before_the_kill_is_not_made_again() {
    let world = World::new();
    world.hold("verify");
    let supervisor = world.start();
    let at = world.wait_for(Mark::Issued("verify", None));
    supervisor.kill();
    let effect = world.records()[at]["body"]["effect"].clone();
    world.release("verify");
    assert_goes_on(&world);
    let again = world.records();
    let verified =
        |body: &Value| body["event"] == "verified" && body["attempt"] == effect["attempt"];
    assert!(
        again.iter().any(|record| verified(&record["body"])),
        "that very harvest was judged"
    );
    let starts = world.starts();
    assert_eq!(
        starts[&effect["task"].as_u64().unwrap()],
        1,
        "its worker ran once"
    );
}

/// A power cut in the words of this test: the machine's start has another name, and what was not synchronised is not what
/// it was.
fn start_machine_anew(world: &World) {
    let runs = world.repo.dir().join(".git/seawall/runs");
    let run = fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
    fs::write(run.join("boot"), "another start of the machine\n").unwrap();
    fs::write(run.join("layers/base/last"), "").unwrap();
    for attempt in fs::read_dir(run.join("attempts")).unwrap() {
        let upper = attempt.unwrap().path().join("upper/wide");
        for file in fs::read_dir(upper).into_iter().flatten() {
            fs::write(file.unwrap().path(), "").unwrap();
        }
    }
}

#[test]
fn what_a_power_cut_may_have_spoilt_is_made_again() {
    let world = killed_at(Mark::Issued("harvest", None), true);
    assert_no_process(world.repo.root());
    start_machine_anew(&world);
    let _ = world.resume().code(0);
    world.assert_finished();
    let resumed = world.records();
    let resumed = resumed.iter().map(|record| &record["body"]);
    let anew = |body: &Value| body["event"] == "resumed" && body["rebooted"] == true;
    assert!(resumed.clone().any(anew), "the resumption says so");
    let rejected = |body: &Value| body["event"] == "harvested" && body["harvest"] == "empty";
    assert!(
        !resumed.clone().any(rejected),
        "nothing spoilt was harvested"
    );
}

/// Kills and goes on, each time at another moment, until the run is through; its exit code must then be `code`.
fn torment(world: &World, code: i32) {
    let seed = u64::from(std::process::id()) ^ 0x9e37_79b9_7f4a_7c15;
    let mut random = seed;
    for kills in 0_u64.. {
        let args: &[&str] = match world.records().is_empty() {
            true => &["run", world.plan.to_str().unwrap()],
            false => &["resume"],
        };
        let mut supervisor = world.supervise(args);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // Longer and longer, so that it ends; from a few milliseconds, so that every step is met.
        let most = 40 + 10 * kills + kills * kills / 4;
        std::thread::sleep(Duration::from_millis(random % most));
        if let Some(status) = supervisor.0.try_wait().unwrap() {
            let said = world.said();
            return assert_eq!(
                status.code(),
                Some(code),
                "{kills} kills from {seed}: {said}"
            );
        }
        supervisor.kill();
        if world.is_over() {
            // Killed between its last record and its end: what there was to do is done.
            return drop(world.resume().code(2).says(&["has ended"]));
        }
        forget_stillborn(world);
    }
}

#[test]
fn killed_at_many_moments_of_one_run() {
    let world = World::new();
    torment(&world, 0);
    world.assert_finished();
}

/// A run with everything in it: a lie that is corrected, one that is not, a change that passes its own check and breaks
/// the checkpoint, and a task that waits for it.
const HARD: &str = r#"
version = 1
name = "hard"
goal = "every file says new"
[defaults]
attempts = 2
[agent.honest]
run = ["sh", "-c", 'echo new > "$1"', "honest", "{file}"]
[agent.hasty]
run = ["sh", "-c", 'if grep -q rejected; then echo new; else echo newer; fi > "$1"', "hasty", "{file}"]
prompt = "stdin"
[agent.liar]
run = ["sh", "-c", 'echo newer > "$1"; echo all done', "liar", "{file}"]
[agent.breaker]
run = ["sh", "-c", 'printf "new\nmore\n" > "$1"', "breaker", "{file}"]
[[checkpoint]]
says = "every file has one word"
run = 'for f in wide/* last; do test "$(wc -w < $f)" = 1 || exit 1; done'
"#;

fn hard() -> World {
    let mut plan = HARD.to_owned();
    for (id, file, agent, after) in [
        ("good", "wide/a", "honest", ""),
        ("hasty", "wide/b", "hasty", ""),
        ("liar", "wide/c", "liar", ""),
        ("breaker", "last", "breaker", ""),
        ("again", "wide/a", "honest", "good"),
        ("blocked", "wide/b", "honest", "breaker"),
    ] {
        let check = if id == "again" {
            "test $(wc -l < {file}) = 9"
        } else {
            "grep -qx new {file}"
        };
        plan += &format!(
            "[[task]]\nid = \"{id}\"\nfile = \"{file}\"\nagent = \"{agent}\"\nafter = [{}]\nprompt = \"say new\"\n\
             [[task.check]]\nsays = \"the file says new\"\nrun = \"{check}\"\n",
            if after.is_empty() {
                String::new()
            } else {
                format!("\"{after}\"")
            },
        );
    }
    World::of(|_| plan.clone())
}

#[test]
fn killed_at_many_moments_of_a_hard_run() {
    let end = |world: &World| {
        let status = world.repo.status();
        let (base, branch) = (status.text("base"), status.text("branch"));
        assert_eq!(status.text("state"), "finished");
        world.mine.assert_untouched(&world.repo);
        assert_clean(&world.repo);
        (status.words(), trees(&world.repo, base, branch))
    };
    let calm = hard();
    assert_eq!(calm.start().code(), Some(1));
    let want = end(&calm);
    let verdicts: Vec<_> = want.0.iter().map(String::as_str).collect();
    assert_eq!(
        verdicts,
        [
            "good: accepted landed 1",
            "hasty: accepted landed 2",
            "liar: rejected same-change-again 2",
            "breaker: rejected same-change-again 2",
            "again: rejected no-change 2",
            "blocked: blocked blocked 0",
        ]
    );
    let tormented = hard();
    torment(&tormented, 1);
    assert_eq!(end(&tormented), want);
}

/// A run that was killed before its first record is taken away by name, as its message says.
fn forget_stillborn(world: &World) {
    let Some(dir) = world.dir().filter(|_| world.records().is_empty()) else {
        return;
    };
    if dir.join("journal.jsonl").exists() {
        let id = dir.file_name().unwrap().to_str().unwrap();
        let _ = world
            .resume()
            .code(2)
            .says(&["stopped before its first event", "gc --abandon"]);
        let _ = world.repo.seawall(&["gc", "--abandon", id]).code(0);
    }
    // Without a journal it is no run yet; nothing lists it.
    let _ = fs::remove_dir_all(dir);
}

/// What making a run leaves behind when it is killed in the middle is no run, and `gc` takes it away.
#[test]
fn a_run_that_never_was_is_swept() {
    let world = World::new();
    let runs = world.repo.dir().join(".git/seawall/runs");
    for name in [".new-abc", "ab12"] {
        fs::create_dir_all(runs.join(name).join("logs")).unwrap();
        fs::write(runs.join(name).join("plan.json"), "{").unwrap();
        fs::write(runs.join(name).join("lock"), "").unwrap();
    }
    let _ = world
        .repo
        .seawall(&["status"])
        .code(2)
        .says(&["no run in this repository"]);
    let _ = world.repo.seawall(&["gc"]).code(0);
    assert_eq!(
        fs::read_dir(&runs).unwrap().count(),
        2,
        "they are young: somebody may be making them"
    );
    let touched = world
        .repo
        .command("touch")
        .args(["-d", "2 hours ago"])
        .arg(runs.join(".new-abc"))
        .arg(runs.join("ab12"))
        .status();
    assert!(touched.unwrap().success());
    let _ = world.repo.seawall(&["gc", "--dry-run"]).code(0);
    assert_eq!(fs::read_dir(&runs).unwrap().count(), 2);
    let _ = world.repo.seawall(&["gc"]).code(0);
    assert_eq!(fs::read_dir(&runs).unwrap().count(), 0);
    assert_eq!(world.start().code(), Some(0));
    world.assert_finished();
}

#[test]
fn a_signal_ends_the_workers_and_leaves_a_run_that_goes_on() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        for (phase, step, wave) in [
            ("worker", "launch-worker", None),
            ("baseline", "baseline", None),
            ("integrate", "integrate", Some(1)),
        ] {
            let world = World::new();
            world.hold(phase);
            let supervisor = world.start();
            world.wait_for(Mark::Issued(step, wave));
            assert_eq!(supervisor.signal(signal), Some(130), "{signal} in {phase}");
            assert_no_process(world.repo.root());
            assert_eq!(world.repo.status().text("state"), "interrupted");
            let said = world.said();
            assert!(
                said.contains("interrupted") && said.contains("seawall resume"),
                "{said}"
            );
            let next = world.repo.seawall(&["status"]).code(0);
            let _ = next.says(&["seawall resume"]);
            world.release(phase);
            let _ = world.resume().code(0);
            world.assert_finished();
            let dispatches: u64 = world.repo.status().0["dispatches"].as_u64().unwrap();
            assert_eq!(dispatches, TASKS as u64, "a stopped worker does not count");
        }
    }
}

/// Ctrl-C at a terminal reaches the whole foreground group; the worker that gets it too has not failed by that.
#[test]
fn ctrl_c_reaches_the_whole_group() {
    let world = World::new();
    world.hold("worker");
    let supervisor = world.start();
    world.wait_for(Mark::Issued("launch-worker", None));
    wait_until("a worker runs", || {
        world.starts().values().any(|count| *count > 0)
    });
    killpg(supervisor.pid(), Signal::SIGINT).unwrap();
    assert_eq!(supervisor.code(), Some(130));
    assert_no_process(world.repo.root());
    world.release("worker");
    let _ = world.resume().code(0);
    world.assert_finished();
    assert_eq!(world.repo.status().0["dispatches"], TASKS as u64);
}

#[test]
fn a_run_has_one_supervisor() {
    let world = World::new();
    world.hold("worker");
    let supervisor = world.start();
    world.wait_for(Mark::Issued("launch-worker", None));
    let before = world.records().len();
    let _ = world
        .resume()
        .code(2)
        .says(&["another seawall process works on this run", "help:"]);
    let id = world.repo.status().run().to_owned();
    let _ = world
        .repo
        .seawall(&["gc", "--abandon", &id])
        .code(0)
        .says(&["somebody works on it"]);
    assert_eq!(world.repo.status().text("state"), "running");
    assert_eq!(
        world.records().len(),
        before.max(world.records().len()),
        "nobody cut it short"
    );
    world.release("worker");
    assert_eq!(supervisor.code(), Some(0));
    world.assert_finished();
    let _ = world.resume().code(2).says(&["has ended"]);
}

/// libgit2 writes a ref by link(2) and unlink(2) of its lock; killed between the two, both names stay.
#[test]
fn the_lock_of_a_ref_that_was_just_written_is_taken_away() {
    let world = World::new();
    world.hold("verify");
    let supervisor = world.start();
    world.wait_for(Mark::Event("harvested", None));
    supervisor.kill();
    world.release("verify");
    let id = world.repo.status().run().to_owned();
    let harvests = world
        .repo
        .dir()
        .join(".git/refs/seawall/runs")
        .join(id)
        .join("harvests");
    let refs: Vec<_> = fs::read_dir(&harvests)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none())
        .collect();
    for harvest in refs {
        fs::hard_link(&harvest, harvest.with_extension("lock")).unwrap();
    }
    assert!(fs::read_dir(&harvests).unwrap().count() >= 2);
    assert_goes_on(&world);
}

/// A run whose tasks all have their verdict, but whose last workspace is not removed yet, has not ended.
#[test]
fn killed_before_the_last_workspace_is_gone() {
    let kept = "[agent.idle]\nrun = [\"true\"]\n[[checkpoint]]";
    let idle = |gate: &Path| {
        plan(gate, "attempts = 1\nagent = \"idle\"").replacen("[[checkpoint]]", kept, 1)
    };
    for _ in 0..40 {
        let world = World::of(idle);
        let supervisor = world.start();
        // Each task is rejected for doing nothing; the third discard is the run's last step.
        wait_until("three are rejected", || {
            let discards = |r: &&Value| Mark::Issued("discard-workspace", None).is(&r["body"]);
            world.records().iter().filter(discards).count() == 3
        });
        supervisor.kill();
        let gone = |r: &&Value| Mark::Event("workspace-discarded", None).is(&r["body"]);
        if world.records().iter().filter(gone).count() == 3 {
            continue;
        }
        assert_eq!(world.repo.status().text("state"), "stopped");
        let _ = world.resume().code(1).says(&["3 rejected, 1 blocked"]);
        assert_eq!(world.repo.status().text("state"), "finished");
        return assert_clean(&world.repo);
    }
    panic!("the last step is always over before it can be hit");
}

/// Of several that want to go on with a run at the same moment, one does.
#[test]
fn of_many_resumes_one_goes_on() {
    let world = killed_holding();
    let mut all: Vec<_> = (0..5).map(|_| world.supervise(&["resume"])).collect();
    wait_until("all but one gave up", || {
        let ended = all.iter_mut().map(|one| one.0.try_wait().unwrap());
        ended.flatten().count() == 4
    });
    world.release("worker");
    let mut codes: Vec<_> = all.into_iter().map(Supervisor::code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(2), Some(2), Some(2), Some(2)]);
    world.assert_finished();
}

/// Runs of one repository do not disturb one another.
#[test]
fn two_runs_at_once() {
    let world = World::new();
    world.hold("worker");
    let both = [world.start(), world.start()];
    let runs =
        || fs::read_dir(world.repo.dir().join(".git/seawall/runs")).map_or(0, Iterator::count);
    wait_until("both runs are there", || runs() == 2);
    world.release("worker");
    for one in both {
        assert_eq!(one.code(), Some(0));
    }
    let branches = world
        .repo
        .git(&["for-each-ref", "--format=%(refname)", "refs/heads/seawall"]);
    assert_eq!(branches.lines().count(), 2);
    for branch in branches.lines() {
        assert_eq!(trees(&world.repo, "main", branch), undisturbed());
    }
    world.mine.assert_untouched(&world.repo);
    assert_clean(&world.repo);
}

/// A run that is killed while its workers wait, which they still would.
fn killed_holding() -> World {
    let world = World::new();
    world.hold("worker");
    let supervisor = world.start();
    world.wait_for(Mark::Issued("launch-worker", None));
    supervisor.kill();
    assert_no_process(world.repo.root());
    world
}

/// A run that is killed while its workers wait, and may go on at once.
fn killed_while_working() -> World {
    let world = killed_holding();
    world.release("worker");
    world
}

#[test]
fn a_torn_last_line_is_taken_away() {
    let world = killed_while_working();
    let path = world.journal().unwrap();
    let whole = fs::read(&path).unwrap();
    let torn = br#"{"seq":99,"at":17,"prev":"00"#;
    fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(torn)
        .unwrap();
    let _ = world.repo.seawall(&["status"]).code(0);
    let _ = world.repo.seawall(&["log", "--json"]).code(0);
    assert_eq!(
        fs::read(&path).unwrap().len(),
        whole.len() + torn.len(),
        "looking repairs nothing"
    );
    let _ = world.resume().code(0).says(&["was cut off", "28 bytes"]);
    assert!(fs::read(&path).unwrap().starts_with(&whole));
    world.assert_finished();
}

#[test]
fn a_last_line_that_lost_its_end_is_taken_away() {
    let world = killed_while_working();
    let path = world.journal().unwrap();
    let length = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(length - 17)
        .unwrap();
    let _ = world.resume().code(0).says(&["was cut off"]);
    world.assert_finished();
}

/// Every path below the run, with its bytes, and every ref.
fn everything(world: &World) -> (BTreeMap<PathBuf, Vec<u8>>, String) {
    let mut files = BTreeMap::new();
    let mut dirs = vec![world.dir().unwrap()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => {
                    files.insert(path.clone(), Vec::new());
                    dirs.push(path);
                }
                false => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    (files, world.repo.git(&["for-each-ref"]))
}

/// Changes the middle byte of what stands between the first `from` and the end of the file.
fn flip(path: &Path, at: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_journal_is_refused_and_nothing_is_touched() {
    let world = killed_while_working();
    let id = world.repo.status().run().to_owned();
    flip(&world.journal().unwrap(), |length| length / 2);
    let before = everything(&world);
    let _ = world.resume().code(3).says(&["is damaged", "record "]);
    for look in [
        &["status"][..],
        &["status", "--json"],
        &["log"],
        &["log", "--json"],
        &["show", "last"],
        &["land"],
    ] {
        let _ = world.repo.seawall(look).code(3).says(&["is damaged"]);
    }
    let _ = world
        .repo
        .seawall(&["gc"])
        .code(0)
        .says(&["kept", "cannot be read"]);
    assert!(everything(&world) == before, "something was touched");
    let _ = world
        .repo
        .seawall(&["gc", "--abandon", &id])
        .code(0)
        .says(&["removed"]);
    assert!(world.dir().is_none());
    world.mine.assert_untouched(&world.repo);
    assert_clean(&world.repo);
}

#[test]
fn an_edited_plan_is_refused_and_nothing_is_touched() {
    let world = killed_while_working();
    let pinned = world.dir().unwrap().join("plan.json");
    let text = fs::read_to_string(&pinned).unwrap();
    fs::write(&pinned, text.replace("grep -qx new", "grep -q . ")).unwrap();
    let before = everything(&world);
    let _ = world.resume().code(3).says(&["its plan is not the one"]);
    assert!(everything(&world) == before, "something was touched");
    fs::write(&pinned, text).unwrap();
    let _ = world.resume().code(0);
    world.assert_finished();
}

/// The file that the user wrote may change or go while the run is down: the copy decides.
#[test]
fn the_plan_file_and_the_branch_may_change_meanwhile() {
    let world = killed_while_working();
    fs::remove_file(&world.plan).unwrap();
    world.repo.write("wide/a", "something else\n");
    world.repo.commit("meanwhile");
    let _ = world.resume().code(0);
    let status = world.repo.status();
    assert_eq!(
        trees(&world.repo, status.text("base"), status.text("branch")),
        undisturbed()
    );
    let _ = world.repo.seawall(&["land"]).code(2).says(&["help:"]);
}

#[test]
fn the_chain_of_the_journal_can_be_checked_by_hand() {
    let world = killed_while_working();
    let _ = world.resume().code(0);
    let text = fs::read_to_string(world.journal().unwrap()).unwrap();
    let mut prev = "0".repeat(64);
    for (seq, line) in text.lines().enumerate() {
        let (covered, rest) = line.rsplit_once(",\"sum\":\"").unwrap();
        let sum = rest.strip_suffix("\"}").unwrap();
        assert_eq!(sha256sum(covered), sum, "record {seq}");
        let head = format!("{{\"seq\":{seq},\"at\":");
        let after = covered
            .strip_prefix(&head)
            .unwrap_or_else(|| panic!("record {seq}: {line}"));
        let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
        assert!(
            after.starts_with(&format!(",\"prev\":\"{prev}\",\"body\":{{")),
            "record {seq}: {line}"
        );
        prev = sum.to_owned();
    }
    assert!(text.contains("\"resumed\""));
    checkpoints_name_the_journal(&world, &text);
}

/// Each checkpoint carries the digest of a record that stands in the journal.
fn checkpoints_name_the_journal(world: &World, text: &str) {
    let status = world.repo.status();
    let range = format!("{}..{}", status.text("base"), status.text("branch"));
    let heads = world.repo.git(&[
        "log",
        "--format=%(trailers:key=Seawall-Journal,valueonly,separator=)",
        &range,
    ]);
    assert_eq!(heads.lines().count(), 2);
    for head in heads.lines() {
        assert!(text.contains(&format!("\"sum\":\"{head}\"")), "{head}");
    }
}

fn sha256sum(text: &str) -> String {
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    out.split_whitespace().next().unwrap().to_owned()
}

/// The wall budget counts over sessions: what one used is not there for the next.
#[test]
fn the_wall_budget_counts_over_sessions() {
    let world = World::with("[budget]\nwall = \"3s\"");
    world.hold("worker");
    let supervisor = world.start();
    world.wait_for(Mark::Issued("launch-worker", None));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(supervisor.signal(Signal::SIGINT), Some(130));
    let used = world.repo.status().0["wall_ms"].as_u64().unwrap();
    assert!((1000..3000).contains(&used), "{used} ms");
    let _ = world.resume().code(1).says(&["wall"]);
    let status = world.repo.status();
    let total = status.0["wall_ms"].as_u64().unwrap();
    assert!(total >= 3000, "{total} ms");
    let codes = status.words();
    assert!(
        codes
            .iter()
            .all(|word| word.contains("wall-spent") || word.contains("blocked")),
        "{codes:?}"
    );
    assert_clean(&world.repo);
    world.mine.assert_untouched(&world.repo);
}

/// A disk that is full at some moment of the run: one clear error, and once there is space `resume` finishes.
///
/// In a mount namespace of its own, on a small tmpfs, so that nothing is left of it whatever happens.
#[test]
fn a_full_disk_parks_the_run() {
    let world = World::new();
    let script = world.repo.root().join("full.sh");
    fs::write(&script, FULL).unwrap();
    let out = world
        .repo
        .command("unshare")
        .args([
            "-rm",
            "sh",
            script.to_str().unwrap(),
            SEAWALL,
            world.plan.to_str().unwrap(),
        ])
        .args([world.repo.dir(), &world.repo.root().join("disk")])
        .output()
        .unwrap();
    let (text, err) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    if err.contains("unshare failed") {
        return support::skip("a_full_disk_parks_the_run", &err);
    }
    assert!(
        out.status.success(),
        "{:?}\n{text}\n{err}",
        out.status.signal()
    );
    println!("{text}");
    let met: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("full "))
        .collect();
    assert!(met.len() > 5, "the disk was full a few times: {text}");
    for line in &met {
        assert!(line.contains("No space left on device"), "{line}");
        assert!(line.starts_with("5 ") || line.starts_with("3 "), "{line}");
    }
    let ended: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("tree "))
        .collect();
    assert!(
        ended.iter().all(|tree| *tree == undisturbed()[1]),
        "{ended:?}"
    );
}

/// `$1` seawall, `$2` plan, `$3` repository, `$4` where the small disk is mounted.
///
/// For each amount of free space: run with so much left, say how it ended, make space, go on, say the tree.
const FULL: &str = r#"
set -eu
mkdir "$4"
for kib in 0 4 8 12 16 24 32 40 48 64 80 96 112 128 160 192 224 256 320 384; do
    mount -t tmpfs -o size=4m small "$4"
    cp -r "$3" "$4/repo"
    cd "$4/repo"
    free=$(($(stat -f -c '%a * %S' .) / 1024))
    head -c $(((free - kib) * 1024)) /dev/zero > "$4/filler"
    code=0
    "$1" run "$2" > "$4/../out" 2>&1 || code=$?
    rm "$4/filler"
    if [ $code != 0 ]; then
        echo "full $code" $kib KiB: $(grep -i 'no space' "$4/../out" | tail -1)
        if [ -n "$(git for-each-ref refs/heads/seawall)" ] || "$1" status > /dev/null 2>&1; then
            "$1" resume > "$4/../out" 2>&1 || { echo "resume $?: $(cat "$4/../out")"; exit 1; }
        else
            "$1" run "$2" > "$4/../out" 2>&1 || { echo "run $?: $(cat "$4/../out")"; exit 1; }
        fi
    fi
    echo tree $(git rev-parse "$(git for-each-ref --format='%(refname)' refs/heads/seawall)^{tree}")
    git fsck --strict --no-dangling > /dev/null 2>&1
    "$1" gc > /dev/null
    cd /
    umount "$4"
done
"#;
