//! What a task takes from `[defaults]` when it does not say otherwise.
//!
//! `[defaults]` is laid over the built-in values, each task over `[defaults]`, by the same code. A value
//! that is wrong is reported where it stands and then counts as given, so that one wrong default is
//! one problem and not one for each task.

use std::sync::Arc;

use seawall_core::evidence::Grade;
use seawall_core::path::RepoPath;
use seawall_core::plan::{Risk, When};

use crate::context::{Context, Pending, Wants};
use crate::keys::Table;
use crate::paths::{self, Found};
use crate::problems::{At, error, shown};
use crate::section::Section;
use crate::tree::is_glob;

/// A setting that has no built-in value.
#[derive(Clone)]
pub(crate) enum Given {
    /// Nobody said it.
    No,
    /// Somebody did, wrongly; it was reported.
    Wrong,
    Yes(Arc<str>),
}

/// What a task takes when it does not say otherwise.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) agent: Given,
    pub(crate) prompt: Given,
    pub(crate) profile: Arc<str>,
    pub(crate) attempts: u32,
    pub(crate) timeout_ms: u64,
    pub(crate) when: When,
    pub(crate) expected_lines: Option<u32>,
    /// None when nobody said.
    pub(crate) risk: Option<Risk>,
    /// None when nobody said.
    pub(crate) floor: Option<Grade>,
    pub(crate) reads: Arc<[RepoPath]>,
    pub(crate) read_globs: Arc<[String]>,
}

impl Settings {
    /// The built-in values. The only agent of a plan is everybody's agent.
    pub(crate) fn built_in(cx: &Context<'_>) -> Self {
        let only = cx.agents.values().next().filter(|_| cx.agents.len() == 1);
        Self {
            agent: only.map_or(Given::No, |a| Given::Yes(Arc::clone(&a.name))),
            prompt: Given::No,
            profile: "worker".into(),
            attempts: 2,
            timeout_ms: 10 * 60_000,
            when: When::Always,
            expected_lines: None,
            risk: None,
            floor: None,
            reads: Arc::new([]),
            read_globs: Arc::new([]),
        }
    }

    /// These settings, with what `section` says instead. `block` is the place of the table in the list
    /// of tasks.
    pub(crate) fn overlaid(
        &self,
        section: &Section<'_>,
        table: Table,
        block: Option<u32>,
        cx: &mut Context<'_>,
    ) -> Self {
        let mut new = self.clone();
        new.agent = given(section, "agent", new.agent, |name| cx.agent(name));
        new.prompt = given(section, "prompt", new.prompt, |p| Some(p.value.into()));
        if let Some(profile) = section.text("profile").and_then(|name| cx.profile(&name)) {
            new.profile = profile;
        }
        if let Some(attempts) = section.count(table, "attempts") {
            new.attempts = attempts.value;
        }
        if let Some(lines) = section.count(table, "expected_lines") {
            new.expected_lines = Some(lines.value);
        }
        if let Some(timeout_ms) = section.duration(table, "timeout") {
            new.timeout_ms = timeout_ms;
        }
        match section.text("when").map(|w| w.value) {
            Some("always") => new.when = When::Always,
            Some("red") => new.when = When::Red,
            _ => {}
        }
        new.risk = section.text("risk").and_then(risk).or(new.risk);
        new.floor = section.text("floor").and_then(grade).or(new.floor);
        if section.has("reads") {
            (new.reads, new.read_globs) = reads(&section.texts("reads"), block, cx);
        }
        new
    }
}

fn risk(word: At<&str>) -> Option<Risk> {
    match word.value {
        "low" => Some(Risk::Low),
        "normal" => Some(Risk::Normal),
        "high" => Some(Risk::High),
        _ => None,
    }
}

fn grade(word: At<&str>) -> Option<Grade> {
    Grade::ALL
        .into_iter()
        .find(|grade| grade.word() == word.value)
}

/// What `section` says of a key, or else what was known before.
fn given(
    section: &Section<'_>,
    name: &str,
    before: Given,
    read: impl FnOnce(&At<&str>) -> Option<Arc<str>>,
) -> Given {
    match section.text(name) {
        Some(text) => read(&text).map_or(Given::Wrong, Given::Yes),
        None if section.has(name) => Given::Wrong,
        None => before,
    }
}

/// Expands what a task reads: the paths of the base, in order and once each, and the globs.
fn reads(
    typed: &[At<&str>],
    block: Option<u32>,
    cx: &mut Context<'_>,
) -> (Arc<[RepoPath]>, Arc<[String]>) {
    let mut found = Vec::new();
    for glob in typed {
        if is_glob(glob.value) {
            found.extend(matching(glob, block, cx).iter().cloned());
        } else if let Some(path) = read_path(glob, block, cx) {
            found.push(path);
        }
    }
    found.sort();
    found.dedup();
    (
        found.into(),
        typed.iter().map(|g| g.value.to_owned()).collect(),
    )
}

/// The files that a glob matches; one that matches nothing is settled when all tasks are read.
pub(crate) fn matching(
    glob: &At<&str>,
    block: Option<u32>,
    cx: &mut Context<'_>,
) -> Arc<[RepoPath]> {
    let Some(found) = expand(glob, cx) else {
        return Arc::new([]);
    };
    if found.is_empty() {
        let wants = Wants::Glob(glob.value.to_owned());
        cx.pending.push(Pending {
            wants,
            span: glob.span.clone(),
            block,
        });
    }
    found
}

/// The files that a glob matches; what is no glob of the repository is reported. None also when there
/// is no base to look at.
pub(crate) fn expand(glob: &At<&str>, cx: &mut Context<'_>) -> Option<Arc<[RepoPath]>> {
    // A glob is a path with some characters left open, so the rules of paths hold for it.
    if let Err(why) = RepoPath::new(glob.value.as_bytes()) {
        cx.problems.add(
            error("SW0113", format!("glob `{}` {why}", shown(glob.value)))
                .at(glob.span.clone(), why.to_string())
                .help("write it relative to the top of the repository, without `.` and `..`"),
        );
        return None;
    }
    match cx.tree.as_mut()?.matching(glob.value) {
        Ok(found) => Some(found),
        Err(why) => {
            cx.problems.add(
                error("SW0122", format!("glob `{}` cannot be read: {}", shown(glob.value), shown(&why)))
                    .at(glob.span.clone(), "not a glob")
                    .help("`*`, `**`, `?`, `[a-z]` and `{a,b}` are special; `\\` before one of them makes it plain"),
            );
            None
        }
    }
}

/// One plain path, likewise.
pub(crate) fn read_path(
    typed: &At<&str>,
    block: Option<u32>,
    cx: &mut Context<'_>,
) -> Option<RepoPath> {
    let path = paths::parse(typed, &mut cx.problems)?;
    let tree = cx.tree.as_ref()?;
    match paths::look(cx.world, tree, typed, &path, &mut cx.problems) {
        Found::File => Some(path),
        Found::Absent => {
            let wants = Wants::Glob(typed.value.to_owned());
            cx.pending.push(Pending {
                wants,
                span: typed.span.clone(),
                block,
            });
            None
        }
        Found::Refused => None,
    }
}
