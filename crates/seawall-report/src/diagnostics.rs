//! The problems of a plan: as text for people, in the manner of rustc, and as JSON for machines.
//!
//! Everything in a diagnostic and in the plan's text may be hostile, so whatever could play with a
//! terminal is escaped (messages) or replaced by `�` (the quoted source, whose columns must stay). Only
//! the lines that a problem touches are handed to the renderer, so that a large plan with many problems
//! costs its problems, not their product; and text stops at a number that an eye can take, with the
//! count of the rest. JSON has all.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use seawall_core::diagnostic::{Diagnostic, Severity};
use seawall_core::path::escape;
use serde_json::{Value, json};

/// Problems that are shown as text.
const MOST_SHOWN: usize = 60;
/// Lines of source that one problem is shown with.
const MOST_LINES: usize = 8;
/// Bytes of one line of source beyond which a problem is shown with its place only.
const LONGEST_LINE: usize = 2_000;

/// The problems as text, and a closing line that counts them; empty when there are none.
///
/// `plan_text` is the text that spans refer to where a problem names no other, `plan_name` what the user calls it.
#[must_use]
pub fn text(diagnostics: &[Diagnostic], plan_text: &str, plan_name: &str, color: bool) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let plan = File::new(plan_text, plan_name);
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(MOST_SHOWN) {
        out += &one(diagnostic, &plan, &renderer);
        out += "\n\n";
    }
    if diagnostics.len() > MOST_SHOWN {
        out += &format!(
            "{} more are not shown; `seawall check --json` has all\n\n",
            diagnostics.len() - MOST_SHOWN
        );
    }
    out + &closing(diagnostics) + "\n"
}

/// The problems as a JSON array. Lines and columns count from 1, columns in characters; `bytes` is the
/// half-open range in the text of `file`. A problem without a place has null for all of these.
#[must_use]
pub fn json(diagnostics: &[Diagnostic], plan_text: &str, plan_name: &str) -> Value {
    let plan = File::new(plan_text, plan_name);
    diagnostics.iter().map(|d| object(d, &plan)).collect()
}

/// A file that problems have their place in.
struct File<'t> {
    name: &'t str,
    places: Places<'t>,
}

impl<'t> File<'t> {
    fn new(text: &'t str, name: &'t str) -> Self {
        let places = Places::new(text);
        Self { name, places }
    }

    /// The file of a problem, which is the plan or one that is read beside it.
    fn of(diagnostic: &'t Diagnostic) -> Option<Self> {
        let source = diagnostic.source.as_ref()?;
        Some(Self::new(&source.text, &source.name))
    }
}

fn object(diagnostic: &Diagnostic, plan: &File<'_>) -> Value {
    let own = File::of(diagnostic);
    let File { name, places } = own.as_ref().unwrap_or(plan);
    let span = diagnostic.span.clone().map(|s| places.clip(&s));
    let start = span.as_ref().map(|s| places.line_and_column(s.start));
    let end = span.as_ref().map(|s| places.line_and_column(s.end));
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": safe(&diagnostic.message),
        "file": name,
        "line": start.map(|(line, _)| line),
        "column": start.map(|(_, column)| column),
        "end_line": end.map(|(line, _)| line),
        "end_column": end.map(|(_, column)| column),
        "bytes": span.map(|s| [s.start, s.end]),
        "label": diagnostic.label.as_deref().map(safe),
        "notes": diagnostic.notes.iter().map(|n| safe(n)).collect::<Vec<_>>(),
        "help": diagnostic.help.as_deref().map(safe),
    })
}

fn one(diagnostic: &Diagnostic, plan: &File<'_>, renderer: &Renderer) -> String {
    let own = File::of(diagnostic);
    let File { name, places } = own.as_ref().unwrap_or(plan);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(safe(&diagnostic.message))
        .id(diagnostic.code);
    let group = Group::with_title(title);
    let Some(span) = &diagnostic.span else {
        return renderer.render(&[group]) + &without_place(diagnostic);
    };
    let group = match places.quote(span) {
        Some(quote) => group.element(snippet(quote, diagnostic, name)),
        None => group.element(origin(places.line_and_column(span.start), name)),
    };
    let notes = diagnostic
        .notes
        .iter()
        .map(|note| Level::NOTE.message(safe(note)));
    let help = diagnostic
        .help
        .iter()
        .map(|help| Level::HELP.message(safe(help)));
    renderer.render(&[group.elements(notes).elements(help)])
}

