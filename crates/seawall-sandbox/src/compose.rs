//! One overlay, put together: the options that the kernel is given, and the directories that take the writes.
//!
//! Every directory is opened first, without following a symbolic link, and what was opened and looked at is what the kernel
//! gets: the options name descriptors (`/proc/self/fd/7`), so that names are any bytes, need no escaping, fit in the 255
//! bytes of an option, and do not appear in the worker's `/proc/self/mountinfo`. An overlay in memory has a small file system
//! of its own; it is mounted below the overlay, out of sight.
//!
//! Making one takes the kernel a few files in the `work` directory, which is most of the price.

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag, open, openat};
use nix::sys::stat::{Mode, fstat, mkdirat};
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::{UnlinkatFlags, chdir, unlinkat};

use crate::launch::Top;
use crate::sys::{self, NO_DEVICES, NO_SETUID};
use crate::view::{self, Step, step};

/// A directory that will not be followed anywhere and is only a place.
pub(crate) const PLACE: OFlag = OFlag::O_PATH
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// The two directories that take the writes.
struct Writable {
    upper: OwnedFd,
    work: OwnedFd,
}

/// A detached overlay. `spare` is a directory that may be covered.
pub(crate) fn compose(layers: &[OwnedFd], top: &Top, spare: BorrowedFd<'_>) -> Step<OwnedFd> {
    let writable = match top {
        Top::Kept(directory) => keep(&directory.clone().into_path())?,
        Top::Memory(most) => step(
            "make the memory for what is written",
            remember(*most, layers, spare),
        )?,
    };
    step(
        "see whether what is written lies in a layer",
        apart(layers, &writable),
    )?;
    step("mount an overlay", attempt(layers, &writable))
}

/// Opens a directory that keeps what is written, and has it for itself until this process and its children end.
fn keep(directory: &Path) -> Step<Writable> {
    let what = |what: &str| format!("{what} `{}`", directory.display());
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let opened = open(directory, flags, Mode::empty()).map_err(io::Error::from);
    let opened = step(what("open the upper"), opened)?;
    let below = |name: &str| {
        let found = openat(&opened, name, PLACE, Mode::empty());
        step(
            what(&format!("open `{name}` of the upper")),
            found.map_err(io::Error::from),
        )
    };
    let writable = Writable {
        upper: below("upper")?,
        work: below("work")?,
    };
    let locked = Flock::lock(opened, FlockArg::LockExclusiveNonblock);
    let locked = locked.map_err(|(_, error)| match error {
        Errno::EWOULDBLOCK => io::Error::other("another command uses it"),
        error => error.into(),
    });
    // The lock is to last as long as the mount, which is as long as this process.
    std::mem::forget(step(what("have for itself the upper"), locked)?);
    Ok(writable)
}

/// A file system in memory; it looks at its root like the topmost layer.
fn remember(most: u64, layers: &[OwnedFd], spare: BorrowedFd<'_>) -> io::Result<Writable> {
    let mount = sys::begin_mount(c"tmpfs")?;
    let (size, files) = (number(most), number(view::most_files(most)));
    for (key, value) in [
        (c"size", &*size),
        (c"nr_inodes", &*files),
        (c"mode", c"0700"),
    ] {
        sys::configure(mount.as_fd(), key, Some(value))?;
    }
    let memory = sys::finish_mount(mount.as_fd(), NO_SETUID | NO_DEVICES)?;
    // Until Linux 6.14 an overlay takes only what is mounted somewhere.
    sys::attach_mounts_on(memory.as_fd(), spare)?;
    let [upper, work] = ["upper", "work"].map(|name| -> io::Result<OwnedFd> {
        mkdirat(&memory, name, Mode::S_IRWXU)?;
        Ok(openat(&memory, name, PLACE, Mode::empty())?)
    });
    let upper = upper?;
    if let Some(layer) = layers.first() {
        let mode = fs::Permissions::from_mode(fstat(layer)?.st_mode & 0o777);
        fs::set_permissions(by_number(&upper), mode)?;
    }
    Ok(Writable { upper, work: work? })
}

fn number(number: u64) -> CString {
    CString::new(number.to_string()).expect("digits have no zero byte")
}

/// The kernel refuses most overlaps, with a message about loops; the plainest one gets a message of its own.
fn apart(layers: &[OwnedFd], writable: &Writable) -> io::Result<()> {
    let place = |directory: &OwnedFd| -> io::Result<(u64, u64)> {
        let found = fs::metadata(by_number(directory))?;
        Ok((found.dev(), found.ino()))
    };
    let written = [place(&writable.upper)?, place(&writable.work)?];
    for layer in layers {
        if written.contains(&place(layer)?) {
            return Err(io::Error::other("it is one of the layers"));
        }
    }
    Ok(())
}

/// How a kernel wants to hear about the layers.
#[derive(Clone, Copy)]
enum Dialect {
    /// One by one, since Linux 6.5.
    Each,
    /// All in one option, which holds about sixty.
    Joined,
}

/// Some file systems refuse `volatile`, which only saves time; an older kernel has another way to name layers.
fn attempt(layers: &[OwnedFd], writable: &Writable) -> io::Result<OwnedFd> {
    let mut first = None;
    for volatile in [true, false] {
        for dialect in [Dialect::Each, Dialect::Joined] {
            match overlay(layers, writable, dialect, volatile) {
                Ok(tree) => return Ok(tree),
                Err(error) => first = first.or(Some(error)),
            }
        }
    }
    Err(first.unwrap_or_else(|| io::ErrorKind::Unsupported.into()))
}

