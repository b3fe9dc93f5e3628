//! `seawall log`: what happened, one line per event; with `--json`, the journal's records as they are.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use seawall_git::Store;
use seawall_report::log;

use crate::args::RunRef;
use crate::failure::{FINE, Failure};
use crate::output;
use crate::runs;

pub(crate) fn run(store: &Store, args: &RunRef) -> Result<u8, Failure> {
    let dir = runs::find(store, args.run.as_deref())?;
    if args.json {
        dir.read()?; // what is printed has passed every check
        let path = dir.journal();
        let text = std::fs::read_to_string(&path);
        let text =
            text.map_err(|e| Failure::failed(format!("cannot read `{}`: {e}", path.display())))?;
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        output::say(whole);
        return Ok(FINE);
    }
    let run = dir.read()?;
    let zone = TimeZone::system();
    for record in &run.records {
        output::say(&format!(
            "{}\n",
            log::log_line(&time(record.at, &zone), &record.body, &run.view)
        ));
    }
    Ok(FINE)
}

fn time(ms: u64, zone: &TimeZone) -> String {
    match i64::try_from(ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
    {
        Some(at) => at
            .to_zoned(zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        None => format!("{ms} ms"),
    }
}
