//! `seawall doctor --apparmor`: an AppArmor profile that lets this very program make user namespaces.
//!
//! Ubuntu 24.04 gives user namespaces of ordinary users no rights unless a profile says `userns,`
//! (`kernel.apparmor_restrict_unprivileged_userns`). The profile printed here confines nothing else: it is the one that
//! Ubuntu ships for browsers and bubblewrap-like tools, with another path. It is only text; who installs it is root.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::failure::{FINE, Failure};
use crate::output;

/// Where the profile is to be.
const PLACE: &str = "/etc/apparmor.d/seawall";

pub(crate) fn run() -> Result<u8, Failure> {
    let program = std::env::current_exe()
        .and_then(fs::canonicalize)
        .map_err(|error| {
            Failure::failed(format!("cannot find this program's own file: {error}"))
        })?;
    let quoted = quoted(&program).ok_or_else(|| {
        let text = format!(
            "an AppArmor profile cannot name `{}` safely",
            program.display()
        );
        Failure::failed(text)
            .help("install seawall at a plain path such as `/usr/local/bin/seawall`")
    })?;
    output::say(&text(&quoted, writable(&program)));
    Ok(FINE)
}

/// The path in quotes, if it has none of the characters that mean something in a profile (patterns, variables, escapes;
/// apparmor.d(5)): those are refused and not escaped, because a mistake would open the door to other programs.
fn quoted(program: &Path) -> Option<String> {
    let text = program.to_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+ ".contains(c);
    (text.starts_with('/') && text.chars().all(plain)).then(|| format!("\"{text}\""))
}

/// Whether anybody but root can replace the program: the file and every directory above it.
fn writable(program: &Path) -> bool {
    let loose = |path: &Path| {
        fs::metadata(path).is_ok_and(|found| found.uid() != 0 || found.mode() & 0o022 != 0)
    };
    program.ancestors().any(loose)
}

/// The commands, as comments, and the profile: so that it can be piped into the first of them.
fn text(quoted: &str, writable: bool) -> String {
    let mut text = format!(
        "# Lets seawall make user namespaces where AppArmor keeps them from ordinary users. Install it with\n\
         #   seawall doctor --apparmor | sudo tee {PLACE}\n\
         #   sudo apparmor_parser --replace {PLACE}\n\
         # It needs AppArmor 4.0 or newer: an older parser says that it cannot open `abi/4.0`.\n"
    );
    if writable {
        text.push_str(
            "# Somebody other than root can replace the program at this path, and could then make user namespaces with\n\
             # another one; /usr/local/bin is a better place.\n",
        );
    }
    let rules = "  userns,\n\n  include if exists <local/seawall>\n";
    let head = "abi <abi/4.0>,\ninclude <tunables/global>\n";
    // A String takes every write.
    let _ = write!(
        text,
        "\n{head}\nprofile seawall {quoted} flags=(unconfined) {{\n{rules}}}\n"
    );
    text
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn the_profile_names_the_program() {
        let expected = "\
# Lets seawall make user namespaces where AppArmor keeps them from ordinary users. Install it with
#   seawall doctor --apparmor | sudo tee /etc/apparmor.d/seawall
#   sudo apparmor_parser --replace /etc/apparmor.d/seawall
# It needs AppArmor 4.0 or newer: an older parser says that it cannot open `abi/4.0`.

abi <abi/4.0>,
include <tunables/global>

profile seawall \"/usr/local/bin/seawall\" flags=(unconfined) {
  userns,

  include if exists <local/seawall>
}
";
        let quoted = quoted(Path::new("/usr/local/bin/seawall")).unwrap();
        assert_eq!(text(&quoted, false), expected);
        assert!(text(&quoted, true).contains("# Somebody other than root"));
    }

    #[test]
    fn only_plain_paths_are_named() {
        for good in ["/a b/seawall", "/opt/x-1.2_3+4/seawall"] {
            assert_eq!(quoted(Path::new(good)).unwrap(), format!("\"{good}\""));
        }
        for bad in [
            "seawall",
            "/a*",
            "/a?",
            "/[a]",
            "/{a,b}",
            "/@{HOME}/x",
            "/a\"b",
            "/a\\b",
            "/a\nb",
            "/a#b",
            "/é",
            "/^a",
            "/a,b",
            "/a\tb",
        ] {
            assert_eq!(quoted(Path::new(bad)), None, "{bad:?}");
        }
        assert_eq!(quoted(Path::new(OsStr::from_bytes(b"/\xff"))), None);
    }

    #[test]
    fn a_program_that_others_can_replace_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("seawall");
        fs::write(&program, "").unwrap();
        // Below /tmp, or wherever it is, somebody may rename.
        assert!(writable(&program));
    }
}
