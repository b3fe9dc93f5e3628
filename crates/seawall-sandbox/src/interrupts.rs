//! What a launcher that is the supervisor itself does when it is told to end: the tree first, then what was made for it, then
//! itself, by the very signal.
//!
//! The death of a supervisor kills the tree anyway, and the keeper, which notices it, removes the control groups then. Here both
//! are done before the signal has its effect, so that whoever sees this process end sees all of it gone.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::desk::Desk;
use crate::launch::{Launch, Reply};
use crate::{launcher, sys};

/// The launcher's work in the supervisor's own process, which has one thread and nothing else to do: saves a process.
///
/// The keeper then dies with this process by its lifeline, as it would with a launcher.
pub(crate) fn run_here(launch: &Launch, streams: [OwnedFd; 3]) -> io::Result<Option<Reply>> {
    let reply = Cell::new(None);
    let interrupts = Interrupts::hold()?;
    let ended = launcher::run(Desk::Here(&reply), launch, streams, Some(&interrupts));
    interrupts.release()?;
    ended.map(|()| reply.take())
}

/// Signals by which a terminal or another program ends this one.
const ENDS: [Signal; 4] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
];

/// Those signals, held back for the length of a launch.
#[derive(Debug)]
pub(crate) struct Interrupts {
    held: SigSet,
    before: SigSet,
    came: Cell<Option<Signal>>,
}

impl Interrupts {
    /// Holds back what would end this process; what it ignores or catches stays as it is.
    pub(crate) fn hold() -> io::Result<Self> {
        let mut held = SigSet::empty();
        for signal in ENDS {
            if sys::is_default(signal)? {
                held.add(signal);
            }
        }
        let before = SigSet::thread_get_mask()?;
        held.thread_block()?;
        let came = Cell::new(None);
        Ok(Self { held, before, came })
    }

    /// Waits until `done` can be read. When this process is told to end before, it gives up the lifeline, so that the keeper
    /// ends the tree, which is what `done` tells then.
    pub(crate) fn watch(&self, done: &File, lifeline: OwnedFd) -> io::Result<Option<OwnedFd>> {
        let signals = SignalFd::with_flags(&self.held, SfdFlags::SFD_CLOEXEC)?;
        loop {
            let mut sources =
                [signals.as_fd(), done.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            match poll(&mut sources, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                polled => polled?,
            };
            let [signalled, _] = sources.map(|source| source.any().unwrap_or(false));
            if !signalled {
                return Ok(Some(lifeline));
            }
            if let Some(signal) = signals.read_signal()? {
                let number = i32::try_from(signal.ssi_signo).map_err(io::Error::other)?;
                self.came.set(Some(Signal::try_from(number)?));
                return Ok(None);
            }
        }
    }

    /// Lets the signals through again, and the one that came first.
    pub(crate) fn release(self) -> io::Result<()> {
        self.before.thread_set_mask()?;
        match self.came.get() {
            Some(signal) => Ok(raise(signal)?),
            None => Ok(()),
        }
    }
}
