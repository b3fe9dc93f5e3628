//! The proxy of one worker: takes connections from the listeners that were made inside its network namespace.
//!
//! A listener belongs to the namespace that it was made in, and a connection that it gives belongs there too; the connections
//! that the proxy makes belong to the host. That is the whole way out: a few sockets in a process that the worker cannot
//! reach otherwise. One thread takes connections and one thread serves each, all with small stacks.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use nix::poll::PollFlags;

use super::locate::{self, Resolver};
use super::log::{Log, Story};
use super::policy::{PROXY_PORT, Policy};
use super::tally::{NetworkSummary, ProxyLimits, Tally};
use super::visit::{Entrance, Shared, Visit};
use super::wait::{self, Bell, Woken};

/// Enough for the deepest thread here, which has a 32 KiB buffer.
const STACK: usize = 256 << 10;

/// How many connections beyond the limit are told so; the rest is closed without a word.
const TOLD: usize = 16;

/// The most connections that are taken in a second; further ones wait in the listener's queue. A worker that does nothing but
/// connect costs the supervisor no more than this.
const PER_SECOND: u32 = 200;

/// How long to wait when the process has no descriptor left for another connection.
const BREATH: Duration = Duration::from_millis(50);

/// Longer than any worker runs.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// The proxy of one worker.
#[derive(Debug)]
pub struct Proxy(());

/// A proxy that runs. Dropping it stops it.
pub struct ProxyHandle {
    shared: Arc<Shared>,
    taker: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Serves `listeners`, which are those of [`Policy::ports`] in that order. Decisions are appended to `log`.
    ///
    /// # Errors
    /// When there is not one listener for each port, or no thread or descriptor is left.
    pub fn start(
        listeners: Vec<OwnedFd>,
        policy: Policy,
        log: Option<File>,
        limits: ProxyLimits,
    ) -> io::Result<ProxyHandle> {
        start(listeners, policy, log, limits, locate::system())
    }
}

/// [`Proxy::start`] with another resolver.
pub(crate) fn start(
    listeners: Vec<OwnedFd>,
    policy: Policy,
    log: Option<File>,
    limits: ProxyLimits,
    resolver: Resolver,
) -> io::Result<ProxyHandle> {
    let ports: Vec<_> = policy.ports().collect();
    if ports.len() != listeners.len() {
        return Err(io::Error::other("not one listener for each port"));
    }
    let mut doors = Vec::new();
    for (port, listener) in ports.into_iter().zip(listeners) {
        let listener = TcpListener::from(listener);
        listener.set_nonblocking(true)?;
        let entrance = match port {
            PROXY_PORT => Entrance::Proxy,
            port => Entrance::Mapped(port),
        };
        doors.push((listener, entrance));
    }
    let shared = Arc::new(Shared {
        policy,
        limits,
        resolver,
        tally: Tally::default(),
        log: Log::new(log),
        bell: Bell::new()?,
    });
    let taker = Taker {
        doors,
        shared: shared.clone(),
        open: Arc::default(),
        visits: Vec::new(),
        count: 0,
        pace: Pace {
            second: Instant::now(),
            taken: 0,
        },
    };
    let thread = Builder::new()
        .name("seawall-proxy".to_owned())
        .stack_size(STACK);
    Ok(ProxyHandle {
        shared,
        taker: Some(thread.spawn(move || taker.run())?),
    })
}

impl ProxyHandle {
    /// Closes every connection and waits until the threads have ended; what went over it comes back.
    #[must_use]
    pub fn stop(mut self) -> NetworkSummary {
        self.close();
        self.summary()
    }

    /// What went over it so far.
    #[must_use]
    pub fn summary(&self) -> NetworkSummary {
        self.shared.tally.summary()
    }

    fn close(&mut self) {
        let Some(taker) = self.taker.take() else {
            return;
        };
        // A bell that cannot ring would leave the thread alone with its worker's end: every peer has gone then.
        if self.shared.bell.ring().is_ok() {
            drop(taker.join());
        }
    }
}

