//! Outlines of real-looking code in each language, what two versions of it differ in, and hostile bytes.

mod bounds;
mod code;
mod go;
mod javascript;
mod python;
mod rust;

use super::*;

/// One line for each definition: reach, kind, signature.
#[track_caller]
fn outlined(language: Language, source: &str) -> Vec<String> {
    let outline = outline(language, source.as_bytes()).expect("it is small");
    assert!(!outline.broken, "the example does not parse");
    let reach = |reach| match reach {
        Reach::File => "-",
        Reach::Package => "~",
        Reach::Public => "+",
    };
    let line = |i: &Item| format!("{} {} {}", reach(i.reach), i.kind.word(), i.signature);
    outline.items.iter().map(line).collect()
}

/// The note on a change.
#[track_caller]
fn noted(language: Language, before: &str, after: &str) -> Vec<String> {
    let changes = interface_note(language, Some(before.as_bytes()), after.as_bytes());
    assert_eq!(changes.more, 0);
    changes.lines
}

#[test]
fn a_language_is_told_by_the_name() {
    for (path, expected) in [
        ("a.py", Some(Language::Python)),
        ("src/a.pyi", Some(Language::Python)),
        ("a/b.test.tsx", Some(Language::Tsx)),
        ("a.d.ts", Some(Language::TypeScript)),
        ("a.mjs", Some(Language::JavaScript)),
        ("src/lib.rs", Some(Language::Rust)),
        (".go", Some(Language::Go)),
        ("go", None),
        ("a.py/b", None),
        ("a.PY", None),
    ] {
        let path = RepoPath::new(path.as_bytes()).unwrap();
        assert_eq!(language(&path), expected, "{path}");
    }
}
