//! Where profiles come from: those that are built in, those of the user, those of the repository; and how they are joined.
//!
//! The nearer one wins: a file in the repository replaces the user's of the same name, and that one the built-in. A file of the
//! same name may extend what it replaces. A repository is not trusted like its user: its files may narrow a profile, set
//! variables and limits, but not open paths, hosts, metadata or mounts.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::profile::{FLOORS, KEYS, LIMITS, Layer, Profile};

/// The built-in files, by name.
const EMBEDDED: [(&str, &str); 6] = [
    (
        "agent",
        include_str!("../../../sandbox-profiles/agent.toml"),
    ),
    (
        "check",
        include_str!("../../../sandbox-profiles/check.toml"),
    ),
    ("nest", include_str!("../../../sandbox-profiles/nest.toml")),
    (
        "reviewer",
        include_str!("../../../sandbox-profiles/reviewer.toml"),
    ),
    (
        "worker",
        include_str!("../../../sandbox-profiles/worker.toml"),
    ),
    (
        "worker-rename",
        include_str!("../../../sandbox-profiles/worker-rename.toml"),
    ),
];

/// The largest file that is read, and the most layers of one profile.
const LONGEST: u64 = 64 << 10;
const DEEPEST: usize = 16;

/// Whose files are in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user's own, which may open what they like.
    User,
    /// The repository's, which may only narrow.
    Repository,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A file or its directory cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not a profile.
    #[error("{file}: {what}")]
    Written {
        /// Where it was read from.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// There is no profile of that name.
    #[error("there is no profile `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest known name.
        nearest: Option<String>,
    },
}

/// One file of a name; `under` is what it replaces.
#[derive(Debug, Clone)]
struct Source {
    file: String,
    kind: Kind,
}

/// A built-in file is read when it is asked for: a launch needs one or two of them.
#[derive(Debug, Clone)]
enum Kind {
    BuiltIn(&'static str),
    Read(Box<Layer>),
}

impl Source {
    fn layer(&self) -> Layer {
        match &self.kind {
            // Its keys are known: a test reads every built-in profile as strictly as any other.
            Kind::BuiltIn(text) => {
                toml::from_str(text).expect("a test reads every built-in profile")
            }
            Kind::Read(layer) => (**layer).clone(),
        }
    }
}

/// All profiles that can be named.
#[derive(Debug, Clone)]
pub struct Profiles {
    /// For each name the files, the nearest last.
    sources: BTreeMap<String, Vec<Source>>,
}

impl Profiles {
    /// The built-in ones.
    #[must_use]
    pub fn embedded() -> Self {
        let source = |(name, text): &(&str, &'static str)| {
            let (file, kind) = (format!("{name} (built in)"), Kind::BuiltIn(text));
            ((*name).to_owned(), vec![Source { file, kind }])
        };
        Self {
            sources: EMBEDDED.iter().map(source).collect(),
        }
    }

    /// Adds the `*.toml` files of a directory; one that does not exist has none.
    ///
    /// # Errors
    /// When one of them cannot be read, is not a profile, or opens what its origin may not open.
    pub fn add(&mut self, directory: &Path, origin: Origin) -> Result<(), ProfileError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ProfileError::Read { path, source }
        };
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed(directory))?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(failed(directory))?.path());
        }
        paths.sort();
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|kind| kind == "toml"))
        {
            let Some(name) = path.file_stem().and_then(|name| name.to_str()) else {
                continue;
            };
            let source = read(path, origin)?;
            self.sources
                .entry(name.to_owned())
                .or_default()
                .push(source);
        }
        Ok(())
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// The profile of that name, with its layers joined.
    ///
    /// # Errors
    /// When there is none, or when what it extends is not there, goes round, or leaves something unsaid.
    pub fn get(&self, name: &str) -> Result<Profile, ProfileError> {
        let mut layers: Vec<(&Source, Layer)> = Vec::new();
        let mut next = Some((name.to_owned(), usize::MAX));
        while let Some((wanted, below)) = next {
            let sources = self
                .sources
                .get(&wanted)
                .ok_or_else(|| self.unknown(&wanted))?;
            let at = sources
                .len()
                .min(below)
                .checked_sub(1)
                .ok_or_else(|| self.unknown(&wanted))?;
            let source = &sources[at];
            if layers.len() == DEEPEST {
                return Err(written(&source.file, "it extends itself by a detour"));
            }
            let layer = source.layer();
            let extends = layer.extends.clone();
            layers.push((source, layer));
            // A file that extends its own name extends what it replaces.
            next = extends.map(|over| {
                let below = if over == wanted { at } else { usize::MAX };
                (over, below)
            });
        }
        let files = layers
            .iter()
            .map(|(source, _)| source.file.clone())
            .collect();
        let outermost = layers
            .first()
            .map_or_else(|| name.to_owned(), |(source, _)| source.file.clone());
        let bottom_up = layers.into_iter().rev().map(|(_, layer)| layer);
        let joined = bottom_up.fold(Layer::default(), |under, layer| layer.over(under));
        joined
            .complete(name, files)
            .map_err(|what| written(&outermost, what))
    }

    fn unknown(&self, name: &str) -> ProfileError {
        ProfileError::Unknown {
            name: name.to_owned(),
            nearest: nearest(name, self.names()).map(str::to_owned),
        }
    }
}

