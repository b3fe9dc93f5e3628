//! The command line: what every command says, in words and as JSON, and the exit code that a script relies on. Each
//! exit code comes from a real situation; what the user typed wrongly is answered with the nearest right thing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test file uses its part of what they share")]
mod support;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use support::traces::{Mine, assert_clean};
use support::{Output, Repo, SEAWALL};

/// A plan with one agent that does what a task's prompt says in shell.
fn plan(tasks: &str) -> String {
    format!(
        r#"
version = 1
name = "small"
goal = "every file says new"
[defaults]
attempts = 1
[agent.shell]
run = ["sh", "-c", '''printf 'new\n' > "$1"''', "shell", "{{file}}"]
[agent.idle]
run = ["true"]
[[checkpoint]]
says = "the marker is there"
run = "test -e marker"
{tasks}"#
    )
}

/// A task that `agent` does on `file`.
fn task(id: &str, file: &str, agent: &str) -> String {
    format!(
        r#"
[[task]]
id = "{id}"
file = '{file}'
agent = "{agent}"
prompt = "say new"
  [[task.check]]
  says = "the file says new"
  run = "grep -qx new {{file}}"
"#
    )
}

fn two() -> String {
    plan(&(task("first", "a", "shell") + &task("second", "b", "shell")))
}

fn repo() -> Repo {
    Repo::with(&[("a", "old\n"), ("b", "old\n"), ("marker", "")])
}

/// A repository with a finished run of two tasks, and the run's id.
fn finished() -> (Repo, String) {
    let repo = repo();
    let _ = repo.run(&two()).code(0);
    let id = repo.status().run().to_owned();
    (repo, id)
}

#[track_caller]
fn has(value: &Value, members: &[&str]) {
    for member in members {
        assert!(value.get(member).is_some(), "no `{member}` in {value:#}");
    }
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_str(&output.out).unwrap_or_else(|e| panic!("{e}: {output}"))
}

#[test]
fn every_command_has_help_and_unknown_words_have_a_neighbour() {
    let repo = repo();
    let all = repo.seawall(&["--help"]).code(0);
    for command in [
        "check",
        "waves",
        "run",
        "resume",
        "status",
        "show",
        "log",
        "land",
        "gc",
        "exec",
        "doctor",
        "schema",
        "explain",
        "demo",
        "completions",
    ] {
        assert!(
            all.out.contains(&format!("\n  {command} ")),
            "{command}: {all}"
        );
        let help = repo.seawall(&[command, "--help"]).code(0);
        assert!(help.out.contains("Usage: seawall "), "{help}");
    }
    let _ = repo.seawall(&["--version"]).code(0).says(&["seawall 0."]);
    let _ = repo.seawall::<&str>(&[]).code(2).says(&["Usage: seawall"]);
    let _ = repo.seawall(&["statsu"]).code(2).says(&["'status'"]);
    let _ = repo.seawall(&["status", "--jsn"]).code(2).says(&["--json"]);
    let _ = repo.seawall(&["run"]).code(2).says(&["<PLAN>"]);
    let _ = repo.seawall(&["run", "x", "--jobs", "0"]).code(2);
    let _ = repo.seawall(&["run", "x", "--quiet", "--json"]).code(2);
    let _ = repo.seawall(&["show"]).code(2);
    let _ = repo.seawall(&["exec"]).code(2);
    let _ = repo
        .seawall(&["completions", "csh"])
        .code(2)
        .says(&["bash"]);
}

#[test]
fn unknown_names_are_answered_with_the_nearest_known_one() {
    let (repo, id) = finished();
    let _ = repo
        .seawall(&["status", "zzzzzzzz"])
        .code(2)
        .says(&["no run `zzzzzzzz`", "help:"]);
    let near = format!("{}z", &id[..3]);
    let _ = repo
        .seawall(&["status", &near])
        .code(2)
        .says(&[&format!("did you mean `{id}`?")]);
    let _ = repo
        .seawall(&["show", "frist"])
        .code(2)
        .says(&["no task `frist`", "did you mean `first`?"]);
    let _ = repo
        .seawall(&["show", "zzzzzzzzzz"])
        .code(2)
        .says(&["`seawall status` lists the tasks"]);
    let _ = repo
        .seawall(&["show", "nope", "first"])
        .code(2)
        .says(&["no run `nope`"]);
    let _ = repo
        .seawall(&["explain", "SW104"])
        .code(2)
        .says(&["did you mean `SW0104`?"]);
    let _ = repo
        .seawall(&["explain", "nonsense-of-some-length"])
        .code(2)
        .says(&["lists them all"]);
    let _ = repo
        .seawall(&["exec", "--profile", "wrker", "--", "true"])
        .code(2)
        .says(&["did you mean `worker`?"]);
    let _ = repo
        .seawall(&["gc", "--abandon", "zzzz"])
        .code(2)
        .says(&["no run `zzzz`"]);
    let _ = repo
        .seawall(&["land", "--onto", "mian"])
        .code(2)
        .says(&["no branch `mian`"]);
    let _ = repo.seawall(&["resume", &id]).code(2).says(&["has ended"]);
}

