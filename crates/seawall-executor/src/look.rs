//! What a task's criteria show: on the base, and on its harvest.
//!
//! Each criterion is looked at in a workspace of its own (`once`), and the checks of one task side by side. Holdouts come
//! after all checks, and only when these pass: what a worker must not learn is looked at as seldom as can be.

use std::sync::Arc;

use seawall_core::evidence::{Evidence, Value};
use seawall_core::fill::shell;
use seawall_core::ids::{AttemptNo, Commit, TaskIx, Tree};
use seawall_core::path::RepoPath;
use seawall_core::plan::{Criterion, Proof, Task};
use seawall_verify::manual;

use crate::answers::{self, Judged, Question};
use crate::crew::{Crew, id};
use crate::error::ExecuteError;
use crate::execute::blocking;
use crate::once::Once;
use crate::own;

/// Where to look.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// Names the workspace and the logs.
    pub(crate) label: String,
    /// What the workspace holds.
    pub(crate) commit: Commit,
    /// Its tree, for the record.
    pub(crate) tree: Tree,
}

impl Look {
    /// A look at a commit.
    pub(crate) async fn at(
        crew: &Arc<Crew>,
        label: String,
        commit: &Commit,
    ) -> Result<Self, ExecuteError> {
        let at = commit.clone();
        let find = move |crew: &Crew| Ok(crew.setup.store.tree_of(&id(&at)?)?);
        Ok(Self {
            label,
            commit: commit.clone(),
            tree: Tree::from(blocking(crew, find).await?.as_str()),
        })
    }

    /// A look at the base of a wave, as many are taken one after the other: its tree is found once.
    async fn at_base(crew: &Arc<Crew>, label: String, base: &Commit) -> Result<Self, ExecuteError> {
        if let Some(tree) = crew.base_tree(base) {
            let commit = base.clone();
            return Ok(Self {
                label,
                commit,
                tree,
            });
        }
        let look = Self::at(crew, label, base).await?;
        crew.note_base_tree(base, &look.tree);
        Ok(look)
    }

    /// Takes away the layer of its commit: nothing is laid over a harvest or a trial again.
    pub(crate) async fn forget(&self, crew: &Arc<Crew>) -> Result<(), ExecuteError> {
        let commit = self.commit.clone();
        blocking(crew, move |crew| crew.bases.forget(&commit, &crew.trash)).await
    }
}

/// Runs a task's criteria on the base.
pub(crate) async fn on_base(
    crew: &Arc<Crew>,
    ix: TaskIx,
    base: &Commit,
) -> Result<Vec<Evidence>, ExecuteError> {
    let task = crew.setup.plan.task(ix);
    if task.criteria().all(|criterion| criterion.run.is_none()) {
        return Ok(Vec::new());
    }
    let look = Look::at_base(crew, format!("base-{}-{}", ix.0, base.short()), base).await?;
    let asked = numbered(task).filter_map(|(n, criterion)| {
        let command = command(criterion, task)?;
        Some(question(&look, n, criterion, command, Judged::OnBase))
    });
    answers::all(crew, asked.collect(), false).await
}

/// Runs a task's criteria on its harvest.
pub(crate) async fn after(
    crew: &Arc<Crew>,
    ix: TaskIx,
    (attempt, harvest): (AttemptNo, &Commit),
    measured: &[Evidence],
) -> Result<Vec<Evidence>, ExecuteError> {
    let look = Look::at(crew, format!("verify-{attempt}"), harvest).await?;
    whole(crew, ix, (&look, harvest), measured).await
}

/// Runs a task's criteria on a tree with the change of its harvest, and weighs what passes.
pub(crate) async fn whole(
    crew: &Arc<Crew>,
    ix: TaskIx,
    (look, harvest): (&Look, &Commit),
    measured: &[Evidence],
) -> Result<Vec<Evidence>, ExecuteError> {
    let mut all = criteria(crew, ix, look, measured).await?;
    look.forget(crew).await?;
    own::weigh(crew, ix, (look, harvest), &mut all, measured).await?;
    Ok(all)
}

/// Runs a task's criteria on a tree with its change: the checks, and when nothing is red the holdouts.
async fn criteria(
    crew: &Arc<Crew>,
    ix: TaskIx,
    look: &Look,
    measured: &[Evidence],
) -> Result<Vec<Evidence>, ExecuteError> {
    let task = crew.setup.plan.task(ix);
    let mut all = checks(crew, ix, look, measured).await?;
    let waits = |e: &Evidence| e.flaky.is_some() || is_manual(task, e.criterion);
    let open = |e: &Evidence| e.passes() || (e.value == Value::CouldNotLook && waits(e));
    if all.iter().all(open) {
        let holdouts = numbered(task).filter(|(n, _)| task.is_holdout(*n));
        all.extend(some(crew, task, look, holdouts.collect(), measured).await?);
    }
    Ok(all)
}

/// Runs a task's checks on a tree with its change.
pub(crate) async fn checks(
    crew: &Arc<Crew>,
    ix: TaskIx,
    look: &Look,
    measured: &[Evidence],
) -> Result<Vec<Evidence>, ExecuteError> {
    let task = crew.setup.plan.task(ix);
    let checks = numbered(task).filter(|(n, _)| !task.is_holdout(*n));
    some(crew, task, look, checks.collect(), measured).await
}

/// Answers some criteria of a task after the work.
pub(crate) async fn some(
    crew: &Arc<Crew>,
    task: &Task,
    look: &Look,
    criteria: Vec<(u32, &Criterion)>,
    measured: &[Evidence],
) -> Result<Vec<Evidence>, ExecuteError> {
    let (mut asked, mut all) = (Vec::new(), Vec::new());
    for (n, criterion) in criteria {
        match command(criterion, task) {
            Some(command) => {
                let judged = Judged::After(before(measured, n));
                asked.push(question(look, n, criterion, command, judged));
            }
            None => all.push(manual(n, look.tree.clone())),
        }
    }
    all.extend(answers::all(crew, asked, false).await?);
    all.sort_by_key(|evidence| evidence.criterion);
    Ok(all)
}

/// What this criterion showed where the work began, if tests were counted there.
pub(crate) fn before(measured: &[Evidence], criterion: u32) -> Option<Box<Evidence>> {
    let found = measured.iter().find(|e| e.criterion == criterion);
    found.cloned().map(Box::new)
}

/// The question that a criterion asks of a tree.
pub(crate) fn question(
    look: &Look,
    number: u32,
    criterion: &Criterion,
    command: Vec<u8>,
    judged: Judged,
) -> Question {
    Question {
        once: Once::of(look, number, criterion, command),
        criterion: criterion.clone(),
        judged,
    }
}

/// A task's criteria with their numbers.
pub(crate) fn numbered(task: &Task) -> impl Iterator<Item = (u32, &Criterion)> {
    (0..).zip(task.criteria())
}

fn is_manual(task: &Task, number: u32) -> bool {
    let criterion = task.criteria().nth(number as usize);
    criterion.is_some_and(|criterion| command(criterion, task).is_none())
}

/// What is run for a criterion of a task; nothing where only a person can look.
pub(crate) fn command(check: &Criterion, task: &Task) -> Option<Vec<u8>> {
    let files: Vec<&RepoPath> = task.files.iter().chain(&task.creates).collect();
    let run = check
        .run
        .as_ref()
        .filter(|_| check.proof != Proof::Manual)?;
    Some(shell(run, &files, &task.id))
}
