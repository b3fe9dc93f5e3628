//! How the control groups of one worker are made: written down first, then carried out without taking memory.
//!
//! To make them costs a quarter of a millisecond, a third of the mounts, and neither needs the other, so it is done
//! [beside](crate::aside) the view, by a process that shares the keeper's memory and must not allocate. So whatever takes memory is
//! done before: where groups can be made, what they are called and what is written into them. The calls themselves go to the
//! kernel directly, because some fail in the ordinary course of things, and the word in which the C library keeps the last error is
//! the keeper's.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::fcntl::OFlag;
use nix::libc;
use nix::unistd::{UnlinkatFlags, unlinkat};
use rustix::fs::{Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use crate::cgroup::{self, Group};
use crate::hierarchy::{self, Base, Keys};
use crate::order::Limits;
use crate::sys;

/// The groups of one worker, one for each hierarchy, as they are to be made.
#[derive(Debug)]
pub(crate) struct Recipe {
    by: &'static str,
    /// To be removed at the end, children before parents.
    directories: Vec<Directory>,
    steps: Vec<Step>,
    /// The error number of the step that failed; 0 when all are done.
    failed: AtomicI32,
}

/// What there is until all is done: whoever carries it out may be killed.
const UNFINISHED: i32 = libc::ECANCELED;

/// What is kept open of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The list of members.
    Members,
    /// What was counted about memory.
    Memory,
    /// What was counted about processes.
    Processes,
    /// The limit on processes.
    MostProcesses,
    /// Takes a word that kills all members at once.
    Killer,
    /// Nothing: it is closed again.
    Nothing,
    /// Nothing either, and it says that there is a share of the processors.
    Weight,
}

#[derive(Debug)]
enum Act {
    Make,
    Open {
        part: Part,
        flags: OFlags,
        /// What is written into it.
        text: Option<String>,
        /// Whether it is no error that it is not there.
        missing: bool,
    },
}

/// One step, and what came of it: a descriptor, or a negative number.
#[derive(Debug)]
struct Step {
    parent: Arc<OwnedFd>,
    path: CString,
    act: Act,
    done: AtomicI32,
}

/// A step that was not done, or whose file is not there.
const NOT: i32 = -1;

/// How often a group is tried again that another launcher has removed in between.
const TRIES: usize = 5;

