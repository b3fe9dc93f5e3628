//! What the caller asks for: one command, where it runs, what it may touch and for how long.
//!
//! An [`Order`] is plain data. Everything in it that comes from a plan or a repository is checked before the worker
//! starts, part of it by [`crate::spawn`] and the rest by the launcher, which alone sees the final mounts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::proxy::{Policy, ProxyLimits};

/// Stands for the private home in [`Order::argv`] and in the values of [`Order::env`].
///
/// Where the home appears depends on what the kernel offers (see [`Order::home`]), so a path below it is written with this
/// mark, for example `format!("{HOME_MARK}/prompt.md")`, and the launcher fills in the path that the worker sees.
pub const HOME_MARK: &str = "\u{1a}home\u{1a}";

/// Stands for the private temporary directory, as [`HOME_MARK`] does for the home.
pub const TMP_MARK: &str = "\u{1a}tmp\u{1a}";

/// Stands for the workspace as the worker sees it, as [`HOME_MARK`] does for the home.
pub const WORKSPACE_MARK: &str = "\u{1a}workspace\u{1a}";

/// One command to run confined, and the bounds of it.
#[derive(Debug, Clone)]
pub struct Order {
    /// The program and its arguments; a program without a slash is looked up on the worker's own `PATH`.
    pub argv: Vec<OsString>,
    /// Variables added to the allow-listed ones; they win over those.
    pub env: Vec<(OsString, OsString)>,
    /// The directory that the worker works on, absolute on the host.
    pub workspace: PathBuf,
    /// Where the workspace is to be seen instead, hiding what is there; needs a mount namespace, else it is not done.
    pub appears_at: Option<PathBuf>,
    /// Where the command starts, relative to the workspace; the workspace itself when `None`.
    pub cwd: Option<PathBuf>,
    /// What may be written besides the home and the temporary directory.
    pub write: Write,
    /// Further files and directories that may be read; each must exist.
    pub read: Vec<PathBuf>,
    /// A private directory that becomes `HOME` (at `/run/seawall/home` when there is a mount namespace).
    ///
    /// With an empty path it is made for the command and gone with it, as is what the command writes there: in the view, so
    /// that nothing is made on the host, or, where there is no mount namespace, in `/dev/shm` or the caller's temporary
    /// directory. It needs a limit on disk, unless namespaces are off, and cannot be kept ([`Opens::kept_home`]).
    pub home: PathBuf,
    /// A private directory that becomes `TMPDIR` (at `/run/seawall/tmp` when there is a mount namespace); made for the command
    /// as the home is, and together with it, when the path is empty.
    pub tmp: PathBuf,
    /// What the command reads from.
    pub stdin: Stdin,
    /// Where its standard output and standard error go.
    pub output: Output,
    /// How long and how much.
    pub limits: Limits,
    /// A lock file that stays locked (`flock`, exclusive) for as long as any process of the tree may live.
    pub alive: Option<PathBuf>,
    /// Whether to use namespaces when they can be had; off means Landlock alone, with the gaps that the ledger states.
    pub namespaces: bool,
    /// What is open beyond the usual.
    pub opens: Opens,
    /// Protections, by their names in the [`crate::Ledger`], without which the command does not start.
    pub floor: Vec<String>,
    /// The run that this belongs to: all commands of a run have one ceiling on memory and processes together.
    pub run: Option<String>,
    /// What of the network may be reached.
    pub network: Network,
    /// What the workspace is made of, when it is not simply a directory: mounted at `workspace`, which is an empty directory
    /// then, in the mount namespace of the worker only. Needs a mount namespace: the command does not start without.
    pub overlay: Option<Overlay>,
    /// Directories of the host that appear in the workspace copy-on-write. Needs a mount namespace as well.
    pub carry: Vec<Carry>,
}

/// A workspace of layers that are never written, and of one directory that takes what is written
/// (<https://docs.kernel.org/filesystems/overlayfs.html>).
///
/// It costs one mount, whatever the size of the layers. The mount has `userxattr`, so that the marks of deleted and replaced
/// directories are what an ordinary user can read (`user.overlay.opaque`); deleted files are character devices 0:0. It is
/// `volatile`: nothing is synced, neither for each file that is copied up nor at the end. Renaming a directory of a layer is
/// refused with `EXDEV`, and programs copy it then, as between two file systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// Directories, at least one and at most [`MOST_LAYERS`], the topmost first; absolute, no symbolic links. They must not
    /// change while a command runs. Owned files in them must have one name (no hard links), and be of a user that the
    /// worker's user namespace knows, which is its own, if they are to be written.
    pub layers: Vec<PathBuf>,
    /// Where what is written goes. The workspace has the mode of its root.
    pub upper: Upper,
}

/// A directory of the user's checkout, such as `node_modules`, that a worker may change as it likes without changing it.
///
/// It is writable for the worker whatever [`Order::write`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carry {
    /// Where it appears, relative to the workspace, which has a directory there; plain names only.
    pub at: PathBuf,
    /// The directory, absolute and without a symbolic link in its path; it is never written.
    pub from: PathBuf,
    /// Where what is written goes.
    pub upper: Upper,
}

