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

/// How to get namespaces, or to do without.
pub(crate) const NAMESPACES_HELP: &str = "allow unprivileged user namespaces (`sysctl user.max_user_namespaces=15000`, on \
     Ubuntu 24.04 also the AppArmor profile that `seawall doctor --apparmor` prints, or \
     `sysctl kernel.apparmor_restrict_unprivileged_userns=0`), or take `--no-namespaces`: Landlock and seccomp alone, with the gaps that `docs/sandbox.md` lists";

/// The same where it is known who forbids them.
const APPARMOR_HELP: &str = "AppArmor keeps user namespaces from ordinary users here \
     (`kernel.apparmor_restrict_unprivileged_userns` is 1): install the profile that `seawall doctor --apparmor` prints, or \
     take `--no-namespaces`: Landlock and seccomp alone, with the gaps that `docs/sandbox.md` lists";

/// The setting of Ubuntu since 23.10; other kernels do not have it.
const RESTRICTED: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

fn help_with_namespaces(setting: Option<&str>) -> &'static str {
    match setting.map(str::trim) {
        Some("1") => APPARMOR_HELP,
        _ => NAMESPACES_HELP,
    }
}

fn namespaces() -> Vec<Feature> {
    let setting = std::fs::read_to_string(RESTRICTED).ok();
    let help = help_with_namespaces(setting.as_deref());
    match probe() {
        Ok(tried) => tried
            .into_iter()
            .map(|(name, why)| {
                feature(
                    &name,
                    why.is_none(),
                    why.unwrap_or_else(|| "entered".to_owned()),
                    help,
                )
            })
            .collect(),
        Err(error) => vec![feature("namespaces", false, error.to_string(), help)],
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
        for (setting, expected) in [
            (Some("1\n"), APPARMOR_HELP),
            (Some("0\n"), NAMESPACES_HELP),
            (None, NAMESPACES_HELP),
        ] {
            assert_eq!(help_with_namespaces(setting), expected);
        }
        assert!(APPARMOR_HELP.contains("doctor --apparmor"));
    }
}
