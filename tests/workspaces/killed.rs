//! The supervisor dies while workspaces are made or read, and the next one may make them in another way: the tree is the same.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{Running, only_run, records, said, wait_until};
use crate::support::traces::{Mine, assert_clean, assert_no_process};
use crate::support::{Repo, Status};

/// How many files the base has: enough that laying it can be seen.
const FILES: usize = 2000;

const PLAN: &str = r#"
version = 1
name = "twice"
goal = "the files say new"
[defaults]
agent = "edit"
[workspace]
carry = ["out"]
[sandbox]
read = ["GATE"]
[agent.edit]
run = ["sh", "-ec", '''
test ! -e half
while [ -e "GATE/$2" ]; do sleep 0.02; done
sed 's/old/new/' "$1" > "$TMPDIR/new" && cat "$TMPDIR/new" > "$1"
if [ -e "GATE/after-$2" ]; then echo written; while [ -e "GATE/after-$2" ]; do sleep 0.02; done; fi
echo x >> out/one''', "edit", "{file}", "{task}"]
[[checkpoint]]
says = "no file is half"
run = "for f in one two three gone/*; do test -s $f || exit 1; done; test ! -e half"
[[task]]
id = "one"
file = "one"
prompt = "say new"
  [[task.check]]
  says = "it says new, and looks newer than what was built from the old one"
  run = '''
while [ -e "GATE/check" ]; do sleep 0.02; done
grep -qx new one && test one -nt out/one'''
[[task]]
id = "made"
creates = ["new/made"]
prompt = "say new"
agent = "make"
  [[task.check]]
  says = "it is there"
  run = "grep -qx new new/made"
[[task]]
id = "two"
file = "two"
after = ["one"]
prompt = "say new"
  [[task.check]]
  says = "it says new, on what the first wave left"
  run = "grep -qx new two && grep -qx new one && test one -nt out/one"
[agent.make]
run = ["sh", "-ec", 'echo new > new/made']
"#;

struct World {
    repo: Repo,
    mine: Mine,
    plan: std::path::PathBuf,
}

impl World {
    fn new(files: usize) -> Self {
        let names = ["one", "two", "three"];
        let repo = Repo::with(&names.map(|name| (name, "old\n")));
        for n in 0..files {
            repo.write(format!("gone/{}/{n}", n % 20), "x\n");
        }
        if files == 0 {
            repo.write("gone/x", "x\n");
        }
        repo.write(".gitignore", "out/\n");
        repo.write("out/one", "built\n");
        repo.commit("base");
        let gate = repo.root().join("gate");
        fs::create_dir(&gate).unwrap();
        let plan = repo.plan(&PLAN.replace("GATE", gate.to_str().unwrap()));
        Self {
            mine: Mine::of(&repo),
            repo,
            plan,
        }
    }

    fn hold(&self, gate: &str) {
        fs::write(self.repo.root().join("gate").join(gate), "").unwrap();
    }

    fn release(&self, gate: &str) {
        fs::remove_file(self.repo.root().join("gate").join(gate)).unwrap();
    }

    fn start(&self, more: &[&str]) -> Running {
        let args = ["run", self.plan.to_str().unwrap(), "--jobs", "2"];
        Running::start(&self.repo, &[&args, more].concat())
    }

    fn run(&self) -> std::path::PathBuf {
        only_run(&self.repo).unwrap()
    }

    fn wait_for(&self, what: &str, is: impl Fn(&Value) -> bool) {
        wait_until(what, || {
            let dir = only_run(&self.repo);
            dir.is_some_and(|dir| records(&dir).iter().any(|record| is(&record["body"])))
        });
    }

    /// Goes on, and everything is as an undisturbed run leaves it.
    #[track_caller]
    fn assert_goes_on(&self, more: &[&str]) {
        assert_no_process(self.repo.root());
        let args = [&["resume", "--jobs", "2"], more].concat();
        let _ = self.repo.seawall(&args).code(0);
        let status = self.repo.status();
        assert_finished(&self.repo, &status);
        self.mine.assert_untouched(&self.repo);
        assert_clean(&self.repo);
    }
}

#[track_caller]
fn assert_finished(repo: &Repo, status: &Status) {
    status.assert_all_fine();
    let branch = status.text("branch");
    let changed = repo.git(&["diff", "--name-status", "main", branch]);
    assert_eq!(changed, "A\tnew/made\nM\tone\nM\ttwo", "{}", said(repo));
    for path in ["one", "two", "new/made"] {
        assert_eq!(repo.show(branch, path).as_deref(), Some("new\n"), "{path}");
    }
    assert_eq!(status.0["checkpoints"].as_array().unwrap().len(), 2);
}

/// The entries of the run's layers that are not complete yet.
fn unfinished(run: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(run.join("layers")).into_iter().flatten();
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.to_string_lossy().ends_with(".partial"))
        .collect()
}

