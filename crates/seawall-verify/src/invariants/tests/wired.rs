//! `wired`: what was built and is named nowhere, and what is used in one of the ways that there are.

use super::*;

fn rule(files: &[&str], entries: &[&str]) -> Rule {
    Rule::Wired {
        files: texts(files),
        entries: texts(entries),
    }
}

/// A file before, what a task makes of it, and other files beside which that is dead or used.
struct Case {
    file: &'static str,
    before: &'static str,
    after: &'static str,
    symbol: &'static str,
    dead: &'static [(&'static str, &'static str)],
    used: &'static [(&'static str, &'static str)],
}

const CASES: &[Case] = &[
    Case {
        file: "src/shop/cart.py",
        before: "def add(item):\n    return [item]\n",
        after: "def add(item):\n    return [item]\n\n\ndef remove(item):\n    return []\n",
        symbol: "function `remove` (src/shop/cart.py:5)",
        dead: &[
            ("src/shop/a.py", "import shop.cart\n"),
            ("src/shop/b.py", "from shop.cart import remove\n"),
            ("src/shop/c.py", "# remove()\ntext = 'remove'\n"),
            ("src/shop/d.py", "def remove(other):\n    pass\n"),
            (
                "tests/test_cart.py",
                "from shop.cart import remove\nremove(1)\n",
            ),
            ("src/shop/test_cart.py", "remove(1)\n"),
            ("README.md", "call remove()\n"),
        ],
        used: &[
            ("src/shop/a.py", "from shop.cart import remove\nremove(1)\n"),
            ("src/shop/a.py", "from shop.cart import remove as r\nr(1)\n"),
            ("src/shop/a.py", "import shop.cart as c\nc.remove(1)\n"),
            ("src/shop/__init__.py", "from .cart import add, remove\n"),
            (
                "pyproject.toml",
                "[project.scripts]\nx = \"shop.cart:remove\"\n",
            ),
            ("src/shop/settings.py", "HANDLERS = ['shop.cart.remove']\n"),
        ],
    },
    Case {
        file: "src/cart.ts",
        before: "export function add(a: number) { return a; }\n",
        after: "export function add(a: number) { return a; }\nexport const remove = (a: number) => a;\n",
        symbol: "function `remove` (src/cart.ts:2)",
        dead: &[
            ("src/a.ts", "import { add } from './cart';\nadd(1);\n"),
            ("src/b.ts", "import { remove } from './cart';\n"),
            ("src/c.ts", "function remove() {}\n"),
            (
                "src/cart.test.ts",
                "import { remove } from './cart';\nremove(1);\n",
            ),
            ("src/__tests__/x.ts", "remove(1);\n"),
        ],
        used: &[
            ("src/a.ts", "import { remove } from './cart';\nremove(1);\n"),
            (
                "src/a.tsx",
                "import { remove as r } from './cart';\nconst x = <a b={r}/>;\n",
            ),
            ("src/index.ts", "export { remove } from './cart';\n"),
            ("src/a.js", "const { remove } = require('./cart');\n"),
            ("src/a.vue", "<script>remove(1)</script>\n"),
        ],
    },
    Case {
        file: "src/view.tsx",
        before: "",
        after: "export default function View() { return <div/>; }\n",
        symbol: "function `View` (src/view.tsx:1)",
        dead: &[
            ("src/a.tsx", "import Page from './view';\n"),
            ("src/b.tsx", "import X from './other';\nX();\n"),
        ],
        used: &[
            (
                "src/a.tsx",
                "import Page from './view';\nconst a = <Page/>;\n",
            ),
            ("src/a.tsx", "const Page = lazy(() => import('./view'));\n"),
        ],
    },
    Case {
        file: "src/cart.js",
        before: "function add() {}\nmodule.exports = { add };\n",
        after: "function add() {}\nfunction remove() {}\nmodule.exports = { add, remove };\n",
        symbol: "function `remove` (src/cart.js:2)",
        dead: &[("src/a.js", "const c = require('./cart');\nc.add();\n")],
        used: &[("src/a.js", "const c = require('./cart');\nc.remove();\n")],
    },
    Case {
        file: "src/cart.js",
        before: "",
        after: "function removeItem() {}\nmodule.exports = { drop: removeItem };\n",
        symbol: "function `removeItem` (src/cart.js:1)",
        dead: &[("src/a.js", "const c = require('./cart');\nc.other();\n")],
        used: &[("src/a.js", "const c = require('./cart');\nc.drop();\n")],
    },
    Case {
        file: "src/cart.ts",
        before: "",
        after: "function removeItem() {}\nexport { removeItem as drop };\n",
        symbol: "function `removeItem` (src/cart.ts:1)",
        dead: &[("src/a.ts", "import { drop } from './cart';\n")],
        used: &[("src/a.ts", "import { drop } from './cart';\ndrop();\n")],
    },
    Case {
        file: "src/cart.rs",
        before: "pub fn add() {}\n",
        after: "pub fn add() {}\n\n#[must_use]\npub fn remove() -> u8 { 1 }\n",
        symbol: "function `remove` (src/cart.rs:4)",
        dead: &[
            ("src/lib.rs", "pub mod cart;\nuse cart::remove;\n"),
            (
                "src/a.rs",
                "#[cfg(test)]\nmod tests {\n    fn t() { crate::cart::remove(); }\n}\n",
            ),
            ("tests/cli.rs", "fn t() { remove(); }\n"),
            ("src/b.rs", "/// Like remove.\nfn remove() {}\n"),
        ],
        used: &[
            ("src/lib.rs", "pub mod cart;\npub use cart::remove;\n"),
            ("src/main.rs", "fn main() { cart::remove(); }\n"),
            (
                "src/main.rs",
                "use cart::remove as r;\nfn main() { r(); }\n",
            ),
            (
                "src/main.rs",
                "fn main() { println!(\"{}\", cart::remove()); }\n",
            ),
        ],
    },
    Case {
        file: "cart/cart.go",
        before: "package cart\n\nfunc Add() {}\n",
        after: "package cart\n\nfunc Add() {}\n\ntype Remover struct{}\n",
        symbol: "struct `Remover` (cart/cart.go:5)",
        dead: &[
            ("main.go", "package main\n\nfunc main() { cart.Add() }\n"),
            ("cart/cart_test.go", "package cart\n\nvar r Remover\n"),
        ],
        used: &[
            (
                "main.go",
                "package main\n\nfunc main() { _ = cart.Remover{} }\n",
            ),
            ("cart/other.go", "package cart\n\nvar r Remover\n"),
        ],
    },
];