#[test]
fn a_run_is_named_by_the_beginning_of_its_id() {
    let (repo, id) = finished();
    for command in ["status", "log"] {
        let _ = repo.seawall(&[command, &id[..2]]).code(0);
        let _ = repo.seawall(&[command, &id]).code(0);
        let _ = repo.seawall(&[command, ""]).code(2);
    }
    let _ = repo
        .seawall(&["show", &id[..3], "first"])
        .code(0)
        .says(&["first", "accepted"]);
    repo.seawall(&["land", &id[..3]]).code(0).says(&["moved"]);
}

#[test]
fn json_has_the_documented_members() {
    let (repo, id) = finished();
    let status = repo.status();
    has(
        &status.0,
        &[
            "run",
            "state",
            "base",
            "onto",
            "branch",
            "head",
            "tasks",
            "counts",
            "dispatches",
            "checkpoints",
            "wall_ms",
            "plan",
            "plan_digest",
        ],
    );
    assert_eq!(
        (status.run(), status.text("state"), status.text("onto")),
        (&*id, "finished", "main")
    );
    assert_eq!(status.text("branch"), format!("seawall/small/{id}"));
    assert_eq!(
        status.text("head"),
        repo.git(&["rev-parse", status.text("branch")])
    );
    for (n, id) in ["first", "second"].into_iter().enumerate() {
        let task = status.task(id);
        has(
            task,
            &[
                "id",
                "wave",
                "verdict",
                "reason",
                "dispatches",
                "evidence",
                "paths",
            ],
        );
        assert_eq!(
            (task["wave"].as_u64(), task["verdict"].as_str()),
            (Some(1), Some("accepted"))
        );
        assert_eq!(task["paths"][0], ["a", "b"][n]);
        has(
            &task["evidence"][0],
            &[
                "says", "command", "proof", "base", "value", "why", "exit", "ms", "tail",
            ],
        );
    }
    let show = repo.task("first");
    has(&show, &["attempts", "diff"]);
    assert!(
        show["diff"].as_str().unwrap().contains("-old\n+new"),
        "{show:#}"
    );
    let log = repo.seawall(&["log", "--json"]).code(0);
    for (n, line) in log.out.lines().enumerate() {
        let record: Value = serde_json::from_str(line).unwrap();
        has(&record, &["seq", "at", "prev", "body", "sum"]);
        assert_eq!(record["seq"], n);
    }
    has(
        &repo.json(&["doctor", "--json"]),
        &["usable", "features", "kernel", "landlock_abi"],
    );
    has(
        &repo.json(&["gc", "--dry-run", "--json"])["runs"][0],
        &["run", "removed", "rescued", "why"],
    );
    let land = repo.json(&["land", "--json"]);
    has(&land, &["run", "branch", "moved", "from", "to", "files"]);
    assert_eq!(
        (land["moved"].as_bool(), land["files"].as_u64()),
        (Some(true), Some(2))
    );
    assert_eq!(repo.json(&["land", "--json"])["moved"], false);
}

#[test]
fn plans_are_told_about_in_json() {
    let repo = repo();
    let good = repo.plan(&two());
    let good = good.to_str().unwrap();
    let waves = repo.json(&["waves", good, "--json"]);
    assert_eq!(waves["waves"][0]["tasks"].as_array().unwrap().len(), 2);
    let told = repo.json(&["check", good, "--json"]);
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!(told[0]["code"], "SW0212", "two files in one wave");
    let run = repo.seawall(&["run", good, "--json"]).code(0);
    let lines: Vec<Value> = run
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 10, "{run}");
    assert_eq!(run.err, "");
    let bad = repo.plan(&two().replace("goal", "gaol"));
    let told = json(
        &repo
            .seawall(&["check", bad.to_str().unwrap(), "--json"])
            .code(2),
    );
    for problem in told.as_array().unwrap() {
        has(
            problem,
            &[
                "code", "severity", "message", "file", "line", "column", "help",
            ],
        );
    }
    let unknown = told
        .as_array()
        .unwrap()
        .iter()
        .find(|problem| problem["code"] == "SW0102")
        .unwrap();
    assert_eq!(
        (unknown["line"].as_u64(), unknown["column"].as_u64()),
        (Some(4), Some(1)),
        "{unknown:#}"
    );
    assert!(unknown["help"].as_str().unwrap().contains("`goal`"));
    let schema = repo.json(&["schema"]);
    has(&schema, &["$schema", "$defs", "properties", "required"]);
}

