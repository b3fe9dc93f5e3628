//! `agree`.

use super::*;
use crate::invariants::number::{Measure, number};

fn rule(relation: Relation, captures: &[(&str, &str)]) -> Rule {
    let capture = |(path, pattern): &(&str, &str)| Capture {
        path: (*path).into(),
        pattern: (*pattern).into(),
    };
    Rule::Agree {
        captures: captures.iter().map(capture).collect(),
        relation,
    }
}

/// A value in a schema, and one in a configuration.
fn two(relation: Relation, schema: &str, config: &str) -> (Value, String) {
    let rule = rule(
        relation,
        &[
            ("schema.sql", r"vector\((.+)\)"),
            ("config.toml", r"^size = (.+)$"),
        ],
    );
    let (schema, config) = (
        format!("create a\nvector({schema})\n"),
        format!("# a\nsize = {config}\n"),
    );
    judged(&rule, &[("schema.sql", &schema), ("config.toml", &config)])
}

#[test]
fn constants_that_disagree_are_told_with_both_places() {
    fails(
        two(Relation::Equal, "1536", "768"),
        "`1536` (schema.sql:2) must be equal: `768` (config.toml:2)",
    );
    for (one, other) in [
        ("1536", "1536"),
        ("1536", "1_536"),
        ("1536", "\"1536\""),
        ("1536", "1536u32"),
        ("64 KiB", "65536"),
        ("64KiB", "64 * 1024"),
        ("0x10", "16"),
        ("1.5s", "1500ms"),
        ("90 s", "1m30s"),
        ("1h", "60m"),
        ("2 MB", "2000k"),
        ("1e3", "1000"),
        ("0.50", "0.50"),
        ("abc", "abc"),
    ] {
        passes(two(Relation::Equal, one, other));
    }
    for (one, other) in [
        ("64kB", "64KiB"),
        ("abc", "abd"),
        ("1s", "1ms"),
        ("-1", "1"),
        ("a", "1"),
    ] {
        fails(two(Relation::Equal, one, other), "must be equal");
    }
}

#[test]
fn an_order_is_held() {
    for (one, other) in [
        ("1", "2"),
        ("30s", "1m"),
        ("1023", "1KiB"),
        ("-2", "-1"),
        ("0.1", "0.2"),
    ] {
        passes(two(Relation::Less, one, other));
        passes(two(Relation::LessOrEqual, one, other));
        fails(two(Relation::Less, other, one), "must be less");
        fails(
            two(Relation::LessOrEqual, other, one),
            "must not be greater",
        );
    }
    fails(two(Relation::Less, "60s", "1m"), "must be less");
    passes(two(Relation::LessOrEqual, "60s", "1m"));
}

#[test]
fn what_cannot_be_compared_is_not_guessed() {
    is_unknown(
        two(Relation::Equal, "30000", "30s"),
        "only one of them says a unit of time",
    );
    is_unknown(two(Relation::Less, "abc", "2"), "not both numbers");
    is_unknown(
        two(Relation::Equal, "1.10", "1.1"),
        "as versions they are not",
    );
}

#[test]
fn a_value_that_is_nowhere_has_shown_nothing() {
    let rule = rule(
        Relation::Equal,
        &[("a/*.toml", "size = (.*)"), ("b.toml", "size = (.*)")],
    );
    let check = |files: Files| judged(&rule, files);
    is_unknown(
        check(&[("a/x.toml", "size = 1")]),
        "no file matches `b.toml`",
    );
    is_unknown(
        check(&[("b.toml", "size = 1")]),
        "no file matches `a/*.toml`",
    );
    is_unknown(
        check(&[("a/x.toml", "size = 1"), ("b.toml", "width = 1")]),
        "`b.toml` has no value",
    );
    is_unknown(
        check(&[
            ("a/x.toml", "size = 1"),
            ("a/y.toml", ""),
            ("b.toml", "size = 1"),
        ]),
        "`a/y.toml` has no value",
    );
    // What is known to be wrong is told before what is missing.
    fails(
        check(&[("a/x.toml", "size = 1"), ("a/y.toml", "size = 2")]),
        "`1` (a/x.toml:1) is not `2` (a/y.toml:1)",
    );
    fails(
        check(&[("a/x.toml", "size = 1\nsize = 3"), ("b.toml", "size = 1")]),
        "`3` (a/x.toml:2)",
    );
    passes(check(&[
        ("a/x.toml", "size = 1\nsize = 1"),
        ("b.toml", "size = 1"),
    ]));
}

#[test]
fn one_file_may_hold_both() {
    let rule = rule(
        Relation::Less,
        &[
            ("c.toml", "soft = (.*)"),
            ("c.toml", "hard = (.*)"),
            ("c.toml", "max = (.*)"),
        ],
    );
    passes(judged(
        &rule,
        &[("c.toml", "soft = 1m\nhard = 2m\nmax = 1h\n")],
    ));
    fails(
        judged(&rule, &[("c.toml", "soft = 1m\nhard = 2m\nmax = 90s\n")]),
        "`2m`",
    );
}

#[test]
fn what_is_a_number() {
    for (text, measure, billionths) in [
        ("0", Measure::Plain, 0),
        ("7", Measure::Plain, 7_000_000_000),
        (".5", Measure::Plain, 500_000_000),
        ("5.", Measure::Plain, 5_000_000_000),
        ("1e-3", Measure::Plain, 1_000_000),
        ("0b101", Measure::Plain, 5_000_000_000),
        ("0xFF_FF", Measure::Plain, 65_535_000_000_000),
        ("10_000L", Measure::Plain, 10_000_000_000_000),
        ("3f64", Measure::Plain, 3_000_000_000),
        ("2_u64", Measure::Plain, 2_000_000_000),
        ("1µs", Measure::Time, 1000),
        ("2 * 3s", Measure::Time, 6_000_000_000),
        ("1h0m0s", Measure::Time, 3_600_000_000_000),
    ] {
        let read = number(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((read.measure, read.value), (measure, billionths), "{text}");
    }
    for text in [
        "",
        "a",
        "1.2.3",
        "1 2",
        "s",
        "1x",
        "--1",
        "1s * 1s",
        "1e40",
        "0x",
        "1 kB 2 kB",
        "*",
        ".",
    ] {
        assert_eq!(number(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_may_be_asked(text in "[0-9a-zA-Z_.* µ+-]{0,40}") {
        let _ = number(&text);
    }

    #[test]
    fn whole_numbers_keep_their_order(one: i32, other: i32) {
        let read = |n: i32| number(&n.to_string()).unwrap().value;
        prop_assert_eq!(read(one).cmp(&read(other)), one.cmp(&other));
        let seconds = |n: i32| number(&format!("{n}s")).unwrap().value;
        prop_assert_eq!(seconds(one), i128::from(one) * 1_000_000_000);
    }
}
