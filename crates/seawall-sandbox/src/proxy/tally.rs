//! What a worker's proxy counts, and the limits that it holds: one tally for all connections of the worker.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much a worker may do over its proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyLimits {
    /// Connections at once; further ones are turned away.
    pub connections: usize,
    /// Bytes sent to the outside, over all connections.
    pub bytes_up: u64,
    /// Bytes received from the outside, over all connections.
    pub bytes_down: u64,
    /// Longest time in which no byte moves on a connection.
    pub idle: Duration,
    /// Longest time that a client may take to say where it wants to go.
    pub head: Duration,
    /// Longest time to resolve a name and connect.
    pub connect: Duration,
}

impl Default for ProxyLimits {
    /// Wide enough for an agent and a package manager: models think for minutes without a byte.
    fn default() -> Self {
        Self {
            connections: 64,
            bytes_up: 1 << 30,
            bytes_down: 4 << 30,
            idle: Duration::from_secs(600),
            head: Duration::from_secs(10),
            connect: Duration::from_secs(20),
        }
    }
}

/// What went over a worker's proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkSummary {
    /// Connections that led somewhere.
    pub allowed: u64,
    /// Connections that were refused.
    pub refused: u64,
    /// Connections that were allowed and failed, for example because a name is unknown.
    pub failed: u64,
    /// Bytes sent to the outside.
    pub bytes_up: u64,
    /// Bytes received from the outside.
    pub bytes_down: u64,
    /// The places that were reached and how often; the first [`MOST_PLACES`] of them.
    pub reached: BTreeMap<String, u64>,
    /// The places that were refused and how often, escaped; the first [`MOST_PLACES`] of them.
    pub denied: BTreeMap<String, u64>,
    /// Decisions that are not in the log because it is full.
    pub unlogged: u64,
    /// Why the log is incomplete, if it could not be written.
    pub log_error: Option<String>,
}

impl fmt::Display for NetworkSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a proxy; let through {}", self.allowed)?;
        if self.failed > 0 {
            write!(f, ", failed {}", self.failed)?;
        }
        if self.refused > 0 {
            let named: Vec<_> = self.denied.keys().take(3).map(String::as_str).collect();
            let more = if self.denied.len() > named.len() {
                ", ..."
            } else {
                ""
            };
            write!(f, ", refused {} ({}{more})", self.refused, named.join(", "))?;
        }
        write!(f, "; {} bytes up, {} down", self.bytes_up, self.bytes_down)?;
        match &self.log_error {
            Some(error) => write!(f, "; the log is incomplete: {error}"),
            None => Ok(()),
        }
    }
}

/// The most places that a summary names of a kind; a worker chooses the names that it asks for.
pub const MOST_PLACES: usize = 64;

/// The running count.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    up: AtomicU64,
    down: AtomicU64,
    rest: Mutex<NetworkSummary>,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Tally {
    /// Counts bytes; whether the limit still holds.
    pub(crate) fn take(&self, way: Way, count: usize, limits: &ProxyLimits) -> bool {
        let (counter, most) = self.side(way, limits);
        let before = counter.fetch_add(count as u64, Ordering::Relaxed);
        before.saturating_add(count as u64) <= most
    }

    /// Whether no more bytes may go, either way.
    pub(crate) fn is_spent(&self, limits: &ProxyLimits) -> bool {
        [Way::Up, Way::Down].into_iter().any(|way| {
            let (counter, most) = self.side(way, limits);
            counter.load(Ordering::Relaxed) > most
        })
    }

    fn side(&self, way: Way, limits: &ProxyLimits) -> (&AtomicU64, u64) {
        match way {
            Way::Up => (&self.up, limits.bytes_up),
            Way::Down => (&self.down, limits.bytes_down),
        }
    }

    /// Changes the rest of the summary.
    pub(crate) fn note(&self, change: impl FnOnce(&mut NetworkSummary)) {
        change(&mut self.lock());
    }

    pub(crate) fn summary(&self) -> NetworkSummary {
        NetworkSummary {
            bytes_up: self.up.load(Ordering::Relaxed),
            bytes_down: self.down.load(Ordering::Relaxed),
            ..self.lock().clone()
        }
    }

    fn lock(&self) -> MutexGuard<'_, NetworkSummary> {
        // Counts stay counts, wherever a thread that held them ended.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a place, unless there are too many different ones.
pub(crate) fn count(places: &mut BTreeMap<String, u64>, place: &str) {
    if let Some(times) = places.get_mut(place) {
        *times += 1;
    } else if places.len() < MOST_PLACES {
        places.insert(place.to_owned(), 1);
    }
}
