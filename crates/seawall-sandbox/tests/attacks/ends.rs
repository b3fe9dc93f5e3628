//! How commands end: by themselves, by a limit, by a stop, or because somebody above them died. Nothing survives.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio as Pipe};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use seawall_sandbox::{
    End, Limits, Network, Opens, Order, Output, State, Stdin, WORKSPACE_MARK, run, spawn,
};

use crate::Test;
use crate::fixture::{
    Fixture, Mode, PATIENCE, alive, command, eventually, fresh_mark, make_executable,
};

pub(crate) const TESTS: &[Test] = &[
    ("ends: the exit status is passed on", status),
    ("ends: a missing command could not start", missing),
    (
        "ends: a script without an interpreter is run by the shell",
        script,
    ),
    ("ends: standard input comes from a file", input),
    ("ends: marks become paths", marks),
    ("ends: a flood is cut at the cap", flood),
    ("ends: a run that is too long is ended", timeout),
    ("ends: a silent run is ended", silence),
    ("ends: a stubborn process is killed", stubborn),
    ("ends: nothing survives its parent", survivors),
    ("ends: a stop is heard once and for all", stop),
    ("ends: dropping kills", dropping),
    ("ends: the death of the supervisor kills", supervisor),
    ("ends: the death of the launcher kills", launcher),
    (
        "ends: a supervisor that launches itself leaves no groups when it is killed",
        launching_supervisor,
    ),
    (
        "ends: private directories are made and removed",
        made_for_it,
    ),
    ("ends: the tree goes first when memory is short", goes_first),
    ("ends: the death of the keeper is reported", keeper),
    ("ends: limits hold", limits),
    ("ends: a limit of processes holds or is told", process_limit),
    ("ends: a limit of memory holds", memory_limit),
    ("ends: many run side by side", many),
    ("ends: the descriptor tells when it is over", readable),
];

const NOBODY: [u32; 0] = [];

fn status(mode: Mode) {
    let fixture = Fixture::new(mode);
    assert_eq!(
        fixture.run(&fixture.order(&["exit", "7"])).end,
        End::Exited(7)
    );
    assert_eq!(fixture.run(&fixture.order(&["die"])).end, End::Signalled(9));
    let report = fixture.run(&fixture.order(&["say", "hello", "world"]));
    assert_eq!(
        (report.end, report.leftovers, fixture.output().as_str()),
        (End::Exited(0), 0, "hello world\n")
    );
    assert_eq!((report.output_bytes, report.output_kept), (12, 12));
}

fn missing(mode: Mode) {
    let fixture = Fixture::new(mode);
    for program in ["no-such-command", "/no/such/command", "./src/b.py"] {
        let order = Order {
            argv: vec![program.into()],
            ..fixture.order(&[])
        };
        match fixture.run(&order).end {
            End::CouldNotStart { step, .. } => assert_eq!(step, format!("exec `{program}`")),
            other => panic!("{other:?}"),
        }
    }
}

fn script(mode: Mode) {
    let fixture = Fixture::new(mode);
    fs::write(fixture.work("script"), "echo \"$1\"\n").unwrap();
    make_executable(&fixture.work("script"));
    let order = Order {
        argv: vec!["./script".into(), "two words".into()],
        ..fixture.order(&[])
    };
    assert_eq!(
        (fixture.run(&order).end, fixture.output().as_str()),
        (End::Exited(0), "two words\n")
    );
}

fn input(mode: Mode) {
    let fixture = Fixture::new(mode);
    let order = Order {
        stdin: Stdin::File(fixture.path("user/.ssh/id_ed25519")),
        ..fixture.order(&["echo"])
    };
    assert_eq!(
        (fixture.run(&order).end, fixture.output().as_str()),
        (End::Exited(0), "secret key")
    );
    std::os::unix::fs::symlink("/etc/passwd", fixture.path("link")).unwrap();
    assert!(
        spawn(&Order {
            stdin: Stdin::File(fixture.path("link")),
            ..order.clone()
        })
        .is_err()
    );
    assert!(
        spawn(&Order {
            output: Output::File {
                path: fixture.path("link"),
                cap: 1
            },
            ..order
        })
        .is_err()
    );
}

fn marks(mode: Mode) {
    let fixture = Fixture::new(mode);
    fixture.run(&fixture.order(&["say", WORKSPACE_MARK]));
    let expected = if mode.namespaces {
        fixture.path("repo")
    } else {
        fixture.work("")
    };
    assert_eq!(
        Path::new(fixture.output().trim())
            .components()
            .collect::<Vec<_>>(),
        expected.components().collect::<Vec<_>>()
    );
}

