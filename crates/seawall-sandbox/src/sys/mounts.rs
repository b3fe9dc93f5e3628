//! The system calls for mounts, by descriptor: copies, attributes, places, and file systems made anew.

use std::ffi::{CStr, c_int};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use nix::libc;

use super::{c_string, check, descriptor};

/// A detached copy of the mounts at `path` (`open_tree(2)`), which stays reachable when the path is covered.
pub(crate) fn clone_mounts(path: &Path) -> io::Result<OwnedFd> {
    clone_tree(libc::AT_FDCWD, &c_string(path.as_os_str())?, 0)
}

/// A detached copy of the mount of one open file.
pub(crate) fn clone_mount_of(file: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    clone_tree(file.as_raw_fd(), c"", libc::AT_EMPTY_PATH)
}

fn clone_tree(at: RawFd, path: &CStr, flags: c_int) -> io::Result<OwnedFd> {
    let recursive = libc::c_uint::try_from(libc::AT_RECURSIVE | flags).map_err(io::Error::other)?;
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | recursive;
    // SAFETY: the path is a valid C string for the length of the call.
    let tree = unsafe { libc::syscall(libc::SYS_open_tree, at, path.as_ptr(), flags) };
    check(tree).and_then(descriptor)
}

/// Nothing can be written through the mount, and no metadata changed.
pub(crate) const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY;
/// Set-user-id bits have no effect.
pub(crate) const NO_SETUID: u64 = libc::MOUNT_ATTR_NOSUID;
/// Device files cannot be opened.
pub(crate) const NO_DEVICES: u64 = libc::MOUNT_ATTR_NODEV;

/// Changes the attributes of the mount at `path`, and of those below it if `all` (`mount_setattr(2)`).
pub(crate) fn set_mounts(path: &Path, set: u64, clear: u64, all: bool) -> io::Result<()> {
    let flags = if all { libc::AT_RECURSIVE } else { 0 };
    set_attributes(
        libc::AT_FDCWD,
        &c_string(path.as_os_str())?,
        flags,
        set,
        clear,
    )
}

/// Sets attributes of a detached copy and of all that is mounted in it.
pub(crate) fn set_copy(tree: BorrowedFd<'_>, set: u64) -> io::Result<()> {
    set_attributes(
        tree.as_raw_fd(),
        c"",
        libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
        set,
        0,
    )
}

fn set_attributes(at: RawFd, path: &CStr, flags: c_int, set: u64, clear: u64) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: set,
        attr_clr: clear,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path is a valid C string and the structure one of the size that is told, both for the length of the call.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            at,
            path.as_ptr(),
            flags,
            std::ptr::from_ref(&attributes),
            std::mem::size_of::<libc::mount_attr>(),
        )
    };
    check(done).map(drop)
}

/// Puts a detached copy of mounts at `target` (`move_mount(2)`).
pub(crate) fn attach_mounts(tree: BorrowedFd<'_>, target: &Path) -> io::Result<()> {
    move_mounts(tree, libc::AT_FDCWD, &c_string(target.as_os_str())?, 0)
}

/// Puts a detached mount onto a directory that is open, on top of what is mounted there.
pub(crate) fn attach_mounts_on(tree: BorrowedFd<'_>, directory: BorrowedFd<'_>) -> io::Result<()> {
    let onto_descriptor = libc::MOVE_MOUNT_T_EMPTY_PATH;
    move_mounts(tree, directory.as_raw_fd(), c"", onto_descriptor)
}

fn move_mounts(
    tree: BorrowedFd<'_>,
    at: RawFd,
    target: &CStr,
    flags: libc::c_uint,
) -> io::Result<()> {
    // SAFETY: both paths are valid C strings for the length of the call.
    let moved = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            at,
            target.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH | flags,
        )
    };
    check(moved).map(drop)
}

/// A file system that is about to be configured (`fsopen(2)`); reading the descriptor gives what the kernel has to say.
pub(crate) fn begin_mount(kind: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: the name is a valid C string for the length of the call.
    let begun = unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), libc::FSOPEN_CLOEXEC) };
    check(begun).and_then(descriptor)
}

/// Sets an option of it, a flag if there is no value; a value has at most 255 bytes (`fsconfig(2)`).
pub(crate) fn configure(mount: BorrowedFd<'_>, key: &CStr, value: Option<&CStr>) -> io::Result<()> {
    let (command, value) = match value {
        Some(value) => (libc::FSCONFIG_SET_STRING, value.as_ptr()),
        None => (libc::FSCONFIG_SET_FLAG, std::ptr::null()),
    };
    // SAFETY: key and value are valid C strings for the length of the call, and a flag has no value.
    let set = unsafe {
        let mount = mount.as_raw_fd();
        libc::syscall(libc::SYS_fsconfig, mount, command, key.as_ptr(), value, 0)
    };
    check(set).map(drop)
}

/// Makes the file system, and a detached mount of it with these attributes (`fsmount(2)`).
pub(crate) fn finish_mount(mount: BorrowedFd<'_>, attributes: u64) -> io::Result<OwnedFd> {
    let none = std::ptr::null::<libc::c_char>();
    // SAFETY: neither call is given a pointer that it would follow.
    unsafe {
        let (mount, create) = (mount.as_raw_fd(), libc::FSCONFIG_CMD_CREATE);
        let made = libc::syscall(libc::SYS_fsconfig, mount, create, none, none, 0);
        check(made)?;
        let flags = libc::FSMOUNT_CLOEXEC;
        let mounted = libc::syscall(libc::SYS_fsmount, mount, flags, attributes);
        check(mounted).and_then(descriptor)
    }
}
