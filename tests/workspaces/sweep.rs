//! What runs leave on disk, and `gc`: as root, and as an ordinary user whose uppers hold directories that nobody may enter.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use seawall_core::ids::Digest;
use serde_json::Value;

use crate::common::{Running, only_run, wait_until};
use crate::support::traces::{Mine, assert_clean};
use crate::support::{Output, Repo, SEAWALL, skip};

/// Whoever owns nothing.
const NOBODY: u32 = 65534;

const PLAN: &str = r#"
version = 1
name = "sweep"
goal = "the files say new"
[defaults]
attempts = 1
[workspace]
carry = ["out"]
[sandbox]
read = ["GATE"]
[agent.edit]
run = ["sh", "-ec", '''
while [ -e GATE/worker ]; do sleep 0.02; done
mkdir -p out/shut && touch out/shut/x && chmod 0 out/shut
echo new > "$1"''', "edit", "{file}"]
[[checkpoint]]
says = "both are there"
run = "test -s good && test -s bad && test -s out/built"
[[task]]
id = "good"
file = "good"
prompt = "say new"
  [[task.check]]
  says = "it says new"
  run = "grep -qx new good"
[[task]]
id = "bad"
file = "bad"
prompt = "say new"
  [[task.check]]
  says = "it says something else"
  run = "grep -qx else bad"
"#;

/// A repository, and who works in it.
struct World {
    repo: Repo,
    user: Option<u32>,
    seawall: PathBuf,
    plan: String,
}

impl World {
    fn new(user: Option<u32>) -> Self {
        let repo = Repo::with(&[
            ("good", "old\n"),
            ("bad", "old\n"),
            (".gitignore", "out/\n"),
        ]);
        repo.write("out/built", "x\n");
        let gate = repo.root().join("gate");
        fs::create_dir(&gate).unwrap();
        let plan = repo.plan(&PLAN.replace("GATE", gate.to_str().unwrap()));
        let seawall = repo.root().join("seawall");
        fs::copy(SEAWALL, &seawall).unwrap();
        if let Some(user) = user {
            let owner = format!("{user}:{user}");
            let _ = Output::of(Command::new("chown").args(["-R", &owner]).arg(repo.root())).code(0);
        }
        Self {
            plan: plan.to_str().unwrap().to_owned(),
            repo,
            user,
            seawall,
        }
    }