#[test]
fn a_mistake_in_the_decisions_names_their_file_for_programs_too() {
    let repo = repo();
    repo.write(
        ".seawall/decisions.toml",
        "[[decision]]\nsays = 'x'\nbecause = 'y'\n\n[[decision]]\nsaid = 'x'\n",
    );
    repo.commit("decisions");
    let path = repo.plan(&two());
    let args = ["check".as_ref(), "--json".as_ref(), path.as_os_str()];
    let told = repo.seawall(&args).code(2);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    let all = told["diagnostics"]
        .as_array()
        .unwrap_or_else(|| told.as_array().unwrap());
    let wrong = all.iter().find(|d| d["code"] == "SW0102").unwrap();
    assert_eq!(wrong["file"], ".seawall/decisions.toml", "{wrong:#}");
    assert_eq!(
        (wrong["line"].as_u64(), wrong["column"].as_u64()),
        (Some(6), Some(1))
    );
    assert!(
        all.iter().all(|d| d["file"] == ".seawall/decisions.toml"),
        "{told:#}"
    );
}

#[test]
fn explain_knows_every_code_that_check_can_say() {
    let repo = repo();
    let list = repo.seawall(&["explain"]).code(0);
    assert!(list.out.lines().count() > 20, "{list}");
    for line in list.out.lines() {
        let code = line.split_whitespace().next().unwrap();
        let page = repo
            .seawall(&["explain", &code.to_lowercase()])
            .code(0)
            .says(&[code, "\nwrong\n", "\nright\n"]);
        assert_eq!(page.err, "");
    }
}

/// Exit codes 0, 1, 2, 3 and 4; 5 and 130 have tests of their own.
#[test]
fn a_run_ends_with_the_code_of_its_worst_task() {
    let ends = |tasks: &str, code| {
        let repo = repo();
        let mine = Mine::of(&repo);
        let out = repo.run(&plan(tasks)).code(code);
        mine.assert_untouched(&repo);
        (repo, out)
    };
    let good = task("first", "a", "shell");
    let (_, out) = ends(&good, 0);
    let _ = out.says(&["1 accepted", "seawall land"]);
    let (repo, out) = ends(&(good.clone() + &task("second", "b", "idle")), 1);
    let _ = out.says(&["1 accepted, 1 rejected", "seawall show"]);
    assert_eq!(repo.status().word("second"), "rejected no-change 1");
    let manual = "  [[task.check]]\n  says = \"a person likes it\"\n  proof = \"manual\"\n";
    let bad = task("second", "b", "idle");
    let (repo, _) = ends(&(good.clone() + manual + &bad), 4);
    assert_eq!(repo.status().word("first"), "needs-human needs-human 1");
    let (repo, out) = ends(&good.replace("'a'", "'nothing'"), 2);
    let _ = out.says(&["error[SW", "is refused"]);
    let _ = repo
        .seawall(&["status"])
        .code(2)
        .says(&["no run in this repository"]);
}

#[test]
fn a_base_that_fails_its_own_checkpoint_is_refused() {
    let repo = Repo::with(&[("a", "old\n")]);
    let _ = repo
        .run(&plan(&task("first", "a", "shell")))
        .code(2)
        .says(&["the marker is there"]);
    let status = repo.status();
    assert_eq!(
        (status.text("state"), status.0["dispatches"].as_u64()),
        ("refused", Some(0))
    );
    let _ = repo.seawall(&["resume"]).code(2).says(&["has ended"]);
    let _ = repo.seawall(&["land"]).code(2).says(&["nothing to land"]);
    let _ = repo.seawall(&["gc"]).code(0).says(&["removed"]);
}

/// A run in the background; killed when dropped.
struct Running(Child);

