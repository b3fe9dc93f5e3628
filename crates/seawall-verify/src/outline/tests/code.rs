//! Code without comments, imports, references.

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

#[test]
fn names_are_counted_in_code_alone() {
    for (language, source, expected) in [
        (
            Language::Python,
            "load(1)  # load\nx.load = 'load'\nf'{load}'\ndownload()\n",
            3,
        ),
        (
            Language::TypeScript,
            "const load = 1; // load\nx.load; `load ${load}`; let y: load;\n",
            4,
        ),
        (
            Language::Rust,
            "fn load() { a!(load, \"load\"); load::x() } // load\n",
            3,
        ),
        (
            Language::Go,
            "package a\nfunc load() { x.load(load) /* load */ }\n",
            3,
        ),
    ] {
        assert_eq!(
            references(language, source.as_bytes(), "load"),
            Some(expected),
            "{language:?}"
        );
    }
}

#[test]
fn imports_are_found() {
    let found = |language, source: &str| {
        let found = imports(language, source.as_bytes()).unwrap().into_iter();
        found
            .map(|i| format!("{} {} [{}]", i.line, i.module, i.names.join(" ")))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found(
            Language::Python,
            "import os.path, re as r\nfrom .a import b as c, d\ndef f():\n    from x import *\n"
        ),
        ["1 os.path []", "1 re []", "2 .a [b d]", "4 x []"]
    );
    assert_eq!(
        found(
            Language::TypeScript,
            "import a, { b as c } from './x';\nimport * as n from \"y\";\nimport 'z';\nexport { q } from './q';\nconst r = require('r');\nawait import('s');\n"
        ),
        [
            "1 ./x [default b]",
            "2 y []",
            "3 z []",
            "4 ./q [q]",
            "5 r []",
            "6 s []"
        ]
    );
    assert_eq!(
        found(Language::Rust, "use a::{b, c as d};\nmod m { use x::*; }\n"),
        ["1 a::{b, c as d} []", "2 x::* []"]
    );
    assert_eq!(
        found(
            Language::Go,
            "package a\nimport (\n\t\"fmt\"\n\tx \"io\"\n)\n"
        ),
        ["3 fmt []", "4 io []"]
    );
}
