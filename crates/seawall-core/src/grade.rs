//! How much passing evidence says, and how much a task needs.
//!
//! A grade can only be lost by what is doubtful: a command that looks for files alone stays at the lowest, and a check that
//! passes only with the worker's own version of the tests counts as an exit status. Which commands look for files alone
//! is read from their words, so a script that does the same in secret is graded higher; the look without the change
//! ([`Weight::sensed`]) is what finds that out.

use crate::evidence::{Evidence, Grade, Own, Value};
use crate::plan::{Criterion, Proof, Task};

/// What the evidence of an attempt weighs against what its task needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Weight {
    /// The best grade among its criteria; none when no command or rule speaks for it.
    pub grade: Option<Grade>,
    /// The weakest grade that is enough; none when only persons judge the task and no floor is named.
    pub floor: Option<Grade>,
    /// Whether a red look without the change would make it [`Grade::Sensitive`].
    pub raisable: bool,
}

impl Weight {
    /// Whether it is below the floor.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.floor.is_some_and(|floor| self.grade < Some(floor))
    }

    /// What it weighs once its checks were run without the change; `red` = one of them noticed.
    #[must_use]
    pub fn sensed(self, red: bool) -> Self {
        let grade = if red && self.raisable {
            Some(Grade::Sensitive)
        } else {
            self.grade
        };
        Self { grade, ..self }
    }
}

/// Weighs the records of an attempt that passed, or would pass but for a person.
#[must_use]
pub fn weigh(task: &Task, evidence: &[Evidence]) -> Weight {
    let graded = |record: &Evidence| {
        let criterion = task.criteria().nth(record.criterion as usize)?;
        Some((of_record(criterion, record)?, record.own))
    };
    let grades = || evidence.iter().filter_map(graded);
    Weight {
        grade: grades().map(|(grade, _)| grade).max(),
        floor: needed(task, evidence),
        raisable: grades().any(|(grade, own)| grade > Grade::Presence && own != Some(Own::Needed)),
    }
}

/// The grade of one look; none where it does not speak for the change.
#[must_use]
pub fn of_record(criterion: &Criterion, record: &Evidence) -> Option<Grade> {
    if criterion.proof == Proof::Manual {
        return None;
    }
    let most = match (record.value, record.flaky, record.own) {
        (Value::Pass, _, Some(Own::Needed)) => Grade::Exit,
        (Value::Pass, _, _) => Grade::RedToGreen,
        // Red and green on one tree: whoever approves of it believes the green one, and no more.
        (Value::CouldNotLook, Some(_), _) => Grade::Exit,
        _ => return None,
    };
    Some(at_best(criterion, record).min(most))
}

fn at_best(criterion: &Criterion, record: &Evidence) -> Grade {
    let executed = |tests: &crate::counted::Counted| tests.executed() > 0;
    if criterion.run.as_deref().is_some_and(only_looks_for_files) {
        Grade::Presence
    } else if criterion.proof == Proof::FailToPass {
        Grade::RedToGreen // a green base would have ended the task
    } else if record.tests.as_deref().is_some_and(executed) {
        Grade::Tests
    } else {
        Grade::Exit
    }
}

/// The floor that the plan names, or that follows from the task's risk and from what its change touches.
fn needed(task: &Task, evidence: &[Evidence]) -> Option<Grade> {
    if task.floor.is_some() {
        return task.floor;
    }
    let judged = |criterion: &Criterion| criterion.proof != Proof::Manual;
    if !task.criteria().any(judged) {
        return None;
    }
    let own = evidence.iter().any(|record| record.own.is_some());
    let least = if own { Grade::Tests } else { Grade::Presence };
    Some(task.risk.floor().max(least))
}

/// The weakest grade that a task needs before anything is known of its change.
#[must_use]
pub fn floor(task: &Task) -> Grade {
    task.floor.unwrap_or(task.risk.floor())
}

/// Whether every part of a shell command only asks whether files are there. That one is *not* there is all that can be said
/// of a file that was deleted, so a command that asks for that is like any other. The words of plans that stand for files
/// and tasks may still be in it.
#[must_use]
pub fn only_looks_for_files(command: &str) -> bool {
    let command = command.replace("{file}", "file").replace("{task}", "task");
    // What is computed or piped may be any command.
    if command.contains(['`', '(', '{', '<']) {
        return false;
    }
    let command = command.replace("2>&1", "");
    let parts = command.split(['\n', ';', '&', '|']);
    let mut parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.clone().next().is_some() && parts.all(looks_for_a_file)
}

/// The operators of test(1) that ask about a file.
const OF_FILES: [&str; 11] = [
    "-e", "-f", "-d", "-s", "-r", "-w", "-x", "-L", "-h", "-p", "-b",
];

