//! The supervisor's side: checks an order, starts a launcher for it, and holds the two ends of its life.
//!
//! A supervisor with threads cannot safely do work between fork and exec, so it has its launchers forked by a process that can,
//! the [nursery](crate::nursery); only a supervisor with one thread and little memory forks them itself. The command's own
//! streams travel over the control socket. The supervisor's end of it is the lifeline: when it closes, for whatever reason, the
//! launcher kills everything. The price is one more fork per command. [`run`] saves it where the supervisor has nothing else
//! to do and is the launcher itself.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::Pid;

use crate::check::{self, at};
use crate::error::SandboxError;
use crate::launch::{Launch, Reply, Request, STOP};
use crate::order::{Network, Order, Output, Stdin};
use crate::proxy::{NetworkSummary, ProxyHandle};
use crate::report::Report;
use crate::{
    doors, environment, grants, interrupts, launcher, nursery, sys, toolchains, tree, wire,
};

/// The hidden subcommand that a program must hand to [`crate::launch_main`], with the number that follows it.
pub const LAUNCH_COMMAND: &str = "__launch";

/// A confined command that was started.
///
/// Its descriptor ([`AsFd`]) is readable when the report is there. Dropping it kills the tree and waits for that.
#[derive(Debug)]
pub struct Confined {
    control: UnixStream,
    launcher: Launcher,
    /// The way to the named hosts.
    proxy: Option<ProxyHandle>,
    /// What came instead of the listeners.
    early: Option<Reply>,
}

/// Ends a command from elsewhere; may be used from any thread and more than once.
#[derive(Debug)]
pub struct Stopper(UnixStream);

/// Starts `order` confined, and returns before the command itself runs.
///
/// # Errors
/// When the kernel lacks what is needed, when a path of the order is missing or of the wrong kind, or when the launcher
/// cannot be started. What fails later is told by [`Confined::finish`].
pub fn spawn(order: &Order) -> Result<Confined, SandboxError> {
    check::kernel()?;
    check::order(order)?;
    let streams = open_streams(order)?;
    let log = doors::open_log(&order.network)?;
    let launch = Box::new(resolve(order)?);
    let (control, launcher) = start_launcher().map_err(lost("start the launcher"))?;
    let mut confined = Confined {
        control,
        launcher,
        proxy: None,
        early: None,
    };
    let descriptors: Vec<_> = streams.iter().map(AsRawFd::as_raw_fd).collect();
    wire::post(&confined.control, &Request::Launch(launch), &descriptors)
        .map_err(lost("order the launch"))?;
    if !order.network.policy.is_empty() {
        confined.open_network(&order.network, log)?;
    }
    Ok(confined)
}

/// Starts `order` confined and waits for its end, in a program that has nothing else to do meanwhile.
///
/// With one thread and no named hosts this process does the launcher's work itself, which saves a process; else it is
/// [`spawn`] and [`Confined::finish`]. A signal that ends this process ends the tree first.
///
/// # Errors
/// Those of [`spawn`] and of [`Confined::finish`].
pub fn run(order: &Order) -> Result<Report, SandboxError> {
    if !order.network.policy.is_empty() || !is_alone().map_err(lost("look at this process"))? {
        return spawn(order)?.finish();
    }
    check::kernel()?;
    check::order(order)?;
    let streams = open_streams(order)?;
    let reply = interrupts::run_here(&resolve(order)?, streams);
    reported(reply.map_err(lost("launch from this process"))?)
}

/// The report out of a launcher's answer; `None` when there was none.
fn reported(reply: Option<Reply>) -> Result<Report, SandboxError> {
    match reply {
        Some(Reply::Report(report)) => Ok(report),
        Some(Reply::Lost(why)) => Err(SandboxError::Lost(why)),
        Some(Reply::Listening | Reply::Probed(_)) => Err(SandboxError::Lost(
            "it answered another question".to_owned(),
        )),
        None => Err(SandboxError::Lost(
            "it was killed, or it is not a launcher".to_owned(),
        )),
    }
}

