//! Probes: whether a change that is red alone is green on top of what its siblings changed.

use std::sync::Arc;

use seawall_core::evidence::{Evidence, Value};
use seawall_core::ids::{Commit, TaskIx, Tree};
use seawall_git::Error as GitError;
use seawall_verify::manual;

use crate::crew::{Crew, commit, id};
use crate::error::ExecuteError;
use crate::execute::blocking;
use crate::look::{self, Look};

/// What is put together.
#[derive(Debug)]
pub(crate) struct At {
    /// Names the look.
    pub(crate) label: String,
    /// What everything is put on.
    pub(crate) base: Commit,
    /// The change that is looked at.
    pub(crate) harvest: Commit,
    /// What it stands on besides.
    pub(crate) on: Vec<Commit>,
}

/// Runs a task's criteria on the composition. A change that does not fit there any more could not be looked at.
pub(crate) async fn run(
    crew: &Arc<Crew>,
    ix: TaskIx,
    at: At,
    measured: &[Evidence],
) -> Result<Vec<Evidence>, ExecuteError> {
    let _turn = crew.turn().await?;
    let (label, base, harvest) = (at.label.clone(), at.base.clone(), at.harvest.clone());
    let composed = match blocking(crew, move |crew| compose(crew, &at)).await {
        Err(ExecuteError::Git(error)) if error.does_not_fit() => {
            let look = Look::at(crew, label, &base).await?;
            return Ok(vec![misfit(look.tree, &error)]);
        }
        composed => composed?,
    };
    let look = Look::at(crew, label, &composed).await?;
    look::whole(crew, ix, (&look, &harvest), measured).await
}

fn compose(crew: &Crew, at: &At) -> Result<Commit, ExecuteError> {
    let (store, base) = (&crew.setup.store, id(&at.base)?);
    let all = at.on.iter().chain([&at.harvest]).map(id);
    let tree = store.compose(&base, &all.collect::<Result<Vec<_>, _>>()?)?;
    let message = format!("seawall: {}\n", at.label);
    let whole = store.scratch_commit(&tree, &base, &message, crew.setup.began)?;
    Ok(commit(&whole))
}

/// The one record of a change that does not fit.
fn misfit(tree: Tree, error: &GitError) -> Evidence {
    Evidence {
        value: Value::CouldNotLook,
        why: format!("the change does not fit there: {error}"),
        ..manual(0, tree)
    }
}
