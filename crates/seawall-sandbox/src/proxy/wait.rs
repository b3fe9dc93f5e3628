//! Waiting for a descriptor, for a moment in time, or for the end of the whole proxy, whichever comes first.
//!
//! Every wait of every thread is one of these, so that stopping the proxy never waits for a peer.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};

/// The longest sleep between two looks at the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Rings once, for everybody, and never stops.
#[derive(Debug)]
pub(crate) struct Bell(EventFd);

/// Why a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// At least one descriptor is ready, or in error.
    Ready,
    /// The moment has come.
    Late,
    /// The bell has rung.
    Rung,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self(EventFd::from_flags(flags)?))
    }

    pub(crate) fn ring(&self) -> io::Result<()> {
        self.0.write(1)?;
        Ok(())
    }

    pub(crate) fn is_rung(&self) -> bool {
        let mut polled = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        // A bell that cannot be heard counts as rung: the proxy closes.
        poll(&mut polled, PollTimeout::ZERO).is_err() || polled[0].any().unwrap_or(true)
    }
}

/// Waits for one descriptor.
pub(crate) fn for_one(
    fd: BorrowedFd<'_>,
    flags: PollFlags,
    bell: &Bell,
    until: Instant,
) -> io::Result<Woken> {
    Ok(for_any(&[(fd, flags)], bell, until)?.0)
}

/// Waits for any of the descriptors; which of them are ready comes along.
pub(crate) fn for_any(
    wanted: &[(BorrowedFd<'_>, PollFlags)],
    bell: &Bell,
    until: Instant,
) -> io::Result<(Woken, Vec<bool>)> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        // One millisecond more, so that the moment has come when the sleep is over.
        let sleep = left.min(LONGEST_SLEEP) + Duration::from_millis(1);
        let timeout = PollTimeout::try_from(sleep).unwrap_or(PollTimeout::MAX);
        let mut polled: Vec<_> = wanted
            .iter()
            .map(|(fd, flags)| PollFd::new(*fd, *flags))
            .chain([PollFd::new(bell.0.as_fd(), PollFlags::POLLIN)])
            .collect();
        match poll(&mut polled, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready: Vec<_> = polled.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        if ready.pop() == Some(true) {
            return Ok((Woken::Rung, ready));
        }
        if ready.contains(&true) {
            return Ok((Woken::Ready, ready));
        }
        if Instant::now() >= until {
            return Ok((Woken::Late, ready));
        }
    }
}
