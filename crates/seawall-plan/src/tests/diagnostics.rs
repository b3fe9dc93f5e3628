//! One row per problem: a change of the good plan, and what is said about it.

use seawall_core::diagnostic::Severity;

use super::{GOOD, Memory};
use crate::{Base, Reading, codes};

/// A change of the good plan, and the one problem that comes of it.
pub(crate) struct Row {
    pub(crate) code: &'static str,
    /// What is replaced by what, in order.
    changes: &'static [(&'static str, &'static str)],
    /// The underlined source; empty for a problem without a place.
    underlined: &'static str,
    /// A piece of message, note or help.
    says: &'static str,
}

pub(crate) const fn row(
    code: &'static str,
    changes: &'static [(&'static str, &'static str)],
    underlined: &'static str,
    says: &'static str,
) -> Row {
    Row {
        code,
        changes,
        underlined,
        says,
    }
}

const EXPORTS_FILES: &str = "files = [\"src/click/__init__.py\"]\ncreates = [\"src/click/new.py\"]\nbecause = \"a new module and its export belong together\"\n";
const EXPORTS_CHECK: &str = "python tools/exports.py {file}";
const TYPES_CHECK: &str = "! grep -nE '\\\\bt\\\\.(List|Dict|Tuple)\\\\b' {file}";
const EACH: &str = "each = \"src/click/[a-z]*.py\"";
const CHECKPOINT: &str =
    "[[checkpoint]]\nsays = \"the whole suite passes\"\nrun = \"python -m pytest -q\"\n";
const AFTER: &str = "after = [\"types\"]";
const README: &str = "\"README.md\"";

