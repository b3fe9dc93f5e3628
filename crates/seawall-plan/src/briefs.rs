//! Tells of briefs that are too large: what a plan makes every worker read before its file.
//!
//! Only text of the plan and names of files are counted; how large the files are is not known here.

use seawall_core::plan::Task;

use crate::context::Context;
use crate::problems::{placed, shown, warning};
use crate::tasks::Tasks;

/// Tokens from which on a brief is large.
const LARGE: usize = 8_000;
/// Bytes of a token, for an estimate.
const TOKEN: usize = 4;
/// Bytes of the line of a file in a brief, besides its path.
const LINE: usize = 40;

/// Warns once, of the first task whose brief is large; the members of a fan-out differ by a path.
pub(crate) fn tell(tasks: &Tasks, goal: &str, cx: &mut Context<'_>) {
    let sizes = tasks.blocks.iter().filter_map(|block| {
        let first = tasks.tasks.get(block.tasks.start as usize)?;
        Some((block, tokens(first, goal)))
    });
    let mut large = sizes.filter(|(_, tokens)| *tokens > LARGE);
    let Some((block, tokens)) = large.next() else {
        return;
    };
    let more = match large.count() {
        0 => String::new(),
        count => format!(", and {count} more are large"),
    };
    let message = format!(
        "the brief of `{}` has about {tokens} tokens{more}",
        shown(&block.id)
    );
    let problem = warning("SW0215", message)
        .note(format!("more than {LARGE}, at {TOKEN} bytes a token"))
        .help("shorten the prompt, and let `reads` name only what the task needs to see");
    cx.problems
        .add(placed(problem, block.owns.as_ref(), "read by every worker"));
}

fn tokens(task: &Task, goal: &str) -> usize {
    let checks = task.checks.iter();
    let checks = checks.map(|c| c.says.len() + c.run.as_ref().map_or(0, String::len));
    let paths = task.owned().chain(&task.reads);
    let paths = paths.map(|path| path.as_bytes().len() + LINE);
    let text = goal.len() + task.prompt.len();
    (text + checks.sum::<usize>() + paths.sum::<usize>()) / TOKEN
}
