//! A profile in plain words: every path, right, host and limit that a command would have here, and why.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::order::Limits;
use crate::profile::{Profile, WriteRule};
use crate::proxy::ProxyLimits;
use crate::{grants, pieces, toolchains};

/// A profile as it would be on this host, for this user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The profile itself.
    pub profile: Profile,
    /// One line each, in the order in which a person asks.
    pub lines: Vec<Line>,
}

/// One thing that a command may or may not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// `write`, `read`, `home`, `network`, `calls`, `limits`, `floor` or `never`.
    pub about: &'static str,
    /// A path, a host, a limit.
    pub what: String,
    /// By what it holds, or where it comes from.
    pub why: String,
}

/// Says what the profile comes to here, with the caller's own `PATH` and home.
#[must_use]
pub fn explain(profile: &Profile, namespaces: bool) -> Explanation {
    let mut lines = writes(profile, namespaces);
    lines.extend(reads(profile, namespaces));
    lines.extend(network(profile, namespaces));
    lines.extend(limits(profile, namespaces));
    lines.push(line(
        "calls",
        "all but about a hundred system calls",
        "seccomp; `docs/sandbox.md` lists them",
    ));
    for name in profile.floor(namespaces) {
        lines.push(line("floor", name, "without it nothing is started"));
    }
    lines.extend(never(namespaces));
    if profile.opens.nesting {
        lines.push(line(
            "never",
            "started by root, or without namespaces",
            "`nesting = true`; the command would own the host's control groups",
        ));
    }
    Explanation {
        profile: profile.clone(),
        lines,
    }
}

fn line(about: &'static str, what: impl Into<String>, why: impl Into<String>) -> Line {
    Line {
        about,
        what: what.into(),
        why: why.into(),
    }
}

fn walls(namespaces: bool, nesting: bool) -> &'static str {
    match (namespaces, nesting) {
        (true, false) => "mount namespace + landlock",
        (true, true) => "mount namespace",
        (false, _) => "landlock",
    }
}

fn writes(profile: &Profile, namespaces: bool) -> Vec<Line> {
    let by = walls(namespaces, profile.opens.nesting);
    let what = match profile.write {
        WriteRule::Owned => "the files that the task owns, in place",
        WriteRule::Workspace => "everything in the workspace",
        WriteRule::Nothing => "nothing in the workspace",
    };
    let mut lines = vec![line("write", what, by)];
    if namespaces {
        let private = "private, empty at first, gone afterwards";
        lines.push(line(
            "write",
            "/run/seawall/home ($HOME)",
            if profile.opens.kept_home {
                "private, kept on disk"
            } else {
                private
            },
        ));
        lines.push(line(
            "write",
            "/run/seawall/tmp ($TMPDIR), /tmp, /dev/shm",
            private,
        ));
    } else {
        lines.push(line(
            "write",
            "$HOME, $TMPDIR",
            "private directories of the host",
        ));
    }
    let device = "devices; others are not there";
    lines.push(line("write", grants::DEVICES_WRITTEN.join(" "), device));
    if profile.opens.terminals {
        lines.push(line("write", "/dev/ptmx /dev/pts", "`terminals = true`"));
    }
    lines
}

fn reads(profile: &Profile, namespaces: bool) -> Vec<Line> {
    let by = walls(namespaces, profile.opens.nesting);
    let mut lines = vec![line(
        "read",
        "the workspace",
        "at the repository's own path",
    )];
    if profile.git {
        lines.push(line(
            "read",
            "a git directory of its own in the workspace: the base commit alone",
            "`git = true`; the real one is not there",
        ));
    }
    let system = grants::system();
    let (etc, rest): (Vec<_>, Vec<_>) = system
        .iter()
        .filter(|path| path.exists())
        .partition(|path| path.starts_with("/etc"));
    for path in rest
        .into_iter()
        .filter(|path| !namespaces || pieces::in_view(path))
    {
        lines.push(line(
            "read",
            path.display().to_string(),
            format!("system, {by}"),
        ));
    }
    let names: Vec<_> = etc
        .iter()
        .filter_map(|path| path.strip_prefix("/etc").ok()?.to_str())
        .collect();
    lines.push(line(
        "read",
        format!("/etc/{{{}}}", names.join(",")),
        "settings without secrets, landlock",
    ));
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = toolchains::on_path(OsStr::new(&path), home.as_deref(), &|name| {
        std::env::var_os(name)
    });
    let below_system = |path: &Path| system.iter().any(|root| path.starts_with(root));
    for path in found
        .read
        .iter()
        .filter(|path| path.exists() && !below_system(path))
    {
        lines.push(line("read", path.display().to_string(), "found on PATH"));
    }
    for path in profile.reads(home.as_deref()) {
        lines.push(line(
            "read",
            path.display().to_string(),
            "`read` of the profile",
        ));
    }
    lines
}

