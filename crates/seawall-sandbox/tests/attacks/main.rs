//! Attacks on the sandbox, and what it must let happen.
//!
//! This program is its own launcher, attacker and victim, so that no test depends on what is installed; that is why it
//! brings its own `main`. Every test runs as root and as an ordinary user (when started as root), and each with namespaces
//! and without. Arguments: a part of a name to run fewer tests.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    reason = "it is its own test runner, and the attacker's voice"
)]

mod act;
mod ends;
mod files;
mod fixture;
mod network;
mod nursery;
mod others;
mod overlay;

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};

use crate::fixture::Mode;

/// A name and what to run.
pub(crate) type Test = (&'static str, fn(Mode));

/// Nobody, who owns nothing.
const ORDINARY: u32 = 65534;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
    match words.as_slice() {
        [seawall_sandbox::LAUNCH_COMMAND, control] => {
            seawall_sandbox::launch_main(control.parse().unwrap())
        }
        ["__act", act @ ..] => act::perform(act),
        ["__overlay-full"] => overlay::fill_an_upper(),
        ["__overlays-on", stack] => overlay::ask_on_an_overlay(stack),
        ["__supervisor", directory, mark] => ends::supervise(directory, mark),
        ["__supervisor-alone", directory, mark] => ends::supervise_alone(directory, mark),
        ["__supervisor-in-company", directory, mark] => nursery::supervise(directory, mark),
        ["__suite", namespaces, filter] => suite(
            Mode {
                namespaces: *namespaces == "on",
            },
            filter,
        ),
        ["--list", ..] => list(),
        _ => every_suite(
            words
                .iter()
                .find(|word| !word.starts_with('-'))
                .unwrap_or(&""),
        ),
    }
}

fn tests() -> impl Iterator<Item = Test> {
    [
        files::TESTS,
        overlay::TESTS,
        others::TESTS,
        network::TESTS,
        ends::TESTS,
        nursery::TESTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

fn list() -> ExitCode {
    tests().for_each(|(name, _)| println!("{name}: test"));
    ExitCode::SUCCESS
}

/// Runs the suite as each user and in each mode, from a copy of this program that everybody can reach.
fn every_suite(filter: &str) -> ExitCode {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = directory.path().join("attacks");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let root = nix::unistd::getuid().is_root();
    let users: &[Option<u32>] = if root {
        &[None, Some(ORDINARY)]
    } else {
        &[None]
    };
    let mut all_passed = true;
    for user in users {
        for namespaces in ["on", "off"] {
            let who = user.map_or("the same user".to_owned(), |user| format!("user {user}"));
            println!("\nas {who}, namespaces {namespaces}");
            let mut suite = Command::new(&program);
            suite.args(["__suite", namespaces, filter]).current_dir("/");
            if let Some(user) = user {
                suite.uid(*user).gid(*user);
            }
            all_passed &= suite.status().unwrap().success();
        }
    }
    if all_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn suite(mode: Mode, filter: &str) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in tests().filter(|(name, _)| name.contains(filter)) {
        let started = std::time::Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| test(mode)));
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!(
            "test {name} ... {word} ({} ms)",
            started.elapsed().as_millis()
        );
        if outcome.is_ok() {
            passed += 1
        } else {
            failed += 1
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