const ROWS: &[Row] = &[
    row(
        "SW0100",
        &[("goal = \"Replace", "goal = Replace")],
        "",
        "not TOML",
    ),
    row(
        "SW0100",
        &[("profile = \"worker\"", "agent = \"writer\"")],
        "agent",
        "duplicate key",
    ),
    row(
        "SW0101",
        &[("version = 1", "version = 2")],
        "2",
        "version = 1",
    ),
    row("SW0105", &[("version = 1\n", "")], "", "version = 1"),
    row(
        "SW0102",
        &[("goal =", "gaol =")],
        "gaol",
        "did you mean `goal`?",
    ),
    row(
        "SW0102",
        &[("profile = \"worker\"", "profil = \"worker\"")],
        "profil",
        "did you mean `profile`?",
    ),
    row(
        "SW0102",
        &[("wall =", "wal =")],
        "wal",
        "did you mean `wall`?",
    ),
    row(
        "SW0102",
        &[("silence =", "silense =")],
        "silense",
        "did you mean `silence`?",
    ),
    row(
        "SW0102",
        &[("pass =", "passes =")],
        "passes",
        "did you mean `pass`?",
    ),
    row(
        "SW0102",
        &[("prompt = \"stdin\"", "promt = \"stdin\"")],
        "promt",
        "did you mean `prompt`?",
    ),
    row(
        "SW0102",
        &[(
            "run = \"python -m pytest -q\"",
            "run = \"python -m pytest -q\"\nproof = \"manual\"",
        )],
        "proof",
        "`proof` is a key of [[task.check]]",
    ),
    row(
        "SW0102",
        &[("[[invariant]]", "[[invariant]]\nsay = \"x\"")],
        "say",
        "did you mean `says`?",
    ),
    row(
        "SW0102",
        &[("when = \"red\"", "whem = \"red\"")],
        "whem",
        "did you mean `when`?",
    ),
    row(
        "SW0102",
        &[(
            "proof = \"manual\"",
            "proof = \"manual\"\nprof = \"manual\"",
        )],
        "prof",
        "did you mean `proof`?",
    ),
    row(
        "SW0102",
        &[("[budget]", "[zebra]\n[budget]")],
        "zebra",
        "keys here: version",
    ),
    row(
        "SW0103",
        &[("attempts = 2", "attempts = \"2\"")],
        "\"2\"",
        "attempts = 2",
    ),
    row(
        "SW0103",
        &[("proof = \"pass-to-pass\"", "proof = \"pass-to-fail\"")],
        "\"pass-to-fail\"",
        "did you mean",
    ),
    row(
        "SW0103",
        &[("prompt = \"stdin\"", "prompt = \"telepathy\"")],
        "\"telepathy\"",
        "`none`, `stdin`, `arg`, `file`",
    ),
    row(
        "SW0103",
        &[(CHECKPOINT, "[checkpoint]\nsays = \"x\"\nrun = \"make\"\n")],
        "[checkpoint]",
        "write it as `[[checkpoint]]`",
    ),
    row(
        "SW0103",
        &[("run = [\"fix\", \"{file}\"]", "run = \"fix\"")],
        "\"fix\"",
        "a list of strings",
    ),
    row(
        "SW0103",
        &[(
            "env = { PYTHONDONTWRITEBYTECODE = \"1\" }",
            "env = { X = 1 }",
        )],
        "1",
        "a table of strings",
    ),
    row(
        "SW0104",
        &[(AFTER, "after = [\"type\"]")],
        "\"type\"",
        "did you mean `types`? it fans out to 3 tasks; waiting for it waits for all of them",
    ),
    row(
        "SW0104",
        &[(AFTER, "after = [\"zebra\"]")],
        "\"zebra\"",
        "tasks of this plan: `types`, `exports`",
    ),
    row(
        "SW0104",
        &[(AFTER, "after = [\"types:src/click/x.py\"]")],
        "\"types:src/click/x.py\"",
        "`types` fans out to `types:src/click/core.py`",
    ),
    row(
        "SW0105",
        &[(
            "goal = \"Replace typing aliases by builtin generics without changing behaviour\"\n",
            "",
        )],
        "",
        "has no `goal`",
    ),
    row(
        "SW0105",
        &[("says = \"no module imports from the tests\"\n", "")],
        "[[invariant]]",
        "has no `says`",
    ),
    row(
        "SW0105",
        &[("id = \"exports\"\n", "")],
        "[[task]]",
        "has no `id`",
    ),
    row(
        "SW0105",
        &[("prompt = \"Export the new names.\"\n", "")],
        "[[task]]",
        "task `exports` has no `prompt`",
    ),
    row(
        "SW0106",
        &[("prompt = \"Export the new names.\"", "prompt = \" \"")],
        "\" \"",
        "`prompt` is empty",
    ),
    row(
        "SW0106",
        &[("run = [\"fix\", \"{file}\"]", "run = []")],
        "[]",
        "`run` is empty",
    ),
    row(
        "SW0107",
        &[("attempts = 2", "attempts = 0")],
        "0",
        "`attempts = 0` is out of range",
    ),
    row(
        "SW0107",
        &[("attempts = 2", "attempts = 101")],
        "101",
        "out of range",
    ),
    row(
        "SW0107",
        &[("attempts = 60", "attempts = 0")],
        "0",
        "out of range",
    ),
    row(
        "SW0107",
        &[("attempts = 60", "attempts = 99999999999999999999")],
        "99999999999999999999",
        "out of range",
    ),
    row(
        "SW0107",
        &[("timeout = \"10m\"", "timeout = \"0s\"")],
        "\"0s\"",
        "out of range",
    ),
    row(
        "SW0107",
        &[("timeout = \"10m\"", "timeout = \"169h\"")],
        "\"169h\"",
        "out of range",
    ),
    row(
        "SW0107",
        &[("wall = \"2h\"", "wall = \"1000h\"")],
        "\"1000h\"",
        "out of range",
    ),
    row(
        "SW0107",
        &[("output = \"64MiB\"", "output = \"1\"")],
        "\"1\"",
        "out of range",
    ),
    row(
        "SW0108",
        &[("timeout = \"10m\"", "timeout = \"10\"")],
        "\"10\"",
        "\"90s\", \"10m\"",
    ),
    row(
        "SW0108",
        &[("output = \"64MiB\"", "output = \"much\"")],
        "\"much\"",
        "\"64KiB\"",
    ),
    row(
        "SW0109",
        &[("name = \"modern-typing\"", "name = \"Modern typing!\"")],
        "\"Modern typing!\"",
        "`modern-typing`",
    ),
    row(
        "SW0109",
        &[("name = \"modern-typing\"", "name = \"-x\"")],
        "\"-x\"",
        "does not begin with a letter",
    ),
    row(
        "SW0109",
        &[("id = \"exports\"", "id = \"a:b\"")],
        "\"a:b\"",
        "`a-b`",
    ),
    row(
        "SW0110",
        &[
            ("id = \"exports\"", "id = \"types\""),
            (AFTER, "after = []"),
        ],
        "\"types\"",
        "two tasks have the id `types`",
    ),
    row(
        "SW0111",
        &[("when = \"red\"", "after = [\"exports\"]")],
        "\"types\"",
        "`types -> exports -> types`",
    ),
    row(
        "SW0112",
        &[(AFTER, "after = [\"exports\"]")],
        "\"exports\"",
        "waits for itself",
    ),
    row(
        "SW0112",
        &[("when = \"red\"", "after = [\"types:src/click/core.py\"]")],
        "\"types:src/click/core.py\"",
        "cannot wait for one another",
    ),
    row(
        "SW0113",
        &[(README, "\"/etc/passwd\"")],
        "\"/etc/passwd\"",
        "is absolute",
    ),
    row(
        "SW0113",
        &[("[\"src/click/__init__.py\"]", "[\"../x.py\"]")],
        "\"../x.py\"",
        "leaves the repository",
    ),
    row(
        "SW0113",
        &[("[\"src/click/new.py\"]", "[\"./new.py\"]")],
        "\"./new.py\"",
        "without `.` and `..`",
    ),
    row(
        "SW0113",
        &[("[\"src/click/new.py\"]", "[\".git/hooks/x\"]")],
        "\".git/hooks/x\"",
        "git's own files",
    ),
    row(
        "SW0113",
        &[(EACH, "each = \"/src/*.py\"")],
        "\"/src/*.py\"",
        "is absolute",
    ),
    row(
        "SW0114",
        &[("[\"src/click/__init__.py\"]", "[\"link\"]")],
        "\"link\"",
        "symbolic link `link`",
    ),
    row(
        "SW0114",
        &[("[\"src/click/new.py\"]", "[\"link/new.py\"]")],
        "\"link/new.py\"",
        "symbolic link `link`",
    ),
    row(
        "SW0114",
        &[("[\"src/click/new.py\"]", "[\"vendor/sub/x\"]")],
        "\"vendor/sub/x\"",
        "submodule `vendor/sub`",
    ),
    row(
        "SW0115",
        &[("[\"src/click/new.py\"]", "[\"build/out.py\"]")],
        "\"build/out.py\"",
        "git check-ignore -v",
    ),
    row(
        "SW0116",
        &[("[\"src/click/__init__.py\"]", "[\"src/click/__int__.py\"]")],
        "\"src/click/__int__.py\"",
        "did you mean `src/click/__init__.py`?",
    ),
    row(
        "SW0116",
        &[("[\"src/click/__init__.py\"]", "[\"utils.py\"]")],
        "\"utils.py\"",
        "did you mean `src/click/utils.py`?",
    ),
    row(
        "SW0116",
        &[("[\"src/click/__init__.py\"]", "[\"zebra.py\"]")],
        "\"zebra.py\"",
        "creates = [\"zebra.py\"]",
    ),
    row(
        "SW0117",
        &[
            ("[\"src/click/new.py\"]", "[\"src/click/core.py\"]"),
            (EACH, "each = \"tests/*.py\""),
        ],
        "\"src/click/core.py\"",
        "which exists",
    ),
    row(
        "SW0118",
        &[(
            "creates = [\"src/click/new.py\"]",
            "deletes = [\"src/click/new.py\"]",
        )],
        "\"src/click/new.py\"",
        "does not exist",
    ),
    row(
        "SW0119",
        &[("[\"src/click/__init__.py\"]", "[\"src/click\"]")],
        "\"src/click\"",
        "each = \"src/click/*\"",
    ),
    row(
        "SW0119",
        &[("[\"src/click/new.py\"]", "[\"README.md/new.py\"]")],
        "\"README.md/new.py\"",
        "below `README.md`",
    ),
    row(
        "SW0120",
        &[("[\"src/click/new.py\"]", "[\"src/click/__init__.py\"]")],
        "\"src/click/__init__.py\"",
        "twice",
    ),
    row(
        "SW0122",
        &[(EACH, "each = \"src/[a.py\"")],
        "\"src/[a.py\"",
        "`[a-z]`",
    ),
    row(
        "SW0123",
        &[(EACH, "each = \"src/*.py\"")],
        "\"src/*.py\"",
        "`**` crosses",
    ),
    row(
        "SW0123",
        &[(README, "\"docs/*.md\"")],
        "\"docs/*.md\"",
        "matches no file",
    ),
    row(
        "SW0123",
        &[(README, "\"READ.md\"")],
        "\"READ.md\"",
        "matches no file",
    ),
    row(
        "SW0124",
        &[(EACH, "each = \"src/click/[a-z]*.py\"\nfile = \"README.md\"")],
        "\"README.md\"",
        "`each` and `file`",
    ),
    row(
        "SW0124",
        &[(
            "files = [\"src/click/__init__.py\"]",
            "files = [\"src/click/__init__.py\"]\nfile = \"README.md\"",
        )],
        "[\"src/click/__init__.py\"]",
        "`file` and `files`",
    ),
    row(
        "SW0124",
        &[(EACH, "each = \"src/click/[a-z]*.py\"\ncreates = [\"x.py\"]")],
        "[\"x.py\"]",
        "`each` and `creates`",
    ),
    row("SW0124", &[(EXPORTS_FILES, "")], "[[task]]", "owns nothing"),
    row(
        "SW0125",
        &[(
            "because = \"a new module and its export belong together\"\n",
            "",
        )],
        "[\"src/click/__init__.py\"]",
        "owns 2 files",
    ),
    row("SW0126", &[(CHECKPOINT, "")], "", "no checkpoint"),
    row(
        "SW0127",
        &[(
            "  [[task.check]]\n  says = \"no typing alias is left\"\n  run = \"! grep -nE '\\\\bt\\\\.(List|Dict|Tuple)\\\\b' {file}\"\n",
            "",
        )],
        "[[task]]",
        "task `types` has no check",
    ),
    row(
        "SW0127",
        &[(
            "  [[task.check]]\n  says = \"no typing alias is left\"\n  run = \"! grep -nE '\\\\bt\\\\.(List|Dict|Tuple)\\\\b' {file}\"\n",
            "check = []\n",
        )],
        "[[task]]",
        "task `types` has no check",
    ),
    row(
        "SW0128",
        &[("no typing alias is left", "the module Works Correctly")],
        "Works Correctly",
        "name the observable result",
    ),
    row(
        "SW0128",
        &[("the whole suite passes", "errors are handled gracefully")],
        "gracefully",
        "say which cases",
    ),
    row(
        "SW0129",
        &[("  run = \"python tools/exports.py {file}\"\n", "")],
        "[[task.check]]",
        "proof = \"manual\"",
    ),
    row(
        "SW0143",
        &[(
            "  proof = \"manual\"",
            "  proof = \"manual\"\n  baseline = \"red\"",
        )],
        "\"red\"",
        "pass-to-pass",
    ),
    row(
        "SW0131",
        &[("agent = \"modernise\"", "agent = \"modernize\"")],
        "\"modernize\"",
        "did you mean `modernise`?",
    ),
    row(
        "SW0131",
        &[("agent = \"modernise\"\n", "")],
        "\"src/click/[a-z]*.py\"",
        "`types` has no agent",
    ),
    row(
        "SW0132",
        &[("[\"fix\", \"{file}\"]", "[\"fixx\", \"{file}\"]")],
        "\"fixx\"",
        "PATH",
    ),
    row(
        "SW0132",
        &[("[\"fix\", \"{file}\"]", "[\"fix --all {file}\"]")],
        "\"fix --all {file}\"",
        "run = [\"fix\", \"--all\", \"{file}\"]",
    ),
    row(
        "SW0132",
        &[("[\"fix\", \"{file}\"]", "[\"./tools/fx.sh\"]")],
        "\"./tools/fx.sh\"",
        "file of the repository",
    ),
    row(
        "SW0133",
        &[("profile = \"worker\"", "profile = \"wroker\"")],
        "\"wroker\"",
        "did you mean `worker`?",
    ),
    row(
        "SW0135",
        &[("python -m pytest -q", "ruff check {file}")],
        "\"ruff check {file}\"",
        "runs once for the whole tree",
    ),
    row(
        "SW0135",
        &[(EXPORTS_CHECK, "echo {prompt} | x")],
        "\"echo {prompt} | x\"",
        "`{file}` and `{task}`",
    ),
    row(
        "SW0136",
        &[(EXPORTS_CHECK, "cat '{file}' | x")],
        "\"cat '{file}' | x\"",
        "without quotes",
    ),
    row(
        "SW0137",
        &[(EXPORTS_CHECK, "x --in={file}")],
        "\"x --in={file}\"",
        "each quoted",
    ),
    row(
        "SW0137",
        &[("[\"fix\", \"{file}\"]", "[\"fix\", \"--in={file}\"]")],
        "[\"src/click/__init__.py\"]",
        "`--in={file}`",
    ),
    row(
        "SW0137",
        &[(EXPORTS_FILES, "deletes = [\"src/click/__init__.py\"]\n")],
        "\"python tools/exports.py {file}\"",
        "only deletes",
    ),
    row(
        "SW0138",
        &[("[\"~/.cargo\"]", "[\"vendor\"]")],
        "\"vendor\"",
        "absolute",
    ),
    row(
        "SW0138",
        &[("[\"LANG\"]", "[\"LANG=C\"]")],
        "\"LANG=C\"",
        "`pass`",
    ),
    row(
        "SW0140",
        &[("Export the new names.", "a\\u0000b")],
        "\"a\\u0000b\"",
        "NUL",
    ),
    row(
        "SW0141",
        &[(
            "[\"src/click/new.py\"]",
            "[\".Seawall/profiles/worker.toml\"]",
        )],
        "\".Seawall/profiles/worker.toml\"",
        "no worker may write below",
    ),
    row(
        "SW0142",
        &[("[\"build/target\"]", "[\"src\"]")],
        "\"src\"",
        "is in the commit",
    ),
    row(
        "SW0142",
        &[("[\"build/env\"]", "[\"README.local\"]")],
        "\"README.local\"",
        "is not ignored by git",
    ),
    row(
        "SW0142",
        &[("[\"build/env\"]", "[\"build/target/env\"]")],
        "[workspace]",
        "`build/target/env` is carried twice",
    ),
    row(
        "SW0151",
        &[(
            "[[invariant]]",
            "[[finding]]\ncode = \"SW0104\"\nseverity = \"off\"\nbecause = \"b\"\n[[invariant]]",
        )],
        "\"SW0104\"",
        "no finding has the code `SW0104`",
    ),
    row(
        "SW0105",
        &[(
            "[[invariant]]",
            "[[finding]]\ncode = \"SW0513\"\nseverity = \"off\"\n[[invariant]]",
        )],
        "[[finding]]",
        "`because`",
    ),
    row(
        "SW0202",
        &[("attempts = 60", "attempts = 3")],
        "3",
        "3 attempts are not enough for 4 tasks",
    ),
    row(
        "SW0203",
        &[("python -m pytest -q", "true")],
        "\"true\"",
        "looks at nothing",
    ),
    row(
        "SW0204",
        &[("[\"fix\", \"{file}\"]", "[\"fix\", \"{fiel}\"]")],
        "\"{fiel}\"",
        "did you mean `{file}`?",
    ),
    row(
        "SW0206",
        &[(
            "proof = \"manual\"",
            "proof = \"manual\"\n  run = \"pytest\"",
        )],
        "\"pytest\"",
        "needs-human",
    ),
    row(
        "SW0207",
        &[
            (EACH, "file = \"src/click/__init__.py\""),
            (AFTER, "after = []"),
        ],
        "[\"src/click/__init__.py\"]",
        "`types` goes first",
    ),
];