/// Notes and help of a problem that has no source to hang them on; the renderer would draw an empty
/// margin.
fn without_place(diagnostic: &Diagnostic) -> String {
    let notes = diagnostic
        .notes
        .iter()
        .map(|note| format!("\n   = note: {}", safe(note)));
    let help = diagnostic
        .help
        .iter()
        .map(|help| format!("\n   = help: {}", safe(help)));
    notes.chain(help).collect()
}

fn snippet<'s>(
    quote: Quote,
    diagnostic: &Diagnostic,
    name: &str,
) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
    let label = diagnostic.label.as_deref().map(safe);
    let annotation = AnnotationKind::Primary.span(quote.span).label(label);
    Snippet::source(quote.text)
        .line_start(quote.line)
        .path(safe(name))
        .annotation(annotation)
}

fn origin<'s>((line, column): (usize, usize), name: &str) -> annotate_snippets::Origin<'s> {
    annotate_snippets::Origin::path(safe(name))
        .line(line)
        .char_column(column)
}

/// `2 errors, 1 warning; nothing was started. …`
fn closing(diagnostics: &[Diagnostic]) -> String {
    let worst = diagnostics.iter().map(|d| d.severity).max();
    let explained = diagnostics
        .iter()
        .rfind(|d| Some(d.severity) == worst)
        .map_or("", |d| d.code);
    let started = match worst {
        Some(Severity::Error) => "; nothing was started. ",
        _ => "; ",
    };
    format!(
        "{}{started}`seawall explain {explained}` says more",
        counted(diagnostics)
    )
}

fn counted(diagnostics: &[Diagnostic]) -> String {
    let counts = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ];
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|d| d.severity == severity)
            .count()
    };
    let counted = counts.map(|(severity, name)| match count(severity) {
        0 => None,
        1 => Some(format!("1 {name}")),
        number => Some(format!("{number} {name}s")),
    });
    counted.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `text` without anything that a terminal would act on. A backslash stays one: it is harmless here,
/// and help texts are full of patterns.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push_safe(c, &mut out);
    }
    out
}

fn push_safe(c: char, out: &mut String) {
    if c == '\\' {
        return out.push(c);
    }
    let mut buffer = [0; 4];
    escape(c.encode_utf8(&mut buffer).as_bytes(), out).expect("a String takes every write");
}

/// Lines of the plan's text, quoted.
struct Quote {
    text: String,
    /// The number of the first.
    line: usize,
    /// The bytes of `text` to underline.
    span: Range<usize>,
}

/// Where the lines of a text begin.
struct Places<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Places<'t> {
    fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self { text, starts }
    }

    /// The line and column of a byte, from 1; columns in characters.
    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let at = floor(self.text, at);
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts[line - 1];
        (line, self.text[start..at].chars().count() + 1)
    }

    /// A span inside of the text, on the borders of characters.
    fn clip(&self, span: &Range<usize>) -> Range<usize> {
        let start = floor(self.text, span.start);
        start..floor(self.text, span.end).max(start)
    }

    /// The lines of `span`, the first few of them; none when one is too long to be shown.
    fn quote(&self, span: &Range<usize>) -> Option<Quote> {
        let span = self.clip(span);
        let (first, _) = self.line_and_column(span.start);
        let (last, _) = self.line_and_column(span.end);
        let last = last.min(first + MOST_LINES - 1);
        let start = self.starts[first - 1];
        let end = self
            .starts
            .get(last)
            .map_or(self.text.len(), |next| next - 1);
        let lines = &self.text[start..end];
        if lines.lines().any(|line| line.len() > LONGEST_LINE) {
            return None;
        }
        Some(quoted(
            lines,
            span.start - start..(span.end.min(end) - start),
            first,
        ))
    }
}

