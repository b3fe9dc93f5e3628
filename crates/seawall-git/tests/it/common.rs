//! A repository with everything that makes repositories difficult, and the user's state to compare afterwards.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use seawall_git::{CommitId, Harvest, Label, LaidBy, Left, Owned, Result, Store, show};
use tempfile::TempDir;

/// The time of every commit that the tests ask for.
pub(crate) const WHEN: i64 = 1_700_000_000;

pub(crate) struct Fixture {
    pub(crate) dir: TempDir,
    pub(crate) store: Store,
    pub(crate) base: CommitId,
    /// held while a base is laid
    pub(crate) laying: Mutex<()>,
}

impl Fixture {
    /// The difficult repository, with hooks and other programs that must never run; no attribute of the base names the filter.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("repo");
        fs::create_dir(&repo).unwrap();
        git(&repo, &["init", "-q", "-b", "main"]);
        fill(&repo);
        git(&repo, &["add", "-A", "-f"]);
        let sub = "160000,1111111111111111111111111111111111111111,sub";
        git(&repo, &["update-index", "--add", "--cacheinfo", sub]);
        git(&repo, &["commit", "-q", "-m", "base"]);
        fs::create_dir_all(repo.join("sub")).unwrap();
        booby_trap(&repo);
        Self::of(dir, &repo)
    }

    /// The same files without the traps.
    pub(crate) fn plain() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("repo");
        fs::create_dir(&repo).unwrap();
        git(&repo, &["init", "-q", "-b", "main"]);
        fill(&repo);
        fs::remove_file(repo.join(".gitattributes")).unwrap();
        git(&repo, &["add", "-A", "-f"]);
        git(&repo, &["commit", "-q", "-m", "base"]);
        Self::of(dir, &repo)
    }

    pub(crate) fn of(dir: TempDir, repo: &Path) -> Self {
        let store = Store::discover(repo).unwrap();
        let base = store.head().unwrap().commit;
        Self {
            dir,
            store,
            base,
            laying: Mutex::new(()),
        }
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.repo(), args)
    }

    /// Where Seawall's own things lie.
    pub(crate) fn ours(&self, name: &str) -> PathBuf {
        self.store.common_dir().join("seawall").join(name)
    }

    /// The layer of the base, laid if it is not there yet; its files are those of the commit, byte by byte.
    pub(crate) fn layer(&self) -> PathBuf {
        let layer = self.ours("layers").join(self.base.as_str());
        let _one_at_a_time = self.laying.lock().unwrap();
        if !layer.exists() {
            let laid = self.store.lay_base(&self.base, &layer).unwrap();
            assert_eq!((laid.by, laid.converted), (LaidBy::Seawall, 0));
        }
        layer
    }

    /// Opens a workspace for a task.
    pub(crate) fn open(&self, name: &str, owned: &Owned) -> PathBuf {
        let dest = self.ours("run").join(name);
        self.store
            .open_copy(&[&self.layer()], &dest, &owned.creates)
            .unwrap();
        dest
    }

    pub(crate) fn harvest(&self, workspace: &Path, owned: &Owned, name: &str) -> Harvest {
        let label = Label::new(&["run", name, "1"]).unwrap();
        self.try_harvest(workspace, owned, &label).unwrap()
    }

    pub(crate) fn try_harvest(
        &self,
        workspace: &Path,
        owned: &Owned,
        label: &Label,
    ) -> Result<Harvest> {
        let layer = self.layer();
        let layers = [layer.as_path()];
        let left = left(workspace, &layers);
        self.store
            .harvest_copy(&self.base, &left, owned, label, WHEN)
    }

    /// Opens, acts, harvests, and returns the commit.
    pub(crate) fn change(&self, name: &str, owned: &Owned, act: impl FnOnce(&Path)) -> CommitId {
        let workspace = self.open(name, owned);
        act(&workspace);
        match self.harvest(&workspace, owned, name) {
            Harvest::Changed(changed) => changed.commit,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// Everything of the user that a run must not write, by path: checkout, and git directory without objects.
    pub(crate) fn user_state(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut state = BTreeMap::new();
        let mut pending = vec![self.dir.path().to_path_buf()];
        while let Some(path) = pending.pop() {
            let found = fs::symlink_metadata(&path).unwrap();
            let ours = [".git/seawall", ".git/objects", ".git/refs/seawall"];
            if ours.iter().any(|ours| path.ends_with(ours))
                || path.to_string_lossy().contains("/heads/seawall")
            {
                continue;
            }
            if found.is_dir() {
                pending.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
                continue;
            }
            let mode = found.permissions().mode();
            let content = match found.is_symlink() {
                true => fs::read_link(&path)
                    .unwrap()
                    .as_os_str()
                    .as_bytes()
                    .to_vec(),
                false => fs::read(&path).unwrap(),
            };
            state.insert(path, [format!("{mode:o} ").into_bytes(), content].concat());
        }
        state
    }

    pub(crate) fn fsck(&self) {
        let output = run(&self.repo(), &["fsck", "--strict", "--no-dangling"], b"");
        assert!(output.0, "{}", output.1);
        for word in ["error", "missing", "broken", "warning"] {
            assert!(!output.1.contains(word), "{}", output.1);
        }
    }
}

fn fill(repo: &Path) {
    put(repo, b"a.txt", "alpha\nbeta\ngamma\n");
    put(repo, b"b.txt", "one\ntwo\n");
    put(repo, b"gone.txt", "to go\n");
    put(repo, b"bin/run", "#!/bin/sh\n");
    fs::set_permissions(repo.join("bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
    put(repo, b"crlf.dat", "a\r\nb\r\n");
    put(repo, b"empty", "");
    put(repo, b"ident", "$Id$\n");
    put(repo, b"dir/deep/x.txt", "x\n");
    put(repo, b"dir/deep/y.txt", "y\n");
    put(repo, b"dir/.gitignore", "!important.log\nbuild\n");
    put(repo, b"Case", "upper\n");
    put(repo, b"case", "lower\n");
    put(repo, b"new\nline", "n\n");
    put(repo, b"\xff\xfe/\xe9", "not text\n");
    put(
        repo,
        b"target/kept.txt",
        "tracked in an ignored directory\n",
    );
    put(
        repo,
        b".gitignore",
        "*.log\n/target/\n# a comment\nnode_modules/\n",
    );
    put(repo, b".gitattributes", "* diff=evil\n*.txt text\n");
    symlink("a.txt", repo.join("link")).unwrap();
    symlink("../../../../outside", repo.join("dir/escape")).unwrap();
}

/// Configures everything that git would run; each leaves a file `pwned` beside the repository.
fn booby_trap(repo: &Path) {
    let pwned = repo.parent().unwrap().join("pwned");
    let command = format!("touch {}; cat", pwned.display());
    for key in [
        "filter.evil.clean",
        "filter.evil.smudge",
        "diff.evil.textconv",
        "core.fsmonitor",
        "core.editor",
    ] {
        git(repo, &["config", key, &command]);
    }
    git(repo, &["config", "user.name", "The User"]);
    for hook in [
        "pre-commit",
        "post-checkout",
        "post-commit",
        "reference-transaction",
        "post-merge",
        "post-index-change",
    ] {
        let path = repo.join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\ntouch {}\n", pwned.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// What a worker left in a directory made of layers, with no git directory in it.
pub(crate) fn left<'l>(dir: &'l Path, layers: &'l [&'l Path]) -> Left<'l> {
    Left {
        dir,
        layers,
        private_git: false,
    }
}

/// Writes a file and the directories above it.
pub(crate) fn put(dir: &Path, path: &[u8], content: impl AsRef<[u8]>) {
    let path = dir.join(OsStr::from_bytes(path));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub(crate) fn owned(files: &[&str], creates: &[&str], deletes: &[&str]) -> Owned {
    let bytes = |paths: &[&str]| paths.iter().map(|path| path.as_bytes().to_vec()).collect();
    Owned {
        files: bytes(files),
        creates: bytes(creates),
        deletes: bytes(deletes),
    }
}

/// Runs git without the configuration of the machine, and without hooks.
pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    git_with(dir, args, b"")
}

pub(crate) fn git_with(dir: &Path, args: &[&str], stdin: &[u8]) -> String {
    let (good, output) = run(dir, args, stdin);
    assert!(good, "git {args:?}: {output}");
    output.trim_end().to_owned()
}

/// Runs git with more of an environment; returns what it says.
pub(crate) fn run_with(dir: &Path, vars: &[(&str, &Path)], args: &[&str]) -> String {
    let mut command = command(dir, args);
    let output = command.envs(vars.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {text}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

pub(crate) fn run(dir: &Path, args: &[&str], stdin: &[u8]) -> (bool, String) {
    let mut command = command(dir, args);
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args([
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.quotePath=false",
    ]);
    command
        .args(["-c", "protocol.file.allow=always"])
        .args(args)
        .current_dir(dir);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", dir);
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "t")
            .env(format!("GIT_{who}_EMAIL"), "t@t");
        command.env(format!("GIT_{who}_DATE"), "1600000000 +0000");
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A harvest in words, one line per path.
pub(crate) fn tell(harvest: &Harvest) -> Vec<String> {
    let missing = |missing: &[seawall_git::Missing]| {
        missing
            .iter()
            .map(|one| format!("missing {} {}", show(&one.path), one.what))
            .collect::<Vec<_>>()
    };
    match harvest {
        Harvest::Empty => vec!["empty".to_owned()],
        Harvest::Missing(list) => missing(list),
        Harvest::Drift(drifts) => {
            let drift = drifts
                .list
                .iter()
                .map(|drift| format!("drift {} {}", show(&drift.path), drift.what));
            drift.chain(missing(&drifts.missing)).collect()
        }
        Harvest::Changed(changed) => {
            let word =
                |change: &seawall_git::Change| format!("{:?} {}", change.kind, show(&change.path));
            changed.changes.iter().map(word).collect()
        }
    }
}
