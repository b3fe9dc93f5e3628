//! The launcher: reads the order, gets the best set of namespaces that the host gives, and outlives the keeper.
//!
//! Namespaces are tried as a ladder, best first. A rung counts only when the keeper could also do in it what the rung is
//! for (mount the view, bring loopback up): some hosts give a namespace and then forbid every act in it, as Ubuntu 24.04
//! does by AppArmor. A rung that fails costs a fork; the first one is the usual end of the search.
//!
//! The launcher stays outside so that the death of the keeper itself, by the OOM killer for instance, is noticed, cleaned
//! up after and reported.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, OFlag, fcntl};
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{pipe2, setsid};

use crate::cgroup::Group;
use crate::desk::Desk;
use crate::interrupts::Interrupts;
use crate::keeper::{self, Post};
use crate::kept::{Answer, Kept, admit, start_keeper};
use crate::launch::{Launch, Reply, Request};
use crate::places::Places;
use crate::recipe::{self, Recipe};
use crate::report::{End, Ledger, Report};
use crate::rung::Rung;
use crate::{doors, nursery, overlay, overlay_probe, sys, tree, view, wire};

/// The number that the control socket gets, the first after the standard streams.
const CONTROL: RawFd = 3;

/// The control groups of a launch: none asked for, or why there are none.
pub(crate) type Grouped = Result<Option<Group>, String>;

/// How they are to be made.
pub(crate) type Planned = Result<Option<Recipe>, String>;

/// What the hidden subcommand [`crate::LAUNCH_COMMAND`] calls with the number that follows it: serves one order, then
/// ends the process. Call it before anything else, in particular before a thread is started.
pub fn launch_main(control: RawFd) -> ! {
    // There is nobody to tell: without a control socket the supervisor sees the end of it and reports a lost launcher.
    sys::leave(if serve(control).is_ok() { 0 } else { 3 })
}

/// The same in a fork of the nursery, or of a supervisor that has one thread: what an exec would have left behind is left
/// behind here.
pub(crate) fn forked_main(control: UnixStream) -> ! {
    let settled = || {
        let control = OwnedFd::from(control);
        if control.as_raw_fd() != CONTROL {
            sys::place(control.as_fd(), CONTROL)?;
        }
        // Its number is CONTROL now, or is closed with everything else that the supervisor has open.
        std::mem::forget(control);
        sys::close_from(CONTROL + 1, false)?;
        let null = File::options().read(true).write(true).open("/dev/null")?;
        (0..CONTROL).try_for_each(|stream| sys::place(null.as_fd(), stream))?;
        std::env::set_current_dir("/")?;
        serve(CONTROL)
    };
    sys::leave(if settled().is_ok() { 0 } else { 3 })
}

fn serve(control: RawFd) -> io::Result<()> {
    // Out of the terminal's foreground group: Ctrl-C is for the supervisor, which ends the command in its own way.
    // It fails only for a leader of a group, which a child that was just started is not.
    setsid()?;
    let mut control = take_control(control)?;
    match wire::fetch(&mut control)? {
        Some((Request::Launch(launch), streams)) => match <[OwnedFd; 3]>::try_from(streams) {
            Ok(streams) => run(Desk::Away(&control), &launch, streams, None),
            Err(_) => Err(io::ErrorKind::InvalidInput.into()),
        },
        Some((Request::Probe, _)) => {
            let tried = probe(view::rehearse).collect();
            wire::post(&control, &Reply::Probed(tried), &[])
        }
        Some((Request::ProbeOverlays(directory), _)) => {
            let directory = directory.into_path();
            let tried = probe(|| overlay_probe::rehearse(&directory));
            let tried = overlay_probe::up_to_the_best(tried);
            wire::post(&control, &Reply::Probed(tried), &[])
        }
        Some((Request::Stay, _)) => nursery::serve(control),
        None => Ok(()),
    }
}

