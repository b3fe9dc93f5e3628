//! Rules that know more than the change: the repository, the run so far, the checks.

use super::Case;

const REPO: &[(&str, &str)] = &[
    (
        "pyproject.toml",
        "[project]\nname = \"shop\"\ndependencies = [\"requests>=2\", \"PyYAML\", \"python-dateutil\"]\n",
    ),
    ("requirements/dev.txt", "beautifulsoup4==4\n-r base.txt\n"),
    ("src/shop/__init__.py", ""),
    ("src/shop/prices.py", ""),
    ("scripts/release.py", ""),
    (
        "web/package.json",
        "{\"name\": \"@shop/web\", \"dependencies\": {\"react\": \"1\", \"@acme/ui\": \"1\"}, \"devDependencies\": {\"@types/estree\": \"1\"}}",
    ),
    ("web/src/app.ts", ""),
    (
        "Cargo.toml",
        "[package]\nname = \"shop-core\"\n[dependencies]\nserde = \"1\"\nserde_json = \"1\"\n[dev-dependencies]\nproptest = \"1\"\n",
    ),
    (
        "crates/shop-data/Cargo.toml",
        "[package]\nname = \"shop-data\"\n",
    ),
    ("src/lib.rs", ""),
    ("src/parse.rs", ""),
    (
        "go.mod",
        "module example.com/shop\n\nrequire (\n\tgithub.com/lib/pq v1.0.0\n)\n",
    ),
];

#[test]
fn imports_that_nobody_declared() {
    let lies = [
        ("a.py", "import left_pad\n", 1),
        ("a.py", "import os\nfrom left_pad.core import pad\n", 2),
        ("tests/test_a.py", "def test_a():\n    import left_pad\n", 2),
        ("a.ts", "import pad from 'left-pad';\n", 1),
        ("a.js", "const pad = require('left-pad/lib');\n", 1),
        ("a.js", "import x from '@evil/pad';\n", 1),
        ("a.rs", "use std::fmt;\nuse left_pad::pad;\n", 2),
        ("a.rs", "extern crate left_pad;\n", 1),
        ("a.go", "package a\n\nimport \"github.com/evil/pad\"\n", 3),
    ];
    for (name, text, line) in lies {
        let lie = || Case::new().around(REPO).made(name, text);
        lie().finds(&[format!("note SW0521 {name}:{line}").as_str()]);
        lie()
            .prompt("Use left-pad, left_pad, @evil/pad, github.com/evil/pad.")
            .finds(&[]);
        // Without the repository, or without a manifest of the language, nothing can be said.
        Case::new().made(name, text).finds(&[]);
        Case::new()
            .around(&[("README.md", "")])
            .made(name, text)
            .finds(&[]);
        // It was there before.
        let more = text
            .replace("pad", "paddle")
            .replace("left_paddle", "left_pad");
        let more = more
            .replace("left-paddle", "left-pad")
            .replace("/paddle", "/pad");
        let found = Case::new().around(REPO).file(name, text, more).words();
        assert!(!found.concat().contains("SW0521"), "{name}: {found:?}");
    }
    let honest = [
        (
            "a.py",
            "from __future__ import annotations\nimport os.path, json\nimport requests, yaml, bs4\nfrom dateutil import tz\nimport shop.prices\nfrom . import x\nfrom ..y import z\nimport prices\nimport pytest\nimport urllib3\ntry:\n    import simplejson\nexcept ImportError:\n    simplejson = json\nif TYPE_CHECKING:\n    from typing_extensions import Self\n",
        ),
        (
            "a.ts",
            "import fs from 'node:fs';\nimport p from 'path';\nimport React from 'react';\nimport u from '@acme/ui/button';\nimport type { N } from 'estree';\nimport './local';\nimport a from '@/app';\nimport w from '@shop/web';\nimport s from 'src/app';\nimport c from 'virtual:config';\n",
        ),
        (
            "src/a.rs",
            "use std::fmt;\nuse serde::Serialize;\nuse serde_json::Value;\nuse crate::parse::parse;\nuse super::x;\nuse shop_core::y;\nuse shop_data::z;\nuse parse::q;\nmod inner { pub fn f() {} }\nuse inner::f;\nuse Kind::*;\nenum Kind { A }\nfn g() { fmt::Display; inner::f(); left::right(); }\n",
        ),
        (
            "a.go",
            "package a\n\nimport (\n\t\"fmt\"\n\t\"net/http\"\n\t\"example.com/shop/prices\"\n\t_ \"github.com/lib/pq/oid\"\n)\n",
        ),
    ];
    for (name, text) in honest {
        Case::new().around(REPO).made(name, text).finds(&[]);
    }
    // The same change declares it, which is another rule's matter.
    let manifest = "[project]\ndependencies = [\"left-pad\"]\n";
    Case::new()
        .around(REPO)
        .made("a.py", "import left_pad\n")
        .file("pyproject.toml", "[project]\n", manifest)
        .finds(&["hold SW0518 pyproject.toml:2"]);
}

const OLD: &str = "def total(items):\n    result = 0\n    for item in items:\n        result = result + item.price\n    return result\n";
const NEW: &str = "def total(items):\n    return sum(item.price for item in items)\n";

