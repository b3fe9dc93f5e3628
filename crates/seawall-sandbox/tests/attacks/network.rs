//! Named hosts: what is named can be reached, through the proxy alone, and nothing else.

use std::io::{self, Read};
use std::net::{TcpListener, UdpSocket};
use std::sync::mpsc::{Receiver, channel};

use seawall_sandbox::{End, Network, NetworkSummary, Order, Policy, Report, State, spawn};

use crate::Test;
use crate::fixture::{Fixture, Mode, PATIENCE, eventually, unconfined};

pub(crate) const TESTS: &[Test] = &[
    (
        "network: a named host is reached through the proxy alone",
        named,
    ),
    ("network: what is not named is not reached", unnamed),
    ("network: a mapped port leads to its place", mapped),
    ("network: two workers have two policies", side_by_side),
    (
        "network: no datagram gets out where a host is named",
        datagram,
    ),
    ("network: a connection ends with its worker", ends),
    ("network: the worker holds no listener", listeners),
    ("network: without a net namespace nothing is named", closed),
];

/// A server on the host's loopback that sends everything back, and tells when a connection has ended.
struct Server {
    place: String,
    ended: Receiver<()>,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let (tell, ended) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut from, tell) = (stream.unwrap(), tell.clone());
                std::thread::spawn(move || {
                    let mut to = from.try_clone().unwrap();
                    // A connection that is cut has ended as well.
                    let _ = io::copy(&mut from, &mut to);
                    let _ = tell.send(());
                });
            }
        });
        Self { place, ended }
    }
}

fn network(fixture: &Fixture, hosts: &[&str], forward: &[(u16, &str)]) -> Network {
    let policy = Policy::new(hosts.iter().copied(), forward.iter().copied());
    Network {
        policy: policy.unwrap(),
        log: Some(fixture.path("net.jsonl")),
        ..Network::default()
    }
}

fn order(fixture: &Fixture, act: &[&str], hosts: &[&str]) -> Order {
    Order {
        network: network(fixture, hosts, &[]),
        ..fixture.order(act)
    }
}

/// Runs an act where hosts can be named at all.
fn run(
    mode: Mode,
    fixture: &Fixture,
    act: &[&str],
    hosts: &[&str],
) -> Option<(Report, NetworkSummary)> {
    if !mode.namespaces {
        return None;
    }
    let report = fixture.run(&order(fixture, act, hosts));
    let summary = report.network.clone().unwrap();
    Some((report, summary))
}

fn named(mode: Mode) {
    let (server, fixture) = (Server::new(), Fixture::new(mode));
    let Some((report, summary)) = run(mode, &fixture, &["proxy", &server.place], &[&server.place])
    else {
        return;
    };
    assert_eq!(report.end, End::Exited(0), "{}", fixture.output());
    assert_eq!(
        (summary.allowed, summary.bytes_up, summary.bytes_down),
        (1, 4, 4)
    );
    assert_eq!(summary.reached[&server.place], 1);
    let told = report
        .ledger
        .entries
        .iter()
        .find(|entry| entry.name == "hosts");
    let State::Enforced { by } = &told.unwrap().state else {
        panic!("{told:?}");
    };
    assert_eq!(by, "a proxy; let through 1; 4 bytes up, 4 down");
    let log = std::fs::read_to_string(fixture.path("net.jsonl")).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert!(
        lines[0].contains("\"allowed\"") && lines[1].contains("\"ended\""),
        "{log}"
    );
    let direct = run(mode, &fixture, &["tcp", &server.place], &[&server.place]).unwrap();
    assert!(unconfined(&fixture, &["tcp", &server.place]));
    assert_eq!(direct.0.end, End::Exited(1), "it went around the proxy");
    assert_eq!(direct.1, NetworkSummary::default());
}

