//! What workspaces have of the user's checkout besides the commit: ignored directories and files that the plan names.
//!
//! A directory is only ever the source of a mount or a copy. Files are copied once, when a session begins, into a layer below
//! all others, together with the empty directories that the others are mounted on.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use seawall_core::path::RepoPath;

use crate::crew::Setup;
use crate::error::{ExecuteError, at};

/// One directory that is carried along.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    /// Where it appears, from the top of the workspace.
    pub(crate) at: PathBuf,
    /// Where it is.
    pub(crate) from: PathBuf,
}

/// The directories to carry that exist; that one does not was said when the plan was read.
pub(crate) fn directories(setup: &Setup) -> Vec<Carried> {
    present(setup, &setup.plan.workspace.carry, fs::Metadata::is_dir)
}

/// The files to carry that exist.
pub(crate) fn files(setup: &Setup) -> Vec<Carried> {
    present(
        setup,
        &setup.plan.workspace.carry_files,
        fs::Metadata::is_file,
    )
}

fn present(setup: &Setup, paths: &[RepoPath], right: fn(&fs::Metadata) -> bool) -> Vec<Carried> {
    let Some(checkout) = setup.store.workdir() else {
        return Vec::new();
    };
    let all = paths.iter().map(|path| {
        let at = PathBuf::from(OsStr::from_bytes(path.as_bytes()));
        Carried {
            from: checkout.join(&at),
            at,
        }
    });
    all.filter(|carried| {
        carried
            .from
            .symlink_metadata()
            .is_ok_and(|found| right(&found))
    })
    .collect()
}

/// Makes the layer with the copies of files and the places of directories; none when nothing is carried.
pub(crate) fn lay(setup: &Setup, dirs: &[Carried]) -> Result<Option<PathBuf>, ExecuteError> {
    let files = files(setup);
    if dirs.is_empty() && files.is_empty() {
        return Ok(None);
    }
    let layer = setup.place.layers().join("carried");
    // A session before this one may have been cut off in the middle of it.
    seawall_git::remove_workspace(&layer)?;
    for carried in dirs {
        make(&layer.join(&carried.at))?;
    }
    for carried in &files {
        let to = layer.join(&carried.at);
        make(to.parent().unwrap_or(&layer))?;
        fs::copy(&carried.from, &to).map_err(at("copy", &carried.from))?;
    }
    Ok(Some(layer))
}

fn make(dir: &Path) -> Result<(), ExecuteError> {
    fs::create_dir_all(dir).map_err(at("make", dir))
}
