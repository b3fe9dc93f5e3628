//! The waves of a plan, before anything is spent.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use seawall_core::ids::TaskIx;
use seawall_core::plan::Plan;
use seawall_core::waves::{Hazard, Moved, Waves};

use crate::words::{count, duration, few, many, name, pad};

/// Tasks that are named per wave; of the others only the number is told.
const NAMED: usize = 2;
/// Moved tasks that are explained.
const EXPLAINED: usize = 8;

/// The waves for people: a line a wave, the moved tasks (`SW0205`), the sums.
#[must_use]
pub fn waves_text(plan: &Plan, waves: &Waves) -> String {
    let mut text = wave_lines(plan, waves);
    for moved in waves.moved.iter().take(EXPLAINED) {
        put(
            &mut text,
            format_args!("\nnote[SW0205]  {}", explain(plan, moved)),
        );
    }
    if waves.moved.len() > EXPLAINED {
        let more = waves.moved.len() - EXPLAINED;
        put(
            &mut text,
            format_args!("\n              … {more} more moved"),
        );
    }
    if !waves.moved.is_empty() {
        text.push('\n');
    }
    put(&mut text, format_args!("\n{}\n", sums(plan, waves)));
    text
}

fn wave_lines(plan: &Plan, waves: &Waves) -> String {
    let tasks = || waves.waves.iter();
    let members: Vec<_> = tasks().map(|tasks| members(plan, tasks)).collect();
    let widest = members.iter().map(|line| line.chars().count()).max();
    let width = widest.unwrap_or(0).min(60);
    let most = tasks().map(Vec::len).max().unwrap_or(0);
    let digits = most.to_string().len();
    let mut text = String::new();
    for ((n, tasks), members) in (1..).zip(tasks()).zip(&members) {
        let (count, noun) = (tasks.len(), noun(tasks));
        let line = format!("{}   {}", pad(members, width), after(plan, tasks));
        let line = line.trim_end();
        put(
            &mut text,
            format_args!("wave {n:<3} {count:>digits$} {noun}   {line}\n"),
        );
    }
    text
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what); // a String takes every write
}

fn noun(tasks: &[TaskIx]) -> &'static str {
    if tasks.len() == 1 { "task " } else { "tasks" }
}

fn members(plan: &Plan, tasks: &[TaskIx]) -> String {
    let ids = tasks.iter().map(|ix| name(&plan.task(*ix).id));
    few(ids, NAMED, "  ")
}

/// `after types (14), other`: what the tasks of a wave wait for, fan-outs in one word.
fn after(plan: &Plan, tasks: &[TaskIx]) -> String {
    let mut seen = HashSet::new();
    let mut groups: Vec<(&str, usize)> = Vec::new();
    let deps = tasks.iter().flat_map(|ix| &plan.task(*ix).after);
    for dep in deps.filter(|dep| seen.insert(**dep)) {
        let id = &*plan.task(*dep).id;
        let group = id.split_once(':').map_or(id, |(group, _)| group);
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, n)) => *n += 1,
            None => groups.push((group, 1)),
        }
    }
    if groups.is_empty() {
        return String::new();
    }
    let say = |(group, n): &(&str, usize)| match n {
        1 => name(group),
        n => format!("{} ({n})", name(group)),
    };
    format!("after {}", few(groups.iter().map(say), 3, ", "))
}

fn explain(plan: &Plan, moved: &Moved) -> String {
    let task = name(&plan.task(moved.task).id);
    let behind = name(&plan.task(moved.behind).id);
    let path = &moved.path;
    let why = match moved.hazard {
        Hazard::WriteWrite => format!("both it and `{behind}` write `{path}`"),
        Hazard::ReadAfterWrite => format!("it reads `{path}`, which `{behind}` writes"),
        Hazard::WriteAfterRead => format!("it writes `{path}`, which `{behind}` reads"),
    };
    format!("`{task}` is moved to wave {}: {why}", moved.wave)
}

fn sums(plan: &Plan, waves: &Waves) -> String {
    let mut sums = format!(
        "{}, {}, {}; at most {}, {}",
        many(plan.tasks.len(), "task"),
        many(files(plan), "file"),
        many(waves.waves.len(), "wave"),
        count(dispatches(plan), "dispatch"),
        duration(plan.budget.wall_ms),
    );
    let narrowest = (1..).zip(&waves.waves).min_by_key(|(_, tasks)| tasks.len());
    if let Some((n, tasks)) = narrowest.filter(|_| waves.waves.len() > 1) {
        let tasks = many(tasks.len(), "task");
        put(&mut sums, format_args!("; narrowest wave: {n} ({tasks})"));
    }
    sums
}

fn files(plan: &Plan) -> usize {
    let owned = plan.tasks.iter().flat_map(|task| task.owned());
    owned.collect::<HashSet<_>>().len()
}

fn dispatches(plan: &Plan) -> u64 {
    let asked: u64 = plan.tasks.iter().map(|task| u64::from(task.attempts)).sum();
    asked.min(u64::from(plan.budget.attempts))
}

/// The waves for machines: `plan`, `waves` (each `wave` and `tasks`), `moved` (each `code`, `task`, `wave`, `behind`,
/// `path`, `hazard`), `tasks`, `files`, `dispatches` (at most) and `wall_ms` (at most).
#[must_use]
pub fn waves_json(plan: &Plan, waves: &Waves) -> Json {
    let id = |ix: &TaskIx| plan.task(*ix).id.to_string();
    let wave = |(n, tasks): (u32, &Vec<TaskIx>)| json!({ "wave": n, "tasks": tasks.iter().map(id).collect::<Vec<_>>() });
    let moved = |moved: &Moved| {
        json!({
            "code": "SW0205",
            "task": id(&moved.task),
            "wave": moved.wave,
            "behind": id(&moved.behind),
            "path": moved.path,
            "hazard": hazard(moved.hazard),
        })
    };
    json!({
        "plan": plan.name,
        "waves": (1..).zip(&waves.waves).map(wave).collect::<Vec<_>>(),
        "moved": waves.moved.iter().map(moved).collect::<Vec<_>>(),
        "tasks": plan.tasks.len(),
        "files": files(plan),
        "dispatches": dispatches(plan),
        "wall_ms": plan.budget.wall_ms,
    })
}

fn hazard(hazard: Hazard) -> &'static str {
    match hazard {
        Hazard::WriteWrite => "write-write",
        Hazard::ReadAfterWrite => "read-after-write",
        Hazard::WriteAfterRead => "write-after-read",
    }
}
