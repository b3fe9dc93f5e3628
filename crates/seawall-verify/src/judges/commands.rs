//! Which programs and scripts the shell command of a check runs, as far as its text shows.
//!
//! No shell is imitated: a command is cut at what separates commands, and quotes are dropped. A program of the product that
//! a check runs (`python app.py`) is what is judged and not the judge, so a script counts only where its place or its name
//! says that it checks.

use seawall_core::path::RepoPath;

use crate::places::Parts;

/// Words before a program that are none.
const BEFORE: &[&str] = &[
    "!", "env", "time", "nice", "exec", "command", "then", "do", "else", "if", "while", "until",
    "sudo", "xargs", "timeout", "npx", "poetry", "uv", "run", "{", "}",
];

/// Programs whose first argument is a script.
const INTERPRETERS: &[&str] = &[
    "sh", "bash", "dash", "zsh", "ksh", ".", "source", "python", "python3", "node", "deno", "bun",
    "ruby", "perl", "php", "tsx", "ts-node",
];

/// Directories of scripts that no product is made of.
const DIRECTORIES: &[&str] = &[
    "scripts", "script", "ci", ".ci", "tools", "hack", "checks", "check",
];

/// The words of each simple command.
fn simple(command: &str) -> impl Iterator<Item = Vec<&str>> {
    let cut = |c: char| matches!(c, ';' | '|' | '&' | '(' | ')' | '\n' | '`');
    command.split(cut).map(|part| {
        let words = part.split_whitespace();
        words
            .map(|word| word.trim_matches(['"', '\'', '$']))
            .filter(|word| !word.is_empty())
            .collect()
    })
}

/// The words of a simple command from its program on.
fn from_program<'w, 'c>(words: &'w [&'c str]) -> &'w [&'c str] {
    let is_set = |word: &str| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|n| n.chars().all(|c| c.is_alphanumeric() || c == '_'))
    };
    let before = |word: &&&str| {
        BEFORE.contains(word)
            || is_set(word)
            || word.starts_with('-')
            || word.bytes().all(|b| b.is_ascii_digit() || b == b's')
    };
    &words[words.iter().take_while(before).count()..]
}

/// The programs that a command runs, without their directories.
pub(crate) fn programs(command: &str) -> impl Iterator<Item = &str> {
    simple(command).filter_map(|words| {
        let program = from_program(&words).first()?;
        Some(program.rsplit('/').next().unwrap_or(program))
    })
}

/// The scripts that a command runs, by path or by module.
fn scripts(command: &str) -> impl Iterator<Item = String> {
    simple(command).filter_map(|words| {
        let words = from_program(&words);
        let (program, rest) = words.split_first()?;
        let name = program.rsplit('/').next().unwrap_or(program);
        if !INTERPRETERS.contains(&name) {
            return program.contains('/').then(|| (*program).to_owned());
        }
        if let [flag, module, ..] = rest
            && *flag == "-m"
        {
            return Some(format!("{}.py", module.replace('.', "/")));
        }
        let script = rest.iter().find(|word| !word.starts_with('-'))?;
        Some((*script).to_owned())
    })
}

/// Why a file is a script that judges.
pub(crate) fn runs(path: &RepoPath, parts: &Parts, commands: &[&str]) -> Option<&'static str> {
    if !is_judging(parts) {
        return None;
    }
    let shown = path.to_string();
    let is_it = |script: String| {
        let script = script.trim_start_matches("./");
        let before = shown.strip_suffix(script);
        !script.is_empty() && before.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    let mut all = commands.iter().flat_map(|command| scripts(command));
    all.any(is_it).then_some("a check runs it")
}

fn is_judging(parts: &Parts) -> bool {
    let stem = parts.stem().to_lowercase();
    let says = ["check", "test", "verify", "validate", "lint", "assert"];
    matches!(parts.extension().as_str(), "sh" | "bash")
        || parts.below(DIRECTORIES)
        || stem == "ci"
        || says.iter().any(|word| stem.contains(word))
}
