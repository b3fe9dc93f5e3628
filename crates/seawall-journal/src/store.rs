//! The file of records: created once, opened with a full check, appended to, synced.
//!
//! A crash while appending can leave a last line that is cut off. Opening for writing takes such a line
//! away and says so: nothing that depends on it can have been done, because effects wait for the sync that
//! never came. A bad line anywhere else is corruption, and nothing is touched.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::record::{self, GENESIS, Record};

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("cannot {what} `{path}`")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The journal's path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line that is not the record that must stand there.
    #[error("record {line} of `{path}` is damaged: {why}")]
    Damaged {
        /// The journal's path.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A payload that has no JSON form.
    #[error("cannot write a record")]
    Encode(#[from] serde_json::Error),
}

/// A journal that is open for appending.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Bytes that are whole records in the file.
    length: u64,
    pending: Vec<u8>,
    next: u64,
    head: String,
}

/// What opening found.
#[derive(Debug)]
pub struct Opened<T> {
    /// Every record, in order.
    pub records: Vec<Record<T>>,
    /// Bytes of a last line that a crash had cut off.
    pub torn: u64,
}

impl Journal {
    /// Makes a new, empty journal at `path`, which must not exist.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let mut options = OpenOptions::new();
        let file = options.append(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(failed("create", path))?;
        if let Some(parent) = path.parent() {
            File::open(parent)
                .and_then(|dir| dir.sync_all())
                .map_err(failed("make durable", parent))?;
        }
        Ok(Self::at(file, path, 0, 0, GENESIS.to_owned()))
    }

    /// Opens the journal at `path`, checks every record, and takes a cut-off last line away.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when any other line is wrong; the file is then as it was.
    pub fn open<T: for<'de> Deserialize<'de>>(
        path: &Path,
    ) -> Result<(Self, Opened<T>), JournalError> {
        let (opened, length) = scan(path)?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(failed("open", path))?;
        if opened.torn > 0 {
            file.set_len(length)
                .and_then(|()| file.sync_all())
                .map_err(failed("repair", path))?;
        }
        let head = opened
            .records
            .last()
            .map_or(GENESIS.to_owned(), |last| last.sum.clone());
        let next = opened.records.len() as u64;
        Ok((Self::at(file, path, length, next, head), opened))
    }

    fn at(file: File, path: &Path, length: u64, next: u64, head: String) -> Self {
        Self {
            file,
            path: path.to_owned(),
            length,
            pending: Vec::new(),
            next,
            head,
        }
    }

    /// Adds a record; it is in the file after the next [`Journal::sync`].
    ///
    /// # Errors
    /// [`JournalError::Encode`].
    pub fn append<T: Serialize>(&mut self, at: u64, body: &T) -> Result<(), JournalError> {
        let (line, sum) = record::encode(self.next, at, &self.head, body)?;
        self.pending.extend_from_slice(&line);
        self.next += 1;
        self.head = sum;
        Ok(())
    }

    /// Writes what was added and waits until it is durable (`fdatasync(2)`).
    ///
    /// # Errors
    /// [`JournalError::Io`]. What was half written is taken away again, so that a full disk leaves no torn
    /// line; the journal must not be used further.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if let Err(source) = self
            .file
            .write_all(&self.pending)
            .and_then(|()| self.file.sync_data())
        {
            // Best effort: what stays is a torn last line, which opening takes away.
            let _ = self.file.set_len(self.length);
            return Err(failed("write", &self.path)(source));
        }
        self.length += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// The digest of the last record added, or [`GENESIS`].
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }
}

/// Reads the journal at `path` without changing it; a cut-off last line is left out.
///
/// # Errors
/// As [`Journal::open`].
pub fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Opened<T>, JournalError> {
    scan(path).map(|(opened, _)| opened)
}

/// Every whole record, and how many bytes they take.
fn scan<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<(Opened<T>, u64), JournalError> {
    let mut file = BufReader::new(File::open(path).map_err(failed("open", path))?);
    let mut records: Vec<Record<T>> = Vec::new();
    let (mut length, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = file
            .read_until(b'\n', &mut line)
            .map_err(failed("read", path))? as u64;
        if line.pop() != Some(b'\n') {
            return Ok((
                Opened {
                    records,
                    torn: read,
                },
                length,
            ));
        }
        let prev = records.last().map_or(GENESIS, |last| &last.sum);
        match record::decode(&line, records.len() as u64, prev) {
            Ok(record) => records.push(record),
            Err(why) => return torn_or_damaged(&mut file, path, records, (length, read), why),
        }
        length += read;
    }
}

