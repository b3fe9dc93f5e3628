//! What was put in to see something while working, and forgotten: prints, breakpoints.
//!
//! A note: programs print. Nothing is said of tests, scripts and commands, nor of a print in a file that printed before.

use seawall_core::finding::Severity;
use tree_sitter::Node;

use super::look::{File, Found, Look};
use crate::outline::Language;
use crate::outline::code::each_node;
use crate::outline::parse::{field, parse};

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in look.files.iter().filter(|file| !talks(file)) {
        let (Some(language), Some(after)) = (file.language, file.after) else {
            continue;
        };
        let old = file
            .before
            .map_or_else(Vec::new, |text| calls(language, text));
        for (line, what) in calls(language, after) {
            let new = file.added.iter().any(|(added, _)| *added == line);
            if new && !old.iter().any(|(_, known)| *known == what) {
                let text = format!("`{what}` was added, which is for debugging");
                found.at(Severity::Note, file.path, line, text);
            }
        }
    }
}

/// Whether printing is what the file is for.
fn talks(file: &File<'_>) -> bool {
    let places = [
        "bin", "scripts", "script", "tools", "examples", "benches", "cli", "cmd",
    ];
    let name = file.name();
    let stem = name.split('.').next().unwrap_or_default();
    let place = |dir: &String| places.contains(&dir.as_str());
    file.is_test()
        || file.directories().iter().any(place)
        || matches!(
            stem,
            "cli" | "main" | "__main__" | "setup" | "build" | "manage"
        )
}

fn calls(language: Language, source: &[u8]) -> Vec<(u32, &'static str)> {
    let mut found = Vec::new();
    let Some(tree) = parse(language, source) else {
        return found;
    };
    each_node(&tree, |node| {
        if let Some(what) = what(language, node, source) {
            let line = u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX);
            found.push((line, what));
        }
        true
    });
    found
}

fn what(language: Language, node: Node<'_>, source: &[u8]) -> Option<&'static str> {
    let part = |name| field(node, name).and_then(|part| source.get(part.byte_range()));
    match (language, node.kind()) {
        (Language::Python, "call") => match part("function")? {
            b"print" => Some("print"),
            b"breakpoint" => Some("breakpoint"),
            b"pdb.set_trace" => Some("pdb.set_trace"),
            b"ipdb.set_trace" => Some("ipdb.set_trace"),
            _ => None,
        },
        (Language::JavaScript | Language::TypeScript | Language::Tsx, "call_expression") => {
            match part("function")? {
                b"console.log" => Some("console.log"),
                b"console.debug" => Some("console.debug"),
                b"console.dir" => Some("console.dir"),
                _ => None,
            }
        }
        (_, "debugger_statement") => Some("debugger"),
        (Language::Rust, "macro_invocation") => (part("macro")? == b"dbg").then_some("dbg!"),
        _ => None,
    }
}
