//! Writes a file that ends in the SHA-1 of all that stands before it, as packs, their indexes and the index do.
//!
//! The file is synchronised when it is finished, because it is read after a crash as if it were good.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

use crate::error::{Error, Result, io};

/// A new file and the sum of what went into it.
pub(super) struct Summed {
    out: BufWriter<File>,
    sum: Sha1,
    path: PathBuf,
    /// bytes written
    pub(super) at: u64,
}

impl Summed {
    /// Makes the file, which must not exist.
    pub(super) fn create(path: &Path, mode: u32) -> Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
            .map_err(io("make the file", path))?;
        Ok(Self {
            out: BufWriter::with_capacity(256 * 1024, file),
            sum: Sha1::new(),
            path: path.to_path_buf(),
            at: 0,
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sum.update(bytes);
        self.at += bytes.len() as u64;
        self.out.write_all(bytes).map_err(self.fail())
    }

    /// Writes the sum and returns it.
    pub(super) fn finish(mut self) -> Result<[u8; 20]> {
        let sum = <[u8; 20]>::from(self.sum.clone().finalize());
        let written = self
            .out
            .write_all(&sum)
            .and_then(|()| self.out.flush())
            .and_then(|()| self.out.get_ref().sync_all());
        written.map_err(self.fail())?;
        Ok(sum)
    }

    fn fail(&self) -> impl FnOnce(std::io::Error) -> Error {
        io("write", &self.path)
    }
}