impl Running {
    /// The exit code, once it ends.
    fn code(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Dead already unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A run that waits in its checkpoint check until the file `go` is there.
fn waiting(repo: &Repo) -> (Running, PathBuf) {
    let gate = repo.root().join("gate");
    fs::create_dir(&gate).unwrap();
    let text = two()
        .replace(
            "[[checkpoint]]",
            &format!("[sandbox]\nread = [\"{}\"]\n[[checkpoint]]", gate.display()),
        )
        .replace(
            "test -e marker",
            &format!("until test -e {}/go; do sleep 0.02; done", gate.display()),
        );
    let plan = repo.plan(&text);
    let mut command = repo.command(SEAWALL);
    command
        .arg("run")
        .arg(plan)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = Running(command.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let log = repo.seawall(&["log"]);
        if log.out.contains("issued  integrate") {
            return (child, gate.join("go"));
        }
        assert!(Instant::now() < deadline, "{log}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn interrupted_is_130_and_goes_on() {
    let repo = repo();
    let (child, go) = waiting(&repo);
    assert_eq!(repo.status().text("state"), "running");
    kill(
        Pid::from_raw(i32::try_from(child.0.id()).unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    assert_eq!(child.code(), Some(130));
    assert_eq!(repo.status().text("state"), "interrupted");
    let _ = repo
        .seawall(&["gc"])
        .code(0)
        .says(&["kept", "it can be resumed"]);
    fs::write(go, "").unwrap();
    let _ = repo
        .seawall(&["resume", "--quiet"])
        .code(0)
        .says(&["2 accepted"]);
    assert_clean(&repo);
}

/// The world refuses a step: here somebody put a file where workspaces are made.
#[test]
fn parked_is_5_and_goes_on() {
    let repo = repo();
    let (child, go) = waiting(&repo);
    let run = repo.run_dir(repo.status().run());
    fs::remove_dir(run.join("attempts")).unwrap();
    fs::write(run.join("attempts"), "in the way").unwrap();
    fs::write(go, "").unwrap();
    assert_eq!(child.code(), Some(5));
    let status = repo.status();
    assert_eq!(status.text("state"), "parked");
    assert!(status.text("parked").contains("attempts"), "{:#}", status.0);
    let _ = repo
        .seawall(&["resume"])
        .code(5)
        .says(&["parked", "seawall resume"]);
    fs::remove_file(run.join("attempts")).unwrap();
    fs::create_dir(run.join("attempts")).unwrap();
    let _ = repo.seawall(&["resume"]).code(0);
    repo.status().assert_all_fine();
    assert_clean(&repo);
}

#[test]
fn a_place_without_a_repository_is_wrong_usage() {
    let repo = repo();
    let plan = repo.plan(&two());
    let outside = repo.root().join("home");
    for (dir, word) in [
        (outside.as_path(), "not inside a git repository"),
        (Path::new("/nonexistent"), "/nonexistent"),
        (plan.as_path(), "plan-0.toml"),
    ] {
        let args = [
            OsStr::new("--repo"),
            dir.as_os_str(),
            OsStr::new("check"),
            plan.as_os_str(),
        ];
        let _ = repo.seawall(&args).code(2).says(&[word]);
    }
    // `--repo` may stand anywhere, and name any directory of the checkout.
    fs::create_dir(repo.dir().join("deep")).unwrap();
    let mut command = repo.command(SEAWALL);
    command
        .current_dir("/")
        .arg("check")
        .arg(&plan)
        .arg("--repo")
        .arg(repo.dir().join("deep"));
    let _ = Output::of(&mut command).code(0).says(&["can be run"]);
}

#[test]
fn a_repository_without_a_commit_is_refused() {
    let repo = Repo::new();
    let _ = repo.run(&two()).code(2).says(&["commit"]);
    let _ = repo.seawall(&["status"]).code(2).says(&["no run"]);
    let _ = repo.seawall(&["gc"]).code(0).says(&["no run"]);
}

#[test]
fn a_bare_repository_can_be_run_in() {
    let repo = repo();
    let bare = repo.root().join("bare.git");
    repo.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let plan = repo.plan(&two());
    let at = |args: &[&OsStr]| {
        let mut command = repo.command(SEAWALL);
        Output::of(command.current_dir(&bare).args(args))
    };
    let _ = at(&["run".as_ref(), plan.as_os_str()])
        .code(0)
        .says(&["2 accepted"]);
    let _ = at(&["land".as_ref()]).code(0).says(&["moved"]);
    repo.git(&["fetch", "-q", bare.to_str().unwrap(), "main"]);
    assert_eq!(repo.show("FETCH_HEAD", "a").as_deref(), Some("new\n"));
}

#[test]
fn a_linked_worktree_lands_in_its_own_branch() {
    let repo = repo();
    let linked = repo.root().join("linked");
    repo.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "side",
        linked.to_str().unwrap(),
    ]);
    let mine = Mine::of(&repo);
    let plan = repo.plan(&two());
    let at = |args: &[&OsStr]| {
        let mut command = repo.command(SEAWALL);
        Output::of(command.current_dir(&linked).args(args))
    };
    let _ = at(&["run".as_ref(), plan.as_os_str()]).code(0);
    assert_eq!(
        repo.status().text("onto"),
        "side",
        "the run is known in the main checkout too"
    );
    mine.assert_untouched(&repo);
    let _ = at(&["land".as_ref()]).code(0).says(&["`side` moved"]);
    assert_eq!(fs::read_to_string(linked.join("a")).unwrap(), "new\n");
    assert_eq!(repo.read("a"), "old\n");
    assert_eq!(
        repo.git(&["-C", linked.to_str().unwrap(), "status", "--porcelain"]),
        ""
    );
}

#[test]
fn a_detached_head_lands_where_it_is_told() {
    let repo = repo();
    repo.git(&["checkout", "-q", "--detach"]);
    let _ = repo.run(&two()).code(0);
    assert!(repo.status().0["onto"].is_null());
    let _ = repo
        .seawall(&["land"])
        .code(2)
        .says(&["no branch was checked out", "--onto"]);
    let _ = repo
        .seawall(&["land", "--onto", "main"])
        .code(0)
        .says(&["not checked out"]);
    assert_eq!(repo.show("main", "a").as_deref(), Some("new\n"));
    assert_eq!(repo.read("a"), "old\n");
}

#[test]
fn a_dirty_tree_is_told_and_left_alone() {
    let repo = repo();
    repo.write("a", "half done\n");
    repo.write("untracked", "mine\n");
    let mine = Mine::of(&repo);
    let plan = repo.plan(&two());
    let _ = repo
        .seawall(&["check".as_ref(), plan.as_os_str()])
        .code(0)
        .says(&["SW0201", "`a`"]);
    let _ = repo.run(&two()).code(0).says(&["SW0201"]);
    mine.assert_untouched(&repo);
    let _ = repo
        .seawall(&["land"])
        .code(2)
        .says(&["`a`", "commit or stash"]);
    mine.assert_untouched(&repo);
    repo.git(&["checkout", "-q", "a"]);
    let _ = repo.seawall(&["land"]).code(0);
    assert_eq!(
        (repo.read("a"), repo.read("untracked")),
        ("new\n".to_owned(), "mine\n".to_owned())
    );
    assert_eq!(repo.git(&["status", "--porcelain"]), "?? untracked");
}

#[test]
fn land_goes_forward_only() {
    let (repo, id) = finished();
    repo.write("c", "meanwhile\n");
    repo.commit("meanwhile");
    let mine = Mine::of(&repo);
    let _ = repo
        .seawall(&["land"])
        .code(2)
        .says(&["has moved", "merge or rebase"]);
    let _ = repo
        .seawall(&["land", "--onto", "elsewhere"])
        .code(2)
        .says(&["no branch `elsewhere`"]);
    mine.assert_untouched(&repo);
    repo.git(&["branch", "behind", "HEAD~1"]);
    let _ = repo
        .seawall(&["land", "--onto", "behind"])
        .code(0)
        .says(&["`behind` moved"]);
    assert_eq!(
        repo.git(&["rev-parse", "behind"]),
        repo.git(&["rev-parse", &format!("seawall/small/{id}")])
    );
    assert_eq!(repo.read("a"), "old\n");
}

#[test]
fn land_refuses_in_the_middle_of_a_merge() {
    let (repo, _) = finished();
    fs::write(
        repo.dir().join(".git/MERGE_HEAD"),
        repo.git(&["rev-parse", "HEAD"]),
    )
    .unwrap();
    let _ = repo.seawall(&["land"]).code(2).says(&["merge"]);
    assert_eq!(repo.read("a"), "old\n");
}

#[test]
fn gc_removes_what_ended_and_rescues_what_did_not_land() {
    let repo = repo();
    let liar = "[agent.liar]\nrun = [\"sh\", \"-c\", 'echo newer > \"$1\"', \"liar\", \"{file}\"]\n[agent.idle]";
    let lies = plan(&(task("first", "a", "shell") + &task("second", "b", "liar")))
        .replace("[agent.idle]", liar);
    let _ = repo.run(&lies).code(1);
    let run = repo.status().run().to_owned();
    let _ =
        repo.seawall(&["gc", "--dry-run"])
            .code(0)
            .says(&[&run, "would be removed", "1 harvest"]);
    assert!(repo.run_dir(&run).exists());
    let _ = repo
        .seawall(&["gc"])
        .code(0)
        .says(&[&run, "removed", "refs/seawall/rescue"]);
    assert!(!repo.run_dir(&run).exists());
    let refs = repo.git(&["for-each-ref", "--format=%(refname)", "refs/seawall"]);
    assert_eq!(refs.lines().count(), 1, "{refs}");
    assert_eq!(
        repo.show(&refs, "b").as_deref(),
        Some("newer\n"),
        "the harvest that was rejected"
    );
    let branch = format!("seawall/small/{run}");
    assert_eq!(
        repo.show(&branch, "a").as_deref(),
        Some("new\n"),
        "checkpoints stay"
    );
    let _ = repo
        .seawall(&["gc"])
        .code(0)
        .says(&["no run in this repository"]);
    assert_clean(&repo);
}

#[test]
fn exec_confines_and_passes_the_status_on() {
    let repo = repo();
    let sh = |args: &[&str], script: &str| {
        let all: Vec<&str> = ["exec"]
            .iter()
            .chain(args)
            .copied()
            .chain(["--", "sh", "-c", script])
            .collect();
        repo.seawall(&all)
    };
    let _ = sh(&[], "exit 0").code(0);
    let _ = sh(&[], "exit 7").code(7);
    let _ = sh(&[], "kill -KILL $$").code(128 + 9);
    let _ = repo
        .seawall(&["exec", "--", "no-such-program"])
        .code(127)
        .says(&["no-such-program"]);
    let _ = repo
        .seawall(&["exec", "--dir", "/nonexistent", "--", "true"])
        .code(2)
        .says(&["/nonexistent"]);
    let _ = repo
        .seawall(&["exec", "--write", "nowhere", "--", "true"])
        .code(2)
        .says(&["nowhere"]);
    let said = sh(&[], "cat a; pwd").code(0);
    assert_eq!(said.out, format!("old\n{}\n", repo.dir().display()));
    let _ = sh(&[], "echo x > a")
        .code(2)
        .says(&["Read-only file system"]);
    let _ = sh(&["--no-namespaces"], "echo x > a")
        .code(2)
        .says(&["ermission denied"]);
    let _ = sh(
        &["--write", "a"],
        "echo x > a && ! echo x > b && ! echo x > c && ! rm a",
    )
    .code(0);
    assert_eq!(
        (repo.read("a"), repo.read("b")),
        ("x\n".to_owned(), "old\n".to_owned())
    );
    let secret = repo.root().join("home/secret");
    fs::write(&secret, "hidden\n").unwrap();
    let secret = secret.to_str().unwrap();
    let look = format!("cat {secret}");
    let _ = sh(&[], &look).code(1);
    assert_eq!(sh(&["--read", secret], &look).code(0).out, "hidden\n");
    let _ = sh(&["--read", secret], &format!("echo x > {secret}")).code(2);
    let _ = sh(
        &["--profile", "worker-rename"],
        "echo y > fresh && mv fresh b",
    )
    .code(0);
    assert_eq!(repo.read("b"), "y\n");
}

#[test]
fn exec_reads_standard_input_and_keeps_arguments_as_they_are() {
    use std::io::Write as _;
    let repo = repo();
    let mut command = repo.command(SEAWALL);
    command
        .args(["exec", "--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"through\n").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"through\n");
    let odd = OsStr::from_bytes(b"a b\n\xff'$HOME");
    let args = ["exec", "--", "printf", "%s|"].map(OsStr::new);
    let mut command = repo.command(SEAWALL);
    let out = command.args(args).arg(odd).arg("--json").output().unwrap();
    assert_eq!(out.stdout, [odd.as_bytes(), b"|--json|"].concat());
}

#[test]
fn completions_are_there_for_every_shell() {
    let repo = repo();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = repo
            .seawall(&["completions", shell])
            .code(0)
            .says(&["seawall", "resume", "dry-run"]);
        assert_eq!(script.err, "");
    }
}

/// A reader that goes away is not an error and not worth a word; a run goes on without it.
#[test]
fn a_broken_pipe_is_silent() {
    let (repo, _) = finished();
    let plan = repo.plan(&two());
    let run = format!("run {}", plan.display());
    for command in [
        "log",
        "log --json",
        "schema",
        "explain",
        "--help",
        "status --json",
        "completions bash",
        "doctor",
        &run,
    ] {
        let mut shell = repo.command("bash");
        let script = format!("set -o pipefail; {SEAWALL} {command} | head -c 1 > /dev/null");
        let out = Output::of(shell.args(["-c", &script])).code(0);
        assert_eq!(out.err, "", "{command}: {out}");
    }
    assert_eq!(repo.status().count("accepted"), 2, "the run was finished");
    let mut shell = repo.command("bash");
    let script = format!("{SEAWALL} run {} >&- 2>&- <&-", plan.display());
    let _ = Output::of(shell.args(["-c", &script])).code(0);
    assert_clean(&repo);
}

#[test]
fn nothing_is_coloured_in_a_pipe() {
    let repo = repo();
    let bad = repo.plan("version = 1\nnmae = 3\n");
    let plan = repo.plan(&two());
    let (bad, plan) = (bad.to_str().unwrap(), plan.to_str().unwrap());
    for args in [
        &["check", bad][..],
        &["run", bad],
        &["run", plan],
        &["status"],
        &["show", "first"],
        &["log"],
        &["waves", plan],
        &["--help"],
        &["nonsense"],
    ] {
        let said = repo.seawall(args);
        assert!(
            !said.out.contains('\x1b') && !said.err.contains('\x1b'),
            "{said}"
        );
    }
}

/// What a command prints on a terminal, by script(1).
fn on_a_terminal(repo: &Repo, name: &str, value: &str, command: &str) -> String {
    let mut script = repo.command("script");
    script.env("TERM", "xterm-256color").env(name, value);
    let out = script
        .args(["-qec", command, "/dev/null"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn a_terminal_has_colour_unless_no_color_is_set() {
    let repo = repo();
    let there = repo.command("script").arg("--version").output();
    if there.is_err() {
        return support::skip(
            "a_terminal_has_colour_unless_no_color_is_set",
            "there is no script(1)",
        );
    }
    let bad = repo.plan("version = 1\nnmae = 3\n");
    let check = format!("{SEAWALL} check {}", bad.display());
    let coloured = on_a_terminal(&repo, "NO_COLOR", "", &check);
    assert!(coloured.contains("\x1b["), "{coloured}");
    let plain = on_a_terminal(&repo, "NO_COLOR", "1", &check);
    assert!(
        plain.contains("SW0102") && !plain.contains('\x1b'),
        "{plain}"
    );
    let run = format!("{SEAWALL} run {}", repo.plan(&two()).display());
    let live = on_a_terminal(&repo, "NO_COLOR", "", &run);
    assert!(live.contains("2 accepted") && live.contains('\r'), "{live}");
}

#[test]
fn nonsense_is_no_plan() {
    let repo = repo();
    let plans = repo.root().join("plans");
    let path = |name: &str| plans.join(name);
    fs::write(path("binary"), b"\x7fELF\x00\xff\xfe").unwrap();
    fs::write(path("empty"), b"").unwrap();
    fs::write(path("nul"), b"version = 1\n\0\n").unwrap();
    fs::write(path("toml"), b"version = [[[[").unwrap();
    fs::write(
        path("deep"),
        [b"x = ".as_slice(), &b"[".repeat(200_000)].concat(),
    )
    .unwrap();
    fs::write(path("long"), b"# a comment\n".repeat(1 << 20)).unwrap();
    fs::File::create(path("huge"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    fs::create_dir(path("dir")).unwrap();
    std::os::unix::fs::symlink("loop", path("loop")).unwrap();
    nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for name in [
        "binary", "empty", "nul", "toml", "deep", "long", "huge", "dir", "loop", "fifo", "missing",
    ] {
        for command in ["check", "waves", "run"] {
            let file = path(name);
            let out = repo
                .seawall(&[OsStr::new(command), file.as_os_str()])
                .code(2);
            assert!(
                out.err.contains("error") && out.err.contains(name),
                "{name}: {out}"
            );
            assert!(out.err.len() < 20_000, "{name}: a flood");
            assert!(!out.err.contains("panicked"), "{out}");
        }
    }
    let _ = repo.seawall(&["status"]).code(2).says(&["no run"]);
}

/// The path of a repository may hold anything.
#[test]
fn a_repository_may_lie_anywhere() {
    for name in [
        &b"two words"[..],
        b"line\nbreak",
        b"caf\xe9",
        b"'quote\"$HOME`",
        b"-rf",
        b"a:b",
        b"\xe2\x80\xae",
    ] {
        let repo = Repo::named(OsStr::from_bytes(name));
        for file in ["a", "b", "marker"] {
            repo.write(file, "old\n");
        }
        repo.commit("base");
        let mine = Mine::of(&repo);
        let out = repo.run(&two()).code(0).says(&["2 accepted"]);
        assert!(!out.out.contains('\u{202e}'), "{out}");
        mine.assert_untouched(&repo);
        let _ = repo.seawall(&["land"]).code(0);
        assert_eq!(repo.read("a"), "new\n");
        assert_clean(&repo);
    }
}

/// Names of files are bytes. In a plan they are escaped, as everywhere where they are shown.
#[test]
fn file_names_are_bytes() {
    let names: [(&[u8], &str); 5] = [
        (b"caf\xe9", r"caf\xe9"),
        (b"two\nlines", r"two\x0alines"),
        (b"-rf", "-rf"),
        (b"sp ace/$(touch x)", "sp ace/$(touch x)"),
        (b"back\\slash", r"back\\slash"),
    ];
    let repo = repo();
    let mut tasks = String::new();
    for (n, (bytes, shown)) in names.iter().enumerate() {
        repo.write(Path::new(OsStr::from_bytes(bytes)), "old\n");
        tasks += &task(&format!("t{n}"), shown, "shell").replace("grep -qx new", "grep -qx new --");
    }
    repo.commit("names");
    let text = plan(&tasks).replace("> \"$1\"", "> \"./$1\"");
    let out = repo.run(&text).code(0).says(&["5 accepted"]);
    assert!(!out.out.contains("two\nlines"), "{out}");
    let status = repo.status();
    for (n, (_, shown)) in names.iter().enumerate() {
        assert_eq!(status.task(&format!("t{n}"))["paths"][0], *shown);
    }
    let _ = repo.seawall(&["land"]).code(0);
    for (bytes, _) in names {
        let path = repo.dir().join(OsString::from_vec(bytes.to_vec()));
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "new\n",
            "{}",
            path.display()
        );
    }
    assert!(!repo.dir().join("x").exists());
    assert_clean(&repo);
}

#[test]
fn a_run_in_another_directory_is_the_same() {
    let repo = repo();
    let plan = repo.plan(&two());
    let mut command = repo.command(SEAWALL);
    command
        .current_dir("/")
        .arg("--repo")
        .arg(repo.dir())
        .arg("run")
        .arg(&plan);
    let _ = Output::of(&mut command).code(0).says(&["2 accepted"]);
    repo.status().assert_all_fine();
}

#[test]
fn the_demo_refuses_a_directory_that_is_not_empty() {
    let repo = repo();
    let mine = Mine::of(&repo);
    let dir = repo.dir().to_owned();
    let _ = repo.seawall(&[OsStr::new("demo"), dir.as_os_str()]).code(2);
    mine.assert_untouched(&repo);
}

/// What a run says of its sandbox is what the doctor finds, not a word that happens to match.
#[test]
fn a_run_says_what_confines_its_workers() {
    let repo = repo();
    let host = repo.json(&["doctor", "--json"]);
    let feature = |name: &str| {
        let features = host["features"].as_array().unwrap();
        let found = features.iter().find(|feature| feature["name"] == name);
        found.unwrap()["have"].as_bool().unwrap()
    };
    let said = repo.run(&two()).code(0).out;
    let line = said
        .lines()
        .find(|line| line.starts_with("sandbox "))
        .unwrap();
    assert_eq!(
        line.contains("(control groups;"),
        feature("control groups"),
        "{line}"
    );
    assert_eq!(
        line.contains("rlimits only"),
        !feature("control groups"),
        "{line}"
    );
}

/// Each library is mapped and relocated at every start, and each confined command is a start. The loader names them instead of
/// running the program when it is told to (`ld.so(8)`).
#[test]
fn the_program_needs_the_c_library_and_no_other() {
    let mut command = Command::new(SEAWALL);
    let told = command.env("LD_TRACE_LOADED_OBJECTS", "1").output();
    let told = String::from_utf8(told.unwrap().stdout).unwrap();
    if !told.contains("libc.so.6") {
        eprintln!("SKIPPED: the program was not linked to the GNU C library");
        return;
    }
    assert!(!told.contains("libm.so"), "{told}");
}
