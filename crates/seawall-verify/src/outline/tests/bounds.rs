//! Nothing that a file holds may end the program or hold it up.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

const ALL: [Language; 6] = [
    Language::Python,
    Language::JavaScript,
    Language::TypeScript,
    Language::Tsx,
    Language::Rust,
    Language::Go,
];

/// Real code: this crate's own, and small files of the other languages.
fn samples() -> [(Language, &'static str); 5] {
    [
        (Language::Rust, include_str!("../javascript.rs")),
        (
            Language::Python,
            "import os\n\n@dec(1)\nasync def load(path, *, strict: bool = False) -> int:\n    '''doc'''\n    return f'{path!r}'\n\nclass C(Base):\n    x: int = 3\n    def m(self): pass\n__all__ = ['load', \"C\"]\n",
        ),
        (
            Language::Tsx,
            "import a from 'b';\nexport default class A<T> extends B { private x = `a${1}`; m(a?: string): void {} }\nexport { p as q } from './r';\nmodule.exports = { a, b: c };\nexport const V = (p: P) => <b>{p.x}</b>;\n",
        ),
        (
            Language::JavaScript,
            "export const { a, b: c } = d;\nexports.f = function* (x) { return /re/g; };\nexport * as ns from './x';\n",
        ),
        (
            Language::Go,
            "package a\n\ntype S[T any] struct { A, B int `x`; *E }\nfunc (s *S[T]) M(x ...int) (y T) { return }\nconst ( X = iota\nY )\n",
        ),
    ]
}

/// What holds for any outline.
fn sound(language: Language, source: &[u8]) {
    let Some(found) = outline(language, source) else {
        return;
    };
    let rows = source.iter().filter(|b| **b == b'\n').count() as u32 + 1;
    for item in &found.items {
        assert!(item.lines.0 >= 1 && item.lines.0 <= item.lines.1 && item.lines.1 <= rows + 1);
    }
    assert_eq!(outline(language, source).as_ref(), Some(&found));
    assert_eq!(interface_changes(&found, &found), []);
    let said = interface_note(language, None, source);
    for line in said.lines {
        assert!(
            line.len() < 4000 && !line.contains(char::is_control),
            "{line:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        ALL.iter().for_each(|language| sound(*language, &bytes));
    }

    #[test]
    fn any_text_is_read(text in "[-a-z(){}\\[\\]<>=,.:;'\"`#@*/\\\\ \n\t$|&?!0-9]{0,300}") {
        ALL.iter().for_each(|language| sound(*language, text.as_bytes()));
    }

    #[test]
    fn mutated_code_is_read(
        which in 0usize..5,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..12),
    ) {
        let (language, source) = samples()[which];
        let mut bytes = source.as_bytes().to_vec();
        for (from, to, byte, how) in edits {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let (from, to) = (from.min(to), from.max(to));
            match how {
                0 => bytes[from] = byte,
                1 => bytes.insert(from, byte),
                2 => bytes.truncate(to.max(1)),
                _ => bytes.extend_from_within(from..to),
            }
        }
        sound(language, &bytes);
        let (before, after) = (source.as_bytes(), &bytes[..]);
        let _ = interface_note(language, Some(before), after);
        let _ = interface_note(language, Some(after), before);
    }
}

#[test]
fn samples_are_read() {
    for (language, source) in samples() {
        assert!(
            !outline(language, source.as_bytes())
                .unwrap()
                .items
                .is_empty()
        );
        sound(language, source.as_bytes());
    }
}

#[test]
fn hostile_text_is_read_in_bounded_time() {
    // Each is slow for some parser: scanners that read to the end, errors that are mended in many ways, deep nesting.
    for (language, piece) in [
        (Language::Rust, "r#\""),
        (Language::Rust, "use a::{"),
        (Language::Go, "x=("),
        (Language::TypeScript, "namespace a {"),
        (Language::Python, "class A:\n "),
        (Language::Python, "@a\n"),
    ] {
        let source = piece.repeat((2 << 20) / piece.len());
        let began = Instant::now();
        let _ = outline(language, source.as_bytes());
        let took = began.elapsed();
        assert!(
            took < Duration::from_secs(30),
            "{language:?} {piece:?}: {took:?}"
        );
    }
}

#[test]
fn what_is_repeated_is_not_read_for_each() {
    let names = "a, ".repeat(30_000);
    for (language, source) in [
        (Language::Python, "a = __all__ = ".repeat(20_000) + "1\n"),
        (Language::Python, format!("{names}a = [{names}]\n")),
        (
            Language::Go,
            format!("package a\nvar {names}a = {names}a\n"),
        ),
        (
            Language::JavaScript,
            format!("const [{names}a] = [{names}];\n"),
        ),
        (Language::Rust, format!("pub use a::{{{names}}};\n")),
    ] {
        let began = Instant::now();
        let _ = outline(language, source.as_bytes());
        let took = began.elapsed();
        assert!(took < Duration::from_secs(30), "{language:?}: {took:?}");
    }
}

#[test]
fn what_is_too_much_is_not_read() {
    let many = "def f(): pass\n".repeat(30_000);
    assert_eq!(outline(Language::Python, many.as_bytes()), None);
    let large = " ".repeat((2 << 20) + 1);
    assert_eq!(outline(Language::Go, large.as_bytes()), None);
    let said = interface_note(Language::Go, Some(b"package a"), large.as_bytes()).lines;
    assert_eq!(
        said,
        ["how it differs cannot be said: it is too much to read"]
    );
}

#[test]
fn what_is_long_is_cut() {
    let name = "n".repeat(100_000);
    let members = "    def m(self): pass\n".repeat(10);
    let source = format!("class {name}:\n{members}def f(a={name}): pass\n");
    let found = outline(Language::Python, source.as_bytes()).unwrap();
    assert_eq!(found.items.len(), 12);
    for item in &found.items {
        assert!(item.signature.len() < 500 && item.name.len() < 500);
    }
    let longer = source.replace("): pass\n", "x): pass\n");
    let said = interface_note(Language::Python, Some(source.as_bytes()), longer.as_bytes()).lines;
    assert!(
        said.last().unwrap().contains("is declared differently"),
        "{said:?}"
    );
}

#[test]
fn more_than_forty_changes_are_counted() {
    let many: String = (0..100).map(|n| format!("def f{n}(): pass\n")).collect();
    let said = interface_note(Language::Python, None, many.as_bytes());
    assert_eq!((said.lines.len(), said.more), (40, 60));
}

#[test]
fn what_cannot_be_parsed_is_said() {
    let said = interface_note(
        Language::Python,
        Some(b"def f(): pass\n"),
        b"def g(: (pass\n",
    );
    let last = said.lines.last().unwrap();
    assert_eq!(
        last,
        "this may not be all: parts of the file cannot be parsed"
    );
}

#[test]
fn what_could_harm_a_terminal_is_escaped() {
    let after = "def f(a='\u{1b}[2J\u{202e}'): pass\n";
    let said = interface_note(Language::Python, None, after.as_bytes());
    assert_eq!(
        said.lines,
        ["function `f(a='\\x1b[2J\\xe2\\x80\\xae')` is new (line 1)"]
    );
}
