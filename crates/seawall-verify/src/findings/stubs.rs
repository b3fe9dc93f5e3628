//! Functions that were promised and only stand there: `todo!()`, `raise NotImplementedError`, a body of `pass`.
//!
//! How sure one can be differs. `todo!()` says of itself that it is not done, and blocks. An "unimplemented" that is thrown
//! may be the honest answer of a method that nobody can implement: a person looks, unless it is a method of a class, which
//! others may override, where it is told. A function that does nothing is told, unless it did something before: then a
//! person looks. Where the plan asks for stubs all of them are notes. Abstract methods, protocols, overloads, stub files and tests are left alone.

use std::collections::HashMap;

use seawall_core::finding::Severity;
use tree_sitter::Node;

use super::look::{File, Found, Look};
use crate::outline::Language;
use crate::outline::code::each_node;
use crate::outline::parse::{children, field, parse};

/// What a plan says that wants a stub.
const ASKED: &[&str] = &[
    "stub",
    "skeleton",
    "scaffold",
    "placeholder",
    "todo!",
    "unimplemented",
    "notimplemented",
    "not implemented",
];

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in &look.files {
        let (Some(language), Some(after)) = (file.language, file.after) else {
            continue;
        };
        if file.is_test() || file.extension() == "pyi" {
            continue;
        }
        match language {
            Language::Python => python(file, after, found),
            _ => thrown(file, language, after, found),
        }
    }
    if look.asks(ASKED) {
        let all = found.list.iter_mut();
        all.for_each(|finding| finding.severity = Severity::Note);
    }
}

/// What a Python function does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Something,
    Nothing,
    Refuses,
}

struct Function {
    name: String,
    line: u32,
    does: Does,
    /// Whether others are to override it, by its decorators or the bases of its class.
    is_abstract: bool,
    in_class: bool,
}

fn python(file: &File<'_>, after: &[u8], found: &mut Found) {
    let before = functions(file.before.unwrap_or_default());
    let before: HashMap<_, _> = before.iter().map(|f| (f.name.as_str(), f.does)).collect();
    for function in functions(after) {
        let old = before.get(function.name.as_str());
        if function.is_abstract || function.does == Does::Something || old == Some(&function.does) {
            continue;
        }
        let (name, did) = (&function.name, old == Some(&Does::Something));
        let (severity, text) = match (function.does, did) {
            (Does::Refuses, true) => (
                Severity::Hold,
                format!("`{name}` had a body, and now refuses to do anything"),
            ),
            (Does::Refuses, false) if function.in_class => (
                Severity::Note,
                format!("`{name}` raises NotImplementedError and nothing else"),
            ),
            (Does::Refuses, false) => (
                Severity::Hold,
                format!("`{name}` raises NotImplementedError and nothing else"),
            ),
            (_, true) => (
                Severity::Hold,
                format!("`{name}` had a body, and now does nothing"),
            ),
            (_, false) => (Severity::Note, format!("`{name}` does nothing")),
        };
        found.at(severity, file.path, function.line, text);
    }
}

fn functions(source: &[u8]) -> Vec<Function> {
    let mut all = Vec::new();
    let Some(tree) = parse(Language::Python, source) else {
        return all;
    };
    // Scopes that are open: where each ends, its name, whether it is a class, and whether that is abstract.
    let mut scopes: Vec<(usize, String, bool, bool)> = Vec::new();
    // The decorators of the definition that comes next: to ask a node for what holds it costs as much as that is long.
    let mut marks = (0, String::new());
    each_node(&tree, |node| {
        while scopes
            .last()
            .is_some_and(|(end, ..)| *end <= node.start_byte())
        {
            scopes.pop();
        }
        if let Some(below) = decorated(node) {
            marks = (below.id(), words_between(node, below, source));
        }
        let is_class = node.kind() == "class_definition";
        if !is_class && node.kind() != "function_definition" {
            return true;
        }
        let own = words(field(node, "name"), source);
        let holder = scopes.last();
        let name = holder.map_or_else(|| own.clone(), |(_, holder, ..)| format!("{holder}.{own}"));
        if is_class {
            let bases = words(field(node, "superclasses"), source);
            let open = ["Protocol", "ABC", "Interface"]
                .iter()
                .any(|base| bases.contains(base));
            scopes.push((node.end_byte(), name, true, open));
            return true;
        }
        let marked = marks.0 == node.id()
            && ["abstract", "overload"]
                .iter()
                .any(|mark| marks.1.contains(mark));
        all.push(Function {
            line: u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX),
            does: does(field(node, "body"), source),
            is_abstract: marked || holder.is_some_and(|(.., open)| *open),
            in_class: holder.is_some_and(|(_, _, is_class, _)| *is_class),
            name: name.clone(),
        });
        scopes.push((node.end_byte(), name, false, false));
        true
    });
    all
}

