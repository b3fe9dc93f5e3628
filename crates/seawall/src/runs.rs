//! The runs of a repository: where they lie, what they are called, how one is made and opened again.
//!
//! A run is a directory `<git common dir>/seawall/runs/<id>`. It appears whole (made beside, then renamed), so
//! a crash while it is being made leaves nothing that looks like a run.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use seawall_core::event::{Event, Started};
use seawall_core::ids::Digest;
use seawall_core::plan::Plan;
use seawall_core::scheduler::Scheduler;
use seawall_core::waves::waves;
use seawall_executor::Place;
use seawall_git::Store;
use seawall_journal::{Lock, LockError, Record};
use seawall_report::view::View;

use crate::failure::{Failure, chain};

/// One run's directory.
#[derive(Clone, Debug)]
pub(crate) struct RunDir {
    pub(crate) id: String,
    pub(crate) place: Place,
}

/// The digests of what a run began with.
#[derive(Clone, Debug)]
pub(crate) struct Pinned {
    pub(crate) plan: Digest,
    pub(crate) profiles: Digest,
}

/// A run as its journal tells it.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) scheduler: Scheduler,
    pub(crate) view: View,
    pub(crate) records: Vec<Record<Event>>,
}

/// Where the runs of a repository lie.
pub(crate) fn root(store: &Store) -> PathBuf {
    store.common_dir().join("seawall/runs")
}

/// Every run, the oldest first.
pub(crate) fn all(store: &Store) -> Result<Vec<RunDir>, Failure> {
    let root = root(store);
    let entries = match fs::read_dir(&root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => {
            return Err(Failure::failed(format!(
                "cannot read `{}`: {e}",
                root.display()
            )));
        }
    };
    let mut runs = Vec::new();
    for entry in entries.flatten() {
        let Ok(id) = entry.file_name().into_string() else {
            continue;
        };
        let run = RunDir {
            id,
            place: Place::new(entry.path()),
        };
        if let Ok(journal) = fs::metadata(run.journal()) {
            let made = fs::metadata(run.plan())
                .and_then(|plan| plan.modified())
                .or(journal.modified());
            runs.push((made.ok(), run));
        }
    }
    runs.sort_by(|one, other| (one.0, &one.1.id).cmp(&(other.0, &other.1.id)));
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// How long a directory without a journal is left alone: whoever makes a run needs a moment of that.
const YOUNG: Duration = Duration::from_secs(3600);

/// Directories of runs that were never begun: whoever made them was killed before the journal stood.
pub(crate) fn stillborn(store: &Store) -> Vec<PathBuf> {
    let old = |path: &Path| {
        let modified = fs::metadata(path).and_then(|found| found.modified());
        modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > YOUNG))
    };
    let held = |path: &Path| matches!(Lock::take(&path.join("lock")), Err(LockError::Held));
    let entries = fs::read_dir(root(store)).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && !path.join("journal.jsonl").exists())
        .filter(|path| old(path) && !held(path))
        .collect();
    found.sort();
    found
}

/// The run called `name` (or beginning so), or the latest.
pub(crate) fn find(store: &Store, name: Option<&str>) -> Result<RunDir, Failure> {
    let mut runs = all(store)?;
    let Some(name) = name else {
        let none = || {
            Failure::usage("there is no run in this repository")
                .help("`seawall run PLAN` makes one")
        };
        return runs.pop().ok_or_else(none);
    };
    if let Some(at) = runs.iter().position(|run| run.id == name) {
        return Ok(runs.swap_remove(at));
    }
    let begins: Vec<_> = runs
        .iter()
        .filter(|run| !name.is_empty() && run.id.starts_with(name))
        .collect();
    match begins.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(unknown(name, &runs)),
        many => Err(Failure::usage(format!(
            "`{name}` begins the names of {} runs",
            many.len()
        ))),
    }
}

fn unknown(name: &str, runs: &[RunDir]) -> Failure {
    let failure = Failure::usage(format!("there is no run `{name}`"));
    match seawall_plan::nearest(name, runs.iter().map(|run| run.id.as_str())) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help("`seawall status` shows the latest run"),
    }
}

impl RunDir {
    pub(crate) fn journal(&self) -> PathBuf {
        self.place.root().join("journal.jsonl")
    }

    /// The sandbox profiles that it began with.
    pub(crate) fn profiles(&self) -> PathBuf {
        self.place.root().join("profiles.json")
    }

    fn plan(&self) -> PathBuf {
        self.place.root().join("plan.json")
    }

