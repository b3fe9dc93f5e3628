//! Holds the house rules that no compiler holds: who may import whom, what a source file looks like, and that
//! the documents name what the program has. Each test lists all offenders at once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crates of this workspace, and the ones that each may import; `docs/architecture.md` says why.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("seawall-core", &[]),
    ("seawall-plan", &["seawall-core"]),
    ("seawall-journal", &["seawall-core"]),
    ("seawall-git", &[]),
    ("seawall-sandbox", &[]),
    ("seawall-verify", &["seawall-core"]),
    (
        "seawall-executor",
        &[
            "seawall-core",
            "seawall-git",
            "seawall-sandbox",
            "seawall-verify",
        ],
    ),
    ("seawall-report", &["seawall-core"]),
    (
        "seawall",
        &[
            "seawall-core",
            "seawall-executor",
            "seawall-git",
            "seawall-journal",
            "seawall-plan",
            "seawall-report",
            "seawall-sandbox",
            "seawall-verify",
        ],
    ),
];

/// Packages that are the business of one crate alone.
const AT_HOME: &[(&str, &str)] = &[
    ("tokio", "seawall-executor"),
    ("dashmap", "seawall-executor"),
    ("git2", "seawall-git"),
    ("landlock", "seawall-sandbox"),
    ("indicatif", "seawall-report"),
    ("clap", "seawall"),
    ("clap_complete", "seawall"),
];

/// Lines of a source file, its test module not counted.
const LONGEST: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[track_caller]
fn none(offenders: &[String]) {
    assert!(offenders.is_empty(), "\n{}", offenders.join("\n"));
}

/// `cargo metadata` of the workspace, its own packages only.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    all["packages"].as_array().unwrap().clone()
}

fn name(value: &Value) -> String {
    value["name"].as_str().unwrap().to_owned()
}

/// The names of what `package` needs to be built and run, tests aside.
fn imports(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dep| dep["kind"].as_str() != Some("dev"))
        .map(name)
        .collect()
}

/// Every Rust file of the workspace, relative to its root.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for top in ["crates", "tests", "benches"] {
        gather(&root().join(top), &mut found);
    }
    assert!(found.len() > 100, "the sources were not found");
    let relative = |path: PathBuf| path.strip_prefix(root()).unwrap().to_owned();
    found.into_iter().map(relative).collect()
}

fn gather(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Whether a file holds nothing but tests.
fn is_test(path: &Path) -> bool {
    let part = |name: &str| path.iter().any(|component| component == name);
    part("tests") || part("benches") || part("explore") || path.ends_with("scheduler/explore.rs")
}

/// The text before the file's own test module.
fn product(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod ")
        .map_or(text, |at| &text[..at])
}

#[test]
fn crates_import_in_one_direction() {
    let allowed: BTreeMap<_, _> = DIRECTIONS.iter().copied().collect();
    let packages = packages();
    let found: BTreeSet<_> = packages.iter().map(name).collect();
    let told: BTreeSet<_> = allowed.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, told, "the crates of the workspace");
    let mut offenders = Vec::new();
    for package in &packages {
        let name = name(package);
        let ours = imports(package)
            .into_iter()
            .filter(|import| import.starts_with("seawall"));
        for import in ours.filter(|import| !allowed[&*name].contains(&&**import)) {
            offenders.push(format!("`{name}` must not import `{import}`"));
        }
    }
    none(&offenders);
}

#[test]
fn a_package_from_outside_lives_in_one_crate() {
    let mut offenders = Vec::new();
    for (package, home) in AT_HOME {
        let users: Vec<_> = packages()
            .iter()
            .filter(|p| imports(p).contains(*package))
            .map(name)
            .collect();
        if users != [*home] {
            offenders.push(format!(
                "`{package}` belongs to `{home}` alone, and is in {users:?}"
            ));
        }
    }
    none(&offenders);
}

#[test]
fn every_dependency_is_used() {
    let mut offenders = Vec::new();
    for package in packages() {
        let (name, dir) = (name(&package), package["manifest_path"].as_str().unwrap());
        let mut files = Vec::new();
        gather(&Path::new(dir).parent().unwrap().join("src"), &mut files);
        let text: String = files
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        for import in imports(&package) {
            if !names(&text, &import.replace('-', "_")) {
                offenders.push(format!("`{name}` does not use `{import}`"));
            }
        }
    }
    none(&offenders);
}

/// Whether the text names a crate: `name::` or `use name`, and not as the end of a longer word.
fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let whole = !before.ends_with(word) && !after.starts_with(word);
        whole && (after.starts_with("::") || before.ends_with("use "))
    })
}

#[test]
fn there_is_one_binary() {
    let mut binaries = Vec::new();
    for package in packages() {
        for target in package["targets"].as_array().unwrap() {
            if target["kind"]
                .as_array()
                .unwrap()
                .iter()
                .any(|kind| kind == "bin")
            {
                binaries.push((name(&package), name(target)));
            }
        }
    }
    assert_eq!(binaries, [("seawall".to_owned(), "seawall".to_owned())]);
}

