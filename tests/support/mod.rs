//! What every end-to-end test stands on: a repository of its own, a home of its own, and the built `seawall`.
//!
//! Nothing of the machine's user reaches a test: every command starts from an empty environment. What a test did not ask
//! to change is compared byte by byte, which reads the whole repository and is meant for small ones.
#![expect(clippy::print_stderr, reason = "a test talks to who runs it")]

pub(crate) mod outcome;
pub(crate) mod packages;
pub(crate) mod traces;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) use outcome::{Output, Status};

/// The program under test.
pub(crate) const SEAWALL: &str = env!("CARGO_BIN_EXE_seawall");

/// A fresh repository on branch `main`, below a private directory that goes with it.
pub(crate) struct Repo {
    root: TempDir,
    dir: PathBuf,
    env: BTreeMap<OsString, OsString>,
}

impl Repo {
    /// An empty one, without a commit.
    pub(crate) fn new() -> Self {
        Self::named(OsStr::new("repo"))
    }

    /// An empty one whose directory has this name, which may hold any byte but `/`.
    pub(crate) fn named(name: &OsStr) -> Self {
        Self::below(&std::env::temp_dir(), name)
    }

    /// An empty one in memory where the host has room there, for very many files.
    pub(crate) fn in_memory() -> Self {
        let shared = Path::new("/dev/shm");
        let free = nix::sys::statvfs::statvfs(shared)
            .is_ok_and(|found| found.blocks_available() * found.fragment_size() > 2 << 30);
        let place = if free {
            shared.to_owned()
        } else {
            std::env::temp_dir()
        };
        Self::below(&place, OsStr::new("repo"))
    }

    fn below(place: &Path, name: &OsStr) -> Self {
        let root = tempfile::Builder::new()
            .prefix("seawall-e2e-")
            .tempdir_in(place)
            .unwrap();
        let base = root.path().canonicalize().unwrap();
        for private in ["home", "tmp", "plans"] {
            fs::create_dir(base.join(private)).unwrap();
        }
        let repo = Self {
            env: environment(&base),
            dir: base.join(name),
            root,
        };
        fs::create_dir(&repo.dir).unwrap();
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    /// One with these files, committed.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let repo = Self::new();
        for (path, text) in files {
            repo.write(path, text);
        }
        repo.commit("base");
        repo
    }

    /// The checkout.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The private directory around it: `home`, `tmp`, `plans` and the checkout.
    pub(crate) fn root(&self) -> &Path {
        self.dir.parent().unwrap()
    }

    /// Sets a variable for every command of this repository.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.env.insert(name.into(), value.as_ref().to_owned());
    }

    /// Puts a directory before all others on `PATH`.
    pub(crate) fn path_first(&mut self, dir: &Path) {
        let old = self.env[OsStr::new("PATH")].clone();
        let path = [dir.as_os_str().as_bytes(), b":", old.as_bytes()].concat();
        self.set("PATH", OsStr::from_bytes(&path));
    }

    /// Writes a file of the checkout; the directories above it are made.
    pub(crate) fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A file of the checkout.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.dir.join(path);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Commits all that is in the checkout; the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the checkout; what it printed, without the last line end.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let out = self.command("git").args(args).output().unwrap();
        let err = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "git {args:?}: {err}");
        String::from_utf8_lossy(&out.stdout).trim_end().to_owned()
    }

    /// A file as a commit or branch has it; `None` when it has none.
    pub(crate) fn show(&self, revision: &str, path: &str) -> Option<String> {
        let object = format!("{revision}:{path}");
        let args = ["cat-file", "blob", &object];
        let out = self.command("git").args(args).output().unwrap();
        out.status
            .success()
            .then(|| String::from_utf8_lossy(&out.stdout).into_owned())
    }

    /// Any command, in the checkout, with the private environment and nothing on its standard input.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(&self.env)
            .current_dir(&self.dir)
            .stdin(Stdio::null());
        command
    }

    /// Writes a plan outside the checkout, so that the tree stays clean; where it is.
    pub(crate) fn plan(&self, text: &str) -> PathBuf {
        let plans = self.root().join("plans");
        let count = fs::read_dir(&plans).unwrap().count();
        let path = plans.join(format!("plan-{count}.toml"));
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs `seawall` in the checkout.
    #[must_use = "say which exit code is right: `.code(0)`"]
    pub(crate) fn seawall<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        Output::of(self.command(SEAWALL).args(args))
    }

    /// Writes the plan and runs it.
    #[must_use = "say which exit code is right: `.code(0)`"]
    pub(crate) fn run(&self, plan: &str) -> Output {
        let plan = self.plan(plan);
        self.seawall(&[OsStr::new("run"), plan.as_os_str()])
    }

    /// `seawall status --json` of the latest run.
    pub(crate) fn status(&self) -> Status {
        Status(self.json(&["status", "--json"]))
    }

    /// `seawall show TASK --json` of the latest run.
    pub(crate) fn task(&self, task: &str) -> Value {
        self.json(&["show", task, "--json"])
    }

    /// What a command that succeeds printed, as JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let out = self.seawall(args).code(0);
        serde_json::from_str(&out.out).unwrap_or_else(|e| panic!("{args:?}: {e}\n{}", out.out))
    }

    /// The directory of a run.
    pub(crate) fn run_dir(&self, run: &str) -> PathBuf {
        self.dir.join(".git/seawall/runs").join(run)
    }

    /// What a worker was told.
    pub(crate) fn brief(&self, run: &str, attempt: u64) -> String {
        let path = format!("logs/attempt-{attempt}.brief.md");
        fs::read_to_string(self.run_dir(run).join(path)).unwrap()
    }
}

impl Drop for Repo {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("SEAWALL_TESTS_KEEP").is_some() {
            self.root.disable_cleanup(true);
            eprintln!("kept: {}", self.root.path().display());
        }
    }
}

fn environment(base: &Path) -> BTreeMap<OsString, OsString> {
    let (home, tmp) = (base.join("home"), base.join("tmp"));
    let all: [(&str, &OsStr); 13] = [
        ("PATH", OsStr::new("/usr/local/bin:/usr/bin:/bin")),
        ("HOME", home.as_os_str()),
        ("TMPDIR", tmp.as_os_str()),
        ("TZ", OsStr::new("UTC")),
        ("LC_ALL", OsStr::new("C.UTF-8")),
        ("GIT_CONFIG_GLOBAL", OsStr::new("/dev/null")),
        ("GIT_CONFIG_NOSYSTEM", OsStr::new("1")),
        ("GIT_OPTIONAL_LOCKS", OsStr::new("0")),
        ("GIT_TERMINAL_PROMPT", OsStr::new("0")),
        ("GIT_AUTHOR_NAME", OsStr::new("a user")),
        ("GIT_AUTHOR_EMAIL", OsStr::new("user@example.org")),
        ("GIT_COMMITTER_NAME", OsStr::new("a user")),
        ("GIT_COMMITTER_EMAIL", OsStr::new("user@example.org")),
    ];
    all.into_iter()
        .map(|(name, value)| (name.into(), value.to_owned()))
        .collect()
}

/// Says loudly that a test does not run for the lack of something; a failure where nothing may be lacking.
pub(crate) fn skip(test: &str, why: &str) {
    let must = std::env::var_os("SEAWALL_TESTS_MAY_NOT_SKIP").is_some();
    assert!(!must, "{test} may not skip: {why}");
    eprintln!("\n*** SKIPPED: {test}: {why} ***\n");
}
