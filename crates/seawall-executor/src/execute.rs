//! One arm per effect, in the order of the flow.
//!
//! Each arm is safe to do twice: it begins by removing what an earlier, interrupted try of the same effect
//! may have left, or finds that the effect is already done.

use std::sync::Arc;

use seawall_core::effect::Effect;
use seawall_core::event::Event;
use seawall_core::evidence::{Change, Harvest};
use seawall_core::finding::{Severity, worst};
use seawall_core::ids::{AttemptNo, Commit, Digest, TaskIx, Tree, WaveNo};
use seawall_core::path::{RepoPath, escape};
use seawall_git::{Changed, Drifts, Label, Owned, TreeId};

use crate::context::Context;
use crate::crew::{Crew, commit, id};
use crate::error::{ExecuteError, at};
use crate::look::Look;
use crate::prepare::{self, Prepared};
use crate::{findings, gates, look, probe, review, sense, work, workspace};

/// Does `effect`; the event that answers it, unless another effect's event does.
pub(crate) async fn execute(
    crew: &Arc<Crew>,
    effect: Effect,
    context: Context,
) -> Result<Option<Event>, ExecuteError> {
    let event = match effect {
        Effect::PrepareWave { wave, round, base } => {
            let prepared = blocking(crew, move |crew| {
                prepare::wave(crew, &base, &context.members)
            });
            let Prepared {
                problems,
                moved,
                settings,
            } = prepared.await?;
            Event::WavePrepared {
                wave,
                round,
                problems,
                workspaces: crew.setup.workspaces,
                moved,
                settings,
            }
        }
        Effect::Baseline { task, base } => {
            let evidence = look::on_base(crew, task, &base).await?;
            Event::Baselined { task, evidence }
        }
        Effect::OpenWorkspace {
            task,
            attempt,
            base,
        } => {
            let open = move |crew: &Crew| {
                open_workspace(crew, task, attempt, &base)?;
                findings::of_context(crew, task, &base)
            };
            let findings = blocking(crew, open).await?;
            Event::WorkspaceOpened { attempt, findings }
        }
        Effect::LaunchWorker {
            task,
            attempt,
            base,
        } => {
            let end = work::run(crew, task, attempt, base, context.feedback).await?;
            Event::WorkerEnded { attempt, end }
        }
        Effect::StopWorker { attempt } => {
            crew.stop(attempt)
                .map_err(at("stop a worker in", crew.setup.place.root()))?;
            return Ok(None);
        }
        Effect::Harvest {
            task,
            attempt,
            base,
        } => {
            let harvest = blocking(crew, move |crew| harvest(crew, task, attempt, &base)).await?;
            Event::Harvested { attempt, harvest }
        }
        Effect::Verify {
            task,
            attempt,
            harvest,
        } => {
            let at = harvest.clone();
            let find = move |crew: &Crew| findings::of_change(crew, task, &at, &context.claim);
            let findings = blocking(crew, find).await?;
            let evidence = match worst(&findings) {
                Some(Severity::Block) => Vec::new(),
                _ => look::after(crew, task, (attempt, &harvest), &context.measured).await?,
            };
            crew.note(task, attempt, &evidence);
            Event::Verified {
                attempt,
                evidence,
                findings,
            }
        }
        Effect::Review {
            task,
            attempt,
            harvest,
        } => {
            let review = review::run(crew, task, attempt, harvest, &context.measured).await?;
            Event::Reviewed { attempt, review }
        }
        Effect::Probe {
            task,
            attempt,
            probe,
            base,
            harvest,
            ..
        } => {
            let at = probe::At {
                label: format!("probe-{attempt}.{probe}"),
                base,
                harvest,
                on: context.harvests,
            };
            let evidence = probe::run(crew, task, at, &context.measured).await?;
            crew.note(task, attempt, &evidence);
            Event::Probed {
                attempt,
                probe,
                evidence,
            }
        }
        Effect::DiscardWorkspace { attempt } => {
            let room = crew.setup.place.attempt(attempt);
            blocking(crew, move |crew| crew.trash.throw(&room.root)).await?;
            Event::WorkspaceDiscarded { attempt }
        }
        Effect::Integrate {
            wave,
            round,
            trial,
            base,
            ..
        } => {
            let (tree, whole) =
                blocking(crew, move |crew| compose(crew, &base, &context.harvests)).await?;
            let look = Look {
                label: format!("wave-{wave}.{round}.{trial}"),
                commit: whole,
                tree: tree.clone(),
            };
            let evidence = if wave == WaveNo(0) {
                gates::on_base(crew, look, &context.gates).await?
            } else {
                gates::after(crew, look, &context.gates, &context.measured, trial > 1).await?
            };
            Event::Integrated {
                wave,
                round,
                trial,
                tree,
                evidence,
            }
        }
        Effect::Sense {
            wave,
            round,
            task,
            tree,
            harvest,
        } => {
            let label = format!("sense-{wave}.{round}.{}", task.0);
            let tip = context.tip.unwrap_or_else(|| crew.setup.base.clone());
            let evidence = sense::run(crew, task, (label, tip), tree, harvest).await?;
            Event::Sensed {
                wave,
                round,
                task,
                evidence,
            }
        }
        Effect::Checkpoint {
            wave,
            round,
            base,
            tree,
            tasks,
        } => {
            let make = move |crew: &Crew| {
                checkpoint(crew, (wave, round), &base, &tree, &tasks, &context.head)
            };
            Event::Checkpointed {
                wave,
                round,
                commit: blocking(crew, make).await?,
            }
        }
    };
    Ok(Some(event))
}

