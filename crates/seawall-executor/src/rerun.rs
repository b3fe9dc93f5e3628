//! Looks that were taken once, taken again: the same checks, confined alike, at commits that exist.
//!
//! Nothing here writes to the repository, and the place is one of its own, so that the logs of the run stay as they
//! are. The looks are taken one after the other: what is compared should not depend on what else runs.

use std::sync::Arc;

use seawall_core::evidence::Evidence;
use seawall_core::ids::{AttemptNo, Commit, TaskIx, Tree};
use seawall_core::plan::GateNow;

use crate::crew::{Crew, Setup, id};
use crate::error::{ExecuteError, at};
use crate::gates;
use crate::look::{self, Look};

/// What to look at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// The plan's gates on the run's base, and what each was there.
    GatesOnBase(Commit, Vec<GateNow>),
    /// The checks of a task on a base.
    ChecksOnBase(TaskIx, Commit),
    /// The checks of a task on a harvest, compared with what was counted on its base.
    Checks(TaskIx, AttemptNo, Commit, Vec<Evidence>),
    /// The plan's gates on a checkpoint, compared with what was counted on the one before, and what each gate was.
    Gates(Commit, Vec<Evidence>, Vec<GateNow>),
}

/// Takes each look again and hands it to `told` with its place in `looks`.
///
/// # Errors
/// When something cannot be run at all; a check that cannot be looked at is evidence.
pub fn rerun(
    setup: Setup,
    looks: &[Again],
    mut told: impl FnMut(usize, Vec<Evidence>),
) -> Result<(), ExecuteError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("seawall")
        .build()
        .map_err(at("start the runtime for", setup.place.root()))?;
    let crew = Arc::new(Crew::new(setup)?);
    for (n, again) in looks.iter().enumerate() {
        let seen = runtime.block_on(one(&crew, n, again))?;
        told(n, seen);
    }
    Ok(())
}

async fn one(crew: &Arc<Crew>, n: usize, again: &Again) -> Result<Vec<Evidence>, ExecuteError> {
    match again {
        Again::GatesOnBase(base, now) => gates::on_base(crew, at_commit(crew, n, base)?, now).await,
        Again::ChecksOnBase(task, base) => look::on_base(crew, *task, base).await,
        Again::Checks(task, attempt, harvest, measured) => {
            look::after(crew, *task, (*attempt, harvest), measured).await
        }
        Again::Gates(commit, measured, now) => {
            let look = at_commit(crew, n, commit)?;
            gates::after(crew, look, now, measured, false).await
        }
    }
}

fn at_commit(crew: &Crew, n: usize, commit: &Commit) -> Result<Look, ExecuteError> {
    let tree = crew.setup.store.tree_of(&id(commit)?)?;
    Ok(Look {
        label: format!("again-{n}"),
        commit: commit.clone(),
        tree: Tree::from(tree.as_str()),
    })
}
