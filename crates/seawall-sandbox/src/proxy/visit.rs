//! One connection, from its first byte to its last line in the log.
//!
//! The order is the point: the head is read whole, the place is matched against the policy by its name, only then resolved,
//! its address is judged, the decision is written down, and the connection goes to the very address that was judged.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;

use super::answer::Answer;
use super::authority::Authority;
use super::body::{Body, Raw};
use super::head::{self, LONGEST_HEAD};
use super::hello::Guard;
use super::locate::{LocateError, Locator, Resolver};
use super::log::{Decision, Kept, Log, Story, plain};
use super::policy::Policy;
use super::relay::{Ended, Lane, Relay, Terms, Why};
use super::request::{self, Ask, Kind};
use super::tally::{ProxyLimits, Tally, Way, count};
use super::wait::{self, Bell, Woken};

/// How long a client that is turned away may take to read why.
const LINGER: Duration = Duration::from_secs(1);

/// What all connections of a worker share.
pub(crate) struct Shared {
    pub(crate) policy: Policy,
    pub(crate) limits: ProxyLimits,
    pub(crate) resolver: Resolver,
    pub(crate) tally: Tally,
    pub(crate) log: Log,
    pub(crate) bell: Bell,
}

/// Where a connection came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// At the proxy's own port.
    Proxy,
    /// At a mapped port.
    Mapped(u16),
}

/// One connection.
pub(crate) struct Visit<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) client: TcpStream,
    pub(crate) entrance: Entrance,
    pub(crate) story: Story,
}

/// Why a connection is not made.
struct Denial {
    /// The HTTP status that says so.
    status: u16,
    decision: Decision,
    why: String,
}

impl Denial {
    fn refused(status: u16, why: impl ToString) -> Self {
        Self::new(status, Decision::Refused, why)
    }

    fn failed(status: u16, why: impl ToString) -> Self {
        Self::new(status, Decision::Failed, why)
    }

    fn new(status: u16, decision: Decision, why: impl ToString) -> Self {
        let why = why.to_string();
        Self {
            status,
            decision,
            why,
        }
    }
}

impl From<io::Error> for Denial {
    fn from(error: io::Error) -> Self {
        Self::failed(400, format!("the client cannot be heard: {error}"))
    }
}

impl From<LocateError> for Denial {
    fn from(error: LocateError) -> Self {
        match error {
            LocateError::Special { .. } => Self::refused(403, error),
            LocateError::Late => Self::failed(504, error),
            LocateError::Stopped => Self::failed(503, error),
            LocateError::Unknown(_) | LocateError::Unreachable { .. } => Self::failed(502, error),
        }
    }
}

