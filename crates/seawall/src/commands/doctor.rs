//! `seawall doctor`: what this host can enforce, found by trying it.

use std::fmt::Write as _;

use seawall_sandbox::{HostReport, Profiles};

use super::apparmor;
use crate::args::DoctorArgs;
use crate::failure::{FAILED, FINE, Failure};
use crate::output;
use crate::profiles;

pub(crate) fn run(args: &DoctorArgs) -> Result<u8, Failure> {
    if args.apparmor {
        return apparmor::run();
    }
    let host = seawall_sandbox::host();
    // Where nothing can be confined each probe would only say so again.
    let probed = if args.probe && host.usable {
        probe(&profiles::all(None)?)?
    } else {
        Vec::new()
    };
    let holds = probed.iter().all(|row| row.holes.is_empty());
    let code = if host.usable && holds { FINE } else { FAILED };
    if args.json {
        let mut value = serde_json::to_value(&host).map_err(|e| Failure::failed(e.to_string()))?;
        if args.probe {
            value["probe"] = probed.iter().map(Row::json).collect();
        }
        output::say_json(&value);
        return Ok(code);
    }
    let mut text = features(&host);
    for row in &probed {
        row.tell(&mut text);
    }
    text.push_str(match host.usable {
        true => "\nworkers can be confined here\n",
        false => "\nworkers cannot be confined here, so nothing can be run\n",
    });
    output::say(&text);
    Ok(code)
}

fn features(host: &HostReport) -> String {
    let mut text = format!(
        "kernel {}  user {}  landlock abi {}\n\n",
        host.kernel, host.uid, host.landlock_abi
    );
    let names = host.features.iter().map(|feature| feature.name.len());
    let width = names.max().unwrap_or(0);
    for feature in &host.features {
        let mark = if feature.have { "yes" } else { "no " };
        let _ = writeln!(text, "{mark}  {:width$}  {}", feature.name, feature.detail); // a String takes every write
        if let Some(help) = &feature.help {
            let _ = writeln!(text, "     {:width$}  help: {help}", ""); // a String takes every write
        }
    }
    text
}

/// One profile, attacked from inside.
struct Row {
    profile: String,
    namespaces: bool,
    /// How many acts were tried, or why none could be.
    tried: Result<usize, String>,
    holes: Vec<String>,
}

fn probe(all: &Profiles) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for name in all.names() {
        let profile = all.get(name)?;
        for namespaces in [true, false] {
            let (tried, holes) = match profiles::probed(&profile, namespaces) {
                Ok(probe) => {
                    let holes = probe.holes().map(|hole| hole.act.clone()).collect();
                    (Ok(probe.outcomes.len()), holes)
                }
                Err(failure) => (Err(failure.message().to_owned()), Vec::new()),
            };
            let profile = name.to_owned();
            rows.push(Row {
                profile,
                namespaces,
                tried,
                holes,
            });
        }
    }
    Ok(rows)
}

impl Row {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "profile": self.profile,
            "namespaces": self.namespaces,
            "tried": self.tried.as_ref().ok(),
            "refused_to_start": self.tried.as_ref().err(),
            "holes": self.holes,
        })
    }

    fn tell(&self, text: &mut String) {
        let mode = if self.namespaces {
            "namespaces"
        } else {
            "landlock alone"
        };
        let found = match (&self.tried, self.holes.as_slice()) {
            (Err(why), _) => format!("does not start: {why}"),
            (Ok(tried), []) => format!("{tried} forbidden acts tried, all refused"),
            (Ok(_), holes) => format!("DOES NOT HOLD: {}", holes.join(", ")),
        };
        let _ = writeln!(text, "probe  {:14} {mode:14}  {found}", self.profile); // a String takes every write
    }
}
