//! The text of a declaration in one line, and what of it counts when two are compared.
//!
//! Layout does not count: line breaks, white space and a comma before a closing bracket are lost on purpose, so that a
//! reformatted file offers what it offered before.

use seawall_core::ids::{Digest, Digester};
use tree_sitter::Node;

use super::parse::each_token;

/// Stands for the definition's own name in a shape and a body.
const NAME: &str = "\u{1}";

/// The most bytes of a declaration that are kept to be shown, about.
const SHOWN: usize = 400;

/// A declaration that is put together. Its length is bounded, for it may be as long as the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    shown: String,
    shape: Digester,
    /// A comma that may be one before a closing bracket.
    comma: bool,
    /// The name was added last.
    named: bool,
}

impl Text {
    /// What `fill` adds to a name that [`Text::with_name`] gives: made once for all that share a declaration.
    pub(crate) fn of_any(fill: impl FnOnce(&mut Self)) -> Self {
        let mut text = Self::default();
        text.name(NAME);
        fill(&mut text);
        text
    }

    /// The same with that name.
    pub(crate) fn with_name(&self, name: &str) -> Self {
        let mut text = self.clone();
        text.shown.replace_range(..NAME.len(), name);
        text
    }

    /// Adds the tokens of a node.
    pub(crate) fn node(&mut self, node: Node, source: &[u8]) {
        each_token(node, |token| {
            let bytes = &source[token.byte_range()];
            if !bytes.is_empty() {
                let before = token.start_byte().checked_sub(1);
                let space = before.is_some_and(|at| source[at].is_ascii_whitespace());
                self.token(&String::from_utf8_lossy(bytes), space);
            }
        });
    }

    /// Adds a word that does not stand in the file like this.
    pub(crate) fn word(&mut self, word: &str) {
        self.token(word, true);
    }

    /// Adds the definition's own name.
    pub(crate) fn name(&mut self, name: &str) {
        self.show(name, true);
        self.shape.update(NAME.as_bytes());
        self.named = true;
    }

    /// The text in one line, and the digest of what counts of it.
    pub(crate) fn finish(self) -> (String, Digest) {
        (self.shown, self.shape.finish())
    }

    fn token(&mut self, token: &str, space: bool) {
        let closes = matches!(token, ")" | "]" | "}" | ">");
        if self.comma && !closes {
            self.show(",", false);
            self.shape.update(b"\0,");
        }
        let after_comma = std::mem::take(&mut self.comma) && !closes;
        if token == "," {
            self.comma = true;
            return;
        }
        let called = std::mem::take(&mut self.named) && token == "(";
        self.show(token, (space && !called) || after_comma);
        self.shape.update(b"\0");
        self.shape.update(token.as_bytes());
    }

    fn show(&mut self, token: &str, space: bool) {
        let opened = self.shown.is_empty() || self.shown.ends_with(['(', '[']);
        let closes = matches!(token, ")" | "]" | ";");
        if space && !opened && !closes {
            self.shown.push(' ');
        }
        let room = SHOWN.saturating_sub(self.shown.len());
        self.shown.push_str(cut(token, room));
        if token.len() > room && !self.shown.ends_with("...") {
            self.shown.push_str("...");
        }
    }
}

/// The beginning of a text, at most so many bytes.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rfind(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// The text of a node as it stands in the file; what is not UTF-8 in it is replaced.
pub(crate) fn text(node: Node, source: &[u8]) -> String {
    String::from_utf8_lossy(&source[node.byte_range()]).into_owned()
}

/// The text of a node in one line.
pub(crate) fn line(node: Node, source: &[u8]) -> String {
    let mut text = Text::default();
    text.node(node, source);
    text.finish().0
}

/// The digest of the tokens of a body, and how many they are. `name` is left out of it.
pub(crate) fn body(node: Option<Node>, name: &str, source: &[u8]) -> (Digest, u32) {
    let (mut digester, mut weight) = (Digester::default(), 0);
    if let Some(node) = node {
        each_token(node, |token| {
            let bytes = &source[token.byte_range()];
            let own = bytes == name.as_bytes();
            digester.update(if own { NAME.as_bytes() } else { bytes });
            digester.update(b"\0");
            weight += 1;
        });
    }
    (digester.finish(), weight)
}
