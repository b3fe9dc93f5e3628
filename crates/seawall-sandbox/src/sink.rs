//! The output of a worker on its way into a file with a cap.
//!
//! The keeper reads it all, so that a worker never blocks on a full pipe, and writes the first bytes up to the cap: a flood
//! costs neither memory nor disk. What does not fit is counted.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

const CHUNK: usize = 64 << 10;

/// Chunks that are read before other events get their turn.
const CHUNKS_A_TURN: usize = 16;

/// Takes what comes out of a pipe, and keeps some of it.
#[derive(Debug)]
pub(crate) struct Sink {
    pipe: Option<File>,
    file: File,
    cap: u64,
    /// All bytes that came.
    pub(crate) bytes: u64,
    /// Those that are in the file.
    pub(crate) kept: u64,
    /// The first failure to write the file; later bytes are only counted.
    pub(crate) error: Option<String>,
}

impl Sink {
    /// Makes the reading end of the pipe non-blocking.
    pub(crate) fn new(pipe: OwnedFd, file: OwnedFd, cap: u64) -> io::Result<Self> {
        fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self {
            pipe: Some(pipe.into()),
            file: file.into(),
            cap,
            bytes: 0,
            kept: 0,
            error: None,
        })
    }

    /// What to wait on; `None` when every writer has gone.
    pub(crate) fn source(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Takes what is there now, a bounded part at most; whether anything came.
    pub(crate) fn pump(&mut self) -> io::Result<bool> {
        let before = self.bytes;
        let mut chunk = [0; CHUNK];
        for _ in 0..CHUNKS_A_TURN {
            let Some(pipe) = &mut self.pipe else { break };
            match pipe.read(&mut chunk) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.take(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.bytes > before)
    }

    /// Takes what is left in the pipe when every writer is dead.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        while self.pump()? {}
        Ok(())
    }

    fn take(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        let room = usize::try_from(self.cap.saturating_sub(self.kept)).unwrap_or(usize::MAX);
        let fitting = &chunk[..room.min(chunk.len())];
        if fitting.is_empty() || self.error.is_some() {
            return;
        }
        match self.file.write_all(fitting) {
            Ok(()) => self.kept += fitting.len() as u64,
            Err(error) => self.error = Some(error.to_string()),
        }
    }
}