    /// Makes a run of `plan`, which was read from `text`, under `profiles`. Its journal is empty and its lock is held.
    pub(crate) fn make(
        store: &Store,
        plan: &Plan,
        text: &str,
        profiles: &[u8],
    ) -> Result<(Self, Pinned, Lock), Failure> {
        let root = root(store);
        fs::create_dir_all(&root).map_err(cannot("make", &root))?;
        let beside = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&root)
            .map_err(cannot("write in", &root))?;
        let lock = take(&beside.path().join("lock"))?; // from here on `gc` keeps away
        let pinned = serde_json::to_vec(plan).map_err(|e| Failure::failed(e.to_string()))?;
        let place = Place::new(beside.path().to_owned());
        place.lay_out()?;
        let files = [
            ("plan.toml", text.as_bytes()),
            ("plan.json", &pinned),
            ("profiles.json", profiles),
        ];
        for (name, bytes) in files {
            write_durably(&beside.path().join(name), bytes)?;
        }
        let id = free_id(store, &plan.name)?;
        let dir = root.join(&id);
        fs::rename(beside.path(), &dir).map_err(cannot("make", &dir))?;
        let _moved_away = beside.keep();
        Ok((
            Self {
                id,
                place: Place::new(dir),
            },
            Pinned {
                plan: Digest::of(&pinned),
                profiles: Digest::of(profiles),
            },
            lock,
        ))
    }

    /// Takes the run's lock.
    pub(crate) fn lock(&self) -> Result<Lock, Failure> {
        take(&self.place.root().join("lock"))
    }

    /// Whether a process works on the run.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(
            Lock::take(&self.place.root().join("lock")),
            Err(LockError::Held)
        )
    }

    /// Folds `records` into the state that they led to.
    pub(crate) fn replay(&self, records: Vec<Record<Event>>) -> Result<Replayed, Failure> {
        let path = self.plan();
        let pinned = fs::read(&path).map_err(cannot("read", &path))?;
        let started = records.first().and_then(|first| match &first.body {
            Event::RunStarted(started) => Some(started),
            _ => None,
        });
        let started =
            started.ok_or_else(|| self.broken("its journal does not begin with a start"))?;
        if Digest::of(&pinned) != started.plan {
            return Err(self.broken("its plan is not the one that the journal names"));
        }
        let plan: Plan =
            serde_json::from_slice(&pinned).map_err(|e| self.broken(&e.to_string()))?;
        let plan = Arc::new(plan);
        let waves = Arc::new(waves(&plan).map_err(|e| self.broken(&e.to_string()))?);
        let mut scheduler = Scheduler::new(Arc::clone(&plan), Arc::clone(&waves));
        let mut view = View::new(plan, waves);
        for record in &records {
            scheduler
                .check(&record.body)
                .map_err(|e| self.broken(&format!("record {}: {e}", record.seq)))?;
            scheduler.apply(&record.body);
            view.see(record.at, &record.body, &scheduler);
        }
        Ok(Replayed {
            scheduler,
            view,
            records,
        })
    }

    /// Reads the run without touching it.
    pub(crate) fn read(&self) -> Result<Replayed, Failure> {
        let opened = seawall_journal::read(&self.journal())?;
        if opened.records.is_empty() {
            return Err(Failure::usage(format!(
                "run `{}` stopped before its first event",
                self.id
            ))
            .help(format!("`seawall gc --abandon {}` removes it", self.id)));
        }
        self.replay(opened.records)
    }

    fn broken(&self, why: &str) -> Failure {
        Failure::failed(format!("run `{}` cannot be read: {why}", self.id)).help(format!(
            "its commits are on its branch; `seawall gc --abandon {}` removes the rest",
            self.id
        ))
    }
}

/// Takes a lock, waiting a moment for somebody who only looks whether it is held.
fn take(path: &Path) -> Result<Lock, Failure> {
    for _ in 0..20 {
        match Lock::take(path) {
            Ok(lock) => return Ok(lock),
            Err(LockError::Held) => std::thread::sleep(std::time::Duration::from_millis(10)),
            Err(error) => return Err(Failure::failed(chain(&error))),
        }
    }
    Err(Failure::usage("another seawall process works on this run")
        .help("`seawall status` shows how it stands"))
}

/// Four random hexadecimal digits that name no run and no branch yet; more when those run out.
fn free_id(store: &Store, plan: &str) -> Result<String, Failure> {
    let root = root(store);
    for tries in 0..64 {
        let mut random = [0; 4];
        let source = Path::new("/dev/urandom");
        let mut file = fs::File::open(source).map_err(cannot("open", source))?;
        file.read_exact(&mut random)
            .map_err(cannot("read", source))?;
        let hex = format!("{:08x}", u32::from_ne_bytes(random));
        let id = if tries < 32 { hex[..4].to_owned() } else { hex };
        if !root.join(&id).exists() && store.tip(&branch(plan, &id))?.is_none() {
            return Ok(id);
        }
    }
    Err(Failure::failed("no free name for a run was found").help("`seawall gc` removes old runs"))
}

/// The full name of a run's branch.
pub(crate) fn branch(plan: &str, run: &str) -> String {
    format!("refs/heads/seawall/{plan}/{run}")
}

/// What a run is, for its first event.
pub(crate) fn started(
    run: &RunDir,
    plan: &Plan,
    pinned: Pinned,
    base: &str,
    onto: Option<String>,
    jobs: u32,
) -> Started {
    Started {
        run: run.id.clone(),
        seawall: env!("CARGO_PKG_VERSION").to_owned(),
        plan: pinned.plan,
        profiles: Some(pinned.profiles),
        base: base.into(),
        onto,
        branch: branch(&plan.name, &run.id),
        jobs,
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut file = fs::File::create(path).map_err(cannot("make", path))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(cannot("write", path))
}

fn cannot(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |e| Failure::failed(format!("cannot {what} `{path}`: {e}"))
}
