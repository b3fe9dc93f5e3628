//! `seawall gc`: removes what ended runs left on disk.
//!
//! Only what the journal proves to be over: runs in which every task has its verdict and no change waits for a person, and
//! runs that are abandoned by name. Checkpoints stay on the run's branch. A harvest that did not land stays reachable below
//! `refs/seawall/rescue/`; only then is its run removed. The base that is kept for the next run goes too.

use std::collections::BTreeSet;
use std::path::Path;

use seawall_core::scheduler::Standing;
use seawall_core::verdict::Verdict;
use seawall_core::words::many;
use seawall_executor::{common_trash, kept_base};
use seawall_git::{Store, remove_workspace};
use serde_json::json;

use crate::args::GcArgs;
use crate::failure::{FINE, Failure};
use crate::output;
use crate::runs::{self, RunDir};

/// What became of one run.
struct Swept {
    run: String,
    removed: bool,
    rescued: usize,
    why: &'static str,
}

pub(crate) fn run(store: &Store, args: &GcArgs) -> Result<u8, Failure> {
    let abandon = args
        .abandon
        .as_deref()
        .map(|name| runs::find(store, Some(name)))
        .transpose()?;
    let mut swept = Vec::new();
    for dir in runs::all(store)? {
        let abandoned = abandon.as_ref().is_some_and(|run| run.id == dir.id);
        swept.push(sweep(store, &dir, abandoned, args.dry_run)?);
    }
    let root = runs::root(store);
    let base = kept_base(&root);
    let kept = base.exists();
    if !args.dry_run {
        remove_workspace(&base)?;
        remove_workspace(&common_trash(&root))?;
    }
    for dir in runs::stillborn(store) {
        swept.push(bury(&dir, args.dry_run)?);
    }
    if args.json {
        let all: Vec<_> = swept
            .iter()
            .map(
                |s| json!({"run": s.run, "removed": s.removed, "rescued": s.rescued, "why": s.why}),
            )
            .collect();
        output::say_json(&json!({"dry_run": args.dry_run, "runs": all, "base": kept}));
    } else {
        output::say(&text(&swept, kept, args.dry_run));
    }
    Ok(FINE)
}

fn sweep(store: &Store, dir: &RunDir, abandoned: bool, dry: bool) -> Result<Swept, Failure> {
    let kept = |why| {
        Ok(Swept {
            run: dir.id.clone(),
            removed: false,
            rescued: 0,
            why,
        })
    };
    if dir.is_alive() {
        return kept("somebody works on it");
    }
    let read = dir.read();
    let over = read
        .as_ref()
        .is_ok_and(|run| run.scheduler.over() || run.scheduler.refused());
    let waits = read
        .as_ref()
        .is_ok_and(|run| over && run.scheduler.held_tasks() > 0);
    if (!over || waits) && !abandoned {
        return kept(match &read {
            Ok(_) if waits => "a change of it waits for a person",
            Ok(_) => "it can be resumed",
            Err(_) => "its journal cannot be read",
        });
    }
    let _lock = dir.lock()?;
    dir.place.lay_ghosts()?;
    let harvests = store.list_refs(&format!("refs/seawall/runs/{}", dir.id))?;
    let landed: BTreeSet<String> = read.map(|run| accepted(&run)).unwrap_or_default();
    let rescue: Vec<_> = harvests
        .iter()
        .filter(|(_, commit)| !landed.contains(commit.as_str()))
        .collect();
    if !dry {
        for (name, commit) in &rescue {
            let attempt = name.rsplit('/').next().unwrap_or_default();
            store.set_ref(&format!("refs/seawall/rescue/{}/{attempt}", dir.id), commit)?;
        }
        store.delete_refs(&format!("refs/seawall/runs/{}", dir.id))?;
        dir.place.tidy()?;
        remove_workspace(dir.place.root())?;
    }
    let why = if over {
        "every task has its verdict"
    } else {
        "abandoned"
    };
    Ok(Swept {
        run: dir.id.clone(),
        removed: true,
        rescued: rescue.len(),
        why,
    })
}

/// Removes what is left of a run that was never begun.
fn bury(dir: &Path, dry: bool) -> Result<Swept, Failure> {
    if !dry {
        remove_workspace(dir)?;
    }
    let name = dir.file_name().unwrap_or_default();
    Ok(Swept {
        run: name.to_string_lossy().into_owned(),
        removed: true,
        rescued: 0,
        why: "it was never begun",
    })
}

/// The harvests that stand in a checkpoint.
fn accepted(run: &runs::Replayed) -> BTreeSet<String> {
    let plan = run.scheduler.plan();
    let landed = plan.each_task().filter(|(ix, _)| {
        matches!(
            run.scheduler.standing(*ix),
            Standing::Ended(Verdict::Accepted)
        )
    });
    landed
        .filter_map(|(ix, _)| Some(run.view.task(ix).landed()?.commit.0.to_string()))
        .collect()
}

fn text(swept: &[Swept], base: bool, dry: bool) -> String {
    let verb = if dry { "would be removed" } else { "removed" };
    let mut text = String::new();
    for run in swept {
        text.push_str(&match (run.removed, run.rescued) {
            (false, _) => format!("run {}  kept: {}\n", run.run, run.why),
            (true, 0) => format!("run {}  {verb}: {}\n", run.run, run.why),
            (true, n) => {
                let harvests = many(n, "harvest");
                let kept = format!(
                    "{harvests} that did not land: refs/seawall/rescue/{}/",
                    run.run
                );
                format!("run {}  {verb}: {}; kept: {kept}\n", run.run, run.why)
            }
        });
    }
    if base {
        text.push_str(&format!(
            "base  {verb}: the next run writes all its files\n"
        ));
    } else if swept.is_empty() {
        text.push_str("there is no run in this repository\n");
    }
    text
}
