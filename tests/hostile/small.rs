//! What needs no real package: refusals, budgets, odd names, and checks that could be cheated or cannot look.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::Repo;
use crate::support::traces::{Mine, assert_clean};
use crate::{attempts, log};

/// A repository that costs nothing to test.
fn small() -> Repo {
    Repo::with(&[
        ("a.txt", "old\n"),
        ("b.txt", "old\n"),
        ("c.txt", "old\n"),
        ("ok.sh", "exit 0\n"),
    ])
}

const SMALL: &str = "version = 1
name = 'small'
goal = 'Make it new'
[agent.honest]
run = ['sh', '-c', 'echo new > \"$1\"', 'honest', '{file}']
[agent.liar]
run = ['sh', '-c', 'echo newer > \"$1\"; echo done', 'liar', '{file}']
[defaults]
agent = 'honest'
prompt = 'Write new into it.'
[[checkpoint]]
says = 'the suite passes'
run = 'sh ok.sh'
";

fn task(id: &str, keys: &str) -> String {
    format!(
        "[[task]]\nid = '{id}'\nfile = '{id}.txt'\n{keys}\n[[task.check]]\nsays = 'it is new'\nrun = 'grep -x new {{file}}'\n"
    )
}

#[test]
fn a_missing_agent_refuses_the_plan_before_anything_starts() {
    let repo = small();
    let mine = Mine::of(&repo);
    let text = SMALL.replace("['sh', '-c', 'echo newer", "['no-such-agent', 'echo newer")
        + &task("a", "agent = 'liar'");
    repo.run(&text).code(2).says(&["no-such-agent", "refused"]);
    mine.assert_untouched(&repo);
    assert!(!repo.dir().join(".git/seawall").exists());
}

#[test]
fn a_check_that_is_green_before_any_work_proves_nothing() {
    let repo = small();
    let vacuous = task("a", "").replace("grep -x new {file}", "test -f {file}");
    repo.run(&(SMALL.to_owned() + &vacuous + &task("b", "")))
        .code(1);
    let status = repo.status();
    assert_eq!(
        status.words(),
        ["a: rejected base-green 0", "b: accepted landed 1"]
    );
    assert!(
        status.why("a").contains("green before any work"),
        "{}",
        status.why("a")
    );
    assert_clean(&repo);
}

#[test]
fn what_only_a_person_can_judge_waits_for_one() {
    let repo = small();
    let manual = "[[task.check]]\nsays = 'it reads well'\nproof = 'manual'\n";
    let text =
        SMALL.to_owned() + &task("a", "") + manual + &task("b", "") + &task("c", "after = ['a']");
    repo.run(&text).code(4).says(&["it reads well"]);
    let status = repo.status();
    assert_eq!(
        status.words(),
        [
            "a: needs-human needs-human 1",
            "b: accepted landed 1",
            "c: blocked blocked 0"
        ]
    );
    assert_eq!(repo.show(status.text("branch"), "a.txt").unwrap(), "old\n");
    assert_clean(&repo);
}

#[test]
fn the_budget_of_attempts_holds() {
    let repo = small();
    let text = SMALL.to_owned()
        + "[budget]\nattempts = 3\n"
        + &task("a", "agent = 'liar'\nattempts = 9")
        + &task("b", "")
        + &task("c", "after = ['b']");
    let out = repo.plan(&text);
    let out = out.to_str().unwrap();
    repo.seawall(&["run", "--jobs", "1", out]).code(1);
    let status = repo.status();
    assert_eq!(status.0["dispatches"], 3, "{:#}", status.0);
    assert_eq!(
        status.words(),
        [
            "a: rejected same-change-again 2",
            "b: accepted landed 1",
            "c: not-run attempts-spent 0"
        ]
    );
    assert_clean(&repo);
}

#[test]
fn a_red_base_starts_nothing() {
    let repo = small();
    repo.write("ok.sh", "echo 'three tests fail'; exit 1\n");
    repo.commit("red");
    let mine = Mine::of(&repo);
    repo.run(&(SMALL.to_owned() + &task("a", "")))
        .code(2)
        .says(&["three tests fail", "the suite passes"]);
    let status = repo.status();
    assert_eq!(
        (status.text("state"), &status.0["dispatches"]),
        ("refused", &0.into())
    );
    mine.assert_untouched(&repo);
    assert_clean(&repo);
    repo.seawall(&["resume"]).code(2);
    repo.seawall(&["land"]).code(2);
}