#[test]
fn the_core_does_no_io() {
    const WORLD: &[&str] = &[
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "std::env",
        "std::time",
        "async ",
        "SystemTime",
    ];
    let core = sources()
        .into_iter()
        .filter(|path| path.starts_with("crates/seawall-core/src") && !is_test(path));
    let mut offenders = Vec::new();
    for path in core {
        let text = read(&path);
        for word in WORLD
            .iter()
            .filter(|word| code(product(&text)).any(|line| line.contains(**word)))
        {
            offenders.push(format!("{}: `{word}`", path.display()));
        }
    }
    none(&offenders);
}

/// The lines that are no comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn unsafe_code_lives_in_the_sandbox_alone() {
    let root_manifest = read("Cargo.toml");
    assert!(
        root_manifest.contains("unsafe_code = \"forbid\""),
        "the workspace forbids it"
    );
    let mut offenders = Vec::new();
    for (name, _) in DIRECTIONS {
        let manifest = read(format!("crates/{name}/Cargo.toml"));
        let inherits = manifest.contains("[lints]\nworkspace = true");
        if !inherits && *name != "seawall-sandbox" {
            offenders.push(format!("`{name}` does not take the workspace's lints"));
        }
    }
    let outside = |path: &PathBuf| !path.starts_with("crates/seawall-sandbox");
    for path in sources().into_iter().filter(outside) {
        let text = read(&path);
        let word = ["unsafe", " {"].concat();
        if code(&text).any(|line| line.contains(&word)) {
            offenders.push(format!("{}: `unsafe`", path.display()));
        }
    }
    none(&offenders);
}

#[test]
fn every_file_says_what_it_is_for() {
    let mute = |path: &PathBuf| !read(path).starts_with("//! ");
    let offenders: Vec<_> = sources()
        .iter()
        .filter(|path| mute(path))
        .map(|path| path.display().to_string())
        .collect();
    none(&offenders);
}

#[test]
fn no_file_is_long() {
    let mut offenders = Vec::new();
    for path in sources().into_iter().filter(|path| !is_test(path)) {
        let lines = product(&read(&path)).lines().count();
        if lines > LONGEST {
            offenders.push(format!("{}: {lines} lines without tests", path.display()));
        }
    }
    none(&offenders);
}

#[test]
fn a_lint_is_expected_with_a_reason_and_never_allowed() {
    let mut offenders = Vec::new();
    for path in sources() {
        let text = read(&path);
        let attributes = [["#[", "allow("].concat(), ["#![", "allow("].concat()];
        if attributes
            .iter()
            .any(|attribute| code(&text).any(|line| line.contains(attribute)))
        {
            offenders.push(format!("{}: allows a lint", path.display()));
        }
        let expected = text.matches(&["[", "expect("].concat()).count();
        let reasons = text.matches("reason = \"").count();
        if reasons < expected {
            offenders.push(format!(
                "{}: {expected} expectations, {reasons} reasons",
                path.display()
            ));
        }
    }
    none(&offenders);
}

#[test]
fn nothing_is_left_to_do() {
    let marks = ["todo", "unimplemented"].map(|word| format!("{word}!("));
    let mut offenders = Vec::new();
    for path in sources() {
        let text = read(&path);
        if marks
            .iter()
            .any(|mark| code(&text).any(|line| line.contains(mark)))
        {
            offenders.push(path.display().to_string());
        }
    }
    none(&offenders);
}

#[test]
fn the_readme_names_both_commands() {
    let readme = read("README.md");
    for command in ["cargo run --release -- demo", "cargo test --workspace"] {
        assert!(
            readme.contains(command),
            "README.md does not name `{command}`"
        );
    }
}

/// The documents, and how many links of theirs lead nowhere.
#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut pages = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md")];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        pages.push(Path::new("docs").join(entry.unwrap().file_name()));
    }
    let mut offenders = Vec::new();
    for page in pages
        .iter()
        .filter(|page| page.extension().is_some_and(|end| end == "md"))
    {
        let dir = root().join(page).parent().unwrap().to_owned();
        for target in links(&read(page)) {
            if !dir.join(&target).exists() {
                offenders.push(format!("{}: `{target}` is not there", page.display()));
            }
        }
    }
    none(&offenders);
}

/// Relative link targets of a Markdown text, without their anchors.
fn links(text: &str) -> Vec<String> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let relative = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    relative
        .map(|target| target.split('#').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn every_exit_code_is_documented() {
    let page = read("docs/exit-codes.md");
    let help = read("crates/seawall/src/args.rs");
    for code in ["0", "1", "2", "3", "4", "5", "130"] {
        assert!(
            page.contains(&format!("\n| {code} |")),
            "docs/exit-codes.md has no row for {code}"
        );
        assert!(
            help.contains(&format!(" {code} ")),
            "`seawall --help` does not name {code}"
        );
    }
}
