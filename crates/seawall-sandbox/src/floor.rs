//! The floor of a launch: protections without which the command does not start, looked at when everything is in force.

use crate::hierarchy;
use crate::host::namespaces_help;
use crate::report::{Ledger, State};
use crate::worker::Failure;

const KERNEL_HELP: &str = "boot a newer kernel (Linux 6.12 has all that is asked for)";

/// Whether every named protection is in force; the failure says which is not, why, and what helps.
pub(crate) fn held(floor: &[String], ledgers: [&Ledger; 2]) -> Result<(), Failure> {
    for name in floor {
        let mut entries = ledgers.into_iter().flat_map(|ledger| &ledger.entries);
        let error = match entries
            .find(|entry| entry.name == *name)
            .map(|entry| &entry.state)
        {
            Some(State::Enforced { .. }) => continue,
            Some(State::Degraded { to, because }) => format!("only {to}; {because}"),
            Some(State::Off) | None => {
                "it was not asked for: the profile has no such limit".to_owned()
            }
        };
        return Err(Failure {
            step: format!("hold the floor of the profile, `{name}`"),
            error: format!("{error}; {}", help(name)),
        });
    }
    Ok(())
}

fn help(name: &str) -> String {
    match name {
        "memory" | "processes" | "processor weight" => {
            format!("{}, so that it can make control groups", hierarchy::help())
        }
        "abstract sockets" | "signals" | "device control" => KERNEL_HELP.to_owned(),
        _ => namespaces_help(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_force_is_named() {
        let mut ledger = Ledger::default();
        ledger.enforced("files", "landlock");
        ledger.degraded_to("view", "nothing", "no mount namespace");
        ledger.off("memory");
        let other = Ledger::default();
        let on = |name: &str| held(&[name.to_owned()], [&other, &ledger]);
        assert!(on("files").is_ok());
        for (name, expected) in [
            ("view", "no mount namespace"),
            ("memory", "not asked for"),
            ("x", "not asked for"),
        ] {
            let failure = on(name).unwrap_err();
            assert!(
                failure.step.contains(name) && failure.error.contains(expected),
                "{name}"
            );
        }
    }
}
