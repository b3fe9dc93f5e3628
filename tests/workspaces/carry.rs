//! `carry`: a build directory stays warm and a virtual environment works, in workers and in checks, and neither is touched.

use std::fs;

use crate::common::{Frozen, WAYS, baseline_said, check_said, part, worker_said};
use crate::support::packages::{Crate, Python};
use crate::support::traces::{Mine, assert_clean};
use crate::support::{Output, Repo};

/// A workspace of two packages; one uses a crate of the registry, which is vendored, and the other uses the first.
const PACKAGES: [(&str, &str); 8] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"reader\", \"app\"]\nresolver = \"2\"\n",
    ),
    (
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n",
    ),
    (
        "reader/Cargo.toml",
        "[package]\nname = \"reader\"\nversion = \"0.1.0\"\nedition = \"2021\"\nbuild = \"build.rs\"\n\
         [dependencies]\nyaml-rust = \"=0.3.5\"\n",
    ),
    (
        "reader/build.rs",
        "fn main() { println!(\"cargo:rerun-if-changed=tables\"); }\n",
    ),
    ("reader/tables/en.txt", "hello\n"),
    (
        "reader/src/lib.rs",
        "pub fn count(text: &str) -> usize { yaml_rust::YamlLoader::load_from_str(text).unwrap().len() }\n\
         #[test]\nfn one() { assert_eq!(count(\"a: 1\"), 1); }\n",
    ),
    (
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nreader = { path = \"../reader\" }\n",
    ),
    (
        "app/src/main.rs",
        "mod words;\nfn main() { println!(\"{} {}\", words::WORD, reader::count(\"a: 1\")); }\n\
         #[test]\nfn one() { assert_eq!(reader::count(words::WORD), 1); }\n",
    ),
];

fn rust(mode: &str) -> String {
    format!(
        r#"
version = 1
name = "warm"
goal = "the word is new"
[workspace]
mode = "{mode}"
carry = ["target"]
carry_files = [".env.test"]
[limits]
check_timeout = "5m"
[sandbox]
env = {{ CARGO_NET_OFFLINE = "true", CARGO_TERM_COLOR = "never" }}
[agent.edit]
run = ["sh", "-ec", '''
echo "[first]"
cargo check --offline -v 2>&1
sed 's/old/new/' "$1" > "$TMPDIR/new" && cat "$TMPDIR/new" > "$1"
echo "[second]"
cargo check --offline -v 2>&1
echo "[end]"
cat .env.test''', "edit", "{{file}}"]
[[checkpoint]]
says = "every package is there"
run = "test -s app/src/words.rs"
[[task]]
id = "word"
file = "app/src/words.rs"
prompt = "say new"
  [[task.check]]
  says = "the program says the new word"
  run = '''
cargo build --offline -v 2>&1
echo "[ran]"
grep -q secret .env.test && ./target/debug/app | grep -qx 'new 1' '''
  [[task.check]]
  says = "the tests pass"
  proof = "pass-to-pass"
  run = "cargo test --offline -v 2>&1"
"#
    )
}

/// A checkout in which everything is built already.
fn warm(specimen: &Crate) -> Repo {
    let mut repo = Repo::new();
    for (path, text) in PACKAGES {
        repo.write(path, text);
    }
    repo.write("app/src/words.rs", "pub const WORD: &str = \"old\";\n");
    repo.write(".gitignore", "/target\n.env.test\n");
    repo.write(".env.test", "secret=1\n");
    specimen.vendor_into(&repo.dir().join("vendor"));
    repo.path_first(specimen.toolchain());
    repo.set("CARGO_NET_OFFLINE", "true");
    for args in [&["check"][..], &["build"], &["test", "--no-run"]] {
        let _ = Output::of(repo.command("cargo").args(args)).code(0);
    }
    repo.commit("base");
    repo
}

