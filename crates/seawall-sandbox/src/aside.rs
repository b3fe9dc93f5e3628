//! The network namespace of a launch, made while the keeper builds the view.
//!
//! The kernel takes a third of a millisecond to make one, half as long as for all the mounts, and neither needs the other. So a
//! child of the keeper makes it, on another processor where one is free, and the keeper enters it before the worker is there.
//! The price is a process, a fiftieth of a launch, on a host that has none free.
//!
//! The child lives in the keeper's memory and shares its descriptors, and calls the kernel and nothing else: it must not
//! allocate, because the keeper does. The word in which the C library keeps the last error is touched only by a call that fails;
//! where one of the child's does, this set of namespaces is given up whatever the keeper made of that word.

use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::fcntl::{OFlag, openat};
use nix::libc;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::stat::Mode;
use nix::unistd::Pid;

use crate::{sys, tree};

/// A network namespace in the making.
pub(crate) struct Aside {
    maker: Pid,
    over: bool,
    /// The descriptor of what was made; an error number below 0; 0 until then.
    made: Arc<AtomicI32>,
    _body: sys::Beside<'static>,
}

impl Aside {
    /// Begins to make one, with its loopback interface up. `proc` is a `/proc` in which the child finds itself.
    pub(crate) fn begin(proc: &OwnedFd) -> io::Result<Self> {
        let made = Arc::new(AtomicI32::new(0));
        let (told, proc) = (Arc::clone(&made), proc.try_clone()?);
        let body = Box::new(move || {
            let number = make(&proc).map_or_else(|error| -error, IntoRawFd::into_raw_fd);
            told.store(number, Ordering::Release);
            sys::leave(0)
        });
        let (maker, body) = sys::start_beside(libc::CLONE_FILES, body)?;
        Ok(Self {
            maker,
            over: false,
            made,
            _body: body,
        })
    }

    /// Waits until it is made, and enters it.
    pub(crate) fn enter(mut self) -> Result<(), String> {
        let fail = |error: io::Error| format!("cannot make a network namespace: {error}");
        self.wait().map_err(fail)?;
        match self.made.load(Ordering::Acquire) {
            0 => Err("the process that makes the network namespace died".to_owned()),
            error if error < 0 => Err(fail(io::Error::from_raw_os_error(-error))),
            made => {
                let made = sys::adopt(made);
                let entered = setns(made.as_fd(), CloneFlags::CLONE_NEWNET);
                entered.map_err(|error| format!("cannot enter the network namespace: {error}"))
            }
        }
    }

    fn wait(&mut self) -> io::Result<()> {
        if !self.over {
            tree::wait_for(self.maker)?;
            self.over = true;
        }
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Its stack goes with this; what cannot be waited for is not there any more.
        drop(self.wait());
    }
}

/// What the child does; the error is its number, for putting it into words would allocate.
fn make(proc: &OwnedFd) -> Result<OwnedFd, i32> {
    let number = |error: io::Error| error.raw_os_error().unwrap_or(libc::EIO);
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| error as i32)?;
    sys::loopback_up().map_err(number)?;
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    openat(proc, "self/ns/net", flags, Mode::empty()).map_err(|error| error as i32)
}