/// The last border between characters that is not behind `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// `lines` with every invisible or reordering character replaced, and `span` moved along.
fn quoted(lines: &str, span: Range<usize>, line: usize) -> Quote {
    let mut text = String::with_capacity(lines.len());
    let mut moved = [None; 2];
    for (at, c) in lines.char_indices().chain([(lines.len(), '\n')]) {
        for (place, new) in [span.start, span.end].into_iter().zip(&mut moved) {
            if at >= place {
                new.get_or_insert(text.len());
            }
        }
        let mut shown = String::new();
        push_safe(c, &mut shown);
        let harmless = matches!(c, '\n' | '\t' | '\\') || shown.starts_with(c);
        text.push(if harmless { c } else { '\u{fffd}' });
    }
    text.pop(); // the line feed that was put at the end
    let [start, end] = moved.map(|new| new.unwrap_or(text.len()).min(text.len()));
    Quote {
        text,
        line,
        span: start..end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thirty lines, then the line of the picture.
    fn plan() -> (String, Range<usize>) {
        let text = "# a line\n".repeat(30) + "after = [\"type\"]\n";
        let at = text.find("\"type\"").unwrap();
        (text, at..at + 6)
    }

    fn unknown(span: Range<usize>) -> Diagnostic {
        Diagnostic::new(
            "SW0104",
            Severity::Error,
            "task `exports` waits for `type`, which does not exist",
        )
        .at(span, "no task has this id")
        .help("did you mean `types`? it fans out to 14 tasks; waiting for it waits for all of them")
    }

    #[test]
    fn looks_like_the_picture() {
        let (plan, span) = plan();
        let reader = Diagnostic::new(
            "SW0205",
            Severity::Warning,
            "`exports` reads `src/click/*.py`, which `types` writes",
        )
        .note("`exports` is moved to wave 2");
        let shown = text(&[unknown(span), reader], &plan, "plans/typing.toml", false);
        let expected = r#"error[SW0104]: task `exports` waits for `type`, which does not exist
  --> plans/typing.toml:31:10
   |
31 | after = ["type"]
   |          ^^^^^^ no task has this id
   |
   = help: did you mean `types`? it fans out to 14 tasks; waiting for it waits for all of them

warning[SW0205]: `exports` reads `src/click/*.py`, which `types` writes
   = note: `exports` is moved to wave 2

1 error, 1 warning; nothing was started. `seawall explain SW0104` says more
"#;
        assert_eq!(shown, expected, "\n{shown}");
    }

    #[test]
    fn colour_is_only_there_when_asked_for() {
        let (plan, span) = plan();
        let diagnostics = [unknown(span)];
        assert!(text(&diagnostics, &plan, "p", true).contains("\x1b["));
        assert!(!text(&diagnostics, &plan, "p", false).contains('\x1b'));
        assert_eq!(text(&[], &plan, "p", true), "");
    }

    #[test]
    fn json_has_every_place_from_one_in_characters() {
        let (plan, span) = plan();
        let plan = plan.replacen("# a", "# é", 1);
        let all = json(
            &[
                unknown(span.start + 1..span.end + 1),
                Diagnostic::new("SW0126", Severity::Error, "none"),
            ],
            &plan,
            "p.toml",
        );
        assert_eq!(all[0]["line"], 31);
        assert_eq!(
            (&all[0]["column"], &all[0]["end_column"]),
            (&json!(10), &json!(16))
        );
        assert_eq!(all[0]["end_line"], 31);
        assert_eq!(all[0]["bytes"], json!([span.start + 1, span.end + 1]));
        assert_eq!(
            (&all[0]["severity"], &all[0]["file"]),
            (&json!("error"), &json!("p.toml"))
        );
        assert_eq!(
            (&all[1]["line"], &all[1]["label"], &all[1]["notes"]),
            (&Value::Null, &Value::Null, &json!([]))
        );
    }

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        let plan = "x = \"\x1b[31m\u{202e}\u{200b}é\u{e0041}\" # \\ \t\n";
        let evil = "m\x1b[2J\u{202e}\n";
        let d = Diagnostic::new("SW0100", Severity::Error, evil)
            .at(4..plan.len(), evil)
            .note(evil)
            .help(evil);
        for (plan_text, span) in [
            (plan, 0..3),
            (plan, 4..plan.len()),
            (plan, 6..7),
            (plan, plan.len()..plan.len() + 9),
            ("", Range { start: 5, end: 3 }),
        ] {
            let mut d = d.clone();
            d.span = Some(span);
            let shown = text(&[d.clone()], plan_text, evil, false)
                + &json(&[d], plan_text, "p").to_string();
            let bad = |c: char| {
                (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}' | '\u{e0041}')
            };
            assert!(!shown.contains(bad), "{shown:?}");
        }
    }

    #[test]
    fn many_problems_are_counted_and_long_lines_are_not_quoted() {
        let plan = format!("x = \"{}\"\n", "y".repeat(100_000)).repeat(3);
        let d = unknown(4..90_000);
        let shown = text(&vec![d; 1_000], &plan, "p", false);
        assert!(
            shown.contains("940 more are not shown"),
            "{}",
            &shown[..200]
        );
        assert!(shown.contains("--> p:1:5") && shown.len() < 100_000);
        assert!(
            shown.ends_with(
                "1000 errors; nothing was started. `seawall explain SW0104` says more\n"
            )
        );
    }
}
