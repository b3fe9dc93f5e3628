//! Sensitivity: a task's checks on the integrated tree without the task's change. A check that stays green there does not
//! notice whether the work was done.
//!
//! The first red ends it, so the checks that were red before the work come first. Costs one run for most tasks.

use std::sync::Arc;

use seawall_core::evidence::{Evidence, Grade, Value};
use seawall_core::grade::of_record;
use seawall_core::ids::{Commit, TaskIx, Tree};
use seawall_core::plan::{Criterion, Proof};
use seawall_verify::manual;

use crate::answers::Judged;
use crate::crew::{Crew, commit, id};
use crate::error::ExecuteError;
use crate::execute::blocking;
use crate::look::{self, Look};

/// Looks at `tree` without what `harvest` changed, up to the first red; the look goes by this label, and its workspaces are
/// laid over the commit where the branch stands.
pub(crate) async fn run(
    crew: &Arc<Crew>,
    ix: TaskIx,
    (label, tip): (String, Commit),
    tree: Tree,
    harvest: Commit,
) -> Result<Vec<Evidence>, ExecuteError> {
    let _turn = crew.turn().await?;
    let named = label.clone();
    let make = move |crew: &Crew| without(crew, &named, (&tip, &tree), &harvest);
    let look = Look::at(crew, label, &blocking(crew, make).await?).await?;
    let task = crew.setup.plan.task(ix);
    let mut checks: Vec<_> = look::numbered(task)
        .filter(|(n, check)| !task.is_holdout(*n) && !only_presence(check, &look.tree))
        .collect();
    checks.sort_by_key(|(_, check)| check.proof != Proof::FailToPass);
    let mut seen = Vec::new();
    for (n, check) in checks {
        let Some(command) = look::command(check, task) else {
            continue;
        };
        let asked = look::question(&look, n, check, command, Judged::Without);
        let answer = asked.answer(crew).await?;
        let red = answer.value == Value::Fail;
        seen.push(answer);
        if red {
            break;
        }
    }
    look.forget(crew).await?;
    Ok(seen)
}

/// Whether the check can only ask for files: that a file is gone without the change that made it says nothing.
fn only_presence(check: &Criterion, tree: &Tree) -> bool {
    let green = Evidence {
        value: Value::Pass,
        ..manual(0, tree.clone())
    };
    of_record(check, &green) == Some(Grade::Presence)
}

fn without(
    crew: &Crew,
    label: &str,
    (tip, tree): (&Commit, &Tree),
    harvest: &Commit,
) -> Result<Commit, ExecuteError> {
    let (store, whole) = (&crew.setup.store, tree.0.parse()?);
    let tree = store.put_back(&whole, &id(harvest)?, |_| true)?;
    let message = format!("seawall: {label}\n");
    let made = store.scratch_commit(&tree, &id(tip)?, &message, crew.setup.began)?;
    Ok(commit(&made))
}