fn flood(mode: Mode) {
    let fixture = Fixture::new(mode);
    let report = fixture.run(&fixture.order(&["flood", "200"]));
    assert_eq!(
        (report.end, report.output_bytes, report.output_kept),
        (End::Exited(0), 200 << 20, 1 << 20)
    );
    assert_eq!(fs::metadata(fixture.path("output")).unwrap().len(), 1 << 20);
}

fn limited(fixture: &Fixture, act: &[&str], limits: Limits) -> Order {
    let limits = Limits {
        grace: Duration::from_millis(300),
        ..limits
    };
    Order {
        limits,
        ..fixture.order(act)
    }
}

fn timeout(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let wall = Duration::from_millis(400);
    for act in ["sleep", "stubborn", "brood-and-wait"] {
        let report = fixture.run(&limited(
            &fixture,
            &[act, &mark],
            Limits {
                wall: Some(wall),
                ..Limits::default()
            },
        ));
        assert_eq!(report.end, End::TimedOut);
        assert!(report.wall >= wall && report.wall < PATIENCE, "{report:?}");
        assert_eq!(alive(&mark), NOBODY);
    }
}

fn silence(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let silence = Some(Duration::from_millis(400));
    let act = ["all-of", "say", "hello", ",", "sleep", &mark];
    let report = fixture.run(&limited(
        &fixture,
        &act,
        Limits {
            silence,
            ..Limits::default()
        },
    ));
    assert_eq!(
        (report.end, fixture.output().as_str()),
        (End::Silent, "hello\n")
    );
    assert_eq!(alive(&mark), NOBODY);
}

fn stubborn(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let wall = Some(Duration::from_millis(200));
    let started = Instant::now();
    let report = fixture.run(&limited(
        &fixture,
        &["stubborn", &mark],
        Limits {
            wall,
            ..Limits::default()
        },
    ));
    assert_eq!(report.end, End::TimedOut);
    assert!(
        started.elapsed() >= Duration::from_millis(500),
        "it was given no grace"
    );
    assert_eq!(alive(&mark), NOBODY);
}

fn survivors(mode: Mode) {
    for (act, fewest) in [("daemon", 1), ("stopped", 1), ("brood", 20), ("hopper", 1)] {
        let fixture = Fixture::new(mode);
        let mark = fresh_mark();
        let report = fixture.run(&fixture.order(&[act, &mark]));
        assert_eq!(report.end, End::Exited(0), "{act}");
        assert_eq!(alive(&mark), NOBODY, "{act}");
        assert!(
            report.leftovers >= fewest || act == "daemon" || act == "stopped",
            "{act}: {report:?}"
        );
    }
}

fn stop(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let confined = spawn(&fixture.order(&["all-of", "say", "up", ",", "sleep", &mark])).unwrap();
    let stopper = confined.stopper().unwrap();
    eventually("the worker is up", || fixture.output() == "up\n");
    for _ in 0..3 {
        stopper.stop().unwrap();
    }
    assert_eq!(confined.finish().unwrap().end, End::Stopped);
    stopper.stop().unwrap();
    assert_eq!(alive(&mark), NOBODY);
}

fn dropping(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let confined = spawn(&fixture.order(&["stubborn", &mark])).unwrap();
    let stopper = confined.stopper().unwrap();
    eventually("the worker is up", || alive(&mark).len() == 1);
    drop(confined);
    assert_eq!(alive(&mark), NOBODY);
    stopper.stop().unwrap();
}

/// A supervisor of its own, to be killed; it waits.
pub(crate) fn supervise(directory: &str, mark: &str) -> ExitCode {
    spawn(&brood(directory, mark)).unwrap().finish().unwrap();
    ExitCode::SUCCESS
}

/// The same that does the launcher's work itself.
pub(crate) fn supervise_alone(directory: &str, mark: &str) -> ExitCode {
    run(&brood(directory, mark)).unwrap();
    ExitCode::SUCCESS
}

fn brood(directory: &str, mark: &str) -> Order {
    let directory = Path::new(directory);
    Order {
        argv: command(&[
            "all-of", "daemon", mark, ",", "brood", mark, ",", "stubborn", mark,
        ]),
        env: Vec::new(),
        workspace: directory.join("repo/.git/seawall/work"),
        appears_at: Some(directory.join("repo")),
        cwd: None,
        write: seawall_sandbox::Write::Workspace,
        read: vec![std::env::current_exe().unwrap()],
        home: directory.join("repo/.git/seawall/home"),
        tmp: directory.join("repo/.git/seawall/tmp"),
        stdin: Stdin::Null,
        output: Output::File {
            path: directory.join("output"),
            cap: 1 << 20,
        },
        limits: bounded(),
        alive: Some(directory.join("alive")),
        namespaces: std::env::var_os("NAMESPACES").is_some(),
        opens: Opens::default(),
        floor: Vec::new(),
        run: None,
        network: Network::default(),
        overlay: None,
        carry: Vec::new(),
    }
}

