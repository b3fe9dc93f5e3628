//! What a group of version 2 must give before groups can be made in it: its controllers, a manager who has given it away, and no
//! members of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::getuid;

use crate::cgroup::make;
use crate::hierarchy::may_make;
use crate::sys;

/// The group into which the caller moves itself when that is what stands between it and groups below its own.
pub(crate) const SELF: &str = "seawall-self";

/// Has the controllers handed down to groups below the caller's own, which must then have no members itself. Nothing is touched
/// that somebody else manages.
pub(crate) fn take(root: &Path) -> Result<(), String> {
    let in_words = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => "nothing is delegated to this user".to_owned(),
        _ => format!("the controllers memory and pids cannot be handed to groups below: {error}"),
    };
    if hands_down(root).map_err(in_words)? {
        // It may be somebody else who has groups there.
        return may_make(root)
            .then_some(())
            .ok_or_else(|| in_words(io::ErrorKind::PermissionDenied.into()));
    }
    let movable = match claim(root) {
        Claim::Ours(unit) => {
            hand_down_above(root, &unit).map_err(in_words)?;
            Movable::All
        }
        Claim::Unknown => Movable::Own,
        Claim::Foreign => return Err("nothing is delegated: its unit is systemd's".to_owned()),
    };
    match hand_down(root) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
        done => return done.map_err(in_words),
    }
    move_aside(root, movable)?;
    hand_down(root).map_err(in_words)
}

pub(crate) fn hands_down(group: &Path) -> io::Result<bool> {
    let have = fs::read_to_string(group.join("cgroup.subtree_control"))?;
    let has = |name| have.split_whitespace().any(|known| known == name);
    Ok(has("memory") && has("pids"))
}

pub(crate) fn hand_down(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.subtree_control"), "+memory +pids")
}

/// The same in what lies between a unit and a group in it: a unit with `DelegateSubgroup=` has its processes in such a group, and
/// nobody has asked for controllers there yet.
fn hand_down_above(group: &Path, unit: &Path) -> io::Result<()> {
    let between = group.ancestors().skip(1);
    let mut between: Vec<_> = between
        .take_while(|above| above.starts_with(unit))
        .collect();
    between.reverse();
    for above in between {
        if !hands_down(above)? {
            hand_down(above)?;
        }
    }
    Ok(())
}

/// Whose a part of the tree is. Each part has one who manages it, and where systemd runs that is systemd, unless a unit says
/// `Delegate=`: to make groups elsewhere would be to work against it, even where the files can be written.
#[derive(Debug, PartialEq, Eq)]
enum Claim {
    /// It was delegated, with this unit.
    Ours(PathBuf),
    /// Its unit was not delegated.
    Foreign,
    /// There is no unit, as in a container, or its manager leaves no mark, or none that this user can read.
    Unknown,
}

fn claim(group: &Path) -> Claim {
    claimed(group, getuid().is_root(), is_marked)
}

fn claimed(group: &Path, root: bool, is_marked: impl Fn(&Path) -> bool) -> Claim {
    let Some(unit) = group.ancestors().find(|group| is_unit(group)) else {
        return Claim::Unknown;
    };
    if is_marked(unit) {
        return Claim::Ours(unit.to_owned());
    }
    // The manager of a user marks nothing; it is a delegated unit itself.
    let of_a_user = unit.ancestors().any(is_marked);
    match root && !of_a_user {
        true => Claim::Foreign,
        false => Claim::Unknown,
    }
}

/// The kinds of units in which programs are started.
fn is_unit(group: &Path) -> bool {
    let kind = group.extension();
    kind.is_some_and(|kind| kind == "scope" || kind == "service")
}

/// The marks that systemd leaves on units of the host: since version 251 for everybody to read, before that for root.
fn is_marked(unit: &Path) -> bool {
    let marks = [c"user.delegate", c"trusted.delegate"];
    marks.iter().any(|mark| sys::is_set(unit, mark))
}

/// Which processes may be moved aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Movable {
    /// Whatever was started in a delegated unit: a shell, the script that calls this program.
    All,
    /// This program's.
    Own,
}

/// How often members are listed: they start others meanwhile.
const LISTS: usize = 20;

/// Moves the members of a group into one below it; when there is one that may not be moved, nothing is done.
fn move_aside(root: &Path, movable: Movable) -> Result<(), String> {
    let cannot = |error: io::Error| format!("processes cannot be moved aside: {error}");
    let list = || fs::read_to_string(root.join("cgroup.procs")).map_err(cannot);
    if movable == Movable::Own
        && let Some(other) = list()?.lines().find(|pid| !is_this_program(pid))
    {
        return Err(told_of(other));
    }
    let aside = root.join(SELF);
    make(&aside).map_err(cannot)?;
    for _ in 0..LISTS {
        let members = list()?;
        if members.is_empty() {
            return Ok(());
        }
        for pid in members.lines() {
            move_one(pid, &aside).map_err(cannot)?;
        }
    }
    Err("processes are started faster than they can be moved aside".to_owned())
}

