//! What evidence is worth: rows 20, 21, 22, 24 and 26.

use crate::{PYTEST, agent, check, head, node, python, run, task};

const CALC: &str = "def add(a, b):\n    return a + b\n";
const TESTS: &str = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n";

/// Row 24: each criterion has its own evidence, and the one that is missing is named.
#[test]
fn one_criterion_of_many_is_named() {
    let suite = "from calc import add\nimport calc\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\ndef test_sub():\n    assert calc.sub(3, 2) == 1\n\n\ndef test_mul():\n    assert calc.mul(2, 3) == 6\n\n\ndef test_div():\n    assert calc.div(6, 3) == 2\n";
    let Some(repo) = python("row_24", &[("calc.py", CALC), ("test_calc.py", suite)]) else {
        return;
    };
    let one = |name: &str, sign: char| {
        format!("printf '\\n\\ndef {name}(a, b):\\n    return a {sign} b\\n' >> calc.py\n")
    };
    let plan = |script: &str| {
        let checks = ["sub", "mul", "div"].map(|name| {
            check(
                &format!("there is {name}"),
                &format!("{PYTEST} -k test_{name}"),
                "",
            )
        });
        head(&format!("{PYTEST} -k test_add"))
            + &agent(
                "work",
                &format!("{script}\necho 'all of sub, mul and div are there'"),
            )
            + &task("work", "file = 'calc.py'")
            + &checks.concat()
    };
    let two = one("sub", '-') + &one("div", '/');
    let (_, status) = run(&repo, &plan(&two), 1);
    assert_eq!(status.word("work"), "rejected check-red 1");
    let why = status.why("work");
    assert!(
        why.contains("there is mul") && !why.contains("there is sub"),
        "{why}"
    );
    let looks = status.task("work")["evidence"].as_array().unwrap().clone();
    let values: Vec<_> = looks
        .iter()
        .map(|look| look["value"].as_str().unwrap())
        .collect();
    assert_eq!(values, ["pass", "fail", "pass"]);

    let (out, status) = run(&repo, &plan(&(two + &one("mul", '*'))), 0);
    out.says(&["3 checks green"]);
    assert_eq!(status.word("work"), "accepted landed 1");
}

/// Row 20: who writes code and tests cannot pass on these tests alone, unless the plan says that they are enough.
#[test]
fn tests_of_ones_own_are_not_enough() {
    let spec = "import calc\n\n\ndef test_of_old():\n    assert calc.mul(2, 3) == 6\n";
    let files = [
        ("calc.py", CALC),
        ("test_calc.py", TESTS),
        ("test_spec.py", spec),
    ];
    let Some(repo) = python("row_20", &files) else {
        return;
    };
    let plan = |sign: char, right: u32, keys: &str, spec: &str| {
        let script = format!(
            "printf '\\n\\ndef mul(a, b):\\n    return a {sign} b\\n' >> calc.py
             printf '\\n\\ndef test_mul():\\n    from calc import mul\\n    assert mul(2, 3) == {right}\\n' >> test_calc.py"
        );
        let owns =
            "files = ['calc.py', 'test_calc.py']\nbecause = 'a function comes with its tests'";
        head(&format!("{PYTEST} test_calc.py"))
            + &agent("work", &script)
            + &task("work", &format!("{owns}\n{keys}"))
            + &check(
                "mul is tested",
                &format!("{PYTEST} test_calc.py -k mul"),
                "",
            )
            + spec
    };
    let (out, status) = run(&repo, &plan('+', 5, "", ""), 4);
    assert_eq!(status.task("work")["verdict"], "needs-human", "{out}");
    let why = status.why("work");
    assert!(why.contains("exit, floor tests"), "{why}");
    assert_eq!(status.text("head"), repo.git(&["rev-parse", "main"]));

    let spec = check(
        "mul does what was specified",
        &format!("{PYTEST} test_spec.py"),
        "",
    );
    let (_, status) = run(&repo, &plan('+', 5, "", &spec), 1);
    assert_eq!(status.word("work"), "rejected check-red 1");
    run(&repo, &plan('*', 6, "", &spec), 0);
    run(&repo, &plan('*', 6, "floor = 'exit'", ""), 0);
}

