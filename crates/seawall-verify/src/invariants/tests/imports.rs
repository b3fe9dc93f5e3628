//! `imports`: what means a forbidden file or package, and what only looks like it.

use super::*;

fn rule(paths: &[&str], forbid: &[&str]) -> Rule {
    Rule::Imports {
        paths: texts(paths),
        forbid: texts(forbid),
    }
}

/// A tree in which `src/…/api` must not import `src/…/db` nor the packages `requests`, `axios` and so on.
struct Layout {
    paths: &'static str,
    forbid: &'static [&'static str],
    /// Where the code stands.
    at: &'static str,
    /// What else there is.
    others: &'static [&'static str],
    wrong: &'static [&'static str],
    right: &'static [&'static str],
}

const LAYOUTS: &[Layout] = &[
    Layout {
        paths: "src/shop/api/**",
        forbid: &["src/shop/db/**", "requests", "src/shop/old.py"],
        at: "src/shop/api/views.py",
        others: &[
            "src/shop/__init__.py",
            "src/shop/api/__init__.py",
            "src/shop/api/forms.py",
            "src/shop/db/__init__.py",
            "src/shop/db/models.py",
            "src/shop/old.py",
            "src/shop/json.py",
            "db.py",
        ],
        wrong: &[
            "import shop.db",
            "import shop.db.models as m",
            "from shop.db import models",
            "from shop import db",
            "from shop import old",
            "from ..db.models import User",
            "from .. import db",
            "from .. import forms, old",
            "def f():\n    from shop.db import x",
            "import requests",
            "import requests.adapters",
            "from requests import get",
            "importlib.import_module('shop.db')",
        ],
        right: &[
            "import shop.api.forms",
            "from . import forms",
            "from ..api import forms",
            "import json",
            "import db",
            "import requests_mock",
            "from shop import database",
            "text = 'import shop.db'",
            "# import shop.db",
            "import shop.api.db",
        ],
    },
    Layout {
        paths: "web/src/ui/**",
        forbid: &["web/src/server/**", "axios", "@acme/db"],
        at: "web/src/ui/page.tsx",
        others: &[
            "web/src/ui/server.ts",
            "web/src/server/index.ts",
            "web/src/server/db.ts",
            "web/src/fs.ts",
        ],
        wrong: &[
            "import { db } from '../server/db';",
            "import db from '../server/db.js';",
            "import '../server';",
            "import s from '@/server/db';",
            "import s from 'src/server/db';",
            "export { db } from '../server/db';",
            "const s = require('../server');",
            "const s = await import('../server/db');",
            "import axios from 'axios';",
            "import x from 'axios/lib/x';",
            "import { q } from \"@acme/db\";",
            "import type { Row } from '../server/db';",
        ],
        right: &[
            "import s from './server';",
            "import s from 'server';",
            "import fs from 'fs';",
            "import x from 'axios-mock';",
            "import { q } from '@acme/dbx';",
            "const s = '../server';",
            "import a from '../../../../out';",
        ],
    },
    Layout {
        paths: "crates/app/src/api/**",
        forbid: &[
            "crates/app/src/db/**",
            "crates/app/src/db.rs",
            "crates/store-core/**",
            "reqwest",
        ],
        at: "crates/app/src/api/mod.rs",
        others: &[
            "crates/app/Cargo.toml",
            "crates/app/src/lib.rs",
            "crates/app/src/db.rs",
            "crates/app/src/db/models.rs",
            "crates/app/src/api/forms.rs",
            "crates/store-core/Cargo.toml",
            "crates/store-core/src/lib.rs",
            "crates/store-core/src/open.rs",
        ],
        wrong: &[
            "use crate::db;",
            "use crate::db::models::User;",
            "use crate::{api::forms, db::models};",
            "use super::db::open;",
            "fn f() { crate::db::open(); }",
            "fn f(x: crate::db::Open) {}",
            "mod inner { use super::super::db::open; }",
            "use store_core::open::Store;",
            "use store_core::Store;",
            "pub use crate::db::*;",
            "use reqwest::Client;",
            "use reqwest as http;",
            "extern crate reqwest;",
        ],
        right: &[
            "use crate::api::forms;",
            "use self::forms::Form;",
            "use super::Thing;",
            "use std::db::X;",
            "use forms::db;",
            "use reqwest_mock::Client;",
            "// use crate::db;",
            "mod inner { use super::forms; }",
            "fn f() { Db::open(); }",
        ],
    },
    Layout {
        paths: "internal/api/**",
        forbid: &["internal/db/**", "net/http", "github.com/lib/pq"],
        at: "internal/api/a.go",
        others: &["internal/db/db.go", "internal/forms/f.go", "fmt/f.go"],
        wrong: &[
            "import \"example.com/m/internal/db\"",
            "import (\n\t\"fmt\"\n\td \"example.com/m/internal/db\"\n)",
            "import \"net/http\"",
            "import \"net/http/httptest\"",
            "import _ \"github.com/lib/pq\"",
        ],
        right: &[
            "import \"example.com/m/internal/forms\"",
            "import \"fmt\"",
            "import \"net\"",
            "import \"github.com/lib/pqx\"",
            "var s = \"net/http\"",
        ],
    },
];