fn overlay(
    layers: &[OwnedFd],
    writable: &Writable,
    dialect: Dialect,
    volatile: bool,
) -> io::Result<OwnedFd> {
    forget_volatile(&writable.work)?;
    let mount = sys::begin_mount(c"overlay")?;
    let made = set_options(mount.as_fd(), volatile)
        .and_then(|()| set_places(mount.as_fd(), layers, writable, dialect))
        .and_then(|()| sys::finish_mount(mount.as_fd(), NO_SETUID | NO_DEVICES));
    // From wherever the short names are short.
    chdir("/")?;
    let tree = made.map_err(|error| explained(error, mount))?;
    match fstatvfs(&tree)?.flags().contains(FsFlags::ST_RDONLY) {
        // Of which the kernel only warns, in its log.
        true => Err(io::Error::other(
            "the kernel cannot use its `work` directory and would mount it read-only, as on a full disk",
        )),
        false => Ok(tree),
    }
}

fn set_options(mount: BorrowedFd<'_>, volatile: bool) -> io::Result<()> {
    let source = (c"source", c"seawall");
    // What a module parameter may have switched on by default.
    let off = [
        (c"index", c"off"),
        (c"nfs_export", c"off"),
        (c"metacopy", c"off"),
        (c"redirect_dir", c"nofollow"),
    ];
    sys::configure(mount, c"userxattr", None)?;
    for (key, value) in off.into_iter().chain([source]) {
        sys::configure(mount, key, Some(value))?;
    }
    match volatile {
        true => sys::configure(mount, c"volatile", None),
        false => Ok(()),
    }
}

fn set_places(
    mount: BorrowedFd<'_>,
    layers: &[OwnedFd],
    writable: &Writable,
    dialect: Dialect,
) -> io::Result<()> {
    let set = |key: &CStr, value: &CStr| sys::configure(mount, key, Some(value));
    set(c"upperdir", &name(&writable.upper))?;
    set(c"workdir", &name(&writable.work))?;
    match dialect {
        Dialect::Each => layers
            .iter()
            .try_for_each(|layer| set(c"lowerdir+", &name(layer))),
        Dialect::Joined => {
            chdir("/proc/self/fd")?;
            set(c"lowerdir", &joined(layers))
        }
    }
}

/// Removes the mark of a volatile mount that has ended, which the kernel takes for the mark of a crash.
fn forget_volatile(work: &OwnedFd) -> io::Result<()> {
    const MARK: [(&str, UnlinkatFlags); 3] = [
        ("work/incompat/volatile/dirty", UnlinkatFlags::NoRemoveDir),
        ("work/incompat/volatile", UnlinkatFlags::RemoveDir),
        ("work/incompat", UnlinkatFlags::RemoveDir),
    ];
    for (part, flag) in MARK {
        let removed = match unlinkat(work, part, flag) {
            // Capabilities do not help where the group of a directory is not known to the user namespace.
            Err(Errno::EACCES) => {
                open_up(&by_number(work))?;
                unlinkat(work, part, flag)
            }
            removed => removed,
        };
        match removed {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Lets the owner into what the kernel leaves behind in a `work` directory, all of mode 000.
pub(crate) fn open_up(work: &Path) -> io::Result<()> {
    for part in ["work", "work/incompat", "work/incompat/volatile"] {
        match fs::set_permissions(work.join(part), fs::Permissions::from_mode(0o700)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            done => done?,
        }
    }
    Ok(())
}

fn by_number(descriptor: &OwnedFd) -> PathBuf {
    Path::new("/proc/self/fd").join(descriptor.as_raw_fd().to_string())
}

fn name(descriptor: &OwnedFd) -> CString {
    let path = by_number(descriptor).into_os_string().into_encoded_bytes();
    CString::new(path).expect("digits have no zero byte")
}

fn joined(layers: &[OwnedFd]) -> CString {
    let numbers: Vec<_> = layers
        .iter()
        .map(|layer| layer.as_raw_fd().to_string())
        .collect();
    CString::new(numbers.join(":")).expect("digits have no zero byte")
}

/// The error with what the kernel has to say about it (`fsopen(2)`: each read gives one message).
fn explained(error: io::Error, mount: OwnedFd) -> io::Error {
    let (mut log, mut line, mut said) = (File::from(mount), [0; 1024], Vec::new());
    while let Ok(length @ 1..) = log.read(&mut line) {
        let text = String::from_utf8_lossy(&line[..length]);
        said.push(with_paths(text.trim_start_matches("e ").trim_end()));
    }
    if said.is_empty() {
        return error;
    }
    io::Error::other(format!("{error} ({})", said.join("; ")))
}

/// The words of the kernel with the paths of the descriptors that it was given.
fn with_paths(text: &str) -> String {
    let mut parts = text.split("/proc/self/fd/");
    let mut named = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit());
        let (number, rest) = part.split_at(end.unwrap_or(part.len()));
        let found = fs::read_link(Path::new("/proc/self/fd").join(number));
        let path = found.map_or_else(
            |_| format!("descriptor {number}"),
            |path| format!("`{}`", path.display()),
        );
        named.push_str(&path);
        named.push_str(rest);
    }
    named
}
