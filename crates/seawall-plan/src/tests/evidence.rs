//! What a plan says of its evidence: everything in one plan, and one row per problem with it.

use std::collections::BTreeMap;

use seawall_core::evidence::Grade;
use seawall_core::ids::TaskIx;
use seawall_core::plan::{
    Baseline, Capture, Flaky, Kind, Plan, Proof, Relation, Risk, Rule, Sensitivity, Tests, Window,
};

use super::diagnostics::{Row, check, row};
use super::{GOOD, Memory, path};

/// What follows the good plan in a plan that says everything about its evidence.
const MORE: &str = r##"
[[task]]
id = "repair"
file = "src/click/utils.py"
agent = "writer"
after = ["exports"]
kind = "fix"
risk = "high"
floor = "red-to-green"
prompt = "Mend what an empty list does."

  [[task.check]]
  says = "an empty list is parsed"
  run = "python -m pytest -q tests/test_core.py"
  flaky = "retry:3"
  junit = "build/core.xml"

  [[task.holdout]]
  says = "a list of one element is left alone"
  run = "python -m pytest -q {file} tests/test_hidden.py"
  flaky = "retry:10"
  put = { "tests/test_hidden.py" = "hidden/test_new.py", "tests/more/test_b.py" = "hidden/untracked.py" }

  [[task.holdout]]
  says = "no other test fails"
  run = "python -m pytest -q"
  proof = "pass-to-pass"
  baseline = "red"
  tests = "may-shrink"
  junit = "build/all.xml"

  [task.review]
  by = "modernise"

[evidence]
sensitivity = "off"

[[checkpoint]]
says = "the documentation builds"
run = "sh tools/fix.sh"
after = "types:src/click/core.py"
until = ["repair"]
red_until = ["exports", "types"]
flaky = "retry:1"
junit = "build/docs.xml"

[[invariant]]
says = "no star import"
forbid = { pattern = "import \\*", paths = ["src/**/*.py", "src/click/new.py"] }
after = ["exports"]

[[invariant]]
says = "both files name one version"
agree = { equal = [{ path = "README.md", pattern = "v([0-9]+)" }, { path = "src/click/__init__.py", pattern = "version = ([0-9]+)" }] }

[[invariant]]
says = "every new name is used"
wired = { files = ["src/click/*.py"], entries = ["src/click/__init__.py"] }

[[invariant]]
says = "the core knows nothing of the tools"
imports = { paths = ["src/click/core.py"], forbid = ["tools/**", "pytest"] }
"##;

/// A plan that says everything about its evidence.
pub(crate) fn rich() -> String {
    format!("{GOOD}{MORE}")
}

fn plan(text: &str) -> Plan {
    let reading = Memory::click().read(text);
    assert_eq!(reading.diagnostics, []);
    reading.plan.unwrap()
}

#[test]
fn a_task_says_what_it_asks_of_its_evidence() {
    let plan = plan(&rich());
    assert_eq!(plan.evidence.sensitivity, Sensitivity::Off);
    let repair = &plan.tasks[4];
    assert_eq!(
        (repair.kind, repair.risk, repair.floor),
        (Kind::Fix, Risk::High, Some(Grade::RedToGreen))
    );
    assert_eq!(repair.review.as_ref().map(|r| &*r.by), Some("modernise"));
    let check = &repair.checks[0];
    assert_eq!(check.flaky, Flaky::Retry(3));
    assert_eq!(check.junit, Some(path("build/core.xml")));
    let bytes: std::sync::Arc<[u8]> = b"assert True\n".as_slice().into();
    let put = ["tests/more/test_b.py", "tests/test_hidden.py"].map(|p| (path(p), bytes.clone()));
    let [first, second] = &*repair.holdouts else {
        panic!("two holdouts")
    };
    assert_eq!(first.put, BTreeMap::from(put));
    assert_eq!(
        (first.proof, first.flaky),
        (Proof::FailToPass, Flaky::Retry(10))
    );
    assert_eq!(
        (second.proof, second.baseline, second.tests, second.flaky),
        (
            Proof::PassToPass,
            Baseline::Red,
            Tests::MayShrink,
            Flaky::Hold
        )
    );
    let others = &plan.tasks[3];
    assert_eq!(
        (others.kind, others.risk, others.floor, &others.review),
        (Kind::Change, Risk::Normal, None, &None)
    );
    assert!(others.holdouts.is_empty());
}

