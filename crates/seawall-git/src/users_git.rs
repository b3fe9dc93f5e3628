//! Runs the user's own git for what only it can do: their line ends, filters and sparse checkouts.
//!
//! Only where a commit or the user's configuration asks for it, with an index and a directory of its own, no hooks, and
//! the attributes of the commit that a run began with: what workers wrote has no say in which filter is run. A filter is a
//! program that the user has configured, as it runs in every checkout of theirs; if it fails, so does this. Costs the
//! start of a process, and what the filters cost.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use git2::Oid;

use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::path::as_path;
use crate::settings::git_dir;
use crate::store::Store;
use crate::tree::Leaf;

/// Git with the user's settings and the attributes of one commit.
#[derive(Debug)]
pub(crate) struct UsersGit {
    git_dir: PathBuf,
    attributes: CommitId,
    /// what made it necessary, for messages
    why: String,
}

/// Settings that would let git do more than it is asked to.
const QUIET: [&str; 9] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=true",
    "core.splitIndex=false",
    "index.sparse=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "checkout.workers=2",
];
/// What hash-object writes must be on the disk when it is done; the second is for git before 2.36.
const DURABLE: [&str; 2] = ["core.fsync=all", "core.fsyncObjectFiles=true"];

impl UsersGit {
    /// Git with the attributes of a commit.
    pub(crate) fn new(store: &Store, attributes: &CommitId, why: &str) -> Result<Self> {
        Ok(Self {
            git_dir: git_dir(&store.open()?)?,
            attributes: attributes.clone(),
            why: why.to_owned(),
        })
    }

    /// Checks out a commit into an empty directory, and leaves the index of it in a file.
    pub(crate) fn check_out(&self, commit: &CommitId, into: &Path, index: &Path) -> Result<()> {
        let args = ["read-tree", "-m", "-u", commit.as_str()];
        self.run(self.command(into, Some(index)).args(args), b"")?;
        Ok(())
    }

    /// Writes some files of commits into a directory. A git before 2.41, which would read the attributes that a worker may
    /// have written, fails.
    pub(crate) fn write(&self, files: &[(Vec<u8>, Leaf)], into: &Path, index: &Path) -> Result<()> {
        let mut list = Vec::new();
        for (path, leaf) in files {
            list.extend(format!("{:o} {}\t", leaf.mode, leaf.id).into_bytes());
            list.extend_from_slice(path);
            list.push(0);
        }
        let source = format!("--attr-source={}", self.attributes);
        let mut fill = self.command(into, Some(index));
        fill.args([&source, "update-index", "-z", "--index-info"]);
        self.run(&mut fill, &list)?;
        let mut write = self.command(into, Some(index));
        write.args([&source, "checkout-index", "-a", "-f", "-q"]);
        self.run(&mut write, b"")?;
        Ok(())
    }

    /// Stores the content of a file as git would when the user adds it; `layer` is where the base lies.
    pub(crate) fn store(&self, path: &[u8], content: &[u8], layer: &Path) -> Result<Oid> {
        let mut command = self.command(layer, None);
        for setting in DURABLE {
            command.args(["-c", setting]);
        }
        command
            .args(["hash-object", "-w", "--stdin", "--path"])
            .arg(as_path(path));
        let output = self.run(&mut command, content)?;
        let id = String::from_utf8_lossy(&output.stdout);
        Oid::from_str(id.trim()).map_err(|_| self.failed(&output))
    }

    fn command(&self, work_tree: &Path, index: Option<&Path>) -> Command {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            // What points git elsewhere, as in a hook that starts Seawall.
            if name.as_encoded_bytes().starts_with(b"GIT_") && !is_about_configuration(&name) {
                command.env_remove(name);
            }
        }
        command
            .current_dir(work_tree)
            .env("GIT_DIR", &self.git_dir)
            .env("GIT_WORK_TREE", work_tree)
            .env("GIT_ATTR_SOURCE", self.attributes.as_str())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .envs(index.map(|index| ("GIT_INDEX_FILE", index)));
        for setting in QUIET {
            command.args(["-c", setting]);
        }
        command
    }

    fn run(&self, command: &mut Command, input: &[u8]) -> Result<Output> {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = match piped.stderr(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::NoGit(self.why.clone()));
            }
            Err(source) => return Err(self.broken(source)),
        };
        let stdin = child.stdin.take();
        let output = thread::scope(|scope| {
            // Git may answer before it has read everything; one that reads no further says why itself.
            scope.spawn(move || stdin.is_some_and(|mut stdin| stdin.write_all(input).is_err()));
            child.wait_with_output()
        });
        match output {
            Ok(output) if output.status.success() => Ok(output),
            Ok(output) => Err(self.failed(&output)),
            Err(source) => Err(self.broken(source)),
        }
    }

    fn broken(&self, source: std::io::Error) -> Error {
        Error::Io {
            doing: "run",
            path: PathBuf::from("git"),
            source,
        }
    }

    fn failed(&self, output: &Output) -> Error {
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<_> = said
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(5)
            .collect();
        Error::GitFailed {
            why: self.why.clone(),
            said: said.join("; "),
        }
    }
}

/// What the user's configuration is, git may be told by the environment too.
fn is_about_configuration(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let kept: [&[u8]; 5] = [
        b"GIT_CONFIG",
        b"GIT_LFS",
        b"GIT_SSH",
        b"GIT_ASKPASS",
        b"GIT_EXEC_PATH",
    ];
    kept.iter().any(|kept| name.starts_with(kept))
}
