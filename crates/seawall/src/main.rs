//! runs plans of code changes with many confined workers at once
//!
//! The binary wires: it reads arguments, opens the repository, and hands journal, executor and reporter to
//! the loop in `seawall_core::drive`. Each subcommand is one file in `commands`. Everything that can go wrong
//! becomes a message, a `help:` line and an exit code in one place, `failure`.

mod args;
mod beside;
mod commands;
mod exec_line;
mod failure;
mod journal;
mod output;
mod plan_file;
mod profiles;
mod runs;
mod session;
mod world;

use std::process::ExitCode;

// Not called here: that it is a dependency has it linked into the program, as `Cargo.toml` says.
use libz_sys as _;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(first) if first == seawall_sandbox::LAUNCH_COMMAND => return launch(arguments.next()),
        Some(first) if first == seawall_sandbox::PROBE_COMMAND => return probe(arguments.next()),
        _ => {}
    }
    let cli = match exec_line::read(std::env::args_os().skip(1)) {
        Some(exec) => args::Cli {
            repo: None,
            command: args::Command::Exec(exec),
        },
        None => args::Cli::read(),
    };
    match commands::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(),
    }
}

/// The hidden side of the program: confines itself and becomes a worker. Never returns but for wrong use.
fn launch(fd: Option<std::ffi::OsString>) -> ExitCode {
    match fd.and_then(|fd| fd.to_str().and_then(|fd| fd.parse().ok())) {
        Some(fd) => seawall_sandbox::launch_main(fd),
        None => ExitCode::from(failure::USAGE),
    }
}

/// Attacks the sandbox from inside, to see that it holds. Never returns but for wrong use.
fn probe(words: Option<std::ffi::OsString>) -> ExitCode {
    match words.as_ref().and_then(|words| words.to_str()) {
        Some(words) => seawall_sandbox::probe_main(words),
        None => ExitCode::from(failure::USAGE),
    }
}