/// The problem with `code` among those of a reading, as text: underlined source, and all it says.
fn find<'t>(reading: &Reading, code: &str, text: &'t str) -> Option<(&'t str, String)> {
    let d = reading.diagnostics.iter().find(|d| d.code == code)?;
    let said = [
        d.message.clone(),
        d.label.clone().unwrap_or_default(),
        d.notes.join("\n"),
        d.help.clone()?.into_owned(),
    ];
    Some((d.span.clone().map_or("", |s| &text[s]), said.join("\n")))
}

/// The good plan, changed.
fn good(changes: &[(&str, &str)]) -> String {
    changed(GOOD, changes)
}

/// A plan, changed: each first text is replaced by the second, once.
pub(crate) fn changed(plan: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(plan.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} is not in the plan");
        text.replacen(from, to, 1)
    })
}

#[test]
fn each_problem_is_told_once_where_it_is_with_what_to_write() {
    let failures: Vec<String> = ROWS
        .iter()
        .filter_map(|row| check(GOOD, row).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Whether a row's change of `plan` has its problem and no other.
pub(crate) fn check(plan: &str, row: &Row) -> Result<(), String> {
    let text = changed(plan, row.changes);
    let reading = Memory::click().read(&text);
    let wrong = |what: String| {
        Err(format!(
            "{} {:?}: {what}\n{:#?}",
            row.code, row.changes, reading.diagnostics
        ))
    };
    let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code).collect();
    if codes != [row.code] {
        return wrong(format!("{codes:?}"));
    }
    let Some((underlined, said)) = find(&reading, row.code, &text) else {
        return wrong("no help".into());
    };
    if underlined != row.underlined && row.code != "SW0100" {
        return wrong(format!(
            "underlined {underlined:?}, not {:?}",
            row.underlined
        ));
    }
    if !said.contains(row.says) {
        return wrong(format!("{:?} is not said", row.says));
    }
    let refused = reading
        .diagnostics
        .iter()
        .any(|d| d.severity == Severity::Error);
    if reading.plan.is_none() != refused || refused != (row.code < "SW02") {
        return wrong("severity, code and plan do not fit".into());
    }
    Ok(())
}

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(super::evidence::ROWS)
}

