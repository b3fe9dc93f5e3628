//! Several looks at one tree.

use seawall_core::plan::Flaky;

use super::*;

fn looks(flaky: Flaky, exits: &[i32]) -> (usize, Evidence) {
    let criterion = Criterion {
        flaky,
        ..criterion(Proof::PassToPass)
    };
    let mut seen = Vec::new();
    for exit in exits {
        let ran = ran(End::Exited(*exit), "");
        seen.push(after(0, &criterion, &ran, None, &Ours::none()));
        if !looks_again(&criterion, &seen) {
            break;
        }
    }
    let count = seen.len();
    (count, settle(&criterion, seen).unwrap())
}

#[test]
fn a_red_is_believed_when_it_comes_again() {
    use Value::{CouldNotLook, Fail, Pass};
    /// What is done about it, the exits, how many are looked at, and what they come to.
    type Case = (Flaky, &'static [i32], usize, Value, Option<(u32, u32)>);
    let cases: &[Case] = &[
        (Flaky::Hold, &[0, 9], 1, Pass, None),
        (Flaky::Hold, &[1, 1, 9], 2, Fail, None),
        (Flaky::Hold, &[1, 0, 9], 2, CouldNotLook, Some((1, 1))),
        (Flaky::Hold, &[127, 0], 1, CouldNotLook, None),
        (Flaky::Hold, &[1, 127, 0], 2, Fail, None),
        (Flaky::Retry(3), &[0, 9], 1, Pass, None),
        (Flaky::Retry(3), &[1, 1, 1, 1, 9], 4, Fail, None),
        (Flaky::Retry(3), &[1, 1, 0, 9], 3, Pass, Some((2, 1))),
        (Flaky::Retry(1), &[1, 0, 9], 2, Pass, Some((1, 1))),
    ];
    for (flaky, exits, count, value, flaked) in cases {
        let (looked, seen) = looks(*flaky, exits);
        let flaked_seen = seen.flaky.map(|f| (f.red, f.green));
        assert_eq!(
            (looked, seen.value, flaked_seen),
            (*count, *value, *flaked),
            "{exits:?}"
        );
    }
    let (_, held) = looks(Flaky::Hold, &[1, 0]);
    assert_eq!(
        held.why,
        "red and green on one tree (exit status 1; then exit status 0)"
    );
}

#[test]
fn a_declared_red_passes_and_says_so() {
    let red = done(&ran(End::Exited(1), ""));
    let declared = may_be_red(red, &["api", "cli"]);
    assert!(declared.passes());
    assert_eq!(
        declared.why,
        "red, as declared until `api`, `cli` (exit status 1)"
    );
    let lost = done(&ran(End::Exited(127), "sh: 1: ruff: not found"));
    assert_eq!(may_be_red(lost.clone(), &["api"]), lost);
    let green = done(&ran(End::Exited(0), ""));
    assert_eq!(may_be_red(green.clone(), &["api"]), green);
}

#[test]
fn a_report_counts_instead_of_the_output() {
    let counted = |passed, failed| {
        Report::Counted(Counted {
            runner: "JUnit XML".into(),
            passed,
            failed,
            ..Counted::default()
        })
    };
    let missing = Report::Missing("no report was written to `r.xml`".into());
    for (exit, report, value) in [
        (0, counted(2, 0), Value::Pass),
        (0, counted(2, 1), Value::Fail),
        (0, counted(0, 0), Value::Fail),
        (0, missing.clone(), Value::CouldNotLook),
        (1, missing, Value::Fail),
    ] {
        let ran = Ran {
            report,
            ..ran(End::Exited(exit), "===== 9 passed in 0.01s =====\n")
        };
        let seen = done(&ran);
        assert_eq!(seen.value, value, "{}", seen.why);
        assert_ne!(seen.tests.map(|tests| tests.passed), Some(9));
    }
}
