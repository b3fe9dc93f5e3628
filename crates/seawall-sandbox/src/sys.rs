//! The system calls that no library wraps safely: the only `unsafe` of the product is here.
//!
//! Every function takes and gives owned or borrowed descriptors and returns `io::Result`, so that the rest of the crate is
//! ordinary Rust.

use std::ffi::{CStr, CString, OsStr, c_int};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::libc;
use nix::unistd::Pid;

use self::stack::Stack;

mod mathematics;
mod mounts;
mod stack;

pub(crate) use self::mounts::*;

/// Takes over a descriptor that the kernel has just handed to this process.
pub(crate) fn adopt(descriptor: RawFd) -> OwnedFd {
    // SAFETY: called only with descriptors that a system call returned to this process and that nothing else owns yet.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Forks, with new namespaces if `flags` say so; `None` in the child. For single-threaded processes only.
pub(crate) fn fork_into(flags: c_int) -> io::Result<Option<Pid>> {
    // SAFETY: without a stack and without CLONE_VM this is fork(2); callers are the launcher and the keeper, which have one
    // thread each, so no lock can be held by a thread that the child lacks.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone,
            libc::c_long::from(flags | libc::SIGCHLD),
            0,
            0,
            0,
            0,
        )
    };
    match check(pid)? {
        0 => Ok(None),
        pid => Ok(Some(Pid::from_raw(
            i32::try_from(pid).map_err(io::Error::other)?,
        ))),
    }
}

/// Starts a child that shares this process's memory until it becomes another program or ends, and sleeps until then.
///
/// Nothing is copied, so it costs a fraction of a fork. What the child changes in memory stays changed; descriptors, signals,
/// credentials and everything else that the kernel keeps are its own. For single-threaded processes only.
pub(crate) fn start_sharing(mut child: impl FnMut() -> c_int) -> io::Result<Pid> {
    extern "C" fn enter<F: FnMut() -> c_int>(child: *mut libc::c_void) -> c_int {
        // SAFETY: it is the closure below, and the parent, which owns it, sleeps for as long as this runs.
        unsafe { (*child.cast::<F>())() }
    }
    fn entry<F: FnMut() -> c_int>(_: &F) -> extern "C" fn(*mut libc::c_void) -> c_int {
        enter::<F>
    }
    let entry = entry(&child);
    let stack = Stack::new()?;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the child runs on a stack of its own, in the memory of a process whose one thread sleeps until the child has
    // left that memory, and it never returns from the closure.
    let pid = unsafe { libc::clone(entry, stack.top(), flags, (&raw mut child).cast()) };
    check(pid.into())?;
    Ok(Pid::from_raw(pid))
}

/// What a child that shares this process's memory runs, and the stack that it runs on; both must be there until it has ended.
pub(crate) struct Beside<'a> {
    child: Box<Body<'a>>,
    stack: Stack,
}

type Body<'a> = Box<dyn FnMut() -> c_int + 'a>;

/// Starts a child, in new namespaces if `flags` say so, that shares this process's memory while both go on.
///
/// A fork would copy the tables of that memory and then each page that either writes, which is a tenth of a launch. The price:
/// until the child has left the memory only one of the two may allocate, free or touch what the other may touch; this process
/// waits for its end. Descriptors (but for `CLONE_FILES`), signals, credentials and everything else that the kernel keeps are the
/// child's own. For single-threaded processes only.
pub(crate) fn start_beside<'a>(flags: c_int, child: Body<'a>) -> io::Result<(Pid, Beside<'a>)> {
    extern "C" fn enter(child: *mut libc::c_void) -> c_int {
        // SAFETY: it is the body below, which stays where it is until the child has ended, and which only the child runs.
        unsafe { (*child.cast::<Body<'_>>())() }
    }
    let mut beside = Beside {
        child: Box::new(child),
        stack: Stack::new()?,
    };
    let (flags, top) = (flags | libc::CLONE_VM | libc::SIGCHLD, beside.stack.top());
    // SAFETY: the child runs on a stack of its own and never returns from the body; the caller keeps both, and either it or the
    // body is quiet.
    let pid = unsafe { libc::clone(enter, top, flags, (&raw mut *beside.child).cast()) };
    check(pid.into())?;
    Ok((Pid::from_raw(pid), beside))
}

/// The newest Landlock ABI of the running kernel, or why there is none (`landlock(7)`).
pub(crate) fn landlock_abi() -> io::Result<u32> {
    const VERSION: libc::c_ulong = 1;
    // SAFETY: a null attribute of size zero with this flag only asks for the version.
    let abi = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0_usize,
            VERSION,
        )
    };
    Ok(u32::try_from(check(abi)?).unwrap_or(0))
}