#[test]
fn every_code_has_a_row_or_a_test_of_its_own() {
    // 0121, 0205, 0208, 0209, 0212 and all of 03 are raised by the binary; the others have tests of their own.
    let elsewhere = [
        "SW0121", "SW0130", "SW0134", "SW0139", "SW0201", "SW0205", "SW0208", "SW0209", "SW0212",
        "SW0215", "SW0164", "SW0165",
    ];
    for e in codes() {
        let by_the_binary = e.code.starts_with("SW03") || elsewhere.contains(&e.code);
        let tested = by_the_binary || rows().any(|r| r.code == e.code);
        assert!(tested, "{} is not tested", e.code);
    }
    for row in rows() {
        assert!(
            codes().any(|e| e.code == row.code),
            "{} is not explained",
            row.code
        );
    }
}

#[test]
fn the_base_can_be_dirty_or_missing() {
    let mut world = Memory::click();
    let dirty = (0..20).map(|n| format!("src/{n}.py")).collect();
    world.base = Base::Commit {
        short: "3f2c1ab".into(),
        dirty,
        dirty_count: 100,
    };
    let reading = world.read(GOOD);
    assert!(reading.plan.is_some());
    let (_, said) = find(&reading, "SW0201", GOOD).unwrap();
    assert!(
        said.contains(
            "100 changed paths are not part of the run, which starts from commit 3f2c1ab"
        ),
        "{said}"
    );
    assert!(said.contains("`src/4.py` and 95 more"), "{said}");

    world.base = Base::Unborn;
    world.files.clear();
    let reading = world.read(GOOD);
    let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!((reading.plan, codes), (None, vec!["SW0134"]));
}

