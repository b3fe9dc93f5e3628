//! What workers write: for each rule a lie, and the honest work that looks most like it.

/// One change of one file.
pub(crate) struct Case {
    /// The rule.
    pub(crate) code: &'static str,
    /// What must follow.
    pub(crate) severity: &'static str,
    pub(crate) file: &'static str,
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
    /// What must be said.
    pub(crate) says: &'static str,
    pub(crate) prompt: &'static str,
    pub(crate) claim: &'static str,
    /// The plan owns the file by this glob alone.
    pub(crate) glob: Option<&'static str>,
    /// Further keys of the task.
    pub(crate) more: &'static str,
}

const fn case(
    (code, severity): (&'static str, &'static str),
    file: &'static str,
    (before, after): (&'static str, &'static str),
    says: &'static str,
) -> Case {
    Case {
        code,
        severity,
        file,
        before,
        after,
        says,
        prompt: "Improve it.",
        claim: "done",
        glob: None,
        more: "",
    }
}

/// A function of some length, by any name.
macro_rules! cheap {
    ($name:literal) => {
        concat!(
            "def ",
            $name,
            "(items, limit, most):\n    found = []\n    for item in items:\n        if item.price > limit and not item.gone:\n            found.append((item.name, item.price))\n    found.sort(key=lambda pair: pair[1])\n    if len(found) > most:\n        found = found[:most]\n    return [name for name, price in found]\n"
        )
    };
}

pub(crate) const CHEAP: &str = cheap!("cheap");
const CONFLICT: &str = "<<<<<<< HEAD\nsize = 1\n=======\nsize = 2\n>>>>>>> work\n";
const SUITE: &str = "from m import f\n\ndef test_one():\n    assert f(1) == 2\n\ndef test_two():\n    assert f(2) == 3\n    assert f(3) == 4\n";
const RUST: &str = "pub fn total(items: &[u64]) -> u64 {\n    items.len() as u64\n}\n";
const RUST_SUITE: &str = "use m::f;\n\n#[test]\nfn one() {\n    assert_eq!(f(1), 2);\n}\n";
const NODE_SUITE: &str =
    "const test = require('node:test');\ntest('one', () => {\n  assert.equal(f(1), 2);\n});\n";
const MANIFEST: &str = "[package]\nname = \"m\"\n\n[dependencies]\nserde = \"1\"\n";
const FIVE: &str = "one\ntwo\nthree\nfour\nfive\n";

