//! What of a launch is made while the keeper builds the view: the network namespace, and the control groups.
//!
//! The kernel takes a third of a millisecond for the one and a quarter for the others, as long as for all the mounts, and none needs
//! another. So a child of the keeper makes them, on another processor where one is free, and the keeper has both before the worker
//! is there. The price is a process, a fiftieth of a launch, on a host that has none free.
//!
//! The child lives in the keeper's memory and shares its descriptors, and calls the kernel and nothing else: it must not
//! allocate, because the keeper does. The word in which the C library keeps the last error is touched only by a call that fails
//! for good; then this set of namespaces is given up whatever the keeper made of that word.

use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::fcntl::{OFlag, openat};
use nix::libc;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::stat::Mode;
use nix::unistd::Pid;

use crate::recipe::Recipe;
use crate::{sys, tree};

/// What is being made.
pub(crate) struct Aside<'a> {
    maker: Pid,
    over: bool,
    network: bool,
    /// The descriptor of the namespace; an error number below 0; 0 until then.
    made: Arc<AtomicI32>,
    _body: sys::Beside<'a>,
}

impl<'a> Aside<'a> {
    /// Begins: with a network namespace and its loopback interface up if there is to be one, and with the groups of a recipe. `proc`
    /// is a `/proc` in which the child finds itself.
    pub(crate) fn begin(
        proc: &OwnedFd,
        network: bool,
        recipe: Option<&'a Recipe>,
    ) -> io::Result<Self> {
        let made = Arc::new(AtomicI32::new(0));
        let (told, proc) = (Arc::clone(&made), proc.try_clone()?);
        let body = Box::new(move || {
            if network {
                let number = make(&proc).map_or_else(|error| -error, IntoRawFd::into_raw_fd);
                told.store(number, Ordering::Release);
            }
            if let Some(recipe) = recipe {
                recipe.carry_out();
            }
            sys::leave(0)
        });
        if let Some(recipe) = recipe {
            recipe.forget();
        }
        let (maker, body) = sys::start_beside(libc::CLONE_FILES, body)?;
        Ok(Self {
            maker,
            over: false,
            network,
            made,
            _body: body,
        })
    }

    /// Waits until all is made, and enters the namespace; how the groups came out is in their recipe.
    pub(crate) fn enter(mut self) -> Result<(), String> {
        let fail = |error: io::Error| format!("cannot make a network namespace: {error}");
        self.wait().map_err(fail)?;
        match self.made.load(Ordering::Acquire) {
            0 if !self.network => Ok(()),
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

impl Drop for Aside<'_> {
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
