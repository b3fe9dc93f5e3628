//! `seawall check --deep`: what can be known of a plan's checks before money is spent.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{GREEN, plan, task};
use crate::support::traces::{Mine, assert_clean};
use crate::support::{Output, Repo, SEAWALL};

fn repo() -> Repo {
    Repo::with(&[("a.txt", "old\n"), ("b.txt", "old\n"), ("c.txt", "old\n")])
}

fn check(repo: &Repo, tables: &str, more: &[&str]) -> Output {
    let plan = repo.plan(&plan("echo new > $1", tables));
    let args = ["check", "--deep", plan.to_str().unwrap()];
    repo.seawall(&[&args, more].concat())
}

fn with_check(keys: &str) -> String {
    format!(
        "{GREEN}{}\n[[task.check]]\nsays = 'it is new'\n{keys}\n",
        task("work", "file = 'a.txt'")
    )
}

#[test]
fn checks_that_prove_nothing_are_found_before_money_is_spent() {
    let repo = repo();
    let cases = [
        (
            "run = 'grep old a.txt'",
            "SW0302",
            "is green before any work",
        ),
        ("run = 'grpe new a.txt'", "SW0303", "cannot look"),
        (
            "run = 'if grep new a.txt; echo'",
            "SW0303",
            "red for the wrong reason",
        ),
        (
            "run = 'grep new a.txt'\nproof = 'pass-to-pass'",
            "SW0304",
            "red before any work",
        ),
    ];
    for (keys, code, words) in cases {
        let out = check(&repo, &with_check(keys), &[]).code(2);
        out.says(&[code, words, "this one", "cannot be run"]);
    }
    check(&repo, &with_check("run = 'grep new a.txt'"), &[])
        .code(0)
        .says(&["can be run: 1 task in 1 wave; its checks were run on the base, and no worker was started"]);
    // Without the word nothing is run.
    let plan = repo.plan(&plan("true", &with_check("run = 'grep old a.txt'")));
    repo.seawall(&["check", plan.to_str().unwrap()])
        .code(0)
        .says(&["nothing was started"]);
}

#[test]
fn a_gate_that_is_red_on_the_base_is_found() {
    let repo = repo();
    let red = "[[checkpoint]]\nsays = 'nothing is old'\nrun = '! grep old a.txt'\n";
    let task = task("work", "file = 'a.txt'")
        + "\n[[task.check]]\nsays = 'it is new'\nrun = 'grep new a.txt'\n";
    check(&repo, &format!("{red}{task}"), &[])
        .code(2)
        .says(&["SW0301", "red on the base"]);
    let declared = format!("{red}red_until = ['work']\n{task}");
    check(&repo, &declared, &[]).code(0);
    let later = format!("{red}after = ['work']\n{task}");
    check(&repo, &later, &[]).code(0);
}

#[test]
fn problems_of_a_fan_out_are_told_once_and_later_waves_softly() {
    let repo = repo();
    let all = task("all", "each = '*.txt'")
        + "\n[[task.check]]\nsays = 'it is there'\nrun = 'grep -q old {file}'\n";
    let then = task("then", "file = 'a.txt'\nafter = ['all']")
        + "\n[[task.check]]\nsays = 'still old'\nrun = 'grep -q old a.txt # then'\n
           [[task.check]]\nsays = 'all new'\nrun = 'grep -q new a.txt'\nproof = 'pass-to-pass'\n";
    let out = check(&repo, &format!("{GREEN}{all}{then}"), &["--json"]).code(2);
    let told: Value = serde_json::from_str(&out.out).unwrap();
    let told = told.as_array().unwrap();
    let of = |code: &str, severity: &str| {
        let is = |d: &&Value| d["code"] == code && d["severity"] == severity;
        told.iter().filter(is).count()
    };
    assert_eq!(
        (of("SW0302", "error"), of("SW0302", "note")),
        (1, 1),
        "{told:#?}"
    );
    assert_eq!(of("SW0304", "error") + of("SW0304", "note"), 0, "{told:#?}");
    let notes = told.iter().find(|d| d["severity"] == "error").unwrap()["notes"].to_string();
    assert!(notes.contains("so it is for 2 more tasks"), "{notes}");
}

#[test]
fn nothing_is_left_of_it() {
    let repo = repo();
    let mine = Mine::of(&repo);
    check(
        &repo,
        &with_check("run = 'echo spoilt > a.txt; grep new b.txt'"),
        &["--jobs", "2"],
    )
    .code(0);
    mine.assert_untouched(&repo);
    let runs = std::fs::read_dir(repo.dir().join(".git/seawall/runs")).unwrap();
    assert_eq!(runs.count(), 0);
}

/// The directories beside the runs that are none.
fn beside(repo: &Repo) -> Vec<String> {
    let entries = fs::read_dir(repo.dir().join(".git/seawall/runs"));
    let entries = entries.into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

/// The logs in these.
fn logs(repo: &Repo) -> Vec<String> {
    let runs = repo.dir().join(".git/seawall/runs");
    let dirs = beside(repo).into_iter();
    let entries = dirs.flat_map(|dir| {
        fs::read_dir(runs.join(dir).join("logs"))
            .into_iter()
            .flatten()
    });
    let names = entries.flatten().map(|entry| entry.file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

/// Starts `check --deep` of a plan whose check waits, and kills it while that runs.
fn killed(repo: &Repo, more: &[&str]) {
    let waits = with_check("run = 'sleep 307 # deep'");
    let plan = repo.plan(&plan("true", &waits));
    let mut check = repo
        .command(SEAWALL)
        .args(["check", "--deep", plan.to_str().unwrap()])
        .args(more)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The first look is at the gate, which is green at once.
    let deadline = Instant::now() + Duration::from_secs(60);
    while !logs(repo).iter().any(|log| log.starts_with("base-")) {
        assert!(Instant::now() < deadline, "the check does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Whoever comes meanwhile leaves it alone.
    let quick = repo.root().join("quick.toml");
    fs::write(
        &quick,
        self::plan("true", &with_check("run = 'grep new a.txt'")),
    )
    .unwrap();
    let args = ["check", "--deep", quick.to_str().unwrap()];
    repo.seawall(&args).code(0);
    assert_eq!(beside(repo).len(), 1, "{:?}", beside(repo));
    check.kill().unwrap();
    check.wait().unwrap();
    assert_eq!(beside(repo).len(), 1, "{:?}", beside(repo));
}

#[test]
fn what_a_killed_look_left_is_taken_away_by_the_next_one_or_by_a_run() {
    for more in [&[][..], &["--no-namespaces"]] {
        let repo = repo();
        killed(&repo, more);
        check(&repo, &with_check("run = 'grep new a.txt'"), &[]).code(0);
        assert_eq!(beside(&repo), Vec::<String>::new());
        killed(&repo, more);
        repo.run(&plan(
            "echo new > $1",
            &with_check("run = 'grep new a.txt'"),
        ))
        .code(0);
        assert_eq!(beside(&repo), Vec::<String>::new());
        assert_clean(&repo);
    }
}