impl Confined {
    /// The launcher's process id, for messages; the command's own id is known only in its namespace.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.launcher.id()
    }

    /// Waits for the listeners that the keeper makes before it starts the worker, and serves them.
    fn open_network(&mut self, network: &Network, log: Option<File>) -> Result<(), SandboxError> {
        match wire::fetch(&mut self.control).map_err(lost("read the answer of the launcher"))? {
            Some((Reply::Listening, listeners)) => {
                let proxy = doors::serve(listeners, network, log);
                self.proxy = Some(proxy.map_err(lost("start the proxy"))?);
            }
            Some((reply, _)) => self.early = Some(reply),
            // The end of the socket is there for `finish` as well.
            None => {}
        }
        Ok(())
    }

    /// What went over the network so far, when hosts are named.
    #[must_use]
    pub fn network(&self) -> Option<NetworkSummary> {
        self.proxy.as_ref().map(ProxyHandle::summary)
    }

    /// A handle to end the command from elsewhere.
    ///
    /// # Errors
    /// When no descriptor is left.
    pub fn stopper(&self) -> io::Result<Stopper> {
        self.control.try_clone().map(Stopper)
    }

    /// Waits for the end of the command and of its whole tree.
    ///
    /// # Errors
    /// When the launcher was lost; its tree is dead all the same.
    pub fn finish(mut self) -> Result<Report, SandboxError> {
        self.control
            .set_nonblocking(false)
            .map_err(lost("wait for the launcher"))?;
        let reply = match self.early.take() {
            Some(reply) => Some(reply),
            None => wire::fetch(&mut self.control)
                .map_err(lost("read the report"))?
                .map(|(reply, _)| reply),
        };
        self.launcher
            .wait()
            .map_err(lost("wait for the launcher"))?;
        let mut report = reported(reply)?;
        report.network = self.proxy.take().map(ProxyHandle::stop);
        if let Some(network) = &report.network {
            report.ledger.enforced("hosts", network.to_string());
        }
        Ok(report)
    }
}

impl AsFd for Confined {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}

/// For event loops that take raw descriptors; the descriptor stays owned by the command.
impl AsRawFd for Confined {
    fn as_raw_fd(&self) -> RawFd {
        self.control.as_raw_fd()
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        // Both fail only when the launcher has already gone, which is what they are to bring about.
        drop(self.control.shutdown(std::net::Shutdown::Both));
        drop(self.launcher.wait());
    }
}

impl Stopper {
    /// Asks for the end: `SIGTERM` to the whole tree, `SIGKILL` after the grace period. Does nothing when it is over.
    ///
    /// # Errors
    /// When the request cannot be sent.
    pub fn stop(&self) -> io::Result<()> {
        match wire::post_bytes(&self.0, &[STOP]) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                ) =>
            {
                Ok(())
            }
            // A full socket holds many stop requests already.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            sent => sent,
        }
    }
}

/// The process that launches, which is a child of this one whoever forked it.
#[derive(Debug)]
pub(crate) enum Launcher {
    Forked(Pid),
    /// It was waited for; its number may be somebody else's by now.
    Ended(Pid),
}

impl Launcher {
    fn id(&self) -> u32 {
        let (Self::Forked(pid) | Self::Ended(pid)) = self;
        pid.as_raw().unsigned_abs()
    }

    /// Waits for its end; a second time does nothing.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        let pid = match self {
            Self::Ended(_) => return Ok(()),
            Self::Forked(pid) => *pid,
        };
        tree::wait_for(pid)?;
        *self = Self::Ended(pid);
        Ok(())
    }
}

