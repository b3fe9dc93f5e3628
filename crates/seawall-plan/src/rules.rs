//! Reads the rules of invariants: patterns, captures and globs that are judged by reading the files of a tree.

use globset::GlobBuilder;
use regex::bytes::Regex;
use seawall_core::plan::{Capture, Relation, Rule};

use crate::context::Context;
use crate::findings::not_a_glob;
use crate::keys::Table;
use crate::problems::{At, Problems, error, placed, shown};
use crate::section::Section;
use crate::settings;
use crate::tree::is_glob;

/// Reads one rule; none when it cannot be judged, which was reported.
pub(crate) fn read(section: &Section<'_>, table: Table, cx: &mut Context<'_>) -> Option<Rule> {
    match table {
        Table::Forbid => forbid(section, cx),
        Table::Agree => agree(section, cx),
        Table::Wired => Some(Rule::Wired {
            files: files(section, "files", cx),
            entries: files(section, "entries", cx),
        }),
        _ => Some(Rule::Imports {
            paths: files(section, "paths", cx),
            forbid: imported(section, &mut cx.problems),
        }),
    }
}

fn forbid(section: &Section<'_>, cx: &mut Context<'_>) -> Option<Rule> {
    let paths = files(section, "paths", cx);
    let pattern = section.text("pattern")?;
    usable(&pattern, &mut cx.problems)?;
    Some(Rule::Forbid {
        pattern: pattern.value.to_owned(),
        paths,
    })
}

/// The globs and paths of a key; each must match a file of the base, or one that a task creates.
fn files(section: &Section<'_>, key: &str, cx: &mut Context<'_>) -> Vec<String> {
    let typed = section.texts(key);
    for glob in &typed {
        look(glob, cx);
    }
    typed.iter().map(|glob| glob.value.to_owned()).collect()
}

fn look(glob: &At<&str>, cx: &mut Context<'_>) {
    if is_glob(glob.value) {
        settings::matching(glob, None, cx);
    } else {
        settings::read_path(glob, None, cx);
    }
}

/// What must not be imported. A word may be a module of any language, so only its form as a glob can be judged.
fn imported(section: &Section<'_>, problems: &mut Problems) -> Vec<String> {
    let typed = section.texts("forbid");
    for glob in typed.iter().filter(|glob| is_glob(glob.value)) {
        if let Err(why) = GlobBuilder::new(glob.value).literal_separator(true).build() {
            problems.add(not_a_glob(glob, &why));
        }
    }
    typed.iter().map(|glob| glob.value.to_owned()).collect()
}

/// The three ways to compare, by their keys.
const RELATIONS: [(&str, Relation); 3] = [
    ("equal", Relation::Equal),
    ("less", Relation::Less),
    ("less_or_equal", Relation::LessOrEqual),
];

fn agree(section: &Section<'_>, cx: &mut Context<'_>) -> Option<Rule> {
    let given: Vec<_> = RELATIONS
        .into_iter()
        .filter(|(key, _)| section.has(key))
        .collect();
    let [(key, relation)] = given.as_slice() else {
        let problem = error("SW0157", "`agree` does not say how values compare")
            .help("write exactly one of `equal`, `less` and `less_or_equal`");
        let label = if given.is_empty() {
            "none of them"
        } else {
            "more than one of them"
        };
        cx.problems
            .add(placed(problem, section.header.as_ref(), label));
        return None;
    };
    let sections = section.many(key, Table::Capture, &mut cx.problems);
    let place = section.place(key)?;
    let few = sections.len() < 2 && (!sections.is_empty() || section.is_empty_list(key));
    let captures: Vec<Capture> = sections.iter().filter_map(|s| capture(s, cx)).collect();
    if few {
        cx.problems.add(
            error("SW0157", format!("`{key}` compares fewer than two values"))
                .at(place, "with what?")
                .help("add a second `{ path = \"…\", pattern = \"…(…)…\" }`: where else the value stands"),
        );
    }
    (captures.len() == sections.len() && sections.len() > 1).then_some(Rule::Agree {
        captures,
        relation: *relation,
    })
}

fn capture(section: &Section<'_>, cx: &mut Context<'_>) -> Option<Capture> {
    let path = section.text("path");
    if let Some(path) = &path {
        look(path, cx);
    }
    let pattern = section.text("pattern")?;
    let regex = usable(&pattern, &mut cx.problems)?;
    let groups = regex.captures_len() - 1;
    if groups != 1 {
        cx.problems.add(
            error("SW0156", format!("the pattern `{}` has {groups} groups", shown(pattern.value)))
                .at(pattern.span, "which part is the value?")
                .help("put exactly one pair of parentheses round the value: `dim = ([0-9]+)`; others are `(?:…)`"),
        );
        return None;
    }
    Some(Capture {
        path: path?.value.to_owned(),
        pattern: pattern.value.to_owned(),
    })
}

/// The pattern, compiled; one that is none, or that matches everywhere, is reported.
fn usable(pattern: &At<&str>, problems: &mut Problems) -> Option<Regex> {
    let (why, help) = match Regex::new(pattern.value) {
        Ok(regex) if regex.is_match(b"") => (
            "it matches the empty string".to_owned(),
            "it would match everywhere: let it name at least one character".to_owned(),
        ),
        Ok(regex) => return Some(regex),
        Err(why) => {
            let why = why.to_string();
            let last = why.lines().last().unwrap_or_default();
            (
                shown(last.trim_start_matches("error: ")),
                "in a TOML string with double quotes each backslash stands twice; there is neither look-around nor back-reference".to_owned(),
            )
        }
    };
    problems.add(
        error(
            "SW0156",
            format!(
                "the pattern `{}` cannot be used: {why}",
                shown(pattern.value)
            ),
        )
        .at(pattern.span.clone(), why)
        .help(help),
    );
    None
}
