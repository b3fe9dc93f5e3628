//! Where an attack takes place: a user's home with secrets, a checkout, a workspace with a sibling, and a bystander.
//!
//! Everything belongs to the user that the attack runs as, so that nothing but the sandbox stands between them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::place;

/// What stands in every secret.
const SECRET: &str = "correct-horse-battery-staple";

/// Limits that a test can reach without harm.
const TIGHT: &str = r#"
extends = "worker"
says = "almost nothing"
[limits]
processes = 50
memory_mib = 128
disk_mib = 16
"#;

/// Longer than any attack takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a program ended, and what it said.
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) said: String,
}

/// What of a file an attack can change.
type Seen = (u32, u32, u64, u64, (i64, i64), Vec<u8>);

/// What can be seen from outside.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    files: BTreeMap<PathBuf, Seen>,
    bystander: Option<u64>,
    survivors: Vec<u32>,
    shared_memory: bool,
}

pub(crate) struct Arena {
    directory: tempfile::TempDir,
    user: Option<u32>,
    bystander: Child,
    answers: BufReader<ChildStdout>,
    facts: Value,
}

impl Arena {
    pub(crate) fn new(user: Option<u32>) -> Self {
        // Not below `/tmp`, which a sandbox covers anyway.
        let directory = tempfile::Builder::new()
            .prefix("seawall-arena-")
            .permissions(PermissionsExt::from_mode(0o755))
            .tempdir_in("/var/tmp")
            .unwrap();
        furnish(directory.path());
        if let Some(user) = user {
            give(&directory.path().join("home"), user);
        }
        let mark = mark(directory.path());
        let mut command = python(user);
        command
            .arg(place::attacks().join("bystander.py"))
            .args([&directory.path().join("home")])
            .args([SECRET, &mark])
            .arg(set_user_id(directory.path()))
            .env("API_TOKEN", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut bystander = command.spawn().unwrap();
        let mut answers = BufReader::new(bystander.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let facts = serde_json::from_str(&line).expect("the bystander says what it is");
        Self {
            directory,
            user,
            bystander,
            answers,
            facts,
        }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// The attacker's command line.
    fn attacker(&self, family: &str, name: &str) -> Vec<String> {
        let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
        let home = text(self.path("home"));
        let arena = json!({
            "home": home,
            "key": format!("{home}/.ssh/id_ed25519"),
            "secret": SECRET,
            "mark": mark(self.directory.path()),
            "work": format!("{home}/work"),
            "own": format!("{home}/work/a.py"),
            "other": format!("{home}/work/b.py"),
            "sibling": format!("{home}/sibling"),
            "checkout": format!("{home}/checkout"),
            "bystander": self.facts,
        });
        let main = text(place::attacks().join("main.py"));
        let mut argv: Vec<_> = PYTHON.iter().map(|word| (*word).to_owned()).collect();
        argv.extend([main, family.to_owned(), name.to_owned(), arena.to_string()]);
        argv
    }

    /// The attack as it goes without a sandbox.
    pub(crate) fn unconfined(&self, family: &str, name: &str, terminal: bool) -> Outcome {
        self.perform(&self.attacker(family, name), terminal)
    }

    /// The attack in the sandbox of a profile.
    pub(crate) fn confined(
        &self,
        family: &str,
        name: &str,
        profile: &str,
        namespaces: bool,
        terminal: bool,
    ) -> Outcome {
        let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
        let mut argv = vec![text(place::seawall()), "exec".to_owned()];
        if !namespaces {
            argv.push("--no-namespaces".to_owned());
        }
        let (work, own) = (self.path("home/work"), self.path("home/work/a.py"));
        argv.extend(["--profile", profile, "--dir"].map(str::to_owned));
        argv.extend([text(work), "--read".to_owned(), text(place::attacks())]);
        argv.extend(["--write".to_owned(), text(own), "--".to_owned()]);
        argv.extend(self.attacker(family, name));
        self.perform(&argv, terminal)
    }

    /// Runs a command as the user of the arena, whose shell stays its parent and leaves descriptors 8 and 9 open on the home
    /// and on a secret.
    fn perform(&self, argv: &[String], terminal: bool) -> Outcome {
        let said = self.path("said");
        let output = File::create(&said).unwrap();
        let mut command = self.user_command("/bin/sh");
        command
            .args(["-c", r#"exec 8<"$1" 9<"$2"; shift 2; "$@"; exit $?"#, "sh"])
            .args([self.path("home"), self.path("home/.ssh/id_ed25519")]);
        if terminal {
            command
                .args(PYTHON)
                .arg(place::attacks().join("terminal.py"));
        }
        command
            .args(argv)
            .current_dir(self.path("home/work"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let status = patiently(&mut command);
        let said = String::from_utf8_lossy(&fs::read(said).unwrap()).into_owned();
        Outcome { status, said }
    }

    fn user_command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        become_user(&mut command, self.user);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.path("home"))
            .env("API_TOKEN", SECRET)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("SSH_AUTH_SOCK", self.path("home/bystander.sock"));
        command
    }

    /// How everything looks from outside, but for what is the attacker's to change: a path below the home.
    pub(crate) fn state(&mut self, own: &str) -> State {
        let mut files = BTreeMap::new();
        look(&self.path("home"), &mut files);
        let own = self.path("home").join(own);
        files.retain(|path, _| !path.starts_with(&own));
        let mark = mark(self.directory.path());
        State {
            files,
            bystander: self.reached(),
            survivors: self.survivors(),
            shared_memory: Path::new(&format!("/dev/shm/seawall-attack-{mark}")).exists(),
        }
    }

    /// How often the bystander was reached; nothing when it is dead.
    fn reached(&mut self) -> Option<u64> {
        let asked = self.bystander.stdin.as_mut().unwrap();
        asked.write_all(b"\n").ok()?;
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        line.trim().parse().ok()
    }

    /// Processes that this arena started and that are still there.
    fn survivors(&self) -> Vec<u32> {
        let mark = self.directory.path().as_os_str().as_encoded_bytes();
        let pids = fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let ours = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            *pid != self.bystander.id() && line.windows(mark.len()).any(|part| part == mark)
        };
        pids.filter(ours).collect()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for pid in self.survivors() {
            let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).ok();
        }
        // It cleans up what it shares when nobody asks any more.
        drop(self.bystander.stdin.take());
        let ended = self.bystander.wait();
        let mark = mark(self.directory.path());
        if !ended.is_ok_and(|status| status.success()) {
            let mut remover = python(self.user);
            remover.arg(place::attacks().join("bystander.py"));
            let key = self.facts["key"].to_string();
            remover.args(["--remove", &key, &mark]).status().ok();
        }
        fs::remove_file(format!("/dev/shm/seawall-attack-{mark}")).ok();
        fs::remove_file(format!("/dev/shm/{mark}")).ok();
    }
}

const PYTHON: [&str; 4] = ["/usr/bin/python3", "-I", "-S", "-B"];

fn python(user: Option<u32>) -> Command {
    let mut command = Command::new(PYTHON[0]);
    become_user(&mut command, user);
    command.args(&PYTHON[1..]).env_clear().current_dir("/");
    command
}

fn become_user(command: &mut Command, user: Option<u32>) {
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
}

/// Waits for a command, and kills it when it takes longer than anything should.
fn patiently(command: &mut Command) -> Option<i32> {
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it never ends: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A word that nothing else on this machine has in its name.
fn mark(directory: &Path) -> String {
    directory.file_name().unwrap().to_str().unwrap().to_owned()
}

fn furnish(directory: &Path) {
    for (path, text) in [
        (".ssh/id_ed25519", SECRET),
        (".aws/credentials", SECRET),
        (".git-credentials", SECRET),
        (".bash_history", SECRET),
        (".bashrc", ""),
        (".cargo/credentials.toml", SECRET),
        ("Documents/plan.txt", SECRET),
        ("checkout/a.py", "real a"),
        ("work/a.py", "own"),
        ("work/b.py", "other"),
        ("sibling/a.py", SECRET),
        (".config/seawall/profiles/tight.toml", TIGHT),
    ] {
        let path = directory.join("home").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::copy("/usr/bin/id", set_user_id(directory)).unwrap();
    let mode = PermissionsExt::from_mode(0o4755);
    fs::set_permissions(set_user_id(directory), mode).unwrap();
}

/// A program with the set-user-id bit; of root when the tests run as root.
fn set_user_id(directory: &Path) -> PathBuf {
    directory.join("set-user-id")
}

fn give(path: &Path, user: u32) {
    lchown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

/// What each file is: change times tell of attributes and links too. Access times are left out, for reading is no harm here.
fn look(path: &Path, files: &mut BTreeMap<PathBuf, Seen>) {
    let found = fs::symlink_metadata(path).unwrap();
    let mut bytes = Vec::new();
    if found.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            look(&entry.unwrap().path(), files);
        }
    } else if found.is_file() {
        bytes = fs::read(path).unwrap();
    }
    let changed = (found.ctime(), found.ctime_nsec());
    let seen = (
        found.mode(),
        found.uid(),
        found.nlink(),
        found.ino(),
        changed,
        bytes,
    );
    files.insert(path.to_owned(), seen);
}
