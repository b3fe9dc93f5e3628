//! `seawall check`: everything that is wrong with a plan, at once; no worker is started.

use seawall_core::diagnostic::Severity;
use seawall_core::words::many;
use seawall_git::Store;
use seawall_report::diagnostics;

use super::deep;
use crate::args::CheckArgs;
use crate::failure::{FINE, Failure, USAGE};
use crate::output;
use crate::plan_file::PlanFile;

pub(crate) fn run(store: &Store, args: &CheckArgs) -> Result<u8, Failure> {
    let mut file = PlanFile::read(store, &args.plan)?;
    if let Some((plan, waves)) = file.plan.clone().filter(|_| args.deep) {
        let seen = deep::look(store, &file, (&plan, &waves), args)?;
        if seen
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            file.plan = None;
        }
        file.diagnostics.extend(seen);
    }
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
        let done = match args.deep {
            true => "its checks were run on the base, and no worker was started",
            false => "nothing was started",
        };
        output::say(&format!(
            "`{}` can be run: {tasks} in {waves}; {done}\n",
            file.name
        ));
    } else {
        output::complain(&format!("`{}` cannot be run\n", file.name));
    }
    Ok(code)
}
