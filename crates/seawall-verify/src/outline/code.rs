//! What of a file is code: without comments, what it imports, how often it names something.
//!
//! All three walk the whole tree once. A name is counted wherever it stands as a name, of a variable as of a field: nothing
//! is resolved, so a count above zero says "perhaps" and a count of zero says "no".

use tree_sitter::{Node, Tree};

use super::Language;
use super::parse::{children, field, is_comment, parse};
use super::text::{line, text};

/// One import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// From where, as the file writes it, without quotes: `./api`, `.base`, `fmt`, `crate::error::{Error, Kind}`.
    pub module: String,
    /// Which names of it; empty when all of it, or when the language has them in the path.
    pub names: Vec<String>,
    /// The line, from 1.
    pub line: u32,
}

/// The source with comments and Python's docstrings blanked; line ends stay. None as for [`super::outline`].
#[must_use]
pub fn code_only(language: Language, source: &[u8]) -> Option<Vec<u8>> {
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

/// How often a name stands in the code, comments and strings left out. None as for [`super::outline`].
#[must_use]
pub fn references(language: Language, source: &[u8], name: &str) -> Option<u32> {
    let tree = parse(language, source)?;
    let mut count = 0;
    each_node(&tree, |node| {
        let named = node.child_count() == 0 && node.kind().contains("identifier");
        if named && source[node.byte_range()] == *name.as_bytes() {
            count += 1;
        }
        !is_comment(node)
    });
    Some(count)
}

/// What a file imports, in its order, at the top or below. None as for [`super::outline`].
#[must_use]
pub fn imports(language: Language, source: &[u8]) -> Option<Vec<Import>> {
    let tree = parse(language, source)?;
    let mut found = Vec::new();
    each_node(&tree, |node| {
        let at = u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX);
        let mut take = |module: String, names| {
            let module = module.trim_matches(['"', '\'', '`']).to_owned();
            found.push(Import {
                module,
                names,
                line: at,
            });
        };
        match (language, node.kind()) {
            (Language::Python, "import_statement") => {
                named(node, source)
                    .into_iter()
                    .for_each(|module| take(module, Vec::new()));
            }
            (Language::Python, "import_from_statement") => {
                if let Some(module) = field(node, "module_name") {
                    take(line(module, source), named(node, source));
                }
            }
            (Language::Rust, "use_declaration") => {
                if let Some(path) = field(node, "argument") {
                    take(line(path, source), Vec::new());
                }
            }
            (Language::Go, "import_spec") => {
                if let Some(path) = field(node, "path") {
                    take(text(path, source), Vec::new());
                }
            }
            (_, "import_statement" | "export_statement") => {
                if let Some(from) = field(node, "source") {
                    take(text(from, source), specified(node, source));
                }
            }
            (Language::JavaScript | Language::TypeScript | Language::Tsx, "call_expression") => {
                if let Some(module) = required(node, source) {
                    take(module, Vec::new());
                }
            }
            _ => {}
        }
        true
    });
    Some(found)
}

/// The first argument of `require(..)` or `import(..)`, when it is a string.
fn required(node: Node, source: &[u8]) -> Option<String> {
    let function = field(node, "function")?;
    if !matches!(&source[function.byte_range()], b"require" | b"import") {
        return None;
    }
    let arguments = children(field(node, "arguments")?);
    let first = arguments.into_iter().find(|(_, part)| part.is_named())?.1;
    (first.kind() == "string").then(|| text(first, source))
}

/// The names of a Python import, as they are called where they come from.
fn named(node: Node, source: &[u8]) -> Vec<String> {
    let parts = children(node)
        .into_iter()
        .filter(|(field, _)| *field == "name");
    let own = |(_, part): (&str, Node)| line(field(part, "name").unwrap_or(part), source);
    parts.filter(|(_, part)| part.is_named()).map(own).collect()
}

/// The names in the braces of an import or export; `default` for the one without braces.
fn specified(node: Node, source: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for (_, clause) in children(node) {
        for (_, part) in children(clause) {
            match part.kind() {
                "identifier" if clause.kind() == "import_clause" => {
                    names.push("default".to_owned())
                }
                "named_imports" => names.extend(specifiers(part, source)),
                _ => {}
            }
        }
        if clause.kind() == "export_clause" {
            names.extend(specifiers(clause, source));
        }
    }
    names
}

fn specifiers(node: Node, source: &[u8]) -> Vec<String> {
    let parts = children(node).into_iter();
    let own = |(_, part): (&str, Node)| line(field(part, "name").unwrap_or(part), source);
    parts
        .filter(|(_, part)| part.kind().ends_with("_specifier"))
        .map(own)
        .collect()
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
