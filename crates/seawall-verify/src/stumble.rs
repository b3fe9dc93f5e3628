//! Whether a red check was red before it looked: its command, its test file or something that it loads is broken or absent.
//!
//! That is the wrong red, unless what it stumbled over is a file that the plan's tasks are to write: a test of a
//! function that does not exist yet is red for exactly the right reason. The cost of judging by printed words is that
//! a check with words of its own is taken as it always was: by its exit status.

use seawall_core::counted::Counted;

use crate::ours::Ours;
use crate::ran::{End, Ran};

/// Lines at the end of the output in which the reason is looked for.
const LINES: usize = 400;

/// What a check stumbled over, and where the name of it may stand.
#[derive(Debug)]
struct Stumble {
    what: String,
    over: Vec<String>,
}

/// Why this red check has not looked, in words; none when it has, or when what is broken is the plan's to mend.
pub(crate) fn wrong_red(ran: &Ran, counted: Option<&Counted>, ours: &Ours<'_>) -> Option<String> {
    let End::Exited(status) = ran.end else {
        return None;
    };
    let text = ran.recent(LINES);
    let lines: Vec<&str> = text.lines().collect();
    let looked = counted.is_some_and(|tests| tests.executed() > 0);
    // Node's runner takes a file that it could not load for a test that failed.
    let green = counted.is_some_and(|tests| tests.passed > 0);
    let stumble = shell(status, &lines)
        .or_else(|| cargo(status, &lines))
        .or_else(|| pytest(status, ran, counted, &lines))
        .or_else(|| (!looked).then(|| python(&lines, counted)).flatten())
        .or_else(|| (!green).then(|| node(&lines)).flatten())?;
    let mended = stumble.over.iter().any(|name| ours.has(name));
    (!mended).then(|| format!("{}, and no task of the plan is to mend that", stumble.what))
}

/// dash: `sh: 1: Syntax error: …`, of a script `run.sh: 3: …`; bash: `sh: -c: line 1: syntax error …`. Both end with 2.
fn shell(status: i32, lines: &[&str]) -> Option<Stumble> {
    let broken = |line: &&&str| {
        let (who, rest) = line.split_once(": ").unwrap_or_default();
        let rest = rest.trim_start_matches("-c: ").trim_start_matches("line ");
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let said = rest.strip_prefix(": ").unwrap_or_default();
        !who.contains(' ')
            && (said.starts_with("Syntax error: ")
                || said.starts_with("syntax error")
                || said.starts_with("unexpected EOF"))
    };
    let line = lines.iter().rev().find(broken).filter(|_| status == 2)?;
    let (who, _) = line.split_once(": ")?;
    Some(Stumble {
        what: format!("the shell cannot read the command ({line})"),
        over: vec![who.to_owned()],
    })
}

/// A target that is not there. A build that fails is another matter: it is a red of its own.
fn cargo(status: i32, lines: &[&str]) -> Option<Stumble> {
    let line = lines
        .iter()
        .find(|line| {
            (line.starts_with("error: no ") && line.contains(" target named `"))
                || line.starts_with("error: could not find `Cargo.toml`")
        })
        .filter(|_| status == 101)?;
    let name = line.split('`').nth(1).unwrap_or_default();
    let over = ["tests", "benches", "examples", "src/bin"]
        .iter()
        .flat_map(|dir| [format!("{dir}/{name}.rs"), format!("{dir}/{name}/main.rs")])
        .chain([name.to_owned()])
        .collect();
    Some(Stumble {
        what: format!("cargo has nothing to run ({line})"),
        over,
    })
}

/// Exit status 2 is an interruption by errors of collection, 3 an error inside, 4 a wrong command line
/// (<https://docs.pytest.org/en/stable/reference/exit-codes.html>).
fn pytest(status: i32, ran: &Ran, counted: Option<&Counted>, lines: &[&str]) -> Option<Stumble> {
    let pytest = ran.command.contains("pytest")
        || counted.is_some_and(|tests| tests.runner.contains("pytest"));
    let why = match status {
        2 => "pytest could not load the tests",
        3 => "pytest broke down",
        4 => "pytest cannot use its command line",
        _ => return None,
    };
    let reason = |line: &&&str| {
        let line = line.strip_prefix("E ").unwrap_or(line).trim_start();
        line.contains("Error: ")
            || line.starts_with("ERROR: ")
            || line.contains(": error: ")
            || line.starts_with("INTERNALERROR> ")
    };
    let line = lines.iter().rev().find(reason).filter(|_| pytest)?;
    let line = line.strip_prefix("E ").unwrap_or(line).trim();
    Some(Stumble {
        what: format!("{why} ({line})"),
        over: names(lines),
    })
}

/// A traceback that ends a program, or a module of tests that unittest could not load.
fn python(lines: &[&str], counted: Option<&Counted>) -> Option<Stumble> {
    const ENDS: [&str; 5] = [
        "SyntaxError: ",
        "IndentationError: ",
        "TabError: ",
        "ImportError: ",
        "ModuleNotFoundError: ",
    ];
    let is_end = |line: &&str| ENDS.iter().any(|end| line.starts_with(end));
    let loading = counted.is_some_and(|tests| tests.runner.contains("unittest"))
        && lines
            .iter()
            .any(|line| line.contains("(unittest.loader._FailedTest"));
    let line = if loading {
        lines.iter().copied().rfind(is_end)
    } else {
        lines
            .iter()
            .copied()
            .rfind(|line| !line.trim().is_empty())
            .filter(is_end)
    }?;
    let traced = lines.iter().any(|line| line.starts_with("  File \""));
    traced.then(|| Stumble {
        what: format!("Python could not load the check ({line})"),
        over: names(lines),
    })
}

/// A module, package or file of tests that Node does not find, or cannot read.
fn node(lines: &[&str]) -> Option<Stumble> {
    let reason = |line: &&&str| {
        let line = line.trim_start_matches(['#', ' ']);
        line.starts_with("Error: Cannot find module '")
            || line.starts_with("Error [ERR_MODULE_NOT_FOUND]: Cannot find ")
            || line.starts_with("Cannot find module '")
            || line.starts_with("Could not find '")
            || (line.starts_with("SyntaxError: ") && lines.iter().any(|l| l.contains("Node.js v")))
    };
    let line = lines.iter().find(reason)?;
    Some(Stumble {
        what: format!(
            "Node could not load the check ({})",
            line.trim_start_matches(['#', ' '])
        ),
        over: names(lines),
    })
}

/// The most names that are looked up.
const NAMES: usize = 200;

/// What may name a file or a module in the lines that tell of an error: what is quoted, in brackets, or looks like a path.
fn names(lines: &[&str]) -> Vec<String> {
    const TELLING: [&str; 8] = [
        "Error",
        "ERROR",
        "error: ",
        "File \"",
        ": in ",
        "Cannot find ",
        "Could not find ",
        "file://",
    ];
    let mut found = Vec::new();
    let telling = |line: &&&str| TELLING.iter().any(|word| line.contains(word));
    for line in lines.iter().rev().filter(telling) {
        let quoted = line.split(['\'', '"', '`', '(', ')']).skip(1);
        let path = |word: &&str| word.contains(['/', '.']) && word.len() > 2;
        let words = line
            .split([' ', '\t', '(', ')', '\'', '"', '`'])
            .filter(path);
        for name in quoted.chain(words) {
            if found.len() < NAMES && !found.iter().any(|known| known == name) {
                found.push(name.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
