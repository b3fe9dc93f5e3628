//! A profile in plain words: every path, right, host and limit that a command would have here, and why.

use std::ffi::OsStr;
use std::path::Path;

use serde::Serialize;

use crate::order::Limits;
use crate::profile::{Profile, WriteRule};
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
    lines.extend(limits(profile));
    lines.push(line(
        "calls",
        "all but about a hundred system calls",
        "seccomp; `docs/sandbox.md` lists them",
    ));
    for name in profile.floor(namespaces) {
        lines.push(line("floor", name, "without it nothing is started"));
    }
    lines.extend(never(namespaces));
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

fn limits(profile: &Profile) -> Vec<Line> {
    let Limits {
        grace,
        open_files,
        file_size,
        processes,
        memory,
        disk,
        ..
    } = &profile.limits;
    let mib = |size: &Option<u64>| size.map(|size| format!("{} MiB", size >> 20));
    let plain = |count: &Option<u64>| count.map(|count| count.to_string());
    let rows = [
        (
            "memory",
            mib(memory),
            "of the tree by a control group, else data of each process",
        ),
        (
            "processes",
            plain(processes),
            "of the tree by a control group, else per user namespace",
        ),
        (
            "disk",
            mib(disk),
            "of home, tmp, /tmp and /dev/shm together, in memory",
        ),
        ("open files", plain(open_files), "of each process"),
        ("file size", mib(file_size), "of any one file"),
        (
            "output",
            Some(format!("{} MiB", profile.output >> 20)),
            "is kept, the rest counted",
        ),
        (
            "grace",
            Some(format!("{} s", grace.as_secs_f32())),
            "from SIGTERM to SIGKILL",
        ),
    ];
    let given = rows
        .into_iter()
        .filter_map(|(name, most, why)| Some((name, most?, why)));
    given
        .map(|(name, most, why)| line("limits", format!("{name} {most}"), why))
        .collect()
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
