//! The marks of an overlay: whiteouts, opaque directories, and what else it writes beside the files.
//!
//! Overlays are mounted with `userxattr` (see the kernel's `Documentation/filesystems/overlayfs.rst`), so a deletion is a
//! character device 0:0, and a directory that hides all below it has the attribute `user.overlay.opaque`. What a worker
//! sets through the mount under that prefix arrives escaped as `user.overlay.overlay.*`, so every other attribute of the
//! kind in an upper directory was forged, or needs a feature that Seawall never switches on (redirects, metadata-only
//! copies). Reading the marks costs one system call a file that is looked into.

use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::stat::{FileStat, Mode, SFlag, mknodat};
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};

use crate::dirfd::FileKind;

const OPAQUE: &str = "user.overlay.opaque";
const PREFIX: &[u8] = b"user.overlay.";
/// What the kernel writes on files and directories without any feature: where a copy came from, that a directory holds
/// copies, which upper directory this is, flags that the file system below has not got, and what a worker has set.
const HARMLESS: [&[u8]; 6] = [
    b"origin",
    b"impure",
    b"upper",
    b"uuid",
    b"protattr",
    b"nlink",
];
const ESCAPED: &[u8] = b"overlay.";
/// The longest list of attribute names that the kernel hands out, in bytes (`XATTR_LIST_MAX`).
const LONGEST_LIST: usize = 64 * 1024;

/// The marks of one file or directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// nothing of the layers below shows through
    pub(crate) opaque: bool,
    /// there is a mark that the mount which Seawall makes does not write
    pub(crate) forged: bool,
}

/// Whether a status is that of a whiteout.
pub(crate) fn is_whiteout(stat: &FileStat) -> bool {
    FileKind::of(stat) == FileKind::Device
        && stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFCHR.bits()
        && stat.st_rdev == 0
}

/// Makes a whiteout. Needs no privilege since Linux 5.8.
pub(crate) fn make_whiteout(dir: &OwnedFd, name: &[u8]) -> nix::Result<()> {
    mknodat(dir, name, SFlag::S_IFCHR, Mode::empty(), 0)
}

/// Makes a directory hide what the layers below have in it.
pub(crate) fn make_opaque(dir: &OwnedFd) -> nix::Result<()> {
    fsetxattr(dir, OPAQUE, b"y", XattrFlags::empty()).map_err(errno)
}

/// Reads the marks of an open file or directory.
pub(crate) fn marks(file: impl AsFd) -> nix::Result<Marks> {
    let mut short = [0; 1024];
    match flistxattr(&file, &mut short[..]) {
        Ok(length) => read(&file, &short[..length]),
        Err(rustix::io::Errno::RANGE) => {
            let mut long = vec![0; LONGEST_LIST];
            let length = flistxattr(&file, &mut long[..]).map_err(errno)?;
            read(&file, &long[..length])
        }
        // A file system without attributes has no marks.
        Err(rustix::io::Errno::OPNOTSUPP) => Ok(Marks::default()),
        Err(other) => Err(errno(other)),
    }
}

fn read(file: impl AsFd, list: &[u8]) -> nix::Result<Marks> {
    let mut marks = Marks::default();
    let names = list.split(|byte| *byte == 0);
    for mark in names.filter_map(|name| name.strip_prefix(PREFIX)) {
        match mark {
            b"opaque" => {
                let mut value = [0; 2];
                let length = fgetxattr(&file, OPAQUE, &mut value[..]).map_err(errno)?;
                match &value[..length] {
                    b"y" => marks.opaque = true,
                    _ => marks.forged = true,
                }
            }
            mark if HARMLESS.contains(&mark) || mark.starts_with(ESCAPED) => {}
            _ => marks.forged = true,
        }
    }
    Ok(marks)
}

fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_raw(error.raw_os_error())
}
