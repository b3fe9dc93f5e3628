//! The directories that workspaces are laid over: one for the run's base, and a thin one for each commit after it.
//!
//! A directory is made once, under its name only when it is complete, and never changed afterwards; a commit is the stack
//! of its own changes on those of its parent. So the first wave costs a checkout, or what differs from the run before, and
//! everything else what it changed.
//! Stacks deeper than [`DEEPEST`] are flattened to the difference from the run's base, which costs what the run has changed.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use seawall_core::event::Settings;
use seawall_core::ids::Commit;
use seawall_git::Store;

use crate::carry::Carried;
use crate::crew::{Setup, commit, id};
use crate::error::{ExecuteError, at};
use crate::place::Place;
use crate::trash::Trash;
use crate::{kept, times};

/// Changes that lie on one another before they are put together; each costs every look-up of a name a little.
const DEEPEST: usize = 12;

/// A commit as directories.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// Top first.
    pub(crate) layers: Vec<PathBuf>,
    /// How many of them are changes.
    depth: usize,
    /// The private git directory of the wave's base, as a further layer.
    pub(crate) git: Option<Git>,
}

/// A private git directory.
#[derive(Clone, Debug)]
pub(crate) struct Git {
    /// The directory that has `.git` in it and nothing else.
    pub(crate) layer: PathBuf,
    /// What is checked out in it.
    at: Commit,
}

/// A commit's stack, once somebody has made it.
type Slot = Arc<Mutex<Option<Arc<Stack>>>>;

/// All stacks of a session.
#[derive(Debug)]
pub(crate) struct Bases {
    store: Store,
    place: Place,
    /// Whether a base that another run has written will do.
    takes_kept: bool,
    /// Takes one that is of no use.
    trash: Arc<Trash>,
    /// What the run starts from.
    first: Commit,
    /// What of the user's checkout is carried along, as the layer below all others.
    carried: Option<PathBuf>,
    /// The checkout that directories are carried from, and which; then files of layers need the right times.
    built: Option<(PathBuf, Vec<Carried>)>,
    /// Whether some worker or check is to have a git directory.
    wants_git: bool,
    made: DashMap<Commit, Slot>,
}

impl Bases {
    pub(crate) fn new(
        setup: &Setup,
        carried: Option<PathBuf>,
        dirs: &[Carried],
        trash: Arc<Trash>,
    ) -> Self {
        let checkout = setup.store.workdir().filter(|_| !dirs.is_empty());
        Self {
            store: setup.store.clone(),
            place: setup.place.clone(),
            takes_kept: setup.takes_kept_base,
            trash,
            first: setup.base.clone(),
            carried,
            built: checkout.map(|checkout| (checkout.to_owned(), dirs.to_vec())),
            wants_git: setup.profiles.values().any(|profile| profile.git),
            made: DashMap::new(),
        }
    }

