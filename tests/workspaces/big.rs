//! 60,000 files: three tasks cost what they change, in space and in memory. What it takes in time is for the benches to say.
//!
//! The repository lies in memory where there is room: removing so many files from a disk takes longer than the test.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;

use crate::common::{Running, only_run, said, wait_until};
use crate::support::Repo;

const FILES: usize = 60_000;

/// Bytes that one workspace may take.
const WORKSPACE: u64 = 1 << 20;

/// KiB of the supervisor, built for debugging, at its largest.
const MEMORY: u64 = 256 << 10;

/// A checkout of generated files, by way of one stream.
fn generated() -> Repo {
    let repo = Repo::in_memory();
    let mut import = repo.command("git");
    import
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped());
    let mut child = import.spawn().unwrap();
    let mut stream = std::io::BufWriter::new(child.stdin.take().unwrap());
    writeln!(
        stream,
        "commit refs/heads/main\ncommitter a user <user@example.org> 1700000000 +0000\ndata 4\nbase"
    )
    .unwrap();
    for n in 0..FILES {
        let text = format!("file {n} is old\n");
        writeln!(
            stream,
            "M 100644 inline d{}/s{}/f{n}.txt\ndata {}\n{text}",
            n % 20,
            n % 600,
            text.len()
        )
        .unwrap();
    }
    stream.flush().unwrap();
    drop(stream);
    assert!(child.wait().unwrap().success());
    repo.git(&["checkout", "-q", "-f", "main"]);
    repo
}

const PLAN: &str = r#"
version = 1
name = "big"
goal = "three files are new"
[sandbox]
read = ["GATE"]
[agent.edit]
run = ["sh", "-ec", '''
sed 's/old/new/' "$1" > "$TMPDIR/new" && cat "$TMPDIR/new" > "$1"
test "$(find . -name '*.txt' | wc -l)" = 60000
git status --porcelain
while [ -e GATE/worker ]; do sleep 0.02; done''', "edit", "{file}"]
[[checkpoint]]
says = "all files are there"
run = "test $(ls d*/s* | grep -c txt) = 60000"
"#;

fn plan(repo: &Repo) -> String {
    let mut text = PLAN.replace("GATE", repo.root().join("gate").to_str().unwrap());
    for n in [0, 1, 599] {
        text += &format!(
            "[[task]]\nid = \"t{n}\"\nfile = \"d{}/s{n}/f{n}.txt\"\nprompt = \"say new\"\n{}\
             [[task.check]]\nsays = \"it says new\"\nrun = \"grep -q new {{file}}\"\n",
            n % 20,
            if n == 599 { "after = [\"t0\"]\n" } else { "" },
        );
    }
    text
}

#[test]
fn sixty_thousand_files_cost_what_changes() {
    let repo = generated();
    fs::create_dir(repo.root().join("gate")).unwrap();
    fs::write(repo.root().join("gate/worker"), "").unwrap();
    let plan = repo.plan(&plan(&repo));
    let run = Running::start(&repo, &["run", plan.to_str().unwrap(), "--jobs", "2"]);
    let logs = |n: u32| only_run(&repo).map(|run| run.join(format!("logs/attempt-{n}.log")));
    let shown = |n: u32| {
        logs(n)
            .and_then(|log| fs::metadata(log).ok())
            .map_or(0, |m| m.len())
    };
    wait_until("two workers have looked at everything", || {
        shown(1) > 0 && shown(2) > 0
    });
    let dir = only_run(&repo).unwrap();
    for attempt in ["attempts/1", "attempts/2"] {
        let cost = blocks(&dir.join(attempt));
        assert!(cost < WORKSPACE, "{attempt} takes {cost} bytes");
    }
    let memory = most_memory(run.pid());
    fs::remove_file(repo.root().join("gate/worker")).unwrap();
    assert_eq!(run.code(), Some(0), "{}", said(&repo));
    assert!(memory < MEMORY, "the supervisor took {memory} KiB");
    let status = repo.status();
    status.assert_all_fine();
    assert_eq!(status.text("workspaces"), "overlay");
    let log = fs::read_to_string(logs(1).unwrap()).unwrap();
    assert_eq!(
        log.lines().count(),
        1,
        "git sees the own change alone: {log}"
    );
    let stat = repo.git(&["diff", "--shortstat", "main", status.text("branch")]);
    assert!(
        stat.contains("3 files changed, 3 insertions(+), 3 deletions(-)"),
        "{stat}"
    );
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), status.text("base"));
}

/// Bytes of disk blocks below a directory.
fn blocks(path: &Path) -> u64 {
    // A worker makes and removes files meanwhile, such as git's locks.
    let Ok(found) = fs::symlink_metadata(path) else {
        return 0;
    };
    let mut sum = found.blocks() * 512;
    if found.is_dir() {
        // Nobody may enter the work directory of an overlay, and the kernel keeps nothing there.
        for entry in fs::read_dir(path).into_iter().flatten() {
            sum += blocks(&entry.unwrap().path());
        }
    }
    sum
}

/// The largest resident set of a process so far, in KiB.
fn most_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let words = line.unwrap().split_whitespace().next().unwrap();
    words.parse().unwrap()
}
