//! What a task was to work with went with an earlier wave: it is told so before anything is dispatched.

use crate::common::WAYS;
use crate::support::Repo;
use crate::support::traces::{Mine, assert_clean};

const PLAN: &str = r#"
version = 1
name = "gone"
goal = "the old files are gone"
[workspace]
mode = "MODE"
[agent.true]
run = ["true"]
[[checkpoint]]
says = "the rest is there"
run = "test -e kept"
[[task]]
id = "remove"
deletes = ["old", "gen/a.txt", "gen/b.txt"]
because = "they belong together"
prompt = "remove them"
  [[task.check]]
  says = "they are gone"
  run = "test ! -e old && test ! -e gen"
[[task]]
id = "edit"
file = "old"
after = ["remove"]
prompt = "never"
  [[task.check]]
  says = "it says new"
  run = "grep -qx new old"
[[task]]
id = "list"
file = "kept"
after = ["remove"]
reads = ["gen/*.txt"]
prompt = "never"
  [[task.check]]
  says = "it says new"
  run = "grep -qx new kept"
"#;

#[test]
fn what_vanished_is_a_named_problem_before_dispatch() {
    let names = ["old", "gen/a.txt", "gen/b.txt", "kept"];
    let repo = Repo::with(&names.map(|name| (name, "x\n")));
    let mine = Mine::of(&repo);
    for (mode, more, made) in WAYS {
        let plan = repo.plan(&PLAN.replace("MODE", mode));
        let args = [&["run", plan.to_str().unwrap()], more].concat();
        let said = repo.seawall(&args).code(1);
        let said = said.says(&[
            "`old` is no file of the wave's base any more",
            "its `reads` match no file of the wave's base any more",
        ]);
        let status = repo.status();
        assert_eq!(status.text("workspaces"), made);
        let first = |id: &str| status.word(id).split(' ').next().unwrap().to_owned();
        assert_eq!(
            ["remove", "edit", "list"].map(first),
            ["accepted", "rejected", "rejected"],
            "{said}"
        );
        for id in ["edit", "list"] {
            assert_eq!(status.task(id)["dispatches"], 0, "{said}");
        }
        let left = repo.git(&["ls-tree", "-r", "--name-only", status.text("branch")]);
        assert_eq!(left, "kept");
        mine.assert_untouched(&repo);
        assert_clean(&repo);
    }
}
