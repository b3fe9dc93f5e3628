//! One session of a run: journal, executor and reporter put together, and the loop entered.
//!
//! `run` and `resume` differ only in their first event and in whether there is a journal to fold.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seawall_core::drive::{DriveError, drive};
use seawall_core::event::{Event, Started, Workspaces};
use seawall_core::plan::{Plan, WorkspaceMode};
use seawall_core::scheduler::{Outcome, Scheduler, Standing};
use seawall_core::waves::Waves;
use seawall_executor::{Executor, Setup};
use seawall_git::Store;
use seawall_journal::{Journal, Lock};
use seawall_report::exit::exit_code;
use seawall_report::teller::{Mode, Teller};
use seawall_report::view::View;
use seawall_sandbox::{CONTROL_GROUPS, Feature, HostReport};

use crate::args::HowArgs;
use crate::failure::{Failure, chain};
use crate::journal::{EventLog, now_ms};
use crate::output;
use crate::runs::RunDir;

/// Everything that the loop needs.
pub(crate) struct Session {
    dir: RunDir,
    fold: Fold,
    setup: Setup,
    /// Whether the machine started anew since the session before.
    pub(crate) rebooted: bool,
    mode: Mode,
    /// What is said above everything else.
    header: [String; 2],
    /// Held for as long as the session lasts.
    _lock: Lock,
}

/// What every session begins with: the repository, the run's directory and the lock on it, how it is to be worked on, and
/// what the host can do.
pub(crate) struct Ask<'a> {
    pub(crate) store: &'a Store,
    pub(crate) dir: RunDir,
    pub(crate) lock: Lock,
    pub(crate) how: &'a HowArgs,
    pub(crate) host: HostReport,
}

impl Session {
    /// The first session of a run that was just made.
    pub(crate) fn begin(
        ask: Ask<'_>,
        plan: Arc<Plan>,
        waves: Arc<Waves>,
        started: &Started,
    ) -> Result<Self, Failure> {
        let fold = Fold {
            journal: EventLog(Journal::create(&ask.dir.journal())?),
            scheduler: Scheduler::new(Arc::clone(&plan), Arc::clone(&waves)),
            view: View::new(plan, waves),
            began: now_ms(),
        };
        Self::of(ask, fold, started)
    }

    /// A further session of a run: its journal is folded.
    pub(crate) fn again(ask: Ask<'_>) -> Result<Self, Failure> {
        let fold = Fold::read(&ask)?;
        let started = fold.scheduler.started().cloned();
        let started = started.expect("a journal is folded only if it begins with a start");
        Self::of(ask, fold, &started)
    }

    fn of(ask: Ask<'_>, fold: Fold, started: &Started) -> Result<Self, Failure> {
        let Ask {
            store,
            dir,
            lock,
            how,
            host,
        } = ask;
        let plan = Arc::clone(fold.scheduler.plan());
        let profiles = crate::profiles::pinned(&dir, started.profiles.as_ref())?;
        crate::profiles::must_hold(&profiles, !how.no_namespaces)?;
        let place = match how.no_namespaces || !has(&host, "namespaces") {
            true => dir.place.clone().with_rooms_outside()?,
            false => dir.place.clone(),
        };
        place.lay_out()?; // also where an earlier version began the run
        let rebooted = place.note_boot()?;
        let (workspaces, because) = workspaces(&dir, plan.workspace.mode, !how.no_namespaces)?;
        let setup = Setup {
            store: store.clone(),
            place,
            run: dir.id.clone(),
            branch: crate::runs::branch(&plan.name, &dir.id),
            began: i64::try_from(fold.began / 1000).unwrap_or(0),
            wall: Duration::from_millis(plan.budget.wall_ms.saturating_sub(fold.view.wall_ms())),
            home: std::env::var_os("HOME").map(PathBuf::from),
            namespaces: !how.no_namespaces,
            base: started.base.clone(),
            onto: started
                .onto
                .as_ref()
                .map(|onto| format!("refs/heads/{onto}")),
            workspaces,
            groups: has(&host, CONTROL_GROUPS),
            jobs: jobs(how),
            takes_kept_base: true,
            profiles,
            plan,
        };
        Ok(Self {
            dir,
            fold,
            header: [
                sandbox_line(&host, setup.namespaces),
                workspaces_line(workspaces, because.as_deref()),
            ],
            setup,
            rebooted,
            mode: mode(how),
            _lock: lock,
        })
    }

