//! The plan's text as TOML, a piece at a time.
//!
//! A parsed document takes about ten times the memory of its text, and nearly all of a large plan is
//! its tasks. So a large text is cut at its `[[task]]` headers, and only a batch of tasks is in memory
//! in parsed form. The lexer of the TOML parser itself finds the headers. A text that is short, or has
//! anything unusual about it, is parsed whole: the pieces are an economy, never a second dialect.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

/// Texts from this size on are cut.
pub(crate) const CUT_FROM: usize = 1 << 20;
/// The size of a batch of tasks.
pub(crate) const BATCH: usize = 64 << 10;

/// A text and where it was cut.
pub(crate) struct Pieces<'t> {
    text: &'t str,
    /// The text without its tasks: these are blanked out, so that every place stays what it is.
    head: Cow<'t, str>,
    /// Runs of whole tasks, in order.
    batches: Vec<Range<usize>>,
}

impl<'t> Pieces<'t> {
    /// The text in one piece.
    pub(crate) fn whole(text: &'t str) -> Self {
        Self {
            text,
            head: Cow::Borrowed(text),
            batches: Vec::new(),
        }
    }

    /// The text cut into batches of about `batch` bytes; none when it cannot be cut.
    pub(crate) fn cut(text: &'t str, batch: usize) -> Option<Self> {
        let (runs, starts) = task_runs(text)?;
        let first = runs.first()?.start;
        let end = if runs.len() == 1 && runs[0].end == text.len() {
            first
        } else {
            text.len()
        };
        let mut head = text[..end].to_owned().into_bytes();
        for run in &runs {
            let in_head = run.start.min(end)..run.end.min(end);
            head[in_head].fill(b' ');
        }
        let head = Cow::Owned(String::from_utf8(head).ok()?);
        Some(Self {
            text,
            head,
            batches: batches(&runs, &starts, batch),
        })
    }

    /// Whether it is in more than one piece.
    pub(crate) fn is_cut(&self) -> bool {
        !self.batches.is_empty()
    }

    /// The head, parsed, and its syntax errors.
    pub(crate) fn head(&self) -> (Spanned<DeTable<'_>>, Vec<toml::de::Error>) {
        DeTable::parse_recoverable(&self.head)
    }

    /// Each batch, parsed: where it begins, its tasks, and whether that was all there was to it.
    pub(crate) fn batches(&self) -> impl Iterator<Item = (usize, Spanned<DeTable<'t>>, bool)> {
        self.batches.iter().map(|range| {
            let (table, errors) = DeTable::parse_recoverable(&self.text[range.clone()]);
            let only_tasks = table.get_ref().keys().all(|k| k.get_ref() == "task");
            (range.start, table, errors.is_empty() && only_tasks)
        })
    }
}

/// The tables in a table's list of tasks.
pub(crate) fn tasks<'d>(
    table: &'d DeTable<'d>,
) -> impl Iterator<Item = (&'d DeTable<'d>, Range<usize>)> {
    let list = table.get("task").and_then(|v| v.get_ref().as_array());
    list.into_iter()
        .flatten()
        .filter_map(|value: &Spanned<DeValue<'d>>| {
            Some((value.get_ref().as_table()?, value.span()))
        })
}

/// The runs of text from a `[[task]]` to the next header of something else, and where the tasks in them
/// begin; none when a header is not plain.
fn task_runs(text: &str) -> Option<(Vec<Range<usize>>, Vec<usize>)> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut starts = Vec::new();
    let mut open: Option<usize> = None;
    let mut headers = Headers::default();
    for token in Source::new(text).lex() {
        let Some((at, kind)) = headers.next(&token, text) else {
            continue;
        };
        match (kind, open) {
            (Header::Task, _) => {
                starts.push(at);
                open.get_or_insert(at);
            }
            (Header::InTask, Some(_)) => {}
            (Header::InTask, None) => return None,
            (Header::Other, _) => runs.extend(open.take().map(|start| start..at)),
        }
    }
    runs.extend(open.map(|start| start..text.len()));
    Some((runs, starts))
}

/// A header of the text, by what it belongs to.
#[derive(Clone, Copy)]
enum Header {
    /// `[[task]]`.
    Task,
    /// A table below a task, such as `[[task.check]]`.
    InTask,
    Other,
}

/// Finds headers in a stream of tokens.
#[derive(Default)]
struct Headers {
    depth: usize,
    /// Whether anything but white space stands on the line so far.
    in_line: bool,
}

impl Headers {
    fn next(&mut self, token: &Token, text: &str) -> Option<(usize, Header)> {
        let at = token.span().start();
        match token.kind() {
            TokenKind::Newline if self.depth == 0 => self.in_line = false,
            TokenKind::Whitespace | TokenKind::Newline => {}
            TokenKind::LeftSquareBracket if self.depth == 0 && !self.in_line => {
                self.in_line = true;
                self.depth = 1;
                return Some((at, header(&text[at..])));
            }
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                self.in_line = true;
                self.depth += 1;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                self.depth = self.depth.saturating_sub(1);
            }
            _ => self.in_line = true,
        }
        None
    }
}

/// What a header belongs to. `["task"]` and the like are taken for something else; then the head
/// has a task, and the text is parsed whole.
fn header(text: &str) -> Header {
    let name = text.trim_start_matches(['[', ' ', '\t']);
    match name.strip_prefix("task").map(str::trim_ascii_start) {
        Some(rest) if rest.starts_with(']') && text.starts_with("[[") => Header::Task,
        Some(rest) if rest.starts_with('.') => Header::InTask,
        _ => Header::Other,
    }
}

/// Cuts runs of tasks at the starts of tasks, so that no piece is much longer than `size`.
fn batches(runs: &[Range<usize>], starts: &[usize], size: usize) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let mut starts = starts.iter().copied().peekable();
    for run in runs {
        let mut from = run.start;
        while let Some(start) = starts.next_if(|s| *s < run.end) {
            if start - from >= size {
                batches.push(from..start);
                from = start;
            }
        }
        batches.push(from..run.end);
    }
    batches
}