#[test]
fn an_empty_text_says_what_is_missing_and_an_example_is_at_hand() {
    let reading = Memory::click().read("");
    let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["SW0105", "SW0105", "SW0105", "SW0126", "SW0130"]);
}

#[test]
fn the_smallest_plan_of_the_explanation_is_one() {
    let world = Memory::with([(super::path("README.md"), crate::Kind::File)]);
    let text = crate::explain("SW0130")
        .unwrap()
        .right
        .replace("my-agent", "fix");
    assert_eq!(world.read(&text).diagnostics, []);
}

#[test]
fn all_problems_are_told_in_one_pass_in_the_order_of_the_text() {
    let text = good(&[
        ("profile = \"worker\"", "profile = \"wroker\""),
        ("timeout = \"10m\"", "timeout = \"soon\""),
        ("the whole suite passes", "all works properly"),
        (TYPES_CHECK, "true"),
        (AFTER, "after = [\"type\"]"),
        (README, "\"docs/x\""),
    ]);
    let reading = Memory::click().read(&text);
    let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(
        codes,
        ["SW0133", "SW0108", "SW0128", "SW0203", "SW0104", "SW0123"]
    );
    assert!(
        reading
            .diagnostics
            .is_sorted_by_key(|d| d.span.as_ref().map(|s| s.start))
    );
}

