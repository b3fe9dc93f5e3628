//! Files that the plan puts into the workspace of one check: they stand in no tree, and no worker ever sees them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use seawall_core::path::RepoPath;

use crate::error::{ExecuteError, at};
use crate::place::Room;

/// The directory in which a check's own files are, below the names that they have in its workspace.
pub(crate) fn files(room: &Room) -> PathBuf {
    let written = room.written();
    match written.exists() {
        true => written,
        false => room.tree.clone(),
    }
}

/// Writes the files below `dir`, in which nothing runs yet. What a worker left at their places is taken away: a link there
/// must not lead anywhere, and a file must not stand in for a directory.
pub(crate) fn put(dir: &Path, put: &BTreeMap<RepoPath, Arc<[u8]>>) -> Result<(), ExecuteError> {
    put.iter()
        .try_for_each(|(path, bytes)| one(dir, path, bytes))
}

fn one(dir: &Path, path: &RepoPath, bytes: &[u8]) -> Result<(), ExecuteError> {
    let mut place = dir.to_owned();
    let mut parts = path.as_bytes().split(|b| *b == b'/').peekable();
    while let Some(part) = parts.next() {
        place.push(OsStr::from_bytes(part));
        let found = match place.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            found => Some(found.map_err(at("look at", &place))?),
        };
        let above = parts.peek().is_some();
        match found {
            Some(found) if above && found.is_dir() => continue,
            Some(_) => seawall_git::remove_workspace(&place)?,
            None => {}
        }
        if above {
            fs::create_dir(&place).map_err(at("make", &place))?;
        }
    }
    // A script is to be run.
    let mode = if bytes.starts_with(b"#!") {
        0o755
    } else {
        0o644
    };
    let mut file = OpenOptions::new();
    let file = file.write(true).create_new(true).mode(mode).open(&place);
    let mut file = file.map_err(at("make", &place))?;
    file.write_all(bytes).map_err(at("write", &place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_stands_in_the_way_leads_elsewhere() {
        let place = tempfile::tempdir().unwrap();
        let (tree, outside) = (place.path().join("tree"), place.path().join("outside"));
        fs::create_dir_all(tree.join("a")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(tree.join("a/kept"), "").unwrap();
        fs::write(tree.join("file"), "").unwrap();
        std::os::unix::fs::symlink(&outside, tree.join("link")).unwrap();
        std::os::unix::fs::symlink(outside.join("x"), tree.join("a/x")).unwrap();
        let all = ["a/x", "link/x", "file/x", "new/deep/x"].map(|path| {
            let bytes: Arc<[u8]> = b"#!/bin/sh\n".as_slice().into();
            (RepoPath::new(path.as_bytes()).unwrap(), bytes)
        });
        put(&tree, &all.into_iter().collect()).unwrap();
        for path in ["a/kept", "a/x", "link/x", "file/x", "new/deep/x"] {
            assert!(
                tree.join(path).symlink_metadata().unwrap().is_file(),
                "{path}"
            );
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }
}
