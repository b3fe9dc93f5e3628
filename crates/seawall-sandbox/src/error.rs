//! What can go wrong between the caller and the launcher.
//!
//! What goes wrong inside the launcher, after [`crate::spawn`] has returned, is an end of the command
//! ([`crate::End::CouldNotStart`]) and not an error: the caller has a report either way.

use std::io;
use std::path::PathBuf;

/// Why a command was not run, or why nothing is known about its end.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel cannot confine a command at all.
    #[error(
        "the kernel cannot confine a worker: {found}, but Landlock ABI 3 (Linux 6.2) and system call filters are needed; boot a \
         newer kernel, or one with CONFIG_SECCOMP_FILTER=y, CONFIG_SECURITY_LANDLOCK=y and `landlock` in the `lsm=` list"
    )]
    Kernel {
        /// What there is instead.
        found: String,
    },
    /// The order makes no sense.
    #[error("the order is not valid: {0}")]
    Order(String),
    /// A path of the order cannot be used.
    #[error("cannot {what} `{}`", path.display())]
    Path {
        /// What was tried, for example `open the output file`.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The launcher could not be started or spoken to.
    #[error("cannot {what}")]
    Launcher {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A probe of the sandbox did not come to an end, so that nothing is proved.
    #[error("the sandbox cannot be enforced here: {0}")]
    Unheld(String),
    /// The launcher ended without a report; what it ran is dead.
    #[error("the launcher was lost: {0}")]
    Lost(String),
}