/// Limits that a control group of its own can hold.
fn bounded() -> Limits {
    Limits {
        memory: Some(1 << 30),
        processes: Some(512),
        grace: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// The control groups that a launcher has made, wherever they are mounted.
fn groups_of(launcher: u32) -> Vec<PathBuf> {
    let name = format!("seawall-{launcher}");
    let (mut found, mut open) = (Vec::new(), vec![PathBuf::from("/sys/fs/cgroup")]);
    while let Some(group) = open.pop() {
        // A group of another test may vanish meanwhile.
        for entry in fs::read_dir(&group).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
                found.extend((*entry.file_name() == *name).then(|| entry.path()));
            }
        }
    }
    found
}

/// Whether groups can be made here.
fn has_groups() -> bool {
    let features = seawall_sandbox::host().features;
    let mut found = features.iter();
    found.any(|feature| feature.name == seawall_sandbox::CONTROL_GROUPS && feature.have)
}

fn supervisor(mode: Mode) {
    killed_supervisor(mode, "__supervisor");
}

fn launching_supervisor(mode: Mode) {
    killed_supervisor(mode, "__supervisor-alone");
}

fn killed_supervisor(mode: Mode, kind: &str) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let mut supervisor = Command::new(std::env::current_exe().unwrap());
    supervisor
        .args([kind, &fixture.text(""), &mark])
        .stdin(Pipe::null());
    if mode.namespaces {
        supervisor.env("NAMESPACES", "1");
    }
    let mut supervisor = supervisor.spawn().unwrap();
    // The supervisor itself has the mark too; the brood is twenty, the daemon and the stubborn one are two.
    eventually("the tree is up", || alive(&mark).len() >= 23);
    let lock = || {
        Flock::lock(
            File::open(fixture.path("alive")).unwrap(),
            FlockArg::LockExclusiveNonblock,
        )
    };
    assert!(lock().is_err(), "the tree lives and the lock is free");
    let launches = kind == "__supervisor-alone";
    assert_eq!(
        !groups_of(supervisor.id()).is_empty(),
        launches && has_groups()
    );
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    eventually("the lock is free", || lock().is_ok());
    assert_eq!(alive(&mark), NOBODY);
    assert_eq!(groups_of(supervisor.id()), Vec::<PathBuf>::new());
}

fn goes_first(mode: Mode) {
    let fixture = Fixture::new(mode);
    let order = Order {
        argv: ["/bin/cat", "/proc/self/oom_score_adj"]
            .map(Into::into)
            .into(),
        ..fixture.order(&[])
    };
    assert_eq!(fixture.run(&order).end, End::Exited(0));
    assert_eq!(fixture.output(), "500\n");
}

/// An order without a home and a temporary directory.
fn made_for_it(mode: Mode) {
    let fixture = Fixture::new(mode);
    let script = "echo x > $HOME/file && echo y > $TMPDIR/file && stat -c %a $HOME $TMPDIR && echo $HOME $TMPDIR";
    let order = |limits| Order {
        argv: ["/bin/sh", "-c", script].map(Into::into).into(),
        home: PathBuf::new(),
        tmp: PathBuf::new(),
        ..limited(&fixture, &[], limits)
    };
    let limits = Limits {
        disk: Some(1 << 20),
        ..Limits::default()
    };
    let report = fixture.run(&order(limits));
    assert_eq!(report.end, End::Exited(0), "{report:?}");
    let output = fixture.output();
    let lines: Vec<_> = output.lines().collect();
    // In a view nobody else gets there; on the host it is not left to the mask of the caller.
    let private = |mode_bits: &str| mode_bits == "700" || mode.namespaces && mode_bits == "755";
    assert!(private(lines[0]) && private(lines[1]), "{output}");
    let places: Vec<_> = lines[2].split(' ').collect();
    for place in &places {
        assert!(!Path::new(place).exists(), "{place}");
    }
    match mode.namespaces {
        true => assert_eq!(places, ["/run/seawall/home", "/run/seawall/tmp"]),
        false => assert!(!Path::new(places[0]).parent().unwrap().exists()),
    }
    // What is made in memory must have a limit; on disk it is as it is for every temporary file.
    let unlimited = spawn(&order(Limits::default()));
    assert_eq!(unlimited.is_err(), mode.namespaces);
}

