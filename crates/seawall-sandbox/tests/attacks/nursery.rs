//! The process that forks launchers: who dies when, what a launcher of it inherits, and that nothing is left of it.
//!
//! This program has one thread and little memory, and would fork its launchers itself: every test here has company.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use seawall_sandbox::{End, spawn};

use crate::Test;
use crate::ends;
use crate::fixture::{Fixture, Mode, alive, eventually, fresh_mark};

pub(crate) const TESTS: &[Test] = &[
    (
        "nursery: a launcher is as its supervisor would have it",
        alike,
    ),
    ("nursery: it cannot be looked into", closed),
    ("nursery: its death is not noticed by a command", death),
    (
        "nursery: its deaths are not noticed by many threads",
        deaths,
    ),
    ("nursery: it ends with the supervisor", supervisor),
    ("nursery: dropping kills", dropping),
    ("nursery: a fork of a supervisor has its own", forked),
    ("nursery: many launches leave nothing", many),
];

/// Launches of [`many`], which is run as two users and in two modes.
const LAUNCHES: usize = 500;

/// Does something in a process with another thread.
fn in_company<T>(act: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (over, end) = mpsc::channel::<()>();
        scope.spawn(move || end.recv().is_err());
        let done = act();
        drop(over);
        done
    })
}

/// The children of a process, whichever of its threads made them.
fn children(of: u32) -> BTreeSet<u32> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).unwrap();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok());
    let mut found = BTreeSet::new();
    for list in lists {
        found.extend(
            list.split_ascii_whitespace()
                .map(|pid| pid.parse::<u32>().unwrap()),
        );
    }
    found
}

/// The child that was executed as a launcher: those of a supervisor are forked, which the kernel remembers
/// (`PF_FORKNOEXEC`, the ninth field of `proc_pid_stat(5)`).
fn nursery(of: u32) -> Option<u32> {
    let executed = |pid: &u32| {
        let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let flags = line.rsplit_once(')')?.1.split_ascii_whitespace().nth(6)?;
        Some(flags.parse::<u32>().ok()? & 0x40 == 0)
    };
    let called_so = |pid: &u32| {
        let words = fs::read(format!("/proc/{pid}/cmdline"));
        words.is_ok_and(|words| words.ends_with(b"\0__launch\x000\0"))
    };
    let mut found = children(of).into_iter().filter(called_so);
    found.find(|pid| executed(pid) == Some(true))
}

fn end(pid: u32) {
    kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
}

/// A field of `/proc/PID/status`.
fn status(pid: u32, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim().to_owned()
}

