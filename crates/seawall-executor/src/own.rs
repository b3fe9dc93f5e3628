//! What a check is worth whose change touches files of the judge: it is run once more with those files as on the base.
//!
//! Only such changes cost anything: one more run of each check that passes.

use std::sync::Arc;

use seawall_core::evidence::{Evidence, Own, Value};
use seawall_core::ids::{Commit, TaskIx};
use seawall_core::path::RepoPath;
use seawall_git::CommitId;
use seawall_verify::{judges_file, judges_part_changed};

use crate::crew::{Crew, commit, id};
use crate::error::ExecuteError;
use crate::execute::blocking;
use crate::look::{self, Look};

/// What the change of a harvest is without its files of the judge.
enum Theirs {
    /// It has none.
    Nothing,
    /// It has nothing else.
    All,
    /// The task owns nothing else: they are what it is about.
    Subject,
    /// The tree without them, as a commit.
    Some(Commit),
}

/// Says of each record that passes at `whole`, a tree with the change of `harvest`, whether it does so without the task's own
/// version of the judge's files. Where something is red already, nobody needs to know.
pub(crate) async fn weigh(
    crew: &Arc<Crew>,
    ix: TaskIx,
    (whole, harvest): (&Look, &Commit),
    evidence: &mut [Evidence],
    measured: &[Evidence],
) -> Result<(), ExecuteError> {
    let red = evidence.iter().any(|e| e.value == Value::Fail);
    if red || !evidence.iter().any(Evidence::passes) {
        return Ok(());
    }
    let label = format!("own-{}", whole.label);
    let (all, at, part) = (whole.commit.clone(), harvest.clone(), label.clone());
    let find = move |crew: &Crew| without(crew, ix, (&all, &at), &part);
    let without = blocking(crew, find).await?;
    let again = match without {
        Theirs::Nothing => return Ok(()),
        Theirs::All => Vec::new(),
        Theirs::Subject => {
            by_their_tests(evidence);
            return Ok(());
        }
        Theirs::Some(commit) => {
            let look = Look::at(crew, label, &commit).await?;
            let task = crew.setup.plan.task(ix);
            let passed = |n: &u32| evidence.iter().any(|e| e.criterion == *n && e.passes());
            let criteria = look::numbered(task).filter(|(n, _)| passed(n)).collect();
            let again = look::some(crew, task, &look, criteria, measured).await?;
            look.forget(crew).await?;
            again
        }
    };
    for record in evidence.iter_mut().filter(|e| e.passes()) {
        let stands = |e: &&Evidence| e.criterion == record.criterion && e.passes();
        record.own = Some(match again.iter().find(stands) {
            Some(_) => Own::NotNeeded,
            None => Own::Needed,
        });
    }
    Ok(())
}

/// A formatter or a search that looks at tests does not look by them. What counted tests, of which the task may have made
/// any number, does.
fn by_their_tests(evidence: &mut [Evidence]) {
    let counted = |e: &&mut Evidence| e.passes() && e.tests.is_some();
    for record in evidence.iter_mut().filter(counted) {
        record.own = Some(Own::Needed);
    }
}

fn without(
    crew: &Crew,
    ix: TaskIx,
    (whole, harvest): (&Commit, &Commit),
    label: &str,
) -> Result<Theirs, ExecuteError> {
    let (store, after) = (&crew.setup.store, id(harvest)?);
    let (facts, whole) = (store.facts(&after)?, store.facts(&id(whole)?)?);
    let lost = || ExecuteError::Lost(format!("harvest `{harvest}` has no base"));
    let before = facts.parents.first().ok_or_else(lost)?;
    let base = whole.parents.first().ok_or_else(lost)?;
    let task = crew.setup.plan.task(ix);
    let commands: Vec<_> = task.criteria().filter_map(|c| c.run.as_deref()).collect();
    let (mut theirs, mut others) = (Vec::new(), 0);
    for change in store.changed_between(before, &after)? {
        match is_theirs(crew, &commands, (before, &after), &change.path)? {
            true => theirs.push(change.path),
            false => others += 1,
        }
    }
    if theirs.is_empty() {
        return Ok(Theirs::Nothing);
    }
    let own = |path: &[u8]| theirs.iter().any(|theirs| theirs == path);
    if others == 0 {
        let judges = |path: &RepoPath| judges_file(path, &commands).is_some();
        let only = task
            .owned()
            .all(|path| own(path.as_bytes()) || judges(path));
        return Ok(if only { Theirs::Subject } else { Theirs::All });
    }
    let tree = store.put_back(&whole.tree, &after, own)?;
    let message = format!("seawall: {label}\n");
    let made = store.scratch_commit(&tree, base, &message, crew.setup.began)?;
    Ok(Theirs::Some(commit(&made)))
}

/// Whether the changed file is the judge's, or what changed in it is.
fn is_theirs(
    crew: &Crew,
    commands: &[&str],
    (before, after): (&CommitId, &CommitId),
    path: &[u8],
) -> Result<bool, ExecuteError> {
    let Ok(path) = RepoPath::new(path) else {
        return Ok(false); // no task owns such a path
    };
    if judges_file(&path, commands).is_some() {
        return Ok(true);
    }
    let store = &crew.setup.store;
    let before = store.read(before, path.as_bytes())?;
    let after = store.read(after, path.as_bytes())?;
    Ok(judges_part_changed(
        &path,
        before.as_deref(),
        after.as_deref(),
    ))
}
