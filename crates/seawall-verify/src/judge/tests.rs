//! Ends, statuses and words of a check alone; what is counted is in `counted`.

mod again;
mod counted;

use super::*;
fn criterion(proof: Proof) -> Criterion {
    Criterion {
        says: "s".into(),
        run: Some("c".into()),
        proof,
        baseline: Baseline::Green,
        tests: Tests::Keep,
        ..Criterion::default()
    }
}

fn done(ran: &Ran) -> Evidence {
    after(0, &criterion(Proof::PassToPass), ran, None, &Ours::none())
}

fn ran(end: End, output: &str) -> Ran {
    let (bytes, end_of_output) = (output.len() as u64, output.as_bytes().to_vec());
    let digest = Digest::of(&end_of_output);
    Ran {
        command: "c".into(),
        tree: Tree::from("t"),
        end,
        ms: 5,
        bytes,
        end_of_output,
        digest,
        report: Report::NotAsked,
        enforced: Arc::default(),
    }
}

#[test]
fn what_an_end_means() {
    use Proof::{FailToPass, PassToPass};
    use Value::{CouldNotLook, Fail, Pass};
    let cases = [
        // end, output, fail-to-pass on the base, pass-to-pass on the base, after
        (End::Exited(0), "", Fail, Pass, Pass),
        (End::Exited(1), "", Pass, Fail, Fail),
        (
            End::Exited(127),
            "sh: 1: ruff: not found",
            CouldNotLook,
            CouldNotLook,
            CouldNotLook,
        ),
        (
            End::Exited(127),
            "sh: 1: ./bin/new: not found",
            Pass,
            Fail,
            Fail,
        ),
        (
            End::Exited(127),
            "/bin/sh: 1: nope: not found",
            CouldNotLook,
            CouldNotLook,
            CouldNotLook,
        ),
        (
            End::Exited(126),
            "",
            CouldNotLook,
            CouldNotLook,
            CouldNotLook,
        ),
        (End::Signalled(11), "", Pass, Fail, Fail),
        (
            End::TimedOut(1500),
            "",
            CouldNotLook,
            CouldNotLook,
            CouldNotLook,
        ),
        (End::Stopped, "", CouldNotLook, CouldNotLook, CouldNotLook),
        (
            End::CouldNotStart("x".into()),
            "",
            CouldNotLook,
            CouldNotLook,
            CouldNotLook,
        ),
    ];
    for (end, output, f2p, p2p, then) in cases {
        let ran = ran(end, output);
        assert_eq!(
            on_base(0, &criterion(FailToPass), &ran, &Ours::none()).value,
            f2p,
            "{ran:?}"
        );
        assert_eq!(
            on_base(0, &criterion(PassToPass), &ran, &Ours::none()).value,
            p2p,
            "{ran:?}"
        );
        assert_eq!(done(&ran).value, then, "{ran:?}");
    }
}

#[test]
fn a_negated_command_in_trouble_has_not_looked() {
    use Value::{CouldNotLook, Pass};
    let cases = [
        ("! rg evil src", "/bin/sh: 1: rg: not found\n", CouldNotLook),
        (
            "  ! rg evil src | head",
            "sh: line 1: rg: command not found\n",
            CouldNotLook,
        ),
        ("! grep evil src", "", Pass),
        ("! grep evil src", "the key was not found\n", Pass),
        ("! grep evil src", "grep: src: Is a directory\n", Pass),
        (
            "! grep '\\-x' a",
            "grep: warning: stray \\ before -\n",
            Pass,
        ),
        (
            "! grep evil a b",
            "a:1:evil\ngrep: b: No such file or directory\n",
            CouldNotLook,
        ),
        ("! grep '(' a", "grep: Unmatched ( or \\(\n", CouldNotLook),
        ("sh suite.sh", "/bin/sh: 1: rg: not found\n", Pass),
    ];
    for (command, output, value) in cases {
        let ran = Ran {
            command: command.into(),
            ..ran(End::Exited(0), output)
        };
        let evidence = done(&ran);
        let exit = (value == Pass).then_some(0);
        assert_eq!((evidence.value, evidence.exit), (value, exit), "{ran:?}");
    }
}

#[test]
fn a_record_carries_the_facts() {
    let evidence = after(
        3,
        &criterion(Proof::FailToPass),
        &ran(End::Exited(2), "boom\n"),
        None,
        &Ours::none(),
    );
    assert_eq!(
        (evidence.criterion, evidence.exit, evidence.bytes),
        (3, Some(2), 5)
    );
    assert_eq!(
        (evidence.tail.as_str(), evidence.why.as_str()),
        ("boom\n", "exit status 2")
    );
    assert_eq!(evidence.output, Digest::of(b"boom\n"));
}