#[test]
fn gates_have_windows_and_invariants_rules() {
    let plan = plan(&rich());
    assert!(plan.checkpoints[0].window.is_always());
    let expected = Window {
        after: vec![TaskIx(0)],
        until: vec![TaskIx(4)],
        red_until: vec![TaskIx(0), TaskIx(1), TaskIx(2), TaskIx(3)],
    };
    let docs = &plan.checkpoints[1];
    assert_eq!((&docs.window, docs.flaky), (&expected, Flaky::Retry(1)));
    assert_eq!(docs.junit, Some(path("build/docs.xml")));
    let after = Window {
        after: vec![TaskIx(3)],
        ..Window::default()
    };
    assert_eq!(plan.invariants[1].window, after);
    let texts = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let capture = |path: &str, pattern: &str| Capture {
        path: path.to_owned(),
        pattern: pattern.to_owned(),
    };
    let rules: Vec<_> = plan.invariants.iter().map(|i| i.rule.clone()).collect();
    let expected = [
        None,
        Some(Rule::Forbid {
            pattern: "import \\*".to_owned(),
            paths: texts(&["src/**/*.py", "src/click/new.py"]),
        }),
        Some(Rule::Agree {
            captures: vec![
                capture("README.md", "v([0-9]+)"),
                capture("src/click/__init__.py", "version = ([0-9]+)"),
            ],
            relation: Relation::Equal,
        }),
        Some(Rule::Wired {
            files: texts(&["src/click/*.py"]),
            entries: texts(&["src/click/__init__.py"]),
        }),
        Some(Rule::Imports {
            paths: texts(&["src/click/core.py"]),
            forbid: texts(&["tools/**", "pytest"]),
        }),
    ];
    assert_eq!(rules, expected);
    for (key, relation) in [
        ("less =", Relation::Less),
        ("less_or_equal =", Relation::LessOrEqual),
    ] {
        let plan = self::plan(&rich().replace("equal =", key));
        let Some(Rule::Agree {
            relation: found, ..
        }) = &plan.invariants[2].rule
        else {
            panic!("a rule")
        };
        assert_eq!(*found, relation);
    }
}