/// Runs `work` where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    crew: &Arc<Crew>,
    work: impl FnOnce(&Crew) -> Result<T, ExecuteError> + Send + 'static,
) -> Result<T, ExecuteError> {
    let crew = Arc::clone(crew);
    let done = tokio::task::spawn_blocking(move || work(&crew)).await;
    done.unwrap_or_else(|e| Err(ExecuteError::Lost(e.to_string())))
}

fn open_workspace(
    crew: &Crew,
    task: TaskIx,
    attempt: AttemptNo,
    base: &Commit,
) -> Result<(), ExecuteError> {
    let room = crew.setup.place.attempt(attempt);
    let creates = bytes(&crew.setup.plan.task(task).creates);
    workspace::open(crew, &room, base, &creates)
}

fn harvest(
    crew: &Crew,
    task: TaskIx,
    attempt: AttemptNo,
    base: &Commit,
) -> Result<Harvest, ExecuteError> {
    let setup = &crew.setup;
    let body = setup.plan.task(task);
    let room = setup.place.attempt(attempt);
    for path in &body.deletes {
        workspace::delete(&room, path)?;
    }
    let owned = Owned {
        files: bytes(&body.files),
        creates: bytes(&body.creates),
        deletes: bytes(&body.deletes),
    };
    let label = Label::new(&["runs", &setup.run, "harvests", &attempt.to_string()])?;
    let found = workspace::harvest(crew, &room, base, &owned, &label)?;
    Ok(match found {
        seawall_git::Harvest::Empty => Harvest::Empty,
        seawall_git::Harvest::Changed(changed) => Harvest::Changed(change(&changed)),
        seawall_git::Harvest::Missing(missing) => Harvest::Missing {
            what: missing
                .iter()
                .map(|m| format!("{} {}", show(&m.path), m.what))
                .collect(),
        },
        seawall_git::Harvest::Drift(drifts) => drift(&drifts),
    })
}

/// What is not looked at, and the promises, are told in the same list: what comes first is shown everywhere.
fn drift(drifts: &Drifts) -> Harvest {
    let early = (!drifts.complete).then(|| "at least: the search ended early".to_owned());
    let list = drifts.list.iter().take(32);
    let list = list.map(|d| format!("{} {}", show(&d.path), d.what));
    let missing = drifts.missing.iter().take(32);
    let missing = missing.map(|m| format!("{} {}", show(&m.path), m.what));
    Harvest::Drift {
        what: early.into_iter().chain(list).chain(missing).collect(),
        total: drifts.total,
    }
}

