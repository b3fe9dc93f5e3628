//! `seawall completions`: a completion script for a shell.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::failure::{FINE, Failure};
use crate::output;

pub(crate) fn run(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "seawall", &mut script);
    output::say(&String::from_utf8_lossy(&script));
    Ok(FINE)
}
