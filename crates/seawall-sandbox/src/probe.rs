//! The self-probe: forbidden acts, tried inside the very profile before it is relied upon.
//!
//! A sandbox that was built wrongly, or that a host breaks in a way nobody thought of, shows here and not in a worker. The
//! battery is one launch, a few hundredths of a second: a small host of its own is laid out in a temporary directory, with
//! secrets, sockets and listeners, and the program runs itself inside the profile ([`PROBE_COMMAND`]) to attack it.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::acts::{self, Outcome, Targets};
use crate::check::at;
use crate::error::SandboxError;
use crate::order::{Limits, Network, Order, Output, Stdin, Write};
use crate::profile::{Profile, WriteRule};
use crate::report::{End, Ledger};
use crate::spawn::spawn;

/// The hidden subcommand that a program must hand to [`probe_main`], with the words that follow it.
pub const PROBE_COMMAND: &str = "__probe";

/// Longer than a probe takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a probe of a profile found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Probe {
    /// What came of each act.
    pub outcomes: Vec<Outcome>,
    /// Which protections were in force.
    pub ledger: Ledger,
}

impl Probe {
    /// The acts that succeeded and must not.
    pub fn holes(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| !outcome.refused)
    }
}

/// What the hidden subcommand does: tries the acts, prints what came of them as JSON, and ends the process.
pub fn probe_main(words: &str) -> ! {
    let status = match tried(words) {
        Ok(text) => i32::from(io::Write::write_all(&mut io::stdout(), text.as_bytes()).is_err()),
        Err(_) => 3,
    };
    crate::sys::leave(status)
}

fn tried(words: &str) -> io::Result<String> {
    let targets: Targets = serde_json::from_str(words)?;
    acts::control(&targets)?;
    Ok(serde_json::to_string(&acts::all(&targets))?)
}

/// A small host to attack; its listeners live as long as it does.
struct Host {
    directory: PathBuf,
    tcp: TcpListener,
    _local: UnixListener,
    _abstract: UnixListener,
    abstract_name: String,
}

impl Host {
    fn lay_out(directory: &Path) -> io::Result<Self> {
        for (path, text) in [
            ("secret", "secret"),
            ("sibling/file", "another worker's"),
            ("repo/.git/config", "[core]"),
            ("work/owned", "mine"),
            ("work/not-owned", "not mine"),
            ("home/.keep", ""),
            ("tmp/.keep", ""),
        ] {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap_or(directory))?;
            fs::write(path, text)?;
        }
        let abstract_name = format!(
            "seawall-probe-{}-{}",
            std::process::id(),
            directory.display()
        );
        Ok(Self {
            directory: directory.to_owned(),
            tcp: TcpListener::bind("127.0.0.1:0")?,
            _local: UnixListener::bind(directory.join("socket"))?,
            _abstract: UnixListener::bind_addr(&SocketAddr::from_abstract_name(&abstract_name)?)?,
            abstract_name,
        })
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.join(below)
    }

    fn targets(&self, profile: &Profile, namespaces: bool) -> io::Result<Targets> {
        let owns = profile.write != WriteRule::Nothing;
        let all = profile.write == WriteRule::Workspace;
        let given =
            |name: &str| ["HOME", "TMPDIR", "SHELL"].contains(&name) || name.starts_with("LC_");
        let kept = |name: &str| crate::environment::KEPT.contains(&name) || given(name);
        let variable = std::env::vars()
            .map(|(name, _)| name)
            .find(|name| !kept(name) && !profile.env.contains_key(name));
        Ok(Targets {
            outside: self.directory.clone(),
            owned: owns.then(|| "owned".into()),
            not_owned: (!all).then(|| "not-owned".into()),
            tcp: self.tcp.local_addr()?,
            local: self.path("socket"),
            abstract_name: self.abstract_name.clone(),
            pid: std::process::id().try_into().map_err(io::Error::other)?,
            variable: variable.unwrap_or_else(|| "SEAWALL_NO_SUCH_VARIABLE".to_owned()),
            metadata: profile.opens.metadata && !namespaces,
            nesting: profile.opens.nesting,
        })
    }

    fn order(
        &self,
        profile: &Profile,
        namespaces: bool,
        words: String,
    ) -> Result<Order, SandboxError> {
        let program = std::env::current_exe().map_err(at("find", Path::new("/proc/self/exe")))?;
        let write = match profile.write {
            WriteRule::Owned => Write::Files(vec!["owned".into()]),
            WriteRule::Workspace => Write::Workspace,
            WriteRule::Nothing => Write::Nothing,
        };
        Ok(Order {
            argv: vec![program.clone().into(), PROBE_COMMAND.into(), words.into()],
            env: profile.variables(),
            workspace: self.path("work"),
            appears_at: Some(self.path("repo")),
            cwd: None,
            write,
            read: vec![program],
            home: self.path("home"),
            tmp: self.path("tmp"),
            stdin: Stdin::Null,
            output: Output::File {
                path: self.path("output"),
                cap: 1 << 20,
            },
            limits: Limits {
                wall: Some(PATIENCE),
                silence: None,
                ..profile.limits.clone()
            },
            alive: None,
            namespaces,
            opens: profile.opens,
            floor: profile.floor(namespaces),
            run: None,
            network: Network {
                policy: profile
                    .policy()
                    .map_err(|error| SandboxError::Order(error.to_string()))?,
                ..Network::default()
            },
            overlay: None,
            carry: Vec::new(),
        })
    }
}

/// Attacks a profile from inside. `scratch` is a fresh, empty directory that the caller removes.
///
/// # Errors
/// When the probe could not be run: what does not start, and what is not refused only because nothing works, is no proof.
pub fn probe(profile: &Profile, namespaces: bool, scratch: &Path) -> Result<Probe, SandboxError> {
    let scratch = fs::canonicalize(scratch).map_err(at("find", scratch))?;
    let host = Host::lay_out(&scratch).map_err(at("lay out a probe in", &scratch))?;
    let targets = host
        .targets(profile, namespaces)
        .map_err(at("lay out a probe in", &scratch))?;
    let words =
        serde_json::to_string(&targets).map_err(|error| SandboxError::Lost(error.to_string()))?;
    let report = spawn(&host.order(profile, namespaces, words)?)?.finish()?;
    let output = host.path("output");
    match &report.end {
        End::Exited(0) => {}
        End::CouldNotStart { step, error } => {
            return Err(SandboxError::Unheld(format!("cannot {step}: {error}")));
        }
        end => {
            return Err(SandboxError::Unheld(format!(
                "the probe itself ended with {end:?}"
            )));
        }
    }
    let text = fs::read_to_string(&output).map_err(at("read", &output))?;
    let outcomes =
        serde_json::from_str(&text).map_err(|error| SandboxError::Lost(error.to_string()))?;
    Ok(Probe {
        outcomes,
        ledger: report.ledger,
    })
}