    /// The stack of `commit`, which is the run's base or descends from it by first parents.
    pub(crate) fn stack(&self, commit: &Commit) -> Result<Arc<Stack>, ExecuteError> {
        let slot = self.slot(commit);
        // Held while it is made: whoever wants the same waits. A stack waits only for that of an ancestor.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stack) = &*slot {
            return Ok(Arc::clone(stack));
        }
        let stack = Arc::new(if *commit == self.first {
            self.base()?
        } else {
            self.change(commit)?
        });
        *slot = Some(Arc::clone(&stack));
        Ok(stack)
    }

    /// What the user's settings made of the run's base, which must stand.
    pub(crate) fn settings(&self) -> Result<Option<Settings>, ExecuteError> {
        let found = self.store.settings_of(&self.place.base())?;
        Ok(found.map(|found| Settings {
            why: found.why,
            converted: found.converted,
            left_out: found.left_out,
        }))
    }

    fn slot(&self, commit: &Commit) -> Slot {
        Arc::clone(&self.made.entry(commit.clone()).or_default())
    }

    /// The stack of a wave's base, with a git directory of its own where git directories are wanted.
    pub(crate) fn of_wave(&self, commit: &Commit) -> Result<Arc<Stack>, ExecuteError> {
        let stack = self.stack(commit)?;
        let Some(before) = stack.git.as_ref().filter(|git| git.at != *commit) else {
            return Ok(stack);
        };
        let git = self.git_at(commit);
        let (from, to) = (id(&before.at)?, id(commit)?);
        let layers = self.place.layers();
        let tree = stack.layers.first().unwrap_or(&layers);
        let store = &self.store;
        store.private_git_onto(&before.layer, &from, &to, tree, &git.layer)?;
        let stack = Arc::new(Stack {
            git: Some(git),
            ..Stack::clone(&stack)
        });
        let slot = self.slot(commit);
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&stack));
        Ok(stack)
    }

    fn git_at(&self, commit: &Commit) -> Git {
        Git {
            layer: self.place.private_git(&commit.0),
            at: commit.clone(),
        }
    }

    fn base(&self) -> Result<Stack, ExecuteError> {
        let (dest, git) = (self.place.base(), self.git_at(&self.first));
        let first = id(&self.first)?;
        let made = match dest.exists() {
            true => None,
            false if self.takes_kept => {
                let shared = (&self.place, &*self.trash);
                Some(kept::base(&self.store, shared, &first, &dest)?)
            }
            false => self.store.lay_base(&first, &dest).map(|_| None)?,
        };
        if let Some((checkout, dirs)) = &self.built {
            if made.is_none() {
                kept::spoil(&self.place)?;
            }
            times::keep(&dest, checkout, dirs)?;
        }
        let keeps = made.as_ref().is_some_and(|made| made.keeps);
        if self.wants_git && !git.layer.exists() {
            // Where something is carried, the files have other times than the index of one that was kept says.
            let kept = made.and_then(|made| made.git);
            match kept.filter(|_| self.built.is_none()) {
                Some(kept) => fs::rename(&kept, &git.layer).map_err(at("take", &kept))?,
                None => self.store.private_git(&first, &dest, &git.layer)?,
            }
        }
        if keeps {
            kept::complete(&self.place, &first)?;
        }
        Ok(Stack {
            layers: std::iter::once(dest).chain(self.carried.clone()).collect(),
            depth: 0,
            git: self.wants_git.then_some(git),
        })
    }

    fn change(&self, to: &Commit) -> Result<Stack, ExecuteError> {
        let facts = self.store.facts(&id(to)?)?;
        let parent = facts.parents.first().map(commit).ok_or_else(|| {
            ExecuteError::Lost(format!(
                "{} does not descend from the run's base",
                to.short()
            ))
        })?;
        let above = self.stack(&parent)?;
        let (below, from) = match above.depth {
            DEEPEST.. => (self.stack(&self.first)?, self.first.clone()),
            _ => (Arc::clone(&above), parent),
        };
        let dest = self.place.layers().join(&*to.0);
        if !dest.exists() {
            let under: Vec<_> = below.layers.iter().map(PathBuf::as_path).collect();
            self.store
                .lay_change_over(&under, &id(&from)?, &id(to)?, &dest)?;
        } else if self.built.is_some() {
            times::renew(&dest)?;
        }
        let git = self.git_at(to);
        let own = self.wants_git && git.layer.exists();
        Ok(Stack {
            layers: std::iter::once(dest)
                .chain(below.layers.iter().cloned())
                .collect(),
            depth: below.depth + 1,
            git: if own { Some(git) } else { above.git.clone() },
        })
    }

    /// Removes the directory of a commit that nothing else is stacked on, such as a harvest's.
    pub(crate) fn forget(&self, commit: &Commit, trash: &Trash) -> Result<(), ExecuteError> {
        if *commit == self.first || self.made.remove(commit).is_none() {
            return Ok(());
        }
        // The record of what git converted stands beside the layer.
        let layers = self.place.layers();
        trash.throw(&layers.join(format!("{}.record", commit.0)))?;
        trash.throw(&layers.join(&*commit.0))
    }
}
