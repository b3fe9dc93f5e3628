//! Where control groups can be made: which version, mounted where, and which group the caller is in.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::statfs::{CGROUP_SUPER_MAGIC, statfs};
use nix::unistd::getuid;

use crate::cgroup::make;
use crate::order::Limits;
use crate::{delegation, sys};

/// Where groups can be made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// One hierarchy with all controllers.
    Unified(PathBuf),
    /// A hierarchy for each controller; one of them may be missing.
    Split {
        memory: Option<PathBuf>,
        pids: Option<PathBuf>,
        cpu: Option<PathBuf>,
    },
}

/// How limits are called in a hierarchy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    /// The file with the most memory, and the one with memory and swap together or with swap alone.
    pub(crate) memory: Option<MemoryFiles>,
    pub(crate) memory_events: &'static str,
    pub(crate) processes: bool,
    /// The file with the share of the processors, and what 100 of 100 is called in it.
    weight: Option<(&'static str, u64)>,
    pub(crate) unified: bool,
}

/// The two files of memory, and what the second means.
type MemoryFiles = (&'static str, &'static str, Swap);

/// What the second memory file means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swap {
    /// Swap alone.
    Alone,
    /// Memory and swap.
    Together,
}

const UNIFIED: Keys = Keys {
    memory: Some(("memory.max", "memory.swap.max", Swap::Alone)),
    memory_events: "memory.events",
    processes: true,
    weight: Some(("cpu.weight", 100)),
    unified: true,
};
const MEMORY: Keys = Keys {
    memory: Some((
        "memory.limit_in_bytes",
        "memory.memsw.limit_in_bytes",
        Swap::Together,
    )),
    memory_events: "memory.oom_control",
    processes: false,
    weight: None,
    unified: false,
};
const PIDS: Keys = Keys {
    memory: None,
    processes: true,
    ..MEMORY
};
const CPU: Keys = Keys {
    memory: None,
    weight: Some(("cpu.shares", 1024)),
    ..MEMORY
};

impl Keys {
    /// The file by which a process with one thread enters. For a thread that moves itself version 1 takes no lock over all
    /// forks of the host, for a process it does, and waits many milliseconds for it.
    pub(crate) fn entry(self) -> &'static str {
        if self.unified {
            "cgroup.procs"
        } else {
            "tasks"
        }
    }
}

impl Base {
    pub(crate) fn version(&self) -> &'static str {
        match self {
            Self::Unified(_) => "cgroup v2",
            Self::Split { .. } => "cgroup v1",
        }
    }

    /// Where groups are made for these limits.
    pub(crate) fn roots(&self, limits: &Limits) -> Vec<(&Path, Keys)> {
        let (memory, pids, cpu) = match self {
            Self::Unified(root) => return vec![(root, UNIFIED)],
            Self::Split { memory, pids, cpu } => (memory, pids, cpu),
        };
        // A group of its own has the share of one process of the host, so there is none unless a share is asked for.
        let cpu = cpu.as_deref().filter(|_| limits.cpu_weight.is_some());
        let memory = memory.as_deref().map(|root| (root, MEMORY));
        let pids = pids.as_deref().map(|root| (root, PIDS));
        let cpu = cpu.map(|root| (root, CPU));
        memory.into_iter().chain(pids).chain(cpu).collect()
    }
}

/// Where this process can make groups, or why nowhere.
pub(crate) fn find() -> Result<Base, String> {
    let read = |path: &str| {
        fs::read_to_string(path).map_err(|error| format!("cannot read `{path}`: {error}"))
    };
    let own = read("/proc/self/cgroup")?;
    if let Some(base) = usual(&own) {
        return Ok(base);
    }
    let mounts = read("/proc/self/mountinfo")?;
    let unified = unified(&mounts, &own).map(|root| match delegation::take(&root) {
        Ok(()) => Ok(Base::Unified(root)),
        Err(why) => Err(format!("in `{}` {why}", root.display())),
    });
    if let Some(Ok(base)) = unified {
        return Ok(base);
    }
    let split = |controller| split(&mounts, &own, controller).filter(|root| may_make(root));
    let (memory, pids, cpu) = (split("memory"), split("pids"), split("cpu"));
    if memory.is_some() || pids.is_some() {
        return Ok(Base::Split { memory, pids, cpu });
    }
    match unified {
        Some(refused) => refused,
        None => Err("no control groups that this user may use".to_owned()),
    }
}

