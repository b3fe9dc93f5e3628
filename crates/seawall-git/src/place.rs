//! Where Seawall may make directories: never over anything of the user.
//!
//! What stands at such a place is deleted first, so the place is settled without links and checked against the
//! repository before anything is touched. A directory is filled under a partial name and renamed when it is complete.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use crate::dirfd::Root;
use crate::error::{Error, Result, io};
use crate::remove::remove_workspace;
use crate::store::Store;

/// A directory that has not got its name yet.
pub(crate) struct Partial {
    /// its top
    pub(crate) root: Root,
    partial: PathBuf,
    dest: PathBuf,
}

impl Partial {
    /// Where it is until it has its name.
    pub(crate) fn path(&self) -> &Path {
        &self.partial
    }

    /// Where it will be.
    pub(crate) fn dest(&self) -> &Path {
        &self.dest
    }

    /// Gives it its name.
    pub(crate) fn finish(self) -> Result<()> {
        fs::rename(&self.partial, &self.dest).map_err(io("finish the directory", &self.dest))
    }
}

impl Store {
    /// Begins a directory at a safe place; whatever stood there or was left half-written beside it is removed.
    pub(crate) fn begin(&self, dest: &Path) -> Result<Partial> {
        begin(self.safe_place(dest)?)
    }

    /// The place without links, if a workspace may be made there: what it replaces is deleted.
    pub(crate) fn safe_place(&self, dest: &Path) -> Result<PathBuf> {
        let refuse = |why| {
            Err(Error::UnsafePlace {
                path: dest.to_path_buf(),
                why,
            })
        };
        let Some(place) = settle(dest) else {
            return refuse("the path does not end in a name");
        };
        let in_checkout = self
            .workdir()
            .is_some_and(|workdir| place.starts_with(workdir));
        let in_git = place.starts_with(self.common_dir());
        let ours = self.common_dir().join("seawall");
        let holds = |dir: &Path| dir.starts_with(&place);
        match () {
            () if holds(self.common_dir()) || self.workdir().is_some_and(holds) => {
                refuse("it holds the repository")
            }
            () if in_git && (place == ours || !place.starts_with(&ours)) => {
                refuse("it lies in the git directory")
            }
            () if in_checkout && !in_git => refuse("it lies in the checkout"),
            () => Ok(place),
        }
    }
}

/// Begins a directory where the caller knows that it may.
pub(crate) fn begin(dest: PathBuf) -> Result<Partial> {
    let partial = partial(&dest);
    remove_workspace(&partial)?;
    remove_workspace(&dest)?;
    let above = dest.parent().unwrap_or(&dest);
    fs::create_dir_all(above).map_err(io("make the directory", above))?;
    DirBuilder::new()
        .mode(0o700)
        .create(&partial)
        .map_err(io("make the directory", &partial))?;
    Ok(Partial {
        root: Root::open(&partial)?,
        partial,
        dest,
    })
}

/// The absolute path without links, of which the last parts need not exist yet.
fn settle(dest: &Path) -> Option<PathBuf> {
    let dest = std::path::absolute(dest).ok()?;
    dest.file_name()?;
    let above = dest
        .ancestors()
        .skip(1)
        .find_map(|above| Some((above, above.canonicalize().ok()?)));
    let (above, real) = above?;
    let rest = dest.strip_prefix(above).ok()?;
    let plain = rest
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    plain.then(|| real.join(rest))
}

fn partial(dest: &Path) -> PathBuf {
    let mut name = dest.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    dest.with_file_name(name)
}
