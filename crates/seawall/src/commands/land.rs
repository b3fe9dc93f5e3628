//! `seawall land`: the only command that moves a branch of the user, and only forward.

use seawall_git::{Landed, Store};
use serde_json::json;

use crate::args::LandArgs;
use crate::failure::{FINE, Failure};
use crate::output;
use crate::runs;

pub(crate) fn run(store: &Store, args: &LandArgs) -> Result<u8, Failure> {
    let dir = runs::find(store, args.run.as_deref())?;
    let run = dir.read()?;
    let started = run
        .scheduler
        .started()
        .ok_or_else(|| Failure::usage("the run has not begun"))?;
    if *run.scheduler.head() == started.base {
        return Err(Failure::usage(format!(
            "run `{}` has no checkpoint: there is nothing to land",
            dir.id
        ))
        .help(format!("`seawall status {}` says why", dir.id)));
    }
    let detached = || {
        Failure::usage("no branch was checked out when the run began")
            .help("say which one to move: `--onto BRANCH`")
    };
    let onto = args
        .onto
        .clone()
        .or_else(|| started.onto.clone())
        .ok_or_else(detached)?;
    let landed = store.land(&onto, &run.scheduler.head().0.parse()?)?;
    if args.json {
        output::say_json(&as_json(&dir.id, &landed));
    } else {
        output::say(&as_text(&landed));
    }
    Ok(FINE)
}

fn as_json(run: &str, landed: &Landed) -> serde_json::Value {
    match landed {
        Landed::AlreadyThere { branch, at } => {
            json!({"run": run, "branch": branch, "moved": false, "to": at.as_str()})
        }
        Landed::Moved {
            branch,
            from,
            to,
            files,
        } => json!({
            "run": run, "branch": branch, "moved": true, "from": from.as_str(), "to": to.as_str(), "files": files,
        }),
    }
}

fn as_text(landed: &Landed) -> String {
    let short = |id: &seawall_git::CommitId| id.as_str().get(..8).unwrap_or_default().to_owned();
    match landed {
        Landed::AlreadyThere { branch, at } => {
            format!("`{branch}` is at {} already; nothing was done\n", short(at))
        }
        Landed::Moved {
            branch,
            from,
            to,
            files,
        } => {
            let checkout = match files {
                Some(1) => "; 1 file of the checkout follows".to_owned(),
                Some(count) => format!("; {count} files of the checkout follow"),
                None => "; it is not checked out here".to_owned(),
            };
            format!(
                "`{branch}` moved from {} to {}{checkout}\n",
                short(from),
                short(to)
            )
        }
    }
}