fn change(changed: &Changed) -> Change {
    let line = |c: &seawall_git::Change| {
        let after = c.after.as_ref().map_or("", |blob| blob.as_str());
        format!("{}\0{after}\n", show(&c.path))
    };
    Change {
        commit: commit(&changed.commit),
        tree: Tree::from(changed.tree.as_str()),
        digest: Digest::of(
            changed
                .changes
                .iter()
                .map(line)
                .collect::<String>()
                .as_bytes(),
        ),
        paths: changed.changes.iter().map(|c| show(&c.path)).collect(),
        insertions: changed.stat.insertions as u64,
        deletions: changed.stat.deletions as u64,
    }
}

/// The harvests put on `base`: the tree, and a commit of it to open workspaces from.
fn compose(
    crew: &Crew,
    base: &Commit,
    harvests: &[Commit],
) -> Result<(Tree, Commit), ExecuteError> {
    let (store, parent) = (&crew.setup.store, id(base)?);
    if harvests.is_empty() {
        return Ok((Tree::from(store.tree_of(&parent)?.as_str()), base.clone()));
    }
    let harvests = harvests.iter().map(id).collect::<Result<Vec<_>, _>>()?;
    let tree = store.compose(&parent, &harvests)?;
    let whole = store.scratch_commit(&tree, &parent, "seawall: trial\n", crew.setup.began)?;
    Ok((Tree::from(tree.as_str()), commit(&whole)))
}

fn checkpoint(
    crew: &Crew,
    (wave, round): (WaveNo, u32),
    base: &Commit,
    tree: &Tree,
    tasks: &[TaskIx],
    head: &str,
) -> Result<Commit, ExecuteError> {
    let setup = &crew.setup;
    let (parent, tree): (_, TreeId) = (id(base)?, tree.0.parse()?);
    let title = trailers(crew, wave, round, tasks);
    if let Some(made) = already_made(crew, &parent, &tree, &title.mark)? {
        return Ok(made);
    }
    let message = format!("{}Seawall-Journal: {head}\n", title.text);
    Ok(commit(&setup.store.checkpoint(
        &parent,
        &tree,
        &message,
        &setup.branch,
        setup.began,
    )?))
}

/// A checkpoint's message without its last trailer.
struct Message {
    text: String,
    /// The trailers that say which checkpoint it is.
    mark: String,
}

fn trailers(crew: &Crew, wave: WaveNo, round: u32, tasks: &[TaskIx]) -> Message {
    let (setup, count) = (&crew.setup, tasks.len());
    let noun = if count == 1 { "task" } else { "tasks" };
    let mark = format!(
        "Seawall-Run: {}\nSeawall-Wave: {wave}\nSeawall-Round: {round}\n",
        setup.run
    );
    let mut text = format!(
        "{}: wave {wave}, {count} {noun}\n\n{}\n\n{mark}",
        setup.plan.name,
        setup.plan.goal.trim()
    );
    for task in tasks {
        text.push_str(&format!("Seawall-Task: {}\n", setup.plan.task(*task).id));
    }
    Message { text, mark }
}

/// The branch's tip, when a try of this very checkpoint put it there before a crash. The journal's digest in
/// its message is then that of the first try.
fn already_made(
    crew: &Crew,
    parent: &seawall_git::CommitId,
    tree: &TreeId,
    mark: &str,
) -> Result<Option<Commit>, ExecuteError> {
    let store = &crew.setup.store;
    let Some(tip) = store.tip(&crew.setup.branch)? else {
        return Ok(None);
    };
    let facts = store.facts(&tip)?;
    let same =
        facts.parents == [parent.clone()] && facts.tree == *tree && facts.message.contains(mark);
    Ok(same.then(|| commit(&tip)))
}

/// A path as plans and status write it.
fn show(path: &[u8]) -> String {
    let mut text = String::new();
    let _ = escape(path, &mut text); // a String takes every write
    text
}

pub(crate) fn bytes(paths: &[RepoPath]) -> Vec<Vec<u8>> {
    paths.iter().map(|path| path.as_bytes().to_vec()).collect()
}
