//! The keeper: parent of the worker, and process 1 of its pid namespace when there is one.
//!
//! It puts the namespaces in order, starts the worker, watches over it and reports. The keeper is never inside the worker's
//! Landlock domain, so that the worker can neither signal nor trace it; its memory, which is the launcher's and the worker's until
//! that becomes the command, cannot be dumped from then on, so that there is nothing to read in it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Instant;

use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::Mode;
use nix::unistd::{pipe2, setsid};

use crate::aside::Aside;
use crate::desk::Desk;
use crate::launch::{Launch, Reply};
use crate::launcher::{Grouped, Planned, not_started, recipe_of, remove};
use crate::recipe::{Recipe, no_group};
use crate::report::Ledger;
use crate::rung::Rung;
use crate::sink::Sink;
use crate::tree::{self, Reach};
use crate::view::View;
use crate::wall::{self, Site, Wall};
use crate::watch::{self, Ward};
use crate::worker::{self, Failure, Start, Told};
use crate::{doors, sys, view};

/// What the keeper tells the launcher when its namespaces are in order.
pub(crate) const READY: &str = "ready";

/// What the launcher hands to the keeper that it forks.
pub(crate) struct Post<'a> {
    pub(crate) desk: Desk<'a>,
    pub(crate) launch: &'a Launch,
    pub(crate) rung: Rung,
    /// The rungs that could not be had, and why.
    pub(crate) refused: &'a [String],
    pub(crate) streams: &'a [OwnedFd; 3],
    pub(crate) planned: &'a Planned,
    /// Whether the launcher has left the supervisor's session and directory already.
    pub(crate) detached: bool,
}

impl Post<'_> {
    /// What the keeper begins in. Where nobody needs the network before the view is built, it makes that namespace
    /// [meanwhile](Aside).
    pub(crate) fn first(&self) -> Rung {
        match self.launch.ports.is_empty() {
            true => self.rung.without(libc::CLONE_NEWNET),
            false => self.rung,
        }
    }

    /// How its control groups are made.
    pub(crate) fn recipe(&self) -> Option<&Recipe> {
        recipe_of(self.planned)
    }

    /// What is made beside the view: the network namespace that it does not begin in, if it is to have one, and the groups.
    fn aside(&self, proc: &OwnedFd) -> io::Result<Option<Aside<'_>>> {
        let network = self.rung.has(libc::CLONE_NEWNET) && !self.first().has(libc::CLONE_NEWNET);
        let groups = self.recipe().filter(|_| self.rung.has(libc::CLONE_NEWNS));
        let any = network || groups.is_some();
        any.then(|| Aside::begin(proc, network, groups)).transpose()
    }

    /// Waits for that, and does what was not done beside anything.
    fn complete(&self, aside: Option<Aside<'_>>) -> Result<(), String> {
        aside.map_or(Ok(()), Aside::enter)?;
        let Some(recipe) = self.recipe() else {
            return Ok(());
        };
        if !self.rung.has(libc::CLONE_NEWNS) {
            recipe.carry_out();
        }
        recipe
            .failure()
            .map_or(Ok(()), |error| Err(no_group(&error)))
    }

    fn site<'b>(&'b self, view: &'b View) -> Site<'b> {
        let (launch, rung) = (self.launch, self.rung);
        Site { launch, view, rung }
    }

    /// The groups, when they have been made.
    fn group(&self) -> Grouped {
        match self.planned {
            Ok(recipe) => Ok(recipe.as_ref().map(Recipe::group)),
            Err(why) => Err(why.clone()),
        }
    }
}