#[test]
fn a_run_can_carry_the_plan_as_it_is() {
    let plan = plan(&rich());
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn risk_and_floor_may_stand_in_defaults() {
    let text = rich()
        .replacen(
            "[defaults]",
            "[defaults]\nrisk = \"low\"\nfloor = \"tests\"",
            1,
        )
        .replace("risk = \"high\"\nfloor = \"red-to-green\"\n", "");
    let plan = plan(&text);
    for task in &plan.tasks {
        assert_eq!((task.risk, task.floor), (Risk::Low, Some(Grade::Tests)));
    }
}

const CHECK: &str = "run = \"python -m pytest -q tests/test_core.py\"\n";
const PUT: &str = "\"tests/test_hidden.py\" = \"hidden/test_new.py\"";
const FORBID: &str =
    "forbid = { pattern = \"import \\\\*\", paths = [\"src/**/*.py\", \"src/click/new.py\"] }";
const WIRED: &str =
    "wired = { files = [\"src/click/*.py\"], entries = [\"src/click/__init__.py\"] }";
const EQUAL: &str = "[{ path = \"README.md\", pattern = \"v([0-9]+)\" }, { path = \"src/click/__init__.py\", pattern = \"version = ([0-9]+)\" }]";
const UNTIL: &str = "until = [\"repair\"]";
const RED_UNTIL: &str = "red_until = [\"exports\", \"types\"]";
const HIDDEN: &str = "[[task.holdout]]\n  says = \"a list of one element is left alone\"\n  run = \"python -m pytest -q {file} tests/test_hidden.py\"\n  flaky = \"retry:10\"\n  put = { \"tests/test_hidden.py\" = \"hidden/test_new.py\", \"tests/more/test_b.py\" = \"hidden/untracked.py\" }\n";
const FLOOR: &str = "risk = \"high\"\nfloor = \"red-to-green\"\n";

/// Changes of the rich plan, and the one problem that comes of each.
pub(crate) const ROWS: &[Row] = &[
    row(
        "SW0102",
        &[("sensitivity =", "sensitivty =")],
        "sensitivty",
        "did you mean `sensitivity`?",
    ),
    row(
        "SW0102",
        &[("red_until =", "red_untill =")],
        "red_untill",
        "did you mean `red_until`?",
    ),
    row(
        "SW0102",
        &[("kind = \"fix\"", "kin = \"fix\"")],
        "kin",
        "did you mean `kind`?",
    ),
    row(
        "SW0102",
        &[("entries =", "entires =")],
        "entires",
        "did you mean",
    ),
    row(
        "SW0102",
        &[("put = {", "puts = {")],
        "puts",
        "did you mean `put`?",
    ),
    row(
        "SW0103",
        &[("sensitivity = \"off\"", "sensitivity = \"of\"")],
        "\"of\"",
        "did you mean `off`?",
    ),
    row(
        "SW0103",
        &[("risk = \"high\"", "risk = \"hihg\"")],
        "\"hihg\"",
        "did you mean `high`?",
    ),
    row(
        "SW0103",
        &[("flaky = \"retry:3\"", "flaky = \"retry\"")],
        "\"retry\"",
        "is no value of `flaky`",
    ),
    row(
        "SW0103",
        &[("flaky = \"retry:3\"", "flaky = 3")],
        "3",
        "write for example `flaky = \"retry:3\"`",
    ),
    row(
        "SW0103",
        &[("until = [\"repair\"]", "until = 1")],
        "1",
        "a string or a list of strings",
    ),
    row(
        "SW0103",
        &[(
            "proof = \"pass-to-pass\"\n  baseline",
            "proof = \"manual\"\n  baseline",
        )],
        "\"manual\"",
        "is no value of `proof`",
    ),
    row(
        "SW0104",
        &[(UNTIL, "until = [\"repari\"]")],
        "\"repari\"",
        "did you mean `repair`?",
    ),
    row(
        "SW0104",
        &[(RED_UNTIL, "red_until = \"type\"")],
        "\"type\"",
        "the checkpoint names the task `type`",
    ),
    row(
        "SW0104",
        &[(
            "after = [\"exports\"]\n\n[[inv",
            "after = [\"types:a\"]\n\n[[inv",
        )],
        "\"types:a\"",
        "the invariant names the task",
    ),
    row(
        "SW0105",
        &[(
            "run = \"python -m pytest -q {file} tests/test_hidden.py\"\n",
            "",
        )],
        "[[task.holdout]]",
        "[[task.holdout]] has no `run`",
    ),
    row(
        "SW0105",
        &[("  by = \"modernise\"\n", "")],
        "[task.review]",
        "[task.review] has no `by`",
    ),
    row(
        "SW0105",
        &[("pattern = \"import \\\\*\", ", "")],
        "{ paths = [\"src/**/*.py\", \"src/click/new.py\"] }",
        "has no `pattern`",
    ),
    row(
        "SW0107",
        &[("flaky = \"retry:3\"", "flaky = \"retry:11\"")],
        "\"retry:11\"",
        "`retry:1` to `retry:10`",
    ),
    row(
        "SW0107",
        &[("flaky = \"retry:3\"", "flaky = \"retry:0\"")],
        "\"retry:0\"",
        "out of range",
    ),
    row(
        "SW0113",
        &[("build/core.xml", "../core.xml")],
        "\"../core.xml\"",
        "path",
    ),
    row(
        "SW0113",
        &[("build/docs.xml", ".git/config")],
        "\".git/config\"",
        "a plan cannot change git's own files",
    ),
    row(
        "SW0113",
        &[(PUT, "\".git/hooks/x\" = \"hidden/test_new.py\"")],
        "\".git/hooks/x\"",
        "git's own files",
    ),
    row(
        "SW0113",
        &[(PUT, "\"tests/a.py\" = \"../test_new.py\"")],
        "\"../test_new.py\"",
        "path",
    ),
    row(
        "SW0114",
        &[("build/core.xml", "link/core.xml")],
        "\"link/core.xml\"",
        "symbolic link `link`",
    ),
    row(
        "SW0119",
        &[("build/core.xml", "src/click")],
        "\"src/click\"",
        "is a directory",
    ),
    row(
        "SW0119",
        &[("build/core.xml", "README.md/x")],
        "\"README.md/x\"",
        "below `README.md`",
    ),
    row(
        "SW0141",
        &[("build/core.xml", ".seawall/x")],
        "\".seawall/x\"",
        "Seawall's own configuration",
    ),
    row(
        "SW0122",
        &[("\"tools/**\"", "\"tools/[\"")],
        "\"tools/[\"",
        "cannot be read",
    ),
    row(
        "SW0122",
        &[("\"src/**/*.py\",", "\"src/[\",")],
        "\"src/[\"",
        "cannot be read",
    ),
    row(
        "SW0123",
        &[("\"src/**/*.py\",", "\"lib/**/*.py\",")],
        "\"lib/**/*.py\"",
        "matches no file",
    ),
    row(
        "SW0123",
        &[(
            "entries = [\"src/click/__init__.py\"]",
            "entries = [\"src/main.py\"]",
        )],
        "\"src/main.py\"",
        "matches no file",
    ),
    row(
        "SW0123",
        &[("path = \"README.md\"", "path = \"READYOU.md\"")],
        "\"READYOU.md\"",
        "matches no file",
    ),
    row(
        "SW0128",
        &[("no star import", "imports are handled properly")],
        "properly",
        "name the observable result",
    ),
    row(
        "SW0131",
        &[("by = \"modernise\"", "by = \"modernize\"")],
        "\"modernize\"",
        "did you mean `modernise`?",
    ),
    row(
        "SW0135",
        &[(
            "run = \"python -m pytest -q {file} tests/test_hidden.py\"",
            "run = \"cat {prompt}\"",
        )],
        "\"cat {prompt}\"",
        "means nothing in a holdout",
    ),
    row(
        "SW0143",
        &[("flaky = \"retry:10\"", "baseline = \"red\"")],
        "\"red\"",
        "always red",
    ),
    row(
        "SW0152",
        &[
            (UNTIL, "until = \"types\""),
            ("after = \"types:src/click/core.py\"", "after = \"exports\""),
            (RED_UNTIL, ""),
        ],
        "\"types\"",
        "the checkpoint is never looked at",
    ),
    row(
        "SW0152",
        &[
            (UNTIL, "until = \"types:src/click/core.py\""),
            (RED_UNTIL, ""),
        ],
        "\"types:src/click/core.py\"",
        "done before it begins",
    ),
    row(
        "SW0153",
        &[("by = \"modernise\"", "by = \"writer\"")],
        "\"writer\"",
        "name another agent, such as `modernise`",
    ),
    row(
        "SW0154",
        &[
            (CHECK, "run = \"pytest\"\nproof = \"pass-to-pass\"\n"),
            (HIDDEN, ""),
            (FLOOR, ""),
        ],
        "\"fix\"",
        "red because of the defect",
    ),
    row(
        "SW0155",
        &[(FORBID, "")],
        "[[invariant]]",
        "neither command nor rule",
    ),
    row(
        "SW0155",
        &[(
            FORBID,
            "run = \"make\"\nwired = { files = [\"src/click/*.py\"] }",
        )],
        "{ files = [\"src/click/*.py\"] }",
        "both `run` and `wired`",
    ),
    row(
        "SW0156",
        &[("import \\\\*", "(import")],
        "\"(import\"",
        "unclosed group",
    ),
    row(
        "SW0156",
        &[("import \\\\*", "x*")],
        "\"x*\"",
        "it matches the empty string",
    ),
    row(
        "SW0156",
        &[("import \\\\*", "(?=x)y")],
        "\"(?=x)y\"",
        "look-around",
    ),
    row(
        "SW0156",
        &[("v([0-9]+)", "v[0-9]+")],
        "\"v[0-9]+\"",
        "has 0 groups",
    ),
    row(
        "SW0156",
        &[("v([0-9]+)", "(v)([0-9]+)")],
        "\"(v)([0-9]+)\"",
        "exactly one pair of parentheses",
    ),
    row(
        "SW0157",
        &[(EQUAL, "[{ path = \"README.md\", pattern = \"v([0-9]+)\" }]")],
        "[{ path = \"README.md\", pattern = \"v([0-9]+)\" }]",
        "fewer than two",
    ),
    row("SW0157", &[(EQUAL, "[]")], "[]", "fewer than two"),
    row(
        "SW0157",
        &[("agree = { equal = [", "agree = { less = [], equal = [")],
        "{ less = [], equal = [{ path = \"README.md\", pattern = \"v([0-9]+)\" }, { path = \"src/click/__init__.py\", pattern = \"version = ([0-9]+)\" }] }",
        "more than one of them",
    ),
    row(
        "SW0158",
        &[("hidden/test_new.py", "hidden/gone.py")],
        "\"hidden/gone.py\"",
        "there is no such file",
    ),
    row(
        "SW0158",
        &[("hidden/test_new.py", "hidden/link.py")],
        "\"hidden/link.py\"",
        "symbolic link",
    ),
    row(
        "SW0158",
        &[("hidden/test_new.py", "hidden")],
        "\"hidden\"",
        "not a plain file",
    ),
    row(
        "SW0158",
        &[("hidden/test_new.py", "hidden/large.py")],
        "\"hidden/large.py\"",
        "more than 1 MiB",
    ),
    row(
        "SW0158",
        &[("hidden/test_new.py", "hidden/secret.py")],
        "\"hidden/secret.py\"",
        "permission denied",
    ),
    row(
        "SW0159",
        &[("hidden/test_new.py", "hidden/tracked.py")],
        "\"hidden/tracked.py\"",
        "`tests/test_core.py` is in the commit",
    ),
    row(
        "SW0159",
        &[("hidden/test_new.py", "hidden/carried.py")],
        "\"hidden/carried.py\"",
        "`build/target` is carried",
    ),
    row(
        "SW0159",
        &[("hidden/test_new.py", "hidden/opened.py")],
        "\"hidden/opened.py\"",
        "opens `~/.cargo`",
    ),
    row(
        "SW0160",
        &[(PUT, "\"src/click/utils.py\" = \"hidden/test_new.py\"")],
        "\"src/click/utils.py\"",
        "the task owns it",
    ),
    row(
        "SW0160",
        &[(PUT, "\"src/click\" = \"hidden/test_new.py\"")],
        "\"src/click\"",
        "no plain file can stand there",
    ),
    row(
        "SW0160",
        &[(PUT, "\"link\" = \"hidden/test_new.py\"")],
        "\"link\"",
        "no plain file can stand there",
    ),
    row(
        "SW0160",
        &[(PUT, "\"README.md/x\" = \"hidden/test_new.py\"")],
        "\"README.md/x\"",
        "no plain file can stand there",
    ),
    row(
        "SW0160",
        &[(PUT, "\"tests/more/test_b.py/x\" = \"hidden/test_new.py\"")],
        "\"tests/more/test_b.py/x\"",
        "another file is put there",
    ),
    row(
        "SW0161",
        &[("build/core.xml", "src/click/utils.py")],
        "\"src/click/utils.py\"",
        "the task owns the report",
    ),
    row(
        "SW0161",
        &[("build/docs.xml", "src/click/new.py")],
        "\"src/click/new.py\"",
        "task `exports` owns the report",
    ),
    row(
        "SW0162",
        &[(
            WIRED,
            "wired = { files = [\"src/click/*.py\"] }\nflaky = \"retry:3\"",
        )],
        "\"retry:3\"",
        "`flaky` says nothing without a command",
    ),
    row(
        "SW0162",
        &[(
            "proof = \"manual\"",
            "proof = \"manual\"\njunit = \"build/x.xml\"",
        )],
        "\"build/x.xml\"",
        "nothing is run",
    ),
    row(
        "SW0163",
        &[
            (CHECK, "run = \"pytest\"\nproof = \"pass-to-pass\"\n"),
            (HIDDEN, ""),
            ("kind = \"fix\"\n", ""),
        ],
        "\"red-to-green\"",
        "its checks reach `tests` at most",
    ),
    row(
        "SW0163",
        &[
            (CHECK, "run = \"pytest\"\nproof = \"pass-to-pass\"\n"),
            (HIDDEN, ""),
            ("kind = \"fix\"\n", ""),
            ("floor = \"red-to-green\"\n", ""),
        ],
        "\"high\"",
        "the floor of `repair` is `sensitive`",
    ),
    row(
        "SW0163",
        &[
            (
                "timeout = \"1h 30m\"\n",
                "timeout = \"1h 30m\"\nfloor = \"exit\"\n",
            ),
            ("python tools/exports.py {file}", "test -s {file}"),
            ("{file}\"\n  proof = \"pass-to-pass\"", "src/click/new.py\""),
        ],
        "\"exit\"",
        "reach `presence` at most",
    ),
    row(
        "SW0163",
        &[
            (
                "timeout = \"1h 30m\"\n",
                "timeout = \"1h 30m\"\nfloor = \"exit\"\n",
            ),
            ("  proof = \"pass-to-pass\"\n\n", "  proof = \"manual\"\n\n"),
            ("  run = \"python tools/exports.py {file}\"\n", ""),
        ],
        "\"exit\"",
        "only a person can tell",
    ),
    row(
        "SW0210",
        &[
            (CHECK, "run = \"grep -q legacy {file}\"\n"),
            (
                "run = \"python -m pytest -q\"\n  proof",
                "run = \"! grep -n legacy src/click/utils.py\"\n  proof",
            ),
        ],
        "legacy",
        "`repair` both demands and forbids `legacy` in `src/click/utils.py`",
    ),
    row(
        "SW0210",
        &[
            ("after = [\"exports\"]\n", "after = [\"types\"]\n"),
            (CHECK, "run = \"! grep -q 'old name' src/click/new.py\"\n"),
            (
                "python tools/exports.py {file}",
                "grep -q 'old name' src/click/new.py",
            ),
            (RED_UNTIL, ""),
        ],
        "old name",
        "`exports` demands `old name` in `src/click/new.py`, and `repair` forbids it",
    ),
    row(
        "SW0211",
        &[
            (CHECK, "run = \"grep -q 'from click import *' {file}\"\n"),
            ("import \\\\*", "from click import *"),
            ("after = [\"exports\"]\n\n[[inv", "\n[[inv"),
            (", \"src/click/new.py\"]", "]"),
        ],
        "{ pattern = \"from click import *\", paths = [\"src/**/*.py\"] }",
        "the invariant forbids",
    ),
    row(
        "SW0211",
        &[
            (CHECK, "run = \"grep -qF 'import *' {file}\"\n"),
            ("after = [\"exports\"]\n\n[[inv", "\n[[inv"),
            (", \"src/click/new.py\"]", "]"),
        ],
        "{ pattern = \"import \\\\*\", paths = [\"src/**/*.py\"] }",
        "where `repair` demands it",
    ),
    row(
        "SW0211",
        &[(CHECK, "run = \"grep -q 'from tests' {file}\"\n")],
        "\"! grep -rn 'from tests' src\"",
        "in `src/click/utils.py`, where `repair` demands it",
    ),
    row(
        "SW0213",
        &[("python tools/exports.py {file}", "test -s src/click/new.py")],
        "[\"src/click/__init__.py\"]",
        "`exports` only look whether",
    ),
    row(
        "SW0214",
        &[(RED_UNTIL, "red_until = \"types:src/click/core.py\"")],
        "\"types:src/click/core.py\"",
        "has no effect",
    ),
    row(
        "SW0214",
        &[(RED_UNTIL, "red_until = \"repair\"")],
        "\"repair\"",
        "never has to be green",
    ),
    row(
        "SW0214",
        &[(UNTIL, ""), (RED_UNTIL, "red_until = \"repair\"")],
        "\"repair\"",
        "only when the whole plan is done",
    ),
    row(
        "SW0216",
        &[(
            "after = [\"exports\"]\n\n[[inv",
            "after = [\"types\"]\n\n[[inv",
        )],
        "{ pattern = \"import \\\\*\", paths = [\"src/**/*.py\", \"src/click/new.py\"] }",
        "`src/click/new.py` of the invariant matches no file before `exports` is done",
    ),
];

#[test]
fn each_problem_is_told_once_where_it_is_with_what_to_write() {
    let text = rich();
    let failures: Vec<String> = ROWS
        .iter()
        .filter_map(|row| check(&text, row).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Each of these is what its author means, and nothing is said.
#[test]
fn what_only_looks_like_a_contradiction_is_let_pass() {
    for changes in [
        // one task brings it and a later one takes it away
        &[
            (CHECK, "run = \"! grep -q legacy src/click/new.py\"\n"),
            (
                "python tools/exports.py {file}",
                "grep -q legacy src/click/new.py",
            ),
        ][..],
        // another file
        &[
            (CHECK, "run = \"grep -q legacy {file}\"\n"),
            (
                "run = \"python -m pytest -q\"\n  proof",
                "run = \"! grep -n legacy README.md\"\n  proof",
            ),
        ],
        // another way to match
        &[
            (CHECK, "run = \"grep -qw legacy {file}\"\n"),
            (
                "run = \"python -m pytest -q\"\n  proof",
                "run = \"! grep -n legacy {file}\"\n  proof",
            ),
        ],
        // the gate holds at another time
        &[(CHECK, "run = \"grep -qF 'import *' {file}\"\n")],
        // any gate that is red until the task is done may have its window
        &[(RED_UNTIL, "red_until = \"types\"")],
    ] {
        let text = super::diagnostics::changed(&rich(), changes);
        let reading = Memory::click().read(&text);
        assert_eq!(reading.diagnostics, [], "{changes:?}");
    }
}

#[test]
fn a_large_brief_is_told_once() {
    let long = "Replace every alias. ".repeat(2_000);
    let text = rich().replacen("[defaults]", &format!("[defaults]\nprompt = \"{long}\""), 1);
    let text = text.replace("prompt = \"Export the new names.\"\n", "");
    let reading = Memory::click().read(&text);
    let told: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|d| (d.code, &*d.message))
        .collect();
    let [("SW0215", message)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(
        message.starts_with("the brief of `exports` has about 10"),
        "{message}"
    );
}

#[test]
fn files_that_are_put_are_read_once_and_not_too_many() {
    let mut world = Memory::click();
    for n in 0..20 {
        let found = crate::Beside {
            bytes: vec![b'x'; 1 << 20].into(),
            place: None,
        };
        world.beside.insert(path(&format!("h/{n}")), Ok(found));
    }
    let put = |count: usize, same: bool| {
        let all = (0..count).map(|n| format!("\"t/{n}\" = \"h/{}\"", if same { 0 } else { n }));
        let all: Vec<String> = all.collect();
        world.read(&rich().replace(PUT, &all.join(", ")))
    };
    assert_eq!(put(20, true).diagnostics, []);
    assert_eq!(put(15, false).diagnostics, []);
    let codes: Vec<_> = put(20, false).diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["SW0158"]);
}
