//! One confined command, from order to report, without blocking the runtime.

use std::ffi::OsString;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use seawall_core::ids::AttemptNo;
use seawall_core::plan::SandboxRules;
use seawall_sandbox::{
    Confined, Ledger, Limits, Network, Order, Output, Profile, Report, State, Stdin, Write, spawn,
};

use crate::crew::Crew;
use crate::error::{ExecuteError, at};
use crate::workspace::Places;

/// A command and what is special about it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) argv: Vec<OsString>,
    pub(crate) places: Places,
    pub(crate) write: Write,
    pub(crate) stdin: Stdin,
    /// Where its output is kept.
    pub(crate) log: PathBuf,
    /// What bounds it.
    pub(crate) profile: Profile,
    pub(crate) wall: Duration,
    pub(crate) silence: Option<Duration>,
    /// Names the log of its network.
    pub(crate) label: String,
    /// Under which attempt it can be stopped.
    pub(crate) attempt: Option<AttemptNo>,
}

/// Runs the job to its end. Dropping the future ends the whole process tree.
pub(crate) async fn run(crew: &Crew, job: Job) -> Result<Report, ExecuteError> {
    let attempt = job.attempt;
    let order = order(crew, job)?;
    let confined = spawn(&order)?;
    if let Some(attempt) = attempt {
        let entered = confined
            .stopper()
            .and_then(|stopper| crew.enter(attempt, stopper));
        entered.map_err(at("hold on to a worker of", &order.workspace))?;
    }
    let report = finished(confined).await;
    if let Some(attempt) = attempt {
        crew.leave(attempt);
    }
    let report = report?;
    if let Some(alive) = order.alive {
        crew.locks.give_back(alive);
    }
    Ok(report)
}

async fn finished(confined: Confined) -> Result<Report, ExecuteError> {
    let lost = |e: std::io::Error| ExecuteError::Lost(e.to_string());
    let control = UnixStream::from(confined.as_fd().try_clone_to_owned().map_err(lost)?);
    // The flag is shared with the original, whose `finish` takes it back.
    control.set_nonblocking(true).map_err(lost)?;
    tokio::net::UnixStream::from_std(control)
        .map_err(lost)?
        .readable()
        .await
        .map_err(lost)?;
    let report = tokio::task::spawn_blocking(move || confined.finish()).await;
    Ok(report.map_err(|e| ExecuteError::Lost(e.to_string()))??)
}

fn order(crew: &Crew, job: Job) -> Result<Order, ExecuteError> {
    let setup = &crew.setup;
    let rules = &setup.plan.sandbox;
    let home = |text: &String| expand(text, setup.home.as_deref());
    let profile = job.profile;
    let planned = rules.read.iter().map(home);
    let read = profile.reads(setup.home.as_deref());
    let network = Network {
        policy: profile.policy().map_err(|error| {
            ExecuteError::Lost(format!("the profile `{}`: {error}", profile.name))
        })?,
        limits: profile.traffic.clone(),
        log: Some(setup.place.network_log(&job.label)),
    };
    Ok(Order {
        argv: job.argv,
        env: [profile.variables(), environment(rules, &home)].concat(),
        workspace: job.places.tree,
        overlay: job.places.overlay,
        carry: job.places.carry,
        appears_at: setup.store.workdir().map(PathBuf::from),
        cwd: None,
        write: job.write,
        read: read
            .into_iter()
            .chain(planned.filter(|path| path.exists()))
            .chain(job.places.read)
            .collect(),
        home: job.places.home,
        tmp: job.places.tmp,
        stdin: job.stdin,
        output: Output::File {
            path: job.log,
            cap: setup.plan.limits.output_bytes,
        },
        alive: Some(crew.locks.take()?),
        namespaces: setup.namespaces,
        opens: profile.opens,
        floor: profile.floor(setup.namespaces),
        limits: Limits {
            wall: Some(job.wall),
            silence: job.silence,
            ..profile.limits
        },
        run: Some(setup.run.clone()),
        network,
    })
}

fn environment(
    rules: &SandboxRules,
    home: &impl Fn(&String) -> PathBuf,
) -> Vec<(OsString, OsString)> {
    let passed = rules
        .pass
        .iter()
        .filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
    let set = rules
        .env
        .iter()
        .map(|(name, value)| (name.into(), home(value).into()));
    passed.chain(set).collect()
}

/// The path or value that `text` of a plan stands for: a leading `~/` is the user's home.
#[must_use]
pub fn expand(text: &str, home: Option<&std::path::Path>) -> PathBuf {
    match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => text.into(),
    }
}

/// What held, one short entry per protection.
pub(crate) fn enforced(ledger: &Ledger) -> Vec<String> {
    let entry = |name: &str, state: &State| match state {
        State::Enforced { by } => Some(format!("{name}: {by}")),
        State::Degraded { to, because } => Some(format!("{name}: only {to} ({because})")),
        State::Off => None,
    };
    ledger
        .entries
        .iter()
        .filter_map(|protection| entry(&protection.name, &protection.state))
        .collect()
}
