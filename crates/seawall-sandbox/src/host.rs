//! What this host can enforce, found by trying it: for `seawall doctor`.

use nix::libc;
use nix::sys::utsname::uname;
use nix::unistd::getuid;
use serde::Serialize;

use crate::error::SandboxError;
use crate::launch::{Reply, Request};
use crate::spawn::{lost, start_launcher};
use crate::{hierarchy, sys, wire};

/// The name of the feature that limits whole trees of processes.
pub const CONTROL_GROUPS: &str = "control groups";

/// What a host offers to confine with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostReport {
    /// The release of the running kernel.
    pub kernel: String,
    /// The user that asks; root needs no user namespace.
    pub uid: u32,
    /// The newest Landlock ABI; zero when there is none.
    pub landlock_abi: u32,
    /// Whether a worker can be confined at all.
    pub usable: bool,
    /// Each thing that is used when it is there.
    pub features: Vec<Feature>,
}

/// One thing that a host may offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feature {
    /// What it is.
    pub name: String,
    /// Whether it can be used.
    pub have: bool,
    /// What was found.
    pub detail: String,
    /// How to get it, or what to do without, when it is lacking.
    pub help: Option<String>,
}

/// Looks at this host; namespaces are really entered, in a child.
#[must_use]
pub fn host() -> HostReport {
    let abi = sys::landlock_abi();
    let mut features: Vec<_> = LANDLOCK
        .iter()
        .map(|(name, needs, help)| landlock(&abi, name, *needs, help))
        .collect();
    features.extend(namespaces());
    features.extend([seccomp(), cgroup()]);
    HostReport {
        kernel: uname().map_or_else(
            |error| error.to_string(),
            |name| name.release().to_string_lossy().into_owned(),
        ),
        uid: getuid().as_raw(),
        landlock_abi: abi.as_ref().copied().unwrap_or(0),
        usable: abi.is_ok_and(|abi| abi >= 3),
        features,
    }
}

/// What Landlock gives, from which ABI on, and how to get it.
const LANDLOCK: [(&str, u32, &str); 4] = [
    (
        "landlock files",
        3,
        "boot Linux 6.2 or newer with CONFIG_SECURITY_LANDLOCK=y and `landlock` in the `lsm=` list",
    ),
    (
        "landlock tcp",
        4,
        "boot Linux 6.7 or newer; only needed where there is no net namespace",
    ),
    ("landlock devices", 5, "boot Linux 6.10 or newer"),
    (
        "landlock scopes",
        6,
        "boot Linux 6.12 or newer; only needed where there is no pid and net namespace",
    ),
];

fn landlock(abi: &std::io::Result<u32>, name: &str, needs: u32, help: &str) -> Feature {
    let (have, detail) = match abi {
        Ok(abi) => (*abi >= needs, format!("abi {abi}")),
        Err(error) => (false, format!("no landlock: {error}")),
    };
    feature(name, have, detail, help)
}

fn feature(name: &str, have: bool, detail: impl Into<String>, help: &str) -> Feature {
    Feature {
        name: name.to_owned(),
        have,
        detail: detail.into(),
        help: (!have).then(|| help.to_owned()),
    }
}

/// The settings that keep user namespaces from ordinary users, with the value that does, and what helps.
const SETTINGS: [(&str, &str, &str); 3] = [
    // Ubuntu since 23.10.
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor keeps user namespaces from ordinary users here (`kernel.apparmor_restrict_unprivileged_userns` is 1): install the \
         profile that `seawall doctor --apparmor` prints",
    ),
    // Debian.
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "user namespaces are kept from ordinary users here: `sysctl kernel.unprivileged_userns_clone=1`",
    ),
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "user namespaces are switched off here: `sysctl user.max_user_namespaces=15000`",
    ),
];

/// What helps where no setting forbids them, as in a container.
const SOMEBODY: &str = "allow unprivileged user namespaces: no setting of this host forbids them, so it is a filter of system calls, as \
     containers have it (`--security-opt seccomp=unconfined`), or an AppArmor or SELinux profile that confines this program";

/// How to get namespaces, or to do without.
pub(crate) fn namespaces_help() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    format!(
        "{}, or take `--no-namespaces`: Landlock and seccomp alone, with the gaps that `docs/sandbox.md` lists",
        who_forbids(read)
    )
}

fn who_forbids(read: impl Fn(&str) -> Option<String>) -> &'static str {
    let forbids = |(path, value, _): &&(&str, &str, &str)| {
        read(path).is_some_and(|text| text.trim() == *value)
    };
    let found = SETTINGS.iter().find(forbids);
    found.map_or(SOMEBODY, |(_, _, help)| help)
}

fn namespaces() -> Vec<Feature> {
    let help = namespaces_help();
    match probe() {
        Ok(tried) => tried
            .into_iter()
            .map(|(name, why)| {
                feature(
                    &name,
                    why.is_none(),
                    why.unwrap_or_else(|| "entered".to_owned()),
                    &help,
                )
            })
            .collect(),
        Err(error) => vec![feature("namespaces", false, error.to_string(), &help)],
    }
}

fn probe() -> Result<Vec<(String, Option<String>)>, SandboxError> {
    let (mut control, mut launcher) = start_launcher().map_err(lost("start the launcher"))?;
    wire::post(&control, &Request::Probe, &[]).map_err(lost("ask the launcher"))?;
    let reply = wire::fetch(&mut control).map_err(lost("read the answer"))?;
    launcher.wait().map_err(lost("wait for the launcher"))?;
    match reply {
        Some((Reply::Probed(tried), _)) => Ok(tried),
        _ => Err(SandboxError::Lost("it did not answer".to_owned())),
    }
}

fn seccomp() -> Feature {
    let have = sys::seccomp_knows(libc::SECCOMP_RET_KILL_PROCESS);
    let detail = if have {
        "filters are known"
    } else {
        "filters are not known"
    };
    feature(
        "seccomp",
        have,
        detail,
        "boot a kernel with CONFIG_SECCOMP_FILTER=y",
    )
}

fn cgroup() -> Feature {
    let (have, detail) = match hierarchy::find() {
        Ok(base) => (true, format!("{} can be made", base.version())),
        Err(why) => (false, why),
    };
    feature(
        CONTROL_GROUPS,
        have,
        detail,
        &format!(
            "{}; without them memory is limited for each process, and processes for each user namespace",
            hierarchy::help()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_forbids_namespaces_is_told() {
        let all_fine = |path: &str| match path {
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns" => "0\n",
            _ => "1\n",
        };
        for (setting, value, expected) in [
            (
                "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
                "1\n",
                "`seawall doctor --apparmor`",
            ),
            (
                "/proc/sys/kernel/unprivileged_userns_clone",
                "0\n",
                "`sysctl kernel.unprivileged_userns_clone=1`",
            ),
            (
                "/proc/sys/user/max_user_namespaces",
                "0\n",
                "`sysctl user.max_user_namespaces=15000`",
            ),
            ("/proc/sys/none", "", "no setting of this host"),
        ] {
            let read = |path: &str| {
                let text = if path == setting {
                    value
                } else {
                    all_fine(path)
                };
                Some(text.to_owned())
            };
            assert!(who_forbids(read).contains(expected), "{setting}");
        }
        assert_eq!(who_forbids(|_| None), SOMEBODY);
    }
}
