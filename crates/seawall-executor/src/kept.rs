//! The base of a run that has ended, for the next one: taken where there is one, else laid; put aside when the run is over.
//!
//! That saves seconds where there are many files, and is never needed: whatever stands in the way of it, the base is laid anew. A
//! base is not synchronised to the disk, so one of another start of the machine is not taken.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use seawall_git::{CommitId, LaidBy, Store, Taken, put_aside};

use crate::error::{ExecuteError, at};
use crate::place::{Place, boot};
use crate::trash::Trash;

/// Where the base of the last run that ended is, beside the directory of all `runs`.
#[must_use]
pub fn kept_base(runs: &Path) -> PathBuf {
    runs.with_file_name("base")
}

/// The commit that the base of a run was written for, if Seawall wrote it.
fn of(place: &Place) -> PathBuf {
    place.layers().join("base.commit")
}

/// Makes the base of `commit` at `dest`; the private git directory of that commit, if there was one with it.
pub(crate) fn base(
    store: &Store,
    (place, trash): (&Place, &Trash),
    commit: &CommitId,
    dest: &Path,
) -> Result<Option<PathBuf>, ExecuteError> {
    let taken = take(store, (place, trash), commit, dest)?;
    if taken.is_some() || store.lay_base(commit, dest)?.by == LaidBy::Seawall {
        fs::write(of(place), commit.as_str()).map_err(at("write", &of(place)))?;
    }
    Ok(taken.and_then(|taken| taken.git))
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
    let boot = boot()?;
    let commit = fs::read_to_string(of(place))?;
    if fs::read_to_string(place.root().join("boot"))? != boot {
        return Ok(());
    }
    let commit: CommitId = commit.parse().map_err(io::Error::other)?;
    let aside = place.layers().join("aside");
    let base = place.layers().join("base");
    let git = place.layers().join(format!("{commit}.git"));
    put_aside(&base, &git, &commit, &boot, &aside).map_err(io::Error::other)?;
    let kept = kept_base(place.runs());
    trash.throw(&kept).map_err(io::Error::other)?;
    fs::rename(aside, kept)
}
