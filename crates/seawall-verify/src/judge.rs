//! What a run of a check proves.
//!
//! Three values: a check passes, fails, or could not look. Only an exit status of its own can pass; a check
//! that was cut off, or whose program is missing, has seen nothing. What a test runner counted can only make it
//! worse: no test, fewer tests than on the base or a failure beside exit status 0 do not pass. The one exception is
//! a base that the plan declares red, where the exit status says nothing new.

mod again;

use std::sync::Arc;

use seawall_core::counted::Counted;
use seawall_core::evidence::{Evidence, Value};
use seawall_core::ids::{Digest, Tree};
use seawall_core::plan::{Baseline, Criterion, Proof, Tests};

use crate::counts::count;
use crate::missing::{masked, missing, names_a_file, negated, negated_trouble};
use crate::ours::Ours;
use crate::ran::{End, Ran, Report};
use crate::stumble::wrong_red;
use crate::words::{failures, some, tests, tests_of};
pub use again::{looks_again, may_be_red, settle};

/// Judges a check on the base, before any work: `Pass` means that the base is as the proof demands.
#[must_use]
pub fn on_base(number: u32, criterion: &Criterion, ran: &Ran, ours: &Ours<'_>) -> Evidence {
    let seen = look(ran, ours);
    let (value, why) = match (criterion.proof, seen.value) {
        (_, Value::CouldNotLook) => (Value::CouldNotLook, seen.why),
        (Proof::FailToPass, Value::Fail) => match wrong_red(ran, seen.tests.as_ref(), ours) {
            Some(wrong) => (
                Value::CouldNotLook,
                format!("red for the wrong reason: {wrong}"),
            ),
            None => (
                Value::Pass,
                format!("red before the work, as it must be ({})", seen.why),
            ),
        },
        (Proof::FailToPass, Value::Pass) => (
            Value::Fail,
            format!("green before any work ({}): it proves nothing", seen.why),
        ),
        (_, Value::Fail) if criterion.baseline == Baseline::Red => {
            declared_red(&seen.why, seen.tests.as_ref())
        }
        (_, Value::Fail) => (Value::Fail, format!("red before any work ({})", seen.why)),
        (_, Value::Pass) => (Value::Pass, seen.why),
    };
    record(number, value, why, ran, seen.tests)
}

/// Judges a check of a task after the work, or a gate on an integrated tree.
///
/// `base` is what the same check showed where the work began; without it nothing is compared.
#[must_use]
pub fn after(
    number: u32,
    criterion: &Criterion,
    ran: &Ran,
    base: Option<&Evidence>,
    ours: &Ours<'_>,
) -> Evidence {
    let seen = look(ran, ours);
    let before = base.and_then(|base| base.tests.as_ref());
    let exited = matches!(ran.end, End::Exited(_));
    let (value, why) = match (seen.value, before) {
        (Value::Fail, Some(before)) if exited && criterion.baseline == Baseline::Red => {
            beside_red(&seen, before)
        }
        _ => (seen.value, seen.why),
    };
    let fewer = before
        .filter(|_| value == Value::Pass && criterion.tests == Tests::Keep)
        .and_then(|before| fewer(before, seen.tests.as_ref()));
    let (value, why) = fewer.unwrap_or((value, why));
    Evidence {
        base: base.map(|base| base.tree.clone()),
        ..record(number, value, why, ran, seen.tests)
    }
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
        log: None,
        tests: None,
        base: None,
        enforced: Arc::default(),
        flaky: None,
        own: None,
    }
}

/// What the plan's `baseline = "red"` needs of the base: failures that can be told from others.
fn declared_red(why: &str, tests: Option<&Counted>) -> (Value, String) {
    match tests {
        Some(tests) if tests.failed > 0 => (Value::Pass, format!("red, as the plan says ({why})")),
        _ => (
            Value::CouldNotLook,
            format!(
                "red ({why}), and no test runner says which tests fail: `baseline = \"red\"` cannot be used here"
            ),
        ),
    }
}

/// Whether what is red after the work was red before: by name where every failure has one, else by number.
fn beside_red(seen: &Seen, before: &Counted) -> (Value, String) {
    let Some(now) = seen.tests.as_ref().filter(|tests| tests.failed > 0) else {
        let why = format!("{}, and it is no test that fails", seen.why);
        return (Value::Fail, why);
    };
    if before.names_all() && now.names_all() {
        let new: Vec<&str> = now
            .failing
            .iter()
            .filter(|name| !before.failing.contains(name))
            .map(String::as_str)
            .collect();
        if !new.is_empty() {
            let noun = if new.len() == 1 {
                "a new failure"
            } else {
                "new failures"
            };
            return (
                Value::Fail,
                format!("{noun} beside those of the base: {}", some(&new)),
            );
        }
    }
    if now.failed > before.failed || (now.errors > before.errors) {
        let why = format!(
            "{} failed, {} on the base",
            tests(now.failed),
            before.failed
        );
        return (Value::Fail, why);
    }
    let why = format!("no failure that the base does not have: {}", failures(now));
    (Value::Pass, why)
}

