//! `seawall check --deep`: what a plan's gates, checks and holdouts show on the base, before any money is spent.
//!
//! It runs in a directory of its own beside the runs, which goes with it, confined as in a run. What a later wave's checks
//! show is only a note, because the waves before it change what they look at.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seawall_core::diagnostic::{Diagnostic, Severity};
use seawall_core::event::Workspaces;
use seawall_core::evidence::{Evidence, Value};
use seawall_core::ids::TaskIx;
use seawall_core::plan::{Criterion, Plan, Proof, When, WorkspaceMode};
use seawall_core::waves::Waves;
use seawall_executor::{Deep, Place, Setup, deep};
use seawall_git::Store;
use seawall_sandbox::{CONTROL_GROUPS, HostReport};

use crate::args::CheckArgs;
use crate::beside::Beside;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::session;

/// Lines of output that a problem is told with.
const LINES: usize = 6;

/// Runs what the plan would run on its base; what is wrong with it.
pub(super) fn look(
    store: &Store,
    file: &PlanFile,
    (plan, waves): (&Arc<Plan>, &Waves),
    args: &CheckArgs,
) -> Result<Vec<Diagnostic>, Failure> {
    let host = session::check_host()?;
    let beside = Beside::deep(store)?;
    let setup = setup(store, file, plan, args, (beside.place(), &host))?;
    let place = setup.place.clone();
    let seen = deep(setup)?;
    place.tidy()?;
    Ok(problems(&file.text, plan, waves, &seen))
}

fn setup(
    store: &Store,
    file: &PlanFile,
    plan: &Arc<Plan>,
    args: &CheckArgs,
    (place, host): (Place, &HostReport),
) -> Result<Setup, Failure> {
    let has = |feature: &str| {
        let mut features = host.features.iter();
        features.any(|found| found.have && found.name.contains(feature))
    };
    let Some((base, _)) = &file.world.head else {
        return Err(Failure::usage("the repository has no commit yet"));
    };
    let namespaces = !args.no_namespaces;
    let profiles = crate::profiles::named(store.workdir(), plan)?;
    crate::profiles::must_hold(&profiles, namespaces)?;
    let place = match namespaces && has("namespaces") {
        true => place,
        false => place.with_rooms_outside()?,
    };
    place.lay_out()?;
    place.note_boot()?;
    let overlay = namespaces
        && plan.workspace.mode != WorkspaceMode::Copy
        && seawall_sandbox::overlays(place.root()).is_ok();
    Ok(Setup {
        plan: Arc::clone(plan),
        store: store.clone(),
        place,
        run: "check".to_owned(),
        branch: String::new(),
        began: 0,
        wall: Duration::MAX,
        home: std::env::var_os("HOME").map(PathBuf::from),
        namespaces,
        base: base.as_str().into(),
        onto: None,
        workspaces: match overlay {
            true => Workspaces::Overlay,
            false => Workspaces::Copy,
        },
        groups: has(CONTROL_GROUPS),
        jobs: session::places(args.jobs),
        takes_kept_base: true,
        profiles,
    })
}

/// One problem, and how many tasks of a fan-out have it.
struct Told {
    problem: Diagnostic,
    more: usize,
}

