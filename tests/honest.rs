//! Honest refactors of many files in packages that nobody here wrote, by tools that people use, judged by the packages' own
//! suites: nothing is rejected, held or blocked, and nobody is sent twice. What is noted is printed.
//!
//! Each run costs up to a minute, most of it the suites, which is what such work costs. The packages are fetched once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "what was noted is for who runs it")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use support::packages::node::Node;
use support::packages::{Crate, Python};
use support::traces::{Mine, assert_clean};
use support::{Repo, Status};

/// Where the plans and what they need stand.
const HONEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/honest");

/// Runs the plan of this name; nothing may stand in its way, and what it makes lands. It must change so many files at least.
fn lands(repo: &Repo, plan: &str, files: usize, modules: &Path) {
    let honest = Path::new(HONEST).canonicalize().unwrap();
    let text = std::fs::read_to_string(honest.join(plan).with_extension("toml")).unwrap();
    let text = text
        .replace("@HONEST@", honest.to_str().unwrap())
        .replace("@MODULES@", modules.to_str().unwrap());
    let mine = Mine::of(repo);
    let said = repo.run(&text);
    let status = repo.status();
    let out = said.code(0);
    mine.assert_untouched(repo);
    assert_clean(repo);

    status.assert_all_fine();
    nobody_was_sent_twice(&status);
    told(plan, &status);
    let changed = repo.git(&["diff", "--name-only", "main", status.text("branch")]);
    let changed = changed.lines().count();
    assert!((files..=60).contains(&changed), "{changed} files: {out}");
    repo.seawall(&["land"]).code(0);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

fn nobody_was_sent_twice(status: &Status) {
    for task in status.0["tasks"].as_array().unwrap() {
        let dispatches = u64::from(task["verdict"] == "accepted");
        assert_eq!(task["dispatches"], dispatches, "{task:#}");
    }
}

/// Prints what was noted; nothing that was found may be worse than a note.
fn told(plan: &str, status: &Status) {
    let mut notes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for task in status.0["tasks"].as_array().unwrap() {
        for finding in task["findings"].as_array().unwrap() {
            assert_eq!(finding["severity"], "note", "{task:#}");
            let code = finding["code"].as_str().unwrap().to_owned();
            notes
                .entry(code)
                .or_default()
                .push(task["id"].as_str().unwrap());
        }
    }
    eprintln!("{plan}: {} tasks accepted", status.count("accepted"));
    for (code, tasks) in notes {
        eprintln!(
            "{plan}: {code} is noted {} times: {}",
            tasks.len(),
            tasks.join(" ")
        );
    }
}

#[test]
fn a_python_package_leaves_python_2() {
    if let Some(python) = Python::get("a_python_package_leaves_python_2") {
        lands(
            &python.repo_of("sqlparse-0.3.1"),
            "sqlparse",
            30,
            &python.bin(),
        );
    }
}

#[test]
fn a_python_package_sorts_its_imports_and_renames_a_module() {
    if let Some(python) = Python::get("a_python_package_sorts_its_imports") {
        lands(&python.repo(), "click", 20, &python.bin());
    }
}

#[test]
fn a_rust_crate_gets_a_layout_and_an_edition() {
    if let Some(specimen) = Crate::get("a_rust_crate_gets_a_layout_and_an_edition") {
        let repo = specimen.repo_of("num-traits");
        lands(&repo, "num_traits", 10, specimen.toolchain());
    }
}

#[test]
fn a_node_package_gets_a_layout_and_the_syntax_of_today() {
    if let Some(node) = Node::get("a_node_package_gets_the_syntax_of_today") {
        lands(&node.repo_of("sax"), "sax", 25, &node.modules());
    }
}

#[test]
fn a_node_package_with_tests_for_node_gets_a_layout() {
    if let Some(node) = Node::get("a_node_package_gets_a_layout") {
        let repo = node.repo_of("find-my-way");
        lands(&repo, "find_my_way", 25, &node.modules());
    }
}
