//! The report for a terminal: never more than the eye can take.

use seawall_core::evidence::{Grade, ReviewVerdict};

use super::{Report, Row, Synthesis, Weak};
use crate::receipt::Review;
use crate::report::shapes::Shape;
use crate::words::{count, duration, few, many, name, pad, shown};

/// The column in which everything but the first word begins.
const INDENT: usize = 12;
/// Tasks, outliers, shapes and findings that are told in full.
const MOST: usize = 12;
/// Lines of an example.
const EXAMPLE: usize = 4;

/// The report, newline at its end.
#[must_use]
pub fn report_text(report: &Report) -> String {
    let mut lines = vec![first(report)];
    stopped(report, &mut lines);
    attention(report, &mut lines);
    weakest(report, &mut lines);
    outliers(report, &mut lines);
    shapes(report, &mut lines);
    findings(report, &mut lines);
    accepted(report, &mut lines);
    next(report, &mut lines);
    lines.push(String::new());
    lines.join("\n")
}

fn first(report: &Report) -> String {
    format!(
        "{}  run {}  {} after {}: {}",
        name(&report.plan),
        name(&report.run),
        report.state,
        duration(report.wall_ms),
        report.counts.sentence()
    )
}

fn field(word: &str, text: &str) -> String {
    format!("{} {text}", pad(word, INDENT - 1))
        .trim_end()
        .to_owned()
}

/// Adds `items` below one word, the first of them beside it, and how many more there are.
fn block(lines: &mut Vec<String>, word: &str, items: Vec<String>, more: usize) {
    if items.is_empty() {
        return;
    }
    lines.push(String::new());
    for (n, item) in items.iter().enumerate() {
        lines.push(field(if n == 0 { word } else { "" }, item));
    }
    if more > 0 {
        lines.push(field(
            "",
            &format!("… {more} more; `--format json` has them all"),
        ));
    }
}

/// Why nothing was started, or nothing goes on.
fn stopped(report: &Report, lines: &mut Vec<String>) {
    let of = |gate: &crate::status::GateLook| {
        let (kind, says, why) = (gate.kind, name(&gate.says), shown(&gate.look.why, 240));
        format!("{kind}  \"{says}\"  does not pass before any work: {why}")
    };
    block(lines, "base", report.base.iter().map(of).collect(), 0);
    let parked = report.parked.iter().map(|why| shown(why, 400));
    block(lines, "parked", parked.collect(), 0);
}

fn attention(report: &Report, lines: &mut Vec<String>) {
    let find = |id: &String| report.tasks.iter().find(|task| task.task == *id);
    for (n, task) in report.attention.iter().filter_map(find).enumerate() {
        if n == MOST {
            let more = report.attention.len() - MOST;
            lines.push(field(
                "",
                &format!("… {more} more; `--format json` has them all"),
            ));
            return;
        }
        lines.push(String::new());
        let dispatches = match task.dispatches {
            0 => String::new(),
            n => format!("   {}", count(u64::from(n), "dispatch")),
        };
        lines.push(field(
            task.verdict,
            &format!("{}{dispatches}", name(&task.task)),
        ));
        // Without an attempt there is no table that would say it.
        let why = if task.dispatches > 0 {
            &task.beside
        } else {
            &task.why
        };
        if !why.is_empty() {
            lines.push(field("", why));
        }
        if task.dispatches > 0 {
            lines.extend(task.evidence.iter().map(|row| field("", &evidence(row))));
        }
        if let Some(review) = &task.review {
            lines.push(field("", &reviewed(review)));
        }
        if !task.claim.is_empty() && task.verdict != "accepted" {
            lines.push(field(
                "",
                &format!("claim  \"{}\"", shown(&task.claim, 120)),
            ));
        }
    }
}

