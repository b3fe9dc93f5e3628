//! What the world can refuse.

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};

/// Why an effect could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The repository.
    #[error(transparent)]
    Git(#[from] seawall_git::Error),
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] seawall_sandbox::SandboxError),
    /// A file or directory of the run.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The output of a check could not be kept whole.
    #[error("the output of a command is not on disk: {0}")]
    Output(String),
    /// A part of the program ended without an answer.
    #[error("a part of the program failed: {0}")]
    Lost(String),
}

impl ExecuteError {
    /// The error with all its causes, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

/// For `map_err`: says what was tried with which path.
pub(crate) fn at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ExecuteError {
    let path = path.to_owned();
    move |source| ExecuteError::Io { what, path, source }
}
