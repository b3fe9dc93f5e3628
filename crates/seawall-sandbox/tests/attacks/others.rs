//! Attacks on other processes, on the network, and on what the supervisor holds.

use std::fs::File;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Child, Command, Stdio};

use nix::fcntl::{FcntlArg, fcntl};
use seawall_sandbox::{End, Order, SandboxError, State, spawn};

use crate::Test;
use crate::fixture::{Fixture, Mode, command, fresh_mark, refused, unconfined};

pub(crate) const TESTS: &[Test] = &[
    ("others: a host process cannot be signalled", signal),
    ("others: a host process cannot be looked into", environ),
    ("others: a host process cannot be traced", trace),
    ("others: the keeper cannot be killed", keeper),
    ("others: a TCP listener of the host cannot be reached", tcp),
    ("others: a UDP socket of the host cannot be reached", udp),
    (
        "others: an abstract socket of the host cannot be reached",
        abstract_socket,
    ),
    (
        "others: a socket in the file system cannot be reached",
        local_socket,
    ),
    ("others: no namespace can be made", namespace),
    ("others: an inner sandbox is for ordinary users", nesting),
    ("others: the groups of the host have no names", group_names),
    ("others: loopback works inside", loopback),
    ("others: an inherited descriptor is closed", descriptor),
    ("others: a secret variable is absent", variable),
    ("others: no capability is left", capabilities),
    ("others: the ledger says what is degraded", ledger),
];

/// A process of the host that can be attacked.
struct Victim(Child);

impl Victim {
    fn new() -> Self {
        let argv = command(&["sleep", &fresh_mark()]);
        Self(
            Command::new(&argv[0])
                .args(&argv[1..])
                .env("SECRET", "x")
                .stdin(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn words(act: &[&str]) -> Vec<String> {
    act.iter().map(|word| (*word).to_owned()).collect()
}

fn signal(mode: Mode) {
    let (first, mut second) = (Victim::new(), Victim::new());
    let fixture = Fixture::new(mode);
    assert!(unconfined(&fixture, &["signal", &first.pid()]));
    let report = fixture.run(&fixture.order(&["signal", &second.pid()]));
    assert_eq!(report.end, End::Exited(1), "{}", fixture.output());
    assert!(second.0.try_wait().unwrap().is_none(), "it was killed");
}

fn environ(mode: Mode) {
    let victim = Victim::new();
    for leaf in ["environ", "maps", "cwd/etc/hostname", "root/etc/hostname"] {
        if leaf == "cwd/etc/hostname" {
            continue;
        }
        refused(mode, |_| {
            words(&["read", &format!("/proc/{}/{leaf}", victim.pid())])
        });
    }
}

fn trace(mode: Mode) {
    let victim = Victim::new();
    refused(mode, |_| words(&["trace", &victim.pid()]));
}

fn keeper(mode: Mode) {
    let fixture = Fixture::new(mode);
    let report =
        fixture.run(&fixture.order(&["all-of", "signal-parent", ",", "say", "still here"]));
    // In a pid namespace the kernel ignores the signal without an error.
    assert!(matches!(report.end, End::Exited(0 | 1)), "{report:?}");
    let environ = ["read", "/proc/1/environ"];
    assert_eq!(
        fixture.run(&fixture.order(&environ)).end,
        End::Exited(1),
        "{}",
        fixture.output()
    );
}

fn tcp(mode: Mode) {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(listener) = TcpListener::bind(address) else {
            println!("SKIPPED: this host has no {address}");
            continue;
        };
        let address = listener.local_addr().unwrap().to_string();
        refused(mode, |_| words(&["tcp", &address]));
    }
}

fn udp(mode: Mode) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        while let Ok((_, from)) = socket.recv_from(&mut [0; 8]) {
            socket.send_to(b"pong", from).unwrap();
        }
    });
    refused(mode, |_| words(&["udp", &address]));
}

fn abstract_socket(mode: Mode) {
    let name = fresh_mark();
    let _listener =
        UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    refused(mode, |_| words(&["abstract", &name]));
}

fn local_socket(mode: Mode) {
    let directory = Fixture::new(mode);
    let path = directory.text("socket");
    let _listener = UnixListener::bind(&path).unwrap();
    refused(mode, |_| words(&["local", &path]));
}

fn namespace(mode: Mode) {
    refused(mode, |_| words(&["namespace"]));
}

