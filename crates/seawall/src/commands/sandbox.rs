//! `seawall sandbox`: the profiles, and what each comes to on this host.

use seawall_git::Store;
use seawall_sandbox::{Explanation, explain};

use crate::args::{ExplainProfileArgs, SandboxCommand};
use crate::failure::{FINE, Failure};
use crate::output;
use crate::profiles;

pub(crate) fn run(repo: Option<&Store>, command: &SandboxCommand) -> Result<u8, Failure> {
    let profiles = profiles::all(repo.and_then(Store::workdir))?;
    match command {
        SandboxCommand::List => {
            let mut text = String::new();
            for name in profiles.names() {
                let profile = profiles.get(name)?;
                text.push_str(&format!("{name:14} {}\n", profile.says));
            }
            output::say(&text);
        }
        SandboxCommand::Explain(args) => {
            let explanation = explain(&profiles.get(&args.profile)?, !args.no_namespaces);
            tell(args, &explanation)?;
        }
    }
    Ok(FINE)
}

fn tell(args: &ExplainProfileArgs, explanation: &Explanation) -> Result<(), Failure> {
    if args.json {
        let value =
            serde_json::to_value(explanation).map_err(|e| Failure::failed(e.to_string()))?;
        output::say_json(&value);
        return Ok(());
    }
    output::say(&picture(explanation));
    Ok(())
}

fn picture(explanation: &Explanation) -> String {
    const LONGEST: usize = 44;
    let profile = &explanation.profile;
    let mut text = format!("{}  {}\n", profile.name, profile.says);
    text.push_str(&format!("from    {}\n\n", profile.layers.join(", ")));
    let mut last = "";
    for line in &explanation.lines {
        let about = if line.about == last { "" } else { line.about };
        last = line.about;
        text.push_str(&format!("{about:8}{:LONGEST$}  {}\n", line.what, line.why));
    }
    text
}
