//! A proxy, servers to reach through it, and clients: all on loopback, or in the network namespace of the calling thread.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::proxy::locate::Resolver;
use crate::proxy::policy::Policy;
use crate::proxy::serve::{ProxyHandle, start};
use crate::proxy::tally::{NetworkSummary, ProxyLimits};

/// Longer than anything here takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What a resolver of a test knows: names and the addresses that it gives for them, one list for each time it is asked.
pub(super) type Names = BTreeMap<&'static str, Vec<Vec<&'static str>>>;

/// A proxy under test.
pub(super) struct Rig {
    handle: Option<ProxyHandle>,
    ports: Vec<SocketAddr>,
    directory: tempfile::TempDir,
    pub(super) asked: Arc<AtomicUsize>,
}

/// Limits that end a test soon.
pub(super) fn limits() -> ProxyLimits {
    ProxyLimits {
        idle: PATIENCE,
        head: PATIENCE,
        connect: PATIENCE,
        ..ProxyLimits::default()
    }
}

fn resolver(names: Names, asked: Arc<AtomicUsize>) -> Resolver {
    let times = Mutex::new(BTreeMap::<String, usize>::new());
    Arc::new(move |name, port| {
        asked.fetch_add(1, Ordering::SeqCst);
        if name == "slow.test" {
            std::thread::sleep(PATIENCE);
        }
        let lists = names
            .get(name)
            .ok_or_else(|| io::Error::other("no such name"))?;
        let mut times = times.lock().unwrap();
        let time = times.entry(name.to_owned()).or_default();
        let list = &lists[(*time).min(lists.len() - 1)];
        *time += 1;
        Ok(list
            .iter()
            .map(|address| SocketAddr::new(address.parse().unwrap(), port))
            .collect())
    })
}

impl Rig {
    pub(super) fn new(hosts: &[&str], names: Names, limits: ProxyLimits) -> Self {
        Self::with(
            Policy::new(hosts.iter().copied(), []).unwrap(),
            names,
            limits,
        )
    }

    pub(super) fn with(policy: Policy, names: Names, limits: ProxyLimits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(directory.path().join("net.jsonl")).unwrap();
        Self::logging(policy, names, limits, log, directory)
    }

    pub(super) fn logging(
        policy: Policy,
        names: Names,
        limits: ProxyLimits,
        log: std::fs::File,
        directory: tempfile::TempDir,
    ) -> Self {
        let listeners: Vec<_> = policy
            .ports()
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let ports = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap())
            .collect();
        let descriptors = listeners.into_iter().map(OwnedFd::from).collect();
        let asked = Arc::<AtomicUsize>::default();
        let resolver = resolver(names, asked.clone());
        let handle = start(descriptors, policy, Some(log), limits, resolver).unwrap();
        Self {
            handle: Some(handle),
            ports,
            directory,
            asked,
        }
    }

    /// A connection to the first listener, which is the proxy's own if any host is named.
    pub(super) fn dial(&self) -> TcpStream {
        self.dial_door(0)
    }

    pub(super) fn dial_door(&self, door: usize) -> TcpStream {
        let stream = TcpStream::connect(self.ports[door]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends text and reads to the end.
    pub(super) fn ask(&self, text: &str) -> String {
        let mut stream = self.dial();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A reset after the answer is an end too.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Opens a tunnel; the status of the answer comes along.
    pub(super) fn tunnel(&self, place: &str) -> (TcpStream, u16) {
        let mut stream = self.dial();
        let text = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let status = String::from_utf8(head).unwrap()[9..12].parse().unwrap();
        (stream, status)
    }

    pub(super) fn summary(&self) -> NetworkSummary {
        self.handle.as_ref().unwrap().summary()
    }

    /// Waits until the summary is as wanted; connections end a moment after their last byte.
    pub(super) fn eventually(&self, holds: impl Fn(&NetworkSummary) -> bool) {
        let started = Instant::now();
        while !holds(&self.summary()) {
            assert!(started.elapsed() < PATIENCE, "never: {:?}", self.summary());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn stop(&mut self) -> NetworkSummary {
        self.handle.take().unwrap().stop()
    }

    /// The log, when everything is over.
    pub(super) fn log(&mut self) -> Vec<serde_json::Value> {
        drop(self.handle.take());
        let path: PathBuf = self.directory.path().join("net.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A server that does `act` with every connection.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) visits: Arc<AtomicUsize>,
}

impl Server {
    pub(super) fn new(act: fn(TcpStream)) -> Self {
        Self::at("127.0.0.1:0", act)
    }

    pub(super) fn at(address: &str, act: fn(TcpStream)) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let visits = Arc::<AtomicUsize>::default();
        let server = Self {
            address: listener.local_addr().unwrap(),
            visits: visits.clone(),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                visits.fetch_add(1, Ordering::SeqCst);
                let stream = stream.unwrap();
                std::thread::spawn(move || act(stream));
            }
        });
        server
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }

    /// Waits for so many: a connection is made a moment before the server takes it.
    pub(super) fn expect_visits(&self, count: usize) {
        let started = Instant::now();
        while self.visits() != count {
            assert!(started.elapsed() < PATIENCE, "{} visits", self.visits());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Sends everything back.
pub(super) fn echo(stream: TcpStream) {
    let (mut from, mut to) = (stream.try_clone().unwrap(), stream);
    let _ = io::copy(&mut from, &mut to);
}

/// Answers with what it read until nothing came for a while, as text, and keeps the connection open as a bad server does.
pub(super) fn mirror(mut stream: TcpStream) {
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        heard.extend_from_slice(&piece[..count]);
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\r\n",
        heard.len()
    );
    let _ = stream.write_all(&[head.into_bytes(), heard].concat());
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.read(&mut piece);
}

/// Says nothing.
pub(super) fn silent(mut stream: TcpStream) {
    let mut piece = [0; 4096];
    while let Ok(1..) = stream.read(&mut piece) {}
}

/// Sends bytes for ever.
pub(super) fn flood(mut stream: TcpStream) {
    while stream.write_all(&[b'x'; 65536]).is_ok() {}
}
