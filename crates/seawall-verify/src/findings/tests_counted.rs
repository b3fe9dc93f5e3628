//! The tests of a file, as its text has them: names, how much each asserts, whether it is skipped.
//!
//! Read with tree-sitter from the forms that runners know: `def test_…`, `#[test]`, `it(…)` and `test(…)`, `func Test…`. A
//! test that a macro or a loop makes is not seen, before as after, so it is never missed.

use seawall_core::ids::Digest;
use tree_sitter::Node;

use crate::outline::Language;
use crate::outline::code::each_node;
use crate::outline::parse::{children, each_token, field, parse};

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) line: u32,
    /// How many things it asserts, counted in its text.
    pub(crate) asserts: u32,
    pub(crate) skipped: bool,
    /// The digest of its body without comments and layout.
    pub(crate) body: Digest,
}

/// The most steps that are walked in the bodies of one file's tests. Tests nested in tests are walked once for each, which
/// a hostile file could make as many as it has bytes, squared.
const STEPS: u32 = 1_000_000;

/// What is gathered of a file.
#[derive(Default)]
struct All {
    tests: Vec<Test>,
    walked: u32,
    /// The Python definition that comes next, and whether its decorators skip it.
    marked: Option<(usize, bool)>,
}

/// The tests of a source in its order; none when it cannot be parsed.
pub(crate) fn tests(language: Language, source: &[u8]) -> Vec<Test> {
    let mut all = All::default();
    let Some(tree) = parse(language, source) else {
        return all.tests;
    };
    each_node(&tree, |node| {
        match language {
            Language::Python => python(node, source, &mut all),
            Language::Rust => rust(node, source, &mut all),
            Language::Go => go(node, source, &mut all),
            Language::JavaScript | Language::TypeScript | Language::Tsx => {
                javascript(node, source, &mut all);
            }
        }
        true
    });
    all.tests
}

fn text<'s>(node: Option<Node<'_>>, source: &'s [u8]) -> &'s str {
    let bytes = node.and_then(|node| source.get(node.byte_range()));
    std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
}

fn add(
    all: &mut All,
    name: String,
    (node, body): (Node<'_>, Node<'_>),
    skipped: bool,
    source: &[u8],
) {
    let (mut asserts, mut skips) = (0, false);
    let mut cursor = body.walk();
    'walk: loop {
        all.walked += 1;
        if all.walked > STEPS {
            return;
        }
        let here = cursor.node();
        asserts += u32::from(is_assertion(here, source));
        skips |= is_skip(here, source);
        if cursor.goto_first_child() {
            continue;
        }
        loop {
            // The cursor never leaves the body it was made for.
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                break 'walk;
            }
        }
    }
    let mut tokens = Vec::new();
    each_token(body, |token| {
        tokens.extend_from_slice(source.get(token.byte_range()).unwrap_or_default());
        tokens.push(0);
    });
    all.tests.push(Test {
        name,
        line: u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX),
        asserts,
        skipped: skipped || skips,
        body: Digest::of(&tokens),
    });
}

