//! What to type next: the commands that make sense at the end of a run, as a shell takes them.

use seawall_core::scheduler::{Outcome, Scheduler, Standing};
use seawall_core::verdict::Verdict;

use super::field;
use crate::status::short_branch;
use crate::view::View;
use crate::words::{name, pad, shown};

pub(super) fn run(view: &View) -> String {
    quoted(view.run())
}

/// The commands that make sense now, the most useful first.
pub(super) fn next(view: &View, scheduler: &Scheduler, outcome: &Outcome, lines: &mut Vec<String>) {
    let mut commands = Vec::from_iter(main_command(view, outcome));
    if let Some((id, what)) = worth_showing(view, scheduler) {
        let command = format!("seawall show {} {}", run(view), quoted(id));
        commands.push((command, what));
    }
    if view
        .plan()
        .each_task()
        .any(|(ix, _)| scheduler.held(ix).is_some())
    {
        let command = format!("seawall approve {}", run(view));
        commands.push((
            command,
            "list what waits for a person, and how to let it land".to_owned(),
        ));
    }
    let widths = commands.iter().map(|(command, _)| command.chars().count());
    let width = widths.max().unwrap_or(0).min(60);
    if !commands.is_empty() {
        lines.push(String::new());
    }
    for (n, (command, what)) in commands.iter().enumerate() {
        let word = if n == 0 { "next" } else { "" };
        lines.push(field(word, &format!("{}   {what}", pad(command, width))));
    }
}

/// What the run as a whole asks for: the command and what it does.
fn main_command(view: &View, outcome: &Outcome) -> Option<(String, String)> {
    let (verb, rest, what) = match outcome {
        Outcome::Parked(_) => ("resume", "", "go on, once that is mended".to_owned()),
        Outcome::Interrupted => ("resume", "", "go on".to_owned()),
        Outcome::Refused => (
            "status",
            " --json",
            "the end of every check's output".to_owned(),
        ),
        Outcome::Finished if view.checkpoints().is_empty() => return None,
        Outcome::Finished => ("land", "", land(view)),
    };
    Some((format!("seawall {verb} {}{rest}", run(view)), what))
}

fn land(view: &View) -> String {
    let onto = view.started().and_then(|started| started.onto.as_deref());
    let onto = onto.map_or_else(|| "your branch".to_owned(), |onto| name(short_branch(onto)));
    let commits = match view.checkpoints().len() {
        1 => "the commit".to_owned(),
        n => format!("the {n} commits"),
    };
    format!("bring {commits} to {onto} (fast-forward)")
}

/// The first task that a person should look at: its harvest, or its attempts.
fn worth_showing<'a>(view: &'a View, scheduler: &Scheduler) -> Option<(&'a str, String)> {
    let plan = view.plan();
    let verdict = |ix| match scheduler.standing(ix) {
        Standing::Ended(verdict) => Some(verdict),
        _ => None,
    };
    let find = |want: fn(&Verdict) -> bool| {
        let mut tasks = plan.each_task();
        tasks.find(|(ix, _)| verdict(*ix).is_some_and(want))
    };
    // What to approve of is told beside it.
    if let Some((_, task)) = find(|verdict| *verdict == Verdict::NeedsHuman) {
        return Some((
            &task.id,
            "look at the change and judge what is left".to_owned(),
        ));
    }
    let (ix, task) = find(|verdict| matches!(verdict, Verdict::Rejected(_)))?;
    Some((&task.id, attempts(view.task(ix).attempts.len())))
}

fn attempts(n: usize) -> String {
    match n {
        0 => "its checks on the base".to_owned(),
        1 => "its attempt, evidence and change".to_owned(),
        2 => "both attempts, evidence and changes".to_owned(),
        n => format!("all {n} attempts, evidence and changes"),
    }
}

/// An argument as a POSIX shell takes it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", shown(word, 8192).replace('\'', "'\\''"))
    }
}