/// How a user gets control groups: a word of systemd's, which hands a part of its tree over when it is asked to.
pub(crate) fn help() -> String {
    let user = if getuid().is_root() { "" } else { "--user " };
    format!("start seawall with `systemd-run {user}--scope -p Delegate=yes seawall ...`")
}

/// The hierarchies of version 1 where every host mounts them, without a look at the table of all mounts, which costs the kernel
/// as much as the groups themselves. `None` when one of them is anywhere else. A controller that is listed in version 1 cannot
/// be had in version 2.
fn usual(own: &str) -> Option<Base> {
    let place = |controller: &str| {
        let group = own_group(own, controller)?;
        let mount = Path::new("/sys/fs/cgroup").join(controller);
        let whole = is_whole_hierarchy(&mount)?;
        let root = place(&("/".to_owned(), mount), group);
        (whole && may_make(&root)).then_some(root)
    };
    let cpu = match own_group(own, "cpu") {
        Some(_) => Some(place("cpu")?),
        None => None,
    };
    let (memory, pids) = (Some(place("memory")?), Some(place("pids")?));
    Some(Base::Split { memory, pids, cpu })
}

/// Whether a hierarchy of version 1 is mounted there from its top on, which is the first inode of its file system.
fn is_whole_hierarchy(mount: &Path) -> Option<bool> {
    let kind = statfs(mount).ok()?.filesystem_type();
    Some(kind == CGROUP_SUPER_MAGIC && fs::metadata(mount).ok()?.ino() == 1)
}

/// The caller's own group in the unified hierarchy.
fn unified(mounts: &str, own: &str) -> Option<PathBuf> {
    let mount = mounts
        .lines()
        .find_map(|line| mounted(line, |kind, _| kind == "cgroup2"))?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let root = place(&mount, own);
    Some(match root.file_name() {
        Some(name) if name == delegation::SELF => root.parent()?.to_owned(),
        _ => root,
    })
}

/// The caller's own group in the hierarchy of a controller.
fn split(mounts: &str, own: &str, controller: &str) -> Option<PathBuf> {
    let listed = |list: &str| list.split(',').any(|name| name == controller);
    let mount = mounts
        .lines()
        .find_map(|line| mounted(line, |kind, options| kind == "cgroup" && listed(options)))?;
    Some(place(&mount, own_group(own, controller)?))
}

/// The caller's own group as `proc_pid_cgroup(5)` tells it for a controller of version 1.
fn own_group<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let listed = controllers.split(',').any(|name| name == controller);
        listed.then_some(path)
    })
}

/// A mount of the right kind: its root in the hierarchy and where it is (`proc_pid_mountinfo(5)`).
fn mounted(line: &str, fits: impl Fn(&str, &str) -> bool) -> Option<(String, PathBuf)> {
    let (front, back) = line.split_once(" - ")?;
    let mut back = back.split(' ');
    let (kind, options) = (back.next()?, back.nth(1)?);
    let mut front = front.split(' ').skip(3);
    let (root, at) = (front.next()?, front.next()?);
    fits(kind, options).then(|| (root.to_owned(), at.into()))
}

/// A group below a mount; the mount's own top where a container shows no more than that.
fn place((root, mount): &(String, PathBuf), own: &str) -> PathBuf {
    let below = own.strip_prefix(root.trim_end_matches('/')).unwrap_or(own);
    let found = mount.join(below.trim_start_matches('/'));
    if found.is_dir() { found } else { mount.clone() }
}