#[test]
fn what_is_forbidden_is_found_in_every_language() {
    for layout in LAYOUTS {
        let rule = rule(&[layout.paths], layout.forbid);
        let go = layout.at.ends_with(".go");
        let tree = |code: &str| {
            let code = match go {
                true => format!("package api\n{code}\n"),
                false => format!("{code}\n"),
            };
            let mut files: Vec<(&str, String)> = vec![(layout.at, code)];
            files.extend(layout.others.iter().map(|name| (*name, String::new())));
            files
        };
        let judge = |code: &str| {
            let files = tree(code);
            let files: Vec<_> = files.iter().map(|(name, text)| (*name, &**text)).collect();
            judged(&rule, &files)
        };
        for code in layout.wrong {
            let (value, why) = judge(code);
            assert_eq!(value, Value::Fail, "{code}: {why}");
            assert!(why.contains(layout.at), "{why}");
        }
        for code in layout.right {
            let (value, why) = judge(code);
            assert_eq!(value, Value::Pass, "{code}: {why}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_never_a_pass() {
    let no_db = rule(&["src/**"], &["db/**"]);
    let db = ("db/a.py", "");
    passes(judged(
        &no_db,
        &[("src/a.py", "import os\n"), ("src/data.json", "{"), db],
    ));
    is_unknown(
        judged(&no_db, &[("src/a.py", "import os\n")]),
        "no file matches `db/**`",
    );
    is_unknown(judged(&no_db, &[db]), "no file matches `src/**`");
    is_unknown(
        judged(&no_db, &[("src/a.json", "{}"), db]),
        "none of the files",
    );
    is_unknown(
        judged(
            &no_db,
            &[("src/a.py", "import os\n"), ("src/b.py", "def (:\n"), db],
        ),
        "`src/b.py` was not looked at",
    );
    is_unknown(
        judged(&no_db, &[("src/a.py", "import os\n"), ("src/b.rb", ""), db]),
        "`.rb` is no language",
    );
    fails(
        judged(
            &no_db,
            &[("src/a.py", "import db.a\n"), ("src/b.py", "def (:\n"), db],
        ),
        "src/a.py:1 imports `db.a`, which is `db/a.py` and `db/**` forbids",
    );
}

#[test]
fn forbidden_files_may_import_one_another() {
    let files: Files = &[
        ("src/db/a.py", "from . import b\n"),
        ("src/db/b.py", "from src.db import a\n"),
        ("src/c.py", "import os\n"),
    ];
    passes(judged(&rule(&["src/**"], &["src/db/**"]), files));
    fails(
        judged(
            &rule(&["src/db/**"], &["src/c.py"]),
            &[
                ("src/db/a.py", "import os\nfrom src import c\n"),
                ("src/c.py", ""),
            ],
        ),
        "src/db/a.py:2",
    );
}
