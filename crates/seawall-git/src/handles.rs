//! Opened repositories, kept for whoever needs one next.
//!
//! libgit2's handle is not for several threads at once and costs about 0.1 ms to open, mostly for configuration files, so an
//! operation that reads or adds objects borrows one and gives it back. A handle keeps what it read in memory and learns of
//! packs that others delete only when it misses something, so it is given up after some uses. Whoever asks for settings
//! or attributes opens a repository anew.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use git2::Repository;

/// How many handles wait at the same time; two are at work in most runs.
const KEPT: usize = 4;
/// After so many uses a handle is given up: what it remembers must not grow with the run.
const USES: u32 = 64;

/// Handles that nobody uses at the moment, with how often each was used.
#[derive(Default)]
pub(crate) struct Idle(Mutex<Vec<(Repository, u32)>>);

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idle")
    }
}

impl Idle {
    /// Takes a handle that waits, or opens one.
    pub(crate) fn take<E>(
        self: &Arc<Self>,
        open: impl FnOnce() -> Result<Repository, E>,
    ) -> Result<Handle, E> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (repo, uses) = match waiting {
            Some(waiting) => waiting,
            None => (open()?, 0),
        };
        Ok(Handle {
            repo: Some(repo),
            uses: Cell::new(uses),
            idle: Arc::clone(self),
        })
    }
}

/// A borrowed repository.
pub(crate) struct Handle {
    /// there until the handle is dropped
    repo: Option<Repository>,
    uses: Cell<u32>,
    idle: Arc<Idle>,
}

impl Handle {
    /// Lets nobody use the handle after this, because it has read much and remembers it.
    pub(crate) fn retire(&self) {
        self.uses.set(USES);
    }
}

impl Deref for Handle {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        self.repo
            .as_ref()
            .expect("the repository is there until the handle is dropped")
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let Some(repo) = self.repo.take().filter(|_| self.uses.get() < USES) else {
            return;
        };
        let mut idle = self.idle.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push((repo, self.uses.get() + 1));
        }
    }
}
