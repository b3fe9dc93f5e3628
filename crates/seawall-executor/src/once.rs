//! One look: a command that is run once, confined, in a fresh workspace that no worker and no other command has touched.
//!
//! A check runs what a worker wrote. In a workspace or home that two checks share, that code could mend during the first
//! what the second looks for. The price is that no check finds what another one built.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seawall_core::path::{RepoPath, escape};
use seawall_core::plan::Criterion;
use seawall_sandbox::{End as SandboxEnd, Profile, Report as Confinement, Stdin, Write};
use seawall_verify::{COUNTED, End, Ran, Report};

use crate::cache::{Key, Made};
use crate::confine::{self, Job, enforced};
use crate::crew::Crew;
use crate::error::{ExecuteError, at};
use crate::execute::blocking;
use crate::logs::{self, Log};
use crate::look::Look;
use crate::place::Room;
use crate::workspace::{self, Places};
use crate::{added, report};

/// A command that looks at a tree.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    pub(crate) look: Look,
    /// The number of its criterion, which names its log.
    pub(crate) criterion: u32,
    pub(crate) command: Vec<u8>,
    /// The report that it is to write.
    pub(crate) junit: Option<RepoPath>,
    /// Files that stand in its workspace besides those of the tree.
    pub(crate) put: BTreeMap<RepoPath, Arc<[u8]>>,
}

impl Once {
    /// The command of a criterion, already filled in.
    pub(crate) fn of(look: &Look, criterion: u32, asked: &Criterion, command: Vec<u8>) -> Self {
        Self {
            look: look.clone(),
            criterion,
            command,
            junit: asked.junit.clone(),
            put: asked.put.clone(),
        }
    }

    /// Its run of that number, from 0; one that somebody made on the same tree will do.
    pub(crate) async fn run(
        &self,
        crew: &Arc<Crew>,
        number: usize,
    ) -> Result<Arc<Ran>, ExecuteError> {
        if !self.put.is_empty() {
            return Ok(self.made(crew, number).await?.ran);
        }
        let key = Key {
            tree: self.look.tree.clone(),
            command: self.command.clone(),
            junit: self.junit.clone(),
        };
        let made = crew.looks.run(&key, number, || self.made(crew, number));
        let Made { ran, log } = made.await?;
        let own = self.log(crew, number);
        if log != own {
            let name = move |_: &Crew| logs::also(&log, &own).map_err(at("name the log", &own));
            blocking(crew, name).await?;
        }
        Ok(ran)
    }

    async fn made(&self, crew: &Arc<Crew>, number: usize) -> Result<Made, ExecuteError> {
        let (log, _place) = (self.log(crew, number), crew.place().await?);
        let fresh = log.clone();
        blocking(crew, move |_| {
            // Another look may go by the same log under a name of its own.
            logs::forget(&fresh).map_err(at("remove", &fresh))
        })
        .await?;
        let run = Run {
            once: self,
            profile: crew.profile("check")?,
            log: log.clone(),
        };
        let ran = Arc::new(run.anywhere(crew).await?);
        Ok(Made { ran, log })
    }

    fn log(&self, crew: &Crew, number: usize) -> PathBuf {
        crew.setup.place.log(&self.log_name(number))
    }

    /// What the log of its run of that number is called.
    pub(crate) fn log_name(&self, number: usize) -> String {
        let again = match number {
            0 => String::new(),
            number => format!(".again-{number}"),
        };
        format!("{}{again}.{}.log", self.look.label, self.criterion)
    }
}

/// One run of it.
struct Run<'a> {
    once: &'a Once,
    profile: Profile,
    log: PathBuf,
}

