//! `seawall demo`: a small sample repository in a fresh directory, and a real run of a real plan on it.

use std::path::{Path, PathBuf};

use seawall_git::Store;

use crate::args::{DemoArgs, HowArgs, RunArgs};
use crate::failure::{FINE, Failure};
use crate::output;

/// The plan, which is `plans/quickstart.toml`.
const PLAN: &str = include_str!("../../../../plans/quickstart.toml");

/// The sample, which is `plans/sample`.
const SAMPLE: &[(&str, &str)] = &[
    (
        "README.md",
        include_str!("../../../../plans/sample/README.md"),
    ),
    (
        "bin/shop",
        include_str!("../../../../plans/sample/bin/shop"),
    ),
    (
        "lib/price.sh",
        include_str!("../../../../plans/sample/lib/price.sh"),
    ),
    (
        "lib/receipt.sh",
        include_str!("../../../../plans/sample/lib/receipt.sh"),
    ),
    (
        "lib/stock.sh",
        include_str!("../../../../plans/sample/lib/stock.sh"),
    ),
    ("plans/quickstart.toml", PLAN),
    (
        "tests/run.sh",
        include_str!("../../../../plans/sample/tests/run.sh"),
    ),
];

pub(crate) fn run(args: &DemoArgs) -> Result<u8, Failure> {
    let dir = directory(args.dir.as_deref())?;
    let (store, commit) = Store::create(&dir, SAMPLE, "a small shop\n")?;
    let (shown, short) = (dir.display(), commit.as_str().get(..8).unwrap_or_default());
    output::say(&format!(
        "sample   {shown} at {short}: a shop written in shell, with its tests\n"
    ));
    output::say("plan     plans/quickstart.toml: 5 tasks in 3 waves; one worker will lie\n\n");
    let how = HowArgs {
        jobs: None,
        quiet: false,
        json: false,
        no_namespaces: false,
    };
    let code = super::run::run(
        &store,
        &RunArgs {
            plan: dir.join("plans/quickstart.toml"),
            how,
        },
    )?;
    if code == FINE {
        output::say(&format!("\nlook     cd {shown}\n"));
        output::say("         seawall status             how the run stands, task by task\n");
        output::say(
            "         seawall show program       the lie, the evidence, the second attempt, the change\n",
        );
        output::say("         seawall log                everything that happened\n");
        output::say("         seawall land               bring the three commits to main\n");
    }
    Ok(code)
}

fn directory(asked: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(dir) = asked {
        let taken = dir
            .read_dir()
            .is_ok_and(|mut entries| entries.next().is_some());
        if taken || dir.is_file() {
            let failure = Failure::usage(format!("`{}` is in use already", dir.display()));
            return Err(failure.help("name a directory that does not exist, or none at all"));
        }
        return Ok(dir.to_owned());
    }
    let fresh = tempfile::Builder::new().prefix("seawall-demo-").tempdir();
    Ok(fresh
        .map_err(|e| Failure::failed(format!("cannot make a directory for the sample: {e}")))?
        .keep())
}