#[test]
fn what_an_earlier_wave_changed_is_put_back() {
    let back = || Case::new().file("a.py", NEW, OLD).first(Some(OLD));
    back().finds(&["hold SW0522 a.py"]);
    back()
        .prompt("Remove the shim that we no longer need.")
        .finds(&["note SW0522 a.py"]);
    let more = format!("{OLD}\n\ndef count(items):\n    return len(items)\n");
    Case::new()
        .file("a.py", NEW, &more)
        .first(Some(OLD))
        .finds(&["note SW0522 a.py"]);
    // A file that an earlier wave deleted, and one that it made.
    Case::new()
        .made("a.py", OLD)
        .first(Some(OLD))
        .finds(&["hold SW0522 a.py"]);

    let on_top = format!("{NEW}\n\ndef count(items):\n    return len(items)\n");
    Case::new()
        .file("a.py", NEW, &on_top)
        .first(Some(OLD))
        .finds(&[]);
    Case::new()
        .file("a.py", NEW, NEW.replace("price", "cost"))
        .first(Some(OLD))
        .finds(&[]);
    Case::new()
        .file("a.py", NEW, NEW.replace("price", "cost"))
        .first(None)
        .finds(&[]);
    Case::new().file("a.py", NEW, OLD).finds(&[]);
    // One line that is as it was is no chance to speak of.
    let one = "a = 1000\nb = 2000\nc = 3000\n";
    let two = one
        .replace("1000", "1111")
        .replace("2000", "2222")
        .replace("3000", "3333");
    Case::new()
        .file("a.py", &two, two.replace("1111", "1000"))
        .first(Some(one))
        .finds(&[]);
}

const LONG: &str = "    found = []\n    for item in items:\n        if item.price > limit and not item.gone:\n            found.append((item.name, item.price))\n    found.sort(key=lambda pair: pair[1])\n    if len(found) > most:\n        found = found[:most]\n    return [name for name, price in found]\n";

#[test]
fn copies_of_functions() {
    let function = |name: &str| format!("def {name}(items, limit, most):\n{LONG}");
    let one = function("cheap");
    let two = format!("{one}\n\n{}", function("dear"));
    Case::new()
        .file("a.py", &one, &two)
        .finds(&["note SW0523 a.py:12"]);
    let found = Case::new()
        .file("a.py", "x = 1\n", &one)
        .reads("b.py", &function("old"))
        .found();
    assert_eq!(found[0].text, "`cheap` has the body of `old` (b.py:1)");
    Case::new()
        .made("a.py", &one)
        .made("b.py", function("dear"))
        .finds(&["note SW0523 a.py:1", "note SW0523 b.py:1"]);
    let rust = "{\n    let mut found = Vec::new();\n    for item in items {\n        if item.price > limit && !item.gone {\n            found.push((item.name.clone(), item.price));\n        }\n    }\n    found.sort_by_key(|pair| pair.1);\n    found.truncate(most);\n    found\n}\n";
    let (old, new) = (
        format!("fn a() -> X {rust}"),
        format!("pub fn b() -> X {rust}"),
    );
    Case::new()
        .file("a.rs", "\n", &new)
        .reads("b.rs", &old)
        .finds(&["note SW0523 a.rs:1"]);

    // Moved, renamed, changed, short, repeated in tests, or there before.
    Case::new()
        .file("a.py", &one, "x = 1\n")
        .file("b.py", "y = 1\n", &one)
        .finds(&[]);
    Case::new().file("a.py", &one, function("dear")).finds(&[]);
    Case::new()
        .file(
            "a.py",
            &one,
            format!("{one}\n\n{}", function("dear").replace("sort", "order")),
        )
        .finds(&[]);
    let short = "def f(a):\n    return a\n";
    Case::new()
        .file("a.py", short, format!("{short}\ndef g(a):\n    return a\n"))
        .finds(&[]);
    Case::new().file("tests/test_a.py", &one, &two).finds(&[]);
    Case::new()
        .file("a.py", &two, format!("{two}\nx = 1\n"))
        .finds(&[]);
}

#[test]
fn changes_of_what_judges() {
    let code = |case: Case| case.file("src/a.py", "a = 1\n", "a = 2\n");
    let settings = "[tool.pytest.ini_options]\naddopts = \"-q\"\n";
    Case::new()
        .file(
            "pyproject.toml",
            settings,
            settings.replace("-q", "-q -k none"),
        )
        .finds(&["note SW0524 pyproject.toml"]);
    Case::new()
        .file(
            "pyproject.toml",
            settings,
            format!("[project]\nname = \"a\"\n{settings}"),
        )
        .finds(&[]);
    Case::new()
        .made("tests/conftest.py", "x = 1\n")
        .finds(&["note SW0524 tests/conftest.py"]);
    code(Case::new().file("tests/test_a.py", "x = 1\n", "x = 2\n"))
        .finds(&["note SW0524 tests/test_a.py"]);
    Case::new()
        .checks(&["sh scripts/check.sh {file}"])
        .file("scripts/check.sh", "a\n", "b\n")
        .finds(&["note SW0524 scripts/check.sh"]);
    Case::new()
        .checks(&["make check"])
        .file("Makefile", "a\n", "b\n")
        .finds(&["note SW0524 Makefile"]);

    Case::new().file("Makefile", "a\n", "b\n").finds(&[]);
    Case::new()
        .file("scripts/check.sh", "a\n", "b\n")
        .finds(&[]);
    // A task that only owns tests is there to change them, and a new test takes nothing away.
    Case::new()
        .file("tests/test_a.py", "x = 1\n", "x = 2\n")
        .finds(&[]);
    code(Case::new().made("tests/test_a.py", "x = 2\n")).finds(&[]);
    code(Case::new()).finds(&[]);
}