fn is_assertion(node: Node<'_>, source: &[u8]) -> bool {
    let last = |name: &str| {
        name.rsplit(['.', ':'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    match node.kind() {
        "assert_statement" => true,
        "macro_invocation" => {
            let name = last(text(field(node, "macro"), source));
            name.starts_with("assert") || name.starts_with("prop_assert") || name == "panic"
        }
        "call" | "call_expression" => {
            let full = text(field(node, "function"), source);
            let name = last(full);
            name.starts_with("assert")
                || name.starts_with("toThrow")
                || matches!(name.as_str(), "raises" | "warns" | "expect" | "fail")
                || full.starts_with("assert.")
                || full.starts_with("require.")
                || full.starts_with("t.assert.")
                || (node.kind() == "call_expression" && of_a_context(full))
                || ["t.Error", "t.Fatal", "t.Fail"]
                    .iter()
                    .any(|f| full.starts_with(f))
        }
        _ => false,
    }
}

/// The assertions of the context that node:test, tap, tape and ava hand to a test, by their documentation. One that ava
/// skips (`t.is.skip`) is none.
const OF_A_CONTEXT: &[&str] = &[
    "deepEqual",
    "deepLooseEqual",
    "doesNotMatch",
    "doesNotThrow",
    "equal",
    "equals",
    "error",
    "false",
    "falsy",
    "has",
    "hasStrict",
    "ifError",
    "is",
    "isNot",
    "like",
    "looseEqual",
    "match",
    "matchSnapshot",
    "not",
    "notDeepEqual",
    "notEqual",
    "notMatch",
    "notOk",
    "notRegex",
    "notSame",
    "notThrows",
    "notThrowsAsync",
    "ok",
    "pass",
    "regex",
    "rejects",
    "resolves",
    "same",
    "snapshot",
    "strictEqual",
    "strictNotSame",
    "strictSame",
    "throws",
    "throwsAsync",
    "true",
    "truthy",
    "type",
];

fn of_a_context(called: &str) -> bool {
    let name = called.strip_prefix("t.").unwrap_or_default();
    OF_A_CONTEXT.contains(&name)
}

fn is_skip(node: Node<'_>, source: &[u8]) -> bool {
    let called = matches!(node.kind(), "call" | "call_expression");
    let name = if called {
        text(field(node, "function"), source)
    } else {
        ""
    };
    matches!(
        name,
        "pytest.skip"
            | "pytest.xfail"
            | "self.skipTest"
            | "t.Skip"
            | "t.Skipf"
            | "t.SkipNow"
            | "t.skip"
            | "t.todo"
    )
}

fn python(node: Node<'_>, source: &[u8], all: &mut All) {
    if node.kind() == "decorated_definition" {
        let marks = children(node).into_iter();
        let mut marks = marks.filter(|(_, part)| part.kind() == "decorator");
        let skips = |mark: &str| {
            ["skip", "xfail", "expectedFailure"]
                .iter()
                .any(|word| mark.contains(word))
        };
        let skipped = marks.any(|(_, mark)| skips(text(Some(mark), source)));
        all.marked = field(node, "definition").map(|below| (below.id(), skipped));
    }
    let (Some(name), Some(body)) = (field(node, "name"), field(node, "body")) else {
        return;
    };
    let name = text(Some(name), source);
    if node.kind() == "function_definition" && name.starts_with("test") {
        let skipped = all.marked == Some((node.id(), true));
        add(all, name.to_owned(), (node, body), skipped, source);
    }
}

/// Attributes stand before what they are about, as its siblings.
fn rust(node: Node<'_>, source: &[u8], all: &mut All) {
    if !matches!(node.kind(), "source_file" | "declaration_list") {
        return;
    }
    let (mut is_test, mut skipped) = (false, false);
    for (_, part) in children(node) {
        if part.kind() == "attribute_item" {
            let mark = text(Some(part), source).trim_matches(['#', '[', ']']);
            is_test |=
                mark == "test" || mark.ends_with("::test") || mark.starts_with("tokio::test");
            skipped |= mark.starts_with("ignore");
            continue;
        }
        let name = field(part, "name").filter(|_| part.kind() == "function_item" && is_test);
        if let (Some(name), Some(body)) = (name, field(part, "body")) {
            let name = text(Some(name), source).to_owned();
            add(all, name, (part, body), skipped, source);
        }
        (is_test, skipped) = (false, false);
    }
}

fn go(node: Node<'_>, source: &[u8], all: &mut All) {
    let name = text(
        field(node, "name").filter(|_| node.kind() == "function_declaration"),
        source,
    );
    if let Some(body) = field(node, "body").filter(|_| name.starts_with("Test")) {
        add(all, name.to_owned(), (node, body), false, source);
    }
}

fn javascript(node: Node<'_>, source: &[u8], all: &mut All) {
    if node.kind() != "call_expression" {
        return;
    }
    let called = text(field(node, "function"), source);
    let skipped = match called {
        "it" | "test" | "it.only" | "test.only" => false,
        "it.skip" | "test.skip" | "xit" | "xtest" | "it.todo" | "test.todo" | "it.failing"
        | "test.failing" => true,
        _ => return,
    };
    let Some(arguments) = field(node, "arguments") else {
        return;
    };
    let parts: Vec<_> = children(arguments)
        .into_iter()
        .filter(|(_, part)| part.is_named())
        .collect();
    let Some((_, first)) = parts.first() else {
        return;
    };
    if !matches!(first.kind(), "string" | "template_string") {
        return;
    }
    let options = parts.iter().filter(|(_, part)| part.kind() == "object");
    let off = |options: &str| {
        let squeezed: String = options.split_whitespace().collect();
        (squeezed.contains("skip:") && !squeezed.contains("skip:false"))
            || squeezed.contains("todo:true")
    };
    let skipped = skipped || options.map(|(_, part)| text(Some(*part), source)).any(off);
    let name = spoken(text(Some(*first), source));
    let body = parts.last().map_or(arguments, |(_, last)| *last);
    add(all, name, (node, body), skipped, source);
}

/// A literal of JavaScript as a reader says it: which quotes stand around it, and so which are escaped, is layout.
fn spoken(literal: &str) -> String {
    let inner = literal.get(1..literal.len().saturating_sub(1));
    let mut name = inner.unwrap_or_default().to_owned();
    for (escaped, plain) in [("\\'", "'"), ("\\\"", "\""), ("\\`", "`")] {
        name = name.replace(escaped, plain);
    }
    name
}
