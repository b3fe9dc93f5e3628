//! Checks: each is run by Seawall, confined, in a fresh workspace that no worker and no other check has touched.
//!
//! A check runs what a worker wrote. In a workspace or home that two checks share, that code could mend during the first
//! what the second looks for. The price is that no check finds what another one built.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seawall_core::evidence::Evidence;
use seawall_core::fill::shell;
use seawall_core::ids::{AttemptNo, Commit, TaskIx, Tree};
use seawall_core::path::{RepoPath, escape};
use seawall_core::plan::{Criterion, Proof, Task};
use seawall_sandbox::{End as SandboxEnd, Profile, Report, Stdin, Write};
use seawall_verify::{
    COUNTED, End, Ours, Ran, after as judge_after, manual, on_base as judge_on_base,
};

use crate::confine::{self, Job, enforced};
use crate::crew::{Crew, id};
use crate::error::{ExecuteError, at};
use crate::execute::blocking;
use crate::logs::{self, Log};
use crate::workspace::{self, Places};

/// Where to look.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// Names the workspace and the logs.
    pub(crate) label: String,
    /// What the workspace holds.
    pub(crate) commit: Commit,
    /// Its tree, for the record.
    pub(crate) tree: Tree,
}

/// Runs a task's checks on the base.
pub(crate) async fn on_base(
    crew: &Arc<Crew>,
    ix: TaskIx,
    base: &Commit,
) -> Result<Vec<Evidence>, ExecuteError> {
    let task = crew.setup.plan.task(ix);
    if task.checks.iter().all(|check| check.run.is_none()) {
        return Ok(Vec::new());
    }
    let look = look(crew, format!("base-{}-{}", ix.0, base.short()), base).await?;
    let mut all = Vec::new();
    for (n, check) in (0..).zip(task.checks.iter()) {
        if let Some(command) = command(check, task) {
            let ran = run(crew, &look, n, command).await?;
            all.push(judge_on_base(n, check, &ran, &ours(crew)));
        }
    }
    Ok(all)
}

/// Runs a task's checks on its harvest.
pub(crate) async fn after(
    crew: &Arc<Crew>,
    ix: TaskIx,
    (attempt, harvest): (AttemptNo, &Commit),
    measured: &[Evidence],
) -> Result<Vec<Evidence>, ExecuteError> {
    let task = crew.setup.plan.task(ix);
    let look = look(crew, format!("verify-{attempt}"), harvest).await?;
    let mut all = Vec::new();
    for (n, check) in (0..).zip(task.checks.iter()) {
        all.push(match command(check, task) {
            Some(command) => {
                let ran = run(crew, &look, n, command).await?;
                judge_after(n, check, &ran, before(measured, n), &ours(crew))
            }
            None => manual(n, look.tree.clone()),
        });
    }
    forget(crew, &look).await?;
    Ok(all)
}

fn ours(crew: &Crew) -> Ours<'_> {
    Ours::of(&crew.setup.plan)
}

/// What this criterion showed where the work began, if tests were counted there.
fn before(measured: &[Evidence], criterion: u32) -> Option<&Evidence> {
    measured.iter().find(|e| e.criterion == criterion)
}

/// Runs the plan's gates on the base itself.
pub(crate) async fn gates_on_base(
    crew: &Arc<Crew>,
    look: Look,
) -> Result<Vec<Evidence>, ExecuteError> {
    let mut all = Vec::new();
    for (n, criterion) in (0..).zip(crew.setup.plan.gates()) {
        let ran = run(crew, &look, n, gate(criterion)).await?;
        all.push(judge_on_base(n, criterion, &ran, &ours(crew)));
    }
    forget(crew, &look).await?;
    Ok(all)
}

/// Runs the plan's gates on harvests; with `first_red_ends`, the first one that does not pass is the last.
pub(crate) async fn at_gates(
    crew: &Arc<Crew>,
    look: Look,
    measured: &[Evidence],
    first_red_ends: bool,
) -> Result<Vec<Evidence>, ExecuteError> {
    let mut all: Vec<Evidence> = Vec::new();
    for (n, criterion) in (0..).zip(crew.setup.plan.gates()) {
        let ran = run(crew, &look, n, gate(criterion)).await?;
        all.push(judge_after(
            n,
            criterion,
            &ran,
            before(measured, n),
            &ours(crew),
        ));
        if first_red_ends && !all.iter().all(Evidence::passes) {
            break;
        }
    }
    forget(crew, &look).await?;
    Ok(all)
}

fn gate(criterion: &Criterion) -> Vec<u8> {
    criterion.run.clone().unwrap_or_default().into_bytes()
}

/// Nothing is laid over a harvest or a trial again.
async fn forget(crew: &Arc<Crew>, look: &Look) -> Result<(), ExecuteError> {
    let commit = look.commit.clone();
    blocking(crew, move |crew| crew.bases.forget(&commit, &crew.trash)).await
}