fn network(profile: &Profile, namespaces: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    if namespaces {
        lines.push(line("network", "its own loopback", "net namespace"));
        let hosts = profile
            .hosts
            .iter()
            .map(|host| line("network", host.clone(), "through the proxy outside"));
        lines.extend(hosts);
        for (port, place) in &profile.forward {
            lines.push(line(
                "network",
                format!("127.0.0.1:{port} leads to {place}"),
                "`forward` of the profile",
            ));
        }
    } else if profile.hosts.is_empty() && profile.forward.is_empty() {
        lines.push(line(
            "network",
            "none, not even loopback",
            "seccomp + landlock",
        ));
    } else {
        lines.push(line(
            "network",
            "refused: hosts need a net namespace",
            "the command does not start",
        ));
    }
    lines
}

/// What is limited, how much at most, and how it is counted.
type Row = (&'static str, Option<String>, &'static str);

fn limits(profile: &Profile, namespaces: bool) -> Vec<Line> {
    let mut rows = sizes(profile);
    rows.extend(times(&profile.limits));
    let proxied = !(profile.hosts.is_empty() && profile.forward.is_empty());
    if namespaces && proxied {
        rows.extend(traffic(&profile.traffic));
    }
    let given = rows
        .into_iter()
        .filter_map(|(name, most, why)| Some((name, most?, why)));
    given
        .map(|(name, most, why)| line("limits", format!("{name} {most}"), why))
        .collect()
}

fn sizes(profile: &Profile) -> Vec<Row> {
    let limits = &profile.limits;
    let mib = |size: &Option<u64>| size.map(mebibytes);
    let plain = |count: &Option<u64>| count.map(|count| count.to_string());
    vec![
        (
            "memory",
            mib(&limits.memory),
            "of the tree by a control group, else data of each process",
        ),
        (
            "processes",
            plain(&limits.processes),
            "of the tree by a control group, else per user namespace",
        ),
        (
            "processor weight",
            plain(&limits.cpu_weight),
            "of the tree by a control group, against 100 of others",
        ),
        (
            "disk",
            mib(&limits.disk),
            "of home, tmp, /tmp and /dev/shm together, in memory",
        ),
        ("open files", plain(&limits.open_files), "of each process"),
        ("file size", mib(&limits.file_size), "of any one file"),
        (
            "output",
            Some(mebibytes(profile.output)),
            "is kept, the rest counted",
        ),
    ]
}

fn times(limits: &Limits) -> [Row; 3] {
    [
        ("wall", limits.wall.map(seconds), "from start to end"),
        (
            "silence",
            limits.silence.map(seconds),
            "without a byte of output",
        ),
        (
            "grace",
            Some(seconds(limits.grace)),
            "from SIGTERM to SIGKILL",
        ),
    ]
}

/// What the proxy holds a worker to, over all its hosts together.
fn traffic(limits: &ProxyLimits) -> [Row; 6] {
    let over = "over all hosts together, by the proxy";
    [
        (
            "connections",
            Some(limits.connections.to_string()),
            "at once, by the proxy; further ones are turned away",
        ),
        ("sent", Some(mebibytes(limits.bytes_up)), over),
        ("received", Some(mebibytes(limits.bytes_down)), over),
        (
            "connection idle",
            Some(seconds(limits.idle)),
            "without a byte in either direction, by the proxy",
        ),
        (
            "connection request",
            Some(seconds(limits.head)),
            "to name the host, by the proxy",
        ),
        (
            "connection start",
            Some(seconds(limits.connect)),
            "to resolve the name and connect, by the proxy",
        ),
    ]
}

fn mebibytes(size: u64) -> String {
    format!("{} MiB", size >> 20)
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f32())
}

fn never(namespaces: bool) -> Vec<Line> {
    let how = if namespaces {
        "not there"
    } else {
        "not readable; names, sizes and times can be seen"
    };
    vec![
        line(
            "never",
            "your checkout, the real .git, other workers, your home",
            how,
        ),
        line(
            "never",
            "capabilities, new privileges, set-user-id",
            "empty sets + no_new_privs + seccomp",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Profiles;

    fn told(name: &str, namespaces: bool) -> Vec<String> {
        let profile = Profiles::embedded().get(name).unwrap();
        let lines = explain(&profile, namespaces).lines;
        lines
            .into_iter()
            .map(|line| format!("{} {}", line.about, line.what))
            .collect()
    }

    #[test]
    fn hosts_are_told_with_their_limits() {
        let traffic = [
            "limits connections 64",
            "limits sent 1024 MiB",
            "limits received 4096 MiB",
            "limits connection idle 600 s",
            "limits connection request 10 s",
            "limits connection start 20 s",
        ];
        for (name, namespaces, expected) in [
            ("agent", true, true),
            ("agent", false, false),
            ("worker", true, false),
        ] {
            let told = told(name, namespaces);
            for line in traffic {
                let is_told = told.iter().any(|told| told == line);
                assert_eq!(is_told, expected, "{name} {namespaces} {line}");
            }
        }
    }

    #[test]
    fn what_is_set_is_told() {
        let mut profile = Profiles::embedded().get("worker").unwrap();
        profile.limits.cpu_weight = Some(50);
        profile.limits.wall = Some(Duration::from_secs(90));
        profile.git = false;
        let lines = explain(&profile, true).lines;
        let tells = |what: &str| lines.iter().any(|line| line.what.starts_with(what));
        assert!(tells("processor weight 50") && tells("wall 90 s"));
        assert!(!tells("a git directory") && !tells("silence"));
    }
}
