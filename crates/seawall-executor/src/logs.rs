//! Logs of commands: large, many at once, and read in pieces.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use seawall_core::evidence::Kept;
use seawall_core::ids::{Digest, Digester};

use crate::error::{ExecuteError, at};

/// What is wanted of a log.
#[derive(Debug)]
pub(crate) struct Log {
    /// Its last bytes.
    pub(crate) end: Vec<u8>,
    /// The digest of the whole.
    pub(crate) digest: Digest,
}

/// The last `most` bytes of the log.
pub(crate) fn end(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(most as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.take(most as u64).read_to_end(&mut end)?;
    Ok(end)
}

/// The last `most` bytes of the log, and the digest of the whole; the whole is never in memory.
pub(crate) fn read(path: &Path, most: usize) -> io::Result<Log> {
    let (mut file, mut digester, mut piece) =
        (File::open(path)?, Digester::default(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut piece)? {
            0 => {
                return Ok(Log {
                    end: end(path, most)?,
                    digest: digester.finish(),
                });
            }
            read => digester.update(&piece[..read]),
        }
    }
}

/// What is recorded of a log that stays.
pub(crate) fn kept(path: &Path) -> Result<Kept, ExecuteError> {
    let digest = read(path, 0).map_err(at("read", path))?.digest;
    Ok(named(path, digest))
}

/// The same where the digest is known.
pub(crate) fn named(path: &Path, digest: Digest) -> Kept {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = name.into();
    Kept { file, digest }
}

/// Makes the log of one look that of another too, which showed the same.
pub(crate) fn also(log: &Path, other: &Path) -> io::Result<()> {
    forget(other)?;
    match fs::hard_link(log, other) {
        // A file has only so many names.
        Err(error) if error.kind() == ErrorKind::TooManyLinks => fs::copy(log, other).map(drop),
        linked => linked,
    }
}

/// Takes away a log that may be there.
pub(crate) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_and_the_digest_of_a_log() {
        let path = std::env::temp_dir().join(format!("seawall-log-{}", std::process::id()));
        for size in [0_usize, 1, 9, 10, 11, 200_000] {
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let log = read(&path, 10).unwrap();
            assert_eq!(log.end, &bytes[size.saturating_sub(10)..]);
            assert_eq!(log.digest, Digest::of(&bytes));
        }
        std::fs::remove_file(&path).unwrap();
    }
}
