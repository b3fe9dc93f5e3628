//! The keeper: parent of the worker, and process 1 of its pid namespace when there is one.
//!
//! One loop over everything that can happen: output, the end of the worker, a request to stop, a limit of time, the death of
//! the supervisor or of the launcher. The keeper is never inside the worker's Landlock domain, so that the worker can
//! neither signal nor trace it; it has no environment and cannot be dumped, so that there is nothing to read in it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::WaitStatus;
use nix::unistd::{Pid, pipe2};

use crate::launch::{Launch, Reply};
use crate::launcher::{Rung, not_started};
use crate::order::Limits;
use crate::report::{End, Ledger, Report};
use crate::sink::Sink;
use crate::tree::{self, Reach};
use crate::view::View;
use crate::worker::{self, Start, Told};
use crate::{sys, view, wire};

/// What the keeper tells the launcher when its namespaces are in order.
pub(crate) const READY: &str = "ready";

/// The longest sleep between two looks at the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What the launcher hands to the keeper that it forks.
pub(crate) struct Post<'a> {
    pub(crate) control: &'a UnixStream,
    pub(crate) launch: &'a Launch,
    pub(crate) rung: Rung,
    /// The rungs that could not be had, and why.
    pub(crate) refused: &'a [String],
    pub(crate) streams: &'a [OwnedFd; 3],
}

/// The life of the keeper. `go` brings one byte when the user is mapped and ends with the launcher; `ready` takes the answer.
pub(crate) fn main(post: &Post<'_>, go: OwnedFd, ready: OwnedFd) -> ! {
    let mut ledger = Ledger::default();
    let mut found = None;
    let admitted = rehearse(post.rung, &go, ready, || {
        found = Some(view::build(post.launch, post.rung, &mut ledger)?);
        Ok(())
    });
    let (Ok(()), Some(view)) = (admitted, found) else {
        sys::leave(0)
    };
    note_rung(post, &mut ledger);
    sys::leave(match keep(post, &view, ledger, go) {
        Ok(()) => 0,
        // The supervisor may have gone; the launcher reports a lost keeper then.
        Err(error) => i32::from(report_failure(post, &error).is_err()),
    })
}

/// Does what must work in a rung, and tells the launcher whether it did.
pub(crate) fn rehearse(
    rung: Rung,
    go: &OwnedFd,
    ready: OwnedFd,
    build: impl FnOnce() -> Result<(), String>,
) -> io::Result<()> {
    if File::from(go.try_clone()?).read(&mut [0])? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let loopback = if rung.has(libc::CLONE_NEWNET) {
        sys::loopback_up()
    } else {
        Ok(())
    };
    let done = loopback
        .map_err(|error| format!("cannot bring loopback up: {error}"))
        .and_then(|()| build());
    let answer = done.as_ref().err().map_or(READY, String::as_str);
    File::from(ready).write_all(answer.as_bytes())?;
    done.map_err(io::Error::other)
}

fn report_failure(post: &Post<'_>, error: &io::Error) -> io::Result<()> {
    tree::sweep(reach(post.rung))?;
    wire::post(
        post.control,
        &Reply::Report(not_started("keep the worker", error)),
        &[],
    )
}

fn reach(rung: Rung) -> Reach {
    if rung.has(libc::CLONE_NEWPID) {
        Reach::Namespace
    } else {
        Reach::Descendants
    }
}

fn note_rung(post: &Post<'_>, ledger: &mut Ledger) {
    if !post.launch.namespaces {
        ledger.off("namespaces");
    } else if post.rung.flags == 0 {
        ledger.degraded_to("namespaces", post.rung.name, post.refused.join("; "));
    } else if post.rung.has(libc::CLONE_NEWNET) {
        ledger.enforced("namespaces", post.rung.name);
    } else {
        ledger.degraded_to("namespaces", post.rung.name, post.refused.join("; "));
    }
    match reach(post.rung) {
        Reach::Namespace => ledger.enforced("process tree", "pid namespace"),
        Reach::Descendants if !post.launch.namespaces => {
            ledger.enforced("process tree", "subreaper and a walk")
        }
        Reach::Descendants => {
            ledger.degraded_to(
                "process tree",
                "subreaper and a walk over /proc",
                "there is no pid namespace",
            );
        }
    }
    if post.rung.has(libc::CLONE_NEWNS) {
        ledger.enforced("view", "mount namespace");
    } else {
        let gap = "metadata of files outside can be read and, where owned, changed; pathname sockets can be reached";
        ledger.degraded_to("view", gap, "there is no mount namespace");
    }
}

fn keep(post: &Post<'_>, view: &View, ledger: Ledger, lifeline: OwnedFd) -> io::Result<()> {
    prctl::set_dumpable(false)?;
    prctl::set_child_subreaper(true)?;
    let deaths = watch_deaths()?;
    let (output_out, output_in) = pipe2(OFlag::O_CLOEXEC)?;
    let (told_out, told_in) = pipe2(OFlag::O_CLOEXEC)?;
    let started = Instant::now();
    let Some(worker) = sys::fork_into(0)? else {
        let piped = post.launch.cap.is_some().then_some(&output_in);
        worker::main(
            &Start {
                launch: post.launch,
                view,
                rung: post.rung,
                streams: post.streams,
                piped,
            },
            told_in,
        )
    };
    drop((output_in, told_in));
    let sink = match post.launch.cap {
        Some(cap) => Some(Sink::new(output_out, post.streams[1].try_clone()?, cap)?),
        None => None,
    };
    let watch = Watch {
        control: post.control,
        lifeline,
        deaths,
        told: File::from(told_out),
        words: Vec::new(),
        told_all: false,
        sink,
        limits: &post.launch.limits,
        reach: reach(post.rung),
        worker,
        started,
        last_output: started,
        ending: None,
        status: None,
    };
    match watch.run()? {
        Some(mut report) => {
            report.ledger.entries.splice(0..0, ledger.entries);
            wire::post(post.control, &Reply::Report(report), &[])
        }
        None => Ok(()),
    }
}

