//! Limits on the whole tree of a worker, and on all workers of a run together, by control groups.
//!
//! Version 2 where its controllers are delegated to this user, version 1 where this user may make groups (root, as a rule).
//! A group is made below the caller's own, so that limits from outside go on holding: `seawall-RUN` for all workers of a run,
//! and one below it for each; a command by itself has only its own. The launcher makes and removes it, the worker enters it, and
//! the keeper stays outside with open descriptors, so that neither the OOM killer nor a fork bomb reaches the process that has
//! to report about them; when the launcher is killed, the keeper removes it.
//!
//! It costs two directories and a few writes for each worker, a tenth of a millisecond.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, UnlinkatFlags, unlinkat};

use crate::hierarchy::{self, Base};
use crate::order::Limits;

/// The groups of one worker, one for each hierarchy.
#[derive(Debug)]
pub(crate) struct Group {
    /// What enforces the limits, for the ledger.
    pub(crate) by: &'static str,
    /// To be removed at the end, children before parents.
    directories: Vec<Directory>,
    /// The lists of members; to write to one is to enter.
    members: Vec<File>,
    memory: Option<File>,
    processes: Option<File>,
    /// The limit on processes itself, to set it to nothing at the end.
    most_processes: Option<File>,
    /// Takes a word that kills all members at once (version 2, Linux 5.14).
    killer: Option<File>,
    weighed: bool,
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

/// How often a group is tried again that another launcher has removed in between.
const TRIES: usize = 5;

impl Group {
    /// Makes the groups for the limits; `Ok(None)` when none is asked for, `Err` says why there can be none.
    pub(crate) fn make(limits: &Limits, run: Option<&str>) -> Result<Option<Self>, String> {
        let asked = [limits.memory, limits.processes, limits.cpu_weight];
        if asked.iter().all(Option::is_none) {
            return Ok(None);
        }
        let base = hierarchy::find()?;
        // A limit of its own stands in for the ceiling of all workers together.
        let alone = limits.memory.is_some_and(hierarchy::is_bearable) && limits.processes.is_some();
        let itself = std::process::id().to_string();
        let run = run.or((!alone).then_some(&itself));
        for _ in 1..TRIES {
            match Self::below(&base, limits, run) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                made => {
                    return made
                        .map(Some)
                        .map_err(|error| format!("cannot make a group: {error}"));
                }
            }
        }
        Err("the group of the run vanishes again and again".to_owned())
    }

    fn below(base: &Base, limits: &Limits, run: Option<&str>) -> io::Result<Self> {
        let mut group = Self {
            by: base.version(),
            directories: Vec::new(),
            members: Vec::new(),
            memory: None,
            processes: None,
            most_processes: None,
            killer: None,
            weighed: false,
        };
        match group.furnish(base, limits, run) {
            Ok(()) => Ok(group),
            Err(error) => {
                group.remove();
                Err(error)
            }
        }
    }

    fn furnish(&mut self, base: &Base, limits: &Limits, run: Option<&str>) -> io::Result<()> {
        let name = std::process::id().to_string();
        for (root, keys) in base.roots(limits) {
            let own = match run {
                Some(run) => {
                    let together = root.join(format!("seawall-{run}"));
                    hierarchy::make_together(&together, keys)?;
                    let own = together.join(&name);
                    let both = [Directory::at(&own)?, Directory::at(&together)?];
                    self.directories.splice(0..0, both);
                    own
                }
                None => {
                    let own = root.join(format!("seawall-{name}"));
                    self.directories.insert(0, Directory::at(&own)?);
                    own
                }
            };
            make(&own)?;
            if let Some(weight) = limits.cpu_weight {
                self.weighed |= hierarchy::weigh(root, &own, keys, weight)?;
            }
            if let (Some(most), Some(key)) = (limits.memory, keys.memory) {
                hierarchy::limit_memory(&own, key, most)?;
                self.memory = Some(File::open(own.join(keys.memory_events))?);
            }
            if let (Some(most), true) = (limits.processes, keys.processes) {
                let mut file = open(&own.join("pids.max"))?;
                file.write_all(most.to_string().as_bytes())?;
                self.most_processes = Some(file);
                self.processes = Some(File::open(own.join("pids.events"))?);
            }
            self.members.push(open(&own.join(keys.entry()))?);
            if keys.unified {
                self.killer = killer(&own);
            }
        }
        Ok(())
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

    /// Removes the groups, which must be empty; the one of the run stays while others are in it. It works in a view, too, where
    /// they have no path any more.
    pub(crate) fn remove(&self) {
        for directory in &self.directories {
            // A group that is in use stays, and one that another process has removed is gone.
            drop(directory.remove());
        }
    }
}

/// A group, by the one that it is in.
#[derive(Debug)]
struct Directory {
    parent: OwnedFd,
    name: OsString,
}

impl Directory {
    fn at(path: &Path) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self {
            parent: nix::fcntl::open(parent, flags, Mode::empty())?,
            name: name.to_owned(),
        })
    }

    fn remove(&self) -> io::Result<()> {
        let flag = UnlinkatFlags::RemoveDir;
        Ok(unlinkat(&self.parent, self.name.as_os_str(), flag)?)
    }
}

