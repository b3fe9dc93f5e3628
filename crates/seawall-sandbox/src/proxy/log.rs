//! The side file of decisions: one line of JSON each, as soon as it is made, and one more when a connection ends.
//!
//! What a worker wrote is hostile: it is cut, and everything but printable ASCII is escaped before it becomes JSON. A file
//! that is full takes no more lines and the summary counts them; a file that cannot be written closes the way out, because
//! what cannot be recorded is not to happen.

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// The most bytes of a log.
const LARGEST: u64 = 16 << 20;

/// The most bytes of a place or a reason, before they are escaped.
const LONGEST: usize = 300;

/// What was decided, or what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    /// The connection is made.
    Allowed,
    /// It is not.
    Refused,
    /// It was allowed, but it could not be made.
    Failed,
    /// A connection that was made has ended.
    Ended,
}

/// One line.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// Milliseconds since 1970-01-01 UTC.
    time: u64,
    /// Counts connections of this worker, so that the two lines of one are found.
    pub(crate) connection: u64,
    authority: String,
    decision: Decision,
    why: String,
    address: Option<SocketAddr>,
    up: u64,
    down: u64,
    /// Since the connection was accepted.
    ms: u64,
}

/// What is known about a connection when a line is written.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) connection: u64,
    pub(crate) since: Instant,
    /// A place, or the first line of what was asked when it names none; printable.
    pub(crate) authority: String,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) up: u64,
    pub(crate) down: u64,
}

impl Story {
    pub(crate) fn line(&self, decision: Decision, why: &str) -> Line {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let milliseconds =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Line {
            time: now.map_or(0, milliseconds),
            connection: self.connection,
            authority: self.authority.clone(),
            decision,
            why: plain(why.as_bytes()),
            address: self.address,
            up: self.up,
            down: self.down,
            ms: milliseconds(self.since.elapsed()),
        }
    }
}

/// Cuts and escapes.
pub(crate) fn plain(bytes: &[u8]) -> String {
    let kept = &bytes[..bytes.len().min(LONGEST)];
    kept.escape_ascii()
        .to_string()
        .replace("\\'", "'")
        .replace("\\\"", "\"")
}

/// The open file; shared by the connections of one worker.
#[derive(Debug)]
pub(crate) struct Log(Mutex<Option<Open>>);

#[derive(Debug)]
struct Open {
    file: File,
    written: u64,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Yes,
    /// The file is full.
    No,
}

impl Log {
    /// A log in `file`, or one that keeps nothing.
    pub(crate) fn new(file: Option<File>) -> Self {
        Self(Mutex::new(file.map(|file| Open { file, written: 0 })))
    }

    pub(crate) fn write(&self, line: &Line) -> io::Result<Kept> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = open.as_mut() else {
            return Ok(Kept::Yes);
        };
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        if open.written + text.len() as u64 > LARGEST {
            return Ok(Kept::No);
        }
        open.file.write_all(&text)?;
        open.written += text.len() as u64;
        Ok(Kept::Yes)
    }
}