#[test]
fn a_warm_target_directory_stays_warm() {
    let Some(specimen) = Crate::get("workspaces") else {
        return;
    };
    let repo = warm(&specimen);
    let (target, mine) = (repo.dir().join("target"), Mine::of(&repo));
    let before = Frozen::of(&target);
    for (mode, more, made) in WAYS {
        let plan = repo.plan(&rust(mode));
        let args = [&["run", plan.to_str().unwrap()], more].concat();
        let done = repo.seawall(&args);
        before.assert_same(&target);
        mine.assert_untouched(&repo);
        assert_clean(&repo);
        let status = repo.status();
        let done = done.code(0);
        status.assert_all_fine();
        assert_eq!(status.text("workspaces"), made, "{done}");
        if more.is_empty() {
            only_what_changed(&repo);
        } else {
            // Without a view the packages are in another place, and cargo builds them again: it works, and nothing is won.
            let check = check_said(&repo, "word", 0);
            assert!(check.contains("Compiling app"), "{check}");
        }
    }
}

/// What cargo said: on the base nothing was compiled, and with the change only the package that has it.
fn only_what_changed(repo: &Repo) {
    let base = baseline_said(repo, 0);
    built(&base, &[]);
    let worker = worker_said(repo, "word");
    built(part(&worker, "first", "second"), &[]);
    built(part(&worker, "second", "end"), &["app"]);
    assert!(worker.ends_with("secret=1\n"), "{worker}");
    let check = check_said(repo, "word", 0);
    built(check.split("[ran]").next().unwrap(), &["app"]);
    let tests = check_said(repo, "word", 1);
    built(&tests, &["app"]);
    assert!(tests.contains("test one ... ok"), "{tests}");
}

/// `changed` were compiled, and all others were as they should be.
#[track_caller]
fn built(said: &str, changed: &[&str]) {
    let lines = |word: &str| -> Vec<String> {
        let lines = said
            .lines()
            .filter_map(|line| line.trim().strip_prefix(word));
        let name = |line: &str| line.split_whitespace().next().unwrap().to_owned();
        let mut names: Vec<_> = lines.map(name).collect();
        names.dedup();
        names
    };
    let mut compiled = [lines("Compiling "), lines("Checking ")].concat();
    compiled.sort();
    assert_eq!(compiled, changed, "{said}");
    let mut fresh = lines("Fresh ");
    fresh.sort();
    let rest = ["app", "reader", "yaml-rust"];
    let rest: Vec<_> = rest.iter().filter(|name| !changed.contains(name)).collect();
    assert_eq!(fresh.iter().collect::<Vec<_>>(), rest, "{said}");
}

fn python(mode: &str) -> String {
    format!(
        r#"
version = 1
name = "venv"
goal = "no Python 2 syntax is left"
[workspace]
mode = "{mode}"
carry = [".venv"]
carry_files = [".env.test"]
[defaults]
when = "red"
[sandbox]
env = {{ PYTHONPATH = "src", PYTHONDONTWRITEBYTECODE = "1" }}
[agent.syntax]
run = [".venv/bin/pyupgrade", "--py3-plus", "{{file}}"]
[[checkpoint]]
says = "the package's own tests pass"
run = "grep -qx token=1 .env.test && .venv/bin/pytest -q -p no:cacheprovider tests/test_basic.py"
[[task]]
id = "syntax"
each = "src/click/t*s*.py"
prompt = "Write classes, super() and literals as Python 3 does."
  [[task.check]]
  says = "pyupgrade finds no Python 2 syntax any more"
  run = ".venv/bin/pyupgrade --py3-plus - < {{file}} | cmp - {{file}}"
"#
    )
}

