//! What the machine must offer for a test to mean anything.

use std::path::Path;

use crate::support;

/// Whether something is there. Says loudly that a test is skipped when it is not, and fails it when tests may not skip.
pub(crate) fn have(what: &str, there: bool) -> bool {
    if !there {
        support::skip("a test of the sandbox", &format!("it needs {what}"));
    }
    there
}

/// Whether the system's own interpreter is there, which every user can run.
pub(crate) fn python() -> bool {
    have("/usr/bin/python3", Path::new("/usr/bin/python3").exists())
}

/// Whether the tests run as root, and can play an ordinary user too.
pub(crate) fn is_root() -> bool {
    nix::unistd::getuid().is_root()
}
