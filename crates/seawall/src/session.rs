//! One session of a run: journal, executor and reporter put together, and the loop entered.
//!
//! `run` and `resume` differ only in their first event and in whether there is a journal to fold.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seawall_core::drive::{DriveError, drive};
use seawall_core::event::Event;
use seawall_core::ids::Commit;
use seawall_core::plan::Plan;
use seawall_core::scheduler::{Outcome, Scheduler};
use seawall_core::waves::Waves;
use seawall_executor::{Executor, Setup};
use seawall_git::Store;
use seawall_journal::{Journal, Lock};
use seawall_report::exit::exit_code;
use seawall_report::teller::{Mode, Teller};
use seawall_report::view::View;
use seawall_sandbox::{CONTROL_GROUPS, HostReport};

use crate::args::HowArgs;
use crate::failure::{Failure, chain};
use crate::journal::{EventLog, now_ms};
use crate::output;
use crate::runs::RunDir;

/// Everything that the loop needs.
pub(crate) struct Session {
    dir: RunDir,
    scheduler: Scheduler,
    view: View,
    journal: EventLog,
    setup: Setup,
    mode: Mode,
    host: HostReport,
    /// Held for as long as the session lasts.
    _lock: Lock,
}

impl Session {
    /// The first session of a run that was just made.
    pub(crate) fn begin(
        store: &Store,
        dir: RunDir,
        lock: Lock,
        plan: Arc<Plan>,
        waves: Arc<Waves>,
        (how, host): (&HowArgs, HostReport),
        base: Commit,
    ) -> Result<Self, Failure> {
        let journal = EventLog(Journal::create(&dir.journal())?);
        let scheduler = Scheduler::new(Arc::clone(&plan), Arc::clone(&waves));
        let view = View::new(plan, waves);
        let began = now_ms();
        Self::of(
            store,
            dir,
            lock,
            (scheduler, view, journal),
            (began, base),
            (how, host),
        )
    }

    /// A further session of a run: its journal is folded.
    pub(crate) fn again(
        store: &Store,
        dir: RunDir,
        lock: Lock,
        (how, host): (&HowArgs, HostReport),
    ) -> Result<Self, Failure> {
        let (journal, opened) = Journal::open(&dir.journal())?;
        if opened.torn > 0 && !how.json {
            let bytes = opened.torn;
            output::complain(&format!(
                "run {}: the last record was cut off by the crash ({bytes} bytes) and is taken away\n",
                dir.id
            ));
        }
        let Some(began) = opened.records.first().map(|first| first.at) else {
            return Err(
                Failure::usage(format!("run `{}` stopped before its first event", dir.id)).help(
                    format!("start it anew, and `seawall gc --abandon {}`", dir.id),
                ),
            );
        };
        let run = dir.replay(opened.records)?;
        // Every task may have its verdict while a workspace is still to be removed: then there is something to do.
        let ended = run.scheduler.outcome();
        if matches!(ended, Some(Outcome::Finished | Outcome::Refused)) {
            return Err(Failure::usage(format!(
                "run `{}` has ended; there is nothing to go on with",
                dir.id
            ))
            .help(format!("`seawall status {}` shows how", dir.id)));
        }
        let base = run
            .scheduler
            .started()
            .map(|started| started.base.clone())
            .expect("a journal is folded only if it begins with a start");
        Self::of(
            store,
            dir,
            lock,
            (run.scheduler, run.view, EventLog(journal)),
            (began, base),
            (how, host),
        )
    }

    fn of(
        store: &Store,
        dir: RunDir,
        lock: Lock,
        (scheduler, view, journal): (Scheduler, View, EventLog),
        (began, base): (u64, Commit),
        (how, host): (&HowArgs, HostReport),
    ) -> Result<Self, Failure> {
        let plan = Arc::clone(scheduler.plan());
        let profiles = crate::profiles::pinned(&dir.profiles(), store.workdir(), &plan)?;
        crate::profiles::must_hold(&profiles, !how.no_namespaces)?;
        let setup = Setup {
            store: store.clone(),
            place: dir.place.clone(),
            run: dir.id.clone(),
            branch: crate::runs::branch(&plan.name, &dir.id),
            began: i64::try_from(began / 1000).unwrap_or(0),
            wall: Duration::from_millis(plan.budget.wall_ms.saturating_sub(view.wall_ms())),
            home: std::env::var_os("HOME").map(PathBuf::from),
            namespaces: !how.no_namespaces,
            base,
            profiles,
            plan,
        };
        Ok(Self {
            dir,
            scheduler,
            view,
            journal,
            setup,
            mode: mode(how),
            host,
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
        Ok(ghosts)
    }

    /// Works until the run has an outcome; the exit code.
    pub(crate) fn work(mut self, first: Vec<Event>) -> Result<u8, Failure> {
        let place = self.setup.place.clone();
        let sandbox = sandbox_line(&self.host, self.setup.namespaces);
        let mut executor = Executor::new(self.setup)?;
        let mut teller = Teller::new(self.mode, std::io::stdout(), self.view, now_ms)
            .header([sandbox])
            .last_lines(Arc::new(move |attempt| {
                output::last_line(&place.worker_log(attempt))
            }));
        let outcome = drive(
            &mut self.scheduler,
            &mut self.journal,
            &mut executor,
            &mut teller,
            first,
        );
        drop(executor); // ends whatever still runs before anything is said about the end
        match outcome {
            Ok(outcome) => {
                teller.end(&self.scheduler, &outcome);
                if let Some(trouble) = teller.trouble() {
                    output::complain(&format!(
                        "warning: not everything could be told: {trouble}\n"
                    ));
                }
                Ok(exit_code(&self.scheduler, &outcome))
            }
            Err(error) => Err(self::lost(&self.dir.id, &error)),
        }
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
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    how.jobs
        .unwrap_or_else(|| u32::try_from(processors).unwrap_or(u32::MAX))
}

/// What confines the workers here, in one line.
fn sandbox_line(host: &HostReport, namespaces: bool) -> String {
    let has = |word: &str| {
        host.features
            .iter()
            .any(|feature| feature.have && feature.name.contains(word))
    };
    let spaces = if namespaces && has("namespaces") {
        "namespaces + "
    } else {
        "no namespaces, "
    };
    let cgroups = if has(CONTROL_GROUPS) {
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
