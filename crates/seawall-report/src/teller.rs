//! Tells a run while it happens, in one of four ways, to a sink that may go away.
//!
//! A reader that closes its end (`seawall run | head`) has heard enough: nothing more is written, and the run goes on.
//! Any other error of the sink is kept for the caller ([`Teller::trouble`]), for the same reason.

use std::io::{self, Write};

use indicatif::ProgressDrawTarget;
use serde::Serialize;

use seawall_core::drive::Reporter;
use seawall_core::event::Event;
use seawall_core::scheduler::{Outcome, Scheduler};

use crate::lines::lines;
use crate::progress::{LastLine, Progress};
use crate::status::{Liveness, Status, status_of};
use crate::summary::summary;
use crate::view::{News, View};

/// How a run is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Progress at the bottom, lines above: for a terminal.
    Terminal,
    /// Lines: for a pipe.
    Plain,
    /// Only the end.
    Quiet,
    /// One JSON object per event, and the status at the end: JSON Lines.
    Json,
}

/// The [`Reporter`] of the program.
pub struct Teller<W> {
    mode: Mode,
    sink: W,
    view: View,
    clock: Box<dyn Fn() -> u64>,
    header: Vec<String>,
    progress: Option<Progress>,
    gone: bool,
    trouble: Option<io::Error>,
}

#[derive(Serialize)]
struct Told<'a> {
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<&'a str>,
    #[serde(flatten)]
    event: &'a Event,
}

#[derive(Serialize)]
struct Ended {
    at: u64,
    event: &'static str,
    outcome: &'static str,
    status: Status,
}

impl<W: Write> Teller<W> {
    /// Tells to `sink`. `view` is the run so far: blank, or folded from the journal of a run that is resumed.
    /// `clock` gives milliseconds since 1970-01-01 UTC. In [`Mode::Terminal`] the progress is drawn on standard
    /// error, where indicatif shows nothing unless it is a terminal.
    pub fn new(mode: Mode, sink: W, view: View, clock: impl Fn() -> u64 + 'static) -> Self {
        Self {
            mode,
            sink,
            view,
            clock: Box::new(clock),
            header: Vec::new(),
            progress: (mode == Mode::Terminal)
                .then(|| Progress::new(ProgressDrawTarget::stderr(), None)),
            gone: false,
            trouble: None,
        }
    }

    /// Adds lines that follow the run's first one, such as what confines the workers.
    #[must_use]
    pub fn header(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.header.extend(lines);
        self
    }

    /// Says where the last line of a worker's output comes from; it is shown in [`Mode::Terminal`] only.
    #[must_use]
    pub fn last_lines(mut self, last_line: LastLine) -> Self {
        if self.mode == Mode::Terminal {
            self.progress = Some(Progress::new(ProgressDrawTarget::stderr(), Some(last_line)));
        }
        self
    }

    /// Draws elsewhere.
    #[cfg(test)]
    pub(crate) fn on(mut self, target: ProgressDrawTarget, last_line: LastLine) -> Self {
        self.progress = Some(Progress::new(target, Some(last_line)));
        self
    }

    /// The run as told so far.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// What went wrong with the sink, other than that its reader went away; nothing was written since.
    pub fn trouble(&self) -> Option<&io::Error> {
        self.trouble.as_ref()
    }

    /// Tells the end: the summary, or in [`Mode::Json`] one object with `"event": "ended"`, the outcome and the status.
    pub fn end(&mut self, scheduler: &Scheduler, outcome: &Outcome) {
        if let Some(mut progress) = self.progress.take() {
            progress.end();
        }
        match self.mode {
            Mode::Json => {
                let ended = Ended {
                    at: (self.clock)(),
                    event: "ended",
                    outcome: outcome_name(outcome),
                    status: status_of(&self.view, scheduler, Liveness::Dead),
                };
                self.json(&ended);
            }
            Mode::Quiet => self.write(&summary(&self.view, scheduler, outcome)),
            Mode::Plain | Mode::Terminal => {
                let text = format!("\n{}", summary(&self.view, scheduler, outcome));
                self.write(&text);
            }
        }
    }

    fn lines(&mut self, scheduler: &Scheduler) {
        let mut lines = lines(&self.view, scheduler);
        let begins = |news: &News| matches!(news, News::Began | News::Resumed { .. });
        if self.view.news().iter().any(begins) {
            lines.splice(
                1.min(lines.len())..1.min(lines.len()),
                self.header.iter().cloned(),
            );
        }
        if !lines.is_empty() {
            self.write(&(lines.join("\n") + "\n"));
        }
    }

    fn json(&mut self, what: &impl Serialize) {
        match serde_json::to_string(what) {
            Ok(line) => self.write(&(line + "\n")),
            Err(error) => self.trouble = Some(error.into()),
        }
    }

    fn write(&mut self, text: &str) {
        if self.gone {
            return;
        }
        let sink = &mut self.sink;
        let mut write = || sink.write_all(text.as_bytes()).and_then(|()| sink.flush());
        let done = match &self.progress {
            Some(progress) => progress.above(write),
            None => write(),
        };
        if let Err(error) = done {
            self.gone = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.trouble = Some(error);
            }
        }
    }
}

impl<W: Write> Reporter for Teller<W> {
    fn tell(&mut self, event: &Event, scheduler: &Scheduler) {
        let at = (self.clock)();
        self.view.see(at, event, scheduler);
        match self.mode {
            Mode::Quiet => {}
            Mode::Json => {
                let plan = std::sync::Arc::clone(self.view.plan());
                let task_id = self.view.task_at(event).map(|ix| &*plan.task(ix).id);
                self.json(&Told { at, task_id, event });
            }
            Mode::Plain => self.lines(scheduler),
            Mode::Terminal => {
                self.lines(scheduler);
                if let Some(progress) = &mut self.progress {
                    progress.draw(&self.view, scheduler);
                }
            }
        }
        if self.mode != Mode::Json {
            self.view.forget_bases();
        }
    }
}

fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Finished => "finished",
        Outcome::Refused => "refused",
        Outcome::Parked(_) => "parked",
        Outcome::Interrupted => "interrupted",
    }
}
