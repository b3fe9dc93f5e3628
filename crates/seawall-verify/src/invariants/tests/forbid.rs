//! `forbid`.

use super::*;

fn rule(pattern: &str, paths: &[&str]) -> Rule {
    Rule::Forbid {
        pattern: pattern.into(),
        paths: texts(paths),
    }
}

#[test]
fn a_line_that_matches_is_told_with_its_place() {
    let files: Files = &[
        ("src/a.py", "a = 1\nprint(a)\n"),
        ("src/deep/b.py", "print(1)\r\nx\nprint(2)\nprint(3)\n"),
        ("tests/t.py", "print(1)\n"),
    ];
    let no_print = rule(r"^\s*print\(", &["src/**/*.py"]);
    fails(
        judged(&no_print, files),
        "`^\\s*print\\(` is forbidden: src/a.py:2 `print(a)`, src/deep/b.py:1 `print(1)`, src/deep/b.py:3 `print(2)`, and 1 more",
    );
    passes(judged(&rule(r"^\s*input\(", &["src/**/*.py"]), files));
    passes(judged(&rule(r"print", &["src/*.py"]), &[("src/a.py", "")]));
    fails(judged(&rule(r"x$", &["src/**"]), files), "src/deep/b.py:2");
    // A line that is there beats a glob that finds nothing.
    fails(
        judged(&rule("print", &["src/**", "lib/**"]), files),
        "src/a.py:2",
    );
}

#[test]
fn a_glob_without_a_file_has_shown_nothing() {
    let files: Files = &[("src/a.py", "a = 1\n")];
    is_unknown(
        judged(&rule("x", &["lib/**"]), files),
        "no file matches `lib/**`",
    );
    is_unknown(judged(&rule("x", &["src/**", "lib/**"]), files), "`lib/**`");
    passes(judged(&rule("x", &["src/**"]), files));
}
