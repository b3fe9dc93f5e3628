//! `seawall check`: everything that is wrong with a plan, at once; nothing is started.

use seawall_core::words::many;
use seawall_git::Store;
use seawall_report::diagnostics;

use crate::args::PlanArgs;
use crate::failure::{FINE, Failure, USAGE};
use crate::output;
use crate::plan_file::PlanFile;

pub(crate) fn run(store: &Store, args: &PlanArgs) -> Result<u8, Failure> {
    let file = PlanFile::read(store, &args.plan)?;
    let code = if file.plan.is_some() { FINE } else { USAGE };
    if args.json {
        output::say_json(&diagnostics::json(
            &file.diagnostics,
            &file.text,
            &file.name,
        ));
        return Ok(code);
    }
    if !file.diagnostics.is_empty() {
        output::complain(&diagnostics::text(
            &file.diagnostics,
            &file.text,
            &file.name,
            output::color(),
        ));
    }
    if let Some((plan, waves)) = &file.plan {
        let (tasks, waves) = (
            many(plan.tasks.len(), "task"),
            many(waves.waves.len(), "wave"),
        );
        output::say(&format!(
            "`{}` can be run: {tasks} in {waves}; nothing was started\n",
            file.name
        ));
    } else {
        output::complain(&format!("`{}` cannot be run\n", file.name));
    }
    Ok(code)
}