#[test]
fn problems_do_not_follow_from_problems() {
    for changes in [
        // an agent whose command is wrong is still an agent
        &[("[\"fix\", \"{file}\"]", "[]")][..],
        // a syntax error does not make everything after it unknown
        &[("[agent.writer]", "[agent.writer")],
        &[("id = \"types\"", "id = \"types")],
        &[("[[checkpoint]]", "[[checkpoint")],
    ] {
        let reading = Memory::click().read(&good(changes));
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code).collect();
        assert!(
            codes.iter().all(|c| *c == "SW0100" || *c == "SW0106"),
            "{changes:?}: {codes:?}"
        );
        assert!(!codes.is_empty());
    }
}

/// A plan of tasks `(id, after)`, each with a file of its own.
fn graph(tasks: &[(&str, &str)]) -> (Memory, String) {
    let mut text = GOOD.split("[[task]]").next().unwrap().to_owned();
    for (id, after) in tasks {
        let after: Vec<String> = after
            .split_whitespace()
            .map(|a| format!("\"{a}\""))
            .collect();
        text += &format!(
            "[[task]]\nid = \"{id}\"\nfile = \"{id}.py\"\nafter = [{}]\nprompt = \"p\"\n[[task.check]]\nsays = \"s\"\nrun = \"cat {{file}}\"\n",
            after.join(", ")
        );
    }
    let files = tasks
        .iter()
        .map(|(id, _)| (super::path(&format!("{id}.py")), crate::Kind::File));
    (Memory::with(files), text)
}