/// Row 21: a check that stays green when the change is taken out of what landed has not seen the change.
#[test]
fn what_stays_green_without_the_change_is_weak() {
    let suite = "import plugins.a, plugins.b\n\n\ndef test_any():\n    assert plugins.a.NAME or plugins.b.NAME\n\n\ndef test_a():\n    assert plugins.a.NAME == 'a'\n\n\ndef test_b():\n    assert plugins.b.NAME == 'b'\n";
    let files = [
        ("plugins/__init__.py", ""),
        ("plugins/a.py", "NAME = None\n"),
        ("plugins/b.py", "NAME = None\n"),
        ("test_plugins.py", suite),
    ];
    let Some(repo) = python("row_21", &files) else {
        return;
    };
    let plan = |test: &str, risk: &str| {
        let one = |id: &str| {
            agent(id, &format!("echo \"NAME = '{id}'\" > plugins/{id}.py"))
                + &task(id, &format!("file = 'plugins/{id}.py'\nrisk = '{risk}'"))
                + &check(
                    "a plugin has a name",
                    &format!("{PYTEST} -k {}", test.replace('?', id)),
                    "",
                )
        };
        head("python -c \"import plugins.a, plugins.b\"") + &one("a") + &one("b")
    };
    let (_, status) = run(&repo, &plan("test_any", "high"), 4);
    for id in ["a", "b"] {
        assert_eq!(status.task(id)["verdict"], "needs-human");
        let why = status.why(id);
        assert!(
            why.contains("sensitive") && why.contains("red-to-green"),
            "{why}"
        );
    }
    run(&repo, &plan("test_any", "normal"), 0);
    run(&repo, &plan("test_?", "high"), 0).1.assert_all_fine();
}

/// Row 22: that a file is there says little; what little is worth, the plan says.
#[test]
fn a_file_that_is_there_is_weak_evidence() {
    let suite = "import test from 'node:test';\nimport assert from 'node:assert';\n
test('adds', async () => { const { add } = await import('./add.mjs'); assert.equal(add(1, 2), 3); });\n";
    let Some(repo) = node("row_22", &[("add.test.mjs", suite), ("here", "")]) else {
        return;
    };
    let plan = |code: &str, keys: &str, command: &str| {
        head("test -e here")
            + &agent("work", &format!("echo '{code}' > add.mjs"))
            + &task("work", &format!("creates = ['add.mjs']\n{keys}"))
            + &check("it can add", command, "")
    };
    let (stub, honest) = (
        "export const sub = 1;",
        "export const add = (a, b) => a + b;",
    );
    let there = "test -s add.mjs";
    let (_, status) = run(&repo, &plan(stub, "", there), 4);
    assert_eq!(status.task("work")["verdict"], "needs-human");
    let why = status.why("work");
    assert!(why.contains("presence, floor exit"), "{why}");
    run(&repo, &plan(stub, "risk = 'low'", there), 0);

    let tested = "node --test add.test.mjs";
    let (_, status) = run(&repo, &plan(stub, "floor = 'red-to-green'", tested), 1);
    assert_eq!(status.word("work"), "rejected check-red 1");
    run(&repo, &plan(honest, "floor = 'sensitive'", tested), 0);
}

/// Row 26: red and green on one tree is neither; the plan says whether a person looks or it is tried again.
#[test]
fn red_and_green_on_one_tree_is_flaky() {
    let suite = "import time\nimport calc\n\n\ndef test_total():\n    assert calc.total([1, 2]) == 3\n    wait = getattr(calc, 'READY', 0) - time.time()\n    if wait > 0:\n        time.sleep(wait)\n        raise AssertionError('it was not ready')\n";
    let Some(repo) = python("row_26", &[("calc.py", CALC), ("test_total.py", suite)]) else {
        return;
    };
    let plan = |ready: &str, flaky: &str| {
        let script =
            format!("printf '\\n\\ndef total(all):\\n    return sum(all)\\n' >> calc.py\n{ready}");
        head("python -c \"import calc\"")
            + &agent("work", &script)
            + &task("work", "file = 'calc.py'")
            + &check("the total is right", PYTEST, flaky)
    };
    // Red for so long after the work, which is longer than the first look takes to begin.
    let ready = "echo \"READY = $(($(date +%s) + 12))\" >> calc.py";
    let (_, status) = run(&repo, &plan(ready, ""), 4);
    assert_eq!(status.task("work")["verdict"], "needs-human");
    let why = status.why("work");
    assert!(
        why.contains("the total is right") && why.contains("red and green on one tree"),
        "{why}"
    );

    let (_, status) = run(&repo, &plan(ready, "flaky = 'retry:3'"), 0);
    let look = &status.task("work")["evidence"][0];
    assert_eq!(look["value"], "pass");
    let why = |look: &serde_json::Value| look["why"].as_str().unwrap().to_owned();
    assert!(why(look).contains("after it was red once"), "{look:#}");
    let (_, status) = run(&repo, &plan("", ""), 0);
    assert!(!why(&status.task("work")["evidence"][0]).contains("red once"));
}