fn watch_deaths() -> io::Result<SignalFd> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block()?;
    Ok(SignalFd::with_flags(
        &mask,
        SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK,
    )?)
}

/// The worker is being ended.
struct Ending {
    because: End,
    /// When `SIGTERM` becomes `SIGKILL`.
    kill_at: Instant,
}

/// Everything that is watched while a worker runs.
struct Watch<'a> {
    control: &'a UnixStream,
    lifeline: OwnedFd,
    deaths: SignalFd,
    told: File,
    /// What the worker told before it became the command.
    words: Vec<u8>,
    told_all: bool,
    sink: Option<Sink>,
    limits: &'a Limits,
    reach: Reach,
    worker: Pid,
    started: Instant,
    last_output: Instant,
    ending: Option<Ending>,
    status: Option<WaitStatus>,
}

/// What woke the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Control,
    Lifeline,
    Deaths,
    Told,
    Output,
}

impl Watch<'_> {
    /// Watches until the worker has ended and its tree is dead; `None` when nobody is left to report to.
    fn run(mut self) -> io::Result<Option<Report>> {
        while self.status.is_none() {
            for source in self.wait()? {
                let alone = match source {
                    Source::Control => !self.hear_supervisor()?,
                    Source::Lifeline => true,
                    Source::Deaths => self.reap()?,
                    Source::Told => self.hear_worker()?,
                    Source::Output => self.pump()?,
                };
                if alone {
                    tree::sweep(self.reach)?;
                    return Ok(None);
                }
            }
            self.look_at_clock()?;
        }
        self.close().map(Some)
    }

    fn wait(&self) -> io::Result<Vec<Source>> {
        let mut sources = vec![
            (Source::Control, self.control.as_fd()),
            (Source::Lifeline, self.lifeline.as_fd()),
            (Source::Deaths, self.deaths.as_fd()),
        ];
        sources.extend((!self.told_all).then(|| (Source::Told, self.told.as_fd())));
        sources.extend(
            self.sink
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
        self.limits
            .wall
            .and_then(|wall| self.started.checked_add(wall))
    }

    fn silence_at(&self) -> Option<Instant> {
        self.sink.as_ref()?;
        self.limits
            .silence
            .and_then(|silence| self.last_output.checked_add(silence))
    }

    /// Whether the supervisor is still there.
    fn hear_supervisor(&mut self) -> io::Result<bool> {
        match self.control.read(&mut [0; 16]) {
            Ok(0) => Ok(false),
            // Whatever it says after the order means one thing.
            Ok(_) => self.end(End::Stopped).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(_) => Ok(false),
        }
    }

    fn hear_worker(&mut self) -> io::Result<bool> {
        let mut words = [0; 4096];
        let count = self.told.read(&mut words)?;
        self.words.extend_from_slice(&words[..count]);
        self.told_all = count == 0;
        Ok(false)
    }

    fn pump(&mut self) -> io::Result<bool> {
        if let Some(sink) = &mut self.sink
            && sink.pump()?
        {
            self.last_output = Instant::now();
        }
        Ok(false)
    }

    fn reap(&mut self) -> io::Result<bool> {
        while self.deaths.read_signal()?.is_some() {}
        while let Some(status) = tree::reap() {
            if status.pid() == Some(self.worker) {
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
                self.reach.kill()?;
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
        let kill_at = Instant::now() + self.limits.grace.min(Duration::from_secs(86_400));
        self.ending = Some(Ending { because, kill_at });
        self.reach.terminate()
    }

    /// Nothing of the tree is alive when the report is made.
    fn close(mut self) -> io::Result<Report> {
        let leftovers = tree::sweep(self.reach)?;
        if let Some(sink) = &mut self.sink {
            sink.drain()?;
        }
        self.told.read_to_end(&mut self.words)?;
        let (ledger, failure) = Told::read(&self.words);
        let sink = self.sink.as_ref();
        Ok(Report {
            end: failure.unwrap_or_else(|| {
                self.ending
                    .map_or_else(|| end_of(self.status), |ending| ending.because)
            }),
            wall: self.started.elapsed(),
            output_bytes: sink.map_or(0, |sink| sink.bytes),
            output_kept: sink.map_or(0, |sink| sink.kept),
            output_error: sink.and_then(|sink| sink.error.clone()),
            leftovers,
            ledger,
        })
    }
}

fn end_of(status: Option<WaitStatus>) -> End {
    match status {
        Some(WaitStatus::Signaled(_, signal, _)) => End::Signalled(signal as i32),
        Some(WaitStatus::Exited(_, status)) => End::Exited(status),
        other => End::CouldNotStart {
            step: "wait for the command".to_owned(),
            error: format!("{other:?}"),
        },
    }
}
