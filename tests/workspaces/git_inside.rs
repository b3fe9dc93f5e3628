//! git in a workspace: a repository of its own with the base commit alone, to look at and to play with.

use crate::common::{check_said, part, worker_said};
use crate::support::Repo;
use crate::support::traces::{Mine, assert_clean};

/// What a worker or a check asks git; `{other}` is a commit that it may not see.
const ASK: &str = r#"
echo "[status]"; git status --porcelain
echo "[log]"; git log --format=%H
echo "[other]"; git cat-file -t OTHER 2>&1 || true; git cat-file -t BLOB 2>&1 || true
echo "[refs]"; git for-each-ref --format='%(refname)' | grep -v '^refs/heads/base$' || true
echo "[mine]"; ls "$(git rev-parse --git-dir)/hooks" 2>/dev/null || true; git config --list | grep -i private || true; git remote
echo "[end]"
"#;

fn plan(mode: &str, profile: &str, ask: &str, commit: &str) -> String {
    format!(
        r#"
version = 1
name = "look"
goal = "both files say new"
[workspace]
mode = "{mode}"
[defaults]
profile = "{profile}"
[agent.edit]
run = ["sh", "-ec", '''
{ask}
sed 's/old/new/' "$1" > "$TMPDIR/new" && cat "$TMPDIR/new" > "$1"
echo "[diff]"; git diff; git status --porcelain; echo "[done]"
{commit}''', "edit", "{{file}}"]
[[checkpoint]]
says = "both are there"
run = "test -s one && test -s two"
[[task]]
id = "one"
file = "one"
prompt = "say new"
  [[task.check]]
  says = "it says new"
  run = '''
{ask}
grep -qx new {{file}}'''
[[task]]
id = "two"
file = "two"
after = ["one"]
prompt = "say new"
  [[task.check]]
  says = "it says new"
  run = '''
{ask}
grep -qx new {{file}}'''
"#
    )
}

/// A repository with a history, another branch, a hook, a remote and a private setting.
fn repository() -> (Repo, String) {
    let repo = Repo::with(&[("one", "older\n"), ("two", "old\n"), ("odd \u{e9}", "x\n")]);
    repo.git(&["switch", "-q", "-c", "other"]);
    repo.write("private", "of nobody's business\n");
    let other = repo.commit("other");
    let blob = repo.git(&["rev-parse", "HEAD:private"]);
    repo.git(&["switch", "-q", "main"]);
    repo.write("one", "old\n");
    repo.commit("base");
    repo.git(&["config", "user.private", "yes"]);
    repo.git(&["remote", "add", "private", "https://private.example/"]);
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\ntouch /tmp/private\n");
    let ask = ASK.replace("OTHER", &other).replace("BLOB", &blob);
    (repo, ask)
}

#[track_caller]
fn told_only_of(said: &str, base: &str, status: &str) {
    assert_eq!(part(said, "status", "log"), status, "{said}");
    assert_eq!(part(said, "log", "other").trim(), base, "{said}");
    let other = part(said, "other", "refs");
    assert_eq!(other.matches("fatal: ").count(), 2, "{said}");
    assert_eq!(part(said, "refs", "mine"), "", "{said}");
    assert_eq!(part(said, "mine", "end"), "", "{said}");
}

#[test]
fn git_shows_the_base_and_the_own_change_and_nothing_else() {
    let (repo, ask) = repository();
    let mine = Mine::of(&repo);
    for mode in ["overlay", "copy"] {
        let _ = repo.run(&plan(mode, "worker", &ask, "")).code(0);
        let status = repo.status();
        status.assert_all_fine();
        assert_eq!(status.text("workspaces"), mode);
        let first = status.0["checkpoints"][0]["commit"].as_str().unwrap();
        for (task, base) in [("one", status.text("base")), ("two", first)] {
            let worker = worker_said(&repo, task);
            told_only_of(&worker, base, "");
            let diff = part(&worker, "diff", "done");
            assert!(diff.contains("-old\n+new\n"), "{worker}");
            assert!(diff.ends_with(&format!("\n M {task}\n")), "{worker}");
            told_only_of(&check_said(&repo, task, 0), base, &format!(" M {task}\n"));
        }
        mine.assert_untouched(&repo);
        assert_clean(&repo);
    }
}

#[test]
fn a_commit_in_a_workspace_goes_nowhere() {
    let (repo, ask) = repository();
    let mine = Mine::of(&repo);
    let commit = "git commit -qam mine && echo committed\n\
                  git branch more || true; git tag also || true; git gc -q || true";
    for mode in ["overlay", "copy"] {
        let text = plan(mode, "worker-rename", &ask, commit);
        let _ = repo.run(&text).code(0);
        repo.status().assert_all_fine();
        let worker = worker_said(&repo, "two");
        assert!(worker.contains("\ncommitted\n"), "{worker}");
        mine.assert_untouched(&repo);
        assert_clean(&repo);
        let log = repo.git(&["log", "--all", "--format=%s"]);
        assert!(log.lines().all(|subject| subject != "mine"), "{log}");
        let refs = repo.git(&["for-each-ref", "--format=%(refname)"]);
        assert!(!refs.contains("more") && !refs.contains("also"), "{refs}");
    }
}
