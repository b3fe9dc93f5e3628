//! Directories beside the runs, for what is run and is no run: `check --deep` and `verify --rerun`.
//!
//! Such a directory goes with its owner. An owner that was killed leaves it; its lock is free then, and the next command of this
//! kind, or the next run, takes it away. It gets its name only once the lock is held, so that no lock is free by chance.

use std::fs;
use std::path::{Path, PathBuf};

use seawall_executor::Place;
use seawall_git::{Store, remove_workspace};
use seawall_journal::{Lock, LockError};

use crate::failure::{Failure, chain};
use crate::{output, runs};

/// What their names begin with.
const PREFIXES: [&str; 2] = [".deep-", ".again-"];

/// A directory that goes with its owner.
pub(crate) struct Beside {
    dir: PathBuf,
    /// Held for as long as the directory is ours.
    _lock: Lock,
}

impl Beside {
    /// For `check --deep`.
    pub(crate) fn deep(store: &Store) -> Result<Self, Failure> {
        Self::make(store, PREFIXES[0])
    }

    /// For `verify --rerun`.
    pub(crate) fn again(store: &Store) -> Result<Self, Failure> {
        Self::make(store, PREFIXES[1])
    }

    fn make(store: &Store, prefix: &str) -> Result<Self, Failure> {
        sweep(store);
        let root = runs::root(store);
        let failed = |e: std::io::Error| {
            Failure::failed(format!("cannot write in `{}`: {e}", root.display()))
        };
        fs::create_dir_all(&root).map_err(failed)?;
        let made = tempfile::Builder::new().prefix(".new-").tempdir_in(&root);
        let made = made.map_err(failed)?;
        let lock = Lock::take(&made.path().join("lock"));
        let lock = lock.map_err(|error| Failure::failed(chain(&error)))?;
        let name = made.path().file_name().unwrap_or_default();
        let name = name.to_string_lossy().replacen(".new-", prefix, 1);
        let dir = root.join(name);
        fs::rename(made.path(), &dir).map_err(failed)?;
        let _moved_away = made.keep();
        Ok(Self { dir, _lock: lock })
    }

    pub(crate) fn place(&self) -> Place {
        Place::new(self.dir.clone())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // What cannot be removed is tried again by whoever sweeps next, and said there.
        drop(remove_workspace(&self.dir));
    }
}

/// Takes away what owners left that were killed. What cannot be taken away is said, and keeps nobody from working.
pub(crate) fn sweep(store: &Store) {
    let entries = fs::read_dir(runs::root(store));
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let path = entry.path();
        if let Err(failure) = bury(&path) {
            let (path, why) = (path.display(), failure.message());
            output::complain(&format!("warning: `{path}` cannot be removed: {why}\n"));
        }
    }
}

/// Removes a directory whose owner is dead, once the commands that it started are.
fn bury(dir: &Path) -> Result<(), Failure> {
    let _lock = match Lock::take(&dir.join("lock")) {
        Ok(lock) => lock,
        Err(LockError::Held) => return Ok(()),
        Err(error) => return Err(Failure::failed(chain(&error))),
    };
    let place = Place::new(dir.to_owned());
    place.lay_out()?; // its owner may have been killed before
    place.lay_ghosts()?;
    place.tidy()?;
    Ok(remove_workspace(dir)?)
}