impl Visit<'_> {
    /// Serves the connection to its end.
    pub(crate) fn serve(mut self) {
        if let Err(denial) = self.try_serve() {
            self.turn_away(&denial);
        }
    }

    /// Says that there are too many connections.
    pub(crate) fn turn_away_full(mut self) {
        let most = self.shared.limits.connections;
        let why = format!("the worker has {most} connections already");
        self.turn_away(&Denial::refused(503, why));
    }

    fn try_serve(&mut self) -> Result<(), Denial> {
        self.client.set_nonblocking(true)?;
        self.client.set_nodelay(true)?;
        let (ask, rest) = match self.entrance {
            Entrance::Proxy => self.hear()?,
            Entrance::Mapped(port) => (self.mapped(port)?, Vec::new()),
        };
        let (outside, address) = self.reach(&ask.place)?;
        self.story.address = Some(address);
        self.write_down(Decision::Allowed, "named")?;
        let place = ask.place.to_string();
        self.shared.tally.note(|summary| {
            summary.allowed += 1;
            count(&mut summary.reached, &place);
        });
        self.relay(ask, &outside, &rest)
    }

    /// Reads and understands what the client asks; what follows the head comes along.
    fn hear(&mut self) -> Result<(Ask, Vec<u8>), Denial> {
        let (head, rest) = self.read_head()?;
        let first = head.split(|byte| *byte == b'\r').next();
        self.story.authority = plain(first.unwrap_or_default());
        let ask = request::parse(&head).map_err(|error| Denial::refused(error.status(), error))?;
        self.story.authority = ask.place.to_string();
        if self.shared.policy.names(&ask.place) {
            return Ok((ask, rest));
        }
        let hosts: Vec<_> = self.shared.policy.hosts().collect();
        let why = format!(
            "`{}` is not named; what may be reached: {}",
            ask.place,
            hosts.join(", ")
        );
        Err(Denial::refused(403, why))
    }

    fn mapped(&mut self, port: u16) -> Result<Ask, Denial> {
        let place = self.shared.policy.forward(port);
        let place = place
            .ok_or_else(|| Denial::refused(403, "the port is not mapped"))?
            .clone();
        self.story.authority = place.to_string();
        Ok(Ask {
            place,
            kind: Kind::Tunnel,
        })
    }

    fn read_head(&self) -> Result<(Vec<u8>, Vec<u8>), Denial> {
        let until = Instant::now() + self.shared.limits.head;
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            if let Some(at) = head::end(&bytes) {
                let rest = bytes.split_off(at);
                return Ok((bytes, rest));
            }
            if bytes.first().is_some_and(|byte| !byte.is_ascii_uppercase()) {
                return Err(Denial::refused(400, "the request does not begin like one"));
            }
            if bytes.len() > LONGEST_HEAD {
                return Err(Denial::refused(431, "the head of the request is too long"));
            }
            let fd = self.client.as_fd();
            match wait::for_one(fd, PollFlags::POLLIN, &self.shared.bell, until)? {
                Woken::Late => {
                    return Err(Denial::refused(408, "the request did not come in time"));
                }
                Woken::Rung => return Err(LocateError::Stopped.into()),
                Woken::Ready => {}
            }
            match (&self.client).read(&mut piece) {
                Ok(0) => return Err(Denial::refused(400, "the request ends in its head")),
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn reach(&self, place: &Authority) -> Result<(TcpStream, SocketAddr), Denial> {
        let shared = self.shared;
        if shared.tally.is_spent(&shared.limits) {
            return Err(Denial::refused(403, Why::Spent));
        }
        let locator = Locator {
            policy: &shared.policy,
            resolver: &shared.resolver,
            bell: &shared.bell,
            until: Instant::now() + shared.limits.connect,
        };
        let addresses = locator.find(place)?;
        Ok(locator.connect(&addresses)?)
    }

    fn relay(&mut self, ask: Ask, outside: &TcpStream, rest: &[u8]) -> Result<(), Denial> {
        let terms = Terms {
            bell: &self.shared.bell,
            limits: &self.shared.limits,
            tally: &self.shared.tally,
        };
        let is_plain = matches!(ask.kind, Kind::Plain { .. });
        let (up, down) = match ask.kind {
            Kind::Tunnel => {
                let down = Lane::new(outside, &self.client, Way::Down, Raw);
                let greeting: &[u8] = match self.entrance {
                    Entrance::Proxy => b"HTTP/1.1 200 Connection established\r\n\r\n",
                    Entrance::Mapped(_) => b"",
                };
                let guard = Guard::new(&ask.place.host);
                let up = Lane::new(&self.client, outside, Way::Up, guard);
                (up, down.greeting(greeting))
            }
            Kind::Plain {
                head,
                framing,
                bodiless,
            } => {
                let up = Lane::new(&self.client, outside, Way::Up, Body::of_request(framing));
                let answer = Answer::new(bodiless);
                let down = Lane::new(outside, &self.client, Way::Down, answer);
                (up.first(&head), down)
            }
        };
        let relay = Relay { up, down, is_plain };
        let ended = relay.run(rest, terms);
        self.end(&ended, is_plain)
    }

    fn end(&mut self, ended: &Ended, is_plain: bool) -> Result<(), Denial> {
        (self.story.up, self.story.down) = (ended.up, ended.down);
        let why = ended.why.to_string();
        let hidden = !is_plain && matches!(ended.why, Why::Odd(_));
        let decision = if hidden {
            // The name that was asked for was not the one that was meant.
            self.count_denied();
            Decision::Refused
        } else {
            Decision::Ended
        };
        let line = self.story.line(decision, &why);
        self.keep(&line);
        if is_plain && !ended.answered && ended.why != Why::Stopped {
            self.answer(502, &why);
        }
        Ok(())
    }

    /// Writes a decision down; one that cannot be is not carried out.
    fn write_down(&self, decision: Decision, why: &str) -> Result<(), Denial> {
        match self.keep(&self.story.line(decision, why)) {
            true => Ok(()),
            false => Err(Denial::failed(503, "the decision cannot be logged")),
        }
    }

    /// Keeps a line; false when the log cannot be written.
    fn keep(&self, line: &super::log::Line) -> bool {
        let tally = &self.shared.tally;
        match self.shared.log.write(line) {
            Ok(Kept::Yes) => true,
            Ok(Kept::No) => {
                tally.note(|summary| summary.unlogged += 1);
                true
            }
            Err(error) => {
                tally.note(|summary| {
                    summary.log_error.get_or_insert_with(|| error.to_string());
                });
                false
            }
        }
    }

    fn count_denied(&self) {
        self.shared.tally.note(|summary| {
            summary.refused += 1;
            count(&mut summary.denied, &self.story.authority);
        });
    }

    fn turn_away(&mut self, denial: &Denial) {
        let line = self.story.line(denial.decision, &denial.why);
        self.keep(&line);
        match denial.decision {
            Decision::Refused => self.count_denied(),
            _ => self.shared.tally.note(|summary| summary.failed += 1),
        }
        if self.entrance == Entrance::Proxy {
            self.answer(denial.status, &denial.why);
        }
    }

    /// Tells the client, as far as it listens, and gives it a moment to read: a socket that is closed with unread bytes in it
    /// takes back what was written to it.
    fn answer(&self, status: u16, why: &str) {
        let body = format!("seawall: {}\n", plain(why.as_bytes()));
        let head = format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            reason(status),
            body.len()
        );
        let told = (&self.client)
            .write_all((head + &body).as_bytes())
            .and_then(|()| self.client.shutdown(Shutdown::Write));
        // A client that has gone needs no answer.
        if told.is_ok() {
            drop(self.drain());
        }
    }

    fn drain(&self) -> io::Result<()> {
        let until = Instant::now() + LINGER;
        let (mut left, mut piece) = (64, [0; 4096]);
        while left > 0 {
            let fd = self.client.as_fd();
            if wait::for_one(fd, PollFlags::POLLIN, &self.shared.bell, until)? != Woken::Ready
                || (&self.client).read(&mut piece)? == 0
            {
                break;
            }
            left -= 1;
        }
        Ok(())
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        403 => "Forbidden",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    }
}
