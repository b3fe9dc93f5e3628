//! Moves bytes both ways between a client and the place that it may reach, until one of them has ended.
//!
//! One thread per connection, no byte kept that is not on its way: a lane reads only when everything it read before was
//! written, so a slow reader slows its writer down and costs 32 KiB.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;

use super::body::{Filter, Flow};
use super::tally::{ProxyLimits, Tally, Way};
use super::wait::{self, Bell, Woken};

/// The most bytes that are read at once.
const PIECE: usize = 32 << 10;

/// The surroundings of all connections of a worker.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) bell: &'a Bell,
    pub(crate) limits: &'a ProxyLimits,
    pub(crate) tally: &'a Tally,
}

/// How a relay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) why: Why,
    pub(crate) up: u64,
    pub(crate) down: u64,
    /// Whether the client got any byte.
    pub(crate) answered: bool,
}

/// Why a relay ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    #[error("closed")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("no byte moved for too long")]
    Idle,
    #[error("the worker's bytes are used up")]
    Spent,
    #[error("the proxy was stopped")]
    Stopped,
    #[error("not what was allowed: {0}")]
    Odd(&'static str),
}

impl From<io::Error> for Why {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// One way through a relay.
pub(crate) struct Lane<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    way: Way,
    filter: Box<dyn Filter + 'a>,
    /// Filtered and not yet written.
    pending: Vec<u8>,
    written: usize,
    /// Whether more is to be read.
    open: bool,
    /// Whether `to` was told that no more comes.
    shut: bool,
    read: u64,
    sent: u64,
}

impl<'a> Lane<'a> {
    pub(crate) fn new(
        from: &'a TcpStream,
        to: &'a TcpStream,
        way: Way,
        filter: impl Filter + 'a,
    ) -> Self {
        Self {
            from,
            to,
            way,
            filter: Box::new(filter),
            pending: Vec::new(),
            written: 0,
            open: true,
            shut: false,
            read: 0,
            sent: 0,
        }
    }

    /// Bytes that the proxy itself says first.
    pub(crate) fn greeting(mut self, bytes: &[u8]) -> Self {
        self.pending.extend_from_slice(bytes);
        self
    }

    /// Bytes that are written first, as they are, and count.
    pub(crate) fn first(mut self, bytes: &[u8]) -> Self {
        self.read += bytes.len() as u64;
        self.greeting(bytes)
    }

    /// Bytes that were read already.
    fn already(&mut self, bytes: &[u8], terms: Terms<'_>) -> Result<(), Why> {
        self.read += bytes.len() as u64;
        if !terms.tally.take(self.way, bytes.len(), terms.limits) {
            return Err(Why::Spent);
        }
        match self
            .filter
            .pass(bytes, &mut self.pending)
            .map_err(Why::Odd)?
        {
            Flow::Done => self.open = false,
            Flow::More => {}
        }
        Ok(())
    }

    fn is_flushed(&self) -> bool {
        self.written == self.pending.len()
    }

    fn is_done(&self) -> bool {
        !self.open && self.is_flushed()
    }

    /// What this lane waits for.
    fn wants(&self) -> Option<(&'a TcpStream, PollFlags)> {
        if !self.is_flushed() {
            Some((self.to, PollFlags::POLLOUT))
        } else {
            self.open.then_some((self.from, PollFlags::POLLIN))
        }
    }

    /// Does what can be done without waiting; whether a byte moved.
    fn move_on(&mut self, terms: Terms<'_>) -> Result<bool, Why> {
        if !self.is_flushed() {
            return self.write();
        }
        let mut piece = [0; PIECE];
        match self.from.read(&mut piece) {
            Ok(0) if self.filter.may_end() => self.open = false,
            Ok(0) => return Err(Why::Odd("it ends in the middle")),
            Ok(count) => self.already(&piece[..count], terms)?,
            Err(error) if is_later(&error) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if !self.is_flushed() {
            self.write()?;
        }
        Ok(true)
    }

    fn write(&mut self) -> Result<bool, Why> {
        match self.to.write(&self.pending[self.written..]) {
            Ok(0) => return Err(Why::from(io::Error::from(io::ErrorKind::WriteZero))),
            Ok(count) => {
                self.written += count;
                self.sent += count as u64;
            }
            Err(error) if is_later(&error) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if self.is_flushed() {
            self.pending.clear();
            self.written = 0;
        }
        Ok(true)
    }

    /// Tells the receiver once that no more comes.
    fn shut_when_done(&mut self) {
        if self.is_done() && !self.shut {
            self.shut = true;
            // It fails when the receiver has gone, which the other lane notices.
            drop(self.to.shutdown(Shutdown::Write));
        }
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// A pair of lanes, and when it has ended.
pub(crate) struct Relay<'a> {
    pub(crate) up: Lane<'a>,
    pub(crate) down: Lane<'a>,
    /// Whether it ends with the lane down, and the lane up is not closed by itself: an answer ends a plain request, and a
    /// server may take the half of a connection that closes early for a client that has gone.
    pub(crate) is_plain: bool,
}

impl Relay<'_> {
    /// Runs until the end; `rest` is what was read from the client already. Both sockets are not to block.
    pub(crate) fn run(mut self, rest: &[u8], terms: Terms<'_>) -> Ended {
        let begun = self.begin(rest, terms);
        let why = begun.and_then(|()| self.turn(terms)).err();
        let why = why.unwrap_or(Why::Closed);
        Ended {
            why,
            up: self.up.read,
            down: self.down.read,
            answered: self.down.sent > 0,
        }
    }

    fn begin(&mut self, rest: &[u8], terms: Terms<'_>) -> Result<(), Why> {
        if !terms
            .tally
            .take(Way::Up, self.up.pending.len(), terms.limits)
        {
            return Err(Why::Spent);
        }
        self.up.already(rest, terms)
    }

    fn turn(&mut self, terms: Terms<'_>) -> Result<(), Why> {
        let mut moved = Instant::now();
        while !self.is_over() {
            let wanted: Vec<_> = [self.up.wants(), self.down.wants()]
                .into_iter()
                .flatten()
                .map(|(stream, flags)| (stream.as_fd(), flags))
                .collect();
            let until = moved
                .checked_add(terms.limits.idle)
                .unwrap_or(moved + Duration::from_secs(86_400));
            let (woken, ready) = wait::for_any(&wanted, terms.bell, until)?;
            match woken {
                Woken::Late => return Err(Why::Idle),
                Woken::Rung => return Err(Why::Stopped),
                Woken::Ready => {}
            }
            if self.move_on(&ready, terms)? {
                moved = Instant::now();
            }
        }
        Ok(())
    }

    /// Moves the lanes that are ready; `ready` has one entry for each lane that wanted something.
    fn move_on(&mut self, ready: &[bool], terms: Terms<'_>) -> Result<bool, Why> {
        let mut ready = ready.iter().copied();
        let mut moved = false;
        for lane in [&mut self.up, &mut self.down] {
            if lane.wants().is_some() && ready.next() == Some(true) {
                moved |= lane.move_on(terms)?;
            }
        }
        if !self.is_plain {
            self.up.shut_when_done();
        }
        self.down.shut_when_done();
        Ok(moved)
    }

    fn is_over(&self) -> bool {
        self.down.is_done() && (self.is_plain || self.up.is_done())
    }
}
