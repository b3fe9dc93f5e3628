//! `seawall status`: how a run stands, whether somebody works on it or not.

use seawall_core::words::bytes;
use seawall_git::Store;
use seawall_report::status::{Liveness, status, status_text};

use crate::args::RunRef;
use crate::failure::{FINE, Failure};
use crate::output;
use crate::runs;

pub(crate) fn run(store: &Store, args: &RunRef) -> Result<u8, Failure> {
    let dir = runs::find(store, args.run.as_deref())?;
    // Asked before reading: a run that ends in between is then told as it ended.
    let liveness = if dir.is_alive() {
        Liveness::Alive
    } else {
        Liveness::Dead
    };
    let run = dir.read()?;
    let disk = dir.place.disk();
    if args.json {
        let mut status = status(&run.view, &run.scheduler, liveness);
        status["disk_bytes"] = disk.into();
        output::say_json(&status);
    } else {
        output::say(&status_text(&run.view, &run.scheduler, liveness));
        output::say(&format!(
            "disk        {} in {}\n",
            bytes(disk),
            dir.place.root().display()
        ));
    }
    Ok(FINE)
}
