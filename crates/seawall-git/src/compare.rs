//! Compares and takes files without trusting their size or type.
//!
//! A file is opened once, checked on the open descriptor, and never read further than the size it then had, so a sparse
//! giant or a file that grows cannot hold up a harvest.

use std::fs::File;
use std::io::{self, Read};

use git2::{ObjectType, Oid, Repository};
use sha1::{Digest, Sha1};

use crate::batch::Batch;
use crate::error::{Result, git};
use crate::tree::blob_size;

/// The largest owned file that is taken, in bytes.
pub(crate) const LARGEST: u64 = 64 * 1024 * 1024;

/// Files above this size are first compared by size alone, which costs a look into the object database.
const LARGE: u64 = 1024 * 1024;

/// Whether a file of `size` bytes has the content of a blob, or what was `written` for it. The outer error is the
/// repository's, the inner the file's.
pub(crate) fn same_content(
    repo: &Repository,
    file: &File,
    size: u64,
    blob: Oid,
    written: Option<Oid>,
) -> Result<io::Result<bool>> {
    if size > LARGE && written.is_none() && blob_size(repo, blob)? != size {
        return Ok(Ok(false));
    }
    let expected = written.unwrap_or(blob);
    Ok(hash(file, size).map(|found| found == Some(expected)))
}

/// The id of a file as a blob; nothing when its size is not what it was.
pub(crate) fn hash(mut file: &File, size: u64) -> io::Result<Option<Oid>> {
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {size}\0"));
    let mut buffer = [0; 64 * 1024];
    let mut total = 0;
    while total <= size {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                total += read as u64;
                hasher.update(&buffer[..read]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let id = Oid::from_bytes(&hasher.finalize()).ok();
    Ok(id.filter(|_| total == size))
}

/// The content of a file of at most [`LARGEST`] bytes.
pub(crate) fn content(file: &File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// Stores content as a blob, byte by byte as it is.
pub(crate) fn store(batch: &Batch<'_>, content: &[u8]) -> Result<Oid> {
    batch.write(ObjectType::Blob, content)
}

/// The id that content has as a blob.
pub(crate) fn id_of(content: &[u8]) -> Result<Oid> {
    Oid::hash_object(ObjectType::Blob, content).map_err(git("hash a file"))
}
