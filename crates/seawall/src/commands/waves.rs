//! `seawall waves`: the picture before anything is spent.

use seawall_git::Store;
use seawall_report::waves;

use crate::args::PlanArgs;
use crate::failure::{FINE, Failure};
use crate::output;
use crate::plan_file::PlanFile;

pub(crate) fn run(store: &Store, args: &PlanArgs) -> Result<u8, Failure> {
    let file = PlanFile::read(store, &args.plan)?;
    let (plan, waves) = file.accept()?;
    if args.json {
        output::say_json(&waves::waves_json(&plan, &waves));
    } else {
        output::say(&waves::waves_text(&plan, &waves));
    }
    Ok(FINE)
}
