//! The same plan with workers that lie, cheat, hang and break things: each is caught, and the others land.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod support;

use support::Repo;
use support::traces::{Mine, assert_clean};

#[test]
fn smoke() {
    let repo = Repo::with(&[("a.sh", "echo `date`\n")]);
    let mine = Mine::of(&repo);
    repo.run("version = 1\nname='x'\ngoal='g'\n[agent.a]\nrun=['sh','-c','echo 1 > \"$1\"','a','{file}']\n[[checkpoint]]\nsays='it is shell'\nrun='sh -n a.sh'\n[[task]]\nid='t'\nfile='a.sh'\nprompt='p'\n[[task.check]]\nsays='no date is left'\nrun='! grep date {file}'\n").code(0).says(&["accepted"]);
    let status = repo.status();
    assert_eq!(status.words(), ["t: accepted landed 1"]);
    mine.assert_untouched(&repo);
    assert_clean(&repo);
}
