//! What of a file is code: the source without comments, by one walk of the whole tree.

use tree_sitter::{Node, Tree};

use super::Language;
use super::parse::{is_comment, parse};

/// The source with comments and Python's docstrings blanked; line ends stay. None as for [`super::outline`].
pub(crate) fn code_only(language: Language, source: &[u8]) -> Option<Vec<u8>> {
    let tree = parse(language, source)?;
    let (mut code, mut doc) = (source.to_vec(), None);
    each_node(&tree, |node| {
        if language == Language::Python {
            doc = docstring(node).or(doc);
        }
        let blank = is_comment(node) || doc == Some(node.id());
        if blank {
            let bytes = code[node.byte_range()].iter_mut();
            bytes.filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        }
        !blank
    });
    Some(code)
}

/// The first statement of a Python module or block, when it is a string that stands alone. Found from above: to ask a node
/// for its siblings costs as many steps as it has.
fn docstring(node: Node) -> Option<usize> {
    if !matches!(node.kind(), "module" | "block") {
        return None;
    }
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    while more && is_comment(cursor.node()) {
        more = cursor.goto_next_sibling();
    }
    let first = cursor.node();
    let alone = more && first.kind() == "expression_statement" && first.child_count() == 1;
    let string = alone && first.child(0).is_some_and(|child| child.kind() == "string");
    string.then(|| first.id())
}

/// Calls `each` for every node; what is below one for which it says no is left out.
pub(crate) fn each_node<'t>(tree: &'t Tree, mut each: impl FnMut(Node<'t>) -> bool) {
    let mut cursor = tree.walk();
    loop {
        if each(cursor.node()) && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}