    fn command(&self, program: impl AsRef<Path>, args: &[&str]) -> Command {
        let mut command = self.repo.command(program.as_ref());
        command.args(args);
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    fn seawall(&self, args: &[&str]) -> Output {
        Output::of(&mut self.command(&self.seawall, args))
    }

    fn refs(&self, prefix: &str) -> Vec<String> {
        let args = ["for-each-ref", "--format=%(refname)", prefix];
        let out = Output::of(&mut self.command("git", &args)).code(0);
        out.out.lines().map(str::to_owned).collect()
    }

    fn status(&self) -> Value {
        let out = self.seawall(&["status", "--json"]).code(0);
        serde_json::from_str(&out.out).unwrap()
    }
}

fn users() -> Vec<Option<u32>> {
    match nix::unistd::getuid().is_root() {
        true => vec![None, Some(NOBODY)],
        false => {
            skip("an ordinary user", "the tests do not run as root");
            vec![None]
        }
    }
}

/// What of a run costs disk and is of no use any more.
fn left(run: &Path) -> Vec<PathBuf> {
    let places = ["attempts", "checks", "trash", "layers", "alive"].map(|name| run.join(name));
    let entries = places
        .iter()
        .flat_map(|dir| fs::read_dir(dir).into_iter().flatten());
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn an_ended_run_leaves_nothing_but_what_it_says_and_gc_saves_what_did_not_land() {
    for user in users() {
        let world = World::new(user);
        let mine = Mine::of(&world.repo);
        let _ = world.seawall(&["run", &world.plan]).code(1);
        let status = world.status();
        assert_eq!(status["workspaces"], "overlay");
        assert_eq!(status["counts"]["accepted"], 1, "{status:#}");
        let run = only_run(&world.repo).unwrap();
        assert_eq!(left(&run), Vec::<PathBuf>::new());
        assert_eq!(world.refs("refs/seawall/runs").len(), 2);
        let _ = world
            .seawall(&["gc", "--dry-run"])
            .code(0)
            .says(&["would be removed"]);
        assert!(run.exists());
        let said = world.seawall(&["gc"]).code(0);
        let _ = said.says(&[
            "removed",
            "1 harvest that did not land",
            "refs/seawall/rescue/",
        ]);
        assert!(!run.exists());
        assert_eq!(world.refs("refs/seawall/runs"), [""; 0]);
        let rescued = world.refs("refs/seawall/rescue");
        assert_eq!(rescued.len(), 1, "{rescued:?}");
        let shown = ["cat-file", "blob", &format!("{}:bad", rescued[0])];
        let shown = Output::of(&mut world.command("git", &shown)).code(0);
        assert_eq!(shown.out, "new\n");
        assert_eq!(world.refs("refs/heads/seawall").len(), 1);
        mine.assert_untouched(&world.repo);
    }
}

#[test]
fn a_run_that_can_go_on_is_kept_and_its_workspaces_go_when_it_is_abandoned() {
    for user in users() {
        let world = World::new(user);
        let mine = Mine::of(&world.repo);
        fs::write(world.repo.root().join("gate/worker"), "").unwrap();
        let run = Running::of(world.command(&world.seawall, &["run", &world.plan]));
        wait_until("an overlay is mounted", || {
            let work = |run: PathBuf| run.join("attempts/1/work/work");
            only_run(&world.repo).is_some_and(|run| work(run).exists())
        });
        let dir = only_run(&world.repo).unwrap();
        let id = dir.file_name().unwrap().to_str().unwrap().to_owned();
        let _ = world
            .seawall(&["gc"])
            .code(0)
            .says(&["kept: somebody works on it"]);
        run.kill();
        let _ = world
            .seawall(&["gc"])
            .code(0)
            .says(&["kept: it can be resumed"]);
        assert!(dir.join("attempts/1/upper").exists());
        let _ = world
            .seawall(&["gc", "--abandon", &id])
            .code(0)
            .says(&["removed: abandoned"]);
        assert!(!dir.exists());
        assert_eq!(world.refs("refs/seawall"), [""; 0]);
        mine.assert_untouched(&world.repo);
        assert_clean_of(&world);
    }
}

/// git refuses to look at what belongs to somebody else.
fn assert_clean_of(world: &World) {
    if world.user.is_none() {
        assert_clean(&world.repo);
    }
}

/// An ordinary user interrupts a run and goes on with it, with and without namespaces.
#[test]
fn an_ordinary_user_goes_on() {
    for more in [&[][..], &["--no-namespaces"]] {
        let Some(user) = users().into_iter().flatten().next() else {
            return;
        };
        let world = World::new(Some(user));
        fs::write(world.repo.root().join("gate/worker"), "").unwrap();
        let run = Running::of(world.command(&world.seawall, &["run", &world.plan]));
        wait_until("a worker runs", || {
            only_run(&world.repo).is_some_and(|run| run.join("attempts/1/work/work").exists())
        });
        run.kill();
        fs::remove_file(world.repo.root().join("gate/worker")).unwrap();
        let args = [&["resume"], more].concat();
        let _ = world.seawall(&args).code(1);
        let status = world.status();
        assert_eq!(status["counts"]["accepted"], 1, "{status:#}");
    }
}

/// The demo, and what it leaves, as a user who owns nothing else.
#[test]
fn an_ordinary_user_sees_the_demo() {
    let Some(user) = users().into_iter().flatten().next() else {
        return;
    };
    let world = World::new(Some(user));
    let demo = world.repo.root().join("demo");
    let out = world.seawall(&["demo", demo.to_str().unwrap()]);
    let out = out.says(&["workspaces  overlays"]);
    assert!([0, 1].contains(&out.exit), "{out}");
}

/// Without namespaces workspaces lie outside of the checkout; they go with the run, whether it ends or is abandoned.
#[test]
fn nothing_is_left_outside_of_the_checkout() {
    for user in users() {
        let world = World::new(user);
        let _ = world
            .seawall(&["run", &world.plan, "--no-namespaces"])
            .code(1);
        let ended = only_run(&world.repo).unwrap();
        assert_eq!(outside(&world, &ended), None);
        let _ = world.seawall(&["gc"]).code(0).says(&["removed"]);
        fs::write(world.repo.root().join("gate/worker"), "").unwrap();
        let args = ["run", &world.plan, "--no-namespaces"];
        let run = Running::of(world.command(&world.seawall, &args));
        wait_until("a workspace is outside", || {
            only_run(&world.repo).is_some_and(|run| outside(&world, &run).is_some())
        });
        let dir = only_run(&world.repo).unwrap();
        run.kill();
        let id = dir.file_name().unwrap().to_str().unwrap().to_owned();
        let _ = world.seawall(&["gc", "--abandon", &id]).code(0);
        assert_eq!(outside(&world, &dir), None);
        assert!(!dir.exists());
    }
}

/// Where a run has workspaces outside of the checkout, if it has.
fn outside(world: &World, run: &Path) -> Option<PathBuf> {
    let name = Digest::of(run.as_os_str().as_encoded_bytes()).0;
    let user = world
        .user
        .unwrap_or_else(|| nix::unistd::geteuid().as_raw());
    let place = PathBuf::from(format!("/var/tmp/seawall-{user}")).join(&name[..16]);
    place.exists().then_some(place)
}
