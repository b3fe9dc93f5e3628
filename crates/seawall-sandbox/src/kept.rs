//! The launcher's hold on a keeper: how it is started in the namespaces of a rung, let in, and never left behind.
//!
//! The keeper runs in the memory of the launcher, as the worker runs in the keeper's until it is the command: a fork would copy
//! the tables of a large program and then page after page of it. So the launcher only sleeps while there is a keeper, in calls
//! that take no memory: what both would write at the same time is the heap, and the word in which the C library keeps the last
//! error, which a call that succeeds does not touch. An error of the launcher ends the keeper before it is put into words.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getgid, getuid, pipe2};

use crate::keeper::{self, Post};
use crate::rung::Rung;
use crate::sys;

/// A keeper at work, in the memory of this process: until it has ended, nothing here may allocate or free memory, and it is
/// ended when this is dropped before.
pub(crate) struct Kept<'a> {
    pub(crate) keeper: Keeper<'a>,
    /// Its end tells the keeper that the launcher has died.
    pub(crate) lifeline: OwnedFd,
    /// Brings one byte when the tree is dead and the report is sent, and ends when the keeper has neither memory nor files.
    pub(crate) done: File,
}

/// The process of a keeper, and what it runs on.
pub(crate) struct Keeper<'a> {
    pid: Pid,
    pub(crate) over: bool,
    _body: sys::Beside<'a>,
}

impl Keeper<'_> {
    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> io::Result<WaitStatus> {
        let ended = waitpid(self.pid, None)?;
        self.over = true;
        Ok(ended)
    }
}

impl Drop for Keeper<'_> {
    fn drop(&mut self) {
        if !self.over {
            // Until it is waited for its number cannot be anybody else's.
            // What cannot be killed or waited for is not there any more.
            let _ = kill(self.pid, Signal::SIGKILL);
            drop(self.wait());
        }
    }
}

/// Starts a keeper in the namespaces of a rung; `Err` inside says why the rung cannot be had.
pub(crate) fn start_keeper<'a>(post: &'a Post<'a>) -> io::Result<Result<Kept<'a>, String>> {
    let (go_out, lifeline) = pipe2(OFlag::O_CLOEXEC)?;
    let (ready_out, ready_in) = pipe2(OFlag::O_CLOEXEC)?;
    let [go, ready] = [&go_out, &ready_in].map(AsRawFd::as_raw_fd);
    let ours = [&lifeline, &ready_out].map(AsRawFd::as_raw_fd);
    let body = Box::new(move || {
        // In its own table these are other descriptors than those that the launcher closes.
        drop(ours.map(sys::adopt));
        keeper::main(post, sys::adopt(go), sys::adopt(ready))
    });
    let (pid, body) = match sys::start_beside(post.first().flags, body) {
        Ok(started) => started,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let over = false;
    let keeper = Keeper {
        pid,
        over,
        _body: body,
    };
    drop((go_out, ready_in));
    let mut done = File::from(ready_out);
    let mut answer = Answer::default();
    let admitted = admit(pid, post.rung, &lifeline, &mut done, &mut answer);
    if matches!(admitted, Ok(true)) {
        return Ok(Ok(Kept {
            keeper,
            lifeline,
            done,
        }));
    }
    drop(keeper);
    Ok(Err(admitted.map_or_else(
        |error| error.to_string(),
        |_| answer.in_words(),
    )))
}

/// What a keeper says about its namespaces.
pub(crate) struct Answer {
    text: [u8; 1024],
    length: usize,
}

impl Default for Answer {
    fn default() -> Self {
        let text = [0; 1024];
        Self { text, length: 0 }
    }
}

impl Answer {
    /// Reads up to a length, or the end.
    fn read(&mut self, from: &mut File, most: usize) -> io::Result<()> {
        while self.length < most {
            match from.read(&mut self.text[self.length..most]) {
                Ok(0) => break,
                Ok(count) => self.length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn in_words(&self) -> String {
        match &self.text[..self.length] {
            b"" => "the keeper died".to_owned(),
            why => String::from_utf8_lossy(why).into_owned(),
        }
    }
}

/// Maps the user of a new user namespace, lets the keeper go on, and waits until its namespaces are in order; `false` when they
/// are not.
pub(crate) fn admit(
    keeper: Pid,
    rung: Rung,
    go: &OwnedFd,
    ready: &mut File,
    answer: &mut Answer,
) -> io::Result<bool> {
    if rung.has(libc::CLONE_NEWUSER) {
        // The keeper waits for it and touches nothing meanwhile.
        map_user(keeper)
            .map_err(|error| io::Error::other(format!("cannot map the user: {error}")))?;
        nix::unistd::write(go, b"g")?;
    }
    // No more than that: a short command may be over by now, and then there is the byte that says so.
    answer.read(ready, keeper::READY.len())?;
    if &answer.text[..answer.length] == keeper::READY.as_bytes() {
        return Ok(true);
    }
    answer.read(ready, answer.text.len())?;
    Ok(false)
}

/// The user stays who they are: one id is mapped onto itself (`user_namespaces(7)`).
fn map_user(keeper: Pid) -> io::Result<()> {
    let (uid, gid) = (getuid(), getgid());
    let directory = Path::new("/proc").join(keeper.to_string());
    std::fs::write(directory.join("setgroups"), "deny")?;
    std::fs::write(directory.join("uid_map"), format!("{uid} {uid} 1"))?;
    std::fs::write(directory.join("gid_map"), format!("{gid} {gid} 1"))
}