#[test]
fn cycles_are_shown_as_a_path_once_each() {
    for (tasks, expected) in [
        (&[("a", "b"), ("b", "a")][..], &["a -> b -> a"][..]),
        (
            &[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")],
            &["a -> b -> c -> a"],
        ),
        (
            &[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")],
            &["a -> b -> a", "c -> d -> c"],
        ),
        (&[("x", "a"), ("a", "b"), ("b", "a")], &["a -> b -> a"]),
        (&[("a", "b c"), ("b", "a"), ("c", "a")], &["a -> b -> a"]),
        (&[("a", ""), ("b", "a"), ("c", "a b")], &[]),
    ] {
        let (world, text) = graph(tasks);
        let reading = world.read(&text);
        let cycles: Vec<_> = reading
            .diagnostics
            .iter()
            .filter(|d| d.code == "SW0111")
            .map(|d| &*d.message)
            .collect();
        assert_eq!(cycles.len(), expected.len(), "{cycles:?}");
        for (cycle, expected) in cycles.iter().zip(expected) {
            assert!(cycle.contains(&format!("`{expected}`")), "{cycle}");
        }
    }
}

#[test]
fn a_plan_that_multiplies_beyond_memory_is_refused() {
    let files = (0..4_000).map(|n| (super::path(&format!("d/{n}.py")), crate::Kind::File));
    let world = Memory::with(files);
    let head = GOOD.split("[[task]]").next().unwrap();
    let task = |id: &str, more: &str| {
        format!(
            "[[task]]\nid = \"{id}\"\neach = \"d/*.py\"\n{more}\nprompt = \"p\"\n[[task.check]]\nsays = \"s\"\nrun = \"cat {{file}}\"\n"
        )
    };
    for text in [
        format!("{head}{}{}", task("a", ""), task("b", "after = [\"a\"]")),
        format!("{head}{}", task("a", "reads = [\"d/*.py\"]")),
    ] {
        let reading = world.read(&text);
        assert!(
            reading.diagnostics.iter().any(|d| d.code == "SW0139"),
            "{:?}",
            reading.diagnostics
        );
        assert_eq!(reading.plan, None);
    }
}

#[test]
fn what_the_user_typed_is_escaped_in_messages() {
    let text = good(&[(AFTER, "after = [\"\\u001b[31m\\u202e\"]")]);
    let reading = Memory::click().read(&text);
    assert!(
        reading.diagnostics[0]
            .message
            .contains("`\\x1b[31m\\xe2\\x80\\xae`"),
        "{:?}",
        reading.diagnostics
    );
}
