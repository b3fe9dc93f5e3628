//! Every plan that the repository ships is one that the program takes, and the first one that a newcomer runs does
//! what the README promises.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test file uses its part of what they share")]
mod support;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use support::traces::assert_no_process;
use support::{Output, Repo, SEAWALL};

/// The tests that run the plans for packages from a registry, on those packages.
const ELSEWHERE: [&str; 2] = ["real_python.rs", "real_rust.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The plans of the repository: name and text.
fn plans() -> BTreeMap<String, String> {
    let entries = fs::read_dir(root().join("plans")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let plans = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    plans
        .map(|path| (name(&path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// Every file below a directory, relative to it.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let (mut found, mut dirs) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(at) = dirs.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The sample program of the quickstart, committed.
fn sample() -> Repo {
    let files = files(&root().join("plans/sample"));
    let list: Vec<_> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    Repo::with(&list)
}

/// The package that `plans/evidence.toml` is for, committed, with the holdout beside the plan.
fn shop() -> Repo {
    let price = "PRICES = {\"apple\": 40, \"pear\": 55}\n\n\ndef price_of(name):\n    return PRICES[name]\n";
    let stock =
        "STOCK = {\"apple\": 12}\n\n\ndef in_stock(name):\n    return STOCK.get(name, 0) > 0\n";
    let web = "from shop.price import price_of\n\n\ndef page(name):\n    return f\"{name}: {price_of(name)}\"\n";
    let tests = "from shop.price import price_of\n\n\ndef test_apple():\n    assert price_of(\"apple\") == 40\n";
    let repo = Repo::with(&[
        ("src/shop/__init__.py", "VERSION = \"1.2\"\n"),
        ("src/shop/price.py", price),
        ("src/shop/stock.py", stock),
        ("src/shop/web.py", web),
        ("tests/test_shop.py", tests),
        ("setup.cfg", "[metadata]\nname = shop\nversion = 1.2\n"),
    ]);
    let hidden = fs::read_to_string(root().join("plans/holdouts/test_hidden.py")).unwrap();
    beside(&repo, "holdouts/test_hidden.py", &hidden);
    repo
}

/// Writes a file beside the plans of a repository.
fn beside(repo: &Repo, name: &str, text: &str) {
    let path = repo.root().join("plans").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn every_plan_is_taken_by_check_or_run_by_a_test() {
    let (sample, shop) = (sample(), shop());
    for (name, text) in plans() {
        let repo = if name == "evidence.toml" {
            &shop
        } else {
            &sample
        };
        let names = |test: &&str| {
            fs::read_to_string(root().join("tests").join(test))
                .is_ok_and(|text| text.contains(&name))
        };
        if ELSEWHERE.iter().any(names) {
            continue;
        }
        let path = repo.plan(&text);
        let said = repo.seawall(&["check".as_ref(), path.as_os_str()]).code(0);
        assert_eq!(said.err, "", "plans/{name} is not spotless");
        let _ = repo.seawall(&["waves".as_ref(), path.as_os_str()]).code(0);
    }
}

#[test]
fn every_plan_fits_the_schema() {
    let schema = Repo::new().json(&["schema"]);
    let mut texts: Vec<_> = plans().into_iter().collect();
    for page in ["README.md", "docs/plan.md"] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        texts.extend(
            examples(&text)
                .into_iter()
                .map(|plan| (page.to_owned(), plan)),
        );
    }
    assert!(texts.len() > 2, "no examples were found");
    for (name, text) in texts {
        let plan: Value = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut problems = Vec::new();
        Schema(&schema).check(&schema, &plan, "", &mut problems);
        assert!(problems.is_empty(), "{name}:\n{}", problems.join("\n"));
    }
}

#[test]
fn the_decisions_of_the_documents_fit_their_schema() {
    let schema = Repo::new().json(&["schema", "decisions"]);
    let page = fs::read_to_string(root().join("docs/plan.md")).unwrap();
    let block = page.split("    [[decision]]\n").nth(1).unwrap();
    let lines = block.lines().take_while(|line| line.starts_with("    "));
    let text = lines.fold("[[decision]]\n".to_owned(), |text, line| text + line + "\n");
    let check = |text: &str| {
        let decisions: Value = toml::from_str(text).unwrap();
        let mut problems = Vec::new();
        Schema(&schema).check(&schema, &decisions, "", &mut problems);
        problems
    };
    assert_eq!(check(&text), Vec::<String>::new(), "{text}");
    let wrong = text
        .replace("because", "why")
        .replace("\"constraint\"", "\"law\"");
    assert_eq!(check(&wrong).len(), 3, "{:?}", check(&wrong));
}

/// The whole plans among the TOML examples of a page.
fn examples(page: &str) -> Vec<String> {
    let blocks = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks
        .filter(|block| block.starts_with("version = "))
        .map(str::to_owned)
        .collect()
}

/// The part of JSON Schema that `seawall schema` speaks; a word outside of it is an error here.
struct Schema<'a>(&'a Value);

impl Schema<'_> {
    fn check(&self, rule: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
        for (word, want) in rule.as_object().unwrap() {
            self.word(word, want, (rule, value), at, problems);
        }
    }

    fn word(
        &self,
        word: &str,
        want: &Value,
        (rule, value): (&Value, &Value),
        at: &str,
        problems: &mut Vec<String>,
    ) {
        let fits = match word {
            "$schema" | "$defs" | "title" | "description" | "default" | "examples" => true,
            "$ref" => {
                let path = want.as_str().unwrap().strip_prefix('#').unwrap();
                self.check(self.0.pointer(path).unwrap(), value, at, problems);
                true
            }
            "type" => match want.as_array() {
                Some(kinds) => kinds.iter().any(|one| one == kind(value)),
                None => want == kind(value),
            },
            "enum" => want.as_array().unwrap().contains(value),
            "minimum" => value.as_i64() >= want.as_i64(),
            "maximum" => value.as_i64() <= want.as_i64(),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 >= want.as_u64().unwrap()),
            "minItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 >= want.as_u64().unwrap()),
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(want, item, &format!("{at}/{n}"), problems);
                }
                true
            }
            "required" => want
                .as_array()
                .unwrap()
                .iter()
                .all(|key| value.get(key.as_str().unwrap()).is_some()),
            "properties" => {
                for (key, item) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = want.get(key) {
                        self.check(rule, item, &format!("{at}/{key}"), problems);
                    }
                }
                true
            }
            "additionalProperties" => self.others(want, (rule, value), at, problems),
            _ => false,
        };
        if !fits {
            problems.push(format!("{at}: {word} {want} is broken by {value}"));
        }
    }

    /// The keys that `properties` does not name.
    fn others(
        &self,
        want: &Value,
        (rule, value): (&Value, &Value),
        at: &str,
        problems: &mut Vec<String>,
    ) -> bool {
        let known = |key: &str| rule["properties"].get(key).is_some();
        let mut others = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| !known(key));
        if want.is_object() {
            for (key, item) in others {
                self.check(want, item, &format!("{at}/{key}"), problems);
            }
            return true;
        }
        *want == true || others.next().is_none()
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The net above holds: it lets a plan through and catches one with a flaw of each kind.
#[test]
fn the_schema_catches_what_is_wrong() {
    let schema = Repo::new().json(&["schema"]);
    let good: Value = toml::from_str(&plans()["quickstart.toml"]).unwrap();
    let flaws: [(&str, Value); 13] = [
        ("/version", json!(2)),
        ("/name", json!("")),
        ("/defaults", json!({"atempts": 2})),
        ("/budget", json!({"attempts": 0})),
        ("/agent", json!({"a": {"run": []}})),
        ("/task/0/check", json!([{"says": "x", "proof": "maybe"}])),
        ("/task", json!("none")),
        ("/task/0/check/0/flaky", json!("retry:11")),
        ("/task/0/floor", json!("hearsay")),
        ("/task/0/review", json!({})),
        ("/task/0/holdout", json!([{"says": "x"}])),
        ("/checkpoint/0/until", json!([1])),
        ("/invariant/0/forbid", json!({"pattern": "x"})),
    ];
    for (at, flaw) in flaws {
        let mut plan = good.clone();
        let (above, key) = at.rsplit_once('/').unwrap();
        plan.pointer_mut(above).unwrap()[key] = flaw;
        let mut problems = Vec::new();
        Schema(&schema).check(&schema, &plan, "", &mut problems);
        assert!(!problems.is_empty(), "{at} is let through");
    }
}

/// The example of evidence with one thing changed.
fn refused(repo: &Repo, from: &str, to: &str, says: &[&str]) {
    let text = plans()["evidence.toml"].clone();
    assert!(text.contains(from), "{from:?} is not in the example");
    let path = repo.plan(&text.replacen(from, to, 1));
    let out = repo.seawall(&["check".as_ref(), path.as_os_str()]).code(2);
    out.says(says);
    let code = says[0];
    let page = repo.seawall(&["explain", code]).code(0);
    page.says(&[code, "wrong"]);
}

#[test]
fn a_mistake_about_evidence_is_told_before_anything_is_spent() {
    let repo = shop();
    for (from, to, says) in [
        (
            "kind = \"fix\"",
            "kind = \"fixx\"",
            &["SW0103", "did you mean `fix`?"][..],
        ),
        (
            "after = [\"notes\"]",
            "after = [\"note\"]",
            &["SW0104", "did you mean `notes`?"],
        ),
        (
            "flaky = \"retry:3\"",
            "flaky = \"retry:30\"",
            &["SW0107", "`retry:1` to `retry:10`"],
        ),
        (
            "junit = \"build/tests.xml\"",
            "junit = \"/tmp/tests.xml\"",
            &["SW0113", "relative to the top"],
        ),
        (
            "\"src/**/*.py\"",
            "\"lib/**/*.py\"",
            &["SW0123", "matches no file"],
        ),
        (
            "after = [\"notes\"]",
            "after = [\"notes\"]\nuntil = \"price\"",
            &["SW0152", "never looked at"],
        ),
        (
            "by = \"reviewer\"",
            "by = \"coder\"",
            &["SW0153", "would review its own work"],
        ),
        (
            "imports = {",
            "run = \"true\"\nimports = {",
            &["SW0155", "both `run` and `imports`"],
        ),
        ("print\\(", "print(", &["SW0156", "unclosed group"]),
        (
            "equal = [",
            "less = [], equal = [",
            &["SW0157", "more than one of them"],
        ),
        (
            "floor = \"presence\"",
            "floor = \"tests\"",
            &["SW0163", "reach `presence` at most"],
        ),
    ] {
        refused(&repo, from, to, says);
    }
}

#[test]
fn a_holdout_is_a_plain_file_that_no_worker_sees() {
    let repo = shop();
    let put = "\"holdouts/test_hidden.py\"";
    let plans = repo.root().join("plans");
    let file = plans.join("holdouts/test_hidden.py");
    std::os::unix::fs::symlink(&file, plans.join("link.py")).unwrap();
    std::os::unix::fs::symlink("holdouts", plans.join("dir")).unwrap();
    nix::unistd::mkfifo(&plans.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    beside(&repo, "large", &"x".repeat((1 << 20) + 1));
    beside(&repo, "most", &"x".repeat(1 << 20));
    for (source, says) in [
        ("gone.py", &["SW0158", "there is no such file"][..]),
        ("link.py", &["SW0158", "symbolic link"]),
        ("dir/test_hidden.py", &["SW0158", "symbolic link"]),
        ("holdouts", &["SW0158", "not a plain file"]),
        ("pipe", &["SW0158", "not a plain file"]),
        ("large", &["SW0158", "more than 1 MiB"]),
        ("../repo/setup.cfg", &["SW0113", "`.` and `..`"]),
    ] {
        refused(&repo, put, &format!("\"{source}\""), says);
    }
    let text = crate::plans()["evidence.toml"].replacen(put, "\"most\"", 1);
    let plan = repo.plan(&text);
    let _ = repo.seawall(&["check".as_ref(), plan.as_os_str()]).code(0);
    refused(
        &repo,
        "[sandbox]",
        &format!("[sandbox]\nread = ['{}']", plans.display()),
        &["SW0159", "opens"],
    );

    // A plan in the checkout itself: what is committed there is seen, what is not is not.
    let hidden = fs::read_to_string(file).unwrap();
    repo.write("plans/evidence.toml", &crate::plans()["evidence.toml"]);
    repo.write("plans/holdouts/test_hidden.py", hidden);
    let check = || repo.seawall(&["check", "plans/evidence.toml"]);
    let _ = check().code(0);
    repo.commit("with the holdout");
    check()
        .code(2)
        .says(&["SW0159", "`plans/holdouts/test_hidden.py` is in the commit"]);
}

#[test]
fn a_plan_of_one_wave_and_a_few_files_is_told_that_it_needs_no_waves() {
    let repo = shop();
    let text = plans()["evidence.toml"].clone();
    let (head, _) = text.split_once("[[task]]\nid = \"stock\"").unwrap();
    let head = head
        .replace("after = [\"notes\"]", "")
        .replace("until = [\"notes\"]", "");
    let plan = repo.plan(&head);
    let out = repo.seawall(&["check".as_ref(), plan.as_os_str()]).code(0);
    out.says(&[
        "SW0212",
        "does not need waves: 1 task in one, 1 file in all",
    ]);
}

/// `seawall demo` in a directory of the test's choice.
fn demo() -> (Repo, PathBuf, Output) {
    let outer = Repo::new();
    let dir = outer.root().join("demo");
    let out = outer.seawall(&[OsStr::new("demo"), dir.as_os_str()]);
    (outer, dir, out)
}

#[test]
fn the_demonstration_catches_a_lie_and_says_where_to_look() {
    let (outer, dir, out) = demo();
    let out = out.code(0).says(&[
        "5 accepted, 0 rejected",
        "claimed \"[DONE] all criteria satisfied\"",
        "\nlook ",
    ]);
    let at =
        |args: &[&str]| Output::of(outer.command(SEAWALL).current_dir(&dir).args(args)).code(0);
    let status: Value = serde_json::from_str(&at(&["status", "--json"]).out).unwrap();
    assert_eq!(
        status["checkpoints"].as_array().unwrap().len(),
        3,
        "three waves"
    );
    let show: Value = serde_json::from_str(&at(&["show", "program", "--json"]).out).unwrap();
    assert_eq!(
        show["attempts"].as_array().unwrap().len(),
        2,
        "the lie, and the work"
    );
    // Every command that it names can be typed there.
    let look = out.out.split("\nlook ").nth(1).unwrap();
    let commands: Vec<_> = look
        .lines()
        .filter_map(|line| line.trim().strip_prefix("seawall "))
        .collect();
    assert!(commands.len() >= 4, "{look}");
    for command in commands {
        let words: Vec<_> = command.split("  ").next().unwrap().split(' ').collect();
        let _ = at(&words);
    }
    let git = outer
        .command("git")
        .current_dir(&dir)
        .args(["log", "--oneline", "main"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&git.stdout).lines().count(),
        4,
        "the three commits landed"
    );
    assert_no_process(outer.root());
}

#[test]
fn the_demonstration_holds_the_sample_and_the_plan() {
    let (_outer, dir, out) = demo();
    let _ = out.code(0);
    let mut wanted = files(&root().join("plans/sample"));
    wanted.insert(
        "plans/quickstart.toml".to_owned(),
        plans()["quickstart.toml"].clone(),
    );
    for (name, text) in &wanted {
        let there = fs::read_to_string(dir.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(there, *text, "{name}");
    }
}
