//! What one run of a check did, before anyone says what it means.

use std::sync::Arc;

use seawall_core::counted::Counted;
use seawall_core::evidence::TAIL;
use seawall_core::ids::{Digest, Tree};

use crate::counts::plain;

/// How the command of a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// By the kernel, for going over this limit: `memory 2 GiB`.
    Killed(String),
    /// Ended by Seawall after so many milliseconds.
    TimedOut(u64),
    /// Ended by Seawall because the run stops.
    Stopped,
    /// It never ran.
    CouldNotStart(String),
}

/// The report file that a check was to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Report {
    /// The plan names none: what the output says counts.
    #[default]
    NotAsked,
    /// It was written, and says this.
    Counted(Counted),
    /// There is none that can be believed, and why.
    Missing(String),
}

/// One run of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The command after substitution, as shown.
    pub command: String,
    /// What it looked at.
    pub tree: Tree,
    /// How it ended.
    pub end: End,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// Bytes that it printed in all.
    pub bytes: u64,
    /// The end of the output that was kept: [`crate::COUNTED`] bytes, or what there is.
    pub end_of_output: Vec<u8>,
    /// The digest of all the output that was kept.
    pub digest: Digest,
    /// The report that it was to write.
    pub report: Report,
    /// What confined it, one short entry per protection.
    pub enforced: Arc<[String]>,
}

impl Ran {
    /// The end of the output as text, at most [`TAIL`] bytes.
    #[must_use]
    pub fn tail(&self) -> String {
        tail(&self.end_of_output)
    }

    /// The last lines of the output, without colours.
    pub(crate) fn recent(&self, lines: usize) -> String {
        let from = self.end_of_output.len().saturating_sub(64 << 10);
        let text = plain(&self.end_of_output[from..]);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

/// The last [`TAIL`] bytes as text, from the beginning of a line where there is one.
fn tail(bytes: &[u8]) -> String {
    let from = bytes.len().saturating_sub(TAIL);
    let cut = &bytes[from..];
    let line = cut
        .iter()
        .position(|b| *b == b'\n')
        .filter(|at| from > 0 && at + 1 < cut.len());
    let text = String::from_utf8_lossy(line.map_or(cut, |at| &cut[at + 1..]));
    let mut tail = text.into_owned();
    while tail.len() > TAIL {
        tail.remove(0); // replacement characters are longer than what they replace
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_bounded_and_begins_with_a_line() {
        assert_eq!(tail(b"one\ntwo\n"), "one\ntwo\n");
        let long = "x".repeat(5) + "\n" + &"line\n".repeat(2000);
        let cut = tail(long.as_bytes());
        assert!(
            cut.len() <= TAIL && cut.starts_with("line\n"),
            "{}",
            cut.len()
        );
        assert!(tail(&[0xff; 10_000]).len() <= TAIL);
    }
}
