//! Gates from when to when, and gates that read files instead of running anything.

use crate::common::{GREEN, events, lands, plan, task};
use crate::support::Repo;

fn repo() -> Repo {
    Repo::with(&[
        ("a.py", "SIZE = 4\n\n\ndef old():\n    return SIZE\n"),
        ("b.py", "from a import old\n\nprint(old())\n"),
        ("size.toml", "size = 4\n"),
    ])
}

/// Two tasks, the second after the first.
fn two(worker: &str, gate: &str) -> String {
    let check = |word: &str, file: &str| {
        format!("\n[[task.check]]\nsays = '{word}'\nrun = 'grep -q {word} {file}'\n")
    };
    let first = task("work", "file = 'a.py'") + &check("new", "a.py");
    let then = task("then", "file = 'b.py'\nafter = ['work']") + &check("new", "b.py");
    plan(worker, &format!("{GREEN}\n{gate}\n{first}{then}"))
}

const RENAME: &str = "edit s/old/new/g $1";

#[test]
fn a_red_that_is_declared_lands_and_one_that_is_not_blocks() {
    let repo = repo();
    let gate = "[[checkpoint]]\nsays = 'it runs'\nrun = 'python3 b.py'\n";
    // Between the two renames nothing fits together.
    let out = repo.run(&two(RENAME, gate)).code(1);
    out.says(&["ImportError"]);
    assert_eq!(repo.status().task("work")["verdict"], "rejected");
    let declared = format!("{gate}red_until = ['then']\n");
    lands(&repo, &two(RENAME, &declared));
    assert_eq!(repo.status().word("then"), "accepted landed 1");
    let first = &events(&repo, "integrated")[1];
    let why = first["evidence"][1]["why"].as_str().unwrap();
    assert!(
        why.starts_with("red, as declared until `then`"),
        "{first:#}"
    );
    // The window ends with the task: what is red then is red.
    let wrong = "if [ $0 = then ]; then edit s/old/new_/g $1; else edit s/old/new/g $1; fi";
    repo.run(&two(wrong, &declared))
        .code(1)
        .says(&["ImportError"]);
    assert_eq!(repo.status().task("then")["verdict"], "rejected");
}

#[test]
fn a_gate_is_not_looked_at_outside_its_window() {
    let repo = repo();
    // False before `then`, so that it could not even be looked at on the base.
    let from = "[[checkpoint]]\nsays = 'renamed'\nrun = '! grep -q old b.py'\nafter = ['then']\n";
    lands(&repo, &two(RENAME, from));
    let looks: Vec<_> = events(&repo, "integrated")
        .iter()
        .map(|e| e["evidence"].as_array().unwrap().len())
        .collect();
    assert_eq!(
        looks,
        [1, 1, 2],
        "the gate is looked at once `then` stands in the tree"
    );
    let until = "[[checkpoint]]\nsays = 'as it was'\nrun = 'grep -q old b.py'\nuntil = ['then']\n";
    lands(&repo, &two(RENAME, until));
    let broken = "[[checkpoint]]\nsays = 'as it was'\nrun = 'grep -q old a.py'\nuntil = ['then']\n";
    repo.run(&two(RENAME, broken)).code(1).says(&["as it was"]);
}

#[test]
fn rules_read_files_and_run_nothing() {
    let repo = repo();
    let cases = [
        (
            "forbid = { pattern = '^import pdb', paths = ['*.py'] }",
            "edit '1s/^/import pdb\\n/' a.py; edit s/old/new/ a.py",
            "edit s/old/new/ a.py",
        ),
        (
            "agree = { equal = [{ path = 'a.py', pattern = '^SIZE = (\\d+)' }, { path = 'size.toml', pattern = 'size = (\\d+)' }] }",
            "edit 's/4/8/; s/old/new/' a.py",
            "edit s/old/new/ a.py",
        ),
        (
            "wired = { files = ['a.py'], entries = ['b.py'] }",
            "printf 'def new_and_unused():\\n    return 1\\n' >> a.py",
            "edit 's/return SIZE/return SIZE + 0  # new/' a.py",
        ),
        (
            "imports = { paths = ['a.py'], forbid = ['b.py'] }",
            "edit '1s/^/import b\\n/; s/return SIZE/return SIZE  # new/' a.py",
            "edit 's/return SIZE/return SIZE  # new/' a.py",
        ),
    ];
    for (rule, lie, honest) in cases {
        let plan = |worker: &str| {
            let check = "\n[[task.check]]\nsays = 'new'\nrun = 'grep -q new a.py'\n";
            let task = task("work", "file = 'a.py'") + check;
            let gate = format!("[[invariant]]\nsays = 'the rule holds'\n{rule}\n");
            plan(worker, &format!("{GREEN}\n{gate}\n{task}"))
        };
        let out = repo.run(&plan(lie)).code(1).says(&["the rule holds"]);
        assert_eq!(
            repo.status().task("work")["verdict"],
            "rejected",
            "{rule}: {out}"
        );
        lands(&repo, &plan(honest));
    }
}
