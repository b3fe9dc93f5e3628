//! The report as Markdown, for a pull request or a page.
//!
//! Text that came from elsewhere (ids, sentences, output, file contents) is escaped, so that it can neither end a table nor
//! start a link, an image or a tag; examples of changes stand in a fence that is longer than any in them.

use super::text::{folded, grade, one, reviewed};
use super::{Report, Row, Synthesis};
use crate::words::{count, duration, many, shown};

/// Tasks whose table of evidence is shown; JSON has those of all.
const TABLES: usize = 200;
/// Shapes that are shown with an example.
const SHAPES: usize = 40;

/// The report, newline at its end.
#[must_use]
pub fn report_markdown(report: &Report) -> String {
    let mut out = format!(
        "# {}: {}\n\nRun `{}`, {} after {}, {}.\n",
        text(&report.plan),
        report.counts.sentence(),
        code(&report.run),
        report.state,
        duration(report.wall_ms),
        count(u64::from(report.dispatches), "dispatch")
    );
    if report.commits > 0 {
        let commits = many(report.commits, "commit");
        let (branch, lands) = (code(&report.branch), &report.lands);
        out.push_str(&format!("\n{commits} on `{branch}`: {lands}.\n"));
    }
    section(
        &mut out,
        "The base does not pass",
        report.base.iter().map(|gate| {
            format!(
                "- {} \"{}\": {}",
                gate.kind,
                text(&gate.says),
                text(&gate.look.why)
            )
        }),
    );
    section(
        &mut out,
        "Parked",
        report.parked.iter().map(|why| text(why)),
    );
    let find = |id: &String| report.tasks.iter().find(|task| task.task == *id);
    section(
        &mut out,
        "Not accepted",
        report.attention.iter().filter_map(find).map(open),
    );
    section(
        &mut out,
        "Weakest evidence",
        report.weakest.iter().map(|weak| {
            let why: String = weak
                .why
                .iter()
                .map(|why| format!("; {}", text(why)))
                .collect();
            let floor = weak
                .floor
                .map(|floor| format!(" (floor: {})", floor.word()));
            let (floor, grade) = (floor.unwrap_or_default(), grade(weak.grade));
            format!("- **{}**: {grade}{floor}{why}", text(&weak.task))
        }),
    );
    section(
        &mut out,
        "Unlike the rest",
        report
            .outliers
            .iter()
            .map(|outlier| format!("- **{}**: {}", text(&outlier.task), text(&outlier.what))),
    );
    shapes(report, &mut out);
    section(
        &mut out,
        "Findings",
        report.findings.iter().map(|found| {
            let finding = &found.finding;
            let place = match finding.place() {
                place if place.is_empty() => String::new(),
                place => format!(" `{}`", code(&place)),
            };
            let (code, severity, task) = (
                text(&finding.code),
                finding.severity.word(),
                text(&found.task),
            );
            format!(
                "- {severity} {code}{place} ({task}): {}",
                text(&finding.text)
            )
        }),
    );
    tables(report, &mut out);
    out
}

fn section(out: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    out.push_str(&format!("\n## {title}\n\n"));
    for item in items {
        out.push_str(&item);
        out.push('\n');
    }
}

fn open(task: &Synthesis) -> String {
    let claim = match task.claim.as_str() {
        "" => String::new(),
        claim => format!(" It claimed: \"{}\".", text(&shown(claim, 160))),
    };
    let review = task
        .review
        .iter()
        .map(|review| format!(" {}.", text(&reviewed(review))));
    let review: String = review.collect();
    let why = if task.why.is_empty() { "" } else { ": " };
    format!(
        "- **{}** {}{why}{}.{review}{claim}",
        text(&task.task),
        task.verdict,
        text(&task.why)
    )
}

fn shapes(report: &Report, out: &mut String) {
    let all = &report.shapes;
    if all.hunks == 0 {
        return;
    }
    out.push_str(&format!("\n## Changes\n\n{}.\n", folded(report)));
    for shape in all.shapes.iter().take(SHAPES) {
        out.push_str(&format!("\n{}:\n\n", text(&one(shape))));
        let lines: Vec<_> = shape
            .example
            .lines
            .iter()
            .map(|line| shown(line, 400))
            .collect();
        let fence = fence(&lines);
        out.push_str(&format!("{fence}diff\n{}\n{fence}\n", lines.join("\n")));
        if shape.example.more > 0 {
            let more = count(shape.example.more as u64, "line");
            out.push_str(&format!("\n… {more} more\n"));
        }
    }
    if all.shapes.len() > SHAPES {
        let more = all.shapes.len() - SHAPES;
        out.push_str(&format!(
            "\n… {more} more shapes; `--format json` has them all.\n"
        ));
    }
}

fn fence(lines: &[String]) -> String {
    let run = |line: &String| {
        let runs = line.split(|c| c != '`').map(str::len);
        runs.max().unwrap_or(0)
    };
    "`".repeat(lines.iter().map(run).max().unwrap_or(0).max(2) + 1)
}

fn tables(report: &Report, out: &mut String) {
    out.push_str("\n## Every task\n\n");
    out.push_str("| task | wave | verdict | evidence | change |\n|---|---|---|---|---|\n");
    for task in &report.tasks {
        let (seen, change) = (task.seen(), &task.change);
        out.push_str(&format!(
            "| {} | {} | {} | {seen}; {} | {change} |\n",
            text(&task.task),
            task.wave,
            task.verdict,
            grade(task.grade)
        ));
    }
    out.push_str("\n| task | criterion | must be | base | after | tests | time |\n|---|---|---|---|---|---|---|\n");
    for task in report.tasks.iter().take(TABLES) {
        for evidence in &task.evidence {
            out.push_str(&row(task, evidence));
        }
    }
    if report.tasks.len() > TABLES {
        let more = report.tasks.len() - TABLES;
        out.push_str(&format!(
            "\n… and those of {more} more tasks; `--format json` has them all.\n"
        ));
    }
}

fn row(task: &Synthesis, row: &Row) -> String {
    let tests = row.tests.map(|n| n.to_string()).unwrap_or_default();
    let why = match row.after {
        "green" | "not looked at" => String::new(),
        _ => format!(": {}", text(&shown(&row.why, 160))),
    };
    format!(
        "| {} | {} | {} | {} | {}{why} | {tests} | {} |\n",
        text(&task.task),
        text(&row.says),
        row.proof,
        row.before,
        row.after,
        duration(row.ms)
    )
}

/// Text as it is, whatever it holds (<https://spec.commonmark.org/0.31.2/#backslash-escapes>).
fn text(raw: &str) -> String {
    let mut out = String::new();
    for c in shown(raw, 600).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '!' | '#' | '~' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Text between backticks, which cannot hold one; nor a bar, for it may stand in a table.
fn code(raw: &str) -> String {
    shown(raw, 300).replace(['`', '|'], "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(
            text("a|b <img src=x> [x](y) `c` **d** @all\n# e"),
            "a\\|b &lt;img src=x> \\[x\\](y) \\`c\\` \\*\\*d\\*\\* \\@all\\x0a\\# e"
                .replace("\\x0a", "\\\\x0a")
        );
        assert_eq!(fence(&["+```".to_owned(), "-a".to_owned()]), "````");
        assert_eq!(code("a`b|c"), "a'b'c");
    }
}