pub(crate) fn may_make(root: &Path) -> bool {
    nix::unistd::access(root, nix::unistd::AccessFlags::W_OK).is_ok()
}

/// Makes the group of all workers of a run, with a ceiling for them together, unless it is there. One whose maker was killed
/// before it was complete is completed: what is looked at is done last.
pub(crate) fn make_together(at: &Path, keys: Keys) -> io::Result<()> {
    let most = nine_tenths(sys::host_memory()?);
    if !make(at)? && is_complete(at, keys, most)? {
        return Ok(());
    }
    if let Some(files) = keys.memory {
        limit_memory(at, files, most)?;
    }
    if keys.processes {
        fs::write(at.join("pids.max"), MOST_TOGETHER)?;
    }
    match keys.unified {
        true => delegation::hand_down(at),
        false => Ok(()),
    }
}

/// In version 1 each of these hierarchies has one limit, and memory rounds it down to pages.
fn is_complete(at: &Path, keys: Keys, most: u64) -> io::Result<bool> {
    if keys.unified {
        return delegation::hands_down(at);
    }
    let (file, most) = match keys.memory {
        Some((memory, ..)) => (memory, most),
        None if keys.processes => ("pids.max", MOST_TOGETHER.parse().unwrap_or(0)),
        None => return Ok(true),
    };
    // A word, `max`, is no limit.
    let set = fs::read_to_string(at.join(file))?.trim().parse::<u64>();
    Ok(set.is_ok_and(|set| set <= most))
}

/// The most processes of a run: half of the smallest usual `pid_max`.
const MOST_TOGETHER: &str = "16384";

/// Whether the host can bear a limit on memory without a ceiling above it.
pub(crate) fn is_bearable(most: u64) -> bool {
    sys::host_memory().is_ok_and(|memory| most <= nine_tenths(memory))
}

fn nine_tenths(bytes: u64) -> u64 {
    bytes / 10 * 9
}

/// Sets the most memory of a group that is there.
fn limit_memory(at: &Path, files: MemoryFiles, most: u64) -> io::Result<()> {
    let [(memory, most), (swap, no_more)] = memory_limits(files, most);
    fs::write(at.join(memory), most)?;
    match fs::write(at.join(swap), no_more) {
        // A kernel without CONFIG_MEMCG_SWAP has no such file.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        done => done,
    }
}