impl Recipe {
    /// The recipe for these limits; `Ok(None)` when none is asked for, `Err` says why there can be none.
    pub(crate) fn write(limits: &Limits, run: Option<&str>) -> Result<Option<Self>, String> {
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
                Err(error) => return Err(no_group(&error)),
                Ok(recipe) => return Ok(Some(recipe)),
            }
        }
        Err("the group of the run vanishes again and again".to_owned())
    }

    fn below(base: &Base, limits: &Limits, run: Option<&str>) -> io::Result<Self> {
        let mut recipe = Self {
            by: base.version(),
            directories: Vec::new(),
            steps: Vec::new(),
            failed: AtomicI32::new(UNFINISHED),
        };
        for (root, keys) in base.roots(limits) {
            if let Err(error) = recipe.add(root, keys, limits, run) {
                recipe.remove();
                return Err(error);
            }
        }
        Ok(recipe)
    }

    /// The group below a root of one hierarchy; the one of the run is made at once, with all that it limits.
    fn add(
        &mut self,
        root: &Path,
        keys: Keys,
        limits: &Limits,
        run: Option<&str>,
    ) -> io::Result<()> {
        let mut name = std::process::id().to_string();
        let mut parent = root.to_owned();
        if let Some(run) = run {
            let together = root.join(format!("seawall-{run}"));
            hierarchy::make_together(&together, keys)?;
            self.directories.insert(0, Directory::at(&together)?);
            parent = together;
        } else {
            name.insert_str(0, "seawall-");
        }
        let own = parent.join(&name);
        let directory = Directory::at(&own)?;
        let mut at = Steps {
            parent: Arc::clone(&directory.parent),
            name,
            steps: &mut self.steps,
        };
        self.directories.insert(0, directory);
        match run {
            // At once too: while it is empty, any launcher of the run that is done takes the group of the run away.
            Some(_) => drop(cgroup::make(&own)?),
            None => at.make()?,
        }
        if let Some(weight) = limits.cpu_weight
            && let Some((file, text)) = hierarchy::share(root, &own, keys, weight)
        {
            at.write(Part::Weight, file, text, true)?;
        }
        if let (Some(most), Some(files)) = (limits.memory, keys.memory) {
            let [(memory, most), (swap, beyond)] = hierarchy::memory_limits(files, most);
            at.write(Part::Nothing, memory, most, false)?;
            at.write(Part::Nothing, swap, beyond, true)?;
            at.open(Part::Memory, keys.memory_events, OFlags::RDONLY, false)?;
        }
        if let (Some(most), true) = (limits.processes, keys.processes) {
            at.write(Part::MostProcesses, "pids.max", most.to_string(), false)?;
            at.open(Part::Processes, "pids.events", OFlags::RDONLY, false)?;
        }
        at.open(Part::Members, keys.entry(), OFlags::RDWR, false)?;
        if keys.unified {
            // An older kernel than 5.14 has none.
            at.open(Part::Killer, "cgroup.kill", OFlags::WRONLY, true)?;
        }
        Ok(())
    }

    /// Carries it out. It takes no memory and does not touch the C library's word for the last error; what came of it is in the
    /// recipe, and the descriptors are this process's.
    pub(crate) fn carry_out(&self) {
        self.forget();
        for step in &self.steps {
            match step.carry_out() {
                Ok(done) => step.done.store(done, Ordering::Release),
                Err(error) => {
                    return self.failed.store(error.raw_os_error(), Ordering::Release);
                }
            }
        }
        self.failed.store(0, Ordering::Release);
    }

    /// Forgets what came of it before: descriptors of another keeper, whose set of namespaces was refused. To be called before
    /// somebody else is to carry it out, who may be killed before the first step.
    pub(crate) fn forget(&self) {
        self.failed.store(UNFINISHED, Ordering::Release);
        for step in &self.steps {
            step.done.store(NOT, Ordering::Release);
        }
    }

    /// Why it is not carried out.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        match self.failed.load(Ordering::Acquire) {
            0 => None,
            number => Some(io::Error::from_raw_os_error(number)),
        }
    }

    /// The error of a step that cannot be done; none where nobody came to do it.
    pub(crate) fn refused(&self) -> Option<io::Error> {
        let failure = self.failure();
        failure.filter(|error| error.raw_os_error() != Some(UNFINISHED))
    }

    /// The groups again, for a process that has not made them; none where they are gone.
    pub(crate) fn again(&self) -> Option<Group> {
        self.carry_out();
        self.failure().is_none().then(|| self.group())
    }

    /// The groups that have been made, for the process that has their descriptors. To be called once for each time that the recipe
    /// was carried out.
    pub(crate) fn group(&self) -> Group {
        let mut group = Group::new(self.by);
        for step in &self.steps {
            let (Act::Open { part, .. }, done @ 0..) =
                (&step.act, step.done.swap(NOT, Ordering::AcqRel))
            else {
                continue;
            };
            let file = File::from(sys::adopt(done));
            match part {
                Part::Members => group.members.push(file),
                Part::Memory => group.memory = Some(file),
                Part::Processes => group.processes = Some(file),
                Part::MostProcesses => group.most_processes = Some(file),
                Part::Killer => group.killer = Some(file),
                Part::Weight => group.weighed = true,
                Part::Nothing => {}
            }
        }
        group
    }

    pub(crate) fn limits_memory(&self) -> bool {
        let is_memory =
            |step: &Step| matches!(step.act, Act::Open { part, .. } if part == Part::Memory);
        self.steps.iter().any(is_memory)
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

/// Why there is none.
pub(crate) fn no_group(error: &io::Error) -> String {
    format!("cannot make a group: {error}")
}

/// The steps of one group.
struct Steps<'a> {
    parent: Arc<OwnedFd>,
    name: String,
    steps: &'a mut Vec<Step>,
}

impl Steps<'_> {
    fn make(&mut self) -> io::Result<()> {
        self.push(self.name.clone(), Act::Make)
    }

    /// Writes a text into a file, which is kept open for what it is a part of.
    fn write(&mut self, part: Part, file: &str, text: String, missing: bool) -> io::Result<()> {
        let flags = match part {
            Part::MostProcesses => OFlags::RDWR,
            _ => OFlags::WRONLY,
        };
        self.file(part, file, (flags, Some(text)), missing)
    }

    fn open(&mut self, part: Part, file: &str, flags: OFlags, missing: bool) -> io::Result<()> {
        self.file(part, file, (flags, None), missing)
    }

    fn file(
        &mut self,
        part: Part,
        file: &str,
        (flags, text): (OFlags, Option<String>),
        missing: bool,
    ) -> io::Result<()> {
        let act = Act::Open {
            part,
            flags,
            text,
            missing,
        };
        self.push(format!("{}/{file}", self.name), act)
    }

    fn push(&mut self, path: String, act: Act) -> io::Result<()> {
        self.steps.push(Step {
            parent: Arc::clone(&self.parent),
            path: sys::c_string(OsStr::new(&path))?,
            act,
            done: AtomicI32::new(NOT),
        });
        Ok(())
    }
}

