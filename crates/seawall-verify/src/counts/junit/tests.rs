//! What real runners write, and what is no report.

use proptest::prelude::*;

use super::*;

fn written(name: &str) -> Vec<u8> {
    let path = format!("{}/testdata/reports/{name}.xml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn what_real_runners_write_is_counted() {
    let pytest: &[&str] = &[
        "test_m::test_bad",
        "test_m::test_setup",
        "test_m::test_p[q\"q]",
    ];
    let node: &[&str] = &["test::bad <&>", "test::inner bad"];
    // passed, failed, of these errors, skipped
    for (name, numbers, failing) in [
        ("pytest-mix", [3, 3, 1, 2], pytest),
        ("pytest-none", [0, 0, 0, 0], &[]),
        ("node-mix", [2, 2, 0, 2], node),
        ("nextest-mix", [1, 1, 0, 0], &["fx::tests::bad"]),
    ] {
        let seen = junit(&written(name)).unwrap();
        let all = [seen.passed, seen.failed, seen.errors, seen.skipped];
        assert_eq!(
            (all, &seen.failing[..]),
            (numbers, failing_of(failing).as_slice()),
            "{name}"
        );
    }
}

fn failing_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_case_ends_once_and_a_suite_may_fail_outside_of_any() {
    let text = r#"<testsuite tests="99">
        <error message="set-up"/>
        <testcase name="a"><failure/><error/></testcase>
        <testcase name="b" status="notrun"/>
        <testcase name="c"><system-out><![CDATA[<failure/>]]></system-out><properties><failure/></properties></testcase>
        <testcase name="d"><flakyFailure/></testcase>
        <testcase name="&#65;&unknown;"><failure>&unknown;</failure></testcase>
    </testsuite>"#;
    let seen = junit(text.as_bytes()).unwrap();
    let all = [seen.passed, seen.failed, seen.errors, seen.skipped];
    assert_eq!(all, [2, 3, 2, 1], "{seen:?}");
}

#[test]
fn what_is_not_whole_or_no_report_is_none() {
    let whole = written("pytest-mix");
    for end in [1, 60, 300, whole.len() / 2, whole.len() - 5] {
        assert_eq!(junit(&whole[..end]), None, "{end}");
    }
    let deep = "<testsuite>".repeat(100) + &"</testsuite>".repeat(100);
    for text in [
        "",
        "7 passed",
        "<html><testcase name='a'/></html>",
        "<testsuite/><testsuite/>",
        "<testsuite></testsuites>",
        "<testsuite><testcase><testcase/></testcase></testsuite>",
        deep.as_str(),
    ] {
        assert_eq!(junit(text.as_bytes()), None, "{text:.60}");
    }
    assert!(junit(b"\xef\xbb\xbf<testsuites/>").unwrap().is_empty());
}

#[test]
fn entities_are_not_expanded() {
    let mut text = "<!DOCTYPE a [<!ENTITY e0 \"xxxxxxxxxx\">".to_owned();
    for n in 1..30 {
        text += &format!("<!ENTITY e{n} \"&e{m};&e{m};&e{m};&e{m};\">", m = n - 1);
    }
    text += "]><testsuite><testcase name=\"&e29;\"><failure>&e29;</failure></testcase></testsuite>";
    let seen = junit(text.as_bytes()).unwrap();
    assert_eq!((seen.failed, seen.failing.len()), (1, 0));
}

#[test]
fn several_reports_are_added_up() {
    let one = || junit(&written("pytest-mix"));
    let sum = together(one().into_iter().chain(junit(&written("node-mix")))).unwrap();
    assert_eq!((sum.passed, sum.failed, sum.failing.len()), (5, 5, 5));
    assert_eq!(together([]), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>) {
        let _ = junit(&bytes);
    }

    #[test]
    fn any_damage_is_survived(at in 0..3000_usize, byte: u8) {
        let mut report = written("pytest-mix");
        let at = at % report.len();
        report[at] = byte;
        let _ = junit(&report);
    }
}