fn take_control(given: RawFd) -> io::Result<UnixStream> {
    let given = if given == CONTROL {
        sys::adopt(given)
    } else {
        moved(given)?
    };
    sys::close_from(CONTROL + 1, false)?;
    fcntl(&given, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    sys::place(File::open("/dev/null")?.as_fd(), 0)?;
    Ok(UnixStream::from(given))
}

fn moved(given: RawFd) -> io::Result<OwnedFd> {
    let given = sys::adopt(given);
    sys::place(given.as_fd(), CONTROL)?;
    // A standard stream is replaced below, any other number is closed with the rest.
    std::mem::forget(given);
    Ok(sys::adopt(CONTROL))
}

/// Serves one launch; `here` when the launcher is the supervisor itself.
pub(crate) fn run(
    desk: Desk<'_>,
    launch: &Launch,
    streams: [OwnedFd; 3],
    here: Option<&Interrupts>,
) -> io::Result<()> {
    let _alive = match lock(launch) {
        Ok(alive) => alive,
        Err(error) => {
            let report = not_started("lock the alive file", &error);
            return desk.reply(Reply::Report(report));
        }
    };
    prctl::set_child_subreaper(true)?;
    let planned = Recipe::write(&launch.limits, launch.run.as_deref());
    let climbed = climb(desk, launch, &streams, &planned, here);
    if !matches!(climbed, Ok(Climbed::Attended)) {
        remove(&planned);
    }
    match climbed? {
        Climbed::Groupless(error) => {
            let none = Err(recipe::no_group(&error));
            climb(desk, launch, &streams, &none, here).map(drop)
        }
        Climbed::Attended | Climbed::Answered => Ok(()),
    }
}

/// How the control groups are made.
pub(crate) fn recipe_of(planned: &Planned) -> Option<&Recipe> {
    planned.as_ref().ok().and_then(Option::as_ref)
}

pub(crate) fn remove(planned: &Planned) {
    if let Some(recipe) = recipe_of(planned) {
        recipe.remove();
    }
}

/// How the search for a rung has ended.
enum Climbed {
    /// With a command that has run, and whose control groups are gone.
    Attended,
    /// With an answer to the supervisor why none has.
    Answered,
    /// The control groups could not be made, and nothing has run.
    Groupless(io::Error),
}

/// Starts a keeper on the best rung that can be had, and waits for it.
fn climb(
    desk: Desk<'_>,
    launch: &Launch,
    streams: &[OwnedFd; 3],
    planned: &Planned,
    here: Option<&Interrupts>,
) -> io::Result<Climbed> {
    let mut refused = Vec::new();
    let recipe = recipe_of(planned);
    let bounded = recipe.is_some_and(Recipe::limits_memory);
    for rung in Rung::ladder(launch.namespaces).filter(|rung| serves(launch, *rung)) {
        let places = match Places::make(launch, rung, bounded) {
            Ok(places) => places,
            Err(error) => {
                let report = not_started("make the private directories", &error);
                return desk
                    .reply(Reply::Report(report))
                    .map(|()| Climbed::Answered);
            }
        };
        let post = Post {
            desk,
            launch: places.as_ref().map_or(launch, Places::launch),
            rung,
            refused: &refused,
            streams,
            planned,
            detached: here.is_none(),
        };
        let why = {
            let started = start_keeper(&post)?;
            match started {
                Ok(kept) => return attend(&post, kept, here).map(|()| Climbed::Attended),
                Err(why) => why,
            }
        };
        if let Some(error) = recipe.and_then(Recipe::refused) {
            return Ok(Climbed::Groupless(error));
        }
        refused.push(format!("{}: {why}", rung.name));
    }
    desk.reply(refusal(launch, &refused))
        .map(|()| Climbed::Answered)
}

/// Whether a rung has what the launch cannot do without.
fn serves(launch: &Launch, rung: Rung) -> bool {
    // Named hosts are the only ones only where there is no other way out.
    let closed = launch.ports.is_empty() || rung.has(libc::CLONE_NEWNET);
    closed && (!launch.mounts() || rung.has(libc::CLONE_NEWNS))
}

fn refusal(launch: &Launch, refused: &[String]) -> Reply {
    match (launch.mounts(), launch.ports.is_empty()) {
        (true, _) => Reply::Report(overlay::refusal(refused)),
        (false, false) => Reply::Report(doors::refusal(refused)),
        (false, true) => Reply::Lost(refused.join("; ")),
    }
}

fn lock(launch: &Launch) -> io::Result<Option<Flock<File>>> {
    let Some(path) = launch.alive.clone() else {
        return Ok(None);
    };
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits();
    let path = path.into_path();
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(flags)
        .open(path)?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map(Some)
        .map_err(|(_, error)| error.into())
}

pub(crate) fn not_started(step: &str, error: &dyn std::fmt::Display) -> Report {
    Report {
        end: End::CouldNotStart {
            step: step.to_owned(),
            error: error.to_string(),
        },
        wall: std::time::Duration::ZERO,
        output_bytes: 0,
        output_kept: 0,
        output_error: None,
        leftovers: 0,
        limits: Vec::new(),
        ledger: Ledger::default(),
        network: None,
    }
}

/// Waits until the keeper has reported and left this memory, and not for the end of its namespaces, which takes the kernel longer
/// than anything else at the end; for a keeper that died, the launcher ends the tree and reports the loss.
fn attend(post: &Post<'_>, kept: Kept<'_>, here: Option<&Interrupts>) -> io::Result<()> {
    let Kept {
        mut keeper,
        lifeline,
        mut done,
    } = kept;
    let lifeline = match here {
        Some(interrupts) => interrupts.watch(&done, lifeline)?,
        None => Some(lifeline),
    };
    let reported = done.read_exact(&mut [0]).is_ok();
    drop(lifeline);
    if reported {
        // The keeper has only its own end left to do.
        remove(post.planned);
        // The kernel closes this, and the keeper's hold on a lock, when the keeper has no memory any more.
        while done.read(&mut [0; 8])? > 0 {}
        keeper.over = true;
        return Ok(());
    }
    let ended = keeper.wait()?;
    if let Some(group) = post.recipe().and_then(Recipe::again) {
        group.kill()?;
    }
    if !post.rung.has(libc::CLONE_NEWPID) {
        tree::sweep(tree::Reach::Descendants)?;
    }
    remove(post.planned);
    let lost = format!("the keeper died: {ended:?}");
    post.desk.reply(Reply::Lost(lost))
}

/// What each set of namespaces gives on this host; each is tried when it is asked for.
fn probe(build: impl Fn() -> Result<(), String>) -> impl Iterator<Item = (String, Option<String>)> {
    let tried = Rung::ladder(true).filter(|rung| rung.flags != 0);
    tried.map(move |rung| {
        (
            rung.name.to_owned(),
            try_rung(rung, &build).unwrap_or_else(|error| Some(error.to_string())),
        )
    })
}

fn try_rung(rung: Rung, build: impl Fn() -> Result<(), String>) -> io::Result<Option<String>> {
    let (go_out, go_in) = pipe2(OFlag::O_CLOEXEC)?;
    let (ready_out, ready_in) = pipe2(OFlag::O_CLOEXEC)?;
    let keeper = match sys::fork_into(rung.flags) {
        Err(error) => return Ok(Some(error.to_string())),
        Ok(Some(keeper)) => keeper,
        Ok(None) => {
            drop((go_in, ready_out));
            sys::leave(i32::from(
                keeper::rehearse(rung, &go_out, &mut File::from(ready_in), build).is_err(),
            ))
        }
    };
    drop((go_out, ready_in));
    let mut answer = Answer::default();
    let admitted = admit(
        keeper,
        rung,
        &go_in,
        &mut File::from(ready_out),
        &mut answer,
    );
    kill(keeper, Signal::SIGKILL)?;
    waitpid(keeper, None)?;
    Ok(match admitted? {
        true => None,
        false => Some(answer.in_words()),
    })
}
