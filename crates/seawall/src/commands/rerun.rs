//! `seawall verify --rerun`: every look that can be taken again is, confined as in the run, and compared.
//!
//! It runs in a directory of its own beside the runs, which goes with it; the run's own directory is only read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seawall_core::event::{Started, Workspaces};
use seawall_core::plan::{Plan, WorkspaceMode};
use seawall_executor::{Again, Place, Setup, rerun};
use seawall_git::Store;
use seawall_report::audit::{Of, Problem, Taken, differences};
use seawall_sandbox::{CONTROL_GROUPS, HostReport};

use crate::beside::Beside;
use crate::failure::Failure;
use crate::runs::RunDir;
use crate::session;

/// Takes `looks` again; what differs.
pub(super) fn again(
    store: &Store,
    dir: &RunDir,
    (plan, started): (&Plan, &Started),
    looks: &[Taken],
) -> Result<Vec<Problem>, Failure> {
    let host = session::check_host()?;
    let beside = Beside::again(store)?;
    let setup = setup(store, dir, (plan, started), beside.place(), &host)?;
    let place = setup.place.clone();
    let asked: Vec<_> = looks.iter().map(|taken| asked(plan, taken)).collect();
    let mut problems = Vec::new();
    rerun(setup, &asked, |n, now| {
        problems.extend(differences(plan, &looks[n], &now))
    })?;
    place.tidy()?;
    Ok(problems)
}

fn asked(plan: &Plan, taken: &Taken) -> Again {
    let (commit, measured) = (taken.commit.clone(), taken.measured.clone());
    match taken.of {
        Of::Base => Again::GatesOnBase(commit, taken.gates(plan)),
        Of::Task(task) => Again::ChecksOnBase(task, commit),
        Of::Attempt(task, attempt) => Again::Checks(task, attempt, commit, measured),
        Of::Checkpoint(_) => Again::Gates(commit, measured, taken.gates(plan)),
    }
}

fn setup(
    store: &Store,
    dir: &RunDir,
    (plan, started): (&Plan, &Started),
    place: Place,
    host: &HostReport,
) -> Result<Setup, Failure> {
    let has = |feature: &str| {
        let mut features = host.features.iter();
        features.any(|found| found.have && found.name.contains(feature))
    };
    let profiles = crate::profiles::pinned(dir, started.profiles.as_ref())?;
    crate::profiles::must_hold(&profiles, true)?;
    let place = match has("namespaces") {
        true => place,
        false => place.with_rooms_outside()?,
    };
    place.lay_out()?;
    let overlay = plan.workspace.mode != WorkspaceMode::Copy
        && seawall_sandbox::overlays(place.root()).is_ok();
    Ok(Setup {
        plan: Arc::new(plan.clone()),
        store: store.clone(),
        place,
        run: dir.id.clone(),
        branch: started.branch.clone(),
        began: 0,
        wall: Duration::MAX,
        home: std::env::var_os("HOME").map(PathBuf::from),
        namespaces: true,
        base: started.base.clone(),
        onto: None,
        workspaces: if overlay {
            Workspaces::Overlay
        } else {
            Workspaces::Copy
        },
        groups: has(CONTROL_GROUPS),
        jobs: 1,
        takes_kept_base: false, // what is looked at again comes from the commits alone
        profiles,
    })
}