    /// Ends and removes what a dead supervisor of this run left: processes, the workspaces of its checks, the locks of
    /// refs that it had just written. How many process trees there were.
    pub(crate) fn lay_ghosts(&self) -> Result<usize, Failure> {
        let ghosts = self.setup.place.lay_ghosts()?;
        let harvests = format!("refs/seawall/runs/{}", self.setup.run);
        for prefix in [&harvests, &self.setup.branch] {
            self.setup.store.clear_finished_locks(prefix)?;
        }
        if self.rebooted {
            self.name_harvests()?;
        }
        Ok(ghosts)
    }

    /// The name of a ref may not have reached the disk when the machine went down, though its commit has: what the journal
    /// says was harvested gets its ref again.
    fn name_harvests(&self) -> Result<(), Failure> {
        let Fold {
            scheduler, view, ..
        } = &self.fold;
        for (ix, _) in scheduler.plan().each_task() {
            if matches!(scheduler.standing(ix), Standing::Ended(_)) {
                continue;
            }
            let attempts = view.task(ix).attempts.iter();
            for (number, change) in attempts.filter_map(|a| Some((a.number, a.change()?))) {
                let name = format!("refs/seawall/runs/{}/harvests/{number}", self.setup.run);
                self.setup.store.set_ref(&name, &change.commit.0.parse()?)?;
            }
        }
        Ok(())
    }

    /// Works until the run has an outcome; the exit code.
    pub(crate) fn work(self, first: Vec<Event>) -> Result<u8, Failure> {
        let place = self.setup.place.clone();
        let Fold {
            mut scheduler,
            view,
            mut journal,
            ..
        } = self.fold;
        let mut executor = Executor::new(self.setup)?;
        let mut teller = Teller::new(self.mode, std::io::stdout(), view, now_ms)
            .header(self.header)
            .last_lines(Arc::new(move |attempt| {
                output::last_line(&place.worker_log(attempt))
            }));
        let outcome = drive(
            &mut scheduler,
            &mut journal,
            &mut executor,
            &mut teller,
            first,
        );
        drop(executor); // ends whatever still runs before anything is said about the end
        match outcome {
            Ok(outcome) => {
                teller.end(&scheduler, &outcome);
                if matches!(outcome, Outcome::Finished | Outcome::Refused) {
                    self.dir.place.tidy()?;
                }
                if let Some(trouble) = teller.trouble() {
                    output::complain(&format!(
                        "warning: not everything could be told: {trouble}\n"
                    ));
                }
                Ok(exit_code(&scheduler, &outcome))
            }
            Err(error) => Err(self::lost(&self.dir.id, &error)),
        }
    }
}

/// The state of a run, and where its events go.
struct Fold {
    scheduler: Scheduler,
    view: View,
    journal: EventLog,
    /// When the run began, in milliseconds since 1970.
    began: u64,
}

impl Fold {
    /// Opens the journal of a run and folds it.
    fn read(ask: &Ask<'_>) -> Result<Self, Failure> {
        let (journal, opened) = Journal::open(&ask.dir.journal())?;
        let id = &ask.dir.id;
        if opened.torn > 0 && !ask.how.json {
            let bytes = opened.torn;
            output::complain(&format!(
                "run {id}: the last record was cut off by the crash ({bytes} bytes) and is taken away\n"
            ));
        }
        let Some(began) = opened.records.first().map(|first| first.at) else {
            return Err(
                Failure::usage(format!("run `{id}` stopped before its first event"))
                    .help(format!("start it anew, and `seawall gc --abandon {id}`")),
            );
        };
        let run = ask.dir.replay(opened.records)?;
        // Every task may have its verdict while a workspace is still to be removed: then there is something to do.
        let ended = run.scheduler.outcome();
        if matches!(ended, Some(Outcome::Finished | Outcome::Refused)) {
            let mut tasks = run.scheduler.plan().each_task();
            let held = tasks.any(|(ix, _)| run.scheduler.held(ix).is_some());
            let next = match held {
                true => format!("`seawall approve {id}` lists what waits for an approval"),
                false => format!("`seawall status {id}` shows how"),
            };
            return Err(Failure::usage(format!(
                "run `{id}` has ended; there is nothing to go on with"
            ))
            .help(next));
        }
        Ok(Self {
            scheduler: run.scheduler,
            view: run.view,
            journal: EventLog(journal),
            began,
        })
    }
}