#[test]
fn a_virtual_environment_works() {
    let Some(python_package) = Python::get("workspaces") else {
        return;
    };
    let repo = python_package.repo_with_environment();
    repo.write(".gitignore", ".venv/\n.env.test\n");
    repo.write(".env.test", "token=1\n");
    repo.commit("ignores");
    let missing = repo.plan(&python("auto").replace("bin/pyupgrade\"", "bin/nothing\""));
    let check = ["check", missing.to_str().unwrap()];
    let _ = repo.seawall(&check).code(2).says(&["SW0132"]);
    let (venv, mine) = (repo.dir().join(".venv"), Mine::of(&repo));
    let before = Frozen::of(&venv);
    for (mode, more, made) in WAYS {
        let plan = repo.plan(&python(mode));
        let args = [&["run", plan.to_str().unwrap()], more].concat();
        let _ = repo.seawall(&args).code(0);
        let status = repo.status();
        status.assert_all_fine();
        assert_eq!(status.text("workspaces"), made);
        assert!(status.count("accepted") == 2, "{:#}", status.0);
        before.assert_same(&venv);
        mine.assert_untouched(&repo);
        assert_clean(&repo);
    }
    assert!(fs::symlink_metadata(venv.join("bin/python")).is_ok());
}

/// What is carried can be read and written in every way of making workspaces, by workers too, and nothing of it comes back.
#[test]
fn what_is_carried_can_be_written_and_never_is() {
    let repo = Repo::with(&[
        ("code", "old\n"),
        (".gitignore", "node_modules/\nmade/\n.env\n"),
    ]);
    repo.write("web/node_modules/.keep", "");
    repo.write("node_modules/deep/er/index.js", "theirs\n");
    repo.write("made/list", "a\n");
    repo.write(".env", "secret=1\n");
    std::os::unix::fs::symlink("deep/er", repo.dir().join("node_modules/link")).unwrap();
    let same = repo.dir().join("made/same");
    fs::hard_link(repo.dir().join("made/list"), &same).unwrap();
    let modules = repo.dir().join("node_modules");
    let (mine, before) = (Mine::of(&repo), Frozen::of(&modules));
    let missing = CARRYING.replace("MODE", "auto");
    let missing = missing.replace("\"made\"", "\"made/not\"");
    let missing = repo.plan(&missing.replace(".env\"", "made/.env\""));
    let check = ["check", missing.to_str().unwrap()];
    let said = repo.seawall(&check).code(0);
    let _ = said.says(&["warning", "`made/not`", "`made/.env`"]);
    for (mode, more, made) in WAYS {
        let plan = repo.plan(&CARRYING.replace("MODE", mode));
        let args = [&["run", plan.to_str().unwrap()], more].concat();
        let _ = repo.seawall(&args).code(0);
        let status = repo.status();
        status.assert_all_fine();
        assert_eq!(status.text("workspaces"), made);
        let changed = repo.git(&["diff", "--name-only", "main", status.text("branch")]);
        assert_eq!(changed, "code");
        before.assert_same(&modules);
        mine.assert_untouched(&repo);
        assert_clean(&repo);
    }
}

const CARRYING: &str = r#"
version = 1
name = "carrying"
goal = "the code is new"
[workspace]
mode = "MODE"
carry = ["node_modules", "made", "web/node_modules"]
carry_files = [".env"]
[agent.edit]
run = ["sh", "-ec", '''
grep -qx theirs node_modules/link/index.js
echo changed > node_modules/deep/er/index.js
rm made/same; echo more > made/more; echo x > web/node_modules/x
echo new > code''']
[[checkpoint]]
says = "what is carried is as it was"
run = "grep -qx theirs node_modules/deep/er/index.js && test -e made/same && test ! -e made/more && test -e web/node_modules/.keep"
[[task]]
id = "code"
file = "code"
prompt = "say new"
  [[task.check]]
  says = "it says new"
  run = "grep -qx secret=1 .env && grep -qx new code"
  [[task.check]]
  says = "a check finds what is carried as it was, and may write"
  proof = "pass-to-pass"
  run = "test ! -e made/more && test -e made/same && echo x > made/more && rm -r node_modules/deep"
"#;
