//! The base of a run that has ended, for the next one: taken where there is one, else laid; put aside when the run is over.
//!
//! That saves seconds where there are many files, and is never needed: whatever stands in the way of it, the base is laid anew. A
//! base is not synchronised to the disk, so one of another start of the machine is not taken.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use seawall_git::{Base, CommitId, LaidBy, Store, Taken, put_aside};

use crate::boot::boot;
use crate::error::{ExecuteError, at};
use crate::place::Place;
use crate::trash::Trash;

/// Where the base of the last run that ended is, beside the directory of all `runs`.
#[must_use]
pub fn kept_base(runs: &Path) -> PathBuf {
    runs.with_file_name("base")
}

/// Says that the base of a run is complete, and which commit it was written for.
fn done(place: &Place) -> PathBuf {
    place.layers().join("base.commit")
}

/// A base that was made.
pub(crate) struct Made {
    /// Whether it can be kept for the next run.
    pub(crate) keeps: bool,
    /// The private git directory of its commit, if there was one with it.
    pub(crate) git: Option<PathBuf>,
}

/// Makes the base of `commit` at `dest`.
pub(crate) fn base(
    store: &Store,
    (place, trash): (&Place, &Trash),
    commit: &CommitId,
    dest: &Path,
) -> Result<Made, ExecuteError> {
    if let Some(Taken { git }) = take(store, (place, trash), commit, dest)? {
        return Ok(Made { keeps: true, git });
    }
    // What git has written depends on more than the commit.
    let keeps = store.lay_base(commit, dest)?.by == LaidBy::Seawall;
    Ok(Made { keeps, git: None })
}

/// Notes that the base is complete: what is written to it from now on, nobody should have written.
pub(crate) fn complete(place: &Place, commit: &CommitId) -> Result<(), ExecuteError> {
    fs::write(done(place), commit.as_str()).map_err(at("write", &done(place)))
}

/// Takes that back: a session after the one that made it has written to it, and nobody can say who else has.
pub(crate) fn spoil(place: &Place) -> Result<(), ExecuteError> {
    match fs::remove_file(done(place)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(at("remove", &done(place))),
    }
}

/// Takes the base that was put aside, if it can become that of `commit`. One that is of no use makes room at once.
fn take(
    store: &Store,
    (place, trash): (&Place, &Trash),
    commit: &CommitId,
    dest: &Path,
) -> Result<Option<Taken>, ExecuteError> {
    let own = place.layers().join("taken");
    let moved = fs::rename(kept_base(place.runs()), &own);
    let (Ok(()), Ok(boot)) = (moved, boot()) else {
        return Ok(None);
    };
    let taken = store.take_base(&own, &boot, commit, dest).ok().flatten();
    if taken.is_none() {
        trash.throw(&own)?;
    }
    Ok(taken)
}

/// Puts the base of a run that is over aside, in the place of the one before.
pub(crate) fn keep(place: &Place, trash: &Trash) -> io::Result<()> {
    let (boot, done) = (boot()?, done(place));
    let commit: CommitId = fs::read_to_string(&done)?
        .parse()
        .map_err(io::Error::other)?;
    if place.boot()? != boot {
        return Ok(());
    }
    let aside = place.layers().join("aside");
    let base = Base {
        tree: &place.base(),
        git: &place.private_git(commit.as_str()),
        commit: &commit,
        done: &done,
    };
    if !put_aside(&base, &boot, &aside).map_err(io::Error::other)? {
        return Ok(());
    }
    let kept = kept_base(place.runs());
    trash.throw(&kept).map_err(io::Error::other)?;
    fs::rename(aside, kept)
}
