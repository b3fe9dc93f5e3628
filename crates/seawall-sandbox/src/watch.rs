//! The watch over a running worker: one loop over everything that can happen.
//!
//! Output, the end of the worker, a request to stop, a limit of time, the death of the supervisor or of the launcher. It
//! ends when the tree is dead, and not before: a report is the promise that nothing of it is left.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;

use crate::cgroup::{Counts, Group};
use crate::order::Limits;
use crate::report::{End, Report};
use crate::sink::Sink;
use crate::tree::{self, Reach};
use crate::worker::Told;

/// The longest sleep between two looks at the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The worker is being ended.
struct Ending {
    because: End,
    /// When `SIGTERM` becomes `SIGKILL`.
    kill_at: Instant,
}

/// What the keeper gives into the watch.
pub(crate) struct Ward<'a> {
    /// The supervisor: requests to stop, and its death; none when it is the launcher.
    pub(crate) control: Option<&'a UnixStream>,
    /// The launcher: only its death.
    pub(crate) lifeline: OwnedFd,
    /// `SIGCHLD`.
    pub(crate) deaths: SignalFd,
    /// What the worker told before it became the command.
    pub(crate) told: Told,
    /// The output, when it is not inherited.
    pub(crate) sink: Option<Sink>,
    pub(crate) limits: &'a Limits,
    pub(crate) group: Option<&'a Group>,
    pub(crate) reach: Reach,
    pub(crate) worker: Pid,
    pub(crate) started: Instant,
}

/// A ward, and what has happened to it so far.
struct Watch<'a> {
    ward: Ward<'a>,
    last_output: Instant,
    ending: Option<Ending>,
    status: Option<WaitStatus>,
}

/// Watches until the worker has ended and its tree is dead; `None` when nobody is left to report to.
pub(crate) fn over(ward: Ward<'_>) -> io::Result<Option<Report>> {
    let last_output = ward.started;
    let watch = Watch {
        ward,
        last_output,
        ending: None,
        status: None,
    };
    watch.run()
}

/// What woke the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Control,
    Lifeline,
    Deaths,
    Output,
}

