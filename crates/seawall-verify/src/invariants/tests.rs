//! Each kind of rule with trees that break it, trees that hold it, and trees of which nothing can be said.

mod agree;
mod forbid;
mod imports;
mod wired;

use proptest::prelude::*;
use seawall_core::evidence::Value;
use seawall_core::path::RepoPath;
use seawall_core::plan::{Capture, Relation, Rule};

use super::*;

pub(super) fn path(name: &str) -> RepoPath {
    RepoPath::new(name.as_bytes()).unwrap()
}

pub(super) fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

type Files<'a> = &'a [(&'a str, &'a str)];

fn facts(invariant: &Invariant, files: Files, base: bool) -> Vec<(RepoPath, Facts)> {
    let wanted = |path: &RepoPath| match base {
        true => invariant.wants_base(path),
        false => invariant.wants(path),
    };
    let all = files
        .iter()
        .map(|(name, text)| (path(name), text.as_bytes()));
    all.filter(|(path, _)| wanted(path))
        .map(|(path, bytes)| {
            let facts = invariant.facts(&path, bytes);
            (path, facts)
        })
        .collect()
}

/// What a rule says of a tree that came from another.
pub(super) fn since(rule: &Rule, base: Files, files: Files) -> (Value, String) {
    let invariant = Invariant::new(rule).unwrap();
    let all: Vec<_> = files.iter().map(|(name, _)| path(name)).collect();
    invariant.judge(&Scene {
        files: &facts(&invariant, files, false),
        base: &facts(&invariant, base, true),
        all: &all,
    })
}

pub(super) fn judged(rule: &Rule, files: Files) -> (Value, String) {
    since(rule, &[], files)
}

#[track_caller]
pub(super) fn passes((value, why): (Value, String)) {
    assert_eq!(value, Value::Pass, "{why}");
}

#[track_caller]
pub(super) fn fails((value, why): (Value, String), says: &str) {
    assert_eq!(value, Value::Fail, "{why}");
    assert!(why.contains(says), "{why}");
}

#[track_caller]
pub(super) fn is_unknown((value, why): (Value, String), says: &str) {
    assert_eq!(value, Value::CouldNotLook, "{why}");
    assert!(why.contains(says), "{why}");
}

fn every_rule() -> [Rule; 4] {
    let capture = |path: &str| Capture {
        path: path.into(),
        pattern: "size = (.*)".into(),
    };
    [
        Rule::Forbid {
            pattern: "x".into(),
            paths: texts(&["**"]),
        },
        Rule::Agree {
            captures: vec![capture("**"), capture("*.py")],
            relation: Relation::Less,
        },
        Rule::Wired {
            files: texts(&["**"]),
            entries: vec![],
        },
        Rule::Imports {
            paths: texts(&["**"]),
            forbid: texts(&["db", "src/db/**"]),
        },
    ]
}

#[test]
fn wrong_patterns_are_refused() {
    let forbid = |pattern: &str, glob: &str| Rule::Forbid {
        pattern: pattern.into(),
        paths: texts(&[glob]),
    };
    assert!(Invariant::new(&forbid("(", "a")).is_err());
    assert!(Invariant::new(&forbid("a", "[")).is_err());
    for pattern in ["a", "(a)(b)", "(?:a)"] {
        let capture = Capture {
            path: "a".into(),
            pattern: pattern.into(),
        };
        let rule = Rule::Agree {
            captures: vec![capture],
            relation: Relation::Equal,
        };
        let error = Invariant::new(&rule).unwrap_err().to_string();
        assert!(error.contains("one group"), "{error}");
    }
}

#[test]
fn files_that_were_not_read_are_never_a_pass() {
    for rule in every_rule() {
        let invariant = Invariant::new(&rule).unwrap();
        let files = [(path("a.py"), Facts::unreadable("it is a device"))];
        let all = [path("a.py")];
        let scene = Scene {
            files: &files,
            base: &[],
            all: &all,
        };
        let (value, why) = invariant.judge(&scene);
        assert_eq!(value, Value::CouldNotLook, "{rule:?}: {why}");
        assert_eq!(invariant.judge(&Scene::default()).0, Value::CouldNotLook);
        let large = vec![b' '; LARGEST_READ + 1];
        let facts = invariant.facts(&path("a.py"), &large);
        assert!(matches!(facts.0, Said::Unreadable(_)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_looked_at(bytes: Vec<u8>, text in "[a-z .()={}:;'\"\n/*#]{0,200}") {
        for rule in every_rule() {
            let invariant = Invariant::new(&rule).unwrap();
            for name in ["a.py", "src/b.rs", "c.ts", "d.go", "e.toml", "f"] {
                let path = path(name);
                let files = [
                    (path.clone(), invariant.facts(&path, &bytes)),
                    (path.clone(), invariant.facts(&path, text.as_bytes())),
                ];
                let scene = Scene { files: &files, base: &files, all: std::slice::from_ref(&path) };
                let _ = invariant.judge(&scene);
            }
        }
    }
}

#[test]
fn hostile_files_take_bounded_time() {
    let many = 4_000;
    let files = [
        ("a.py", "@mark\ndef f(): g()\n".repeat(many)),
        ("b.rs", "#[x]\npub fn f() { g() }\n".repeat(many)),
        ("c.ts", "export function f() { g(); }\n".repeat(many / 2)),
        (
            "d.rs",
            format!("use a::{}b{};\n", "{c::".repeat(5000), "}".repeat(5000)),
        ),
        (
            "e.py",
            (0..many)
                .map(|n| format!("def f{n}(): f{}()\n", n + 1))
                .collect(),
        ),
    ];
    let began = std::time::Instant::now();
    let shown: Vec<_> = files.iter().map(|(name, text)| (*name, &**text)).collect();
    for rule in every_rule() {
        judged(&rule, &shown);
    }
    assert!(began.elapsed().as_secs() < 120, "{:?}", began.elapsed());
}
