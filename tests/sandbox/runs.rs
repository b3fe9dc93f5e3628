//! Attacks by the workers of a real run: on the repository behind it, on its journal, on one another and on the supervisor.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::place;
use crate::support::traces::{Mine, assert_clean};
use crate::support::{Repo, SEAWALL};
use crate::{needs, table};

const SECRET: &str = "correct-horse-battery-staple";

/// A repository with something in it that is the user's alone, and a file for every attack.
fn repository(attacks: &[String]) -> Repo {
    let repo = Repo::with(&[("victim.txt", "base\n")]);
    for attack in attacks {
        repo.write(format!("{attack}.txt"), "base\n");
    }
    for entry in fs::read_dir(place::attacks()).unwrap() {
        let path = entry.unwrap().path();
        let name = Path::new("attacks").join(path.file_name().unwrap());
        repo.write(name, fs::read(&path).unwrap());
    }
    repo.commit("attacks");
    let url = format!("https://user:{SECRET}@example.org/");
    repo.git(&["config", "remote.origin.url", &url]);
    fs::write(repo.dir().join(".git/COMMIT_EDITMSG"), SECRET).unwrap();
    repo
}

fn arena(repo: &Repo, patience: u32) -> String {
    let git = repo.dir().join(".git");
    json!({ "git": git, "secret": SECRET, "patience": patience }).to_string()
}

/// A plan with one worker an attack, and a victim that holds the secret for a while.
fn plan(repo: &Repo, attacks: &[String]) -> String {
    let arena = arena(repo, 2);
    let mut plan = format!(
        r#"
version = 1
name = "attacks"
goal = "get out"
[defaults]
attempts = 1
agent = "attacker"
[agent.attacker]
run = ["sh", "-c", '''
/usr/bin/python3 -I -S -B attacks/main.py git "$2" '{arena}'
echo "attack $2 ended with $?"
echo done > "$1"''', "attacker", "{{file}}", "{{task}}"]
[agent.victim]
run = ["sh", "-c", 'echo {SECRET} > "$1"; sleep 4', "victim", "{{file}}"]
[[checkpoint]]
says = "it is there"
run = "test -e victim.txt"
[[task]]
id = "victim"
file = "victim.txt"
agent = "victim"
prompt = "hold"
[[task.check]]
says = "it is changed"
run = "! grep base {{file}}"
"#
    );
    for attack in attacks {
        plan.push_str(&format!(
            "[[task]]\nid = \"{attack}\"\nfile = \"{attack}.txt\"\nprompt = \"attack\"\n\
             [[task.check]]\nsays = \"it is done\"\nrun = \"grep done {{file}}\"\n"
        ));
    }
    plan
}

/// How every attack ended, from what the workers put out.
fn endings(repo: &Repo) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for run in fs::read_dir(repo.dir().join(".git/seawall/runs")).unwrap() {
        for log in fs::read_dir(run.unwrap().path().join("logs")).unwrap() {
            let text = fs::read(log.unwrap().path()).unwrap();
            for line in String::from_utf8_lossy(&text).lines() {
                let told = line.strip_prefix("attack ");
                let told = told.and_then(|told| told.split_once(" ended with "));
                found.extend(told.map(|(name, end)| (name.to_owned(), end.to_owned())));
            }
        }
    }
    found.sort();
    found
}

/// What is the user's, and what objects are borrowed.
fn state(repo: &Repo) -> (Mine, bool) {
    let alternates = repo.dir().join(".git/objects/info/alternates");
    (Mine::of(repo), alternates.exists())
}

#[test]
fn workers_of_a_run_reach_neither_the_repository_nor_one_another() {
    if !needs::python() {
        return;
    }
    let attacks = table::written("git");
    for flags in [&[][..], &["--no-namespaces"]] {
        let repo = repository(&attacks);
        let before = state(&repo);
        let plan = repo.plan(&plan(&repo, &attacks));
        let mut words = vec!["run", "--jobs", "4"];
        words.extend(flags);
        words.push(plan.to_str().unwrap());
        let done = repo.seawall(&words).code(0);
        let endings = endings(&repo);
        assert_eq!(endings.len(), attacks.len(), "{done}");
        for (attack, end) in endings {
            assert!(
                end == "1" || end == "3",
                "{attack} {flags:?} ended with {end}"
            );
        }
        assert!(
            state(&repo) == before,
            "{flags:?}: the repository was changed"
        );
        assert_clean(&repo);
    }
}

#[test]
fn the_same_attacks_work_unconfined() {
    if !needs::python() {
        return;
    }
    for attack in table::written("git") {
        let repo = repository(&[]);
        let work = repo.dir().join(".git/seawall/runs/r/attempts/1");
        fs::create_dir_all(&work).unwrap();
        fs::write(work.join("victim.txt"), SECRET).unwrap();
        fs::write(repo.dir().join(".git/seawall/runs/r/journal"), "a journal").unwrap();
        let before = state(&repo);
        let mut python = repo.command("/usr/bin/python3");
        python.args(["-I", "-S", "-B", "attacks/main.py", "git", &attack]);
        let end = python.arg(arena(&repo, 0)).status().unwrap().code();
        let swapped = repo.dir().join(".git.old").exists();
        let harmed = end == Some(0) || swapped || state(&repo) != before;
        assert!(harmed, "{attack} does not work unconfined: {end:?}");
    }
}