fn written(file: &str, what: impl Into<String>) -> ProfileError {
    ProfileError::Written {
        file: file.to_owned(),
        what: what.into(),
    }
}

fn read(path: &Path, origin: Origin) -> Result<Source, ProfileError> {
    let failed = |source| ProfileError::Read {
        path: path.to_owned(),
        source,
    };
    let file = path.display().to_string();
    let found = fs::symlink_metadata(path).map_err(failed)?;
    if !found.is_file() || found.len() > LONGEST {
        return Err(written(&file, "it is not a plain file of at most 64 KiB"));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let layer = parse(&text).map_err(|what| written(&file, what))?;
    // What extends nothing would start with no floor.
    if origin == Origin::Repository && layer.extends.is_none() {
        return Err(written(
            &file,
            "a profile of a repository must extend another one",
        ));
    }
    match layer.opens().filter(|_| origin == Origin::Repository) {
        Some(key) => Err(written(
            &file,
            format!(
                "`{key}` opens something, which a repository may not do; say it in a profile of your own"
            ),
        )),
        None => Ok(Source {
            file,
            kind: Kind::Read(Box::new(layer)),
        }),
    }
}

fn parse(text: &str) -> Result<Layer, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    known(table.keys(), KEYS, "key of a profile")?;
    if let Some(limits) = table.get("limits").and_then(toml::Value::as_table) {
        known(limits.keys(), LIMITS, "limit")?;
    }
    let layer: Layer = toml::from_str(text).map_err(|error| error.to_string())?;
    known(
        layer.floor.iter().flatten(),
        FLOORS,
        "protection that a floor can name",
    )?;
    Ok(layer)
}

fn known<'a>(
    words: impl Iterator<Item = &'a String>,
    all: &[&str],
    what: &str,
) -> Result<(), String> {
    let mut words = words.map(String::as_str);
    let Some(word) = words.find(|word| !all.contains(word)) else {
        return Ok(());
    };
    let help = match nearest(word, all.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", all.join(", ")),
    };
    Err(format!("`{word}` is no {what}; {help}"))
}