fn looks_for_a_file(part: &str) -> bool {
    let mut words = part.split_whitespace();
    let Some(command) = words.next() else {
        return true;
    };
    let mut words = words.peekable();
    match command {
        "ls" | "stat" | "file" | "true" | ":" | "cd" | "echo" => true,
        "[" | "[[" | "test" => words.all(|word| {
            let joins = ["-a", "-o", "]", "]]"].contains(&word);
            joins || OF_FILES.contains(&word) || is_operand(word)
        }),
        _ => false,
    }
}

/// Whether a word of test(1) is no operator.
fn is_operand(word: &str) -> bool {
    !word.starts_with(['-', '=', '!'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counted::Counted;
    use crate::evidence::Flaked;
    use crate::plan::Risk;
    use crate::sample::{look, task};
    use std::sync::Arc;

    #[test]
    fn a_command_that_only_looks_for_files_is_known_by_its_words() {
        for (command, presence) in [
            ("test -f src/a.py", true),
            ("[ -e a ] && [ -s b ]", true),
            ("! test -e old.py", false),
            ("[ ! -e old.py ]", false),
            ("test -s {file}", true),
            ("[[ -d src ]]; ls src/a", true),
            ("[ -e a -a -e b ]", true),
            ("ls src/a.py >/dev/null 2>&1", true),
            ("ls src/a.py", true),
            ("test -f a || exit 1", false),
            ("test $(wc -l < a) -gt 3", false),
            ("test \"$A\" = b", false),
            ("pytest -q", false),
            ("test -f a && pytest", false),
            ("test -f a | grep x", false),
            ("", false),
        ] {
            assert_eq!(only_looks_for_files(command), presence, "{command}");
        }
    }

    fn record(change: impl Fn(&mut Evidence)) -> Evidence {
        let mut record = look(true).remove(0);
        change(&mut record);
        record
    }

    fn tested(passed: u64) -> Option<Box<Counted>> {
        Some(Box::new(Counted {
            passed,
            ..Counted::default()
        }))
    }

    #[test]
    fn a_look_is_worth_what_it_shows() {
        let check = |run: &str, proof| Criterion {
            run: Some(run.to_owned()),
            proof,
            ..Criterion::default()
        };
        let before = |run| check(run, Proof::PassToPass);
        let grade = |criterion: Criterion, record| of_record(&criterion, &record);
        let plain = || record(|_| ());
        assert_eq!(grade(before("make"), plain()), Some(Grade::Exit));
        let counts = || record(|r| r.tests = tested(3));
        assert_eq!(grade(before("make"), counts()), Some(Grade::Tests));
        let none = record(|r| r.tests = tested(0));
        assert_eq!(grade(before("make"), none), Some(Grade::Exit));
        let red = |run| check(run, Proof::FailToPass);
        assert_eq!(grade(red("make"), plain()), Some(Grade::RedToGreen));
        assert_eq!(grade(red("test -f a"), plain()), Some(Grade::Presence));
        let own = record(|r| r.own = Some(Own::Needed));
        assert_eq!(grade(red("make"), own), Some(Grade::Exit));
        let other = record(|r| r.own = Some(Own::NotNeeded));
        assert_eq!(grade(red("make"), other), Some(Grade::RedToGreen));
        let flaky = record(|r| {
            r.value = Value::CouldNotLook;
            r.flaky = Some(Flaked { red: 1, green: 1 });
        });
        assert_eq!(grade(red("make"), flaky), Some(Grade::Exit));
        let fails = record(|r| r.value = Value::Fail);
        assert_eq!(grade(red("make"), fails), None);
        assert_eq!(grade(check("", Proof::Manual), plain()), None);
    }

    #[test]
    fn the_best_look_is_weighed_against_what_the_task_needs() {
        let mut body = task("a", "a", &[], &[], 1);
        let weight = weigh(&body, &look(true));
        assert_eq!(
            (weight.grade, weight.floor),
            (Some(Grade::RedToGreen), Some(Grade::Exit))
        );
        body.risk = Risk::High;
        let weight = weigh(&body, &look(true));
        assert!(weight.is_weak() && weight.sensed(false).is_weak());
        assert!(!weight.sensed(true).is_weak());
        // Its own tests alone do not carry it, whatever the look without the change says.
        body.risk = Risk::Low;
        let own = [record(|r| r.own = Some(Own::Needed))];
        assert!(weigh(&body, &own).sensed(true).is_weak());
        body.floor = Some(Grade::Exit);
        assert!(!weigh(&body, &own).is_weak());
        // What only a person judges is not weak besides.
        body.floor = None;
        body.checks = Arc::new([Criterion {
            proof: Proof::Manual,
            ..Criterion::default()
        }]);
        assert!(!weigh(&body, &[]).is_weak());
    }
}
