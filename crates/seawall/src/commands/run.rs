//! `seawall run`: the main job.

use seawall_core::event::Event;
use seawall_git::Store;

use crate::args::RunArgs;
use crate::beside;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::profiles;
use crate::runs::{self, RunDir};
use crate::session::{self, Ask, Session};

pub(crate) fn run(store: &Store, args: &RunArgs) -> Result<u8, Failure> {
    let file = PlanFile::read(store, &args.plan)?;
    let (plan, waves) = file.accept()?;
    let host = session::check_host()?;
    let Some((base, onto)) = &file.world.head else {
        return Err(Failure::usage("the repository has no commit yet"));
    };
    beside::sweep(store);
    let profiles = profiles::text(&profiles::named(store.workdir(), &plan)?)?;
    let (dir, pinned, lock) = RunDir::make(store, &plan, &file.text, &profiles)?;
    let jobs = session::jobs(&args.how);
    let started = runs::started(&dir, &plan, pinned, base.as_str(), onto.clone(), jobs);
    let ask = Ask {
        store,
        dir,
        lock,
        how: &args.how,
        host,
    };
    let session = Session::begin(ask, plan, waves, &started)?;
    session.work(vec![Event::RunStarted(started)])
}
