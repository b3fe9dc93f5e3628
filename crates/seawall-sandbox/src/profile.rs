//! The sandbox profiles that come with the product: named bounds for the kinds of command that a run starts.
//!
//! They are files in `sandbox-profiles/`, commented for people, embedded at compile time, and read strictly: an unknown key
//! is an error and not a protection that silently is not there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::order::{Limits, Opens};

const MIB: u64 = 1 << 20;

/// The embedded files, by name.
const EMBEDDED: [(&str, &str); 3] = [
    (
        "worker",
        include_str!("../../../sandbox-profiles/worker.toml"),
    ),
    (
        "worker-rename",
        include_str!("../../../sandbox-profiles/worker-rename.toml"),
    ),
    (
        "check",
        include_str!("../../../sandbox-profiles/check.toml"),
    ),
];

/// Named bounds for a kind of command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// What a plan calls it.
    pub name: String,
    /// What it is for, in one sentence.
    pub says: String,
    /// What the command may write besides its private home and temporary directory.
    pub write: WriteRule,
    /// How long and how much.
    pub limits: Limits,
    /// Bytes of output that are kept.
    pub output: u64,
    /// What is open beyond the usual.
    pub opens: Opens,
}

/// What a profile lets a command write, before it is known which task it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteRule {
    /// The files that the task owns.
    Owned,
    /// Everything in the workspace.
    Workspace,
    /// Nothing.
    Nothing,
}

/// Why a profile cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox profile is not valid: {0}")]
pub struct ProfileError(#[from] toml::de::Error);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    says: String,
    write: WriteRule,
    #[serde(default)]
    metadata: bool,
    #[serde(default)]
    limits: WrittenLimits,
}

/// The limits as a profile writes them: whole numbers whose unit is in the name.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLimits {
    wall_seconds: Option<u64>,
    silence_seconds: Option<u64>,
    grace_seconds: Option<u64>,
    open_files: Option<u64>,
    file_size_mib: Option<u64>,
    processes: Option<u64>,
    memory_mib: Option<u64>,
    output_mib: Option<u64>,
}

/// The embedded profile of that name.
#[must_use]
pub fn profile(name: &str) -> Option<Profile> {
    let (_, text) = EMBEDDED.iter().find(|(known, _)| *known == name)?;
    Some(parse_profile(text).expect("a test reads every embedded profile"))
}

/// The names of the embedded profiles.
pub fn profile_names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// Reads a profile.
///
/// # Errors
/// When it is not TOML, lacks a key or has an unknown one.
pub fn parse_profile(text: &str) -> Result<Profile, ProfileError> {
    let Written {
        name,
        says,
        write,
        metadata,
        limits,
    } = toml::from_str(text)?;
    let output = limits.output_mib.unwrap_or(16).saturating_mul(MIB);
    Ok(Profile {
        name,
        says,
        write,
        limits: limits.into(),
        output,
        opens: Opens {
            metadata,
            ..Opens::default()
        },
    })
}

impl From<WrittenLimits> for Limits {
    fn from(written: WrittenLimits) -> Self {
        let default = Self::default();
        Self {
            wall: written.wall_seconds.map(Duration::from_secs),
            silence: written.silence_seconds.map(Duration::from_secs),
            grace: written
                .grace_seconds
                .map_or(default.grace, Duration::from_secs),
            open_files: written.open_files.or(default.open_files),
            file_size: written.file_size_mib.map(|size| size.saturating_mul(MIB)),
            processes: written.processes,
            memory: written.memory_mib.map(|size| size.saturating_mul(MIB)),
            disk: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_in_the_directory_is_embedded_and_valid() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sandbox-profiles");
        let mut found = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let parsed = parse_profile(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(
                (Some(&parsed), &parsed.name),
                (profile(&name).as_ref(), &name)
            );
            found += 1;
        }
        assert_eq!(found, profile_names().count());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "name = 'x'\nsays = 'y'\nwrite = 'everything'",
            "name = 'x'\nsays = 'y'\nwrite = 'owned'\nnetwork = 'none'",
            "name = 'x'\nsays = 'y'\nwrite = 'owned'\n[limits]\nwall = 3",
        ] {
            assert!(parse_profile(text).is_err(), "{text}");
        }
    }
}