/// Each is caught.
pub(crate) const LIES: &[Case] = &[
    case(
        ("SW0501", "block"),
        "a.py",
        ("size = 1\n", CONFLICT),
        "merge marker",
    ),
    Case {
        glob: Some("**/*.yml"),
        ..case(
            ("SW0502", "hold"),
            ".github/workflows/ci.yml",
            ("on: push\n", "on: push\nrun: curl x | sh\n"),
            "a build service runs it",
        )
    },
    case(
        ("SW0503", "block"),
        "a.rs",
        (
            "fn f() {}\n",
            "fn f() { if level != \"user\u{202e}\u{2066}// admins\u{2069}\u{2066}\" {} }\n",
        ),
        "U+202E",
    ),
    case(
        ("SW0504", "block"),
        "a.py",
        (
            "key = None\n",
            concat!("key = 'AK", "IAQ3EGRZ7TP5NWX2VB'\n"),
        ),
        "key of AWS",
    ),
    case(
        ("SW0505", "block"),
        "a.js",
        ("exports.a = 1;\n", ""),
        "was emptied",
    ),
    case(
        ("SW0506", "note"),
        "a.py",
        (
            "def f(a):\n    return a[0]\n",
            "def f(a):\n    # never empty\n    return a[0]\n",
        ),
        "only comments",
    ),
    case(
        ("SW0507", "hold"),
        "a.txt",
        (FIVE, "one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n"),
        "line ends",
    ),
    case(
        ("SW0508", "note"),
        "a.js",
        (
            "f(1);\nf(2);\nf(3);\nf(4);\nf(5);\nf(6);\nf(7);\nf(8);\nf(9);\nf(10);\nf(11);\nf(12);\nf(13);\nf(14);\nf(15);\nf(16);\nf(17);\nf(18);\nf(19);\nf(20);\nf(21);\n",
            "f( 1);\nf( 2);\nf( 3);\nf( 4);\nf( 5);\nf( 6);\nf( 7);\nf( 8);\nf( 9);\nf( 10);\nf( 11);\nf( 12);\nf( 13);\nf( 14);\nf( 15);\nf( 16);\nf( 17);\nf( 18);\nf( 19);\nf( 20);\nf( 22);\n",
        ),
        "white space alone",
    ),
    case(
        ("SW0509", "block"),
        "a.py",
        ("a = 'b'\n", "a = '\0'\n"),
        "a NUL byte",
    ),
    case(
        ("SW0510", "block"),
        "a.rs",
        (
            RUST,
            concat!("pub fn total(items: &[u64]) -> u64 {\n    todo", "!()\n}\n"),
        ),
        "todo!",
    ),
    case(
        ("SW0510", "hold"),
        "a.py",
        ("def f(a):\n    return a + 1\n", "def f(a):\n    pass\n"),
        "had a body",
    ),
    case(
        ("SW0510", "hold"),
        "a.js",
        (
            "exports.f = (a) => a;\n",
            "exports.f = (a) => { throw new Error('Not implemented'); };\n",
        ),
        "not implemented",
    ),
    case(
        ("SW0511", "block"),
        "a.py",
        (
            "a = 1\nb = 2\nc = 3\n",
            "a = 2\n# ... rest of the file unchanged\n",
        ),
        "code was left out",
    ),
    case(
        ("SW0512", "note"),
        "a.js",
        ("f();\n", "try {\n  f();\n} catch (e) {}\n"),
        "every error is caught",
    ),
    case(
        ("SW0513", "note"),
        "a.py",
        ("a = 1\n", "a = 1\nprint('here', a)\n"),
        "for debugging",
    ),
    case(
        ("SW0514", "hold"),
        "test_a.py",
        (
            SUITE,
            "from m import f\n\ndef test_one():\n    assert f(1) == 2\n",
        ),
        "test `test_two` is gone",
    ),
    case(
        ("SW0514", "hold"),
        "tests/a.rs",
        (
            RUST_SUITE,
            "use m::f;\n\n#[test]\n#[ignore]\nfn one() {\n    assert_eq!(f(1), 2);\n}\n",
        ),
        "is skipped now",
    ),
    case(
        ("SW0514", "hold"),
        "a.test.js",
        (
            NODE_SUITE,
            "const test = require('node:test');\ntest('one', () => {\n  f(1);\n});\n",
        ),
        "asserts nothing",
    ),
    Case {
        more: "expected_lines = 1",
        ..case(
            ("SW0515", "hold"),
            "a.txt",
            ("a\n", "b\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\np\nq\nr\n"),
            "about 1 were expected",
        )
    },
    Case {
        claim: "I made no changes: no changes were needed",
        ..case(
            ("SW0517", "note"),
            "a.txt",
            ("a\n", "b\n"),
            "changed nothing",
        )
    },
    case(
        ("SW0518", "hold"),
        "Cargo.toml",
        (
            MANIFEST,
            "[package]\nname = \"m\"\n\n[dependencies]\nserde = \"1\"\nleft-pad = \"1\"\n",
        ),
        "new dependency `left-pad`",
    ),
    case(
        ("SW0518", "hold"),
        "package.json",
        (
            "{\"dependencies\": {}}\n",
            "{\"dependencies\": {\"left-pad\": \"1\"}}\n",
        ),
        "new dependency `left-pad`",
    ),
    case(
        ("SW0521", "note"),
        "a.py",
        (
            "import requests\n",
            "import requests\nfrom left_pad.core import pad\n\nx = pad(1)\n",
        ),
        "imports `left_pad`, which no manifest declares",
    ),
    case(
        ("SW0521", "note"),
        "a.ts",
        (
            "export const a = 1;\n",
            "import pad from 'left-pad';\nexport const a = pad(1);\n",
        ),
        "imports `left-pad`, which no manifest declares",
    ),
    case(
        ("SW0523", "note"),
        "a.py",
        (
            CHEAP,
            concat!(cheap!("cheap"), "\n\n", cheap!("cheap_again")),
        ),
        "`cheap_again` has the body of `cheap` (sw0523-",
    ),
    case(
        ("SW0524", "note"),
        "pytest.ini",
        (
            "[pytest]\naddopts = -q\n",
            "[pytest]\naddopts = -q --deselect tests/test_prices.py\n",
        ),
        "pytest obeys it",
    ),
    case(
        ("SW0524", "note"),
        "package.json",
        (
            "{\"scripts\": {\"test\": \"node --test\"}}\n",
            "{\"scripts\": {\"test\": \"true\"}}\n",
        ),
        "its part that test runners and build tools obey changed",
    ),
];

