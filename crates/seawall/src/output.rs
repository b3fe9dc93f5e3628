//! Writing to the terminal: a reader that goes away is no error.

use std::io::{self, IsTerminal as _, Write as _};

/// Writes to standard output. `head` closing the pipe must not look like a failure of the command.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    // Nobody is left to be told about a closed standard output.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Writes a JSON value and a newline to standard output.
pub(crate) fn say_json(value: &serde_json::Value) {
    say(&format!("{value:#}\n"));
}

/// Writes to standard error.
pub(crate) fn complain(text: &str) {
    // Nobody is left to be told about a closed standard error.
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// Whether colour is wanted on standard error (<https://no-color.org>).
pub(crate) fn color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The last line of a growing file that is not empty, from its last few hundred bytes.
pub(crate) fn last_line(path: &std::path::Path) -> Option<String> {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::File::open(path).ok()?;
    let from = file.metadata().ok()?.len().saturating_sub(400);
    let mut bytes = [0; 400];
    let read = file.read_at(&mut bytes, from).ok()?;
    let text = String::from_utf8_lossy(&bytes[..read]);
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned)
}