/// `review  hold: the cache is never emptied`
pub(super) fn reviewed(review: &Review) -> String {
    let verdict = match review.verdict {
        ReviewVerdict::Accept => "accept",
        ReviewVerdict::Hold => "hold",
        ReviewVerdict::Reject => "reject",
    };
    let reasons = review.reasons.iter().map(|reason| shown(reason, 160));
    let reasons = few(reasons, 3, "; ");
    let gap = if reasons.is_empty() { "" } else { ": " };
    format!("review  {verdict}{gap}{reasons}")
}

/// `check  "no alias is left"  base red -> after green, 14 tests`
fn evidence(row: &Row) -> String {
    let tests = row
        .tests
        .map_or_else(String::new, |n| format!(", {}", count(n, "test")));
    let why = match row.after {
        "green" | "not looked at" => String::new(),
        _ => format!(": {}", shown(&row.why, 160)),
    };
    format!(
        "{}  \"{}\"  base {} -> after {}{tests}{why}",
        row.kind,
        name(&row.says),
        row.before,
        row.after
    )
}

fn weakest(report: &Report, lines: &mut Vec<String>) {
    let told = report
        .weakest
        .iter()
        .take(MOST)
        .map(|weak| self::weak(report, weak));
    let more = report.weakest.len().saturating_sub(MOST);
    block(lines, "weakest", told.collect(), more);
    if report.weakest.is_empty() && report.counts.accepted > 0 {
        let all = count(report.counts.accepted as u64, "accepted task");
        let text = format!("nothing stands out: {all}, red before the work and green after it");
        block(lines, "weakest", vec![text], 0);
    }
}

/// `docs   1 check, exit status only (floor: tests); reverting its change turns nothing red`
fn weak(report: &Report, weak: &Weak) -> String {
    let task = report.tasks.iter().find(|task| task.task == weak.task);
    let checks = task.map_or(0, |task| task.evidence.len());
    let floor = weak.floor.filter(|floor| weak.grade < Some(*floor));
    let floor = floor.map_or_else(String::new, |floor| format!(" (floor: {})", floor.word()));
    let why = weak.why.iter().map(|why| format!("; {}", shown(why, 160)));
    format!(
        "{}   {}, {}{floor}{}",
        name(&weak.task),
        many(checks, "check"),
        grade(weak.grade),
        why.collect::<String>()
    )
}

/// What a grade says, in words.
pub(super) fn grade(grade: Option<Grade>) -> &'static str {
    match grade {
        None => "nothing was looked at",
        Some(Grade::Presence) => "only that a file is there",
        Some(Grade::Exit) => "exit status only",
        Some(Grade::Tests) => "tests that were green before as well",
        Some(Grade::RedToGreen) => "red before, green after",
        Some(Grade::Sensitive) => "red again without its change",
    }
}

fn outliers(report: &Report, lines: &mut Vec<String>) {
    let of = |outlier: &super::Outlier| {
        format!("{}   {}", name(&outlier.task), shown(&outlier.what, 240))
    };
    let told = report.outliers.iter().take(MOST).map(of);
    let more = report.outliers.len().saturating_sub(MOST);
    block(lines, "unlike", told.collect(), more);
}

fn shapes(report: &Report, lines: &mut Vec<String>) {
    let shapes = &report.shapes;
    if shapes.hunks == 0 {
        return;
    }
    lines.push(String::new());
    lines.push(field("changes", &folded(report)));
    for shape in shapes.shapes.iter().take(MOST) {
        lines.push(field("", &one(shape)));
        let example = &shape.example;
        let all = example.lines.len() + example.more;
        for line in example.lines.iter().take(EXAMPLE) {
            lines.push(field("", &format!("  {}", shown(line, 120))));
        }
        let more = all.saturating_sub(EXAMPLE.min(example.lines.len()));
        if more > 0 {
            lines.push(field(
                "",
                &format!("  … {} more", count(more as u64, "line")),
            ));
        }
    }
    let rest = shapes.shapes.iter().skip(MOST);
    let (more, hunks) = rest.fold((0, 0), |(n, hunks), shape| (n + 1, hunks + shape.hunks));
    if more > 0 {
        let hunks = many(hunks, "hunk");
        lines.push(field(
            "",
            &format!("… {more} more shapes, {hunks}; `--format json` has them all"),
        ));
    }
}

