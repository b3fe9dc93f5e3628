//! What a run may not leave: a byte changed in what is the user's, a process, a lock, a workspace, a broken object.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Repo;

/// How long a process that was told to die may take.
const DIES_WITHIN: Duration = Duration::from_secs(10);

/// What a run writes below `.git`, and nothing else there.
const OURS: [&str; 5] = [
    "objects",
    "seawall",
    "refs/seawall",
    "refs/heads/seawall",
    "logs/refs/heads/seawall",
];

/// Everything that is the user's: mode and bytes of each path of the checkout, and of `.git` without our own places.
#[derive(PartialEq, Eq)]
pub(crate) struct Mine(BTreeMap<PathBuf, (u32, Vec<u8>)>);

impl Mine {
    /// Reads it.
    pub(crate) fn of(repo: &Repo) -> Self {
        let mut all = BTreeMap::new();
        walk(repo.dir(), repo.dir(), &mut all);
        Self(all)
    }

    /// It must be what it was.
    pub(crate) fn assert_untouched(&self, repo: &Repo) {
        let now = Self::of(repo);
        let differs = |path: &&PathBuf| self.0.get(*path) != now.0.get(*path);
        let touched: Vec<_> = self.0.keys().chain(now.0.keys()).filter(differs).collect();
        assert!(touched.is_empty(), "the run touched {touched:?}");
    }
}

fn walk(top: &Path, dir: &Path, all: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(top).unwrap().to_owned();
        let ours = name
            .strip_prefix(".git")
            .is_ok_and(|below| OURS.iter().any(|o| below == Path::new(o)));
        if ours {
            continue;
        }
        let found = fs::symlink_metadata(&path).unwrap();
        let bytes = if found.is_symlink() {
            fs::read_link(&path)
                .unwrap()
                .as_os_str()
                .as_bytes()
                .to_vec()
        } else if found.is_file() {
            fs::read(&path).unwrap()
        } else {
            Vec::new()
        };
        // A directory that only holds ours may come and go.
        if !(found.is_dir() && name.starts_with(".git")) {
            all.insert(name, (found.mode(), bytes));
        }
        if found.is_dir() {
            walk(top, &path, all);
        }
    }
}

/// After a run that nobody works on: no process, no lock, no workspace is left, and the object database is sound.
pub(crate) fn assert_clean(repo: &Repo) {
    assert_no_process(repo.root());
    let mut left = Vec::new();
    locks(&repo.dir().join(".git"), &mut left);
    for run in fs::read_dir(repo.dir().join(".git/seawall/runs"))
        .into_iter()
        .flatten()
    {
        for rooms in ["attempts", "checks"] {
            let rooms = run.as_ref().unwrap().path().join(rooms);
            left.extend(
                fs::read_dir(rooms)
                    .into_iter()
                    .flatten()
                    .map(|room| room.unwrap().path()),
            );
        }
    }
    assert!(left.is_empty(), "left behind: {left:?}");
    repo.git(&["fsck", "--strict", "--no-dangling"]);
}

fn locks(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap();
        // In these, files of the repository may be called so.
        let workspaces = ["attempts", "layers", "seawall/base"]
            .iter()
            .any(|name| path.ends_with(name));
        if kind.is_dir() && !workspaces {
            locks(&path, found);
        } else if path.extension().is_some_and(|end| end == "lock") {
            found.push(path);
        }
    }
}

/// No process may have to do with `root`, at the latest after a moment.
pub(crate) fn assert_no_process(root: &Path) {
    let deadline = Instant::now() + DIES_WITHIN;
    loop {
        let left = processes(root);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "processes left: {left:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The processes that have to do with `root`: by command line, environment, directory, open file or mount.
pub(crate) fn processes(root: &Path) -> Vec<String> {
    let me = std::process::id().to_string();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| entry.file_name().as_bytes()[0].is_ascii_digit())
        .filter(|entry| entry.file_name() != me.as_str())
        .filter(|entry| refers(&entry.path(), root.as_os_str().as_bytes()))
        .map(|entry| describe(&entry.path()))
        .collect()
}

fn refers(process: &Path, root: &[u8]) -> bool {
    let holds = |bytes: &[u8]| bytes.windows(root.len()).any(|part| part == root);
    let texts = ["cmdline", "environ", "mountinfo"];
    let in_text = texts
        .iter()
        .any(|name| fs::read(process.join(name)).is_ok_and(|text| holds(&text)));
    let leads = |link: &Path| fs::read_link(link).is_ok_and(|to| holds(to.as_os_str().as_bytes()));
    let open = fs::read_dir(process.join("fd"))
        .into_iter()
        .flatten()
        .flatten();
    in_text || leads(&process.join("cwd")) || open.into_iter().any(|fd| leads(&fd.path()))
}

fn describe(process: &Path) -> String {
    let text = |name| fs::read(process.join(name)).unwrap_or_default();
    let words = text("cmdline")
        .split(|b| *b == 0)
        .map(String::from_utf8_lossy)
        .collect::<Vec<_>>()
        .join(" ");
    format!("{}: {words}", process.display())
}
