//! What these tests share: a directory's state down to its times, what commands printed, runs that wait for a file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Repo, SEAWALL};

/// A bound that no wait of these tests comes near, on a machine that does anything else at all.
const LONG: Duration = Duration::from_secs(30);

/// Kind and mode, size, inode number, when the content and when the status changed last.
type Seen = (u32, u64, u64, (i64, i64), (i64, i64));

/// Every name below a directory, and what stat(2) says of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frozen(BTreeMap<PathBuf, Seen>);

impl Frozen {
    pub(crate) fn of(dir: &Path) -> Self {
        let mut all = BTreeMap::new();
        freeze(dir, &mut all);
        Self(all)
    }

    /// Nothing in it may have changed: no byte, no time, no file put in the place of another.
    #[track_caller]
    pub(crate) fn assert_same(&self, dir: &Path) {
        let now = Self::of(dir);
        let names = self.0.keys().chain(now.0.keys());
        let touched: Vec<_> = names
            .filter(|path| self.0.get(*path) != now.0.get(*path))
            .map(|path| (path, self.0.get(path), now.0.get(path)))
            .collect();
        assert!(touched.is_empty(), "touched: {touched:#?}");
    }
}

fn freeze(path: &Path, all: &mut BTreeMap<PathBuf, Seen>) {
    let found = fs::symlink_metadata(path).unwrap();
    let seen = (
        found.mode(),
        found.size(),
        found.ino(),
        (found.mtime(), found.mtime_nsec()),
        (found.ctime(), found.ctime_nsec()),
    );
    all.insert(path.to_owned(), seen);
    if found.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            freeze(&entry.unwrap().path(), all);
        }
    }
}

/// A file below the latest run's directory.
#[track_caller]
pub(crate) fn kept(repo: &Repo, name: &str) -> String {
    let path = repo.run_dir(repo.status().run()).join(name);
    let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What the last worker of a task printed.
#[track_caller]
pub(crate) fn worker_said(repo: &Repo, task: &str) -> String {
    kept(repo, &format!("logs/attempt-{}.log", attempt(repo, task)))
}

/// What a check printed on the last harvest of a task.
#[track_caller]
pub(crate) fn check_said(repo: &Repo, task: &str, number: usize) -> String {
    let attempt = attempt(repo, task);
    kept(repo, &format!("logs/verify-{attempt}.{number}.log"))
}

/// What the first check of a task printed on the base.
#[track_caller]
pub(crate) fn baseline_said(repo: &Repo, place: usize) -> String {
    let logs = repo.run_dir(repo.status().run()).join("logs");
    let wanted = format!("base-{place}-");
    let found = fs::read_dir(logs).unwrap().map(|e| e.unwrap());
    let mut found = found.filter(|e| e.file_name().to_string_lossy().starts_with(&wanted));
    let name = found.next().unwrap().file_name();
    kept(repo, &format!("logs/{}", name.to_string_lossy()))
}

fn attempt(repo: &Repo, task: &str) -> u64 {
    let shown = repo.task(task);
    let last = shown["attempts"].as_array().unwrap().last().unwrap();
    last["attempt"].as_u64().unwrap()
}

/// What lies between two lines of a text.
#[track_caller]
pub(crate) fn part<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (from, to) = (format!("[{from}]\n"), format!("[{to}]\n"));
    let (_, rest) = text
        .split_once(&from)
        .unwrap_or_else(|| panic!("no {from:?} in {text}"));
    rest.split_once(&to)
        .unwrap_or_else(|| panic!("no {to:?} in {text}"))
        .0
}

/// A running `seawall`; killed when dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it with these arguments; what it says goes to the file `said` beside the checkout.
    pub(crate) fn start(repo: &Repo, args: &[&str]) -> Self {
        let said = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(repo.root().join("said"))
            .unwrap();
        let mut command = repo.command(SEAWALL);
        command.args(args).stdin(Stdio::null());
        command.stdout(said.try_clone().unwrap()).stderr(said);
        Self(command.spawn().unwrap())
    }

    /// Starts any command; what it says is not kept.
    pub(crate) fn of(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// The exit code, once it ends by itself.
    pub(crate) fn code(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Dead already unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `Running` said so far.
pub(crate) fn said(repo: &Repo) -> String {
    fs::read_to_string(repo.root().join("said")).unwrap_or_default()
}

/// The directory of the only run, once it is there.
pub(crate) fn only_run(repo: &Repo) -> Option<PathBuf> {
    let runs = fs::read_dir(repo.dir().join(".git/seawall/runs")).ok()?;
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        !name.starts_with('.')
    };
    runs.map(|run| run.unwrap().path()).find(named)
}

/// The whole records of a run's journal so far.
pub(crate) fn records(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("journal.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[track_caller]
pub(crate) fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The ways in which a run can make its workspaces: the plan's `mode`, a further argument, and what `status` calls it.
pub(crate) const WAYS: [(&str, &[&str], &str); 3] = [
    ("overlay", &[], "overlay"),
    ("copy", &[], "copy"),
    ("auto", &["--no-namespaces"], "copy"),
];