/// The nearest of the known words, if one is near.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const FARTHEST: usize = 3;
    let far = |known: &&str| strsim::osa_distance(word, known);
    known
        .filter(|known| far(known) <= FARTHEST.min(known.len() / 2))
        .min_by_key(far)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::WriteRule;

    #[test]
    fn every_file_in_the_directory_is_built_in_and_complete() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sandbox-profiles");
        let profiles = Profiles::embedded();
        let mut found: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        found.sort();
        assert_eq!(found, profiles.names().collect::<Vec<_>>());
        for name in found {
            profiles.get(&name).unwrap();
        }
        for (_, text) in EMBEDDED {
            parse(text).unwrap();
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (text, expected) in [
            ("write = 'everything'", "everything"),
            ("netwrok = 'none'", "no key"),
            ("host = []", "did you mean `hosts`?"),
            ("[limits]\nmemory = 3", "no limit"),
            ("[limits]\nmemory_mb = 3", "did you mean `memory_mib`?"),
            ("floor = ['veiw']", "did you mean `view`?"),
            ("[limits]\nprocesses = -1", "processes"),
            ("= 3", "TOML"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    fn with(files: &[(&str, &str)], origin: Origin) -> Result<Profiles, ProfileError> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let mut profiles = Profiles::embedded();
        profiles.add(directory.path(), origin).map(|()| profiles)
    }

    #[test]
    fn layers_are_joined() {
        let files = [
            (
                "worker.toml",
                "extends = 'worker'\nhosts = ['a.test:443']\nfloor = ['memory']",
            ),
            (
                "mine.toml",
                "extends = 'worker'\nwrite = 'nothing'\n[limits]\nprocesses = 7",
            ),
            ("readme.md", "not a profile"),
        ];
        let profiles = with(&files, Origin::User).unwrap();
        let (worker, mine) = (
            profiles.get("worker").unwrap(),
            profiles.get("mine").unwrap(),
        );
        assert_eq!(
            (worker.write, mine.write),
            (WriteRule::Owned, WriteRule::Nothing)
        );
        assert_eq!(mine.hosts, ["a.test:443"]);
        assert_eq!(mine.limits.processes, Some(7));
        assert_eq!(mine.limits.memory, worker.limits.memory);
        assert_eq!(mine.layers.len(), 3);
        assert!(
            mine.floor.contains(&"memory".to_owned()) && mine.floor.contains(&"view".to_owned())
        );
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        let files = [
            ("a.toml", "extends = 'b'"),
            ("b.toml", "extends = 'a'"),
            ("c.toml", "extends = 'wroker'"),
            ("d.toml", "extends = 'd'"),
            ("e.toml", "says = 'x'"),
            ("f.toml", "extends = 'worker'\nhosts = ['no-port.test']"),
            ("h.toml", "extends = 'worker'\n[limits]\ncpu_weight = 0"),
        ];
        let profiles = with(&files, Origin::User).unwrap();
        for (name, expected) in [
            ("a", "detour"),
            ("c", "`wroker`"),
            ("d", "no profile `d`"),
            ("e", "lacks `write`"),
            ("f", "no-port.test"),
            ("g", "no profile `g`"),
            ("h", "from 1 to 10000"),
        ] {
            let error = profiles.get(name).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }

    #[test]
    fn a_repository_may_only_narrow() {
        for text in [
            "read = ['~/.ssh']",
            "hosts = ['a.test:443']",
            "nesting = true",
            "metadata = true",
        ] {
            let text = format!("extends = 'worker'\n{text}");
            let error = with(&[("worker.toml", &text)], Origin::Repository).unwrap_err();
            assert!(error.to_string().contains("may not"), "{error}");
        }
        let anew = [("worker.toml", "says = 'x'\nwrite = 'workspace'")];
        let error = with(&anew, Origin::Repository).unwrap_err();
        assert!(error.to_string().contains("must extend"), "{error}");
        let narrow = "extends = 'agent'\nhosts = []\n[limits]\nmemory_mib = 512";
        let profiles = with(&[("agent.toml", narrow)], Origin::Repository).unwrap();
        assert!(profiles.get("agent").unwrap().hosts.is_empty());
    }

    #[test]
    fn every_built_in_profile_has_a_git_directory() {
        let text = [("none.toml", "extends = 'agent'\ngit = false")];
        let profiles = with(&text, Origin::Repository).unwrap();
        for name in profiles.names() {
            assert_eq!(profiles.get(name).unwrap().git, name != "none", "{name}");
        }
    }

    #[test]
    fn a_profile_limits_what_goes_over_its_hosts() {
        let text = "extends = 'agent'\n[limits]\nconnections = 4\nsent_mib = 8\nconnection_idle_seconds = 9";
        let profiles = with(&[("mine.toml", text)], Origin::User).unwrap();
        let traffic = profiles.get("mine").unwrap().traffic.clone();
        let default = crate::proxy::ProxyLimits::default();
        assert_eq!((traffic.connections, traffic.bytes_up), (4, 8 << 20));
        assert_eq!(traffic.idle.as_secs(), 9);
        assert_eq!(traffic.bytes_down, default.bytes_down);
    }
}
