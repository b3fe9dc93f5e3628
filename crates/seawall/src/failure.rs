//! The one place that turns what went wrong into a message, a `help:` line and an exit code.

use std::fmt::Write as _;
use std::process::ExitCode;

use seawall_executor::ExecuteError;
use seawall_git::Error as GitError;

use crate::output;

/// All accepted.
pub(crate) const FINE: u8 = 0;
/// Wrong usage, or a plan that is refused.
pub(crate) const USAGE: u8 = 2;
/// Seawall itself failed.
pub(crate) const FAILED: u8 = 3;

/// The end of a command that could not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    help: Vec<String>,
}

impl Failure {
    /// What happened, without the help.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The user can mend it: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: USAGE,
            message: message.into(),
            help: Vec::new(),
        }
    }

    /// The world or the program is at fault: exit code 3.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            code: FAILED,
            message: message.into(),
            help: Vec::new(),
        }
    }

    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Prints it; the code to exit with.
    pub(crate) fn report(&self) -> ExitCode {
        let mut text = format!("error: {}\n", self.message);
        for help in &self.help {
            let _ = writeln!(text, "help:  {help}"); // a String takes every write
        }
        output::complain(&text);
        ExitCode::from(self.code)
    }
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}"); // a String takes every write
        cause = error.source();
    }
    text
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        let text = chain(&error);
        match error {
            GitError::NotARepository(_) => Self::usage(text).help("say where it is with `--repo DIR`"),
            GitError::Unborn => Self::usage(text).help("make a first commit: a run starts from one"),
            GitError::Unusable { .. } => Self::usage(text).help("`git status` there may say more: it must belong to you and use SHA-1"),
            GitError::NotFastForward { .. } => {
                Self::usage(text).help("the branch has moved since the run began; merge or rebase the run's branch yourself")
            }
            GitError::InTheWay { .. } => Self::usage(text).help("commit or stash your changes, then land again"),
            GitError::NoSuchBranch(_)
            | GitError::Busy { .. }
            | GitError::CheckedOut { .. }
            | GitError::NeedsGit { .. }
            | GitError::Locked(_) => Self::usage(text),
            _ => Self::failed(text),
        }
    }
}

impl From<ExecuteError> for Failure {
    fn from(error: ExecuteError) -> Self {
        Self::failed(error.chain())
    }
}

impl From<seawall_sandbox::SandboxError> for Failure {
    fn from(error: seawall_sandbox::SandboxError) -> Self {
        Self::failed(chain(&error)).help("`seawall doctor` says what this host can enforce")
    }
}

impl From<seawall_journal::JournalError> for Failure {
    fn from(error: seawall_journal::JournalError) -> Self {
        Self::failed(chain(&error))
    }
}
