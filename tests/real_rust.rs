//! A crate from the Rust registry, with its own tests: brought to a newer edition in three waves, one worker a file.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod support;

use std::path::Path;

use support::packages::Crate;
use support::traces::{Mine, assert_clean};
use support::{Output, Repo};

const PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plans/rust-edition.toml");

#[test]
fn a_crate_changes_its_edition_and_its_own_tests_stay_green() {
    let Some(specimen) = Crate::get("real_rust") else {
        return;
    };
    let repo = specimen.repo();
    let sources =
        ["emitter", "lib", "parser", "scanner", "yaml"].map(|name| format!("src/{name}.rs"));
    for path in &sources {
        assert!(repo.read(path).contains("try!("), "{path}");
    }
    assert_eq!(repo.seawall(&["check", PLAN]).code(0).err, "");
    let mine = Mine::of(&repo);
    repo.seawall(&["run", PLAN]).code(0);
    mine.assert_untouched(&repo);
    assert_clean(&repo);

    let status = repo.status();
    status.assert_all_fine();
    assert_eq!(status.0["checkpoints"].as_array().unwrap().len(), 3);
    assert_eq!((status.count("accepted"), status.count("not-run")), (10, 1));
    for path in &sources {
        assert_eq!(status.word(&format!("try:{path}")), "accepted landed 1");
    }
    repo.seawall(&["land"]).code(0);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert!(repo.read("Cargo.toml").contains("edition = \"2018\""));
    suite(&repo, &repo.root().join("built"));
}

/// The crate's own tests, run by nobody but us.
fn suite(repo: &Repo, target: &Path) {
    let mut cargo = repo.command("cargo");
    cargo
        .args(["test", "--quiet"])
        .env("CARGO_TARGET_DIR", target);
    Output::of(&mut cargo)
        .code(0)
        .says(&["31 passed", "92 passed"]);
}