impl Step {
    fn carry_out(&self) -> Result<i32, Errno> {
        match &self.act {
            Act::Make => match mkdirat(&self.parent, self.path.as_c_str(), Mode::from(0o777)) {
                Ok(()) | Err(Errno::EXIST) => Ok(NOT),
                Err(error) => Err(error),
            },
            Act::Open {
                part,
                flags,
                text,
                missing,
            } => {
                let text = text.as_deref().map(str::as_bytes);
                match opened(&self.parent, &self.path, *flags, text) {
                    Ok(file) if *part == Part::Nothing => {
                        drop(file);
                        Ok(NOT)
                    }
                    Ok(file) => Ok(file.into_raw_fd()),
                    Err(Errno::NOENT | Errno::ACCESS | Errno::PERM) if *missing => Ok(NOT),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// A file of a group, with a text written into it.
fn opened(
    parent: &OwnedFd,
    path: &CStr,
    flags: OFlags,
    text: Option<&[u8]>,
) -> Result<OwnedFd, Errno> {
    let file = openat(parent, path, flags | OFlags::CLOEXEC, Mode::empty())?;
    match text {
        Some(text) if rustix::io::write(&file, text)? < text.len() => Err(Errno::IO),
        _ => Ok(file),
    }
}

/// A group, by the one that it is in.
#[derive(Debug)]
struct Directory {
    parent: Arc<OwnedFd>,
    name: OsString,
}

impl Directory {
    fn at(path: &Path) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let parent = nix::fcntl::open(parent, flags, nix::sys::stat::Mode::empty())?;
        Ok(Self {
            parent: Arc::new(parent),
            name: name.to_owned(),
        })
    }

    fn remove(&self) -> io::Result<()> {
        let flag = UnlinkatFlags::RemoveDir;
        Ok(unlinkat(&self.parent, self.name.as_os_str(), flag)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::cgroup::Counts;

    /// A directory tree that stands for a delegated hierarchy of version 2: it shows which files are written with what, and
    /// nothing of what a kernel makes of it. The kernel would make the files of a new group, so they are made here.
    fn pretended(root: &Path) -> (PathBuf, PathBuf) {
        let together = root.join("seawall-run");
        let own = together.join(std::process::id().to_string());
        fs::create_dir_all(&own).unwrap();
        fs::write(together.join("cgroup.subtree_control"), "").unwrap();
        for file in [
            "memory.max",
            "memory.swap.max",
            "memory.events",
            "cpu.weight",
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
        let recipe = Recipe::below(&base, &limits, Some("run")).unwrap();
        assert!(recipe.limits_memory());
        recipe.carry_out();
        assert!(recipe.failure().is_none());
        let group = recipe.group();
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
        let recipe = Recipe::below(&base, &limits, Some("run")).unwrap();
        assert!(!recipe.limits_memory());
        recipe.carry_out();
        let group = recipe.group();
        assert!(group.limits_processes() && !group.weighs());
    }

    #[test]
    fn what_cannot_be_done_is_told_and_can_be_tried_again() {
        let root = tempfile::tempdir().unwrap();
        let (together, own) = pretended(root.path());
        let limits = Limits {
            processes: Some(7),
            ..Limits::default()
        };
        let base = Base::Unified(root.path().to_owned());
        let recipe = Recipe::below(&base, &limits, Some("run")).unwrap();
        fs::rename(own.join("pids.events"), root.path().join("aside")).unwrap();
        recipe.carry_out();
        assert_eq!(recipe.failure().unwrap().kind(), io::ErrorKind::NotFound);
        fs::rename(root.path().join("aside"), own.join("pids.events")).unwrap();
        recipe.carry_out();
        assert!(recipe.failure().is_none() && recipe.group().limits_processes());
        fs::remove_dir_all(&own).unwrap();
        fs::create_dir(&own).unwrap();
        fs::remove_dir_all(&together).unwrap();
        fs::create_dir(&together).unwrap();
        // Another process has removed the group of the run in between.
        recipe.carry_out();
        assert_eq!(recipe.failure().unwrap().kind(), io::ErrorKind::NotFound);
        recipe.remove();
    }
}
