//! The base of a run that has ended becomes that of the next: nothing is written twice, and nothing is believed that lay about.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use crate::common::{kept, worker_said};
use crate::support::Repo;
use crate::support::traces::assert_clean;

/// Everybody asks git what it has, and reads a file that nobody owns.
const PLAN: &str = r#"
version = 1
name = "kept"
goal = "the file says new"
[defaults]
profile = "worker"
[agent.edit]
run = ["sh", "-ec", 'cat seen; git log --format=%H; git status --porcelain; git cat-file -t GONE 2>&1 || true; echo new > "$1"', "edit", "{file}"]
[[checkpoint]]
says = "what was read is there"
run = "cat seen"
[[task]]
id = "one"
file = "one"
prompt = "say new"
  [[task.check]]
  says = "it says new"
  run = "grep -qx new {file}"
"#;

struct World {
    repo: Repo,
    /// A file that the first commit alone has.
    gone: String,
}

impl World {
    fn new() -> Self {
        let repo = Repo::with(&[
            ("one", "old\n"),
            ("seen", "first\n"),
            ("gone", "a secret\n"),
            ("still/here", "x\n"),
        ]);
        let gone = repo.git(&["rev-parse", "HEAD:gone"]);
        Self { repo, gone }
    }

    /// A run; what its worker printed.
    fn run(&self) -> String {
        let _ = self.repo.run(&PLAN.replace("GONE", &self.gone)).code(0);
        assert_eq!(
            kept(&self.repo, "logs/wave-0.0.1.0.log"),
            self.repo.read("seen")
        );
        assert_clean(&self.repo);
        worker_said(&self.repo, "one")
    }

    fn base(&self) -> PathBuf {
        self.repo.dir().join(".git/seawall/base")
    }

    /// Which file that is which no commit changes.
    fn inode(&self) -> u64 {
        let path = self.base().join("tree/still/here");
        fs::metadata(path).unwrap().ino()
    }
}

#[test]
fn the_next_run_takes_it_as_it_is_or_brings_it_to_its_commit() {
    let world = World::new();
    let repo = &world.repo;
    let head = || repo.git(&["rev-parse", "HEAD"]);
    let first = world.run();
    assert_eq!(first, format!("first\n{}\nblob\n", head()));
    let inode = world.inode();
    assert_eq!(world.run(), first, "on the same commit");
    assert_eq!(world.inode(), inode, "it was written again");

    fs::remove_file(repo.dir().join("gone")).unwrap();
    repo.write("seen", "second\n");
    repo.commit("second");
    let said = world.run();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[..2], ["second", &head()]);
    assert!(
        lines[2].contains("fatal"),
        "the worker sees what is gone: {said}"
    );
    assert_eq!(
        world.inode(),
        inode,
        "what did not change was written again"
    );
    assert!(!world.base().join("tree/gone").exists());

    // `check --deep` takes it too, and gives it back.
    let plan = repo.plan(&PLAN.replace("GONE", &world.gone));
    let _ = repo
        .seawall(&["check", "--deep", plan.to_str().unwrap()])
        .code(0);
    assert_eq!(world.inode(), inode);
}

#[test]
fn what_was_changed_between_two_runs_is_not_believed() {
    let world = World::new();
    let first = world.run();
    let inode = world.inode();
    fs::write(world.base().join("tree/seen"), "other\n").unwrap();
    assert_eq!(world.run(), first);
    assert_ne!(world.inode(), inode, "it was taken");
}

#[test]
fn gc_removes_it() {
    let world = World::new();
    let _ = world.run();
    let would = "base  would be removed";
    let _ = world
        .repo
        .seawall(&["gc", "--dry-run"])
        .code(0)
        .says(&[would]);
    assert!(world.base().exists());
    assert_eq!(world.repo.json(&["gc", "--json"])["base"], true);
    assert!(!world.base().exists());
    assert_eq!(world.repo.json(&["gc", "--json"])["base"], false);
    let _ = world.run();
}