/// What takes the writes of an overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upper {
    /// A directory that holds the directories `upper` and `work`, on a file system with extended attributes that is no
    /// overlay itself, and keeps what is written. One command at a time: a second one does not start.
    ///
    /// There is no limit on its size but that of each file ([`Limits::file_size`]). The kernel leaves directories of mode 000
    /// in `work` behind (`work/work/incompat/volatile`), each of which an ordinary user must give another mode, from the
    /// outermost on, before it can be removed. Nothing is synced: after a crash of the machine (not of a program) the content
    /// is not to be trusted, and the directory is to be thrown away; nothing here notices that.
    Kept(PathBuf),
    /// Memory, at most this many bytes and a bounded number of files (one for each 4 KiB, at least 16,384); it is gone with
    /// the command, and is counted against [`Limits::memory`] where that is a control group. Needs Linux 6.6.
    Memory(u64),
}

/// The most directories in one [`Overlay`] (`OVL_MAX_STACK` of the kernel; about sixty before Linux 6.5).
pub const MOST_LAYERS: usize = 500;

/// What of the network a command may reach; nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// The named hosts and the mapped ports. When there are any, the command runs only where a net namespace can be had.
    pub policy: Policy,
    /// How much may go over them.
    pub limits: ProxyLimits,
    /// A file on the host to which a line of JSON is added for each decision; not followed if it is a symbolic link.
    pub log: Option<PathBuf>,
}

/// What a launch opens beyond the usual; nothing by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opens {
    /// Mode, owner, times and attributes of files may be changed also where only the system call filter could forbid it, which
    /// is without a mount namespace; tools that build programs need it, and then every file of the same user is open to it.
    pub metadata: bool,
    /// Pseudo-terminals can be made.
    pub terminals: bool,
    /// The home is the very directory of the order, without a limit, so that what the command leaves there can be read
    /// afterwards; else it is a copy in memory when there is a limit on disk.
    pub kept_home: bool,
    /// The command may make namespaces and mounts, for a tool that brings its own sandbox: no Landlock rules on files, because
    /// those forbid every mount. Needs namespaces.
    pub nesting: bool,
}

/// What a confined command may write besides its home and temporary directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Nothing more.
    Nothing,
    /// Exactly these existing regular files, and everything below these existing directories, relative to the workspace.
    Files(Vec<PathBuf>),
    /// Everything below the workspace.
    Workspace,
    /// These existing files and everything below these existing directories; absolute paths.
    Paths(Vec<PathBuf>),
}

/// What a confined command reads from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`.
    Null,
    /// A file on the host, opened before the command is confined; not followed if it is a symbolic link.
    File(PathBuf),
    /// The caller's own standard input.
    Inherit,
}

/// Where the output of a confined command goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The caller's own standard output and error; nothing is counted, and silence is not noticed.
    Inherit,
    /// A file on the host that is created or emptied, and takes both streams.
    File {
        /// The file; not followed if it is a symbolic link.
        path: PathBuf,
        /// How many bytes of output are kept; the rest is counted and thrown away.
        cap: u64,
    },
}

/// How long a command may run and how much it may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Longest run.
    pub wall: Option<Duration>,
    /// Longest time without a byte of output; needs [`Output::File`].
    pub silence: Option<Duration>,
    /// From `SIGTERM` to `SIGKILL` when the command is ended.
    pub grace: Duration,
    /// Open files per process (`RLIMIT_NOFILE`).
    pub open_files: Option<u64>,
    /// Bytes in any one file that is written (`RLIMIT_FSIZE`).
    pub file_size: Option<u64>,
    /// Processes and threads in the tree: by a control group, else `RLIMIT_NPROC`, which the kernel counts per user and user
    /// namespace and never for root.
    pub processes: Option<u64>,
    /// Bytes of memory of the tree: by a control group, else `RLIMIT_DATA`, which holds for each process by itself.
    pub memory: Option<u64>,
    /// Bytes in the private areas (home, temporary directory, `/tmp`, `/dev/shm`) together; they are in memory then. Needs a
    /// mount namespace.
    pub disk: Option<u64>,
    /// Share of the processors when they are short, from 1 to 10000, against 100 of a group that says nothing: by a control
    /// group, else there is no such share.
    #[serde(default)]
    pub cpu_weight: Option<u64>,
}

/// What [`Limits::cpu_weight`] can be (`cpu.weight` in the kernel's cgroup-v2.rst).
pub(crate) const WEIGHTS: std::ops::RangeInclusive<u64> = 1..=10_000;

impl Default for Limits {
    /// No limit on time, the usual ones on the rest.
    fn default() -> Self {
        Self {
            wall: None,
            silence: None,
            grace: Duration::from_secs(3),
            open_files: Some(4096),
            file_size: None,
            processes: None,
            memory: None,
            disk: None,
            cpu_weight: None,
        }
    }
}
