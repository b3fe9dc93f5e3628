//! `seawall resume`: read the journal, fold, say that it goes on, and enter the same loop.

use seawall_core::event::Event;
use seawall_core::words::many;
use seawall_git::Store;

use crate::args::ResumeArgs;
use crate::failure::Failure;
use crate::output;
use crate::runs;
use crate::session::{self, Ask, Session};

pub(crate) fn run(store: &Store, args: &ResumeArgs) -> Result<u8, Failure> {
    let dir = runs::find(store, args.run.as_deref())?;
    let host = session::check_host()?;
    let lock = dir.lock()?;
    let session = Session::again(Ask {
        store,
        dir: dir.clone(),
        lock,
        how: &args.how,
        host,
    })?;
    // Only now: of a run whose journal cannot be trusted, nothing is touched.
    let ghosts = session.lay_ghosts()?;
    if ghosts > 0 && !args.how.json {
        let trees = many(ghosts, "process tree");
        output::complain(&format!("run {}: {trees} of the dead run ended\n", dir.id));
    }
    let resumed = Event::Resumed {
        jobs: session::jobs(&args.how),
        rebooted: session.rebooted,
    };
    session.work(vec![resumed])
}