fn decorated(node: Node<'_>) -> Option<Node<'_>> {
    let is = node.kind() == "decorated_definition";
    field(node, "definition").filter(|_| is)
}

/// What stands before the definition of a decorated one.
fn words_between(whole: Node<'_>, below: Node<'_>, source: &[u8]) -> String {
    let bytes = source.get(whole.start_byte()..below.start_byte());
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn words(node: Option<Node<'_>>, source: &[u8]) -> String {
    let bytes = node.and_then(|node| source.get(node.byte_range()));
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

/// What the statements of a body come to, its docstring left out.
fn does(body: Option<Node<'_>>, source: &[u8]) -> Does {
    let statements = body.map(children).unwrap_or_default();
    let text = |(_, node): &(&str, Node<'_>)| words(Some(*node), source);
    let doc = |text: &String| text.starts_with(['"', '\'']) || text.starts_with("r\"");
    let mut rest: Vec<String> = statements.iter().map(text).collect();
    if rest.first().is_some_and(doc) {
        rest.remove(0);
    }
    match &rest[..] {
        [] => Does::Nothing,
        [only] if only == "pass" || only == "..." => Does::Nothing,
        [only] if only.starts_with("raise NotImplementedError") => Does::Refuses,
        _ => Does::Something,
    }
}

/// Macros, exceptions and panics that say of themselves that nothing is there.
fn thrown(file: &File<'_>, language: Language, after: &[u8], found: &mut Found) {
    let old = stubs(language, file.before.unwrap_or_default()).len();
    let new = stubs(language, after);
    if new.len() <= old {
        return;
    }
    let fresh = new
        .iter()
        .filter(|stub| file.added.iter().any(|(line, _)| *line == stub.line));
    for stub in fresh.take(new.len() - old) {
        let text = format!("`{}` stands where the work should", stub.what);
        found.at(stub.severity, file.path, stub.line, text);
    }
}

struct Stub {
    line: u32,
    what: String,
    severity: Severity,
}

fn stubs(language: Language, source: &[u8]) -> Vec<Stub> {
    let mut all = Vec::new();
    let Some(tree) = parse(language, source) else {
        return all;
    };
    each_node(&tree, |node| {
        if language == Language::Rust && is_test_module(node, source) {
            return false;
        }
        if let Some((what, severity)) = stub(language, node, source) {
            let line = u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX);
            all.push(Stub {
                line,
                what,
                severity,
            });
        }
        true
    });
    all
}

fn is_test_module(node: Node<'_>, source: &[u8]) -> bool {
    let name = field(node, "name").filter(|_| node.kind() == "mod_item");
    matches!(words(name, source).as_str(), "tests" | "test")
}

fn stub(language: Language, node: Node<'_>, source: &[u8]) -> Option<(String, Severity)> {
    let text = || words(Some(node), source).to_lowercase();
    match (language, node.kind()) {
        (Language::Rust, "macro_invocation") => {
            match words(field(node, "macro"), source).as_str() {
                "todo" => Some(("todo!".into(), Severity::Block)),
                "unimplemented" => Some(("unimplemented!".into(), Severity::Hold)),
                _ => None,
            }
        }
        (Language::JavaScript | Language::TypeScript | Language::Tsx, "throw_statement") => {
            says_so(&text()).then(|| ("throw … not implemented".into(), Severity::Hold))
        }
        (Language::Go, "call_expression") => {
            let panics = words(field(node, "function"), source) == "panic";
            (panics && says_so(&text())).then(|| ("panic … not implemented".into(), Severity::Hold))
        }
        _ => None,
    }
}

fn says_so(text: &str) -> bool {
    let says = [
        "not implemented\"",
        "not implemented'",
        "not implemented`",
        "not implemented yet",
        "not yet implemented",
        "unimplemented",
        "\"todo",
        "'todo",
    ];
    text.len() < 200 && says.iter().any(|says| text.contains(says))
}
