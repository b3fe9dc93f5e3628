//! A check that is red and green on one tree: no verdict on the work, but on the check.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::common::{GREEN, evidence, is_rejected, lands, plan, task};
use crate::support::Repo;

/// A directory that checks may read, in which a file appears once a check was red: so the next look is green.
struct Luck {
    dir: PathBuf,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Luck {
    /// Turns after so many reds.
    fn after(repo: &Repo, reds: usize) -> Self {
        let dir = repo.root().join(format!("luck-{reds}"));
        fs::create_dir_all(&dir).unwrap();
        let green = dir.join("green");
        drop(fs::remove_file(&green));
        let runs = repo.dir().join(".git/seawall/runs");
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let before = unlucky(&runs);
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                if unlucky(&runs) >= before + reds {
                    fs::write(&green, "").unwrap();
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self {
            dir,
            over,
            thread: Some(thread),
        }
    }

    /// A check that is red before the work, and after it as luck will have it.
    fn check(&self) -> String {
        let green = self.dir.join("green");
        format!(
            "grep -q new f.txt || exit 1; test -e {} || {{ echo unlucky; sleep 2; exit 1; }}",
            green.display()
        )
    }

    fn sandbox(&self) -> String {
        format!("[sandbox]\nread = ['{}']\n", self.dir.display())
    }
}

impl Drop for Luck {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

/// How many checks of all runs were unlucky.
fn unlucky(runs: &PathBuf) -> usize {
    let logs = |run: PathBuf| {
        fs::read_dir(run.join("logs"))
            .into_iter()
            .flatten()
            .flatten()
    };
    let runs = fs::read_dir(runs).into_iter().flatten().flatten();
    runs.flat_map(|run| logs(run.path()))
        // The brief has the command, and so the word.
        .filter(|log| log.file_name().to_string_lossy().ends_with(".log"))
        .filter(|log| fs::read_to_string(log.path()).is_ok_and(|text| text.contains("unlucky")))
        .count()
}

fn with(luck: &Luck, gate: &str, check: &str, flaky: &str) -> String {
    let check = format!("\n[[task.check]]\nsays = 'new'\nrun = '''{check}'''\n{flaky}\n");
    let task = task("work", "file = 'f.txt'");
    plan(
        "echo new > f.txt",
        &format!("{}{gate}{task}{check}", luck.sandbox()),
    )
}

#[test]
fn a_red_that_does_not_come_again_is_held_for_a_person() {
    let repo = Repo::with(&[("f.txt", "old\n")]);
    let luck = Luck::after(&repo, 1);
    let out = repo.run(&with(&luck, GREEN, &luck.check(), "")).code(4);
    let said = "red and green on one tree (exit status 1; then exit status 0)";
    assert!(out.out.contains("red and green on one tree"), "{out}");
    let seen = &evidence(&repo, "verified")[0];
    assert_eq!(seen["why"], said, "{seen:#}");
    assert_eq!(seen["flaky"]["red"], 1, "{seen:#}");
    assert_eq!(seen["flaky"]["green"], 1, "{seen:#}");
    assert_eq!(repo.status().task("work")["verdict"], "needs-human");
}

#[test]
fn a_red_that_comes_again_is_red() {
    let repo = Repo::with(&[("f.txt", "old\n")]);
    let luck = Luck::after(&repo, 99);
    is_rejected(
        &repo,
        &with(&luck, GREEN, &luck.check(), ""),
        &["exit status 1"],
    );
    assert_eq!(
        evidence(&repo, "verified")[0]["flaky"],
        serde_json::Value::Null
    );
}

#[test]
fn one_green_of_so_many_is_enough_where_the_plan_says_so() {
    let repo = Repo::with(&[("f.txt", "old\n")]);
    let luck = Luck::after(&repo, 2);
    lands(
        &repo,
        &with(&luck, GREEN, &luck.check(), "flaky = 'retry:3'"),
    );
    let seen = &evidence(&repo, "verified")[0];
    assert_eq!(seen["flaky"]["red"], 2, "{seen:#}");
    // Too few are not.
    let luck = Luck::after(&repo, 3);
    is_rejected(
        &repo,
        &with(&luck, GREEN, &luck.check(), "flaky = 'retry:1'"),
        &["exit status 1"],
    );
}

#[test]
fn a_flaky_checkpoint_rejects_nobody() {
    let repo = Repo::with(&[("f.txt", "old\n")]);
    let luck = Luck::after(&repo, 1);
    let gate = luck.check().replace("|| exit 1", "|| exit 0");
    let gate = format!("[[checkpoint]]\nsays = 'it holds'\nrun = '''{gate}'''\n");
    let out = repo
        .run(&with(&luck, &gate, "grep -q new f.txt", ""))
        .code(4);
    assert!(out.out.contains("red and green on one tree"), "{out}");
    assert_eq!(repo.status().task("work")["verdict"], "needs-human");
    let retried = gate.clone() + "flaky = 'retry:2'\n";
    let luck = Luck::after(&repo, 1);
    lands(&repo, &with(&luck, &retried, "grep -q new f.txt", ""));
}
