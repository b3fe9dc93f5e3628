//! Reads everything of a plan but its tasks: name, goal, ceilings, sandbox, agents, gates.

use std::sync::Arc;

use seawall_core::diagnostic::Diagnostic;
use seawall_core::plan::{Agent, EvidenceRules, Limits, PromptMode, SandboxRules, Sensitivity};

use crate::context::{Context, KnownAgent};
use crate::keys::Table;
use crate::problems::{At, Problems, error, shown};
use crate::section::Section;
use crate::substitutions;
use crate::tree::Tree;
use crate::world::{Kind, World};

const DEFAULT_CHECK_TIMEOUT_MS: u64 = 5 * 60_000;
const DEFAULT_OUTPUT_BYTES: u64 = 16 << 20;
/// Wall time of a run that does not say.
pub(crate) const DEFAULT_WALL_MS: u64 = 4 * 3_600_000;
/// Bytes of the longest name of a plan; it becomes part of a branch's name.
const LONGEST_NAME: usize = 64;

/// Checks a name that becomes part of a path or a branch: what is wrong with it, if anything.
pub(crate) fn bad_name(name: &str, others: &str, longest: usize) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    if name.len() > longest {
        Some("is too long")
    } else if !name.chars().all(allowed) {
        Some("has a character that names do not have")
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Some("does not begin with a letter or digit")
    } else {
        None
    }
}

/// Reports a bad name.
pub(crate) fn check_name(
    kind: &str,
    name: &At<&str>,
    others: &str,
    longest: usize,
    problems: &mut Problems,
) -> bool {
    let Some(why) = bad_name(name.value, others, longest) else {
        return true;
    };
    let others: Vec<String> = others.chars().map(|c| format!("`{c}`")).collect();
    problems.add(
        error(
            "SW0109",
            format!("the {kind} `{}` {why}", shown(name.value)),
        )
        .at(name.span.clone(), why)
        .help(format!(
            "write at most {longest} letters, digits, {}, beginning with a letter or digit: `{}`",
            others.join(", "),
            cleaned(name.value, longest)
        )),
    );
    false
}

fn cleaned(name: &str, longest: usize) -> String {
    let dashes: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<&str> = dashes.split('-').filter(|w| !w.is_empty()).collect();
    let clean: String = words.join("-").chars().take(longest).collect();
    if clean.is_empty() {
        "my-name".to_owned()
    } else {
        clean
    }
}

/// The plan's name, if it is one.
pub(crate) fn name(root: &Section<'_>, problems: &mut Problems) -> Option<String> {
    let name = root.text("name")?;
    check_name("plan name", &name, "-_", LONGEST_NAME, problems).then(|| name.value.to_owned())
}

/// The ceilings of one worker or check.
pub(crate) fn limits(section: Option<&Section<'_>>) -> Limits {
    let duration = |name| section.and_then(|s| s.duration(Table::Limits, name));
    Limits {
        check_timeout_ms: duration("check_timeout").unwrap_or(DEFAULT_CHECK_TIMEOUT_MS),
        output_bytes: section
            .and_then(|s| s.size(Table::Limits, "output"))
            .unwrap_or(DEFAULT_OUTPUT_BYTES),
        silence_ms: duration("silence"),
    }
}

/// How evidence is weighed.
pub(crate) fn evidence(section: Option<&Section<'_>>) -> EvidenceRules {
    let word = section.and_then(|s| s.text("sensitivity"));
    EvidenceRules {
        sensitivity: match word.map(|word| word.value) {
            Some("off") => Sensitivity::Off,
            _ => Sensitivity::Measured,
        },
    }
}

/// What workers and checks may see beyond the profile.
pub(crate) fn sandbox(section: Option<&Section<'_>>, problems: &mut Problems) -> SandboxRules {
    let Some(section) = section else {
        return SandboxRules::default();
    };
    let (read, pass, env) = (
        section.texts("read"),
        section.texts("pass"),
        section.map("env"),
    );
    for path in read.iter().filter(|p| !is_absolute(p.value)) {
        problems.add(not_absolute(path));
    }
    let names = pass.iter().chain(env.iter().map(|(name, _)| name));
    for name in names.filter(|n| n.value.contains(['=', '\0']) || n.value.is_empty()) {
        problems.add(no_variable(name));
    }
    SandboxRules {
        read: read.iter().map(|p| p.value.to_owned()).collect(),
        pass: pass.iter().map(|n| n.value.to_owned()).collect(),
        env: env
            .iter()
            .map(|(name, value)| (name.value.to_owned(), value.value.to_owned()))
            .collect(),
    }
}

