//! Forbidden acts, done from inside the sandbox: what the probe tries. One list, each with a name that is shown when it succeeds.

use std::fs::{self, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::sys;

/// What a probe is told about the host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Targets {
    /// A directory outside with `secret`, `sibling` and `repo/.git/config`.
    pub(crate) outside: PathBuf,
    /// A file in the workspace that is owned, and one that is not unless the whole workspace is.
    pub(crate) owned: Option<PathBuf>,
    pub(crate) not_owned: Option<PathBuf>,
    /// A listener on the host's loopback.
    pub(crate) tcp: SocketAddr,
    /// A socket in the host's file system.
    pub(crate) local: PathBuf,
    /// The name of an abstract socket.
    pub(crate) abstract_name: String,
    /// The supervisor.
    pub(crate) pid: i32,
    /// The name of a variable of the supervisor.
    pub(crate) variable: String,
    /// Whether metadata is open, as the profile and the ledger say.
    pub(crate) metadata: bool,
    /// Whether namespaces may be made.
    pub(crate) nesting: bool,
}

/// What came of one act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was tried.
    pub act: String,
    /// Whether it was refused, as it must be.
    pub refused: bool,
    /// What the system said, or what was got.
    pub detail: String,
}

type Act<'a> = (&'static str, Box<dyn Fn() -> io::Result<()> + 'a>);

/// Tries everything, and tells what came of it.
pub(crate) fn all(targets: &Targets) -> Vec<Outcome> {
    let mut acts = files(targets);
    acts.extend(processes(targets));
    acts.extend(kernel(targets));
    acts.into_iter()
        .map(|(act, run)| outcome(act, run()))
        .collect()
}

/// Whether what must work does: a sandbox that refuses everything proves nothing.
pub(crate) fn control(targets: &Targets) -> io::Result<()> {
    match &targets.owned {
        Some(owned) => write(owned),
        None => fs::read_dir(".").map(drop),
    }
}

fn outcome(act: &str, done: io::Result<()>) -> Outcome {
    Outcome {
        act: act.to_owned(),
        refused: done.is_err(),
        detail: done
            .err()
            .map_or_else(|| "it succeeded".to_owned(), |error| error.to_string()),
    }
}

fn write(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(path).map(drop)
}

/// An empty file covers one that must not be read.
fn some(content: &[u8]) -> io::Result<()> {
    if content.is_empty() {
        Err(io::ErrorKind::NotFound.into())
    } else {
        Ok(())
    }
}

fn chmod(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

fn files(targets: &Targets) -> Vec<Act<'_>> {
    let outside = |name: &str| targets.outside.join(name);
    let (secret, sibling, config) = (
        outside("secret"),
        outside("sibling/file"),
        outside("repo/.git/config"),
    );
    let (made, moded) = (outside("made"), secret.clone());
    let mut acts: Vec<Act<'_>> = vec![
        (
            "read a secret of the user",
            Box::new(move || fs::read(&secret).map(drop)),
        ),
        (
            "write the workspace of another worker",
            Box::new(move || write(&sibling)),
        ),
        (
            "read the configuration of the repository",
            Box::new(move || fs::read(&config).map(drop)),
        ),
        (
            "write the system",
            Box::new(|| write(Path::new("/usr/bin/env"))),
        ),
        (
            "read the password file",
            Box::new(|| some(&fs::read("/etc/shadow")?)),
        ),
    ];
    if let Some(parent) = made.parent().map(Path::to_owned) {
        // A private directory of the same name may be had; what is in the host's is what counts.
        acts.push((
            "list the files of the user",
            Box::new(move || {
                fs::read_dir(&parent)?
                    .find(|entry| {
                        entry
                            .as_ref()
                            .is_ok_and(|entry| entry.file_name() == "secret")
                    })
                    .map_or_else(
                        || Err(io::ErrorKind::NotFound.into()),
                        |entry| entry.map(drop),
                    )
            }),
        ));
    }
    if !targets.metadata {
        acts.push((
            "change the mode of a file of the user",
            Box::new(move || chmod(&moded)),
        ));
        if let Some(file) = &targets.not_owned {
            acts.push((
                "change the mode of a file that is not owned",
                Box::new(move || chmod(file)),
            ));
        }
    }
    if let Some(file) = &targets.not_owned {
        acts.push((
            "write a file that is not owned",
            Box::new(move || write(file)),
        ));

        acts.push((
            "remove a file that is not owned",
            Box::new(move || fs::remove_file(file)),
        ));
    }
    acts
}

fn processes(targets: &Targets) -> Vec<Act<'_>> {
    let pid = targets.pid;
    let name = std::os::unix::net::SocketAddr::from_abstract_name(&targets.abstract_name);
    vec![
        (
            "signal the supervisor",
            Box::new(move || Ok(kill(Pid::from_raw(pid), None)?)),
        ),
        (
            "read the environment of the supervisor",
            Box::new(move || fs::read(format!("/proc/{pid}/environ")).and_then(not_own)),
        ),
        (
            "see a variable of the supervisor",
            Box::new(|| {
                std::env::var_os(&targets.variable)
                    .map(drop)
                    .ok_or_else(|| io::ErrorKind::NotFound.into())
            }),
        ),
        (
            "connect to a port of the host",
            Box::new(|| TcpStream::connect_timeout(&targets.tcp, Duration::from_secs(1)).map(drop)),
        ),
        (
            "connect to a socket in the file system",
            Box::new(|| UnixStream::connect(&targets.local).map(drop)),
        ),
        (
            "connect to an abstract socket",
            Box::new(move || {
                UnixStream::connect_addr(name.as_ref().map_err(|_| io::ErrorKind::InvalidInput)?)
                    .map(drop)
            }),
        ),
        ("use an inherited descriptor", Box::new(inherited)),
        ("use a capability", Box::new(capability)),
    ]
}

/// In a namespace of its own the number may be that of one of the worker's own processes.
fn not_own(environ: Vec<u8>) -> io::Result<()> {
    if environ == fs::read("/proc/self/environ")? {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(())
}

fn inherited() -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let number: i32 = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            .unwrap_or(0);
        let leads = fs::read_link(entry.path())?;
        // One of them is the directory that is being read.
        if number > 2 && !leads.starts_with("/proc") {
            return Ok(());
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

fn capability() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mut sets = status
        .lines()
        .filter(|line| line.starts_with("CapEff") || line.starts_with("CapPrm"));
    let empty = |line: &str| {
        line.split_whitespace()
            .nth(1)
            .is_some_and(|set| set.chars().all(|digit| digit == '0'))
    };
    if sets.all(empty) {
        Err(io::ErrorKind::PermissionDenied.into())
    } else {
        Ok(())
    }
}

fn kernel(targets: &Targets) -> Vec<Act<'_>> {
    let mut acts: Vec<Act<'_>> = sys::FORBIDDEN
        .iter()
        .map(|(name, number)| -> Act<'_> { (name, Box::new(move || sys::reaches(*number))) })
        .collect();
    if !targets.nesting {
        acts.push((
            "make a namespace",
            Box::new(|| Ok(unshare(CloneFlags::CLONE_NEWUSER)?)),
        ));
    }
    acts
}