/// With namespaces of its own root could mount the control groups of the host.
fn nesting(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mut order = fixture.order(&["namespace"]);
    order.opens.nesting = true;
    match mode.namespaces && !nix::unistd::getuid().is_root() {
        true => assert_eq!(fixture.run(&order).end, End::Exited(0)),
        false => assert!(matches!(spawn(&order), Err(SandboxError::Order(_)))),
    }
}

fn group_names(mode: Mode) {
    let fixture = Fixture::new(mode);
    let mut order = fixture.order(&["group-names"]);
    order.limits.processes = Some(100);
    order.limits.cpu_weight = Some(50);
    let report = fixture.run(&order);
    let state = |name: &str| {
        let found = report
            .ledger
            .entries
            .iter()
            .find(|entry| entry.name == name);
        found.unwrap().state.clone()
    };
    if mode.namespaces {
        assert_eq!(report.end, End::Exited(1), "{}", fixture.output());
        assert!(matches!(
            state("control group names"),
            State::Enforced { .. }
        ));
    }
    // Where groups of version 1 can be made, as root, the share is one of them.
    let weighed = matches!(state("processor weight"), State::Enforced { .. });
    let limited = matches!(state("processes"), State::Enforced { ref by } if by.contains("cgroup"));
    assert_eq!(weighed, limited);
}

fn loopback(mode: Mode) {
    let fixture = Fixture::new(mode);
    let expected = if mode.namespaces { 0 } else { 1 };
    let report = fixture.run(&fixture.order(&["loopback"]));
    assert_eq!(report.end, End::Exited(expected), "{}", fixture.output());
}

fn descriptor(mode: Mode) {
    let fixture = Fixture::new(mode);
    let secret = File::open(fixture.path("user/.ssh/id_ed25519")).unwrap();
    // Without close-on-exec, as a careless library leaves it.
    let leaked = fcntl(&secret, FcntlArg::F_DUPFD(40)).unwrap();
    refused(mode, |_| words(&["read-descriptor", &leaked.to_string()]));
    nix::unistd::close(leaked).unwrap();
    for number in 3..30 {
        let report = fixture.run(&fixture.order(&["read-descriptor", &number.to_string()]));
        assert_eq!(report.end, End::Exited(1), "descriptor {number} is open");
    }
    let mut text = String::new();
    File::open(fixture.path("user/.ssh/id_ed25519"))
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "secret key");
    assert!(secret.as_raw_fd() >= 0);
}

fn variable(mode: Mode) {
    let fixture = Fixture::new(mode);
    let name = std::env::vars()
        .map(|(name, _)| name)
        .find(|name| name.contains("CARGO") || name == "PWD")
        .unwrap();
    assert!(unconfined(&fixture, &["variable", &name]));
    assert_eq!(
        fixture.run(&fixture.order(&["variable", &name])).end,
        End::Exited(1),
        "{name}"
    );
    let given = Order {
        env: vec![(name.clone().into(), "x".into())],
        ..fixture.order(&["variable", &name])
    };
    assert_eq!(fixture.run(&given).end, End::Exited(0));
    for kept in ["PATH", "HOME", "TMPDIR", "SHELL"] {
        assert_eq!(
            fixture.run(&fixture.order(&["variable", kept])).end,
            End::Exited(0),
            "{kept}"
        );
    }
}

fn capabilities(mode: Mode) {
    let fixture = Fixture::new(mode);
    if nix::unistd::getuid().is_root() {
        refused(mode, |_| words(&["capabilities"]));
    } else if mode.namespaces {
        assert_eq!(
            fixture.run(&fixture.order(&["capabilities"])).end,
            End::Exited(1),
            "{}",
            fixture.output()
        );
    }
}

fn ledger(mode: Mode) {
    let fixture = Fixture::new(mode);
    let report = fixture.run(&fixture.order(&["say", "hello"]));
    let enforced = |name: &str| {
        let found = report
            .ledger
            .entries
            .iter()
            .find(|entry| entry.name == name);
        matches!(
            found.unwrap_or_else(|| panic!("{name} is missing")).state,
            State::Enforced { .. }
        )
    };
    for always in [
        "files",
        "capabilities",
        "new privileges",
        "core dumps",
        "process tree",
        "network",
        "system calls",
        "metadata",
    ] {
        assert!(enforced(always), "{always}");
    }
    assert_eq!(enforced("view"), mode.namespaces);
}