/// A plan with one worker for each text file, which runs this in a shell.
fn one_each(shell: &str) -> String {
    format!(
        r#"
version = 1
name = "plain"
goal = "see what holds"
[agent.worker]
run = ["sh", "-c", '{shell}', "worker", "{{file}}"]
[[checkpoint]]
says = "it is there"
run = "test -e a.txt"
[[task]]
id = "all"
each = "*.txt"
prompt = "write"
[[task.check]]
says = "it is done"
run = "grep done {{file}}"
"#
    )
}

/// What the control groups enforced on each worker of a finished run.
fn grouped(repo: &Repo) -> Vec<String> {
    let mut found = Vec::new();
    for file in ["a", "b", "c"] {
        let task = repo.task(&format!("all:{file}.txt"));
        let enforced = task["attempts"][0]["worker"]["enforced"]
            .as_array()
            .unwrap();
        let lines = enforced
            .iter()
            .map(|line| line.as_str().unwrap().to_owned());
        found.extend(lines.filter(|line| line.contains(": cgroup v")));
    }
    found
}

/// The second best set of namespaces has the control groups that were made for the best.
#[test]
fn limits_hold_where_no_network_namespace_can_be_made() {
    let files = [
        ("a.txt", "base\n"),
        ("b.txt", "base\n"),
        ("c.txt", "base\n"),
    ];
    let text = &one_each(r#"echo done > "$1""#);
    let usual = Repo::with(&files);
    let _ = usual.run(text).code(0);
    let usual = grouped(&usual);
    if !needs::have("control groups that this user may make", !usual.is_empty()) {
        return;
    }
    let repo = Repo::with(&files);
    let plan = repo.plan(text);
    let script = r#"echo 0 > /proc/sys/user/max_net_namespaces && exec "$@""#;
    let mut command = repo.command("unshare");
    command.args([
        "-r", "sh", "-c", script, "sh", SEAWALL, "run", "--jobs", "3",
    ]);
    let done = command.arg(plan).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    if !needs::have("user namespaces", !said.contains("unshare failed")) {
        return;
    }
    assert!(done.status.success(), "{said}");
    let network = repo.task("all:a.txt")["attempts"][0]["worker"].to_string();
    assert!(network.contains("no internet sockets"), "{network}");
    assert_eq!(grouped(&repo), usual);
}

/// A shell goes on when what it starts is refused or killed, and its exit status says nothing of it.
#[test]
fn a_limit_that_a_child_has_met_is_evidence() {
    let repo = Repo::with(&[("a.txt", "base\n")]);
    let bomb = r#"(for i in $(seq 1200); do sleep 2 & done) 2> /dev/null; echo done > "$1""#;
    let _ = repo.run(&one_each(bomb)).code(0);
    let worker = repo.task("all:a.txt")["attempts"][0]["worker"].clone();
    let enforced = worker["enforced"].to_string();
    if !needs::have(
        "control groups that this user may make",
        enforced.contains("processes: cgroup v"),
    ) {
        return;
    }
    let met = worker["limits"][0].as_str().unwrap();
    assert!(
        met.starts_with("processes 1024: ") && met.ends_with(" not started"),
        "{met}"
    );
    let shown = repo.seawall(&["show", "all:a.txt"]).code(0);
    shown.says(&["exit status 0 after", "limit met: processes 1024: "]);
}

/// A worker that puts out `mebibytes`; the most memory that the supervisor ever had, in kibibytes, and the size of the log.
fn flood(mebibytes: u32) -> (u64, u64) {
    let repo = Repo::with(&[("a.txt", "base\n")]);
    let flood = format!(r#"head -c {mebibytes}M /dev/zero; echo done > "$1""#);
    let plan = repo.plan(&one_each(&flood));
    let mut run = repo.command(SEAWALL);
    run.arg("run").arg(plan).stdout(Stdio::null());
    let most = high_water(&mut run);
    let log = repo.dir().join(".git/seawall/runs");
    (most, disk(&log))
}

/// Runs a command to its end and watches the most memory that it has had.
fn high_water(command: &mut Command) -> u64 {
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        // The line is not there any more once it has exited.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let seen = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most = seen.unwrap_or(0).max(most);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return most;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Bytes on the disk below a directory.
fn disk(directory: &Path) -> u64 {
    let mut all = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        all += found.blocks() * 512;
        if found.is_dir() {
            all += disk(&path);
        }
    }
    all
}

#[test]
fn a_flood_of_output_grows_neither_the_supervisor_nor_the_disk() {
    let (dry, _) = flood(0);
    let (wet, disk) = flood(200);
    assert!(wet < dry + (8 << 10), "{dry} KiB without, {wet} KiB with");
    assert!(disk < 32 << 20, "{disk} bytes are kept");
}