/// A bad line with a newline: the end of the file after a crash that lost a middle block, or damage.
///
/// Blocks of one write can reach the disk in any order, so the last batch may hold a bad line that is
/// followed by good bytes; but then nothing after it was ever acted on. Only what cannot be told from
/// that, a bad last line, is taken for torn; any bad line before the last is damage.
fn torn_or_damaged<T>(
    file: &mut BufReader<File>,
    path: &Path,
    records: Vec<Record<T>>,
    (length, read): (u64, u64),
    why: String,
) -> Result<(Opened<T>, u64), JournalError> {
    let mut one = [0];
    if file.read(&mut one).map_err(failed("read", path))? == 0 && is_zeroed(file, length, read) {
        return Ok((
            Opened {
                records,
                torn: read,
            },
            length,
        ));
    }
    Err(JournalError::Damaged {
        path: path.to_owned(),
        line: records.len() as u64 + 1,
        why,
    })
}

/// Whether a range of the file holds NUL bytes, as a block does that was allocated and never written.
fn is_zeroed(file: &mut BufReader<File>, from: u64, length: u64) -> bool {
    let mut bytes = Vec::new();
    let read = file
        .seek(SeekFrom::Start(from))
        .and_then(|_| file.take(length).read_to_end(&mut bytes));
    read.is_ok() && bytes.contains(&0)
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { what, path, source }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(bodies: &[String]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let mut journal = Journal::create(&path).unwrap();
        for (at, body) in (100..).zip(bodies) {
            journal.append(at, body).unwrap();
        }
        journal.sync().unwrap();
        (dir, path)
    }

    fn bodies(path: &Path) -> Vec<String> {
        read::<String>(path)
            .unwrap()
            .records
            .into_iter()
            .map(|r| r.body)
            .collect()
    }

    #[test]
    fn goes_on_where_it_stopped() {
        let (_dir, path) = written(&["a".into(), "b".into()]);
        let (mut journal, opened) = Journal::open::<String>(&path).unwrap();
        assert_eq!((opened.records.len(), opened.torn), (2, 0));
        journal.append(9, &"c").unwrap();
        assert_eq!(bodies(&path), ["a", "b"], "nothing before the sync");
        journal.sync().unwrap();
        assert_eq!(bodies(&path), ["a", "b", "c"]);
        let records = read::<String>(&path).unwrap().records;
        assert_eq!(
            records.iter().map(|r| (r.seq, r.at)).collect::<Vec<_>>(),
            [(0, 100), (1, 101), (2, 9)]
        );
        assert_eq!(records[2].sum, journal.head());
    }

    #[test]
    fn a_cut_off_last_line_is_taken_away_at_every_length() {
        let (_dir, path) = written(&["a".into(), "b".into()]);
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
        for cut in first..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, opened) = Journal::open::<String>(&path).unwrap();
            assert_eq!(
                (opened.records.len(), opened.torn),
                (1, (cut - first) as u64)
            );
            journal.append(5, &"c").unwrap();
            journal.sync().unwrap();
            assert_eq!(bodies(&path), ["a", "c"]);
        }
    }

    #[test]
    fn a_lost_swapped_or_foreign_line_is_damage_and_stays_as_it_is() {
        let (_dir, path) = written(&["a".into(), "b".into(), "c".into()]);
        let whole = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = whole.lines().collect();
        for (order, bad) in [
            (vec![0, 2], 2),
            (vec![1, 2], 1),
            (vec![0, 2, 1], 2),
            (vec![0, 0, 1, 2], 2),
        ] {
            let text: String = order.iter().map(|n| format!("{}\n", lines[*n])).collect();
            std::fs::write(&path, &text).unwrap();
            let error = Journal::open::<String>(&path).unwrap_err();
            assert!(
                matches!(error, JournalError::Damaged { line, .. } if line == bad),
                "{error}"
            );
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_full_disk_is_an_error_and_leaves_no_half_line() {
        let mut journal = Journal::at(
            File::options().write(true).open("/dev/full").unwrap(),
            Path::new("/dev/full"),
            0,
            0,
            GENESIS.into(),
        );
        journal.append(1, &"x").unwrap();
        assert!(matches!(journal.sync(), Err(JournalError::Io { .. })));
    }

    proptest! {
        /// No single changed byte is overlooked.
        #[test]
        fn every_flipped_byte_is_seen(at in any::<proptest::sample::Index>(), flip in 1..=255u8) {
            let (_dir, path) = written(&["alpha".into(), "beta".into(), "gamma".into()]);
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            std::fs::write(&path, &bytes).unwrap();
            let seen = read::<String>(&path);
            let whole = seen.is_ok_and(|opened| opened.records.len() == 3);
            prop_assert!(!whole);
        }

        #[test]
        fn any_text_survives(texts in proptest::collection::vec(any::<String>(), 0..8)) {
            let (_dir, path) = written(&texts);
            prop_assert_eq!(bodies(&path), texts);
        }
    }
}
