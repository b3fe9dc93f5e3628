//! Findings as people read them: the worst first, a line each.

use seawall_core::finding::{Finding, Severity};
use seawall_core::ids::TaskIx;
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::Verdict;

use crate::view::{AttemptView, View};
use crate::words::{count, few, name, pad, shown};

/// Findings of one attempt that are told.
const MOST: usize = 12;
/// Accepted tasks whose notes are told in the final report.
const TASKS: usize = 12;

/// `SW0513 note  src/a.py:12  prints`.
fn line(finding: &Finding) -> String {
    let place = shown(&finding.place(), 200);
    let gap = if place.is_empty() { "" } else { "  " };
    let because = finding.because.as_ref();
    let because = because.map_or_else(String::new, |why| format!("  (plan: {})", shown(why, 160)));
    format!(
        "{} {}  {place}{gap}{}{because}",
        shown(&finding.code, 16),
        pad(finding.severity.word(), 5),
        shown(&finding.text, 240)
    )
}

/// A line for each, the worst first; of very many the first.
pub(crate) fn lines(findings: &[Finding]) -> Vec<String> {
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut lines: Vec<_> = sorted.iter().take(MOST).map(|f| line(f)).collect();
    if sorted.len() > MOST {
        lines.push(format!("… {} more", sorted.len() - MOST));
    }
    lines
}

/// `its change is not acceptable: src/a.py:1 a merge marker was left in (SW0501)`.
pub(crate) fn sentence(blocking: &[Finding]) -> String {
    let all = few(blocking.iter().map(brief), 3, ", ");
    format!("its change is not acceptable: {all}")
}

/// The findings of one code that hold an attempt, in a few words each.
pub(crate) fn held(attempt: &AttemptView, code: &str) -> Vec<String> {
    let holds = |finding: &&Finding| finding.severity == Severity::Hold && finding.code == code;
    attempt.findings.iter().filter(holds).map(brief).collect()
}

fn brief(finding: &Finding) -> String {
    let place = shown(&finding.place(), 160);
    let gap = if place.is_empty() { "" } else { " " };
    format!(
        "{place}{gap}{} ({})",
        shown(&finding.text, 160),
        shown(&finding.code, 16)
    )
}

/// `  3 findings`, or nothing.
pub(crate) fn tally(findings: &[Finding]) -> String {
    match findings.len() as u64 {
        0 => String::new(),
        n => format!("  {}", count(n, "finding")),
    }
}

/// The notes on what was accepted: nobody else would read them.
pub(crate) fn noted(view: &View, scheduler: &Scheduler, lines: &mut Vec<String>) {
    let accepted = |ix: &TaskIx| *scheduler.standing(*ix) == Standing::Ended(Verdict::Accepted);
    let tasks = view.plan().each_task().filter(|(ix, _)| accepted(ix));
    let with = |(ix, task)| {
        let last = view
            .task(ix)
            .last()
            .filter(|last| !last.findings.is_empty());
        last.map(|last| (task, last))
    };
    let all: Vec<(&seawall_core::plan::Task, &AttemptView)> = tasks.filter_map(with).collect();
    if all.is_empty() {
        return;
    }
    lines.push(String::new());
    for (n, (task, last)) in all.iter().take(TASKS).enumerate() {
        let word = if n == 0 { "noted" } else { "" };
        lines.push(
            format!("{} {}", pad(word, 11), name(&task.id))
                .trim_end()
                .to_owned(),
        );
        lines.extend(
            self::lines(&last.findings)
                .iter()
                .map(|text| format!("{} {text}", pad("", 11))),
        );
    }
    if all.len() > TASKS {
        let more = count((all.len() - TASKS) as u64, "task");
        lines.push(format!("{} … and those of {more} more", pad("", 11)));
    }
}