#[test]
fn everything_behind_a_rejected_task_is_blocked() {
    let repo = small();
    let text = SMALL.to_owned()
        + &task("a", "agent = 'liar'\nattempts = 1")
        + &task("b", "after = ['a']")
        + &task("c", "after = ['b']");
    repo.run(&text).code(1);
    let status = repo.status();
    assert_eq!(
        status.words(),
        [
            "a: rejected check-red 1",
            "b: blocked blocked 0",
            "c: blocked blocked 0"
        ]
    );
    assert!(status.why("a").contains("it is new"), "{}", status.why("a"));
    assert!(status.why("c").contains("`b`"), "{}", status.why("c"));
    assert_eq!(status.task("a")["evidence"][0]["value"], "fail");
    repo.seawall(&["land"]).code(2).says(&["nothing to land"]);
    assert_clean(&repo);
}

#[test]
fn odd_names_are_worked_on_like_any_other() {
    let repo = Repo::with(&[
        ("ok.sh", "exit 0\n"),
        ("d/plain.txt", "old\n"),
        ("d/with space.txt", "old\n"),
        ("d/quo'te$(x).txt", "old\n"),
        ("d/new\nline.txt", "old\n"),
        ("d/-dash.txt", "old\n"),
    ]);
    repo.write(PathBuf::from(OsStr::from_bytes(b"d/by\xffte.txt")), "old\n");
    repo.commit("odd names");
    let text = SMALL.to_owned()
        + "[[task]]\nid = 'each'\neach = 'd/*.txt'\n[[task.check]]\nsays = 'it is new'\nrun = 'grep -x new {file}'\n";
    let said = repo.run(&text).code(0).out;
    assert!(
        said.contains("d/new\\x0aline.txt") && said.contains("d/by\\xffte.txt"),
        "{said}"
    );
    let status = repo.status();
    status.assert_all_fine();
    assert_eq!(status.count("accepted"), 6);
    repo.seawall(&["land"]).code(0);
    assert_eq!(
        repo.git(&["grep", "-c", "new", "--", "d"]).lines().count(),
        6
    );
    assert_clean(&repo);
}

/// The kernel lets the owner of a file change its mode; the harvest does not.
#[test]
fn a_mode_is_changed_by_the_owner_of_the_file_alone() {
    let repo = small();
    let text = SMALL.replace("echo newer > ", "chmod +x b.txt; echo new > ")
        + &task(
            "a",
            "agent = 'liar'\nattempts = 1\nprofile = 'worker-rename'",
        )
        + &task("c", "agent = 'liar'");
    repo.run(&text).code(1);
    let status = repo.status();
    // Where the whole workspace is writable, harvest sees it; the worker of `c` could not do it at all.
    assert_eq!(
        status.words(),
        ["a: rejected drift 1", "c: accepted landed 1"]
    );
    assert!(status.why("a").contains("b.txt made executable"));
    assert_clean(&repo);
}