fn move_one(pid: &str, aside: &Path) -> io::Result<()> {
    match fs::write(aside.join("cgroup.procs"), pid) {
        // It has ended meanwhile.
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        done => done,
    }
}

/// Whether a process is of this program, or has ended meanwhile.
fn is_this_program(pid: &str) -> bool {
    match fs::read_link(format!("/proc/{pid}/exe")) {
        Ok(exe) => fs::read_link("/proc/self/exe").is_ok_and(|ours| ours == exe),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn told_of(pid: &str) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!(
        "there are other processes (`{}`, {pid}), and groups can be made only where there is none",
        name.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pretended directory tree: which files are written, and not what a kernel does then.
    #[test]
    fn what_is_delegated_is_handed_down() {
        let root = tempfile::tempdir().unwrap();
        let control = root.path().join("cgroup.subtree_control");
        fs::write(&control, "cpu memory pids\n").unwrap();
        take(root.path()).unwrap();
        assert_eq!(fs::read_to_string(&control).unwrap(), "cpu memory pids\n");
        fs::write(&control, "cpu\n").unwrap();
        take(root.path()).unwrap();
        assert_eq!(fs::read_to_string(&control).unwrap(), "+memory +pids");
        fs::remove_file(&control).unwrap();
        assert!(take(root.path()).is_err());
    }

    #[test]
    fn a_group_is_whose_unit_was_delegated() {
        // What a host with systemd 257 looks like; a manager of a user marks nothing below it.
        let marked = |unit: &Path| {
            let marked = [
                "/c/system.slice/job.service",
                "/c/system.slice/run-1.scope",
                "/c/user.slice/user-1000.slice/user@1000.service",
            ];
            marked.iter().any(|path| Path::new(path) == unit)
        };
        let ours = |unit: &str| Claim::Ours(unit.into());
        for (group, by_root, by_user) in [
            (
                "/c/system.slice/run-1.scope",
                ours("/c/system.slice/run-1.scope"),
                ours("/c/system.slice/run-1.scope"),
            ),
            (
                "/c/system.slice/job.service/main",
                ours("/c/system.slice/job.service"),
                ours("/c/system.slice/job.service"),
            ),
            (
                "/c/user.slice/user-0.slice/session-1.scope",
                Claim::Foreign,
                Claim::Unknown,
            ),
            (
                "/c/user.slice/user-1000.slice/user@1000.service/app.slice/run-2.scope",
                Claim::Unknown,
                Claim::Unknown,
            ),
            ("/c", Claim::Unknown, Claim::Unknown),
            ("/c/docker/0123", Claim::Unknown, Claim::Unknown),
        ] {
            assert_eq!(claimed(Path::new(group), true, marked), by_root, "{group}");
            assert_eq!(claimed(Path::new(group), false, marked), by_user, "{group}");
        }
    }

    #[test]
    fn a_unit_hands_down_to_a_group_in_it() {
        let root = tempfile::tempdir().unwrap();
        let unit = root.path().join("job.service");
        let group = unit.join("a/b");
        fs::create_dir_all(&group).unwrap();
        for (at, have) in [(&unit, "memory pids"), (&unit.join("a"), ""), (&group, "")] {
            fs::write(at.join("cgroup.subtree_control"), have).unwrap();
        }
        hand_down_above(&group, &unit).unwrap();
        let read = |at: &Path| fs::read_to_string(at.join("cgroup.subtree_control")).unwrap();
        assert_eq!(read(&unit), "memory pids");
        assert_eq!(read(&unit.join("a")), "+memory +pids");
        assert_eq!(read(&group), "");
    }

    /// A process of another program is left where it is, and no group is made for ours then.
    #[test]
    fn who_is_in_the_way_is_told_and_nothing_is_made() {
        let root = tempfile::tempdir().unwrap();
        let mut other = std::process::Command::new("sleep")
            .arg("600")
            .spawn()
            .unwrap();
        let members = format!("{}\n{}\n", std::process::id(), other.id());
        fs::write(root.path().join("cgroup.procs"), members).unwrap();
        let told = move_aside(root.path(), Movable::Own).unwrap_err();
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(
            told.contains(&format!("(`sleep`, {})", other.id())),
            "{told}"
        );
        assert!(!root.path().join(SELF).exists());
    }
}