#[test]
fn what_is_named_nowhere_is_told() {
    for case in CASES {
        let rule = rule(&[case.file], &[]);
        let base: Files = &[(case.file, case.before)];
        let base = if case.before.is_empty() { &[] } else { base };
        let mut files = vec![(case.file, case.after)];
        fails(since(&rule, base, &files), case.symbol);
        for other in case.used {
            passes(since(&rule, base, &[(case.file, case.after), *other]));
        }
        files.extend(case.dead);
        fails(since(&rule, base, &files), case.symbol);
        // What was there before is no matter of this rule.
        passes(since(&rule, &[(case.file, case.after)], &files));
    }
}

#[test]
fn what_its_own_file_uses_is_used() {
    let rule = rule(&["a.py"], &[]);
    let old = "def f():\n    pass\n";
    let helper = "def helper():\n    return 1\n";
    let check = |text: &str| since(&rule, &[("a.py", old)], &[("a.py", text)]);
    fails(check(&format!("{old}{helper}")), "helper");
    passes(check(&format!("def f():\n    return helper()\n{helper}")));
    passes(check(&format!("{old}{helper}TABLE = [helper]\n")));
    // Two that only use one another are used by nobody.
    let circle = "def one():\n    two()\ndef two():\n    one()\n";
    fails(
        check(&format!("{old}{circle}")),
        "function `one` (a.py:3), function `two` (a.py:5) are used nowhere",
    );
    fails(
        check(&format!("__all__ = ['f', 'helper']\n{old}{helper}")),
        "helper",
    );
    fails(check(&format!("{old}def loop():\n    loop()\n")), "loop");
    // What is used elsewhere uses for others.
    let files: Files = &[("a.py", circle), ("b.py", "import a\na.one()\n")];
    passes(since(&rule, &[], files));
    let private = "def _hidden():\n    return helper()\n";
    fails(check(&format!("{old}{helper}{private}")), "helper");
}

