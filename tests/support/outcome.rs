//! What a command said, and what became of a run: with assertions that print everything when they fail.

use std::process::Command;

use serde_json::Value;

/// The end of a command.
pub(crate) struct Output {
    /// The exit code; 128 and the signal's number when one ended it.
    pub(crate) exit: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
    asked: String,
}

impl Output {
    /// Runs the command to its end.
    #[must_use = "say which exit code is right: `.code(0)`"]
    pub(crate) fn of(command: &mut Command) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let done = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            exit: done
                .status
                .code()
                .unwrap_or_else(|| 128 + done.status.signal().unwrap_or(0)),
            out: text(&done.stdout),
            err: text(&done.stderr),
            asked: format!("{:?}", command.get_args().collect::<Vec<_>>()),
        }
    }

    /// It must have ended so.
    pub(crate) fn code(self, want: i32) -> Self {
        assert_eq!(self.exit, want, "{self}");
        self
    }

    /// Standard output and error, together, must hold all of these.
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            let there = self.out.contains(part) || self.err.contains(part);
            assert!(there, "`{part}` is not said: {self}");
        }
        self
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            exit,
            out,
            err,
            asked,
        } = self;
        write!(
            f,
            "seawall {asked} ended with {exit}\n--- out\n{out}\n--- err\n{err}"
        )
    }
}

/// `seawall status --json`.
pub(crate) struct Status(pub(crate) Value);

impl Status {
    /// A member that is text; empty when it is null or missing.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.0[member].as_str().unwrap_or_default()
    }

    /// The run's id.
    pub(crate) fn run(&self) -> &str {
        self.text("run")
    }

    /// A task.
    pub(crate) fn task(&self, id: &str) -> &Value {
        let tasks = self.0["tasks"].as_array().unwrap();
        let found = tasks.iter().find(|task| task["id"] == id);
        found.unwrap_or_else(|| panic!("no task `{id}` in {:#}", self.0))
    }

    /// `VERDICT REASON-CODE DISPATCHES` of a task.
    pub(crate) fn word(&self, id: &str) -> String {
        word(self.task(id))
    }

    /// The same for every task, as `ID: …`, in plan order.
    pub(crate) fn words(&self) -> Vec<String> {
        let tasks = self.0["tasks"].as_array().unwrap().iter();
        tasks
            .map(|task| format!("{}: {}", task["id"].as_str().unwrap(), word(task)))
            .collect()
    }

    /// Why a task ended so, in words.
    pub(crate) fn why(&self, id: &str) -> &str {
        self.task(id)["reason"]["text"].as_str().unwrap_or_default()
    }

    /// How many tasks have this verdict.
    pub(crate) fn count(&self, verdict: &str) -> u64 {
        self.0["counts"][verdict].as_u64().unwrap()
    }

    /// Every task must have been accepted, or have had nothing to do.
    pub(crate) fn assert_all_fine(&self) {
        for word in self.words() {
            let fine = word.contains(": accepted ") || word.contains(": not-run nothing-to-do");
            assert!(fine, "{word}: {:#}", self.0);
        }
    }
}

fn word(task: &Value) -> String {
    format!(
        "{} {} {}",
        task["verdict"].as_str().unwrap_or("open"),
        task["reason"]["code"].as_str().unwrap_or("-"),
        task["dispatches"]
    )
}
