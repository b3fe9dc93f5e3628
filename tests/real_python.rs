//! A package from the Python registry, with its own suite: modernised in three waves by a codemod, one worker a file.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod support;

use std::collections::BTreeSet;

use support::packages::Python;
use support::traces::{Mine, assert_clean};
use support::{Output, Repo, Status};

const PLAN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../plans/python-modernise.toml"
);

#[test]
fn a_package_is_modernised_and_its_own_suite_stays_green() {
    let Some(python) = Python::get("real_python") else {
        return;
    };
    let repo = python.repo();
    suite(&repo);
    let red: Vec<_> = modules(&repo)
        .into_iter()
        .filter(|path| old(&repo, "--py3-plus", path))
        .collect();
    assert!(red.len() >= 8, "{red:?}");

    spotless(&repo);
    let mine = Mine::of(&repo);
    repo.seawall(&["run", PLAN])
        .code(0)
        .says(&["wave 3", "seawall land"]);
    mine.assert_untouched(&repo);
    assert_clean(&repo);

    let status = repo.status();
    ended_well(&status, &red);
    branch_holds(&repo, &status);
    last_brief_is_fresh(&repo, &status);

    repo.seawall(&["land"]).code(0);
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), status.text("head"));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    suite(&repo);
    let left: Vec<_> = modules(&repo)
        .into_iter()
        .filter(|path| old(&repo, "--py36-plus", path))
        .collect();
    assert_eq!(left, [""; 0]);

    nothing_is_left_to_do(&repo);
}

/// The plan is an example for others: nothing is to be said about it.
fn spotless(repo: &Repo) {
    let said = repo.seawall(&["check", PLAN]).code(0);
    assert_eq!(said.err, "");
}

/// What the last wave is told about the files stands in the commit of the wave before it.
fn last_brief_is_fresh(repo: &Repo, status: &Status) {
    let attempt = &repo.task("packaging")["attempts"][0]["attempt"];
    let brief = repo.brief(status.run(), attempt.as_u64().unwrap());
    let base = status.0["checkpoints"][1]["commit"].as_str().unwrap();
    let core = repo.show(base, "src/click/core.py").unwrap();
    let fact = format!(
        "`src/click/core.py` ({} lines, {} bytes)",
        core.lines().count(),
        core.len()
    );
    assert!(
        brief.contains(&base[..8]) && brief.contains(&fact),
        "{fact} in {brief}"
    );
    assert_ne!(core, repo.read("src/click/core.py"));
}

/// The package's own tests, run by nobody but us.
fn suite(repo: &Repo) {
    let mut pytest = repo.command("python");
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]);
    Output::of(pytest.env("PYTHONPATH", "src"))
        .code(0)
        .says(&["278 passed"]);
}

fn modules(repo: &Repo) -> Vec<String> {
    let listed = repo.git(&["ls-files", "src/click/*.py"]);
    let modules: Vec<_> = listed.lines().map(str::to_owned).collect();
    assert!(modules.len() >= 15, "{modules:?}");
    modules
}

/// Whether the codemod still finds something, asked without Seawall.
fn old(repo: &Repo, since: &str, path: &str) -> bool {
    let mut pyupgrade = repo.command("pyupgrade");
    let file = std::fs::File::open(repo.dir().join(path)).unwrap();
    Output::of(pyupgrade.args([since, "-"]).stdin(file)).out != repo.read(path)
}

fn ended_well(status: &Status, red: &[String]) {
    assert_eq!(status.text("state"), "finished");
    status.assert_all_fine();
    assert_eq!(status.0["tasks"].as_array().unwrap().len(), 2 * 17 + 1);
    assert_eq!(status.0["checkpoints"].as_array().unwrap().len(), 3);
    let accepted = |word: &&String| word.starts_with("syntax:") && word.contains(": accepted");
    assert_eq!(status.words().iter().filter(accepted).count(), red.len());
    for path in red {
        assert_eq!(status.word(&format!("syntax:{path}")), "accepted landed 1");
    }
    let packaging = status.task("packaging");
    assert_eq!(packaging["wave"], 3);
    assert_eq!(
        packaging["paths"],
        serde_json::json!(["setup.py", "setup.cfg"])
    );
    for task in status.0["tasks"].as_array().unwrap() {
        if task["verdict"] == "accepted" {
            proven(task);
        }
    }
}

/// Every fail-to-pass check of an accepted task was red, and is green.
fn proven(task: &serde_json::Value) {
    for look in task["evidence"].as_array().unwrap() {
        assert_eq!(
            (&look["value"], &look["exit"]),
            (&"pass".into(), &0.into()),
            "{task:#}"
        );
        let base = &look["base"];
        assert_eq!(base["value"], "pass", "{task:#}");
        let was_red = base["exit"] != 0;
        assert_eq!(was_red, look["proof"] == "fail-to-pass", "{task:#}");
    }
}

/// Three commits on the base, each naming its wave and tasks, and no file changed that nobody owns.
fn branch_holds(repo: &Repo, status: &Status) {
    let (base, branch) = (status.text("base"), status.text("branch"));
    assert_eq!(base, repo.git(&["rev-parse", "main"]));
    assert_eq!(status.text("head"), repo.git(&["rev-parse", branch]));
    let range = format!("{base}..{branch}");
    let waves = repo.git(&[
        "log",
        "--reverse",
        "--format=%(trailers:key=Seawall-Wave,valueonly,separator=)",
        &range,
    ]);
    assert_eq!(waves, "1\n2\n3");
    let named = repo.git(&[
        "log",
        "--format=%(trailers:key=Seawall-Task,valueonly,separator=%x0a)",
        &range,
    ]);
    assert_eq!(
        named.lines().filter(|line| !line.is_empty()).count() as u64,
        status.count("accepted")
    );
    let changed = repo.git(&["diff", "--name-only", &range]);
    let changed: BTreeSet<_> = changed.lines().collect();
    let tasks = status.0["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|task| task["verdict"] == "accepted");
    let owned: BTreeSet<_> = tasks
        .flat_map(|task| task["paths"].as_array().unwrap())
        .map(|p| p.as_str().unwrap())
        .collect();
    assert_eq!(changed, owned);
}

/// The same plan on what landed: no worker starts, and nothing is made that could land.
fn nothing_is_left_to_do(repo: &Repo) {
    repo.seawall(&["run", PLAN]).code(0);
    let status = repo.status();
    assert_eq!(status.count("not-run"), 35, "{:#}", status.0);
    assert_eq!(status.0["dispatches"], 0);
    assert_eq!(status.text("head"), status.text("base"));
    repo.seawall(&["land"]).code(2).says(&["nothing to land"]);
    assert_clean(repo);
}
