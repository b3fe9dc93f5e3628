//! Locks that are held for as long as a command of this supervisor may live, so that the next one can wait for its ghosts.
//!
//! A lock is a file that the launcher locks; what its name is does not matter. So names are used again, and a run of any
//! length makes as many files as it has commands at once.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::error::{ExecuteError, at};

/// The locks of one supervisor.
#[derive(Debug)]
pub(crate) struct Locks {
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    free: Vec<PathBuf>,
    made: usize,
}

impl Locks {
    /// Locks below `dir`, which exists.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            state: Mutex::default(),
        }
    }

    /// A lock that no command of this supervisor uses.
    pub(crate) fn take(&self) -> Result<PathBuf, ExecuteError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = state.free.pop() {
            return Ok(path);
        }
        let path = self.dir.join(state.made.to_string());
        File::create(&path).map_err(at("make", &path))?;
        state.made += 1;
        Ok(path)
    }

    /// Gives back the lock of a command whose whole tree is dead.
    pub(crate) fn give_back(&self, path: PathBuf) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.free.push(path);
    }
}
