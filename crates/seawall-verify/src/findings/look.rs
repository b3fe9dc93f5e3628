//! What all rules need of a change, made once: which lines are new, in which language a file is, what the plan asks for.
//!
//! A line is new when the file has it more often than before. That is cheaper than an edit script and kinder: what only
//! moved within the file is not new. It is blind to the order of lines, which no rule here needs.

use std::collections::HashMap;
use std::sync::Arc;

use seawall_core::finding::{Finding, Severity};
use seawall_core::path::{RepoPath, is_unprintable};
use seawall_core::plan::Task;

use super::duplicate::Body;
use super::{ChangedFile, Subject};
use crate::around::Around;
use crate::outline::{Language, language};
use crate::places::Parts;

/// The most findings of one rule.
const MOST: usize = 20;

/// A change, ready to be looked at.
pub(crate) struct Look<'a> {
    pub(crate) task: &'a Task,
    pub(crate) claim: &'a str,
    pub(crate) files: Vec<File<'a>>,
    pub(crate) around: Option<&'a Around>,
    pub(crate) known: &'a [(RepoPath, Arc<[Body]>)],
    /// The commands that judge the task.
    pub(crate) commands: Vec<&'a str>,
    /// What the plan says about this task, in lower case.
    asked: String,
}

/// One file of it.
pub(crate) struct File<'a> {
    pub(crate) path: &'a RepoPath,
    pub(crate) before: Option<&'a [u8]>,
    pub(crate) after: Option<&'a [u8]>,
    /// What it was when the run began, if an earlier wave changed it.
    pub(crate) first: Option<Option<&'a [u8]>>,
    pub(crate) language: Option<Language>,
    /// The lines that are new, each with its number from 1.
    pub(crate) added: Vec<(u32, &'a [u8])>,
    /// How many lines are gone.
    pub(crate) removed: u32,
}

impl<'a> Look<'a> {
    pub(crate) fn new(subject: &Subject<'a>) -> Self {
        let task = subject.task;
        let mut asked = format!("{}\n{}\n", subject.plan.goal, task.prompt);
        for check in task.checks.iter() {
            asked.push_str(&check.says);
            asked.push('\n');
        }
        asked.push_str(task.because.as_deref().unwrap_or_default());
        Self {
            task,
            claim: subject.claim,
            files: subject.files.iter().map(File::new).collect(),
            around: subject.around,
            known: subject.known,
            commands: task
                .criteria()
                .chain(subject.plan.gates())
                .filter_map(|criterion| criterion.run.as_deref())
                .collect(),
            asked: asked.to_lowercase(),
        }
    }

    /// Whether goal, prompt or checks have one of these words, given in lower case.
    pub(crate) fn asks(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.asked.contains(word))
    }

    /// Whether the plan names this very file, and not only a glob that it matches.
    pub(crate) fn names(&self, file: &File<'_>) -> bool {
        let fanned_out = self.task.id.contains(':');
        !fanned_out || self.asks(&[file.name().to_lowercase().as_str()])
    }
}

impl<'a> File<'a> {
    fn new(file: &'a ChangedFile) -> Self {
        let (before, after) = (file.before.as_deref(), file.after.as_deref());
        let (added, removed) = compare(before.unwrap_or_default(), after.unwrap_or_default());
        Self {
            path: &file.path,
            before,
            after,
            first: file.first.as_ref().map(|first| first.as_deref()),
            language: language(&file.path),
            added,
            removed,
        }
    }

    fn parts(&self) -> Parts {
        Parts::of(self.path)
    }

    /// The last part of the path, as shown.
    pub(crate) fn name(&self) -> String {
        self.parts().name
    }

    /// The directories of the path, as shown.
    pub(crate) fn directories(&self) -> Vec<String> {
        self.parts().directories
    }

    /// Whether tests or their data live here, by custom.
    pub(crate) fn is_test(&self) -> bool {
        self.parts().is_test()
    }

    /// Before and after, where the file is there both times.
    pub(crate) fn both(&self) -> Option<(&'a [u8], &'a [u8])> {
        Some((self.before?, self.after?))
    }

    /// The file's end, in lower case, without the dot.
    pub(crate) fn extension(&self) -> String {
        self.parts().extension()
    }
}

/// The lines of a text with their numbers from 1, without their ends.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = text.split(|b| *b == b'\n');
    (1..).zip(lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
}

fn compare<'a>(before: &'a [u8], after: &'a [u8]) -> (Vec<(u32, &'a [u8])>, u32) {
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    if !before.is_empty() {
        for (_, line) in lines(before) {
            *known.entry(line).or_default() += 1;
        }
    }
    let mut added = Vec::new();
    if !after.is_empty() {
        for (number, line) in lines(after) {
            match known.get_mut(line) {
                Some(left) if *left > 0 => *left -= 1,
                _ => added.push((number, line)),
            }
        }
    }
    (added, known.values().sum())
}

/// Where the findings of one rule gather.
pub(crate) struct Found {
    code: &'static str,
    pub(crate) list: Vec<Finding>,
}

impl Found {
    pub(crate) fn new(code: &'static str) -> Self {
        Self {
            code,
            list: Vec::new(),
        }
    }

    /// Adds one about a line.
    pub(crate) fn at(
        &mut self,
        severity: Severity,
        path: &RepoPath,
        line: u32,
        text: impl Into<String>,
    ) {
        self.add(severity, path.to_string(), Some(line), text.into());
    }

    /// Adds one about a file.
    pub(crate) fn file(&mut self, severity: Severity, path: &RepoPath, text: impl Into<String>) {
        self.add(severity, path.to_string(), None, text.into());
    }

    /// Adds one about the whole change.
    pub(crate) fn change(&mut self, severity: Severity, text: impl Into<String>) {
        self.add(severity, String::new(), None, text.into());
    }

    fn add(&mut self, severity: Severity, path: String, line: Option<u32>, text: String) {
        if self.list.len() < MOST {
            self.list.push(Finding {
                code: self.code.to_owned(),
                severity,
                path,
                line,
                text,
                because: None,
            });
        }
    }
}

/// A piece of a file in one short printable line.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const LONGEST: usize = 80;
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<_> = text.split_whitespace().collect();
    let mut out = String::new();
    for (n, c) in words.join(" ").chars().enumerate() {
        if n == LONGEST {
            out.push('…');
            break;
        }
        if is_unprintable(c) {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}
