//! `seawall exec`: one command in the sandbox of a profile, on a directory of the caller's choice.

use std::path::{Path, PathBuf};

use seawall_sandbox::{
    End, Network, NetworkSummary, Order, Output, Policy, Profile, Stdin, Write, WriteRule,
};
use tempfile::TempDir;

use crate::args::ExecArgs;
use crate::failure::Failure;

/// Exit codes of shells and of timeout(1) for what is not an exit of the command itself.
const TIMED_OUT: u8 = 124;
const NOT_STARTED: u8 = 127;
const KILLED: u8 = 137;

pub(crate) fn run(args: &ExecArgs) -> Result<u8, Failure> {
    let dir = args.dir.as_deref().unwrap_or(Path::new("."));
    let profile = crate::profiles::all(Some(dir))?.get(&args.profile)?;
    let private = private(args, &profile)?;
    let order = order(args, profile, private.as_ref().map(TempDir::path))?;
    let report = seawall_sandbox::run(&order)?;
    tell_denied(report.network.as_ref());
    Ok(match report.end {
        End::Exited(status) => u8::try_from(status & 0xff).unwrap_or(u8::MAX),
        End::Signalled(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        End::Killed { limit } => {
            crate::output::complain(&format!("error: killed: {limit}\n"));
            KILLED
        }
        End::TimedOut | End::Silent | End::Stopped => TIMED_OUT,
        End::CouldNotStart { step, error } => {
            crate::output::complain(&format!("error: cannot {step}: {error}\n"));
            NOT_STARTED
        }
    })
}

/// A directory for the home and the temporary files; none where the sandbox makes them itself, which is in memory, under the
/// limit on disk of the profile.
fn private(args: &ExecArgs, profile: &Profile) -> Result<Option<TempDir>, Failure> {
    let limited = profile.limits.disk.is_some() && !profile.opens.kept_home;
    if limited || args.no_namespaces {
        return Ok(None);
    }
    let mut private = tempfile::Builder::new();
    let private = private.prefix("seawall-exec-").tempdir();
    private
        .map(Some)
        .map_err(|e| Failure::failed(format!("cannot make a private directory: {e}")))
}

fn order(args: &ExecArgs, profile: Profile, private: Option<&Path>) -> Result<Order, Failure> {
    let workspace = real(args.dir.as_deref().unwrap_or(Path::new(".")))?;
    let [home, tmp] =
        ["home", "tmp"].map(|name| private.map_or_else(PathBuf::new, |private| private.join(name)));
    for dir in [&home, &tmp].into_iter().filter(|_| private.is_some()) {
        std::fs::create_dir(dir)
            .map_err(|e| Failure::failed(format!("cannot make `{}`: {e}", dir.display())))?;
    }
    let home_of_user = std::env::var_os("HOME").map(PathBuf::from);
    let mut read = profile.reads(home_of_user.as_deref());
    read.extend(reals(&args.read)?);
    let mut written = reals(&args.write)?;
    if profile.write == WriteRule::Workspace {
        written.push(workspace.clone());
    }
    Ok(Order {
        argv: args.command.clone(),
        env: profile.variables(),
        workspace,
        appears_at: None,
        cwd: None,
        write: Write::Paths(written),
        read,
        home,
        tmp,
        stdin: Stdin::Inherit,
        output: Output::Inherit,
        alive: None,
        namespaces: !args.no_namespaces,
        opens: profile.opens,
        floor: profile.floor(!args.no_namespaces),
        network: network(args, &profile)?,
        limits: profile.limits,
        run: None,
        overlay: None,
        carry: Vec::new(),
    })
}

fn network(args: &ExecArgs, profile: &Profile) -> Result<Network, Failure> {
    let hosts = profile.hosts.iter().chain(&args.host).map(String::as_str);
    let forward = profile
        .forward
        .iter()
        .chain(args.forward.iter().map(|(port, place)| (port, place)))
        .map(|(port, place)| (*port, place.as_str()));
    let policy = Policy::new(hosts, forward).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Network {
        policy,
        limits: profile.traffic.clone(),
        log: None,
    })
}

/// What the command wanted to reach and may not: it may only have said that something failed.
fn tell_denied(network: Option<&NetworkSummary>) {
    let denied = network.into_iter().flat_map(|network| &network.denied);
    for (place, times) in denied {
        let times = match times {
            1 => String::new(),
            times => format!(" ({times} times)"),
        };
        crate::output::complain(&format!("seawall: `{place}` was not let through{times}\n"));
    }
}

fn reals(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    paths.iter().map(|path| real(path)).collect()
}

fn real(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize()
        .map_err(|e| Failure::usage(format!("cannot use `{}`: {e}", path.display())))
}
