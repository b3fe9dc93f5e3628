//! What a run of a check proves.
//!
//! Three values: a check passes, fails, or could not look. Only an exit status of its own can pass; a check
//! that was cut off, or whose program is missing, has seen nothing.

use seawall_core::evidence::{Evidence, Value};
use seawall_core::ids::{Digest, Tree};
use seawall_core::plan::Proof;

use crate::ran::{End, Ran};

/// Judges a check of a task on the base, before any work: `Pass` means that the base is as the proof demands.
#[must_use]
pub fn on_base(criterion: u32, proof: Proof, ran: &Ran) -> Evidence {
    let (value, why) = match (proof, look(ran)) {
        (_, (Value::CouldNotLook, why)) => (Value::CouldNotLook, why),
        (Proof::FailToPass, (Value::Fail, why)) => (
            Value::Pass,
            format!("red before the work, as it must be ({why})"),
        ),
        (Proof::FailToPass, (_, why)) => (
            Value::Fail,
            format!("green before any work ({why}): it proves nothing"),
        ),
        (_, (Value::Fail, why)) => (Value::Fail, format!("red before any work ({why})")),
        (_, (value, why)) => (value, why),
    };
    record(criterion, value, why, ran)
}

/// Judges a check of a task after the work.
#[must_use]
pub fn after(criterion: u32, ran: &Ran) -> Evidence {
    let (value, why) = look(ran);
    record(criterion, value, why, ran)
}

/// Judges a checkpoint check or an invariant on an integrated tree.
#[must_use]
pub fn gate(criterion: u32, ran: &Ran) -> Evidence {
    after(criterion, ran)
}

/// The record of a criterion that only a person can judge.
#[must_use]
pub fn manual(criterion: u32, tree: Tree) -> Evidence {
    Evidence {
        criterion,
        value: Value::CouldNotLook,
        why: "only a person can judge this".to_owned(),
        command: String::new(),
        tree,
        exit: None,
        ms: 0,
        tail: String::new(),
        bytes: 0,
        output: Digest::of(b""),
    }
}

fn record(criterion: u32, value: Value, why: String, ran: &Ran) -> Evidence {
    let exit = match (&ran.end, value) {
        // The shell's own status, and not that of the command, which is not there.
        (End::Exited(0), Value::CouldNotLook) => None,
        (End::Exited(status), _) => Some(*status),
        _ => None,
    };
    Evidence {
        criterion,
        value,
        why,
        command: ran.command.clone(),
        tree: ran.tree.clone(),
        exit,
        ms: ran.ms,
        tail: ran.tail(),
        bytes: ran.bytes,
        output: ran.digest.clone(),
    }
}

fn look(ran: &Ran) -> (Value, String) {
    match &ran.end {
        End::Exited(0) => match negated_trouble(ran) {
            None => (Value::Pass, "exit status 0".to_owned()),
            Some(trouble) => (
                Value::CouldNotLook,
                format!("`!` takes for success what is trouble: {trouble}"),
            ),
        },
        End::Exited(status @ (126 | 127)) if !names_a_file(&ran.tail()) => {
            let what = if *status == 127 {
                "a command is not there"
            } else {
                "a command cannot be run"
            };
            (
                Value::CouldNotLook,
                format!("{what} (exit status {status})"),
            )
        }
        End::Exited(status) => (Value::Fail, format!("exit status {status}")),
        End::Signalled(signal) => (Value::Fail, format!("killed by signal {signal}")),
        End::Killed(limit) => (Value::CouldNotLook, format!("killed: {limit}")),
        End::TimedOut(ms) => (
            Value::CouldNotLook,
            format!("over its time of {} s", ms.div_ceil(1000)),
        ),
        End::Stopped => (Value::CouldNotLook, "stopped with the run".to_owned()),
        End::CouldNotStart(why) => (Value::CouldNotLook, format!("could not be started: {why}")),
    }
}

/// What went wrong below the `!` of a check such as `! grep -rn PATTERN DIR`, where any failure becomes success.
///
/// Status 127 of a command that is not there and status 2 of a grep that could not search would make the check green
/// for ever. The status itself is gone, so what dash, bash and GNU grep print then is looked for.
fn negated_trouble(ran: &Ran) -> Option<String> {
    let tail = ran.tail();
    let trouble = |line: &&str| {
        let (who, what) = line.split_once(": ").unwrap_or_default();
        match who {
            "sh" | "/bin/sh" => what.ends_with("not found"),
            "grep" => !(what.starts_with("warning: ") || what.ends_with(": Is a directory")),
            _ => false,
        }
    };
    let negated = ran.command.trim_start().starts_with('!');
    negated
        .then(|| tail.lines().find(trouble).map(str::to_owned))
        .flatten()
}

/// Whether the shell's complaint is about a path, such as `sh: 1: ./bin/new: not found`: then what is missing
/// is a file of the repository, and missing it is what a check is for.
fn names_a_file(tail: &str) -> bool {
    let complaint = |line: &&str| {
        line.contains("not found")
            || line.contains("ermission denied")
            || line.contains("No such file")
    };
    tail.lines().rev().find(complaint).is_some_and(|line| {
        line.split(": ")
            .any(|part| part.contains('/') && !part.contains(' ') && !part.starts_with("/bin/"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(on_base(0, FailToPass, &ran).value, f2p, "{ran:?}");
            assert_eq!(on_base(0, PassToPass, &ran).value, p2p, "{ran:?}");
            assert_eq!(after(0, &ran).value, then, "{ran:?}");
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
            let evidence = after(0, &ran);
            let exit = (value == Pass).then_some(0);
            assert_eq!((evidence.value, evidence.exit), (value, exit), "{ran:?}");
        }
    }

    #[test]
    fn a_record_carries_the_facts() {
        let evidence = after(3, &ran(End::Exited(2), "boom\n"));
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
}
