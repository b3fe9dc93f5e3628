//! `seawall show`: one task, every attempt, the evidence, and the change itself.

use seawall_core::ids::{Commit, TaskIx};
use seawall_git::Store;
use seawall_report::{show, view::View};

use crate::args::ShowArgs;
use crate::failure::{FINE, Failure};
use crate::output;
use crate::runs::{self, Replayed};

/// Bytes of a change that are shown; `git show` has the rest.
const LONGEST: usize = 256 << 10;

pub(crate) fn run(store: &Store, args: &ShowArgs) -> Result<u8, Failure> {
    let (name, task) = match args.what.as_slice() {
        [task] => (None, task),
        [name, task, ..] => (Some(name.as_str()), task),
        [] => return Err(Failure::usage("say which task to show")),
    };
    let run = runs::find(store, name)?.read()?;
    let ix = find(&run, task)?;
    let diff = diff(store, &run.view, ix)?;
    if args.json {
        let mut value = show::show_json(&run.view, &run.scheduler, ix);
        value["diff"] = diff.into();
        output::say_json(&value);
    } else {
        output::say(&show::show(&run.view, &run.scheduler, ix));
        if let Some(diff) = diff {
            output::say(&format!("\n{diff}"));
        }
    }
    Ok(FINE)
}

pub(super) fn find(run: &Replayed, task: &str) -> Result<TaskIx, Failure> {
    if let Some(ix) = run.view.find(task) {
        return Ok(ix);
    }
    let failure = Failure::usage(format!("run `{}` has no task `{task}`", run.view.run()));
    let ids = run.scheduler.plan().tasks.iter().map(|task| &*task.id);
    Err(match seawall_plan::nearest(task, ids) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help("`seawall status` lists the tasks"),
    })
}

/// The change that landed, or the last one that was harvested.
fn diff(store: &Store, view: &View, ix: TaskIx) -> Result<Option<String>, Failure> {
    let Some(change) = view.task(ix).last().and_then(|attempt| attempt.change()) else {
        return Ok(None);
    };
    let id = |commit: &Commit| commit.0.parse();
    let facts = store.facts(&id(&change.commit)?)?;
    match facts.parents.first() {
        Some(parent) => Ok(Some(store.diff_text(
            parent,
            &id(&change.commit)?,
            LONGEST,
        )?)),
        None => Ok(None),
    }
}
