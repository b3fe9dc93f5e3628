//! The listeners of a worker's way out: made by the keeper inside the network namespace, used by the supervisor outside.
//!
//! A socket keeps the namespace that it was made in, so it is enough that the keeper makes it after loopback is up and hands it
//! over before the worker is there. Nobody inside holds it then.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::check::at;
use crate::desk::Desk;
use crate::error::SandboxError;
use crate::launch::{Launch, Reply};
use crate::launcher::not_started;
use crate::order::Network;
use crate::proxy::{PROXY_PORT, Proxy, ProxyHandle};
use crate::report::Report;
use crate::wire;

/// Variables that name the proxy for plain and for TLS connections, as different clients spell them.
const PROXY: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Makes a listener for each port of a launch.
pub(crate) fn make(launch: &Launch) -> Result<Vec<TcpListener>, String> {
    let listener = |port: &u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, *port))
            .map_err(|error| format!("cannot listen on port {port}: {error}"))
    };
    launch.ports.iter().map(listener).collect()
}

/// Hands the listeners to the supervisor, which waits for them when there are any.
pub(crate) fn hand_over(desk: Desk<'_>, doors: Vec<TcpListener>) -> io::Result<()> {
    // A supervisor that is the launcher itself has no thread that could serve them.
    let Some(control) = desk.socket().filter(|_| !doors.is_empty()) else {
        return Ok(());
    };
    let descriptors: Vec<_> = doors.iter().map(AsRawFd::as_raw_fd).collect();
    wire::post(control, &Reply::Listening, &descriptors)
}

/// The supervisor's part: serves the listeners by what the order allows.
pub(crate) fn serve(
    doors: Vec<OwnedFd>,
    network: &Network,
    log: Option<File>,
) -> io::Result<ProxyHandle> {
    Proxy::start(doors, network.policy.clone(), log, network.limits.clone())
}

/// The file that takes the decisions, if there will be any and the order names one.
pub(crate) fn open_log(network: &Network) -> Result<Option<File>, SandboxError> {
    if network.policy.is_empty() {
        return Ok(None);
    }
    let open = |path: &PathBuf| {
        let mut options = crate::spawn::plain();
        let file = options.append(true).create(true).mode(0o600).open(path);
        file.map_err(at("open the log of the network", path))
    };
    network.log.as_ref().map(open).transpose()
}

/// What a client must know to find the proxy, and that loopback is not behind it.
pub(crate) fn variables(network: &Network) -> Vec<(&'static str, String)> {
    if !network.policy.has_hosts() {
        return Vec::new();
    }
    let place = format!("http://127.0.0.1:{PROXY_PORT}");
    let proxy = PROXY.map(|name| (name, place.clone()));
    let direct = ["NO_PROXY", "no_proxy"].map(|name| (name, "localhost,127.0.0.1,::1".to_owned()));
    // Node asks for this before its own `fetch` looks at the others.
    let node = ("NODE_USE_ENV_PROXY", "1".to_owned());
    proxy.into_iter().chain(direct).chain([node]).collect()
}

/// The report of a command that names hosts on a host that cannot keep it from reaching others.
pub(crate) fn refusal(refused: &[String]) -> Report {
    let because = if refused.is_empty() {
        "namespaces are off".to_owned()
    } else {
        refused.join("; ")
    };
    let error = format!(
        "hosts are named, and without a net namespace nothing keeps the command from reaching others: {because}"
    );
    let mut report = not_started("open the network", &error);
    let left = "none is reached: the command is not run";
    report.ledger.degraded_to("hosts", left, because);
    report
}