fn problems(text: &str, plan: &Plan, waves: &Waves, seen: &Deep) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let gates: Vec<&Criterion> = plan.gates().collect();
    for evidence in seen.gates.iter().filter(|e| !e.passes()) {
        let Some(gate) = gates.get(evidence.criterion as usize) else {
            continue;
        };
        let code = code(gate, evidence, "SW0301");
        let problem = problem(
            code,
            Severity::Error,
            &format!("the gate \"{}\"", gate.says),
            evidence,
        );
        all.push(at(problem, text, gate));
    }
    let first: HashSet<TaskIx> = waves.waves.iter().take(1).flatten().copied().collect();
    let mut told: BTreeMap<(String, &str, Option<&str>), Told> = BTreeMap::new();
    let mut order = Vec::new();
    for (ix, evidence) in &seen.tasks {
        for (criterion, evidence) in wrong(plan, *ix, evidence) {
            let code = code(criterion, evidence, "SW0304");
            let early = first.contains(ix);
            // Only a green that needs no work is worth a word before its wave has come.
            if !early && code != "SW0302" {
                continue;
            }
            let severity = if early {
                Severity::Error
            } else {
                Severity::Note
            };
            let key = (
                format!("{code}{early}"),
                &*criterion.says,
                criterion.run.as_deref(),
            );
            if let Some(told) = told.get_mut(&key) {
                told.more += 1;
                continue;
            }
            let of = &plan.task(*ix).id;
            let what = format!("the check \"{}\" of `{of}`", criterion.says);
            let problem = at(problem(code, severity, &what, evidence), text, criterion);
            order.push(key.clone());
            told.insert(key, Told { problem, more: 0 });
        }
    }
    let grouped = order.iter().filter_map(|key| told.remove(key));
    all.extend(grouped.map(|Told { problem, more }| match more {
        0 => problem,
        1 => problem.note("so it is for one more task"),
        more => problem.note(format!("so it is for {more} more tasks")),
    }));
    all
}

/// The criteria of a task that are not on the base as they must be.
fn wrong<'a>(
    plan: &'a Plan,
    ix: TaskIx,
    evidence: &'a [Evidence],
) -> impl Iterator<Item = (&'a Criterion, &'a Evidence)> {
    let task = plan.task(ix);
    let seen = evidence.iter().filter(|e| !e.passes()).filter_map(|e| {
        let criterion = task.criteria().nth(e.criterion as usize)?;
        Some((criterion, e))
    });
    // What is done already is left out, which is what the plan wants.
    seen.filter(move |(criterion, e)| {
        let done = criterion.proof == Proof::FailToPass && e.value == Value::Fail;
        !(done && task.when == When::Red)
    })
}

fn code(criterion: &Criterion, evidence: &Evidence, red: &'static str) -> &'static str {
    match evidence.value {
        _ if evidence.flaky.is_some() => "SW0305",
        Value::CouldNotLook => "SW0303",
        // A gate has no proof of its own that a green could fail.
        _ if criterion.proof == Proof::FailToPass && red != "SW0301" => "SW0302",
        _ => red,
    }
}

fn problem(code: &'static str, severity: Severity, what: &str, evidence: &Evidence) -> Diagnostic {
    let (message, help) = match code {
        "SW0301" => (
            format!("{what} is red on the base"),
            "mend the base, or declare the red with `red_until` or `baseline = \"red\"`",
        ),
        "SW0302" => (
            format!("{what} is green before any work"),
            "make it look at what the task is to change, or say `proof = \"pass-to-pass\"`",
        ),
        "SW0303" => (
            format!("{what} cannot look"),
            "run the command yourself in a fresh clone, and mend what it stumbles over",
        ),
        "SW0304" => (
            format!("{what} is red before any work"),
            "mend the base, or say `baseline = \"red\"` if its tests fail already",
        ),
        _ => (
            format!("{what} is red and green on one tree"),
            "mend the test, or say how often to try: `flaky = \"retry:3\"`",
        ),
    };
    let seen = Diagnostic::new(code, severity, message)
        .help(help)
        .note(format!("`{}`: {}", evidence.command, evidence.why));
    let lines: Vec<&str> = evidence
        .tail
        .lines()
        .filter(|l| !l.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.iter()
        .fold(seen, |seen, line| seen.note(format!("| {line}")))
}

/// Says where the sentence stands in the plan, if it stands there once.
fn at(problem: Diagnostic, text: &str, criterion: &Criterion) -> Diagnostic {
    let mut found = text.match_indices(&criterion.says);
    match (found.next(), found.next()) {
        (Some((at, says)), None) => problem.at(at..at + says.len(), "this one"),
        _ => problem,
    }
}