impl Run<'_> {
    /// Runs it in memory where that is safe, else on the disk.
    ///
    /// Memory is safe where a control group bounds what the check may take of it: then too much of it is a limit that was met,
    /// which is seen, and the check is run again on the disk. A file system in memory that was merely full would look like a
    /// red check. What is put into the workspace, or taken out of it afterwards, needs a place on the disk.
    async fn anywhere(&self, crew: &Arc<Crew>) -> Result<Ran, ExecuteError> {
        let Once { command, look, .. } = self.once;
        let disk = self.once.junit.is_some() || !self.once.put.is_empty();
        let memory = crew.check_in_memory(command, &self.profile);
        if let Some(most) = memory.filter(|_| !disk) {
            let (at, of) = (look.commit.clone(), self.profile.clone());
            let find = move |crew: &Crew| workspace::places_in_memory(crew, &at, &of, most);
            let places = blocking(crew, find).await?;
            let report = self.confined(crew, places).await?;
            if report.limits.is_empty() {
                return self.ran(crew, report, Report::NotAsked).await;
            }
            crew.needs_disk(command.clone());
        }
        self.on_disk(crew).await
    }

    async fn on_disk(&self, crew: &Arc<Crew>) -> Result<Ran, ExecuteError> {
        let once = self.once.clone();
        let label = format!("{}.{}", once.look.label, once.criterion);
        let held = Thrown::of(crew, crew.setup.place.check(&label));
        let (own, profile) = (Arc::clone(&held), self.profile.clone());
        let open = move |crew: &Crew| {
            workspace::open(crew, &own.room, &once.look.commit, &[])?;
            added::put(&added::files(&own.room), &once.put)?;
            if let Some(junit) = &once.junit {
                report::clear(crew, &own.room, &once.look.commit, junit)?;
            }
            workspace::places(crew, &own.room, &once.look.commit, &profile)
        };
        let places = blocking(crew, open).await?;
        let report = self.confined(crew, places).await?;
        let junit = self.once.junit.clone();
        let read = move |_: &Crew| Ok(report::read(&added::files(&held.room), junit.as_ref()));
        let told = blocking(crew, read).await?;
        self.ran(crew, report, told).await
    }

    async fn confined(
        &self,
        crew: &Arc<Crew>,
        places: Places,
    ) -> Result<Confinement, ExecuteError> {
        let command = OsString::from_vec(self.once.command.clone());
        let job = Job {
            argv: vec!["/bin/sh".into(), "-c".into(), command],
            places,
            write: Write::Workspace,
            stdin: Stdin::Null,
            log: self.log.clone(),
            profile: self.profile.clone(),
            wall: wall(crew),
            silence: None,
            label: format!("{}.{}", self.once.look.label, self.once.criterion),
            attempt: None,
        };
        confine::run(crew, job).await
    }

    async fn ran(
        &self,
        crew: &Arc<Crew>,
        report: Confinement,
        told: Report,
    ) -> Result<Ran, ExecuteError> {
        let (log, tree) = (self.log.clone(), self.once.look.tree.clone());
        let command = shown(&self.once.command);
        blocking(crew, move |crew| {
            let output = logs::read(&log, COUNTED).map_err(at("read", &log))?;
            let ended = end(&report, wall(crew))?;
            let Log { end, digest } = output;
            Ok(Ran {
                command,
                tree,
                end: ended,
                ms: ms(report.wall),
                bytes: report.output_bytes,
                end_of_output: end,
                digest,
                report: told,
                enforced: crew.said_once(enforced(&report.ledger)),
            })
        })
        .await
    }
}

/// A room that is thrown away in any case, also when nobody waits for its command any more. Whoever still makes something
/// in it holds it too, for what blocks goes on.
pub(crate) struct Thrown {
    crew: Arc<Crew>,
    pub(crate) room: Room,
}

impl Thrown {
    pub(crate) fn of(crew: &Arc<Crew>, room: Room) -> Arc<Self> {
        let crew = Arc::clone(crew);
        Arc::new(Self { crew, room })
    }
}

impl Drop for Thrown {
    fn drop(&mut self) {
        // What cannot be taken away now is swept by the next session of the run, which fails if it cannot.
        drop(self.crew.trash.throw(&self.room.root));
    }
}

fn wall(crew: &Crew) -> Duration {
    Duration::from_millis(crew.setup.plan.limits.check_timeout_ms)
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn end(report: &Confinement, wall: Duration) -> Result<End, ExecuteError> {
    if let Some(why) = &report.output_error {
        return Err(ExecuteError::Output(why.clone()));
    }
    Ok(match &report.end {
        SandboxEnd::Exited(status) => End::Exited(*status),
        SandboxEnd::Signalled(signal) => End::Signalled(*signal),
        SandboxEnd::Killed { limit } => End::Killed(limit.clone()),
        SandboxEnd::TimedOut | SandboxEnd::Silent => End::TimedOut(ms(wall)),
        SandboxEnd::Stopped => End::Stopped,
        SandboxEnd::CouldNotStart { step, error } => End::CouldNotStart(format!("{step}: {error}")),
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
