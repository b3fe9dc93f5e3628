//! JUnit XML, as a report file: what runners write when they are asked to, besides what they print.
//!
//! Test cases are counted, and not the numbers that a suite says of itself, because runners disagree on what these include.
//! The reader expands no entity but the five of XML itself and keeps nothing but names. A report that is not whole (cut off,
//! badly nested, of another format) is no report, and not one of zero tests.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use seawall_core::counted::Counted;

use super::{Tally, add};

/// The most bytes of a report that are read.
const LARGEST: usize = 32 << 20;
/// How deep elements may be nested.
const DEEPEST: usize = 64;

/// The tests of a report; none when it cannot be read as one, or has more than 32 MiB.
#[must_use]
pub fn junit(report: &[u8]) -> Option<Counted> {
    if report.len() > LARGEST {
        return None;
    }
    let text = String::from_utf8_lossy(report);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut seen = Seen::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) => seen.open(&element)?,
            Event::Empty(element) => {
                seen.open(&element)?;
                seen.close();
            }
            Event::End(_) => seen.close(),
            Event::Eof => break,
            _ => {}
        }
    }
    let whole = seen.depth == 0 && seen.case.is_none();
    seen.tally.counted("JUnit XML").filter(|_| whole)
}

/// Several counts as one; none when there are none.
#[must_use]
pub fn together(counts: impl IntoIterator<Item = Counted>) -> Option<Counted> {
    counts.into_iter().reduce(add)
}

/// A test case that is open.
struct Case {
    name: String,
    depth: usize,
    end: End,
}

/// How a case ended; the worst that it says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Passed,
    Skipped,
    Failed,
    Error,
}

#[derive(Default)]
struct Seen {
    depth: usize,
    tally: Tally,
    case: Option<Case>,
}

impl Seen {
    /// Takes the beginning of an element; none when this is no report.
    fn open(&mut self, element: &BytesStart<'_>) -> Option<()> {
        let name = element.local_name();
        let name = name.as_ref();
        if self.depth == 0 {
            if self.tally.seen || !matches!(name, "testsuites" | "testsuite") {
                return None;
            }
            self.tally.seen = true;
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        match (name, &mut self.case) {
            ("testcase", None) => self.case = Some(case(element, self.depth)),
            ("testcase", Some(_)) => return None,
            (_, Some(case)) if self.depth == case.depth + 1 => {
                case.end = case.end.max(said(name));
            }
            // Of a suite: its set-up failed.
            ("error" | "failure", None) => {
                self.tally.add(|t| &mut t.failed, 1);
                self.tally.add(|t| &mut t.errors, 1);
            }
            _ => {}
        }
        Some(())
    }

    fn close(&mut self) {
        let depth = self.depth;
        self.depth = depth.saturating_sub(1);
        let Some(case) = self.case.take_if(|case| case.depth == depth) else {
            return;
        };
        match case.end {
            End::Passed => self.tally.add(|t| &mut t.passed, 1),
            End::Skipped => self.tally.add(|t| &mut t.skipped, 1),
            End::Failed | End::Error => {
                self.tally.add(|t| &mut t.failed, 1);
                let error = u64::from(case.end == End::Error);
                self.tally.add(|t| &mut t.errors, error);
                self.tally.name(&case.name);
            }
        }
    }
}

fn case(element: &BytesStart<'_>, depth: usize) -> Case {
    let (class, name) = (attribute(element, "classname"), attribute(element, "name"));
    let not_run = ["notrun", "disabled", "skipped"];
    let status = attribute(element, "status");
    Case {
        name: match class.as_str() {
            "" => name,
            _ => format!("{class}::{name}"),
        },
        depth,
        end: match not_run.contains(&status.as_str()) {
            true => End::Skipped,
            false => End::Passed,
        },
    }
}

/// What an element of a case says of its end.
fn said(name: &str) -> End {
    match name {
        "error" => End::Error,
        "failure" => End::Failed,
        "skipped" => End::Skipped,
        _ => End::Passed,
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> String {
    let found = element.try_get_attribute(name).ok().flatten();
    let value = found.and_then(|found| {
        let read = found.normalized_value(XmlVersion::Implicit1_0);
        read.map(|text| text.into_owned()).ok()
    });
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests;
