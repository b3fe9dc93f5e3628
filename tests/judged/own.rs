//! The judge's own files: who writes the examination has not passed it.

use crate::common::{GREEN, evidence, plan, task};
use crate::support::Repo;
use crate::support::packages::Python;

const CALC: &str = "def double(n):\n    return n\n";
const TESTS: &str = "from calc import double\n\n\ndef test_double():\n    assert double(2) == 4\n";

fn python(test: &str) -> Option<Repo> {
    let python = Python::get(test)?;
    let mut repo = Repo::with(&[("calc.py", CALC), ("test_calc.py", TESTS)]);
    repo.path_first(&python.bin());
    repo.set("PYTHONDONTWRITEBYTECODE", "1");
    Some(repo)
}

fn with(worker: &str, more: &str) -> String {
    let keys = format!(
        "files = ['calc.py', 'test_calc.py']\nbecause = 'the tests belong to the module'\n{more}"
    );
    let check = "\n[[task.check]]\nsays = 'the suite passes'\nrun = 'python -m pytest -q -p no:cacheprovider'\n";
    plan(worker, &format!("{GREEN}{}{check}", task("work", &keys)))
}

const RIGHT: &str = "printf 'def double(n):\\n    return n + n\\n' > calc.py";

#[test]
fn a_task_cannot_pass_on_its_own_tests_alone() {
    let Some(repo) = python("own_tests") else {
        return;
    };
    // It bends the test to what the code does.
    let bent = "echo '# done' >> calc.py; edit 's/== 4/== 2/' test_calc.py";
    let out = repo.run(&with(bent, "")).code(4);
    assert_eq!(evidence(&repo, "verified")[0]["own"], "needed", "{out}");
    assert_eq!(repo.status().task("work")["verdict"], "needs-human");
    // The plan may say that it is enough.
    repo.run(&with(bent, "floor = 'exit'")).code(0);
}

#[test]
fn who_writes_tests_besides_passes_with_those_of_the_base() {
    let Some(repo) = python("more_tests") else {
        return;
    };
    let more = "printf '\\n\\ndef test_more():\\n    assert double(3) == 6\\n' >> test_calc.py";
    let out = repo.run(&with(&format!("{RIGHT}; {more}"), "")).code(0);
    assert_eq!(evidence(&repo, "verified")[0]["own"], "not-needed", "{out}");
    // A change that leaves the judge alone costs nothing.
    repo.run(&with(RIGHT, "")).code(0);
    assert_eq!(
        evidence(&repo, "verified")[0]["own"],
        serde_json::Value::Null
    );
}

#[test]
fn a_change_of_nothing_but_tests_is_worth_no_more_than_its_exit() {
    let Some(repo) = python("only_tests") else {
        return;
    };
    let bent = "edit 's/== 4/== 2/' test_calc.py";
    let out = repo.run(&with(bent, "")).code(4);
    assert_eq!(evidence(&repo, "verified")[0]["own"], "needed", "{out}");
}

#[test]
fn the_part_of_a_manifest_that_runs_the_checks_is_the_judges() {
    let package = "{\n  \"name\": \"calc\",\n  \"scripts\": { \"test\": \"node test.js\" }\n}\n";
    let repo = Repo::with(&[
        ("package.json", package),
        ("calc.js", "exports.double = (n) => n;\n"),
        (
            "test.js",
            "require('assert').equal(require('./calc').double(2), 4);\n",
        ),
    ]);
    let with = |worker: &str| {
        let keys =
            "files = ['calc.js', 'package.json']\nbecause = 'the version goes with the code'";
        // Not through npm, which is not everywhere where node is.
        let run = "sh -c \"$(node -p 'require(`./package.json`).scripts.test')\"";
        let check = format!("\n[[task.check]]\nsays = 'it passes'\nrun = '''{run}'''\n");
        plan(worker, &format!("{GREEN}{}{check}", task("work", keys)))
    };
    let lie = "echo '// done' >> calc.js; edit 's/node test.js/true/' package.json";
    let out = repo.run(&with(lie)).code(4);
    assert_eq!(evidence(&repo, "verified")[0]["own"], "needed", "{out}");
    let honest = "edit 's/=> n/=> n + n/' calc.js; edit 's/\"name\"/\"version\": \"1.0.0\",\\n  \"name\"/' package.json";
    repo.run(&with(honest)).code(0);
    assert_eq!(
        evidence(&repo, "verified")[0]["own"],
        serde_json::Value::Null
    );
}