fn lost<E: std::error::Error + 'static>(run: &str, error: &DriveError<E>) -> Failure {
    Failure::failed(format!("run {run} stopped: {}", chain(error))).help(format!(
        "when the cause is mended, `seawall resume {run}` goes on from the last record"
    ))
}

fn mode(how: &HowArgs) -> Mode {
    use std::io::IsTerminal as _;
    match (how.json, how.quiet, std::io::stdout().is_terminal()) {
        (true, _, _) => Mode::Json,
        (_, true, _) => Mode::Quiet,
        (_, _, true) => Mode::Terminal,
        (_, _, false) => Mode::Plain,
    }
}

/// How many attempts run at once.
pub(crate) fn jobs(how: &HowArgs) -> u32 {
    places(how.jobs)
}

/// How many commands run at once, if so many were asked for.
pub(crate) fn places(asked: Option<u32>) -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    asked.unwrap_or_else(|| u32::try_from(processors).unwrap_or(u32::MAX))
}

fn has(host: &HostReport, feature: &str) -> bool {
    let is = |have: &Feature| have.have && have.name.contains(feature);
    host.features.iter().any(is)
}

/// What confines the workers here, in one line.
fn sandbox_line(host: &HostReport, namespaces: bool) -> String {
    let spaces = if namespaces && has(host, "namespaces") {
        "namespaces + "
    } else {
        "no namespaces, "
    };
    let cgroups = if has(host, CONTROL_GROUPS) {
        "control groups"
    } else {
        "rlimits only, no cgroup delegation"
    };
    let more = "`seawall doctor` says more";
    format!(
        "sandbox  {spaces}landlock {} + limits ({cgroups}; {more})",
        host.landlock_abi
    )
}

/// How workspaces can be made here, and why not as overlays when they cannot.
fn workspaces(
    dir: &RunDir,
    mode: WorkspaceMode,
    namespaces: bool,
) -> Result<(Workspaces, Option<String>), Failure> {
    let tried = match mode {
        WorkspaceMode::Copy => Err("the plan says `mode = \"copy\"`".to_owned()),
        _ if !namespaces => Err("overlays need namespaces".to_owned()),
        _ => seawall_sandbox::overlays(dir.place.root()),
    };
    match tried {
        Ok(()) => Ok((Workspaces::Overlay, None)),
        Err(why) if mode == WorkspaceMode::Overlay => Err(Failure::failed(format!(
            "the plan wants overlay workspaces, and they cannot be had here: {why}"
        ))
        .help(
            "write `mode = \"auto\"` in `[workspace]`; `seawall doctor` says what the host lacks",
        )),
        Err(why) => Ok((Workspaces::Copy, Some(why))),
    }
}

fn workspaces_line(workspaces: Workspaces, because: Option<&str>) -> String {
    match workspaces {
        Workspaces::Overlay => "workspaces  overlays on one shared directory".to_owned(),
        Workspaces::Copy => format!("workspaces  copies ({})", because.unwrap_or_default()),
    }
}

/// Refuses to begin on a host that cannot confine a worker.
pub(crate) fn check_host() -> Result<HostReport, Failure> {
    let host = seawall_sandbox::host();
    if host.usable {
        return Ok(host);
    }
    let lacking = host
        .features
        .iter()
        .find(|feature| !feature.have && feature.help.is_some());
    let failure = Failure::failed(format!(
        "workers cannot be confined on this host (landlock abi {})",
        host.landlock_abi
    ));
    let help = lacking.and_then(|feature| feature.help.clone());
    Err(failure.help(help.unwrap_or_else(|| "`seawall doctor` says what is lacking".to_owned())))
}