/// `31 files, 3 shapes`
pub(super) fn folded(report: &Report) -> String {
    let shapes = &report.shapes;
    let cut = match shapes.cut.len() {
        0 => String::new(),
        n => format!("; {} too large to be folded whole", many(n, "change")),
    };
    format!(
        "{}, {}, {}{cut}",
        many(shapes.files, "file"),
        many(shapes.hunks, "hunk"),
        many(shapes.shapes.len(), "shape")
    )
}

/// `28 hunks in 28 files, 1 text, as in src/a.py (types:src/a.py)`
pub(super) fn one(shape: &Shape) -> String {
    let texts = match (shape.hunks, shape.texts) {
        (1, _) => String::new(),
        (_, 1) => ", alike to the letter".to_owned(),
        (_, n) => format!(", {n} texts"),
    };
    format!(
        "{} in {}{texts}, as in {} ({})",
        many(shape.hunks, "hunk"),
        many(shape.files, "file"),
        shown(&shape.example.path, 160),
        name(&shape.example.task)
    )
}

fn findings(report: &Report, lines: &mut Vec<String>) {
    let of = |found: &super::Found| {
        let line = crate::findings::lines(std::slice::from_ref(&found.finding));
        format!("{}   {}", name(&found.task), line.concat())
    };
    let told = report.findings.iter().take(MOST).map(of);
    let more = report.findings.len().saturating_sub(MOST);
    block(lines, "findings", told.collect(), more);
}

/// Accepted tasks in a line each; of very many, by wave.
fn accepted(report: &Report, lines: &mut Vec<String>) {
    let tasks: Vec<_> = report
        .tasks
        .iter()
        .filter(|task| task.verdict == "accepted")
        .collect();
    if tasks.len() <= 2 * MOST {
        let told = tasks.iter().map(|task| row(task)).collect();
        return block(lines, "accepted", told, 0);
    }
    let mut waves = std::collections::BTreeMap::<u32, Vec<&Synthesis>>::new();
    for task in tasks {
        waves.entry(task.wave).or_default().push(task);
    }
    let of = |(wave, tasks): (u32, Vec<&Synthesis>)| {
        let ids = tasks.iter().map(|task| name(&task.task));
        format!(
            "wave {wave}  {}: {}",
            many(tasks.len(), "task"),
            few(ids, 3, "  ")
        )
    };
    block(lines, "accepted", waves.into_iter().map(of).collect(), 0);
}

/// `docs   wave 3   1 check green, 4 tests   red before, green after   1 file, +5 -0`
fn row(task: &Synthesis) -> String {
    format!(
        "{}   wave {}   {}   {}   {}",
        name(&task.task),
        task.wave,
        task.seen(),
        grade(task.grade),
        task.change
    )
    .trim_end()
    .to_owned()
}

fn next(report: &Report, lines: &mut Vec<String>) {
    if report.commits > 0 {
        let commits = many(report.commits, "commit");
        let text = format!("{commits} on {}, {}", name(&report.branch), report.lands);
        block(lines, "landed", vec![text], 0);
    }
    let run = name(&report.run);
    let mut told = Vec::new();
    match report.state {
        "finished" | "refused" | "running" => {}
        _ => told.push(format!("seawall resume {run}   go on")),
    }
    if report.commits > 0 {
        told.push(format!(
            "seawall verify {run}   hold all of this against the repository"
        ));
    }
    if report.commits > 0 && report.state == "finished" {
        told.push(format!(
            "seawall land {run}     bring it to your branch (fast-forward)"
        ));
    }
    block(lines, "next", told, 0);
}
