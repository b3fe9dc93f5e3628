//! Lines of any language as words, and what is left of them when names, numbers and texts do not count.
//!
//! It knows no grammar: letters make a name, digits a number, quotes a text, everything else stands for itself. Words
//! that mean something in the usual languages stay what they are, so that `return x` is not the shape of `import x`. Names
//! are numbered in the order in which they come, so that `f(x, x)` is not the shape of `f(x, y)`; of prose, where names
//! follow on one another without a sign between them, only that there is some is kept.

use std::collections::HashMap;

/// One word of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Token<'t> {
    kind: Kind,
    pub(super) text: &'t str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Name,
    Number,
    Text,
    /// What stands for itself.
    Sign,
}

/// Words that say what a line does, in the languages that most repositories hold.
const KEYWORDS: &[&str] = &[
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "def",
    "default",
    "defer",
    "del",
    "do",
    "elif",
    "else",
    "enum",
    "except",
    "export",
    "extends",
    "extern",
    "false",
    "finally",
    "fn",
    "for",
    "from",
    "func",
    "function",
    "global",
    "go",
    "if",
    "impl",
    "implements",
    "import",
    "in",
    "interface",
    "is",
    "lambda",
    "let",
    "loop",
    "match",
    "mod",
    "mut",
    "new",
    "nil",
    "not",
    "null",
    "or",
    "package",
    "pass",
    "private",
    "pub",
    "public",
    "raise",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "switch",
    "this",
    "throw",
    "trait",
    "true",
    "try",
    "type",
    "unsafe",
    "use",
    "var",
    "void",
    "where",
    "while",
    "with",
    "yield",
];

/// Names that follow on one another and are taken for prose.
const PROSE: usize = 3;

/// The words of a line, spaces left out.
pub(super) fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            c if c.is_whitespace() => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            c if c.is_alphabetic() || c == '_' => (Kind::Name, while_in(rest, in_name)),
            c if c.is_ascii_digit() => (Kind::Number, while_in(rest, |c| in_name(c) || c == '.')),
            '"' | '\'' => match quoted(rest, first) {
                Some(length) => (Kind::Text, length),
                None => (Kind::Sign, 1),
            },
            c => (Kind::Sign, c.len_utf8()),
        };
        let (text, after) = rest.split_at(length);
        let kind = match kind {
            Kind::Name if KEYWORDS.binary_search(&text).is_ok() => Kind::Sign,
            kind => kind,
        };
        found.push(Token { kind, text });
        rest = after;
    }
    found
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn while_in(text: &str, within: impl Fn(char) -> bool) -> usize {
    text.find(|c| !within(c)).unwrap_or(text.len())
}

/// The length of a text in quotes that ends on its line.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Numbers the names of one change.
#[derive(Default)]
pub(super) struct Names<'t>(HashMap<&'t str, usize>);

impl<'t> Names<'t> {
    /// The words without what does not count.
    pub(super) fn blank(&mut self, words: &[Token<'t>], out: &mut String) {
        let mut rest = words;
        while let [first, after @ ..] = rest {
            let names = rest
                .iter()
                .take_while(|word| word.kind == Kind::Name)
                .count();
            if names >= PROSE {
                out.push_str("… ");
                rest = &rest[names..];
                continue;
            }
            match first.kind {
                Kind::Name => {
                    let next = self.0.len() + 1;
                    let number = self.0.entry(first.text).or_insert(next);
                    out.push_str(&format!("${number} "));
                }
                Kind::Number => out.push_str("0 "),
                Kind::Text => out.push_str("\"\" "),
                Kind::Sign => {
                    out.push_str(first.text);
                    out.push(' ');
                }
            }
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blank(line: &str) -> String {
        let mut out = String::new();
        Names::default().blank(&tokens(line), &mut out);
        out.trim_end().to_owned()
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn lines_lose_what_does_not_count() {
        for (line, want) in [
            ("    return  total(x, y, x)", "return $1 ( $2 , $3 , $2 )"),
            ("x = 0x1f + 2.5e3", "$1 = 0 + 0"),
            (r#"say("it \" is", 'ok')"#, r#"$1 ( "" , "" )"#),
            ("don't", "$1 ' $2"),
            ("# one two three: four", "# … : $1"),
            ("n=`stock_of \"$1\"`", "$1 = ` $2 \"\" `"),
            ("größe_1 → 2", "$1 → 0"),
            ("", ""),
        ] {
            assert_eq!(blank(line), want, "{line}");
        }
    }
}
