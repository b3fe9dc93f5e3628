//! `seawall run`: the main job.

use seawall_core::event::Event;
use seawall_git::Store;

use crate::args::RunArgs;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::runs::{self, RunDir};
use crate::session::{self, Session};

pub(crate) fn run(store: &Store, args: &RunArgs) -> Result<u8, Failure> {
    let file = PlanFile::read(store, &args.plan)?;
    let (plan, waves) = file.accept()?;
    let host = session::check_host()?;
    let Some((base, onto)) = &file.world.head else {
        return Err(Failure::usage("the repository has no commit yet"));
    };
    let (dir, digest, lock) = RunDir::make(store, &plan, &file.text)?;
    let jobs = session::jobs(&args.how);
    let started = runs::started(&dir, &plan, digest, base.as_str(), onto.clone(), jobs);
    let how = (&args.how, host);
    let session = Session::begin(store, dir, lock, plan, waves, how, started.base.clone())?;
    session.work(vec![Event::RunStarted(started)])
}
