//! Whether a command, or the test runner behind it, was there at all.
//!
//! Nobody but the programs themselves can tell, so their words are looked for, in the exact form in which they stand at
//! the beginning of a line. A program with words of its own is taken by its exit status.

use crate::ours::Ours;
use crate::ran::Ran;

/// Lines at the end of the output in which the complaint is looked for.
const LINES: usize = 40;

/// Test runners, and what starts them, as they stand in a shell's complaint.
const RUNNERS: [&str; 17] = [
    "pytest", "py.test", "python", "python3", "tox", "nox", "cargo", "go", "node", "npm", "npx",
    "yarn", "pnpm", "jest", "vitest", "mocha", "prove",
];

/// Whether the command turns its status round.
pub(crate) fn negated(ran: &Ran) -> bool {
    ran.command.trim_start().starts_with('!')
}

/// The complaint of an interpreter or build tool that does not have the runner it was asked for.
///
/// A module that the plan's tasks make is no runner: that it is absent is what the check is for.
pub(crate) fn missing(ran: &Ran, ours: &Ours<'_>) -> Option<String> {
    let text = ran.recent(LINES);
    let gone = |line: &&str| python_module(line).is_some_and(|name| !ours.has(name)) || tool(line);
    text.lines().find(gone).map(str::to_owned)
}

/// `/usr/bin/python3: No module named pytest`.
fn python_module(line: &str) -> Option<&str> {
    let (who, name) = line.split_once(": No module named ")?;
    let program = who.rsplit('/').next()?;
    let python = program.starts_with("python") || program.starts_with("pypy");
    let name = name.split(';').next()?.trim_matches('\'');
    (python && !who.contains(' ')).then_some(name)
}

fn tool(line: &str) -> bool {
    let node = line.starts_with("Error: Cannot find module '") && line.contains("/node_modules/");
    node || line.starts_with("error: no such command: `")
        || line.starts_with("go: no such tool ")
        || line.starts_with("npm error could not determine executable to run")
        || line.starts_with("npm ERR! could not determine executable to run")
        || line.starts_with("npm error Missing script: ")
        || line.starts_with("npm ERR! Missing script: ")
}

/// The shell's complaint about a runner that the command names, where something after it ended well: `pytest | tail`.
pub(crate) fn masked(ran: &Ran) -> Option<String> {
    let text = ran.recent(usize::MAX);
    let gone = |line: &&str| {
        let parts: Vec<&str> = line.split(": ").collect();
        let shell = matches!(parts[0], "sh" | "/bin/sh" | "bash" | "/bin/bash");
        let about = parts
            .iter()
            .any(|part| RUNNERS.contains(part) && ran.command.contains(part));
        shell && about && line.ends_with("not found")
    };
    let python = |line: &&str| {
        python_module(line)
            .is_some_and(|name| RUNNERS.contains(&name) && ran.command.contains(name))
    };
    text.lines()
        .find(|line| gone(line) || python(line))
        .map(str::to_owned)
}

/// What went wrong below the `!` of a check such as `! grep -rn PATTERN DIR`, where any failure becomes success.
///
/// Status 127 of a command that is not there and status 2 of a grep that could not search would make the check green
/// for ever. The status itself is gone, so what dash, bash and GNU grep print then is looked for.
pub(crate) fn negated_trouble(ran: &Ran) -> Option<String> {
    let tail = ran.tail();
    let trouble = |line: &&str| {
        let (who, what) = line.split_once(": ").unwrap_or_default();
        match who {
            "sh" | "/bin/sh" => what.ends_with("not found"),
            "grep" => !(what.starts_with("warning: ") || what.ends_with(": Is a directory")),
            _ => false,
        }
    };
    negated(ran)
        .then(|| tail.lines().find(trouble).map(str::to_owned))
        .flatten()
}

/// Whether the shell's complaint is about a path, such as `sh: 1: ./bin/new: not found`: then what is missing
/// is a file of the repository, and missing it is what a check is for.
pub(crate) fn names_a_file(tail: &str) -> bool {
    let complaint = |line: &&str| {
        line.contains("not found")
            || line.contains("ermission denied")
            || line.contains("No such file")
    };
    tail.lines().rev().find(complaint).is_some_and(|line| {
        line.split(": ")
            .any(|part| part.contains('/') && !part.contains(' ') && !part.starts_with("/bin/"))
    })
}
