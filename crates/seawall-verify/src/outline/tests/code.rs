//! Code without comments.

use super::*;

#[test]
fn comments_are_blanked() {
    for (language, source, expected) in [
        (
            Language::Python,
            "'''doc'''\nx = 'a # b'  # c\ndef f():\n    'd'\n    'e'\n",
            "         \nx = 'a # b'     \ndef f():\n       \n    'e'\n",
        ),
        (
            Language::JavaScript,
            "a /* b\nc */ = '//'; // d\n",
            "a     \n     = '//';     \n",
        ),
        (
            Language::Rust,
            "/// d\nfn f() { \"// x\"; } // e\n",
            "     \nfn f() { \"// x\"; }     \n",
        ),
        (Language::Go, "package a // b\n", "package a     \n"),
    ] {
        let code = code_only(language, source.as_bytes()).unwrap();
        let code = String::from_utf8(code).unwrap();
        let lines = |text: &str| {
            text.lines()
                .map(|l| l.trim_end().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (lines(&code), code.len()),
            (lines(expected), source.len()),
            "{language:?}"
        );
    }
}
