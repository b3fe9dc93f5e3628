//! `seawall receipt`: what a run did, for other programs: receipts, in-toto statements, JUnit XML.

use seawall_git::Store;
use seawall_report::junit::junit;
use seawall_report::receipt::{Entry, Receipt, canonical, receipts, statement};

use crate::args::{ReceiptArgs, ReceiptFormat};
use crate::failure::{FINE, Failure};
use crate::output;
use crate::runs::{self, Replayed};

pub(crate) fn run(store: &Store, args: &ReceiptArgs) -> Result<u8, Failure> {
    let run = runs::find(store, args.run.as_deref())?.read()?;
    if args.format == ReceiptFormat::Junit {
        if args.task.is_some() || args.wave.is_some() {
            return Err(Failure::usage("`--format junit` is of the whole run"));
        }
        output::say(&junit(&run.view, &run.scheduler));
        return Ok(FINE);
    }
    for receipt in wanted(&run, args)? {
        let line = match args.format {
            ReceiptFormat::Json => Some(receipt.text()),
            _ => statement(&receipt).map(|statement| canonical(&statement)),
        };
        if let Some(line) = line {
            output::say(&format!("{line}\n"));
        }
    }
    Ok(FINE)
}

/// All receipts of a run, in order.
pub(super) fn chain(run: &Replayed) -> Vec<Receipt> {
    let entries = run.records.iter().map(|record| Entry {
        seq: record.seq,
        sum: &record.sum,
        event: &record.body,
    });
    receipts(Some(run.scheduler.plan()), entries)
}

fn wanted(run: &Replayed, args: &ReceiptArgs) -> Result<Vec<Receipt>, Failure> {
    let mut all = chain(run);
    if let Some(task) = &args.task {
        super::show::find(run, task)?;
        all.retain(|receipt| receipt.is_of_task(task));
    }
    if let Some(wave) = args.wave {
        let waves = run.scheduler.waves().waves.len();
        if wave as usize > waves {
            let failure = Failure::usage(format!("run `{}` has no wave {wave}", run.view.run()));
            return Err(failure.help(format!("its waves are 1 to {waves}; 0 is the base")));
        }
        all.retain(|receipt| receipt.is_of_wave(wave));
    }
    Ok(all)
}
