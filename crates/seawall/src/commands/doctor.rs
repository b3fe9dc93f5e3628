//! `seawall doctor`: what this host can enforce, found by trying it.

use crate::args::JsonArg;
use crate::failure::{FAILED, FINE, Failure};
use crate::output;

pub(crate) fn run(args: &JsonArg) -> Result<u8, Failure> {
    let host = seawall_sandbox::host();
    let code = if host.usable { FINE } else { FAILED };
    if args.json {
        let value = serde_json::to_value(&host).map_err(|e| Failure::failed(e.to_string()))?;
        output::say_json(&value);
        return Ok(code);
    }
    let mut text = format!(
        "kernel {}  user {}  landlock abi {}\n\n",
        host.kernel, host.uid, host.landlock_abi
    );
    let width = host
        .features
        .iter()
        .map(|feature| feature.name.len())
        .max()
        .unwrap_or(0);
    for feature in &host.features {
        let mark = if feature.have { "yes" } else { "no " };
        text.push_str(&format!(
            "{mark}  {:width$}  {}\n",
            feature.name, feature.detail
        ));
        if let Some(help) = &feature.help {
            text.push_str(&format!("     {:width$}  help: {help}\n", ""));
        }
    }
    text.push_str(match host.usable {
        true => "\nworkers can be confined here\n",
        false => "\nworkers cannot be confined here, so nothing can be run\n",
    });
    output::say(&text);
    Ok(code)
}
