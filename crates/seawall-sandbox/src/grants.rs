//! What every confined command may read: the system, and nothing personal.
//!
//! A positive list. `/etc` is granted leaf by leaf because secrets live beside settings there (`shadow`, `sudoers`, host
//! keys, `ssl/private`), and Landlock cannot take back a part of what it grants. A path that a host lacks is skipped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Directories with programs and libraries.
const ROOTS: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
    "/proc",
];

/// Settings that programs need and that hold no secret.
const ETC: &[&str] = &[
    "alternatives",
    "bash.bashrc",
    "bash_completion.d",
    "bindresvport.blacklist",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "default/locale",
    "dpkg/origins",
    "ethertypes",
    "fedora-release",
    "fonts",
    "gai.conf",
    "gitattributes",
    "gitconfig",
    "group",
    "host.conf",
    "hostname",
    "hosts",
    "inputrc",
    "issue",
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "lsb-release",
    "magic",
    "magic.mime",
    "manpath.config",
    "mime.types",
    "mtab",
    "netconfig",
    "networks",
    "nsswitch.conf",
    "openssl",
    "os-release",
    "passwd",
    "perl",
    "pki/ca-trust",
    "pki/java",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "pki/tls/openssl.cnf",
    "profile",
    "profile.d",
    "protocols",
    "python3",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "redhat-release",
    "resolv.conf",
    "rpc",
    "services",
    "shells",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "ssl/openssl.cnf.d",
    "static",
    "system-release",
    "terminfo",
    "timezone",
    "vconsole.conf",
    "xattr.conf",
];

/// What runtimes read to size their pools and heaps.
const SYS: &[&str] = &[
    "devices/system/cpu",
    "devices/system/node",
    "fs/cgroup",
    "kernel/mm/transparent_hugepage",
];

/// Devices that are read and written.
pub(crate) const DEVICES_WRITTEN: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/tty"];

/// Devices that are only read.
const DEVICES_READ: &[&str] = &["/dev/random", "/dev/urandom"];

/// Files that hold credentials in directories that people grant as a whole, such as `~/.cargo`.
const CREDENTIALS: &[&str] = &[
    "credentials",
    "credentials.toml",
    ".credentials.json",
    ".credentials",
    "auth.json",
    ".npmrc",
    ".pypirc",
    ".netrc",
    ".git-credentials",
    "token",
    "hosts.yml",
];

/// The system paths, whether they exist or not.
pub(crate) fn system() -> Vec<PathBuf> {
    let below = |root: &'static str, leaves: &[&str]| -> Vec<PathBuf> {
        leaves
            .iter()
            .map(|leaf| Path::new(root).join(leaf))
            .collect()
    };
    let plain = ROOTS.iter().chain(DEVICES_READ).map(PathBuf::from);
    plain
        .chain(below("/etc", ETC))
        .chain(below("/sys", SYS))
        .collect()
}

/// The path itself, or its children without the credential files when it is a directory that holds some.
///
/// # Errors
/// When the path cannot be looked at.
pub(crate) fn without_credentials(path: &Path) -> io::Result<Vec<PathBuf>> {
    let holds_some = |directory: &Path| {
        CREDENTIALS
            .iter()
            .any(|name| directory.join(name).symlink_metadata().is_ok())
    };
    if !fs::metadata(path)?.is_dir() || !holds_some(path) {
        return Ok(vec![path.to_owned()]);
    }
    let mut children = Vec::new();
    for child in fs::read_dir(path)? {
        let child = child?;
        if !CREDENTIALS.iter().any(|name| child.file_name() == *name) {
            children.push(child.path());
        }
    }
    Ok(children)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_the_system_is_granted() {
        let granted = system();
        for secret in [
            "/etc/shadow",
            "/etc/gshadow",
            "/etc/sudoers",
            "/etc/ssh/ssh_host_rsa_key",
            "/etc/ssl/private/k",
            "/root/.ssh/id",
            "/etc/npmrc",
            "/etc/pip.conf",
            "/dev/sda",
            "/dev/mem",
            "/run/docker.sock",
            "/tmp/x",
        ] {
            let covered = granted
                .iter()
                .find(|path| Path::new(secret).starts_with(path));
            assert_eq!(covered, None, "{secret}");
        }
    }

    #[test]
    fn credentials_are_left_out_of_a_granted_directory() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("credentials.toml"), "secret").unwrap();
        fs::create_dir(home.path().join("registry")).unwrap();
        assert_eq!(
            without_credentials(home.path()).unwrap(),
            [home.path().join("registry")]
        );
        let plain = home.path().join("registry");
        assert_eq!(without_credentials(&plain).unwrap(), [plain]);
    }
}