#[test]
fn killed_while_the_base_is_laid() {
    for _ in 0..20 {
        let world = World::new(FILES);
        let run = world.start(&[]);
        wait_until("the base is being laid", || {
            only_run(&world.repo)
                .is_some_and(|run| !unfinished(&run).is_empty() || run.join("layers/base").exists())
        });
        run.kill();
        if !world.run().join("layers/base").exists() && !unfinished(&world.run()).is_empty() {
            return world.assert_goes_on(&[]);
        }
    }
    panic!("the base is always laid before it can be hit");
}

/// A layer of a change is laid too fast to be hit: what a kill would have left there is put there.
#[test]
fn killed_while_a_layer_is_laid() {
    let world = World::new(0);
    world.hold("two");
    let run = world.start(&[]);
    world.wait_for("wave 2", |body| {
        body["event"] == "wave-prepared" && body["wave"] == 2
    });
    run.kill();
    assert_no_process(world.repo.root());
    let layers = world.run().join("layers");
    let head = world.repo.status().text("head").to_owned();
    fs::remove_dir_all(layers.join(&head)).unwrap();
    for name in [&head, "base", "carried"] {
        let left = layers.join(format!("{name}.partial"));
        let _ = fs::create_dir(&left);
        fs::write(left.join("half"), "").unwrap();
    }
    fs::write(layers.join("carried/half"), "").unwrap();
    world.release("two");
    world.assert_goes_on(&[]);
}

/// A build of the old files, made in the checkout while the run is down, is not taken for one of the new files.
#[test]
fn what_was_built_meanwhile_is_not_believed() {
    let world = World::new(0);
    world.hold("two");
    let run = world.start(&[]);
    world.wait_for("wave 2", |body| {
        body["event"] == "wave-prepared" && body["wave"] == 2
    });
    run.kill();
    world.release("two");
    std::thread::sleep(std::time::Duration::from_millis(20));
    world.repo.write("out/one", "built\n");
    world.assert_goes_on(&[]);
}

/// Something that a record of the journal may say.
type Said = fn(&Value) -> bool;

/// The phases of a run, as what is held, and what of the journal says that it is there.
const PHASES: [(&str, Said); 4] = [
    ("one", |body| body["effect"]["do"] == "launch-worker"),
    ("after-one", |body| body["effect"]["do"] == "launch-worker"),
    ("check", |body| body["event"] == "harvested"),
    ("two", |body| body["event"] == "checkpointed"),
];

#[test]
fn another_session_may_make_workspaces_in_another_way() {
    for (first, second) in [
        (&[][..], &["--no-namespaces"][..]),
        (&["--no-namespaces"], &[]),
    ] {
        for (gate, is_there) in PHASES {
            let world = World::new(0);
            world.hold(gate);
            let run = world.start(first);
            world.wait_for(gate, is_there);
            run.kill();
            world.release(gate);
            world.assert_goes_on(second);
            let made = world.repo.status().text("workspaces").to_owned();
            assert_eq!(made, if second.is_empty() { "overlay" } else { "copy" });
        }
    }
}

/// The worker has ended and nobody has looked at what it left: the next session finds it, in whichever way it works.
#[test]
fn killed_between_a_worker_and_its_harvest() {
    for more in [&[][..], &["--no-namespaces"]] {
        harvested_later(more);
    }
}

fn harvested_later(more: &[&str]) {
    for _ in 0..40 {
        let world = World::new(0);
        world.hold("after-one");
        let run = world.start(&[]);
        wait_until("the worker has written", || {
            only_run(&world.repo).is_some_and(|run| {
                let logs = fs::read_dir(run.join("logs"))
                    .into_iter()
                    .flatten()
                    .flatten();
                logs.map(|log| fs::read(log.path()).unwrap_or_default())
                    .any(|text| text.starts_with(b"written"))
            })
        });
        let before = count(&world, "worker-ended");
        world.release("after-one");
        wait_until("the worker has ended", || {
            count(&world, "worker-ended") > before
        });
        run.kill();
        let records = records(&world.run());
        let of = |kind: &str| -> Vec<u64> {
            let bodies = records.iter().map(|r| &r["body"]);
            let all = bodies.filter(|body| body["event"] == kind);
            all.map(|body| body["attempt"].as_u64().unwrap()).collect()
        };
        let harvested = of("harvested");
        let left: Vec<_> = of("worker-ended")
            .into_iter()
            .filter(|a| !harvested.contains(a))
            .collect();
        if left.is_empty() {
            continue;
        }
        let launched = count(&world, "launch-worker");
        world.assert_goes_on(more);
        assert!(
            count(&world, "launch-worker") <= launched + 2,
            "a worker that ended ran again"
        );
        return;
    }
    panic!("the harvest is always over before it can be hit");
}

/// Events and issued effects of this kind.
fn count(world: &World, kind: &str) -> usize {
    let run = only_run(&world.repo);
    let records = run.map(|run| records(&run)).unwrap_or_default();
    let is = |r: &&Value| r["body"]["event"] == kind || r["body"]["effect"]["do"] == kind;
    records.iter().filter(is).count()
}
