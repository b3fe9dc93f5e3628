//! Objects as files: loose ones, and a pack with its index (gitformat-loose(5), gitformat-pack(5)).
//!
//! libgit2 can write neither with one synchronisation for many objects. Nothing here is a delta: what a wave changes is
//! small, and `git gc` makes deltas when it comes by.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use flate2::{Compress, Compression, FlushCompress, Status};
use git2::{ObjectType, Oid};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use sha1::{Digest, Sha1};

use crate::batch::Object;
use crate::error::{Result, io as at};
use crate::id::hex;

/// How many files are synchronised at the same time.
const AT_ONCE: usize = 8;

/// A file that is complete but has no name yet.
struct Unnamed {
    file: File,
    now: PathBuf,
    name: PathBuf,
}

/// The file that a loose object has.
fn loose(objects: &Path, id: Oid) -> PathBuf {
    let hex = id.to_string();
    let (first, rest) = hex.split_at(2);
    objects.join(first).join(rest)
}

/// Whether an object has a file of its own.
pub(crate) fn is_loose(objects: &Path, id: Oid) -> bool {
    loose(objects, id).is_file()
}

/// Writes each object as a file of its own below the directory of objects.
pub(crate) fn write_loose(objects: &Path, new: &[Object<'_>], also: Option<&File>) -> Result<()> {
    let mut files = Vec::new();
    for object in new {
        let name = loose(objects, object.id);
        let head = format!("{} {}\0", object.kind.str(), object.content.len());
        let text = deflate(&[head.as_bytes(), object.content]);
        files.push(
            text.and_then(|text| unnamed(objects, name.clone(), &text))
                .map_err(at("write", &name))?,
        );
    }
    settle(objects, files, also)
}

/// Writes objects as one pack, and its index.
pub(crate) fn write_pack(objects: &Path, new: &[Object<'_>], also: Option<&File>) -> Result<()> {
    let dir = objects.join("pack");
    let failed = || at("write a pack in", &dir);
    let (pack, index, name) = encode(new).map_err(failed())?;
    let named = |end: &str| dir.join(format!("pack-{name}.{end}"));
    fs::create_dir_all(&dir).map_err(failed())?;
    // The index last: without it, nobody looks for the pack.
    let files =
        [("pack", &pack), ("idx", &index)].map(|(end, bytes)| unnamed(objects, named(end), bytes));
    let files: io::Result<Vec<_>> = files.into_iter().collect();
    settle(objects, files.map_err(failed())?, also)
}

static FRESH: AtomicU64 = AtomicU64::new(0);

/// Writes a file under a name that `git gc` knows as that of a leftover.
fn unnamed(objects: &Path, name: PathBuf, bytes: &[u8]) -> io::Result<Unnamed> {
    loop {
        let fresh = FRESH.fetch_add(1, Ordering::Relaxed);
        let now = objects.join(format!("tmp_obj_seawall_{}_{fresh}", std::process::id()));
        match File::options()
            .write(true)
            .create_new(true)
            .mode(0o444)
            .open(&now)
        {
            Ok(mut file) => {
                file.write_all(bytes)?;
                file.set_permissions(Permissions::from_mode(0o444))?;
                return Ok(Unnamed { file, now, name });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Synchronises the files, gives them their names, and synchronises the names.
fn settle(objects: &Path, files: Vec<Unnamed>, also: Option<&File>) -> Result<()> {
    sync_all(files.iter().map(|file| &file.file).chain(also).collect())
        .map_err(at("synchronise a file in", objects))?;
    let mut dirs = BTreeSet::new();
    for Unnamed { now, name, .. } in &files {
        let dir = name.parent().unwrap_or(objects);
        if dirs.insert(dir) && !dir.is_dir() {
            fs::create_dir_all(dir).map_err(at("make the directory", dir))?;
            dirs.insert(objects);
        }
        fs::rename(now, name).map_err(at("name", name))?;
    }
    let mut open = Vec::new();
    for dir in dirs {
        open.push(File::open(dir).map_err(at("open", dir))?);
    }
    sync_all(open.iter().collect()).map_err(at("synchronise a directory in", objects))
}

/// Whether a file is where there is nothing to wait for.
fn is_in_memory(file: &File) -> bool {
    fstatfs(file).is_ok_and(|at| at.filesystem_type() == TMPFS_MAGIC)
}

/// Brings what is at a path to the disk.
pub(crate) fn sync(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(at("synchronise", path))
}

/// Synchronises files at the same time, so that a file system can answer all of them with one write of its log.
fn sync_all(files: Vec<&File>) -> io::Result<()> {
    let sync = |some: &[&File]| some.iter().try_for_each(|file| file.sync_all());
    if files.len() < 2 || files.iter().all(|file| is_in_memory(file)) {
        return sync(&files);
    }
    let each = files.len().div_ceil(AT_ONCE);
    thread::scope(|scope| {
        let threads: Vec<_> = files
            .chunks(each)
            .map(|some| scope.spawn(move || sync(some)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .expect("a synchronising thread does not panic")
        })
    })
}

/// Those that nobody uses now: as many as were ever used at once.
static IDLE: Mutex<Vec<Deflater>> = Mutex::new(Vec::new());

/// The parts as one stream.
fn deflate(parts: &[&[u8]]) -> io::Result<Vec<u8>> {
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = idle().pop();
    let mut deflater = kept.unwrap_or_else(Deflater::new);
    let deflated = deflater.deflate(parts);
    idle().push(deflater);
    deflated
}

/// Compresses one object after another: to begin anew costs a quarter of a megabyte, so they are kept.
struct Deflater(Compress);

impl Deflater {
    fn new() -> Self {
        Self(Compress::new(Compression::fast(), true))
    }

    fn deflate(&mut self, parts: &[&[u8]]) -> io::Result<Vec<u8>> {
        self.0.reset();
        let size: usize = parts.iter().map(|part| part.len()).sum();
        let mut out = Vec::with_capacity(size / 2 + 64);
        for (n, part) in parts.iter().enumerate() {
            let last = n + 1 == parts.len();
            self.feed(part, last, &mut out)?;
        }
        Ok(out)
    }

    fn feed(&mut self, part: &[u8], last: bool, out: &mut Vec<u8>) -> io::Result<()> {
        let begin = self.0.total_in();
        let flush = match last {
            true => FlushCompress::Finish,
            false => FlushCompress::None,
        };
        loop {
            let taken = usize::try_from(self.0.total_in() - begin).map_err(io::Error::other)?;
            let status = self.0.compress_vec(&part[taken..], out, flush)?;
            let taken = usize::try_from(self.0.total_in() - begin).map_err(io::Error::other)?;
            match status {
                Status::StreamEnd => return Ok(()),
                _ if !last && taken == part.len() => return Ok(()),
                _ => out.reserve(out.capacity().max(64)),
            }
        }
    }
}

/// A pack, its index, and the name of both.
fn encode(new: &[Object<'_>]) -> io::Result<(Vec<u8>, Vec<u8>, String)> {
    let count = u32::try_from(new.len()).map_err(io::Error::other)?;
    let mut pack = [
        b"PACK".as_slice(),
        &2_u32.to_be_bytes(),
        &count.to_be_bytes(),
    ]
    .concat();
    let mut entries = Vec::new();
    for object in new {
        let start = pack.len();
        head(&mut pack, object.kind, object.content.len());
        pack.extend(deflate(&[object.content])?);
        let mut crc = flate2::Crc::new();
        crc.update(&pack[start..]);
        entries.push(Entry {
            id: object.id,
            crc: crc.sum(),
            offset: start as u64,
        });
    }
    let hash: [u8; 20] = Sha1::digest(&pack).into();
    pack.extend(hash);
    entries.sort_by_key(|entry| entry.id);
    let index = index(&entries, hash);
    Ok((pack, index, hex(&hash)))
}

struct Entry {
    id: Oid,
    crc: u32,
    offset: u64,
}

/// The type and size before an object: three bits and four, then seven a byte.
fn head(pack: &mut Vec<u8>, kind: ObjectType, size: usize) {
    let kind = match kind {
        ObjectType::Commit => 1,
        ObjectType::Tree => 2,
        ObjectType::Blob | ObjectType::Any => 3,
        ObjectType::Tag => 4,
    };
    let mut byte = kind << 4 | (size & 15) as u8;
    let mut rest = size >> 4;
    while rest > 0 {
        pack.push(byte | 0x80);
        byte = (rest & 0x7f) as u8;
        rest >>= 7;
    }
    pack.push(byte);
}

/// An index of version 2: how many ids begin with at most each byte, then ids, checksums and offsets.
fn index(entries: &[Entry], pack: [u8; 20]) -> Vec<u8> {
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for first in 0..=u8::MAX {
        let upto = entries.partition_point(|entry| entry.id.as_bytes()[0] <= first);
        index.extend((upto as u32).to_be_bytes());
    }
    entries
        .iter()
        .for_each(|entry| index.extend(entry.id.as_bytes()));
    entries
        .iter()
        .for_each(|entry| index.extend(entry.crc.to_be_bytes()));
    let mut far = Vec::new();
    for entry in entries {
        // Offsets from 2 GiB on stand in a table behind.
        match u32::try_from(entry.offset) {
            Ok(offset) if offset < 1 << 31 => index.extend(offset.to_be_bytes()),
            _ => {
                index.extend((1_u32 << 31 | far.len() as u32).to_be_bytes());
                far.push(entry.offset);
            }
        }
    }
    far.iter()
        .for_each(|offset| index.extend(offset.to_be_bytes()));
    index.extend(pack);
    let hash: [u8; 20] = Sha1::digest(&index).into();
    index.extend(hash);
    index
}