/// What is written to which file so that there is no more memory, and no swap beyond it; a kernel that does not count swap lacks the
/// second file.
pub(crate) fn memory_limits(
    (memory, swap, means): MemoryFiles,
    most: u64,
) -> [(&'static str, String); 2] {
    let beyond = if means == Swap::Alone { 0 } else { most };
    [(memory, most.to_string()), (swap, beyond.to_string())]
}

/// What is written to which file of a group below a root for its share of the processors; `None` where the controller cannot be
/// had. The groups above it must be there.
pub(crate) fn share(
    root: &Path,
    own: &Path,
    keys: Keys,
    weight: u64,
) -> Option<(&'static str, String)> {
    let (file, usual) = keys.weight?;
    if keys.unified {
        let above = own.ancestors().skip(1);
        let mut above: Vec<_> = above.take_while(|group| group.starts_with(root)).collect();
        above.reverse();
        for group in above {
            // Not among what is delegated: memory and processes are limited all the same.
            fs::write(group.join("cgroup.subtree_control"), "+cpu").ok()?;
        }
    }
    let weight = match keys.unified {
        true => weight,
        false => (weight * usual / 100).max(LEAST_SHARES),
    };
    Some((file, weight.to_string()))
}

/// The least of `cpu.shares` (`MIN_SHARES` in the kernel's sched.h).
const LEAST_SHARES: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const SPLIT: &str = "\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/cpu rw,relatime shared:3 - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 / /nowhere rw,relatime - cgroup2 cgroup2 rw,nsdelegate
";
    const OWN: &str = "4:memory:/a/b\n3:cpu,cpuacct:/\n1:name=systemd:/\n0::/user.slice/x.scope\n";

    #[test]
    fn the_hierarchies_are_found() {
        // What a mount does not show is replaced by its top.
        assert_eq!(
            split(SPLIT, OWN, "memory"),
            Some(if Path::new("/sys/fs/cgroup/memory/a/b").is_dir() {
                "/sys/fs/cgroup/memory/a/b".into()
            } else {
                "/sys/fs/cgroup/memory".into()
            })
        );
        assert_eq!(split(SPLIT, OWN, "pids"), None);
        assert_eq!(unified(SPLIT, OWN), Some("/nowhere".into()));
        assert_eq!(unified("", OWN), None);
    }

    #[test]
    fn a_group_lies_below_the_mount() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("b/c")).unwrap();
        let mount = ("/a".to_owned(), directory.path().to_owned());
        assert_eq!(place(&mount, "/a/b/c"), directory.path().join("b/c"));
        assert_eq!(place(&mount, "/a"), directory.path());
        assert_eq!(place(&mount, "/elsewhere"), directory.path());
    }

    #[test]
    fn all_workers_together_have_a_ceiling() {
        let root = tempfile::tempdir().unwrap();
        let together = root.path().join("seawall-run");
        make_together(&together, UNIFIED).unwrap();
        let read = |file: &str| fs::read_to_string(together.join(file)).unwrap();
        assert_eq!(read("cgroup.subtree_control"), "+memory +pids");
        assert_eq!(read("pids.max"), MOST_TOGETHER);
        let most = nine_tenths(sys::host_memory().unwrap());
        assert_eq!(read("memory.max"), most.to_string());
        assert_eq!(read("memory.swap.max"), "0");
    }

    #[test]
    fn a_ceiling_whose_maker_was_killed_is_completed() {
        let most = nine_tenths(sys::host_memory().unwrap());
        let whole = most.to_string();
        for (keys, half, file, expected) in [
            (
                UNIFIED,
                ("cgroup.subtree_control", ""),
                "memory.max",
                &*whole,
            ),
            (
                UNIFIED,
                ("cgroup.subtree_control", "memory"),
                "pids.max",
                MOST_TOGETHER,
            ),
            (
                MEMORY,
                ("memory.limit_in_bytes", "9223372036854771712\n"),
                "memory.limit_in_bytes",
                &whole,
            ),
            (PIDS, ("pids.max", "max\n"), "pids.max", MOST_TOGETHER),
        ] {
            let root = tempfile::tempdir().unwrap();
            let together = root.path().join("seawall-run");
            fs::create_dir(&together).unwrap();
            fs::write(together.join(half.0), half.1).unwrap();
            make_together(&together, keys).unwrap();
            assert_eq!(fs::read_to_string(together.join(file)).unwrap(), expected);
        }
        // A complete one is left as it is.
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("run")).unwrap();
        let limit = root.path().join("run/memory.limit_in_bytes");
        fs::write(&limit, "4096\n").unwrap();
        make_together(&root.path().join("run"), MEMORY).unwrap();
        assert_eq!(fs::read_to_string(limit).unwrap(), "4096\n");
    }

    #[test]
    fn a_share_of_the_processors_is_written_in_the_unit_of_the_hierarchy() {
        for (keys, weight, file, expected) in [
            (UNIFIED, 1, "cpu.weight", Some("1")),
            (UNIFIED, 10_000, "cpu.weight", Some("10000")),
            (CPU, 100, "cpu.shares", Some("1024")),
            (CPU, 10_000, "cpu.shares", Some("102400")),
            (CPU, 1, "cpu.shares", Some("10")),
            (PIDS, 100, "cpu.shares", None),
        ] {
            let root = tempfile::tempdir().unwrap();
            let own = root.path().join("own");
            let share = share(root.path(), &own, keys, weight);
            assert_eq!(share, expected.map(|expected| (file, expected.to_owned())));
        }
    }
}