impl Drop for ProxyHandle {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for ProxyHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyHandle")
            .field("policy", &self.shared.policy)
            .finish_non_exhaustive()
    }
}

/// The thread that takes connections.
struct Taker {
    doors: Vec<(TcpListener, Entrance)>,
    shared: Arc<Shared>,
    open: Arc<AtomicUsize>,
    visits: Vec<JoinHandle<()>>,
    count: u64,
    pace: Pace,
}

/// Counts the connections of the current second.
struct Pace {
    second: Instant,
    taken: u32,
}

impl Pace {
    /// Counts one more; when the next may be taken, if that is not now.
    fn step(&mut self) -> Option<Instant> {
        let now = Instant::now();
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            (self.second, self.taken) = (now, 0);
        }
        self.taken += 1;
        (self.taken >= PER_SECOND).then(|| self.second + Duration::from_secs(1))
    }
}

/// Counts a connection as long as it lives.
struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Taker {
    fn run(mut self) {
        // A poll that fails cannot be waited on any more; then the way out closes.
        let forever = Instant::now() + FOREVER;
        while let Ok(Some(ready)) = self.wait(forever) {
            for index in ready {
                self.take_from(index);
            }
            self.visits.retain(|visit| !visit.is_finished());
        }
        drop(self.shared.bell.ring());
        self.doors.clear();
        for visit in self.visits {
            // A visit that panicked has closed its sockets all the same.
            drop(visit.join());
        }
    }

    /// The doors that somebody waits at; `None` when it is over.
    fn wait(&self, until: Instant) -> io::Result<Option<Vec<usize>>> {
        let wanted: Vec<_> = self
            .doors
            .iter()
            .map(|(listener, _)| (listener.as_fd(), PollFlags::POLLIN))
            .collect();
        let (woken, ready) = wait::for_any(&wanted, &self.shared.bell, until)?;
        Ok((woken == Woken::Ready).then(|| (0..ready.len()).filter(|n| ready[*n]).collect()))
    }

    fn take_from(&mut self, index: usize) {
        let (listener, entrance) = &self.doors[index];
        match listener.accept() {
            Ok((client, _)) => {
                let entrance = *entrance;
                self.welcome(client, entrance);
                if let Some(until) = self.pace.step() {
                    // The bell alone: whoever comes meanwhile waits.
                    drop(wait::for_any(&[], &self.shared.bell, until));
                }
            }
            // One that went again before it was taken, or nobody after all.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::Interrupted
                        | io::ErrorKind::ConnectionAborted
                ) => {}
            // Out of descriptors or memory: those who wait go on waiting.
            Err(_) => std::thread::sleep(BREATH),
        }
    }

    fn welcome(&mut self, client: TcpStream, entrance: Entrance) {
        let before = self.open.fetch_add(1, Ordering::AcqRel);
        let seat = Seat(self.open.clone());
        self.count += 1;
        let most = self.shared.limits.connections;
        if before >= most.saturating_add(TOLD) {
            self.shared.tally.note(|summary| summary.refused += 1);
            return;
        }
        let story = Story {
            connection: self.count,
            since: Instant::now(),
            authority: String::new(),
            address: None,
            up: 0,
            down: 0,
        };
        let shared = self.shared.clone();
        let visit = Builder::new().stack_size(STACK).spawn(move || {
            let _seat = seat;
            let visit = Visit {
                shared: &shared,
                client,
                entrance,
                story,
            };
            if before < most {
                visit.serve();
            } else {
                visit.turn_away_full();
            }
        });
        match visit {
            Ok(visit) => self.visits.push(visit),
            // No thread is left; the connection was closed with its closure.
            Err(_) => self.shared.tally.note(|summary| summary.failed += 1),
        }
    }
}
