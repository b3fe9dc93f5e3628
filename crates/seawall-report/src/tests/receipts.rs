//! Receipts of random walks: a chain only grows at its end, and says what the view says.

use seawall_core::event::Event;
use seawall_core::ids::Digest;
use seawall_core::scheduler::Outcome;

use super::world::Run;
use crate::audit::taken;
use crate::junit::junit;
use crate::receipt::{AttemptBody, Body, Entry, Receipt, receipts, statement};
use crate::report::{Folding, report, report_markdown, report_text};
use crate::status::Liveness;
use crate::view::Fate;

/// The records of a run, with sums of their own.
fn entries<'a>(run: &'a Run, sums: &'a [Digest]) -> Vec<Entry<'a>> {
    let all = (0..).zip(&run.events).zip(sums);
    let entry = |((seq, (_, event)), sum): ((u64, &'a (u64, Event)), &'a Digest)| Entry {
        seq,
        sum: &sum.0,
        event,
    };
    all.map(entry).collect()
}

/// The receipts of the first `length` records.
fn chain(run: &Run, sums: &[Digest], length: usize) -> Vec<Receipt> {
    receipts(
        Some(run.view.plan()),
        entries(run, sums).into_iter().take(length),
    )
}

/// Everything that receipts and reports promise of a run.
pub(super) fn fit(run: &Run) {
    let sums: Vec<_> = (0..run.events.len())
        .map(|n| Digest::of(&n.to_ne_bytes()))
        .collect();
    let whole = chain(run, &sums, sums.len());
    let texts: Vec<_> = whole.iter().map(Receipt::text).collect();
    for length in [
        0,
        sums.len() / 3,
        sums.len() / 2,
        sums.len().saturating_sub(1),
    ] {
        let part: Vec<_> = chain(run, &sums, length)
            .iter()
            .map(Receipt::text)
            .collect();
        assert_eq!(part, texts[..part.len()], "a chain only grows at its end");
    }
    for ((one, text), next) in whole.iter().zip(&texts).zip(whole.iter().skip(1)) {
        assert_eq!(next.previous, Digest::of(text.as_bytes()));
        assert_eq!(next.number, one.number + 1);
        assert!(next.record.seq >= one.record.seq);
    }
    points_fit(run, &whole);
    attempts_fit(run, &whole);
    told(run, &whole);
    assert!(taken(entries(run, &sums)).len() >= run.view.checkpoints().len());
}

fn points_fit(run: &Run, chain: &[Receipt]) {
    let points: Vec<_> = chain.iter().filter_map(Receipt::point).collect();
    assert_eq!(points.len(), run.view.checkpoints().len());
    for (point, seen) in points.iter().zip(run.view.checkpoints()) {
        assert_eq!(point.commit, seen.commit);
        assert!(!point.gates.is_empty() && !point.journal.is_empty());
        assert_eq!(point.tasks.len(), seen.tasks.len());
        for (landed, ix) in point.tasks.iter().zip(&seen.tasks) {
            let last = run.view.task(*ix).last().unwrap();
            assert_eq!(landed.attempt, Some(last.number));
            assert_eq!(
                landed.harvest.as_ref(),
                last.change().map(|change| &change.commit)
            );
            let named = chain.iter().map(|receipt| &receipt.previous);
            assert!(
                named
                    .into_iter()
                    .any(|previous| Some(previous) == landed.receipt.as_ref())
            );
        }
    }
}

fn attempts_fit(run: &Run, chain: &[Receipt]) {
    let attempts: Vec<&AttemptBody> = chain
        .iter()
        .filter_map(|receipt| match &receipt.body {
            Body::Attempt(attempt) => Some(&**attempt),
            _ => None,
        })
        .collect();
    for body in &attempts {
        let ix = run.view.find(&body.task).unwrap();
        // A change whose attempt is over can still be held, or land after its siblings or a person have spoken.
        let words: &[&str] = match &run.view.task(ix).attempt(body.attempt).unwrap().fate {
            Fate::Passed | Fate::Landed(_) | Fate::Culprit { .. } => {
                &["passed", "needs-human", "rejected"]
            }
            Fate::NeedsHuman => &["needs-human", "passed"],
            Fate::Rejected(_) => &["rejected"],
            Fate::Stuck => &["stuck", "rejected"],
            Fate::Lost | Fate::Live(_) => &["lost"],
        };
        assert!(words.contains(&body.verdict.word), "{words:?}: {body:?}");
    }
    if run.scheduler.outcome() == Some(Outcome::Finished) {
        let tasks = run.view.plan().each_task();
        let made: usize = tasks.map(|(ix, _)| run.view.task(ix).attempts.len()).sum();
        assert_eq!(attempts.len(), made);
    }
}

fn told(run: &Run, chain: &[Receipt]) {
    let (view, scheduler) = (&run.view, &run.scheduler);
    let report = report(
        view,
        scheduler,
        Liveness::Dead,
        chain,
        Folding::default().finish(),
    );
    assert_eq!(report.tasks.len(), view.plan().tasks.len());
    assert!(
        report_text(&report)
            .lines()
            .all(|line| line.chars().count() < 1000)
    );
    assert!(report_markdown(&report).contains("\n## Every task\n"));
    serde_json::to_value(&report).unwrap();
    assert!(junit(view, scheduler).ends_with("</testsuites>\n"));
    for receipt in chain {
        let with = statement(receipt).is_some();
        let without = matches!(&receipt.body, Body::Attempt(attempt) if attempt.after.is_empty());
        assert!(with || without);
    }
}
