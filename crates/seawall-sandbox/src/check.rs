//! What is refused before anything is started: a kernel without the floor, an order that makes no sense.
//!
//! These checks are for a clear message early. What a worker could exploit between check and use is opened and checked again
//! by the launcher, which uses the very descriptor that it checked.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use nix::unistd::geteuid;

use crate::error::SandboxError;
use crate::order::{Order, Write};
use crate::{overlay_check, sys};

/// Whether this kernel has the floor of all confinement.
pub(crate) fn kernel() -> Result<(), SandboxError> {
    if !sys::seccomp_knows(nix::libc::SECCOMP_RET_KILL_PROCESS) {
        return Err(SandboxError::Kernel {
            found: "it has no system call filters (CONFIG_SECCOMP_FILTER=y)".to_owned(),
        });
    }
    match sys::landlock_abi() {
        Ok(3..) => Ok(()),
        Ok(abi) => Err(SandboxError::Kernel {
            found: format!("it has Landlock ABI {abi}"),
        }),
        Err(error) => Err(SandboxError::Kernel {
            found: format!("it has no Landlock ({error})"),
        }),
    }
}

/// Whether an order makes sense on this host.
pub(crate) fn order(order: &Order) -> Result<(), SandboxError> {
    words(order)?;
    nesting(order)?;
    let own = [&order.home, &order.tmp].into_iter();
    let own = own.filter(|_| !is_made_for_it(order));
    own.chain([&order.workspace])
        .chain(&order.appears_at)
        .try_for_each(|place| is_directory(place))?;
    private(order)?;
    if order.appears_at.as_deref() == Some(Path::new("/")) {
        return refuse("the workspace cannot appear at `/`");
    }
    overlay_check::order(order)?;
    if order.opens.nesting && !order.namespaces {
        return refuse(
            "a tool that brings its own sandbox is confined by namespaces alone, so it needs them",
        );
    }
    relative(order)?;
    absolute(order)
}

/// Directories that every view has of its own.
const MADE_ANEW: [&str; 5] = ["/", "/run", "/dev", "/proc", "/sys"];

pub(crate) fn refuse(why: impl Into<String>) -> Result<(), SandboxError> {
    Err(SandboxError::Order(why.into()))
}

/// Whether the private directories are made for the command.
fn is_made_for_it(order: &Order) -> bool {
    [&order.home, &order.tmp].map(|place| place.as_os_str().is_empty()) == [true; 2]
}

/// What is made in the view is in memory, so it must have a limit, and nobody could read it afterwards.
fn private(order: &Order) -> Result<(), SandboxError> {
    let fits = !order.namespaces || (order.limits.disk.is_some() && !order.opens.kept_home);
    match is_made_for_it(order) && !fits {
        true => {
            refuse("a home that is made for the command needs a limit on disk, and cannot be kept")
        }
        false => Ok(()),
    }
}

fn words(order: &Order) -> Result<(), SandboxError> {
    if order.argv.first().is_none_or(|program| program.is_empty()) {
        return refuse("there is no command");
    }
    let variables = order.env.iter().flat_map(|(name, value)| [name, value]);
    let mut words = order.argv.iter().chain(variables);
    if words.any(|text| text.as_bytes().contains(&0)) {
        return refuse("an argument or a variable contains a zero byte");
    }
    let odd = |name: &OsStr| name.is_empty() || name.as_bytes().contains(&b'=');
    match order.env.iter().find(|(name, _)| odd(name)) {
        Some((name, _)) => refuse(format!("`{}` is no name of a variable", name.display())),
        None => Ok(()),
    }
}

fn is_directory(place: &Path) -> Result<(), SandboxError> {
    is_absolute(place)?;
    let found = std::fs::metadata(place).map_err(at("look at", place))?;
    let not_one = || Err(at("use", place)(io::ErrorKind::NotADirectory.into()));
    if found.is_dir() { Ok(()) } else { not_one() }
}

pub(crate) fn is_absolute(path: &Path) -> Result<(), SandboxError> {
    let found = path.is_absolute();
    if found {
        Ok(())
    } else {
        refuse(format!("`{}` is not absolute", path.display()))
    }
}

fn relative(order: &Order) -> Result<(), SandboxError> {
    let files: &[_] = if let Write::Files(files) = &order.write {
        files
    } else {
        &[]
    };
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    match files
        .iter()
        .chain(&order.cwd)
        .find(|path| !path.components().all(inside))
    {
        Some(path) => refuse(format!(
            "`{}` does not stay in the workspace",
            path.display()
        )),
        None => Ok(()),
    }
}

fn absolute(order: &Order) -> Result<(), SandboxError> {
    let paths: &[_] = if let Write::Paths(paths) = &order.write {
        paths
    } else {
        &[]
    };
    for path in paths.iter().chain(&order.read) {
        is_absolute(path)?;
        let real = std::fs::canonicalize(path).map_err(at("look at", path))?;
        if MADE_ANEW.iter().any(|made| real == Path::new(made)) {
            return refuse(format!(
                "`{}` is made anew for every command and cannot be granted as a whole; name what is below it",
                path.display()
            ));
        }
    }
    Ok(())
}

/// A tool that may make namespaces has the rights of root in them, and as user 0 it owns the control groups of the host: it
/// can mount them there and lift its limits. And what inner sandboxes begin with, mapping their user, the kernel refuses to
/// a user 0 without CAP_SETFCAP (`verify_root_map` in its user_namespace.c); with that, or with another number for the user,
/// it could give files capabilities that hold on the host.
fn nesting(order: &Order) -> Result<(), SandboxError> {
    match order.opens.nesting && geteuid().is_root() {
        true => refuse(
            "a tool that brings its own sandbox cannot be confined for root; start seawall as an ordinary user, or take \
             a profile without `nesting`, such as `agent`, and switch the tool's own sandbox off",
        ),
        false => Ok(()),
    }
}

/// An error about a path.
pub(crate) fn at<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> SandboxError + 'a {
    move |source| SandboxError::Path {
        what,
        path: path.to_owned(),
        source,
    }
}
