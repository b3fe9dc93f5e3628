//! The sandbox profiles: where they are read from, and how a run keeps the ones that it began with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use seawall_core::ids::Digest;
use seawall_core::plan::Plan;
use seawall_executor::REVIEWER;
use seawall_sandbox::{Origin, Probe, Profile, ProfileError, Profiles, probe};

use crate::failure::Failure;
use crate::runs::RunDir;

/// The profile of checks and invariants.
const CHECK: &str = "check";

/// The built-in profiles, the user's in `~/.config/seawall/profiles`, and the repository's in `.seawall/profiles`.
pub(crate) fn all(workdir: Option<&Path>) -> Result<Profiles, Failure> {
    let mut profiles = Profiles::embedded();
    let settings = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let settings = settings.filter(|path| path.is_absolute()).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(Path::new(&home).join(".config"))
    });
    if let Some(settings) = settings {
        profiles.add(&settings.join("seawall/profiles"), Origin::User)?;
    }
    if let Some(workdir) = workdir {
        profiles.add(&workdir.join(".seawall/profiles"), Origin::Repository)?;
    }
    Ok(profiles)
}

/// The profiles that a plan names, as they are now.
pub(crate) fn named(
    workdir: Option<&Path>,
    plan: &Plan,
) -> Result<BTreeMap<String, Profile>, Failure> {
    let profiles = all(workdir)?;
    let reviewed = plan.tasks.iter().any(|task| task.review.is_some());
    let names: BTreeSet<&str> = plan
        .tasks
        .iter()
        .map(|task| &*task.profile)
        .chain([CHECK])
        .chain(reviewed.then_some(REVIEWER))
        .collect();
    let mut named = BTreeMap::new();
    for name in names {
        named.insert(name.to_owned(), profiles.get(name)?);
    }
    Ok(named)
}

/// Profiles, as a run keeps them.
pub(crate) fn text(profiles: &BTreeMap<String, Profile>) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec_pretty(profiles)
        .map_err(|error| Failure::failed(format!("cannot write the sandbox profiles: {error}")))
}

/// The profiles that a run began with, of which `says` is the digest.
pub(crate) fn pinned(
    run: &RunDir,
    says: Option<&Digest>,
) -> Result<BTreeMap<String, Profile>, Failure> {
    let file = run.profiles();
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(
                Failure::failed(format!("`{}` is gone", file.display())).help(
                    "without the sandbox profiles that the run began with nothing of it can be run",
                ),
            );
        }
        Err(error) => {
            let text = format!("cannot read `{}`: {error}", file.display());
            return Err(Failure::failed(text));
        }
    };
    if says.is_some_and(|says| *says != Digest::of(&bytes)) {
        let text = format!(
            "the sandbox profiles in `{}` are not those that run `{}` began with",
            file.display(),
            run.id
        );
        return Err(Failure::failed(text).help(format!(
            "put the file back as it was; `seawall verify {}` says what else is not as recorded",
            run.id
        )));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::failed(format!("cannot understand `{}`: {error}", file.display()))
    })
}

/// Attacks a profile from inside.
pub(crate) fn probed(profile: &Profile, namespaces: bool) -> Result<Probe, Failure> {
    let scratch = tempfile::Builder::new().prefix("seawall-probe-").tempdir();
    let scratch = scratch.map_err(|error| {
        Failure::failed(format!("cannot make a directory to probe in: {error}"))
    })?;
    Ok(probe(profile, namespaces, scratch.path())?)
}

/// Refuses to go on when a profile of the run does not hold here.
pub(crate) fn must_hold(
    profiles: &BTreeMap<String, Profile>,
    namespaces: bool,
) -> Result<(), Failure> {
    for (name, profile) in profiles {
        let probe = probed(profile, namespaces)?;
        let holes: Vec<_> = probe.holes().map(|hole| hole.act.as_str()).collect();
        if !holes.is_empty() {
            let failure = Failure::failed(format!(
                "the sandbox profile `{name}` does not hold here: {}",
                holes.join(", ")
            ));
            return Err(failure.help(
                "`seawall doctor --probe` tries everything; nothing is run until it is refused",
            ));
        }
    }
    Ok(())
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        let failure = Self::usage(crate::failure::chain(&error));
        match error {
            ProfileError::Unknown {
                nearest: Some(near),
                ..
            } => failure.help(format!("did you mean `{near}`?")),
            ProfileError::Unknown { .. } => failure.help("`seawall sandbox list` names them all"),
            _ => failure,
        }
    }
}