fn unnamed(mode: Mode) {
    let (server, other) = (Server::new(), Server::new());
    let fixture = Fixture::new(mode);
    for host in [other.place.as_str(), "*.example.org:443", "localhost:1"] {
        let Some((report, summary)) = run(mode, &fixture, &["proxy", &server.place], &[host])
        else {
            return;
        };
        assert_eq!(report.end, End::Exited(1), "{}", fixture.output());
        assert!(fixture.output().contains("403"), "{}", fixture.output());
        assert_eq!((summary.refused, summary.denied[&server.place]), (1, 1));
    }
    // A name that leads to loopback is not the address that was named.
    let port = server.place.rsplit(':').next().unwrap();
    let local = format!("localhost:{port}");
    let (report, summary) = run(mode, &fixture, &["proxy", &local], &[&local]).unwrap();
    assert_eq!((report.end, summary.refused), (End::Exited(1), 1));
    assert!(fixture.output().contains("403"), "{}", fixture.output());
}

fn mapped(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let (server, fixture) = (Server::new(), Fixture::new(mode));
    let order = Order {
        network: network(&fixture, &[], &[(8080, &server.place)]),
        ..fixture.order(&["ping", "127.0.0.1:8080"])
    };
    let report = fixture.run(&order);
    assert_eq!(report.end, End::Exited(0), "{}", fixture.output());
    assert_eq!(report.network.unwrap().reached[&server.place], 1);
    let order = Order {
        network: network(&fixture, &[], &[(8080, &server.place)]),
        ..fixture.order(&["variable", "HTTP_PROXY"])
    };
    assert_eq!(fixture.run(&order).end, End::Exited(1), "there is no proxy");
}

fn side_by_side(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let servers = [Server::new(), Server::new()];
    let fixtures = [Fixture::new(mode), Fixture::new(mode)];
    for asked in [0, 1] {
        let confined = [0, 1].map(|n| {
            let act = ["proxy", servers[asked].place.as_str()];
            spawn(&order(&fixtures[n], &act, &[&servers[n].place])).unwrap()
        });
        for (n, confined) in confined.into_iter().enumerate() {
            let expected = i32::from(n != asked);
            assert_eq!(
                confined.finish().unwrap().end,
                End::Exited(expected),
                "worker {n}"
            );
        }
    }
}

fn datagram(mode: Mode) {
    let (server, fixture) = (Server::new(), Fixture::new(mode));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let Some((report, _)) = run(mode, &fixture, &["udp", &address], &[&server.place]) else {
        return;
    };
    assert_eq!(report.end, End::Exited(1), "{}", fixture.output());
    let (report, _) = run(
        mode,
        &fixture,
        &["resolve", "example.org:443"],
        &[&server.place],
    )
    .unwrap();
    assert_eq!(report.end, End::Exited(1), "a name was resolved inside");
}

fn ends(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let (server, fixture) = (Server::new(), Fixture::new(mode));
    let act = ["proxy-and-wait", server.place.as_str()];
    let confined = spawn(&order(&fixture, &act, &[&server.place])).unwrap();
    eventually("the worker is connected", || {
        confined
            .network()
            .is_some_and(|network| network.bytes_down == 4)
    });
    assert!(server.ended.try_recv().is_err());
    drop(confined);
    server.ended.recv_timeout(PATIENCE).unwrap();
}

fn listeners(mode: Mode) {
    let (server, fixture) = (Server::new(), Fixture::new(mode));
    for number in 3..12 {
        let act = ["read-descriptor", &number.to_string()];
        let Some((report, _)) = run(mode, &fixture, &act, &[&server.place]) else {
            return;
        };
        assert_eq!(report.end, End::Exited(1), "descriptor {number} is open");
    }
}

fn closed(mode: Mode) {
    if mode.namespaces {
        return;
    }
    let (server, fixture) = (Server::new(), Fixture::new(mode));
    let report = fixture.run(&order(&fixture, &["say", "here"], &[&server.place]));
    let End::CouldNotStart { step, error } = &report.end else {
        panic!("{:?}", report.end);
    };
    assert_eq!(step, "open the network");
    assert!(error.contains("namespaces are off"), "{error}");
    let entry = report.ledger.degraded().find(|entry| entry.name == "hosts");
    assert!(matches!(entry.unwrap().state, State::Degraded { .. }));
    let mut output = String::new();
    std::fs::File::open(fixture.path("output"))
        .unwrap()
        .read_to_string(&mut output)
        .unwrap();
    assert_eq!(output, "", "it ran");
}
