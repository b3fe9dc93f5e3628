//! Parsing within bounds, and walking a tree without recursion.
//!
//! Both callbacks of the parser look at the clock: one between its steps, one whenever a scanner asks for more text, which
//! bounds even a scanner that reads to the end of the file for each token.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{Node, ParseOptions, Parser, Tree};

use super::Language;

/// The most bytes of a file that is parsed.
const LARGEST: usize = 2 << 20;

/// The most time that a parse takes.
const LONGEST: Duration = Duration::from_secs(2);

/// How much text a scanner gets at once.
const PIECE: usize = 16 << 10;

/// Parses a file; none when it is too large or takes too long.
pub(crate) fn parse(language: Language, source: &[u8]) -> Option<Tree> {
    if source.len() > LARGEST {
        return None;
    }
    let mut parser = Parser::new();
    parser
        .set_language(&grammar(language))
        .expect("the grammars are of a version that the parser knows");
    let end = Instant::now() + LONGEST;
    let late = || Instant::now() > end;
    let mut read = |at: usize, _| {
        let rest = source.get(at..).unwrap_or_default();
        let rest = if late() { &[][..] } else { rest };
        &rest[..rest.len().min(PIECE)]
    };
    let mut go_on = |_: &tree_sitter::ParseState| match late() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let options = ParseOptions::new().progress_callback(&mut go_on);
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    // A scanner that met the early end may have finished before the next step was due.
    tree.filter(|_| !late())
}

fn grammar(language: Language) -> tree_sitter::Language {
    match language {
        Language::Python => tree_sitter_python::LANGUAGE.into(),
        Language::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
        Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
        Language::Rust => tree_sitter_rust::LANGUAGE.into(),
        Language::Go => tree_sitter_go::LANGUAGE.into(),
    }
}

/// A node's children that are no comments, each with its field.
pub(crate) fn children(node: Node<'_>) -> Vec<(&str, Node<'_>)> {
    let mut cursor = node.walk();
    let mut all = Vec::new();
    let mut more = cursor.goto_first_child();
    while more {
        if !is_comment(cursor.node()) {
            all.push((cursor.field_name().unwrap_or_default(), cursor.node()));
        }
        more = cursor.goto_next_sibling();
    }
    all
}

/// The child of that field.
pub(crate) fn field<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    node.child_by_field_name(name)
}

/// Whether a child is of one of these kinds, anonymous ones included.
pub(crate) fn has_child(node: Node, kinds: &[&str]) -> bool {
    children(node)
        .iter()
        .any(|(_, child)| kinds.contains(&child.kind()))
}

/// Calls `each` for every token below a node, comments left out. A string is one token.
pub(crate) fn each_token<'t>(node: Node<'t>, mut each: impl FnMut(Node<'t>)) {
    let mut cursor = node.walk();
    loop {
        let here = cursor.node();
        if !is_comment(here) {
            if is_whole(here) || here.child_count() == 0 {
                each(here);
            } else if cursor.goto_first_child() {
                continue;
            }
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// Whether a node is a comment.
pub(crate) fn is_comment(node: Node) -> bool {
    matches!(
        node.kind(),
        "comment" | "line_comment" | "block_comment" | "html_comment" | "hash_bang_line"
    )
}

/// Whether a node's text is to be taken as it is, for it is a string or the like.
fn is_whole(node: Node) -> bool {
    matches!(
        node.kind(),
        "string"
            | "template_string"
            | "regex"
            | "string_literal"
            | "raw_string_literal"
            | "char_literal"
            | "interpreted_string_literal"
            | "rune_literal"
    )
}