fn not_absolute(path: &At<&str>) -> Diagnostic {
    error("SW0138", format!("`{}` is not an absolute path", shown(path.value)))
        .at(path.span.clone(), "where from?")
        .help("begin it with `/`, or with `~/` for the home directory; files of the repository can always be read")
}

fn no_variable(name: &At<&str>) -> Diagnostic {
    error(
        "SW0138",
        format!(
            "`{}` is no name of an environment variable",
            shown(name.value)
        ),
    )
    .at(name.span.clone(), "a name has no `=`")
    .help("name the variable in `pass`, set it in `env = { NAME = \"value\" }`")
}

fn is_absolute(path: &str) -> bool {
    (path.starts_with('/') || path.starts_with("~/"))
        && !path.contains('\0')
        && !path.split('/').any(|part| part == "..")
}

/// Reads the agents; each is known by its name afterwards, even if its command is wrong. What is `carried` may hold programs.
pub(crate) fn agents(root: &Section<'_>, carried: &[At<&str>], cx: &mut Context<'_>) {
    for (name, section) in root.named("agent", Table::Agent, &mut cx.problems) {
        check_name("agent name", &name, "-_.", LONGEST_NAME, &mut cx.problems);
        let run = section.texts("run");
        check_run(&run, carried, cx);
        let prompt = prompt_mode(&section);
        let run: Vec<String> = run.iter().map(|a| a.value.to_owned()).collect();
        let known = KnownAgent {
            name: Arc::from(name.value),
            embeds_file: run
                .iter()
                .skip(1)
                .find(|a| substitutions::embeds_file(a))
                .cloned(),
            agent: (!run.is_empty()).then_some(Agent { run, prompt }),
        };
        cx.agents.insert(name.value.to_owned(), known);
    }
}

fn prompt_mode(section: &Section<'_>) -> PromptMode {
    match section.text("prompt").map(|p| p.value) {
        Some("stdin") => PromptMode::Stdin,
        Some("arg") => PromptMode::Arg,
        Some("file") => PromptMode::File,
        _ => PromptMode::None,
    }
}

fn check_run(run: &[At<&str>], carried: &[At<&str>], cx: &mut Context<'_>) {
    for argument in run {
        substitutions::check(
            argument,
            substitutions::AGENT,
            "an agent's command",
            &mut cx.problems,
        );
    }
    let Some(program) = run.first() else { return };
    if is_carried(program.value, carried) && cx.world.command_exists(program.value)
        || exists(program.value, cx.world, cx.tree.as_ref())
    {
        return;
    }
    cx.problems.add(
        error(
            "SW0132",
            format!("the program `{}` is not there", shown(program.value)),
        )
        .at(program.span.clone(), "not found")
        .help(help_for_program(program.value, run.len() == 1)),
    );
}

fn help_for_program(program: &str, alone: bool) -> String {
    if program.contains(char::is_whitespace) && alone {
        let words: Vec<String> = program
            .split_whitespace()
            .map(|w| format!("\"{}\"", shown(w)))
            .collect();
        format!(
            "a list has no shell, so each argument is its own string: `run = [{}]`",
            words.join(", ")
        )
    } else if program.contains('/') {
        "write a program's name, an absolute path, or the path of a file of the repository or of a carried directory"
            .to_owned()
    } else {
        "install it, or add its directory to PATH, or write its absolute path".to_owned()
    }
}

/// Whether a program is named by its path in a directory that workspaces carry, such as `.venv/bin/pytest`.
fn is_carried(program: &str, carried: &[At<&str>]) -> bool {
    let path = program.strip_prefix("./").unwrap_or(program);
    carried
        .iter()
        .any(|dir| path.starts_with(&format!("{}/", dir.value.trim_end_matches('/'))))
}

/// Whether a program can be started: on PATH, by absolute path, or as a file of the repository.
fn exists(program: &str, world: &dyn World, tree: Option<&Tree<'_>>) -> bool {
    let in_repository = program.contains('/') && !program.starts_with('/');
    if !in_repository {
        return world.command_exists(program);
    }
    let path = program.strip_prefix("./").unwrap_or(program);
    tree.is_none_or(|tree| tree.kind(path.as_bytes()) == Some(Kind::File))
}
