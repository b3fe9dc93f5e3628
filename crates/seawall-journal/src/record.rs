//! One line of the journal.
//!
//! ```text
//! {"seq":7,"at":1790000000000,"prev":"<sum of record 6>","body":{…},"sum":"<sha-256>"}
//! ```
//!
//! `sum` is the SHA-256 of the line's bytes before `,"sum":`. The order of the members is therefore part of
//! the format; anyone can check a line with `sha256sum` and no JSON parser.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What the first record names as its predecessor.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A record that passed its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<T> {
    /// Its number, from 0.
    pub seq: u64,
    /// When it was written: milliseconds since 1970-01-01 UTC, by the writer's clock.
    pub at: u64,
    /// Its digest, which the next record names.
    pub sum: String,
    /// The payload.
    pub body: T,
}

#[derive(Serialize)]
struct Head<'a, T> {
    seq: u64,
    at: u64,
    prev: &'a str,
    body: &'a T,
}

#[derive(Deserialize)]
struct Line<T> {
    seq: u64,
    at: u64,
    prev: String,
    body: T,
    sum: String,
}

/// Writes the line of a record, newline included, and its digest.
pub(crate) fn encode<T: Serialize>(
    seq: u64,
    at: u64,
    prev: &str,
    body: &T,
) -> Result<(Vec<u8>, String), serde_json::Error> {
    let mut line = serde_json::to_vec(&Head {
        seq,
        at,
        prev,
        body,
    })?;
    line.pop(); // the closing brace
    let sum = digest(&line);
    line.extend_from_slice(format!(",\"sum\":\"{sum}\"}}\n").as_bytes());
    Ok((line, sum))
}

/// Reads a line without its newline; in words what is wrong with it.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(
    line: &[u8],
    seq: u64,
    prev: &str,
) -> Result<Record<T>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not text".to_owned())?;
    let covered = text.rfind(",\"sum\":").ok_or("it has no checksum")?;
    let found: Line<T> =
        serde_json::from_str(text).map_err(|e| format!("it cannot be read: {e}"))?;
    if digest(&line[..covered]) != found.sum {
        return Err("its checksum does not match".to_owned());
    }
    if found.seq != seq {
        return Err(format!(
            "it has number {} where {seq} must stand",
            found.seq
        ));
    }
    if found.prev != prev {
        return Err("it does not follow the record before it".to_owned());
    }
    Ok(Record {
        seq,
        at: found.at,
        sum: found.sum,
        body: found.body,
    })
}

fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}"); // a String takes every write
            hex
        })
}
