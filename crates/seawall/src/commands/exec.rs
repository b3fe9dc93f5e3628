//! `seawall exec`: one command in the sandbox of a profile, on a directory of the caller's choice.

use std::path::{Path, PathBuf};

use seawall_sandbox::{
    End, Network, NetworkSummary, Order, Output, Policy, Stdin, Write, WriteRule, profile,
    profile_names, spawn,
};

use crate::args::ExecArgs;
use crate::failure::Failure;

/// Exit codes of shells and of timeout(1) for what is not an exit of the command itself.
const TIMED_OUT: u8 = 124;
const NOT_STARTED: u8 = 127;
const KILLED: u8 = 137;

pub(crate) fn run(args: &ExecArgs) -> Result<u8, Failure> {
    let private = tempfile::Builder::new().prefix("seawall-exec-").tempdir();
    let private =
        private.map_err(|e| Failure::failed(format!("cannot make a private directory: {e}")))?;
    let order = order(args, private.path())?;
    let report = spawn(&order)?.finish()?;
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

fn order(args: &ExecArgs, private: &Path) -> Result<Order, Failure> {
    let Some(profile) = profile(&args.profile) else {
        let failure = Failure::usage(format!("there is no profile `{}`", args.profile));
        return Err(
            match seawall_plan::nearest(&args.profile, profile_names()) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure.help(format!(
                    "there are: {}",
                    profile_names().collect::<Vec<_>>().join(", ")
                )),
            },
        );
    };
    let workspace = real(args.dir.as_deref().unwrap_or(Path::new(".")))?;
    let [home, tmp] = ["home", "tmp"].map(|name| private.join(name));
    for dir in [&home, &tmp] {
        std::fs::create_dir(dir)
            .map_err(|e| Failure::failed(format!("cannot make `{}`: {e}", dir.display())))?;
    }
    let mut written = reals(&args.write)?;
    if profile.write == WriteRule::Workspace {
        written.push(workspace.clone());
    }
    Ok(Order {
        argv: args.command.clone(),
        env: Vec::new(),
        workspace,
        appears_at: None,
        cwd: None,
        write: Write::Paths(written),
        read: reals(&args.read)?,
        home,
        tmp,
        stdin: Stdin::Inherit,
        output: Output::Inherit,
        limits: profile.limits,
        alive: None,
        namespaces: !args.no_namespaces,
        opens: profile.opens,
        run: None,
        network: network(args)?,
    })
}

fn network(args: &ExecArgs) -> Result<Network, Failure> {
    let hosts = args.host.iter().map(String::as_str);
    let forward = args
        .forward
        .iter()
        .map(|(port, place)| (*port, place.as_str()));
    let policy = Policy::new(hosts, forward).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Network {
        policy,
        ..Network::default()
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
