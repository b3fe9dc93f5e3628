//! The end of a process tree: everything is found, killed and reaped.
//!
//! In a pid namespace the kernel knows what belongs to the tree: one call reaches all of it. Without one, orphans come to
//! the nearest subreaper, which the keeper and the launcher are, so the tree is what descends from it; it is stopped before it
//! is killed, because a walk over `/proc` is slower than a fork. Either way the proof of the end is that there is nobody left
//! to wait for.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};

use crate::cgroup::Group;

const ANY: Pid = Pid::from_raw(-1);

/// What a signal to the tree reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The pid namespace of which this process is the first.
    Namespace,
    /// Everything that descends from this process.
    Descendants,
}

impl Reach {
    /// Sends a signal to the whole tree, this process excepted.
    pub(crate) fn signal(self, signal: Signal) -> io::Result<()> {
        match self {
            Self::Namespace => unless_gone(kill(ANY, signal)),
            Self::Descendants => descendants()?
                .into_iter()
                .try_for_each(|pid| unless_gone(kill(pid, signal))),
        }
    }

    /// Asks the whole tree to end, stopped processes too.
    pub(crate) fn terminate(self) -> io::Result<()> {
        self.signal(Signal::SIGTERM)?;
        self.signal(Signal::SIGCONT)
    }

    pub(crate) fn kill(self) -> io::Result<()> {
        if self == Self::Descendants {
            freeze()?;
            self.signal(Signal::SIGKILL)?;
            return hunt();
        }
        self.signal(Signal::SIGKILL)
    }
}

/// Reaps one child that has ended, if one has: its id and how it ended.
pub(crate) fn reap() -> Option<WaitStatus> {
    match waitpid(ANY, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(_) => None,
        Ok(status) => Some(status),
    }
}

/// Waits until a child has ended; one that was waited for already is not there any more.
pub(crate) fn wait_for(child: Pid) -> io::Result<()> {
    loop {
        match waitpid(child, None) {
            Ok(_) | Err(Errno::ECHILD) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Kills and reaps the whole tree, and returns how many processes were still alive when it was called.
///
/// Returns only when nothing is left; a process that the kernel cannot kill yet (sleeping on a dead disk) is waited for.
pub(crate) fn sweep(reach: Reach) -> io::Result<u32> {
    sweep_by(|| reach.kill())
}

/// The same with the help of a control group, which knows its members and lets them start no more; who got out of it, which
/// takes root, is still found by descent.
pub(crate) fn sweep_group(group: &Group) -> io::Result<u32> {
    sweep_by(|| group.kill().and_then(|()| Reach::Descendants.kill()))
}

fn sweep_by(kill_all: impl Fn() -> io::Result<()>) -> io::Result<u32> {
    while reap().is_some() {}
    let mut killed = 0;
    loop {
        loop {
            match waitpid(ANY, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => break,
                Ok(_) => killed += 1,
                Err(Errno::ECHILD) => return Ok(killed),
                Err(error) => return Err(error.into()),
            }
        }
        kill_all()?;
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// Walks over `/proc` before what could be stopped is killed.
const WALKS: usize = 8;

/// Looks at the direct children before the next walk.
const LOOKS: usize = 500;

/// Stops every descendant, until a walk finds none that is new.
fn freeze() -> io::Result<()> {
    let mut stopped = BTreeSet::new();
    for _ in 0..WALKS {
        let found: Vec<_> = descendants()?
            .into_iter()
            .filter(|pid| !stopped.contains(pid))
            .collect();
        if found.is_empty() {
            break;
        }
        for pid in found {
            unless_gone(kill(pid, Signal::SIGSTOP))?;
            stopped.insert(pid);
        }
    }
    Ok(())
}

/// Kills direct children as fast as they appear.
///
/// A process that forks and exits without a pause is gone before a walk reaches it, but every new one of its kind is an
/// orphan and so a direct child of this process, and those are listed in one short file (`CONFIG_PROC_CHILDREN`).
fn hunt() -> io::Result<()> {
    let list = format!("/proc/self/task/{}/children", getpid());
    for _ in 0..LOOKS {
        // Without the file there are only the walks.
        let Ok(children) = std::fs::read_to_string(&list) else {
            return Ok(());
        };
        if children.is_empty() {
            return Ok(());
        }
        for child in children
            .split_ascii_whitespace()
            .filter_map(|pid| pid.parse().ok())
        {
            unless_gone(kill(Pid::from_raw(child), Signal::SIGKILL))?;
        }
        std::thread::yield_now();
    }
    Ok(())
}

fn unless_gone(done: nix::Result<()>) -> io::Result<()> {
    match done {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The living processes below this one, by the parents that `/proc` tells.
fn descendants() -> io::Result<BTreeSet<Pid>> {
    let mut children: BTreeMap<Pid, Vec<Pid>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            .map(Pid::from_raw)
        else {
            continue;
        };
        // A process that has ended meanwhile has no line any more.
        if let Some(parent) = living_parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = BTreeSet::new();
    let mut open = vec![getpid()];
    while let Some(pid) = open.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            found.insert(child);
            open.push(child);
        }
    }
    Ok(found)
}

/// The fourth field of `/proc/PID/stat` (`proc_pid_stat(5)`); the second is a name that may contain anything.
fn living_parent(pid: Pid) -> Option<Pid> {
    let line = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after_name = line.iter().rposition(|byte| *byte == b')')? + 1;
    let rest = std::str::from_utf8(&line[after_name..]).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (state != "Z" && state != "X").then_some(Pid::from_raw(parent))
}
