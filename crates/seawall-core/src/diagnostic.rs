//! Problems in a plan, as data: what is wrong, where, and what to write instead.
//!
//! Whoever reads a plan collects all of them; rendering (text, JSON) happens elsewhere.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not meant.
    Warning,
    /// The plan cannot be run.
    Error,
}

/// One problem of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The stable code, such as `SW0104`; `seawall explain` says more.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Byte range in the plan's text, or in that of `source`; absent when the problem has no place there.
    pub span: Option<Range<usize>>,
    /// The file that it is a problem of, if it is not the plan.
    #[serde(skip)]
    pub source: Option<Arc<Source>>,
    /// A few words under the underlined span.
    pub label: Option<String>,
    /// Facts that explain the problem.
    pub notes: Vec<String>,
    /// What to write or do instead.
    pub help: Option<Cow<'static, str>>,
}

/// A file that is read beside the plan.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// What the user calls it.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

impl Diagnostic {
    /// A problem without place, notes or help.
    #[must_use]
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            span: None,
            source: None,
            label: None,
            notes: Vec::new(),
            help: None,
        }
    }

    /// Says where: `span` in the plan's text, with a few words under it.
    #[must_use]
    pub fn at(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.span = Some(span);
        self.label = Some(label.into());
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(help.into());
        self
    }
}
