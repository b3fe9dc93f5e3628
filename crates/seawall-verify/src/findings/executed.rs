//! Files that other tools execute, or obey, on sight: hooks, editor tasks, agent configuration, CI, `.envrc`, filters.
//!
//! Nobody runs them knowingly, so a change of one is a change of what happens on somebody else's machine. They can only
//! change when a task owns them. A plan that names such a file has asked for the change, and reads a note; one whose glob
//! merely matched it has not, and a person looks. A nested `.git` never gets this far: harvest takes no such path.

use seawall_core::finding::Severity;

use super::look::{File, Found, Look};

/// What is in these directories.
const DIRECTORIES: &[(&str, &str)] = &[
    (".githooks", "git runs it"),
    (".husky", "git runs it"),
    (".vscode", "an editor obeys it"),
    (".idea", "an editor obeys it"),
    (".devcontainer", "an editor runs it"),
    (".claude", "an agent obeys it"),
    (".cursor", "an agent obeys it"),
    (".codex", "an agent obeys it"),
    (".gemini", "an agent obeys it"),
    (".opencode", "an agent obeys it"),
    (".circleci", "a build service runs it"),
    (".buildkite", "a build service runs it"),
];

/// Files of these names, anywhere.
const NAMES: &[(&str, &str)] = &[
    (".pre-commit-config.yaml", "git runs it"),
    ("lefthook.yml", "git runs it"),
    (".envrc", "a shell runs it"),
    (".gitmodules", "git obeys it"),
    (".cursorrules", "an agent obeys it"),
    (".windsurfrules", "an agent obeys it"),
    (".clinerules", "an agent obeys it"),
    (".mcp.json", "an agent runs it"),
    (".aider.conf.yml", "an agent obeys it"),
    ("opencode.json", "an agent obeys it"),
    ("CLAUDE.md", "an agent obeys it"),
    ("AGENTS.md", "an agent obeys it"),
    ("GEMINI.md", "an agent obeys it"),
    ("copilot-instructions.md", "an agent obeys it"),
    (".gitlab-ci.yml", "a build service runs it"),
    (".travis.yml", "a build service runs it"),
    (".drone.yml", "a build service runs it"),
    ("Jenkinsfile", "a build service runs it"),
    ("azure-pipelines.yml", "a build service runs it"),
    ("bitbucket-pipelines.yml", "a build service runs it"),
    (".npmrc", "a package manager obeys it"),
    (".yarnrc.yml", "a package manager obeys it"),
    ("sitecustomize.py", "every Python runs it"),
    ("usercustomize.py", "every Python runs it"),
];

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in &look.files {
        if let Some(why) = why(file) {
            let severity = match look.names(file) {
                true => Severity::Note,
                false => Severity::Hold,
            };
            found.file(severity, file.path, format!("{why} without being asked to"));
        }
        installs(look, file, found);
    }
}

/// Why a file is one of those.
pub(crate) fn why(file: &File<'_>) -> Option<&'static str> {
    let (name, directories) = (file.name(), file.directories());
    let below = |first: &str, second: &str| {
        let mut pairs = directories.windows(2);
        pairs.any(|pair| pair[0] == first && pair[1] == second)
    };
    if below(".github", "workflows") || below(".github", "actions") {
        return Some("a build service runs it");
    }
    if name == "config.toml" && directories.last().is_some_and(|dir| dir == ".cargo") {
        return Some("cargo obeys it");
    }
    if name == ".gitattributes" {
        let attribute = |line: &[u8]| {
            let words = ["filter=", "diff=", "merge="];
            words.iter().any(|word| has(line, word.as_bytes()))
        };
        let added = file.added.iter().any(|(_, line)| attribute(line));
        return added.then_some("git runs the filter that it names");
    }
    if file.extension() == "pth" {
        return Some("every Python obeys it");
    }
    let of_name = NAMES.iter().find(|(known, _)| *known == name);
    let mut of_directory = DIRECTORIES.iter();
    let of_directory = of_directory.find(|(known, _)| directories.iter().any(|dir| dir == known));
    of_name.or(of_directory).map(|(_, why)| *why)
}

/// Scripts of `package.json` that an installation runs.
fn installs(look: &Look<'_>, file: &File<'_>, found: &mut Found) {
    if file.name() != "package.json" || file.before.is_none() {
        return;
    }
    for script in ["preinstall", "install", "postinstall", "prepare"] {
        let key = format!("\"{script}\":");
        let squeezed = |line: &[u8]| -> Vec<u8> {
            line.iter()
                .copied()
                .filter(|b| *b != b' ' && *b != b'\t')
                .collect()
        };
        let mut lines = file.added.iter();
        if let Some((line, _)) = lines.find(|(_, line)| squeezed(line).starts_with(key.as_bytes()))
            && !look.asks(&[script])
        {
            let text = format!("the script `{script}` runs whenever the package is installed");
            found.at(Severity::Hold, file.path, *line, text);
        }
    }
}

fn has(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|piece| piece == part)
}