/// The life of the keeper. `go` brings one byte when the user is mapped and ends with the launcher; `ready` takes the answer,
/// and one byte when all is over.
pub(crate) fn main(post: &Post<'_>, go: OwnedFd, ready: OwnedFd) -> ! {
    let mut ready = File::from(ready);
    let mut ledger = Ledger::default();
    let (mut found, mut proc) = (None, None);
    let admitted = rehearse(post.first(), &go, &mut ready, || {
        let settled = settle(post.detached).map_err(|error| format!("cannot settle: {error}"))?;
        let aside = post.aside(&settled);
        let aside = aside.map_err(|error| format!("cannot begin beside the view: {error}"))?;
        proc = Some(settled);
        let doors = doors::make(post.launch)?;
        let view = view::build(post.launch, post.rung, &mut ledger)?;
        let wall = wall::build(post.site(&view));
        found = Some((view, wall, doors));
        post.complete(aside)
    });
    let launcher_died = admitted.as_ref().is_err_and(is_end);
    let (Ok(()), Some((view, wall, doors)), Some(proc)) = (admitted, found, proc) else {
        // It cannot remove the groups any more; else they are for the next rung.
        if launcher_died {
            remove(post.planned);
        }
        sys::leave(0)
    };
    note_rung(post, &mut ledger);
    let handed = doors::hand_over(post.desk, doors);
    // The supervisor may have gone; the launcher reports a lost keeper then.
    let kept = handed
        .and_then(|()| keep(post, (&view, wall, &proc), ledger, go))
        .or_else(|error| report_failure(post, &error));
    sys::leave(i32::from(
        kept.and_then(|()| ready.write_all(b"d")).is_err(),
    ))
}

/// Whether the launcher can neither say anything any more nor be told.
fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe
    )
}

/// Ctrl-C is for the supervisor, which ends the command in its own way. Returns the host's `/proc`, where the worker will say that
/// it goes first when memory is short: what the keeper said there would hold for the launcher too, which shares its memory.
fn settle(detached: bool) -> io::Result<OwnedFd> {
    if !detached {
        setsid()?;
        std::env::set_current_dir("/")?;
    }
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    Ok(open("/proc", flags, Mode::empty())?)
}

/// Does what must work in a rung, and tells the launcher whether it did.
pub(crate) fn rehearse(
    rung: Rung,
    go: &OwnedFd,
    ready: &mut File,
    build: impl FnOnce() -> Result<(), String>,
) -> io::Result<()> {
    if rung.has(libc::CLONE_NEWUSER) && File::from(go.try_clone()?).read(&mut [0])? == 0 {
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
    ready.write_all(answer.as_bytes())?;
    done.map_err(io::Error::other)
}

fn report_failure(post: &Post<'_>, error: &io::Error) -> io::Result<()> {
    tree::sweep(reach(post.rung))?;
    let report = not_started("keep the worker", error);
    post.desk.reply(Reply::Report(report))
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
        let gap = "names, sizes and times of files outside can be read";
        ledger.degraded_to("view", gap, "there is no mount namespace");
    }
}

fn keep(
    post: &Post<'_>,
    (view, wall, host_proc): (&View, Result<Wall, Failure>, &OwnedFd),
    ledger: Ledger,
    lifeline: OwnedFd,
) -> io::Result<()> {
    prctl::set_child_subreaper(true)?;
    let deaths = watch_deaths()?;
    let (output_out, output_in) = pipe2(OFlag::O_CLOEXEC)?;
    let grouped = post.group();
    let started = Instant::now();
    let start = Start {
        launch: post.launch,
        view,
        host_proc,
        rung: post.rung,
        streams: post.streams,
        piped: post.launch.cap.is_some().then_some(&output_in),
        group: &grouped,
        wall: &wall,
        ledger: &ledger,
    };
    let mut told = Told::default();
    let worker = sys::start_sharing(|| worker::main(&start, &mut told))?;
    drop((output_in, wall));
    let sink = match post.launch.cap {
        Some(cap) => Some(Sink::new(output_out, post.streams[1].try_clone()?, cap)?),
        None => None,
    };
    let group = grouped.as_ref().ok().and_then(Option::as_ref);
    let ward = Ward {
        control: post.desk.socket(),
        lifeline,
        deaths,
        told,
        sink,
        limits: &post.launch.limits,
        group,
        reach: reach(post.rung),
        worker,
        started,
    };
    match watch::over(ward)? {
        Some(mut report) => {
            report.ledger.entries.splice(0..0, ledger.entries);
            post.desk.reply(Reply::Report(report))
        }
        None => {
            // A launcher that was killed cannot do it.
            remove(post.planned);
            Ok(())
        }
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