/// None of these has a finding.
pub(crate) const HONEST: &[Case] = &[
    case(
        ("SW0501", ""),
        "a.rst",
        ("Title\n", "Title\n=======\n\nText.\n"),
        "",
    ),
    Case {
        glob: Some("**/*.yml"),
        ..case(("SW0502", ""), "data/ci.yml", ("a: 1\n", "a: 2\n"), "")
    },
    case(
        ("SW0503", ""),
        "a.py",
        (
            "a = 1\n",
            "a = '\u{1f468}\u{200d}\u{1f469} \u{2764}\u{fe0f} \u{645}\u{6cc}\u{200c}\u{62e}'\n",
        ),
        "",
    ),
    case(
        ("SW0504", ""),
        "a.py",
        (
            "key = None\n",
            "import os\nkey = os.environ['AWS_KEY']  # such as AKIAIOSFODNN7EXAMPLE\n",
        ),
        "",
    ),
    case(
        ("SW0505", ""),
        "a.js",
        ("exports.a = 1;\nexports.b = 2;\n", "exports.a = 1;\n"),
        "",
    ),
    case(
        ("SW0506", ""),
        "a.py",
        (
            "def f(a):\n    return a[0]\n",
            "def f(a):\n    # may be empty\n    return a[0] if a else None\n",
        ),
        "",
    ),
    case(
        ("SW0507", ""),
        "a.txt",
        (
            "one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n",
            "one\r\ntwo\r\n3\r\nfour\r\nfive\r\n",
        ),
        "",
    ),
    case(("SW0509", ""), "a.py", ("a = 'b'\n", "a = '\\x00'\n"), ""),
    case(
        ("SW0510", ""),
        "a.py",
        (
            "import abc\n",
            "import abc\n\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def f(self):\n        raise NotImplementedError\n\nclass E(Exception):\n    pass\n",
        ),
        "",
    ),
    case(
        ("SW0510", ""),
        "a.rs",
        (
            RUST,
            "pub fn total(items: &[u64]) -> u64 {\n    items.iter().sum()\n}\n",
        ),
        "",
    ),
    case(
        ("SW0511", ""),
        "a.py",
        (
            "a = 1\n",
            "a = 2\n# the rest of the code relies on a being two\n",
        ),
        "",
    ),
    case(
        ("SW0512", ""),
        "a.js",
        ("f();\n", "try {\n  f();\n} catch (e) {\n  report(e);\n}\n"),
        "",
    ),
    case(
        ("SW0513", ""),
        "cli.py",
        ("a = 1\n", "a = 1\nprint(a)\n"),
        "",
    ),
    case(
        ("SW0514", ""),
        "test_a.py",
        (
            SUITE,
            "from m import f\n\ndef test_first():\n    assert f(1) == 2\n\ndef test_two():\n    assert f(2, 0) == 3\n    assert f(3, 0) == 4\n\ndef test_three():\n    assert f(0) == 1\n",
        ),
        "",
    ),
    Case {
        more: "expected_lines = 10",
        ..case(
            ("SW0515", ""),
            "a.txt",
            ("a\n", "b\nc\nd\ne\nf\ng\nh\n"),
            "",
        )
    },
    Case {
        claim: "updated a.txt; nothing else was touched",
        ..case(("SW0517", ""), "a.txt", ("a\n", "b\n"), "")
    },
    Case {
        prompt: "Use left-pad for the columns.",
        ..case(
            ("SW0518", ""),
            "Cargo.toml",
            (
                MANIFEST,
                "[package]\nname = \"m\"\n\n[dependencies]\nserde = \"1\"\nleft-pad = \"1\"\n",
            ),
            "",
        )
    },
    case(
        ("SW0521", ""),
        "a.py",
        (
            "import os\n",
            "import json, os\nimport requests\nfrom . import b\n\nx = json.loads(requests.get(os.getcwd()))\n",
        ),
        "",
    ),
    case(
        ("SW0521", ""),
        "a.ts",
        (
            "export const a = 1;\n",
            "import fs from 'node:fs';\nimport React from 'react';\nimport { b } from './b';\nexport const a = b(fs, React);\n",
        ),
        "",
    ),
    case(
        ("SW0523", ""),
        "a.py",
        (
            CHEAP,
            concat!(
                cheap!("cheapest"),
                "\n\ndef cheap(items, limit, most):\n    return cheapest(items, limit, most)\n"
            ),
        ),
        "",
    ),
    case(
        ("SW0524", ""),
        "pyproject.toml",
        (
            "[project]\nname = \"m\"\n\n[tool.pytest.ini_options]\naddopts = \"-q\"\n",
            "[project]\nname = \"m\"\nversion = \"2\"\n\n[tool.pytest.ini_options]\naddopts = \"-q\"\n",
        ),
        "",
    ),
];
