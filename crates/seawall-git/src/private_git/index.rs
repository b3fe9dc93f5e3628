//! Writes git's index (gitformat-index(5)): every file with the status that it had when it was laid, so that git need not
//! read the files to find that they are the same.
//!
//! Not libgit2's index, because it leaves out the ids of the trees (the extension `TREE`), without which each
//! `git status` compares all of them with `HEAD`.

use std::path::Path;

use git2::{IndexEntry, IndexTime};
use nix::sys::stat::FileStat;

use super::inventory::{Directory, Inventory};
use super::pack::count;
use super::summed::Summed;
use crate::dirfd::FileKind;
use crate::error::Result;
use crate::tree::{EntryKind, Leaf};

/// What the index tells of a file; the low 32 bits of each number.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    changed: [u32; 2],
    modified: [u32; 2],
    device: u32,
    inode: u32,
    owner: [u32; 2],
    size: u32,
    /// the file is not there on purpose (`skip-worktree` of git-update-index(1))
    absent: bool,
}

/// The flag for a second word of flags, and the one in it for a file that is not there on purpose.
const EXTENDED: u16 = 0x4000;
const SKIP_WORKTREE: u16 = 0x4000;

impl Known {
    /// A file that the workspace does not have: left out by the user's sparse checkout.
    pub(super) fn absent() -> Self {
        Self {
            absent: true,
            ..Self::default()
        }
    }

    /// What was seen at the path of a leaf. Something of another kind is told as nothing known: git then looks itself.
    pub(super) fn of(leaf: Leaf, stat: &FileStat) -> Self {
        let expected = match leaf.kind {
            EntryKind::File { .. } => FileKind::File,
            EntryKind::Symlink => FileKind::Symlink,
            EntryKind::Submodule => FileKind::Directory,
        };
        if FileKind::of(stat) != expected {
            return Self::default();
        }
        let signed = |value: i64| low(value.cast_unsigned());
        Self {
            changed: [signed(stat.st_ctime), signed(stat.st_ctime_nsec)],
            modified: [signed(stat.st_mtime), signed(stat.st_mtime_nsec)],
            device: low(stat.st_dev),
            inode: low(stat.st_ino),
            owner: [stat.st_uid, stat.st_gid],
            size: signed(stat.st_size),
            absent: false,
        }
    }

    /// What an earlier index told, if it was about the same content.
    pub(super) fn earlier(entry: &IndexEntry, leaf: Leaf) -> Option<Self> {
        let time = |time: IndexTime| [time.seconds().cast_unsigned(), time.nanoseconds()];
        let same = entry.id == leaf.id && entry.mode == mode(leaf.kind);
        same.then(|| Self {
            changed: time(entry.ctime),
            modified: time(entry.mtime),
            device: entry.dev,
            inode: entry.ino,
            owner: [entry.uid, entry.gid],
            size: entry.file_size,
            absent: entry.flags_extended & SKIP_WORKTREE != 0,
        })
    }
}

fn low(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or_default()
}

/// Writes the index; `known` tells of each leaf of the inventory, in its order.
pub(super) fn write(inventory: &Inventory, known: &[Known], path: &Path) -> Result<()> {
    let version: u32 = match known.iter().any(|known| known.absent) {
        true => 3,
        false => 2,
    };
    let mut out = Summed::create(path, 0o644)?;
    out.write(b"DIRC")?;
    out.write(&version.to_be_bytes())?;
    out.write(&count(inventory.leaves.len())?.to_be_bytes())?;
    let mut entry = Vec::new();
    for ((path, leaf), known) in inventory.leaves.iter().zip(known) {
        entry.clear();
        fill(&mut entry, path, *leaf, known);
        out.write(&entry)?;
    }
    trees(&inventory.directories, &mut out)?;
    out.finish().map(drop)
}

fn fill(entry: &mut Vec<u8>, path: &[u8], leaf: Leaf, known: &Known) {
    let times = [known.changed, known.modified].concat();
    let numbers = [known.device, known.inode, mode(leaf.kind)];
    for number in times.iter().chain(&numbers).chain(&known.owner) {
        entry.extend(number.to_be_bytes());
    }
    entry.extend(known.size.to_be_bytes());
    entry.extend(leaf.id.as_bytes());
    let length = u16::try_from(path.len()).unwrap_or(u16::MAX).min(0x0fff);
    let extended = if known.absent { EXTENDED } else { 0 };
    entry.extend((length | extended).to_be_bytes());
    if known.absent {
        entry.extend(SKIP_WORKTREE.to_be_bytes());
    }
    entry.extend(path);
    // At least one NUL, and a multiple of eight bytes.
    entry.resize((entry.len() / 8 + 1) * 8, 0);
}

/// The mode in an index, which knows fewer than old trees have.
fn mode(kind: EntryKind) -> u32 {
    match kind {
        EntryKind::File { executable: false } => 0o100644,
        EntryKind::File { executable: true } => 0o100755,
        EntryKind::Symlink => 0o120000,
        EntryKind::Submodule => 0o160000,
    }
}

/// The ids of the trees. An empty one, which git itself never makes, is none that it expects here.
fn trees(directories: &[Directory], out: &mut Summed) -> Result<()> {
    if directories.iter().any(|directory| directory.leaves == 0) {
        return Ok(());
    }
    let mut bytes = Vec::new();
    for directory in directories {
        bytes.extend(&directory.name);
        let counts = format!("\0{} {}\n", directory.leaves, directory.directories);
        bytes.extend(counts.as_bytes());
        bytes.extend(directory.id.as_bytes());
    }
    out.write(b"TREE")?;
    out.write(&count(bytes.len())?.to_be_bytes())?;
    out.write(&bytes)
}