#[test]
fn entries_and_marks_are_used_from_outside() {
    let text = "def run():\n    step()\ndef step():\n    pass\n";
    let files: Files = &[("a.py", text)];
    fails(since(&rule(&["*.py"], &[]), &[], files), "run");
    passes(since(&rule(&["*.py"], &["a.py"]), &[], files));
    is_unknown(
        since(&rule(&["*.py"], &["main.py"]), &[], files),
        "no file matches `main.py`",
    );
    let library: Files = &[("a.py", text), ("api.py", "from a import run\n")];
    fails(since(&rule(&["a.py"], &[]), &[], library), "run");
    passes(since(&rule(&["a.py"], &["api.py"]), &[], library));
    for marked in [
        ("a.py", "@app.get('/')\ndef root():\n    pass\n"),
        ("a.py", "def main():\n    pass\n"),
        ("a.ts", "@Controller()\nexport class Shop {}\n"),
        ("a.rs", "#[tauri::command]\npub fn shop() {}\n"),
    ] {
        passes(since(&rule(&[marked.0], &[]), &[], &[marked]));
    }
    for plain in [
        ("a.py", "@lru_cache(maxsize=None)\ndef root():\n    pass\n"),
        ("a.py", "@dataclass\nclass Root:\n    a: int\n"),
        ("a.rs", "#[derive(Clone)]\n#[inline]\npub struct Shop;\n"),
    ] {
        fails(since(&rule(&[plain.0], &[]), &[], &[plain]), "used nowhere");
    }
}

#[test]
fn what_is_not_offered_need_not_be_used() {
    for (name, text) in [
        (
            "a.py",
            "SIZE = 3\nlogger = log()\n_x = 1\ndef _f():\n    pass\n",
        ),
        (
            "a.rs",
            "fn f() {}\npub(crate) fn g() {}\nstruct S;\npub mod m {}\nimpl Clone for S {}\n",
        ),
        ("a.ts", "function f() {}\nconst x = 1;\n"),
        (
            "a.go",
            "package a\n\nfunc f() {}\n\nconst (\n\tA = iota\n\tB\n)\n",
        ),
    ] {
        passes(since(&rule(&[name], &[]), &[], &[(name, text)]));
    }
}

#[test]
fn what_cannot_be_read_is_never_a_pass() {
    let rule = rule(&["src/**"], &[]);
    is_unknown(
        since(&rule, &[], &[("a.py", "")]),
        "no file matches `src/**`",
    );
    is_unknown(
        since(&rule, &[], &[("src/a.py", "def (:\n")]),
        "`src/a.py` was not looked at",
    );
    is_unknown(
        since(&rule, &[], &[("src/a.json", "{}")]),
        "none of the files",
    );
    is_unknown(
        since(&rule, &[], &[("src/a.py", ""), ("src/b.java", "")]),
        "`.java`",
    );
    let was_broken: Files = &[("src/a.py", "def (:\n")];
    is_unknown(
        since(&rule, was_broken, &[("src/a.py", "x = 1\n")]),
        "`src/a.py`",
    );
    passes(since(
        &rule,
        &[],
        &[("src/a.py", "x = 1\n"), ("src/a.json", "{")],
    ));
}