/// Landlock alone must hold as well: there the user's real checkout stands where the worker looks for it.
#[test]
fn without_namespaces_the_real_checkout_is_out_of_reach() {
    let repo = small();
    let mine = Mine::of(&repo);
    let script = format!(
        "for place in {0}/a.txt {0}/new {0}/.git/config {0}/.git/hooks/pre-commit b.txt new {1}/home/x /tmp/seawall-hostile; do
    if (echo evil >> \"$place\") 2>/dev/null; then echo \"written: $place\"; else echo \"denied: $place\"; fi
done
cat {0}/.git/config > /dev/null 2>&1 && echo 'read: the real .git'
(setsid sleep 1000 > /dev/null 2>&1 &) &
echo new > \"$1\"",
        repo.dir().display(),
        repo.root().display()
    );
    let text = SMALL.to_owned()
        + &format!("[agent.thief]\nrun = ['sh', '-c', '''{script}''', 'thief', '{{file}}']\n")
        + &task("a", "agent = 'thief'")
        + &task("c", "");
    let path = repo.plan(&text);
    repo.seawall(&["run", "--no-namespaces", path.to_str().unwrap()])
        .code(0);
    mine.assert_untouched(&repo);
    assert_clean(&repo);
    let status = repo.status();
    let log = log(&repo, status.run(), attempts(&repo, "a")[0]);
    assert!(!log.contains("written:") && !log.contains("read:"), "{log}");
    assert_eq!(log.matches("denied:").count(), 8, "{log}");
}

/// What a worker leaves is run by the checks; what it does then reaches no other check.
#[test]
fn a_change_cannot_mend_itself_between_two_checks() {
    let repo = Repo::with(&[("a.sh", "echo old\n")]);
    let agent =
        r#"printf '%s\n' 'echo new; sed -i /evil/d a.sh; echo evil > ~/.seen' '# evil' > "$1""#;
    let gate = "says = 'nothing is evil'\nrun = '! grep -n evil a.sh && ! test -e ~/.seen'";
    let plan = |invariant: &str, check: &str| {
        format!(
            "version = 1\nname = 'mole'\ngoal = 'g'\n{invariant}
[agent.mole]\nrun = ['sh', '-c', '''{agent}''', 'mole', '{{file}}']
[[checkpoint]]\nsays = 'it runs'\nrun = 'sh a.sh'
[[task]]\nid = 'mole'\nfile = 'a.sh'\nprompt = 'p'\nattempts = 1
[[task.check]]\nsays = 'it says new'\nrun = 'sh a.sh | grep -x new'\n{check}"
        )
    };
    repo.run(&plan(&format!("[[invariant]]\n{gate}\n"), ""))
        .code(1);
    let status = repo.status();
    assert_eq!(status.words(), ["mole: rejected checkpoint-red 1"]);
    assert!(status.why("mole").contains("nothing is evil"));
    let check = format!("[[task.check]]\n{gate}\nproof = 'pass-to-pass'\n");
    repo.run(&plan("", &check)).code(1);
    let status = repo.status();
    assert_eq!(status.words(), ["mole: rejected check-red 1"]);
    assert!(status.why("mole").contains("nothing is evil"));
    assert_clean(&repo);
}

/// A checkpoint that never ends is red, and the change that makes it so is found.
#[test]
fn a_change_that_makes_the_suite_hang_is_the_culprit() {
    let repo = small();
    repo.write("ok.sh", ". ./a.txt\n. ./b.txt\n");
    for path in ["a.txt", "b.txt"] {
        repo.write(path, "true old\n");
    }
    repo.commit("the suite runs the files");
    let hang = r#"printf 'setsid sleep 1000 &\n: new\nsleep 1000\n' > "$1""#;
    let text = SMALL.replace("echo new > ", "echo : new > ")
        + &format!(
            "[limits]\ncheck_timeout = '5s'\n[agent.hang]\nrun = ['sh', '-c', '''{hang}''', 'hang', '{{file}}']\n"
        )
        + &task("a", "")
        + &task("b", "agent = 'hang'\nattempts = 1");
    repo.run(&text.replace("grep -x new", "grep new")).code(1);
    let status = repo.status();
    assert_eq!(
        status.words(),
        ["a: accepted landed 1", "b: rejected checkpoint-red 1"]
    );
    assert!(status.why("b").contains("over its time of 5 s"));
    assert_clean(&repo);
}

/// Where a check's program is missing, nothing is known: nobody is dispatched, and no gate is green by accident.
#[test]
fn a_check_that_cannot_look_proves_nothing() {
    let repo = small();
    let blind = [
        ("no-such-tool {file}", "a command is not there"),
        ("! no-such-tool {file}", "no-such-tool: not found"),
        (
            "! grep old {file} no-such-file",
            "no-such-file: No such file",
        ),
        ("! grep -E \"(\" {file}", "Unmatched ("),
    ];
    for (run, what) in blind {
        for when in ["always", "red"] {
            let keys = format!("when = '{when}'");
            let blind = task("a", &keys).replace("grep -x new {file}", run);
            repo.run(&(SMALL.to_owned() + &blind + &task("b", "")))
                .code(1);
            let status = repo.status();
            assert_eq!(
                status.words(),
                ["a: rejected base-not-seen 0", "b: accepted landed 1"],
                "{run}, when {when}"
            );
            assert!(status.why("a").contains(what), "{}", status.why("a"));
        }
    }
    for gate in ["no-such-tool", "! no-such-tool -r .", "! grep -rn x sr"] {
        let text = SMALL.replace("sh ok.sh", gate) + &task("a", "");
        repo.run(&text).code(2).says(&["could not"]);
        assert_eq!(repo.status().0["dispatches"], 0);
    }
    assert_clean(&repo);
}

#[test]
fn a_promise_that_is_not_kept_and_a_worker_that_cannot_start() {
    let mut repo = small();
    let bin = repo.root().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("broken"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(bin.join("broken"), fs::Permissions::from_mode(0o755)).unwrap();
    repo.path_first(&bin);
    let made =
        task("d", "agent = 'idle'\nattempts = 1").replace("file = 'd.txt'", "creates = ['d.txt']");
    let text = SMALL.to_owned()
        + "[agent.broken]\nrun = ['broken', '{file}']\n[agent.idle]\nrun = ['true']\n"
        + &task("a", "agent = 'broken'\nattempts = 1")
        + &made
        + &task("c", "");
    repo.run(&text).code(1);
    let status = repo.status();
    assert_eq!(
        status.words(),
        [
            "a: rejected worker-not-started 1",
            "d: rejected promise-broken 1",
            "c: accepted landed 1"
        ]
    );
    assert!(
        status
            .why("d")
            .contains("d.txt was to be created and is still empty")
    );
    assert_clean(&repo);
}

/// Several runs in one repository do not meet: each has its own directory, branch and workspaces.
#[test]
fn runs_at_once_do_not_disturb_one_another() {
    let repo = small();
    let mine = Mine::of(&repo);
    let plan = repo
        .plan(&(SMALL.to_owned() + &task("a", "") + &task("b", "after = ['a']") + &task("c", "")));
    let run = || repo.seawall(&[OsStr::new("run"), OsStr::new("--quiet"), plan.as_os_str()]);
    std::thread::scope(|scope| {
        let all = [(); 4].map(|()| scope.spawn(run));
        for run in all {
            run.join().unwrap().code(0);
        }
    });
    mine.assert_untouched(&repo);
    assert_clean(&repo);
    let trees = repo.git(&["for-each-ref", "--format=%(tree)", "refs/heads/seawall"]);
    let trees: Vec<_> = trees.lines().collect();
    assert_eq!(trees.len(), 4);
    assert!(trees.iter().all(|tree| *tree == trees[0]), "{trees:?}");
}

/// The plan was right when it was read; the wave's own base is what counts.
#[test]
fn a_task_whose_file_an_earlier_wave_removed_is_not_dispatched() {
    let repo = small();
    let removes = "[[task]]\nid = 'r'\ndeletes = ['b.txt']\n[[task.check]]\nsays = 'it is gone'\nrun = '! test -e b.txt'\n";
    let text = SMALL.to_owned()
        + removes
        + &task("b", "after = ['r']")
        + &task("c", "after = ['b']")
        + &task("a", "");
    repo.run(&text).code(1);
    let status = repo.status();
    assert_eq!(
        status.words(),
        [
            "r: accepted landed 1",
            "b: rejected not-as-planned 0",
            "c: blocked blocked 0",
            "a: accepted landed 1"
        ]
    );
    assert!(status.why("b").contains("b.txt"), "{}", status.why("b"));
    assert_clean(&repo);
}

/// A rename is a file to be made, a file to be deleted, and whoever names it, in one task.
#[test]
fn a_group_moves_a_file_with_the_one_that_names_it() {
    let repo = small();
    repo.write("ok.sh", "test -e \"$(cat name.txt)\"\n");
    repo.write("name.txt", "a.txt\n");
    repo.commit("somebody names it");
    let text = SMALL.to_owned()
        + "[agent.mover]\nrun = ['sh', '-c', 'cat a.txt > moved.txt; echo moved.txt > name.txt']
[[task]]\nid = 'move'\nagent = 'mover'\nfiles = ['name.txt']\ncreates = ['moved.txt']\ndeletes = ['a.txt']
because = 'a file and its name move together'
[[task.check]]\nsays = 'the new name is used'\nrun = 'grep -x moved.txt name.txt'\n";
    repo.run(&text).code(0);
    repo.seawall(&["land"]).code(0);
    assert_eq!(repo.read("moved.txt"), "old\n");
    assert!(!repo.dir().join("a.txt").exists());
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_clean(&repo);
}

#[test]
fn a_repository_that_cannot_be_used_is_refused_with_a_reason() {
    let repo = Repo::new();
    let other = repo.root().join("other");
    let other = other.to_str().unwrap();
    repo.git(&["init", "-q", "--object-format=sha256", other]);
    let plan = repo.plan(SMALL);
    let said = repo.seawall(&["--repo", other, "run", plan.to_str().unwrap()]);
    said.code(2).says(&["cannot be used", "help:"]);
}

#[test]
fn a_home_begins_empty_and_holds_nothing_of_the_workspace() {
    let repo = small();
    let empty = "[[task.check]]\nsays = 'the home is empty'\nproof = 'pass-to-pass'\nrun = 'test -z \"$(ls -A \"$HOME\" \"$TMPDIR\" | grep -v :)\"'\n";
    let nosy = SMALL.replace(
        "echo new > \"$1\"",
        "test -z \"$(ls -A \"$HOME\")\" && test \"$(ls \"$TMPDIR\")\" = brief.md && echo new > \"$1\"",
    );
    repo.run(&(nosy + &task("a", "") + empty)).code(0);
    assert_clean(&repo);
}
