//! The subcommands, one file each.

mod apparmor;
mod approve;
mod check;
mod completions;
mod deep;
mod demo;
mod doctor;
mod exec;
mod explain;
mod gc;
mod land;
mod log;
mod receipt;
mod report;
mod rerun;
mod resume;
mod run;
mod sandbox;
mod schema;
mod show;
mod status;
mod verify;
mod waves;

use std::path::PathBuf;

use seawall_git::Store;

use crate::args::{Cli, Command};
use crate::failure::Failure;

/// Runs what was typed; the exit code.
pub(crate) fn run(cli: Cli) -> Result<u8, Failure> {
    let repo = Repo(cli.repo);
    match cli.command {
        Command::Check(args) => check::run(&repo.open()?, &args),
        Command::Waves(args) => waves::run(&repo.open()?, &args),
        Command::Run(args) => run::run(&repo.open()?, &args),
        Command::Resume(args) => resume::run(&repo.open()?, &args),
        Command::Status(args) => status::run(&repo.open()?, &args),
        Command::Show(args) => show::run(&repo.open()?, &args),
        Command::Log(args) => log::run(&repo.open()?, &args),
        Command::Report(args) => report::run(&repo.open()?, &args),
        Command::Receipt(args) => receipt::run(&repo.open()?, &args),
        Command::Verify(args) => verify::run(&repo.open()?, &args),
        Command::Approve(args) => approve::run(&repo.open()?, &args),
        Command::Land(args) => land::run(&repo.open()?, &args),
        Command::Gc(args) => gc::run(&repo.open()?, &args),
        Command::Exec(args) => exec::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        // Without a repository there are the built-in profiles and the user's.
        Command::Sandbox(command) => sandbox::run(repo.open().ok().as_ref(), &command),
        Command::Schema { of } => schema::run(of),
        Command::Explain(args) => explain::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Completions { shell } => completions::run(shell),
    }
}

/// Which repository was asked for.
struct Repo(Option<PathBuf>);

impl Repo {
    fn open(&self) -> Result<Store, Failure> {
        let here = PathBuf::from(".");
        let dir = self.0.as_ref().unwrap_or(&here);
        if !dir.is_dir() {
            let failure = Failure::usage(format!("`{}` is no directory", dir.display()));
            return Err(failure.help("`--repo` names a repository, or a directory in it"));
        }
        Ok(Store::discover(dir)?)
    }
}