/// Starts a launcher without an order.
///
/// A process with one thread and little memory forks it: there is no lock that another thread could hold, and an exec of a
/// program of this size costs as much as everything else together.
pub(crate) fn start_launcher() -> io::Result<(UnixStream, Launcher)> {
    if !is_alone()? {
        let (ours, pid) = nursery::raise()?;
        return Ok((ours, Launcher::Forked(pid)));
    }
    let (ours, theirs) = UnixStream::pair()?;
    match sys::fork_into(0)? {
        Some(pid) => Ok((ours, Launcher::Forked(pid))),
        None => {
            drop(ours);
            launcher::forked_main(theirs)
        }
    }
}

/// Whether this process has one thread, and so little memory that a fork copies its tables in no time.
///
/// Each thread is a directory in `/proc/self/task` (`proc_pid_task(5)`), and a directory has a link for itself, one in its parent
/// and one for each below it. All this is in `/proc/self/stat` as well, which takes the kernel ten times as long to write.
fn is_alone() -> io::Result<bool> {
    const LITTLE: u64 = 16 << 20;
    const ONE_THREAD: u64 = 2 + 1;
    if std::fs::metadata("/proc/self/task")?.nlink() != ONE_THREAD {
        return Ok(false);
    }
    // One read instead of the many of a file of unknown size; the line is shorter.
    let mut line = [0; 256];
    let length = File::open("/proc/self/statm")?.read(&mut line)?;
    let line = String::from_utf8_lossy(&line[..length]);
    // The second number is the resident memory in pages (`proc_pid_statm(5)`).
    let pages = line.split_ascii_whitespace().nth(1);
    let pages = pages.and_then(|pages| pages.parse::<u64>().ok());
    Ok(pages.is_some_and(|pages| pages.saturating_mul(4096) < LITTLE))
}

fn resolve(order: &Order) -> Result<Launch, SandboxError> {
    let ordered = order
        .env
        .iter()
        .rev()
        .find(|(name, _)| name == "PATH")
        .map(|(_, value)| value.clone());
    let path = ordered
        .or_else(|| std::env::var_os("PATH"))
        .unwrap_or_default();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let mut found = toolchains::on_path(&path, home.as_deref(), &|name| std::env::var_os(name));
    found.add_command(&order.argv[0], &path);
    found.add_granted(&order.read, home.as_deref(), &|name| std::env::var_os(name));
    let mut read = Vec::new();
    for path in &order.read {
        read.extend(grants::without_credentials(path).map_err(at("look at", path))?);
    }
    let system: Vec<_> = grants::system().into_iter().chain(found.read).collect();
    Ok(Launch::new(
        order,
        &system,
        &read,
        environment::of(order, found.env),
    ))
}

fn open_streams(order: &Order) -> Result<[OwnedFd; 3], SandboxError> {
    let input = match &order.stdin {
        Stdin::Null => File::open("/dev/null")
            .map_err(at("open", Path::new("/dev/null")))?
            .into(),
        Stdin::File(path) => plain()
            .read(true)
            .open(path)
            .map_err(at("open the input file", path))?
            .into(),
        Stdin::Inherit => own(io::stdin().as_fd())?,
    };
    let (output, errors) = match &order.output {
        Output::Inherit => (own(io::stdout().as_fd())?, own(io::stderr().as_fd())?),
        Output::File { path, .. } => {
            let mut options = plain();
            let file = options
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(path);
            let file = OwnedFd::from(file.map_err(at("open the output file", path))?);
            (
                file.try_clone().map_err(at("use the output file", path))?,
                file,
            )
        }
    };
    Ok([input, output, errors])
}

pub(crate) fn plain() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NOCTTY);
    options
}

fn own(stream: BorrowedFd<'_>) -> Result<OwnedFd, SandboxError> {
    stream
        .try_clone_to_owned()
        .map_err(lost("inherit a standard stream"))
}

pub(crate) fn lost(what: &'static str) -> impl Fn(io::Error) -> SandboxError {
    move |source| SandboxError::Launcher { what, source }
}