async fn look(crew: &Arc<Crew>, label: String, at: &Commit) -> Result<Look, ExecuteError> {
    let commit = at.clone();
    let tree = blocking(crew, move |crew| {
        Ok(crew.setup.store.tree_of(&id(&commit)?)?)
    })
    .await?;
    Ok(Look {
        label,
        commit: at.clone(),
        tree: Tree::from(tree.as_str()),
    })
}

fn command(check: &Criterion, task: &Task) -> Option<Vec<u8>> {
    let files: Vec<&RepoPath> = task.files.iter().chain(&task.creates).collect();
    let run = check
        .run
        .as_ref()
        .filter(|_| check.proof != Proof::Manual)?;
    Some(shell(run, &files, &task.id))
}

/// Runs one check in a workspace of its own: in memory where that is safe, else on the disk.
///
/// Memory is safe where a control group bounds what the check may take of it: then too much of it is a limit that was met, which
/// is seen, and the check is run again on the disk. A file system in memory that was merely full would look like a red check.
async fn run(
    crew: &Arc<Crew>,
    look: &Look,
    criterion: u32,
    command: Vec<u8>,
) -> Result<Ran, ExecuteError> {
    let run = Run {
        look,
        criterion,
        command: &command,
        profile: crew.profile("check")?,
    };
    let (at, of) = (look.commit.clone(), run.profile.clone());
    if let Some(most) = crew.check_in_memory(&command, &run.profile) {
        let (at, of) = (at.clone(), of.clone());
        let find = move |crew: &Crew| workspace::places_in_memory(crew, &at, &of, most);
        let places = blocking(crew, find).await?;
        let report = run.confined(crew, places).await?;
        if report.limits.is_empty() {
            return run.ran(crew, report).await;
        }
        crew.needs_disk(command.clone());
    }
    let room = crew.setup.place.check(&look.label);
    let made = room.clone();
    let open = move |crew: &Crew| {
        workspace::open(crew, &made, &at, &[])?;
        workspace::places(crew, &made, &at, &of)
    };
    let places = blocking(crew, open).await?;
    let report = run.confined(crew, places).await;
    blocking(crew, move |crew| crew.trash.throw(&room.root)).await?;
    run.ran(crew, report?).await
}

/// One check that is run.
struct Run<'a> {
    look: &'a Look,
    criterion: u32,
    command: &'a [u8],
    profile: Profile,
}

impl Run<'_> {
    fn log(&self, crew: &Crew) -> PathBuf {
        crew.setup.place.check_log(&self.look.label, self.criterion)
    }

    async fn confined(&self, crew: &Arc<Crew>, places: Places) -> Result<Report, ExecuteError> {
        let command = OsString::from_vec(self.command.to_vec());
        let job = Job {
            argv: vec!["/bin/sh".into(), "-c".into(), command],
            places,
            write: Write::Workspace,
            stdin: Stdin::Null,
            log: self.log(crew),
            profile: self.profile.clone(),
            wall: wall(crew),
            silence: None,
            label: format!("{}.{}", self.look.label, self.criterion),
            attempt: None,
        };
        confine::run(crew, job).await
    }

    async fn ran(&self, crew: &Arc<Crew>, report: Report) -> Result<Ran, ExecuteError> {
        let (log, tree, wall) = (self.log(crew), self.look.tree.clone(), wall(crew));
        let command = shown(self.command);
        blocking(crew, move |crew| {
            let output = logs::read(&log, COUNTED).map_err(at("read", &log))?;
            ran(crew, &report, (command, tree), output, wall)
        })
        .await
    }
}

fn wall(crew: &Crew) -> Duration {
    Duration::from_millis(crew.setup.plan.limits.check_timeout_ms)
}

fn ran(
    crew: &Crew,
    report: &Report,
    (command, tree): (String, Tree),
    output: Log,
    wall: Duration,
) -> Result<Ran, ExecuteError> {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if let Some(why) = &report.output_error {
        return Err(ExecuteError::Output(why.clone()));
    }
    let end = match &report.end {
        SandboxEnd::Exited(status) => End::Exited(*status),
        SandboxEnd::Signalled(signal) => End::Signalled(*signal),
        SandboxEnd::Killed { limit } => End::Killed(limit.clone()),
        SandboxEnd::TimedOut | SandboxEnd::Silent => End::TimedOut(ms(wall)),
        SandboxEnd::Stopped => End::Stopped,
        SandboxEnd::CouldNotStart { step, error } => End::CouldNotStart(format!("{step}: {error}")),
    };
    Ok(Ran {
        command,
        tree,
        end,
        ms: ms(report.wall),
        bytes: report.output_bytes,
        end_of_output: output.end,
        digest: output.digest,
        enforced: crew.said_once(enforced(&report.ledger)),
    })
}

fn shown(command: &[u8]) -> String {
    match std::str::from_utf8(command) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let mut text = String::new();
            let _ = escape(command, &mut text); // a String takes every write
            text
        }
    }
}
