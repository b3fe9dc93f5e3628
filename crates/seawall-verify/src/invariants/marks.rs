//! What decorators and attributes say of a definition: that a framework gets it, or that it is a test.

use tree_sitter::Node;

use crate::outline::parse::is_comment;
use crate::outline::text::text;

/// The attributes of Rust that stand before what comes next. To ask a node for its siblings costs as many steps as it has.
#[derive(Default)]
pub(super) struct Attributes {
    texts: Vec<String>,
    end: usize,
}

impl Attributes {
    /// Those of this node.
    pub(super) fn take(&mut self, node: Node<'_>, source: &[u8]) -> Vec<String> {
        if node.kind() == "attribute_item" {
            self.texts.push(text(node, source));
            self.end = node.end_byte();
            return Vec::new();
        }
        // What is inside of an attribute comes before its end.
        if self.texts.is_empty() || node.start_byte() < self.end || is_comment(node) {
            return Vec::new();
        }
        std::mem::take(&mut self.texts)
    }
}

/// Whether attributes say that what follows is of tests.
pub(super) fn is_test_code(attributes: &[String]) -> bool {
    let says = |text: &String| {
        let module = text.contains("cfg(test)") || text.contains("cfg(all(test");
        module || text == "#[test]" || text.contains("::test]") || text.contains("::test(")
    };
    attributes.iter().any(says)
}

/// Decorators that hand nothing to a framework.
const INERT: &[&str] = &[
    "staticmethod",
    "classmethod",
    "property",
    "cached_property",
    "lru_cache",
    "cache",
    "wraps",
    "contextmanager",
    "asynccontextmanager",
    "dataclass",
    "dataclasses",
    "functools",
    "contextlib",
    "typing",
    "abc",
    "override",
    "overload",
    "abstractmethod",
    "final",
    "total_ordering",
    "singledispatch",
    "deprecated",
    "no_type_check",
    "unique",
    "define",
    "attrs",
    "attr",
];

/// Attributes of Rust that hand nothing to a framework.
const INERT_RUST: &[&str] = &[
    "derive",
    "doc",
    "inline",
    "must_use",
    "allow",
    "expect",
    "warn",
    "deny",
    "cfg",
    "cfg_attr",
    "repr",
    "non_exhaustive",
    "deprecated",
    "track_caller",
    "cold",
    "automatically_derived",
    "rustfmt",
    "clippy",
    "serde",
    "error",
    "default",
    "instrument",
    "tracing",
    "async_trait",
];

/// Whether a Python decorator may hand what it stands on to a framework.
pub(super) fn is_handed_over(mark: &str) -> bool {
    hands_over(mark, INERT)
}

/// Whether an attribute of Rust may.
pub(super) fn is_handed_over_in_rust(mark: &str) -> bool {
    hands_over(mark, INERT_RUST)
}

fn hands_over(mark: &str, inert: &[&str]) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = mark.split(|c| !is_name(c)).filter(|word| !word.is_empty());
    words.next().is_some_and(|first| !inert.contains(&first))
}
