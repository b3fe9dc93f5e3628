//! What waves must do, and not do without being told: rows 9, 48, 49 and 50.

use crate::{PYTEST, agent, check, head, head_with, python, run, rust, task};

const LIB: &str = "pub fn price(cents: u32) -> String {\n    format!(\"{}.{:02}\", cents / 100, cents % 100)\n}\n
#[cfg(test)]\nmod tests {\n    #[test]\n    fn prices() {\n        assert_eq!(super::price(105), \"1.05\");\n    }\n}\n";

/// Row 9: the checks of the checkpoint are run on what comes out, whatever the task's own check says, and are never left out.
#[test]
fn a_wave_does_not_end_without_its_checkpoint() {
    let Some(repo) = rust("row_9", &[("src/lib.rs", LIB)]) else {
        return;
    };
    let plan = |script: &str| {
        head("cargo test --offline --quiet")
            + &agent("work", script)
            + &task("work", "file = 'src/lib.rs'")
            + &check("there is a sign", "grep -q EUR src/lib.rs", "")
            + &agent("next", "echo 'pub mod none {}' >> src/lib.rs")
            + &task("next", "file = 'src/lib.rs'\nafter = ['work']")
            + &check("there is a module", "grep -q none src/lib.rs", "")
    };
    let careless = "edit 's/{}.{:02}/EUR {}.{:02}/' src/lib.rs; echo 'all tests pass'";
    let (_, status) = run(&repo, &plan(careless), 1);
    assert_eq!(
        status.words(),
        ["work: rejected checkpoint-red 1", "next: blocked blocked 0"]
    );
    assert!(
        status.why("work").contains("1 of 1 test failed"),
        "{}",
        status.why("work")
    );
    assert_eq!(status.text("head"), repo.git(&["rev-parse", "main"]));

    let honest = format!("{careless}; edit 's/, \"1.05\"/, \"EUR 1.05\"/' src/lib.rs");
    run(&repo, &plan(&honest), 0).1.assert_all_fine();

    let all = plan(&honest);
    let (first, rest) = all.split_once("[[checkpoint]]").unwrap();
    let (_, tasks) = rest.split_once("[agent.work]").unwrap();
    let none = format!("{first}[agent.work]{tasks}");
    repo.run(&none).code(2).says(&["checkpoint", "refused"]);
}

/// Row 48: what is red alone and green on top of a sibling waits for it, without another dispatch, and the plan's author is told.
#[test]
fn an_order_that_nobody_told_is_found() {
    let files = [
        ("calc.py", "def add(a, b):\n    return a + b\n"),
        (
            "report.py",
            "def total(all):\n    raise ValueError('not written')\n",
        ),
        (
            "test_calc.py",
            "import calc\n\n\ndef test_mul():\n    assert calc.mul(2, 3) == 6\n",
        ),
        (
            "test_report.py",
            "import report\n\n\ndef test_total():\n    assert report.total([(2, 3), (1, 4)]) == 10\n",
        ),
        (
            "test_old.py",
            "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
        ),
    ];
    let Some(repo) = python("row_48", &files) else {
        return;
    };
    let plan = |sum: &str| {
        let report = format!(
            "printf 'from calc import mul\\n\\n\\ndef total(all):\\n    return {sum}\\n' > report.py"
        );
        head(&format!("{PYTEST} test_old.py"))
            + &agent("report", &report)
            + &task("report", "file = 'report.py'\nattempts = 2")
            + &check("it adds up", &format!("{PYTEST} test_report.py"), "")
            + &agent(
                "calc",
                "printf '\\n\\ndef mul(a, b):\\n    return a * b\\n' >> calc.py",
            )
            + &task("calc", "file = 'calc.py'")
            + &check("it can multiply", &format!("{PYTEST} test_calc.py"), "")
    };
    let (out, status) = run(&repo, &plan("sum(mul(*pair) for pair in all)"), 0);
    assert_eq!(
        status.words(),
        ["report: accepted landed 1", "calc: accepted landed 1"],
        "{out}"
    );
    out.says(&["after = [\"calc\"]"]);

    let (_, status) = run(&repo, &plan("max(mul(*pair) for pair in all)"), 1);
    assert_eq!(status.word("calc"), "accepted landed 1");
    let report = status.task("report");
    assert_eq!(
        (&report["verdict"], &report["dispatches"]),
        (&"rejected".into(), &2.into()),
        "{report:#}"
    );
}

/// Row 49: between the two halves of a change a gate may be red if the plan says so, and until when.
#[test]
fn red_is_let_pass_as_long_as_declared() {
    let files = [
        ("names.py", "def old_name():\n    return 1\n"),
        (
            "user.py",
            "from names import old_name\n\n\ndef use():\n    return old_name()\n",
        ),
        (
            "test_user.py",
            "from user import use\n\n\ndef test_use():\n    assert use() == 1\n",
        ),
    ];
    let Some(repo) = python("row_49", &files) else {
        return;
    };
    let plan = |window: &str, second: &str| {
        head_with(PYTEST, window)
            + &agent("expand", "edit s/old_name/new_name/ names.py")
            + &task("expand", "file = 'names.py'")
            + &check("it has the new name", "grep -q new_name names.py", "")
            + &agent("contract", second)
            + &task("contract", "file = 'user.py'\nafter = ['expand']")
            + &check(
                "nobody asks for the old name",
                "! grep -q old_name user.py",
                "",
            )
    };
    let second = "edit s/old_name/new_name/ user.py";
    let (_, status) = run(&repo, &plan("", second), 1);
    assert_eq!(
        status.words(),
        [
            "expand: rejected checkpoint-red 1",
            "contract: blocked blocked 0"
        ]
    );

    let window = "red_until = 'contract'";
    let (_, status) = run(&repo, &plan(window, second), 0);
    status.assert_all_fine();
    repo.seawall(&["log", "--json"])
        .code(0)
        .says(&["red, as declared until `contract`"]);
    let (_, status) = run(
        &repo,
        &plan(window, "edit s/old_name/newer_name/ user.py"),
        1,
    );
    assert_eq!(
        status.words(),
        [
            "expand: accepted landed 1",
            "contract: rejected checkpoint-red 1"
        ]
    );
}

/// Row 50: who needs no waves is told so, before anything is spent.
#[test]
fn a_plan_that_needs_no_waves_is_told_so() {
    let files = [
        ("calc.py", "def add(a, b):\n    return a + b\n"),
        ("more.py", "A = 1\n"),
    ];
    let Some(repo) = python("row_50", &files) else {
        return;
    };
    let one = |id: &str, file: &str, keys: &str| {
        agent(id, &format!("echo '# {id}' >> {file}"))
            + &task(id, &format!("file = '{file}'\n{keys}"))
            + &check("it is marked", &format!("grep -q {id} {file}"), "")
    };
    let said = |plan: &str| {
        let path = repo.plan(plan);
        repo.seawall(&["check", path.to_str().unwrap()]).code(0)
    };
    let small = head("python -c \"import calc\"") + &one("calc", "calc.py", "");
    said(&small).says(&["SW0212", "does not need waves"]);
    run(&repo, &small, 0);
    let waves = small + &one("more", "more.py", "after = ['calc']");
    let out = said(&waves);
    assert!(!out.err.contains("SW0212"), "{out}");
}