/// Why a green look is worth less than the base's: it executed fewer tests, or no longer says how many.
fn fewer(before: &Counted, now: Option<&Counted>) -> Option<(Value, String)> {
    let had = before.executed();
    match now {
        Some(now) if now.executed() < had => Some((
            Value::Fail,
            format!(
                "{} executed, {had} on the base ({})",
                tests(now.executed()),
                now.runner
            ),
        )),
        None if had > 0 => Some((
            Value::CouldNotLook,
            format!(
                "the base counted {} ({}), this run counted none",
                tests(had),
                before.runner
            ),
        )),
        _ => None,
    }
}

fn record(
    criterion: u32,
    value: Value,
    why: String,
    ran: &Ran,
    tests: Option<Counted>,
) -> Evidence {
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
        log: None,
        tests: tests.map(Box::new),
        base: None,
        enforced: Arc::clone(&ran.enforced),
        flaky: None,
        own: None,
    }
}

/// What one run shows by itself.
struct Seen {
    value: Value,
    why: String,
    tests: Option<Counted>,
}

fn look(ran: &Ran, ours: &Ours<'_>) -> Seen {
    let tests = match &ran.report {
        Report::NotAsked => count(&ran.end_of_output),
        Report::Counted(tests) => Some(tests.clone()),
        Report::Missing(_) => None,
    };
    let (value, why) = match &ran.end {
        End::Exited(0) => zero(ran, tests.as_ref()),
        End::Exited(status) => not_zero(*status, ran, tests.as_ref(), ours),
        End::Signalled(signal) => (Value::Fail, format!("killed by signal {signal}")),
        End::Killed(limit) => (Value::CouldNotLook, format!("killed: {limit}")),
        End::TimedOut(ms) => (
            Value::CouldNotLook,
            format!("over its time of {} s", ms.div_ceil(1000)),
        ),
        End::Stopped => (Value::CouldNotLook, "stopped with the run".to_owned()),
        End::CouldNotStart(why) => (Value::CouldNotLook, format!("could not be started: {why}")),
    };
    Seen { value, why, tests }
}

/// Exit status 0: green, unless the output says otherwise.
fn zero(ran: &Ran, counted: Option<&Counted>) -> (Value, String) {
    if let Some(trouble) = negated_trouble(ran) {
        let why = format!("`!` takes for success what is trouble: {trouble}");
        return (Value::CouldNotLook, why);
    }
    if let Some(gone) = masked(ran) {
        let why = format!("exit status 0 hides that a test runner is not there ({gone})");
        return (Value::CouldNotLook, why);
    }
    if let Report::Missing(why) = &ran.report {
        return (Value::CouldNotLook, format!("exit status 0, but {why}"));
    }
    match counted {
        None => (Value::Pass, "exit status 0".to_owned()),
        Some(seen) if seen.is_empty() => (
            Value::Fail,
            format!(
                "exit status 0, but no test was executed ({})",
                tests_of(seen)
            ),
        ),
        Some(seen) if seen.failed > 0 && !negated(ran) => (
            Value::Fail,
            format!("exit status 0, but {}", failures(seen)),
        ),
        Some(seen) => (
            Value::Pass,
            format!("exit status 0, {}", tests(seen.executed())),
        ),
    }
}

fn not_zero(status: i32, ran: &Ran, counted: Option<&Counted>, ours: &Ours<'_>) -> (Value, String) {
    if matches!(status, 126 | 127) && !names_a_file(&ran.tail()) {
        let what = if status == 127 {
            "a command is not there"
        } else {
            "a command cannot be run"
        };
        let why = format!("{what} (exit status {status})");
        return (Value::CouldNotLook, why);
    }
    if let Some(gone) = missing(ran, ours) {
        let why = format!("the test runner is not there ({gone})");
        return (Value::CouldNotLook, why);
    }
    let why = match counted {
        Some(seen) if seen.is_empty() => {
            format!(
                "exit status {status}, no test was executed ({})",
                tests_of(seen)
            )
        }
        Some(seen) if seen.failed > 0 => format!("exit status {status}: {}", failures(seen)),
        _ if does_not_compile(ran) => format!("exit status {status}: it does not compile"),
        _ => format!("exit status {status}"),
    };
    (Value::Fail, why)
}

/// A build that fails is a red of its own: a missing function is the compiler's to tell.
fn does_not_compile(ran: &Ran) -> bool {
    let compiler = |line: &str| line.starts_with("error: could not compile `");
    ran.recent(50).lines().any(compiler)
}

#[cfg(test)]
mod tests;
