//! Limits on the whole tree of a worker, and on all workers of a run together, by control groups.
//!
//! Version 2 where its controllers are delegated to this user, version 1 where this user may make groups (root, as a rule).
//! A group is made below the caller's own, so that limits from outside go on holding: `seawall-RUN` for all workers of a run,
//! and one below it for each; a command by itself has only its own. The launcher writes down how it is [made](crate::recipe), and
//! removes it; the keeper has it made, and stays outside with open descriptors, so that neither the OOM killer nor a fork bomb
//! reaches the process that has to report about it; the worker enters it. When the launcher is killed, the keeper removes it.
//!
//! It costs two directories and a few writes for each worker, a quarter of a millisecond that passes while the view is built.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The groups of one worker, one for each hierarchy, as a [recipe](crate::recipe) has made them.
#[derive(Debug)]
pub(crate) struct Group {
    /// What enforces the limits, for the ledger.
    pub(crate) by: &'static str,
    /// The lists of members; to write to one is to enter.
    pub(crate) members: Vec<File>,
    pub(crate) memory: Option<File>,
    pub(crate) processes: Option<File>,
    /// The limit on processes itself, to set it to nothing at the end.
    pub(crate) most_processes: Option<File>,
    /// Takes a word that kills all members at once (version 2, Linux 5.14).
    pub(crate) killer: Option<File>,
    pub(crate) weighed: bool,
}

/// What the groups have counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Processes that were killed for want of memory.
    pub(crate) killed: u64,
    /// Whether that was elsewhere: all workers together, a group above or the host had no more, and this one had.
    pub(crate) elsewhere: bool,
    /// Processes that were not started because there were too many.
    pub(crate) refused: u64,
}

impl Group {
    /// Nothing of it yet.
    pub(crate) fn new(by: &'static str) -> Self {
        Self {
            by,
            members: Vec::new(),
            memory: None,
            processes: None,
            most_processes: None,
            killer: None,
            weighed: false,
        }
    }

    pub(crate) fn limits_memory(&self) -> bool {
        self.memory.is_some()
    }

    pub(crate) fn limits_processes(&self) -> bool {
        self.processes.is_some()
    }

    pub(crate) fn weighs(&self) -> bool {
        self.weighed
    }

    /// Puts the calling process, and so all that it will start, into the groups.
    pub(crate) fn enter(&self) -> io::Result<()> {
        self.members
            .iter()
            .try_for_each(|mut members| members.write_all(b"0"))
    }

    /// What has been counted so far.
    pub(crate) fn counts(&self) -> io::Result<Counts> {
        let text = |file: &Option<File>| file.as_ref().map_or_else(|| Ok(String::new()), read);
        let (memory, processes) = (text(&self.memory)?, text(&self.processes)?);
        let killed = value(&memory, "oom_kill");
        // Counted where the limit was met and above. Version 1 does not tell.
        let elsewhere = killed > 0 && self.killer.is_some() && value(&memory, "oom") == 0;
        Ok(Counts {
            killed,
            elsewhere,
            refused: value(&processes, "max"),
        })
    }

    /// Kills every member: all at once where the kernel can, else one by one; with no process allowed to start another, a few
    /// rounds are enough. On a busy machine some may not have died yet when it returns: who waits for them knows.
    pub(crate) fn kill(&self) -> io::Result<()> {
        const ROUNDS: usize = 200;
        if let Some(mut most) = self.most_processes.as_ref() {
            most.rewind()?;
            most.write_all(b"0")?;
        }
        if let Some(mut killer) = self.killer.as_ref() {
            killer.write_all(b"1")?;
        }
        let Some(members) = self.members.first() else {
            return Ok(());
        };
        for _ in 0..ROUNDS {
            let list = read(members)?;
            // A member that this process cannot see has the number 0.
            let pids = list
                .lines()
                .filter_map(|pid| pid.parse().ok())
                .filter(|pid| *pid > 0);
            let mut any = false;
            for pid in pids {
                any = true;
                match kill(Pid::from_raw(pid), Signal::SIGKILL) {
                    Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if !any {
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }
}

pub(crate) fn make(directory: &Path) -> io::Result<bool> {
    match fs::create_dir(directory) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn read(mut file: &File) -> io::Result<String> {
    file.rewind()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// The number after a word at the beginning of a line.
fn value(text: &str, key: &str) -> u64 {
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
    found.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_count_is_found_by_its_whole_name() {
        let text = "oom_kill_disable 1\nunder_oom 0\noom_kill 3\n";
        assert_eq!(value(text, "oom_kill"), 3);
        assert_eq!(value("max 7\n", "max"), 7);
        assert_eq!(value("low 0\n", "max"), 0);
    }

    /// Where this process may make groups of version 2 whatever their controllers: `cgroup.kill` needs none.
    fn unified_mount() -> Option<PathBuf> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let line = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
        let place = PathBuf::from(line.split(' ').nth(4)?);
        nix::unistd::access(&place, nix::unistd::AccessFlags::W_OK).ok()?;
        Some(place)
    }

    #[test]
    fn a_real_group_is_killed_at_once() {
        let Some(mount) = unified_mount() else {
            eprintln!("SKIPPED: no cgroup v2 hierarchy that this user may write");
            return;
        };
        let own = mount.join(format!("seawall-test-{}", std::process::id()));
        fs::create_dir(&own).unwrap();
        let open = |file: &str| {
            let mut options = File::options();
            options.read(file == "cgroup.procs").write(true);
            options.open(own.join(file)).unwrap()
        };
        let group = Group {
            members: vec![open("cgroup.procs")],
            killer: Some(open("cgroup.kill")),
            ..Group::new("cgroup v2")
        };
        // Orphans that ignore SIGTERM, and one that is stopped.
        let script = "trap '' TERM; for i in 1 2 3 4 5; do (setsid sleep 600 &) ; done; sh -c 'kill -STOP $$' & wait";
        let mut child = Command::new("sh")
            .args([
                "-c",
                &format!("echo 0 > {}/cgroup.procs; {script}", own.display()),
            ])
            .spawn()
            .unwrap();
        let count = || {
            fs::read_to_string(own.join("cgroup.procs"))
                .unwrap()
                .lines()
                .count()
        };
        let wait_until = |met: &dyn Fn(usize) -> bool| {
            let started = Instant::now();
            while !met(count()) && started.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        wait_until(&|count| count >= 7);
        assert!(count() >= 7);
        group.kill().unwrap();
        child.wait().unwrap();
        // They are somebody else's to wait for, and on a busy machine one may not have got to its end yet.
        wait_until(&|count| count == 0);
        assert_eq!(count(), 0);
        fs::remove_dir(&own).unwrap();
    }
}
