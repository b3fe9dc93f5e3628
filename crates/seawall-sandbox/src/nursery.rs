//! The nursery: a process beside the supervisor that forks its launchers.
//!
//! This program is large and position-independent, so that to execute it costs a millisecond of relocations and page faults;
//! a fork of a process that has done them and holds nothing else costs a tenth. A supervisor that cannot be forked itself
//! (it has threads, or much memory) has one nursery from its first launch on: this program executed once, with one thread, no
//! environment and no terminal. A request is one message with the launcher's end of a control socket, the answer is a process
//! id or an error number.
//!
//! The launcher is born with `CLONE_PARENT` (`clone(2)`): it is the supervisor's child, who waits for it, and the nursery has
//! none. So the nursery may die at any time: running launchers do not notice, and the next launch starts another. It ends by
//! itself with the supervisor, whose end of its socket closes then, and it holds no control socket after the fork, because
//! that would keep the end of a launcher from being seen.
//!
//! The price: a process that is mostly pages of the program, launches that are forked one after the other, and launchers that
//! inherit what the supervisor was when it started the nursery: resource limits, namespaces, priority. Another user, or a
//! fork of the supervisor, gets another nursery. A nursery killed between a fork and its answer leaves the supervisor a
//! child that nobody waits for; it ends at once.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::unistd::{Pid, getresgid, getresuid};

use crate::launch::Request;
use crate::spawn::LAUNCH_COMMAND;
use crate::{hierarchy, launcher, sys, wire};

/// The one of this process; the kernel closes its socket at the end.
static NURSERY: Mutex<Option<Nursery>> = Mutex::new(None);

/// The answer to a request: the process id of the launcher, or why there is none (`errno(3)`).
type Born = Result<i32, i32>;

/// The supervisor's side.
#[derive(Debug)]
struct Nursery {
    process: Child,
    socket: UnixStream,
    started_by: Identity,
}

/// What a launcher must have in common with its supervisor: process id, users and groups.
type Identity = (u32, [u32; 3], [u32; 3]);

/// Has a launcher forked; gives the supervisor's end of its control socket, and its process id.
pub(crate) fn raise() -> io::Result<(UnixStream, Pid)> {
    let mut kept = NURSERY.lock().unwrap_or_else(PoisonError::into_inner);
    let identity = identity()?;
    let (ours, theirs) = UnixStream::pair()?;
    if let Some(nursery) = kept.as_mut()
        && nursery.started_by == identity
        && let Ok(born) = nursery.ask(theirs)
    {
        return Ok((ours, launcher_of(born)?));
    }
    // There is none, or it died, or it is the one of another; if it did fork a launcher, that one ends with its socket.
    drop(ours);
    if let Some(old) = kept.take() {
        old.end(&identity)?;
    }
    let (ours, theirs) = UnixStream::pair()?;
    let born = kept.insert(Nursery::start(identity)?).ask(theirs)?;
    Ok((ours, launcher_of(born)?))
}

fn launcher_of(born: Born) -> io::Result<Pid> {
    born.map(Pid::from_raw)
        .map_err(io::Error::from_raw_os_error)
}

fn identity() -> io::Result<Identity> {
    let (user, group) = (getresuid()?, getresgid()?);
    Ok((
        std::process::id(),
        [user.real, user.effective, user.saved].map(|id| id.as_raw()),
        [group.real, group.effective, group.saved].map(|id| id.as_raw()),
    ))
}

impl Nursery {
    /// Its end of the socket is its standard input, which needs no descriptor that another thread's fork could inherit.
    fn start(started_by: Identity) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let process = Command::new("/proc/self/exe")
            .args([LAUNCH_COMMAND, "0"])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let nursery = Self {
            process,
            socket,
            started_by,
        };
        match wire::post(&nursery.socket, &Request::Stay, &[]) {
            Ok(()) => Ok(nursery),
            Err(error) => nursery.end(&started_by).and(Err(error)),
        }
    }

    /// One launcher; the outer error means that this nursery is of no more use.
    fn ask(&mut self, control: UnixStream) -> io::Result<Born> {
        wire::post(&self.socket, &(), &[control.as_raw_fd()])?;
        // Nobody but the launcher may hold it, or its end would not be seen.
        drop(control);
        match wire::fetch(&mut self.socket)? {
            Some((born, _)) => Ok(born),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Ends and reaps it when it is a child of this process.
    fn end(mut self, identity: &Identity) -> io::Result<()> {
        if self.started_by.0 != identity.0 {
            return Ok(());
        }
        // Reaped already, by a supervisor that waits for any child, its number may be somebody else's.
        if let Ok(None) = self.process.try_wait() {
            self.process.kill()?;
            self.process.wait()?;
        }
        Ok(())
    }
}

/// The life of the nursery: forks launchers until the supervisor has gone.
pub(crate) fn serve(mut socket: UnixStream) -> io::Result<()> {
    // Who has no privileges can move into a group of its own only what can be looked at, so the move, which the first
    // launcher would make, comes before; a host without groups is told by each launch.
    drop(hierarchy::find());
    prctl::set_dumpable(false)?;
    answer(&mut socket)
}

fn answer(socket: &mut UnixStream) -> io::Result<()> {
    while let Some(((), descriptors)) = wire::fetch(socket)? {
        let born: Born = bear(descriptors)
            .map(Pid::as_raw)
            .map_err(|error| error.raw_os_error().unwrap_or(libc::EIO));
        wire::post(socket, &born, &[])?;
    }
    Ok(())
}

fn bear(descriptors: Vec<OwnedFd>) -> io::Result<Pid> {
    // The kernel leaves out what the limit on descriptors has no room for.
    let [control] = <[OwnedFd; 1]>::try_from(descriptors).map_err(|_| Errno::EMFILE)?;
    match sys::fork_into(libc::CLONE_PARENT)? {
        Some(launcher) => Ok(launcher),
        None => live(control),
    }
}

/// The life of the launcher. It maps the user of its keeper, which takes a process that can be looked at (`proc(5)`).
fn live(control: OwnedFd) -> ! {
    match prctl::set_dumpable(true) {
        Ok(()) => launcher::forked_main(UnixStream::from(control)),
        Err(_) => sys::leave(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_cannot_be_met_is_answered() {
        let (mut supervisor, mut nursery) = UnixStream::pair().unwrap();
        let serving = std::thread::spawn(move || answer(&mut nursery));
        for _ in 0..2 {
            wire::post(&supervisor, &(), &[]).unwrap();
            let (born, _) = wire::fetch::<Born>(&mut supervisor).unwrap().unwrap();
            let error = launcher_of(born).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
        }
        drop(supervisor);
        serving.join().unwrap().unwrap();
    }
}