impl Watch<'_> {
    fn run(mut self) -> io::Result<Option<Report>> {
        while self.status.is_none() {
            for source in self.wait()? {
                let alone = match source {
                    Source::Control => !self.hear_supervisor()?,
                    Source::Lifeline => true,
                    Source::Deaths => self.reap()?,
                    Source::Output => self.pump()?,
                };
                if alone {
                    self.sweep()?;
                    return Ok(None);
                }
            }
            self.look_at_clock()?;
        }
        self.close().map(Some)
    }

    fn wait(&self) -> io::Result<Vec<Source>> {
        let mut sources = vec![
            (Source::Lifeline, self.ward.lifeline.as_fd()),
            (Source::Deaths, self.ward.deaths.as_fd()),
        ];
        let control = self.ward.control.map(AsFd::as_fd);
        sources.extend(control.map(|control| (Source::Control, control)));
        sources.extend(
            self.ward
                .sink
                .as_ref()
                .and_then(Sink::source)
                .map(|pipe| (Source::Output, pipe)),
        );
        let mut polled: Vec<_> = sources
            .iter()
            .map(|(_, fd)| PollFd::new(*fd, PollFlags::POLLIN))
            .collect();
        match poll(&mut polled, self.timeout()) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let woken = sources
            .iter()
            .zip(&polled)
            .filter(|(_, poll)| poll.any().unwrap_or(false));
        Ok(woken.map(|((source, _), _)| *source).collect())
    }

    fn timeout(&self) -> PollTimeout {
        let left = self.deadline().map_or(LONGEST_SLEEP, |at| {
            at.saturating_duration_since(Instant::now())
        });
        // One millisecond more, so that the deadline has passed when the sleep is over.
        let left = left.min(LONGEST_SLEEP) + Duration::from_millis(1);
        PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.ending {
            Some(ending) => Some(ending.kill_at),
            None => [self.wall_at(), self.silence_at()]
                .into_iter()
                .flatten()
                .min(),
        }
    }

    fn wall_at(&self) -> Option<Instant> {
        self.ward
            .limits
            .wall
            .and_then(|wall| self.ward.started.checked_add(wall))
    }

    fn silence_at(&self) -> Option<Instant> {
        self.ward.sink.as_ref()?;
        self.ward
            .limits
            .silence
            .and_then(|silence| self.last_output.checked_add(silence))
    }

    /// Whether the supervisor is still there.
    fn hear_supervisor(&mut self) -> io::Result<bool> {
        let Some(mut control) = self.ward.control else {
            return Ok(true);
        };
        match control.read(&mut [0; 16]) {
            Ok(0) => Ok(false),
            // Whatever it says after the order means one thing.
            Ok(_) => self.end(End::Stopped).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(_) => Ok(false),
        }
    }

    fn pump(&mut self) -> io::Result<bool> {
        if let Some(sink) = &mut self.ward.sink
            && sink.pump()?
        {
            self.last_output = Instant::now();
        }
        Ok(false)
    }

    fn reap(&mut self) -> io::Result<bool> {
        while self.ward.deaths.read_signal()?.is_some() {}
        while let Some(status) = tree::reap() {
            if status.pid() == Some(self.ward.worker) {
                self.status = Some(status);
            }
        }
        Ok(false)
    }

    fn look_at_clock(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if let Some(ending) = &mut self.ending {
            if ending.kill_at <= now {
                ending.kill_at = now + LONGEST_SLEEP;
                self.ward.reach.kill()?;
            }
            return Ok(());
        }
        let passed = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if passed(self.wall_at()) {
            return self.end(End::TimedOut);
        }
        if passed(self.silence_at()) {
            self.end(End::Silent)
        } else {
            Ok(())
        }
    }

    fn end(&mut self, because: End) -> io::Result<()> {
        if self.ending.is_some() {
            return Ok(());
        }
        let kill_at = Instant::now() + self.ward.limits.grace.min(Duration::from_secs(86_400));
        self.ending = Some(Ending { because, kill_at });
        self.ward.reach.terminate()
    }

    /// Kills and reaps what is left, and returns how many that were.
    fn sweep(&self) -> io::Result<u32> {
        match (self.ward.group, self.ward.reach) {
            (Some(group), Reach::Descendants) => tree::sweep_group(group),
            (_, reach) => tree::sweep(reach),
        }
    }

    /// Nothing of the tree is alive when the report is made.
    fn close(mut self) -> io::Result<Report> {
        let counts = self
            .ward
            .group
            .map_or(Ok(Counts::default()), Group::counts)?;
        let leftovers = self.sweep()?;
        if let Some(sink) = &mut self.ward.sink {
            sink.drain()?;
        }
        let Told { ledger, failure } = self.ward.told;
        let sink = self.ward.sink.as_ref();
        Ok(Report {
            end: failure.unwrap_or_else(|| {
                let own = end_of(self.status, counts, self.ward.limits);
                self.ending.map_or(own, |ending| ending.because)
            }),
            wall: self.ward.started.elapsed(),
            output_bytes: sink.map_or(0, |sink| sink.bytes),
            output_kept: sink.map_or(0, |sink| sink.kept),
            output_error: sink.and_then(|sink| sink.error.clone()),
            leftovers,
            limits: told(counts, self.ward.limits),
            ledger,
            network: None,
        })
    }
}

fn end_of(status: Option<WaitStatus>, counts: Counts, limits: &Limits) -> End {
    match status {
        Some(WaitStatus::Signaled(_, Signal::SIGKILL, _)) if counts.killed > 0 => End::Killed {
            limit: short_of_memory(counts, limits),
        },
        Some(WaitStatus::Signaled(_, Signal::SIGXFSZ, _)) => End::Killed {
            limit: in_words("file size", limits.file_size),
        },
        Some(WaitStatus::Signaled(_, signal, _)) => End::Signalled(signal as i32),
        Some(WaitStatus::Exited(_, status)) => End::Exited(status),
        other => End::CouldNotStart {
            step: "wait for the command".to_owned(),
            error: format!("{other:?}"),
        },
    }
}

/// Which limits were met, one line each.
fn told(counts: Counts, limits: &Limits) -> Vec<String> {
    let mut met = Vec::new();
    if counts.killed > 0 {
        let limit = short_of_memory(counts, limits);
        met.push(format!("{limit}: {} killed", counts.killed));
    }
    if counts.refused > 0 {
        let most = limits.processes.unwrap_or(0);
        met.push(format!("processes {most}: {} not started", counts.refused));
    }
    met
}

/// Which memory there was no more of: to raise a limit that was not met would be no use.
fn short_of_memory(counts: Counts, limits: &Limits) -> String {
    let own = in_words("memory", limits.memory);
    match counts.elsewhere {
        false => own,
        true => {
            format!("memory of all workers together or of the host, below its own limit ({own})")
        }
    }
}

/// A limit with its number, as in `memory 2 GiB`.
fn in_words(name: &str, bytes: Option<u64>) -> String {
    match bytes {
        None => name.to_owned(),
        Some(bytes) if bytes >= 1 << 30 && bytes % (1 << 30) == 0 => {
            format!("{name} {} GiB", bytes >> 30)
        }
        Some(bytes) => format!("{name} {} MiB", bytes >> 20),
    }
}
