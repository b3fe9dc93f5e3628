//! docs/plan.md says what the code does: its reference is made from the rows of `keys` and `codes`,
//! and its examples are read.
//!
//! `SEAWALL_BLESS=1 cargo test -p seawall-plan docs` writes the reference anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::Memory;
use crate::keys::{Key, Shape, Table};
use crate::{codes, finding_codes};

fn document() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/plan.md")
}

fn keys() -> String {
    let mut out = String::new();
    for table in Table::ALL {
        let title = if table == Table::Plan {
            "The top of the file".to_owned()
        } else {
            format!("`{}`", table.header())
        };
        writeln!(out, "### {title}\n\n{}\n", table.about()).unwrap();
        writeln!(
            out,
            "| key | takes | default | what it is for |\n|---|---|---|---|"
        )
        .unwrap();
        for key in table.keys() {
            let default = if key.required { "needed" } else { key.default };
            writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                key.name,
                takes(key),
                default,
                key.doc.replace('|', "\\|")
            )
            .unwrap();
        }
        out.push('\n');
    }
    out
}

fn takes(key: &Key) -> String {
    match key.shape {
        Shape::Text => "text".into(),
        Shape::Texts { .. } => "list of texts".into(),
        Shape::TextsOrOne => "text or list of texts".into(),
        Shape::Retry { most } => format!("`\"hold\"`, `\"retry:1\"` to `\"retry:{most}\"`"),
        Shape::TextMap => "table of texts".into(),
        Shape::Count { least, most } if least == most => format!("{least}"),
        Shape::Count { least, most } => format!("{least} to {most}"),
        Shape::Duration { .. } => "duration".into(),
        Shape::Size { .. } => "size".into(),
        Shape::Choice(words) => words
            .iter()
            .map(|w| format!("`\"{w}\"`"))
            .collect::<Vec<_>>()
            .join(", "),
        Shape::One(table) | Shape::Many(table) | Shape::Named(table) => {
            format!("`{}`", table.header())
        }
    }
}

fn findings() -> String {
    let mut out =
        "| code | what it is | what it means and what follows |\n|---|---|---|\n".to_owned();
    for e in finding_codes() {
        writeln!(
            out,
            "| {} | {} | {} |",
            e.code,
            e.title,
            e.means.replace('|', "\\|")
        )
        .unwrap();
    }
    out.push('\n');
    out
}

fn problems() -> String {
    let mut out = "| code | what it is |\n|---|---|\n".to_owned();
    for e in codes() {
        writeln!(out, "| {} | {} |", e.code, e.title).unwrap();
    }
    out.push('\n');
    out
}

/// `text` with what stands between the markers of `name` replaced.
fn with_section(text: &str, name: &str, section: &str) -> String {
    let (begin, end) = (
        format!("<!-- begin {name} -->\n\n"),
        format!("<!-- end {name} -->"),
    );
    let start = text.find(&begin).expect("the begin marker") + begin.len();
    let stop = text.find(&end).expect("the end marker");
    format!("{}{section}{}", &text[..start], &text[stop..])
}

#[test]
fn the_reference_is_what_the_code_knows() {
    let text = std::fs::read_to_string(document()).unwrap();
    let fresh = with_section(&with_section(&text, "keys", &keys()), "codes", &problems());
    if std::env::var_os("SEAWALL_BLESS").is_some() {
        std::fs::write(document(), &fresh).unwrap();
    } else {
        assert!(
            text == fresh,
            "docs/plan.md is stale: SEAWALL_BLESS=1 cargo test -p seawall-plan docs"
        );
    }
}

#[test]
fn the_list_of_findings_is_what_the_code_knows() {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/findings.md");
    let text = std::fs::read_to_string(&place).unwrap();
    let fresh = with_section(&text, "findings", &findings());
    if std::env::var_os("SEAWALL_BLESS").is_some() {
        std::fs::write(place, &fresh).unwrap();
    } else {
        assert!(
            text == fresh,
            "docs/findings.md is stale: SEAWALL_BLESS=1 cargo test -p seawall-plan docs"
        );
    }
}

#[test]
fn the_complete_example_is_read_without_a_word() {
    let text = std::fs::read_to_string(document()).unwrap();
    let example = text
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let reading = Memory::click().read(example);
    assert_eq!(reading.diagnostics, []);
    assert_eq!(reading.plan.map(|p| p.tasks.len()), Some(4));
}