/// The memory of the host in bytes (`sysinfo(2)`), which costs a fraction of the text of `/proc/meminfo`.
pub(crate) fn host_memory() -> io::Result<u64> {
    let mut found = std::mem::MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: the call fills in the structure, whose zeroes are a valid value already.
    let found = unsafe {
        check(libc::sysinfo(found.as_mut_ptr()).into())?;
        found.assume_init()
    };
    Ok(found.totalram.saturating_mul(found.mem_unit.into()))
}

/// Adds a rule about a file or all below a directory to a Landlock ruleset (`landlock_add_rule(2)`); a right that only a
/// directory can have is `EINVAL` for a file.
pub(crate) fn add_path_rule(
    ruleset: BorrowedFd<'_>,
    access: u64,
    file: BorrowedFd<'_>,
) -> io::Result<()> {
    const PATH_BENEATH: c_int = 1;
    /// `struct landlock_path_beneath_attr`
    #[repr(C, packed)]
    struct Rule {
        allowed_access: u64,
        parent_fd: i32,
    }
    let rule = Rule {
        allowed_access: access,
        parent_fd: file.as_raw_fd(),
    };
    // SAFETY: the kernel reads a structure of this layout, which outlives the call.
    let added = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_raw_fd(),
            PATH_BENEATH,
            std::ptr::from_ref(&rule),
            0,
        )
    };
    check(added).map(drop)
}

/// Whether the running kernel has a given `seccomp(2)` action.
pub(crate) fn seccomp_knows(action: u32) -> bool {
    const GET_ACTION_AVAIL: libc::c_ulong = 2;
    // SAFETY: the operation reads one integer.
    let known = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            GET_ACTION_AVAIL,
            0_usize,
            std::ptr::from_ref(&action),
        )
    };
    known == 0
}

/// Puts a system call filter in force for this process and all that it will start (`seccomp(2)`).
pub(crate) fn load_filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(io::Error::other)?,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies `len` instructions from an array that outlives the call, and writes none.
    let loaded = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0_usize,
            std::ptr::from_ref(&program),
        )
    };
    check(loaded).map(drop)
}

/// Closes every descriptor from `first` on, or marks them to be closed on exec (`close_range(2)`).
pub(crate) fn close_from(first: c_int, on_exec_only: bool) -> io::Result<()> {
    let flags = if on_exec_only {
        libc::CLOSE_RANGE_CLOEXEC
    } else {
        0
    };
    let first = libc::c_uint::try_from(first).map_err(io::Error::other)?;
    // SAFETY: callers own no descriptor from `first` on that they use afterwards (or only mark them).
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flags) };
    check(closed).map(drop)
}

/// Calls that the filter refuses, for the probe; each does nothing but fail when it is reached with these arguments.
pub(crate) const FORBIDDEN: &[(&str, libc::c_long)] = &[
    ("use io_uring", libc::SYS_io_uring_setup),
    ("use the kernel's keys", libc::SYS_keyctl),
    ("load a program into the kernel", libc::SYS_bpf),
    ("trace a process", libc::SYS_ptrace),
    ("read the memory of a process", libc::SYS_process_vm_readv),
    ("open a file by its handle", libc::SYS_open_by_handle_at),
    ("handle page faults", libc::SYS_userfaultfd),
    ("watch performance", libc::SYS_perf_event_open),
];

/// Whether a forbidden call is reached: an error because it is forbidden if not, success if it is.
pub(crate) fn reaches(number: libc::c_long) -> io::Result<()> {
    const NONSENSE: libc::c_long = -1;
    // SAFETY: every argument is invalid for each call of the list, whether the kernel takes it for a pointer, a descriptor, a
    // command or flags, so it fails before it does anything.
    let done = unsafe { libc::syscall(number, NONSENSE, NONSENSE, NONSENSE, NONSENSE, NONSENSE) };
    match check(done) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => Err(error),
        _ => Ok(()),
    }
}

