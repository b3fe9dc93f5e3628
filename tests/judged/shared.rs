//! Looks that are shared: one command on one tree is run once, whoever asks, and what is independent runs side by side.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::common::{GREEN, plan, task};
use crate::support::Repo;

/// The logs of the latest run that begin and end so, and of how many runs they are.
fn logs(repo: &Repo, begin: &str, end: &str) -> (usize, usize) {
    let dir = repo.run_dir(repo.status().run()).join("logs");
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let logs = entries.filter(|entry| {
        let name = entry.file_name().into_string().unwrap();
        name.starts_with(begin) && name.ends_with(end)
    });
    let runs: Vec<_> = logs.map(|log| log.metadata().unwrap().ino()).collect();
    let distinct: BTreeSet<_> = runs.iter().collect();
    (runs.len(), distinct.len())
}

#[test]
fn a_suite_that_many_tasks_share_is_run_once_on_the_base() {
    let names: Vec<String> = (0..6).map(|n| format!("f{n}.txt")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), "old\n")).collect();
    let repo = Repo::with(&files);
    // The gate asks the same of the base as every task does.
    let suite = "run = 'ls | wc -l; sleep 0.2; ls | grep -q txt'";
    let fan_out = format!(
        "[[checkpoint]]\nsays = 'all are there'\n{suite}\n{}
         [[task.check]]\nsays = 'new'\nrun = 'grep -q new {{file}}'\n
         [[task.check]]\nsays = 'all are there'\n{suite}\nproof = 'pass-to-pass'\n",
        task("all", "each = '*.txt'")
    );
    let out = repo.run(&plan("echo new > $1", &fan_out)).code(0);
    repo.status().assert_all_fine();
    assert_eq!(logs(&repo, "base-", ".1.log"), (6, 1), "{out}");
    // Each task's own check has its own command, and each harvest is a tree of its own.
    assert_eq!(logs(&repo, "base-", ".0.log"), (6, 6), "{out}");
    assert_eq!(logs(&repo, "verify-", ".1.log"), (6, 6), "{out}");
}

#[test]
fn checks_of_one_task_run_side_by_side_where_places_are_free() {
    let repo = Repo::with(&[("f.txt", "old\n")]);
    // Each check waits until both have begun: the directory is one that both may read and nobody writes but this test.
    let check = |n: u32| {
        format!("\n[[task.check]]\nsays = 'new {n}'\nrun = 'sleep 2; grep -q new f.txt # {n}'\n")
    };
    let checks: String = (0..4).map(check).collect();
    let plan = repo.plan(&plan(
        "echo new > f.txt",
        &format!("{GREEN}{}{checks}", task("work", "file = 'f.txt'")),
    ));
    let timed = |jobs: &str| {
        let began = std::time::Instant::now();
        let args = ["run", "--jobs", jobs, plan.to_str().unwrap()];
        repo.seawall(&args).code(0);
        began.elapsed()
    };
    let (alone, beside) = (timed("1"), timed("4"));
    // Twelve looks of two seconds, and three times four at once; whatever the machine takes besides comes to both.
    assert!(alone.as_secs_f64() > 16.0, "{alone:?}");
    assert!(
        beside.as_secs_f64() < alone.as_secs_f64() - 6.0,
        "{beside:?} {alone:?}"
    );
    let task = repo.task("work");
    let seen = task["attempts"][0]["evidence"].as_array().unwrap();
    let order: Vec<_> = seen
        .iter()
        .map(|e| e["command"].as_str().unwrap())
        .collect();
    for (n, command) in order.iter().enumerate() {
        assert!(command.ends_with(&format!("# {n}")), "{order:?}");
    }
}