fn launcher(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let act = ["all-of", "daemon", &mark, ",", "stubborn", &mark];
    let confined = spawn(&limited(&fixture, &act, bounded())).unwrap();
    eventually("the tree is up", || alive(&mark).len() == 2);
    let launcher = confined.pid();
    assert_eq!(!groups_of(launcher).is_empty(), has_groups());
    let pid = Pid::from_raw(i32::try_from(launcher).unwrap());
    kill(pid, Signal::SIGKILL).unwrap();
    assert!(confined.finish().is_err());
    eventually("the tree is dead", || alive(&mark).is_empty());
    eventually("the groups are gone", || groups_of(launcher).is_empty());
}

fn keeper(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let confined =
        spawn(&fixture.order(&["all-of", "daemon", &mark, ",", "stubborn", &mark])).unwrap();
    eventually("the tree is up", || alive(&mark).len() == 2);
    let launcher = confined.pid();
    let children =
        fs::read_to_string(format!("/proc/{launcher}/task/{launcher}/children")).unwrap();
    kill(
        Pid::from_raw(children.trim().parse().unwrap()),
        Signal::SIGKILL,
    )
    .unwrap();
    let error = confined.finish().unwrap_err().to_string();
    assert!(error.contains("keeper"), "{error}");
    assert_eq!(alive(&mark), NOBODY);
}

fn limits(mode: Mode) {
    let fixture = Fixture::new(mode);
    let limits = Limits {
        open_files: Some(64),
        file_size: Some(1 << 16),
        ..Limits::default()
    };
    let held = limited(&fixture, &["descriptors", "100"], limits.clone());
    assert_eq!(fixture.run(&held).end, End::Exited(1));
    let fewer = limited(&fixture, &["descriptors", "20"], limits.clone());
    assert_eq!(fixture.run(&fewer).end, End::Exited(0));
    let grown = limited(&fixture, &["grow", "src/a.py", "100000"], limits);
    // By the signal for it, or by an error when the signal is ignored.
    assert_ne!(fixture.run(&grown).end, End::Exited(0));
    assert!(fs::metadata(fixture.work("src/a.py")).unwrap().len() <= 1 << 16);
}

/// Whether a protection held, by the ledger.
fn held(fixture: &Fixture, name: &str, limits: &Limits) -> bool {
    let few = limited(fixture, &["say", "x"], limits.clone());
    let ledger = fixture.run(&few).ledger;
    let entry = ledger.entries.iter().find(|entry| entry.name == name);
    matches!(entry.unwrap().state, State::Enforced { .. })
}

/// Without control groups, the kernel counts processes for an ordinary user in a user namespace only.
fn process_limit(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mark = fresh_mark();
    let limits = Limits {
        processes: Some(10),
        ..Limits::default()
    };
    if held(&fixture, "processes", &limits) {
        let order = limited(&fixture, &["brood-and-wait", &mark], limits);
        let report = fixture.run(&order);
        assert_eq!(report.end, End::Exited(1), "{}", fixture.output());
        assert_eq!(alive(&mark), NOBODY);
    } else {
        println!("the ledger says that processes are not limited here");
        assert!(!mode.namespaces || nix::unistd::getuid().is_root());
    }
}

/// A tree that takes memory is killed, and the report says why; where only each process is limited, it is refused.
fn memory_limit(mode: Mode) {
    let fixture = Fixture::new(mode);
    let limits = Limits {
        memory: Some(64 << 20),
        ..Limits::default()
    };
    let report = fixture.run(&limited(&fixture, &["eat", "40"], limits.clone()));
    assert_eq!(report.end, End::Exited(0), "{}", fixture.output());
    let report = fixture.run(&limited(&fixture, &["eat", "400"], limits.clone()));
    if held(&fixture, "memory", &limits) {
        let limit = "memory 64 MiB".to_owned();
        assert_eq!(report.end, End::Killed { limit });
        assert_eq!(report.limits, ["memory 64 MiB: 1 killed"]);
    } else {
        assert!(!matches!(report.end, End::Exited(0)), "{report:?}");
    }
}

fn many(mode: Mode) {
    std::thread::scope(|scope| {
        for number in 0..16 {
            scope.spawn(move || {
                let fixture = Fixture::new(mode);
                for round in 0..3 {
                    let said = format!("{number}-{round}");
                    assert_eq!(
                        fixture.run(&fixture.order(&["say", &said])).end,
                        End::Exited(0)
                    );
                    assert_eq!(fixture.output().trim(), said);
                }
            });
        }
    });
}

fn readable(mode: Mode) {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let fixture = Fixture::new(mode);
    let confined = spawn(&fixture.order(&["exit", "3"])).unwrap();
    let mut waited = [PollFd::new(confined.as_fd(), PollFlags::POLLIN)];
    assert_eq!(
        poll(&mut waited, PollTimeout::try_from(PATIENCE).unwrap()),
        Ok(1)
    );
    assert_eq!(confined.finish().unwrap().end, End::Exited(3));
}
