//! What the settings of the user's checkout make of workspaces is told: whoever wonders why a file is not there, or has other
//! bytes than the commit, finds it in the first lines of the run.

use crate::support::Repo;
use crate::support::traces::assert_clean;

const PLAN: &str = r#"
version = 1
name = "settings"
goal = "the file says new"
[agent.edit]
run = ["sh", "-ec", "printf 'new\\r\\n' > \"$1\"", "edit", "{file}"]
[[checkpoint]]
says = "what was left out is not missed"
run = "test ! -e left/out"
[[task]]
id = "one"
file = "one.bat"
prompt = "say new"
  [[task.check]]
  says = "it says new"
  run = "grep -q new {file}"
"#;

#[test]
fn what_settings_make_of_the_base_is_told_once() {
    let repo = Repo::with(&[
        (".gitattributes", "*.bat text eol=crlf\n"),
        ("one.bat", "old\n"),
        ("two.bat", "old\n"),
        ("left/out", "x\n"),
    ]);
    repo.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/left/"]);
    let run = repo.run(PLAN).code(0);
    let told = "written by git: 2 files converted, 1 path left out (`core.sparsecheckout`)";
    assert_eq!(run.out.matches(told).count(), 1, "{run}");
    let status = repo.status();
    let settings = &status.0["settings"];
    assert_eq!(
        (&settings["converted"], &settings["left_out"]),
        (&2.into(), &1.into())
    );
    let _ = repo.seawall(&["log"]).code(0).says(&[told]);
    // What is converted in workspaces is not in the commit.
    assert_eq!(
        repo.show(status.text("branch"), "one.bat").as_deref(),
        Some("new\n")
    );
    assert_eq!(
        repo.show(status.text("branch"), "left/out").as_deref(),
        Some("x\n")
    );
    assert_clean(&repo);
}

#[test]
fn without_such_settings_nothing_is_told() {
    let repo = Repo::with(&[("one.bat", "old\n")]);
    let run = repo.run(PLAN).code(0);
    assert!(!run.out.contains("written by git"), "{run}");
    assert!(repo.status().0["settings"].is_null());
}
