//! `seawall report`: a run by exception. Here the accepted changes are read, one at a time; all else is in `seawall_report`.

use seawall_core::ids::{Commit, TaskIx};
use seawall_git::Store;
use seawall_report::report::{Folding, Shapes, accepted, report, report_markdown, report_text};
use seawall_report::status::Liveness;

use crate::args::{ReportArgs, ReportFormat};
use crate::failure::{FINE, Failure};
use crate::output;
use crate::runs::{self, Replayed};

/// Bytes of one change that are read.
const LONGEST: usize = 1 << 20;
/// Bytes of all changes together.
const ALL: usize = 256 << 20;

pub(crate) fn run(store: &Store, args: &ReportArgs) -> Result<u8, Failure> {
    let dir = runs::find(store, args.run.as_deref())?;
    // Asked before reading: a run that ends in between is then told as it ended.
    let liveness = match dir.is_alive() {
        true => Liveness::Alive,
        false => Liveness::Dead,
    };
    let run = dir.read()?;
    let chain = super::receipt::chain(&run);
    let shapes = shapes(store, &run)?;
    let report = report(&run.view, &run.scheduler, liveness, &chain, shapes);
    match args.format {
        ReportFormat::Text => output::say(&report_text(&report)),
        ReportFormat::Markdown => output::say(&report_markdown(&report)),
        ReportFormat::Json => {
            let value = serde_json::to_value(&report);
            output::say_json(&value.map_err(|e| Failure::failed(e.to_string()))?);
        }
    }
    Ok(FINE)
}

/// The hunks of accepted changes, folded.
fn shapes(store: &Store, run: &Replayed) -> Result<Shapes, Failure> {
    let (mut folding, mut left) = (Folding::default(), ALL);
    for ix in accepted(&run.view, &run.scheduler) {
        let Some(diff) = diff(store, run, ix, left.min(LONGEST))? else {
            continue;
        };
        left = left.saturating_sub(diff.len());
        folding.add(&run.scheduler.plan().task(ix).id, &diff);
    }
    Ok(folding.finish())
}

fn diff(store: &Store, run: &Replayed, ix: TaskIx, cap: usize) -> Result<Option<String>, Failure> {
    let Some(change) = run.view.task(ix).landed() else {
        return Ok(None);
    };
    let id = |commit: &Commit| commit.0.parse();
    let harvest = id(&change.commit)?;
    match store.facts(&harvest)?.parents.first() {
        Some(parent) => Ok(Some(store.diff_text(parent, &harvest, cap)?)),
        None => Ok(None),
    }
}
