//! A repository with a real checkout, a workspace, a sibling of it and a secret; and the two ways to run an act in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use seawall_sandbox::{End, Limits, Network, Opens, Order, Output, Report, Stdin, Write, spawn};

/// Which protections are used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    pub(crate) namespaces: bool,
}

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Fixture {
    directory: tempfile::TempDir,
    mode: Mode,
}

impl Fixture {
    pub(crate) fn new(mode: Mode) -> Self {
        Self::below(&std::env::temp_dir(), mode)
    }

    pub(crate) fn below(parent: &Path, mode: Mode) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("seawall-attack-")
            .tempdir_in(parent)
            .unwrap();
        let fixture = Self { directory, mode };
        for (path, text) in [
            ("repo/src/a.py", "real a"),
            ("repo/src/b.py", "real b"),
            ("repo/.git/config", "[core]"),
            ("repo/.git/seawall/work/src/a.py", "a"),
            ("repo/.git/seawall/work/src/b.py", "b"),
            ("repo/.git/seawall/sibling/src/a.py", "sibling"),
            ("repo/.git/seawall/home/.keep", ""),
            ("repo/.git/seawall/tmp/.keep", ""),
            ("user/.ssh/id_ed25519", "secret key"),
        ] {
            fs::create_dir_all(fixture.path(path).parent().unwrap()).unwrap();
            fs::write(fixture.path(path), text).unwrap();
        }
        fixture
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    pub(crate) fn text(&self, below: &str) -> String {
        self.path(below).to_str().unwrap().to_owned()
    }

    pub(crate) fn work(&self, below: &str) -> PathBuf {
        self.path("repo/.git/seawall/work").join(below)
    }

    /// An order for one act: the worker owns `src/a.py`.
    pub(crate) fn order(&self, act: &[&str]) -> Order {
        Order {
            argv: command(act),
            env: Vec::new(),
            workspace: self.work(""),
            appears_at: Some(self.path("repo")),
            cwd: None,
            write: Write::Files(vec!["src/a.py".into()]),
            read: vec![std::env::current_exe().unwrap()],
            home: self.path("repo/.git/seawall/home"),
            tmp: self.path("repo/.git/seawall/tmp"),
            stdin: Stdin::Null,
            output: Output::File {
                path: self.path("output"),
                cap: 1 << 20,
            },
            limits: Limits {
                wall: Some(PATIENCE),
                grace: Duration::from_millis(300),
                ..Limits::default()
            },
            alive: None,
            namespaces: self.mode.namespaces,
            opens: Opens::default(),
            floor: Vec::new(),
            run: None,
            network: Network::default(),
            overlay: None,
            carry: Vec::new(),
        }
    }

    pub(crate) fn run(&self, order: &Order) -> Report {
        spawn(order).unwrap().finish().unwrap()
    }

    pub(crate) fn output(&self) -> String {
        fs::read_to_string(self.path("output")).unwrap()
    }

    /// Everything that a worker must leave alone: path, kind, mode and content.
    pub(crate) fn untouchable(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.directory.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory)
                .unwrap()
                .map(|entry| entry.unwrap().path())
            {
                let metadata = fs::symlink_metadata(&entry).unwrap();
                let content = if metadata.is_file() {
                    fs::read(&entry).unwrap()
                } else {
                    Vec::new()
                };
                if metadata.is_dir() {
                    open.push(entry.clone());
                }
                found.insert(entry, (metadata.mode(), content));
            }
        }
        for own in ["repo/.git/seawall/home", "repo/.git/seawall/tmp", "output"] {
            let own = self.path(own);
            found.retain(|path, _| !path.starts_with(&own));
        }
        found.remove(&self.work("src/a.py"));
        found
    }
}

pub(crate) fn command(act: &[&str]) -> Vec<OsString> {
    let program = std::env::current_exe().unwrap().into_os_string();
    [program, "__act".into()]
        .into_iter()
        .chain(act.iter().map(Into::into))
        .collect()
}

/// Runs an act as it would be without any sandbox; whether it succeeded.
pub(crate) fn unconfined(fixture: &Fixture, act: &[&str]) -> bool {
    let argv = command(act);
    let output = Command::new(&argv[0])
        .args(&argv[1..])
        .current_dir(fixture.work(""))
        .output()
        .unwrap();
    output.status.success()
}

/// An act that works without a sandbox, is refused with one, and leaves everything as it was.
pub(crate) fn refused(mode: Mode, act: impl Fn(&Fixture) -> Vec<String>) {
    let words = |fixture: &Fixture| -> Vec<String> { act(fixture) };
    let free = Fixture::new(mode);
    let free_words = words(&free);
    assert!(
        unconfined(&free, &refs(&free_words)),
        "{free_words:?} does not even work unconfined"
    );

    let fixture = Fixture::new(mode);
    let before = fixture.untouchable();
    let words = words(&fixture);
    let report = fixture.run(&fixture.order(&refs(&words)));
    assert_eq!(
        report.end,
        End::Exited(1),
        "{words:?}: {}\n{:#?}",
        fixture.output(),
        report.ledger
    );
    assert_eq!(
        before,
        fixture.untouchable(),
        "{words:?} left something behind"
    );
}

pub(crate) fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Processes of this host whose arguments contain `mark`.
pub(crate) fn alive(mark: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Ok(line) = fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        if line
            .split(|byte| *byte == 0)
            .any(|word| word == mark.as_bytes())
            && pid != std::process::id()
        {
            found.push(pid);
        }
    }
    found
}

/// A word that no other process has among its arguments.
pub(crate) fn fresh_mark() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "mark-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn make_executable(path: &Path) {
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}
