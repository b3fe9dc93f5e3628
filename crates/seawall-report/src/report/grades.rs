//! How much the evidence of accepted tasks says, and which of it says least.

use seawall_core::evidence::{Evidence, Grade, Own, Value};
use seawall_core::plan::{Criterion, Plan, Proof, Task};

use super::{Synthesis, Weak};
use crate::receipt::Seen;

/// What is the least for a task of this plan.
pub(super) fn floor(task: &Task) -> Grade {
    task.floor.unwrap_or_else(|| task.risk.floor())
}

/// The best of a task's looks that pass; none when there is none.
pub(super) fn of_task(task: &Task, evidence: &[Evidence], sensed: &[Seen]) -> Option<Grade> {
    let red = sensed.iter().any(|look| look.value == Value::Fail);
    let passing = evidence.iter().filter(|look| look.passes());
    let of = |look: &Evidence| {
        let criterion = task.criteria().nth(look.criterion as usize)?;
        Some(of_look(criterion, look, red))
    };
    passing.filter_map(of).max()
}

/// What one look that passes says. `sensed`: without the change some check of the task is red.
fn of_look(criterion: &Criterion, look: &Evidence, sensed: bool) -> Grade {
    let tests = look
        .tests
        .as_ref()
        .is_some_and(|tests| tests.executed() > 0);
    match () {
        () if is_presence(&look.command) => Grade::Presence,
        () if look.own == Some(Own::Needed) => Grade::Exit,
        () if sensed => Grade::Sensitive,
        () if criterion.proof == Proof::FailToPass => Grade::RedToGreen,
        () if tests => Grade::Tests,
        () => Grade::Exit,
    }
}

/// Whether a command only looks whether something is there.
fn is_presence(command: &str) -> bool {
    let command = command.trim().trim_start_matches('!').trim_start();
    let mut words = command.split_whitespace();
    let looks = match (words.next(), words.next()) {
        (Some("test" | "["), Some(word)) => matches!(word, "-e" | "-f" | "-d" | "-s" | "-r" | "!"),
        (Some("ls" | "stat"), _) => true,
        _ => false,
    };
    looks && !command.contains(['|', '&', ';', '\n', '`', '$'])
}

/// The accepted tasks, of which `tasks` holds one for each of the plan, whose evidence is below what is usual in the run, below their floor, or weakened by something; the
/// weakest first.
pub(super) fn weakest(plan: &Plan, tasks: &[Synthesis]) -> Vec<Weak> {
    let accepted = || tasks.iter().filter(|task| task.verdict == "accepted");
    let mut grades: Vec<_> = accepted().map(|task| task.grade).collect();
    grades.sort_unstable();
    let usual = grades.get(grades.len() / 2).copied().flatten();
    let of = |(body, task): (&Task, &Synthesis)| Weak {
        task: task.task.clone(),
        grade: task.grade,
        floor: floor(body),
        why: why(task),
    };
    let weak = |weak: &Weak| {
        weak.grade < usual
            || weak.grade < Some(weak.floor)
            || weak.grade < Some(Grade::RedToGreen)
            || !weak.why.is_empty()
    };
    let both = plan.tasks.iter().zip(tasks);
    let landed = both.filter(|(_, task)| task.verdict == "accepted");
    let mut all: Vec<_> = landed.map(of).filter(weak).collect();
    all.sort_by(|one, other| {
        let key = |weak: &Weak| (weak.grade, std::cmp::Reverse(weak.why.len()));
        key(one).cmp(&key(other))
    });
    all
}

/// What weakens a task's evidence besides its grade.
fn why(task: &Synthesis) -> Vec<String> {
    let mut why = Vec::new();
    let rows = || task.evidence.iter();
    if task.insensitive {
        why.push("reverting its change turns nothing red".to_owned());
    }
    let own = rows().filter(|row| row.own == Some(Own::Needed)).count();
    if own > 0 && own == rows().filter(|row| row.after == "green").count() {
        why.push("it passes only with tests of its own".to_owned());
    }
    for flaky in rows().filter_map(|row| row.flaky) {
        let (red, green) = (flaky.red, flaky.green);
        why.push(format!("flaky: {red} red and {green} green on one tree"));
    }
    for approval in &task.approved {
        why.push(format!(
            "landed on the word of {}: {}",
            approval.by, approval.note
        ));
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_only_look_whether_something_is_there() {
        for (command, presence) in [
            ("test -f src/new.rs", true),
            ("[ -e a ]", true),
            ("! test -e old.py", true),
            ("ls docs/a.md", true),
            ("test -f a && cargo test", false),
            ("test \"$(wc -l < a)\" = 3", false),
            ("grep -q x a", false),
            ("[ 3 = 4 ]", false),
        ] {
            assert_eq!(is_presence(command), presence, "{command}");
        }
    }
}