pub(crate) fn make(directory: &Path) -> io::Result<bool> {
    match fs::create_dir(directory) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// The file that takes the word; an older kernel has none.
fn killer(group: &Path) -> Option<File> {
    File::options()
        .write(true)
        .open(group.join("cgroup.kill"))
        .ok()
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
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

    /// A directory tree that stands for a delegated hierarchy of version 2: it shows which files are written with what, and
    /// nothing of what a kernel makes of it. The kernel would make the files of a new group, so they are made here.
    fn pretended(root: &Path) -> (PathBuf, PathBuf) {
        let together = root.join("seawall-run");
        let own = together.join(std::process::id().to_string());
        fs::create_dir_all(&own).unwrap();
        for file in [
            "memory.events",
            "pids.max",
            "pids.events",
            "cgroup.procs",
            "cgroup.kill",
        ] {
            fs::write(own.join(file), "").unwrap();
        }
        (together, own)
    }

    #[test]
    fn the_files_of_version_2_are_written_in_a_pretended_hierarchy() {
        let root = tempfile::tempdir().unwrap();
        let (together, own) = pretended(root.path());
        let limits = Limits {
            memory: Some(1 << 20),
            processes: Some(7),
            cpu_weight: Some(250),
            ..Limits::default()
        };
        let base = Base::Unified(root.path().to_owned());
        let group = Group::below(&base, &limits, Some("run")).unwrap();
        assert!(group.limits_memory() && group.limits_processes() && group.weighs());
        group.enter().unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        for (file, expected) in [
            ("memory.max", "1048576"),
            ("memory.swap.max", "0"),
            ("pids.max", "7"),
            ("cpu.weight", "250"),
            ("cgroup.procs", "0"),
        ] {
            assert_eq!(read(&own.join(file)), expected, "{file}");
        }
        for above in [root.path(), &together] {
            assert_eq!(read(&above.join("cgroup.subtree_control")), "+cpu");
        }
        fs::write(own.join("memory.events"), "oom 1\noom_kill 2\n").unwrap();
        fs::write(own.join("pids.events"), "max 3\n").unwrap();
        assert_eq!(
            group.counts().unwrap(),
            Counts {
                killed: 2,
                elsewhere: false,
                refused: 3
            }
        );
        fs::write(own.join("memory.events"), "oom 0\noom_kill 1\n").unwrap();
        let counts = group.counts().unwrap();
        assert!(counts.killed == 1 && counts.elsewhere);
        fs::write(own.join("cgroup.procs"), "").unwrap();
        group.kill().unwrap();
        assert_eq!(read(&own.join("cgroup.kill")), "1");
        assert_eq!(read(&own.join("pids.max")), "0");
    }

    #[test]
    fn no_weight_where_the_controller_is_not_delegated() {
        let root = tempfile::tempdir().unwrap();
        pretended(root.path());
        // A directory in the place of the file: it cannot be written.
        fs::create_dir(root.path().join("cgroup.subtree_control")).unwrap();
        let limits = Limits {
            processes: Some(7),
            cpu_weight: Some(250),
            ..Limits::default()
        };
        let base = Base::Unified(root.path().to_owned());
        let group = Group::below(&base, &limits, Some("run")).unwrap();
        assert!(group.limits_processes() && !group.weighs());
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
        let group = Group {
            by: "cgroup v2",
            directories: vec![Directory::at(&own).unwrap()],
            members: vec![open(&own.join("cgroup.procs")).unwrap()],
            memory: None,
            processes: None,
            most_processes: None,
            killer: killer(&own),
            weighed: false,
        };
        assert!(group.killer.is_some());
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
        group.remove();
        assert!(!own.exists());
    }
}
