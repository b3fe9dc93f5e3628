//! A run as JUnit XML, for what reads test reports: a suite per task, a test case per criterion.
//!
//! The form is the one that CI systems agree on: `testsuites` > `testsuite` > `testcase` with `failure`, `error` or
//! `skipped`. Each task's suite begins with a case `verdict`, because a change can be rejected although all its checks
//! are green, or before there is one. What could not be looked at, and what waits for a person, is an `error`: nothing
//! but a pass may look green. XML 1.0 has no way to write most control characters; they become U+FFFD.

use std::fmt::Write as _;

use seawall_core::evidence::{Evidence, Value};
use seawall_core::ids::TaskIx;
use seawall_core::plan::Proof;
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::{NotRun, Verdict};

use crate::look::{self, Row};
use crate::reason::{self, verdict_name};
use crate::view::View;

/// The report, newline at its end.
#[must_use]
pub fn junit(view: &View, scheduler: &Scheduler) -> String {
    let tasks = view.plan().each_task();
    let mut suites: Vec<_> = tasks.map(|(ix, _)| task(view, scheduler, ix)).collect();
    if !view.base_evidence().is_empty() {
        suites.insert(0, gates(view, "base", view.base_evidence()));
    }
    let landed = |trial: &&crate::view::TrialView| {
        view.checkpoints().iter().any(|point| {
            (point.wave, point.round, &point.tasks) == (trial.wave, trial.round, &trial.tasks)
        })
    };
    for trial in view.trials().iter().filter(landed) {
        let name = format!("checkpoint {}.{}", trial.wave, trial.round);
        suites.push(gates(view, &name, &trial.evidence));
    }
    let name = format!("{} {}", view.plan().name, view.run());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all: Vec<_> = suites.iter().flat_map(|suite| &suite.cases).collect();
    let _ = writeln!(out, "<testsuites name=\"{}\"{}>", text(&name), counts(&all)); // a String takes every write
    for suite in &suites {
        suite.write(&mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    ms: u64,
    end: End,
    /// The end of the output.
    output: String,
}

/// How a case ended, with the reason.
enum End {
    Passed,
    Failure(String),
    Error(String),
    Skipped(String),
}

fn task(view: &View, scheduler: &Scheduler, ix: TaskIx) -> Suite {
    let last = view.task(ix).last();
    let verdict = Case {
        name: "verdict".to_owned(),
        ms: 0,
        end: verdict(view, scheduler, ix),
        output: String::new(),
    };
    let rows = look::rows(view, ix, last);
    Suite {
        name: view.plan().task(ix).id.to_string(),
        cases: std::iter::once(verdict)
            .chain(rows.iter().map(criterion))
            .collect(),
    }
}

fn verdict(view: &View, scheduler: &Scheduler, ix: TaskIx) -> End {
    let Standing::Ended(verdict) = scheduler.standing(ix) else {
        return End::Error("it has no verdict yet".to_owned());
    };
    let why = reason::of_verdict(view, ix, verdict).text;
    let why = format!("{}: {why}", verdict_name(verdict));
    match verdict {
        Verdict::Accepted | Verdict::NotRun(NotRun::NothingToDo) => End::Passed,
        Verdict::Rejected(_) => End::Failure(why),
        Verdict::NeedsHuman => End::Error(why),
        Verdict::Blocked(_) | Verdict::NotRun(_) => End::Skipped(why),
    }
}

fn criterion(row: &Row<'_>) -> Case {
    let end = match row.after {
        Some(look) => of_look(look),
        None if row.criterion.proof == Proof::Manual => {
            End::Error("only a person can tell".to_owned())
        }
        None => End::Skipped("not looked at".to_owned()),
    };
    case(&row.criterion.says, end, row.after)
}

fn gates(view: &View, name: &str, evidence: &[Evidence]) -> Suite {
    let gate = |seen: &Evidence| {
        let says = look::gate(view, seen.criterion as usize);
        case(
            says.map_or("", |(_, gate)| &gate.says),
            of_look(seen),
            Some(seen),
        )
    };
    Suite {
        name: name.to_owned(),
        cases: evidence.iter().map(gate).collect(),
    }
}

fn of_look(look: &Evidence) -> End {
    match look.value {
        Value::Pass => End::Passed,
        Value::Fail => End::Failure(look.why.clone()),
        Value::CouldNotLook => End::Error(look.why.clone()),
    }
}

fn case(name: &str, end: End, look: Option<&Evidence>) -> Case {
    Case {
        name: name.to_owned(),
        ms: look.map_or(0, |look| look.ms),
        end,
        output: look.map_or_else(String::new, |look| look.tail.clone()),
    }
}

impl Suite {
    fn write(&self, out: &mut String) {
        let cases: Vec<_> = self.cases.iter().collect();
        // A String takes every write, here and below.
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\"{}>",
            text(&self.name),
            counts(&cases)
        );
        for case in cases {
            case.write(&self.name, out);
        }
        out.push_str("  </testsuite>\n");
    }
}

impl Case {
    fn write(&self, suite: &str, out: &mut String) {
        let _ = write!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
            text(suite),
            text(&self.name),
            seconds(self.ms)
        );
        let (element, why) = match &self.end {
            End::Passed => return out.push_str("/>\n"),
            End::Failure(why) => ("failure", why),
            End::Error(why) => ("error", why),
            End::Skipped(why) => ("skipped", why),
        };
        let (why, output) = (text(why), text(&self.output));
        let _ = writeln!(
            out,
            ">\n      <{element} message=\"{why}\">{output}</{element}>\n    </testcase>"
        );
    }
}

/// The attributes that say how many of which end there are.
fn counts(cases: &[&Case]) -> String {
    let of = |is: fn(&End) -> bool| cases.iter().filter(|case| is(&case.end)).count();
    format!(
        " tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
        cases.len(),
        of(|end| matches!(end, End::Failure(_))),
        of(|end| matches!(end, End::Error(_))),
        of(|end| matches!(end, End::Skipped(_))),
        seconds(cases.iter().map(|case| case.ms).sum())
    )
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Text that is safe between tags and in attributes (<https://www.w3.org/TR/xml/#charsets>).
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' | ' '..='\u{7e}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.. => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_still_xml() {
        assert_eq!(
            text("a<b>&\"c\u{1b}\u{0}\n\u{ffff}😀"),
            "a&lt;b&gt;&amp;&quot;c\u{fffd}\u{fffd}&#10;\u{fffd}😀"
        );
    }
}