/// What only root can see of it.
fn look_into(pid: u32) -> Vec<String> {
    let about = |leaf: &str| Path::new("/proc").join(pid.to_string()).join(leaf);
    let mut seen = vec![
        format!("{:?}", fs::read_link(about("cwd")).unwrap()),
        format!("{} bytes", fs::read(about("environ")).unwrap().len()),
    ];
    let mut open: Vec<_> = fs::read_dir(about("fd"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    open.sort();
    seen.extend(open.iter().map(|path| {
        let target = fs::read_link(path).unwrap();
        let kind = target
            .to_string_lossy()
            .split(':')
            .next()
            .unwrap()
            .to_owned();
        format!("{:?} {kind}", path.file_name().unwrap())
    }));
    seen
}

/// What is to be the same for every launcher: signals, directory, environment, session, descriptors, order of death. Its keeper
/// runs in its memory, so that it cannot be looked into but by root.
fn look(pid: u32) -> Vec<String> {
    let about = |leaf: &str| Path::new("/proc").join(pid.to_string()).join(leaf);
    let mut seen: Vec<_> = ["SigBlk:", "SigCgt:", "CapEff:", "Uid:", "Threads:"]
        .map(|name| format!("{name} {}", status(pid, name)))
        .into();
    // The C library has a program that it starts ignore two signals of its own.
    let ignored = u64::from_str_radix(&status(pid, "SigIgn:"), 16).unwrap() & !(3 << 31);
    seen.push(format!("{ignored:x} ignored"));
    if nix::unistd::geteuid().is_root() {
        seen.extend(look_into(pid));
    } else {
        let refused = fs::read(about("environ")).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
    }
    let [own, score] = [std::process::id(), pid]
        .map(|pid| fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap());
    assert_eq!(own, score, "its tree goes first, not the launcher");
    let process = Pid::from_raw(pid.try_into().unwrap());
    seen.push(format!(
        "{}",
        nix::unistd::getsid(Some(process)).unwrap() == process
    ));
    let parent = status(pid, "PPid:") == std::process::id().to_string();
    seen.push(format!("child of the supervisor: {parent}"));
    seen
}

/// One that the supervisor forks itself is the measure.
fn alike(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let seen = || {
        let confined = spawn(&fixture.order(&["sleep", &mark])).unwrap();
        eventually("the worker is up", || alive(&mark).len() == 1);
        let seen = look(confined.pid());
        drop(confined);
        seen
    };
    let alone = seen();
    // The environment of a fork is that of the supervisor until it is overwritten; a nursery has none.
    let mut expected = alone.clone();
    for line in &mut expected {
        if line.ends_with(" bytes") {
            *line = "0 bytes".to_owned();
        }
    }
    assert_eq!(in_company(seen), expected);
    assert_eq!(alone.last().unwrap(), "child of the supervisor: true");
}

fn closed(mode: Mode) {
    let fixture = Fixture::new(mode);
    in_company(|| {
        fixture.run(&fixture.order(&["exit", "0"]));
        let nursery = nursery(std::process::id()).unwrap();
        let about = |leaf: &str| format!("/proc/{nursery}/{leaf}");
        if nix::unistd::getuid().is_root() {
            assert_eq!(fs::read(about("environ")).unwrap(), b"");
            assert_eq!(fs::read_dir(about("fd")).unwrap().count(), 4);
        } else {
            assert!(fs::read(about("environ")).is_err());
            assert!(fs::read_dir(about("fd")).is_err());
        }
        assert_eq!(children(nursery), BTreeSet::new());
    });
}

fn death(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    in_company(|| {
        let running = spawn(&fixture.order(&["all-of", "say", "up", ",", "sleep", &mark])).unwrap();
        let stopper = running.stopper().unwrap();
        eventually("the worker is up", || fixture.output() == "up\n");
        let first = nursery(std::process::id()).unwrap();
        end(first);
        let other = Fixture::new(mode);
        assert_eq!(other.run(&other.order(&["exit", "3"])).end, End::Exited(3));
        let second = nursery(std::process::id()).unwrap();
        assert_ne!(first, second);
        assert!(
            !Path::new(&format!("/proc/{first}")).exists(),
            "it is left as a zombie"
        );
        assert_eq!(alive(&mark).len(), 1);
        stopper.stop().unwrap();
        assert_eq!(running.finish().unwrap().end, End::Stopped);
        assert_eq!(alive(&mark), [0; 0]);
    });
}

/// Each death may cost each thread one request, so the next comes when all have had an answer.
fn deaths(mode: Mode) {
    const THREADS: usize = 8;
    const ROUNDS: usize = 16;
    let launched = AtomicUsize::new(0);
    let launch_all = |number: usize| {
        let fixture = Fixture::new(mode);
        for round in 0..ROUNDS {
            let said = format!("{number}-{round}");
            let report = fixture.run(&fixture.order(&["say", &said]));
            launched.fetch_add(1, Ordering::Relaxed);
            assert_eq!(report.end, End::Exited(0));
            assert_eq!(fixture.output().trim(), said);
        }
    };
    std::thread::scope(|scope| {
        let threads = (0..THREADS).map(|number| scope.spawn(move || launch_all(number)));
        let threads: Vec<_> = threads.collect();
        let mut next = 1;
        while !threads.iter().all(ScopedJoinHandle::is_finished) {
            if launched.load(Ordering::Relaxed) >= next {
                nursery(std::process::id()).into_iter().for_each(end);
                next = launched.load(Ordering::Relaxed) + THREADS + 1;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// A supervisor with threads, to be killed.
pub(crate) fn supervise(directory: &str, mark: &str) -> ExitCode {
    in_company(|| ends::supervise(directory, mark))
}

fn supervisor(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["__supervisor-in-company", &fixture.text(""), &mark])
        .stdin(Stdio::null());
    if mode.namespaces {
        command.env("NAMESPACES", "1");
    }
    let mut supervisor = command.spawn().unwrap();
    eventually("the tree is up", || alive(&mark).len() >= 23);
    let below = children(supervisor.id());
    assert_eq!(below.len(), 2, "a launcher and a nursery");
    let lock = || {
        let file = File::open(fixture.path("alive")).unwrap();
        Flock::lock(file, FlockArg::LockExclusiveNonblock)
    };
    assert!(lock().is_err(), "the tree lives and the lock is free");
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    eventually("the lock is free", || lock().is_ok());
    assert_eq!(alive(&mark), [0; 0]);
    let gone =
        |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).map_or(true, |line| line.is_empty());
    eventually("launcher and nursery are gone", || below.iter().all(gone));
}

fn dropping(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    in_company(|| {
        let confined =
            spawn(&fixture.order(&["all-of", "daemon", &mark, ",", "stubborn", &mark])).unwrap();
        let launcher = confined.pid();
        eventually("the tree is up", || alive(&mark).len() == 2);
        drop(confined);
        assert_eq!(alive(&mark), [0; 0]);
        assert!(!Path::new(&format!("/proc/{launcher}")).exists());
    });
}

/// A program of another process id must not ask a nursery that it has inherited.
fn forked(mode: Mode) {
    let fixture = Fixture::new(mode);
    in_company(|| fixture.run(&fixture.order(&["exit", "0"])));
    let before = nursery(std::process::id()).unwrap();
    assert!(in_a_fork(|| {
        let ended = in_company(|| fixture.run(&fixture.order(&["exit", "5"])).end);
        assert_eq!(ended, End::Exited(5));
        assert!(nursery(std::process::id()).is_some_and(|own| own != before));
    }));
    assert_eq!(nursery(std::process::id()), Some(before));
    in_company(|| {
        assert_eq!(
            fixture.run(&fixture.order(&["exit", "6"])).end,
            End::Exited(6)
        )
    });
}

/// Whether an act succeeds in a fork of this program, which has one thread here.
#[expect(unsafe_code, reason = "to fork")]
fn in_a_fork(act: impl FnOnce()) -> bool {
    // SAFETY: the company has left, so no lock is held by a thread that the child lacks.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => waitpid(child, None) == Ok(WaitStatus::Exited(child, 0)),
        ForkResult::Child => {
            let done = catch_unwind(AssertUnwindSafe(act));
            std::process::exit(i32::from(done.is_err()))
        }
    }
}

fn many(mode: Mode) {
    let launch = |times: usize| {
        let fixture = Fixture::new(mode);
        for _ in 0..times {
            assert_eq!(
                fixture.run(&fixture.order(&["exit", "0"])).end,
                End::Exited(0)
            );
        }
    };
    let count = |pid: u32| {
        fs::read_dir(format!("/proc/{pid}/fd"))
            .map(Iterator::count)
            .ok()
    };
    in_company(|| launch(1));
    let (own, all) = (std::process::id(), children(std::process::id()));
    let nursery = nursery(own).unwrap();
    let before = (count(own), count(nursery));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| launch(LAUNCHES / 4));
        }
    });
    assert_eq!((count(own), count(nursery)), before);
    assert_eq!(children(own), all);
    assert_eq!(children(nursery), BTreeSet::new());
}