/// Takes every capability out of the bounding set, forbids root's special rules, empties the ambient set.
pub(crate) fn lower_capability_ceiling() -> io::Result<()> {
    // SAFETY: prctl(2) with integer arguments.
    unsafe {
        check(
            libc::prctl(
                libc::PR_CAP_AMBIENT,
                libc::PR_CAP_AMBIENT_CLEAR_ALL,
                0,
                0,
                0,
            )
            .into(),
        )?;
        for capability in 0..64 {
            if libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) == -1 {
                match io::Error::last_os_error() {
                    beyond_last if beyond_last.raw_os_error() == Some(libc::EINVAL) => break,
                    error => return Err(error),
                }
            }
        }
        let locked = libc::SECBIT_NOROOT
            | libc::SECBIT_NOROOT_LOCKED
            | libc::SECBIT_NO_SETUID_FIXUP
            | libc::SECBIT_NO_SETUID_FIXUP_LOCKED
            | libc::SECBIT_KEEP_CAPS_LOCKED
            | libc::SECBIT_NO_CAP_AMBIENT_RAISE
            | libc::SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
        check(libc::prctl(libc::PR_SET_SECUREBITS, locked, 0, 0, 0).into()).map(drop)
    }
}

/// Gives up every capability that this process has (`capset(2)`); needs no privilege.
pub(crate) fn give_up_capabilities() -> io::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let header: [u32; 2] = [VERSION_3, 0];
    let none: [u32; 6] = [0; 6];
    // SAFETY: the layouts are those of `struct __user_cap_header_struct` and of two `struct __user_cap_data_struct`.
    let set = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    check(set).map(drop)
}

/// Brings the loopback interface of this network namespace up (`netdevice(7)`).
pub(crate) fn loopback_up() -> io::Result<()> {
    // SAFETY: socket(2) with integer arguments; the structure is zeroed plain data that outlives both calls.
    unsafe {
        let socket = descriptor(check(
            libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0).into(),
        )?)?;
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(c"lo".to_bytes()) {
            *to = libc::c_char::from_ne_bytes([*from]);
        }
        check(libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request).into())?;
        request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short;
        check(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request).into())
            .map(drop)
    }
}

/// Lowers one resource limit to `most`, or to the hard limit if that is lower already.
pub(crate) fn limit(resource: nix::sys::resource::Resource, most: u64) -> io::Result<()> {
    let (_, hard) = nix::sys::resource::getrlimit(resource)?;
    let most = most.min(hard);
    nix::sys::resource::setrlimit(resource, most, most).map_err(Into::into)
}

/// Puts every signal back to its default action.
pub(crate) fn default_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: SIG_DFL installs no code; the signals that cannot be changed give an error without effect.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Whether a signal has its default action here: neither caught nor ignored.
pub(crate) fn is_default(signal: nix::sys::signal::Signal) -> io::Result<bool> {
    let mut found = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with no new action the call only fills in the structure, whose zeroes are a valid value already.
    let found = unsafe {
        check(libc::sigaction(signal as c_int, std::ptr::null(), found.as_mut_ptr()).into())?;
        found.assume_init()
    };
    Ok(found.sa_sigaction == libc::SIG_DFL)
}

/// Makes `to` another name of `from`, without the close-on-exec mark.
pub(crate) fn place(from: BorrowedFd<'_>, to: c_int) -> io::Result<()> {
    // SAFETY: dup2(2) onto a standard stream, which no Rust object owns in the worker that is about to exec.
    check(unsafe { libc::dup2(from.as_raw_fd(), to) }.into()).map(drop)
}

/// Whether a file has an extended attribute that says yes, which is a single `1`.
pub(crate) fn is_set(path: &Path, name: &CStr) -> bool {
    let Ok(path) = c_string(path.as_os_str()) else {
        return false;
    };
    let mut value = [0u8; 1];
    // SAFETY: both strings end in null, and the kernel writes no more than the length of the buffer that it is told.
    let length = unsafe {
        libc::getxattr(
            path.as_ptr(),
            name.as_ptr(),
            value.as_mut_ptr().cast(),
            value.len(),
        )
    };
    length == 1 && value == *b"1"
}

/// Becomes another program; returns only to say why not.
pub(crate) fn execute(program: &CStr, argv: &[CString], env: &[CString]) -> io::Error {
    let argv = pointers(argv);
    let env = pointers(env);
    // SAFETY: both arrays end in null and point at C strings that outlive the call.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    io::Error::last_os_error()
}

/// Ends this process at once, without running anything that was registered to run at its end.
pub(crate) fn leave(status: c_int) -> ! {
    // SAFETY: _exit(2) does not return and touches no memory.
    unsafe { libc::_exit(status) }
}

/// A string for the kernel.
pub(crate) fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(Into::into)
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([std::ptr::null()])
        .collect()
}

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

fn descriptor(number: libc::c_long) -> io::Result<OwnedFd> {
    Ok(adopt(RawFd::try_from(number).map_err(io::Error::other)?))
}
