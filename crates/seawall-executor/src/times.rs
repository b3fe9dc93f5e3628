//! When the files of layers were changed last: build tools compare that with when they built.
//!
//! A carried `target/` was built from the user's checkout. A file of the base that stands there with the same bytes gets
//! the time that it has there, so that nothing is built again. Every other file must look newer than anything that was built,
//! in each session anew, or a build of yesterday would be taken for one of the change: that would be a false verdict.
//! The price is reading every file of the base and of the checkout once a session, and only when something is carried.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, FileTimes};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::carry::Carried;
use crate::error::{ExecuteError, at};

/// Bytes that are compared at once.
const CHUNK: usize = 64 * 1024;

/// Gives what is the same in `base` and in the user's `checkout` the times of the checkout, and everything else the time now.
pub(crate) fn keep(base: &Path, checkout: &Path, carried: &[Carried]) -> Result<(), ExecuteError> {
    let mut not_compared: BTreeSet<PathBuf> =
        carried.iter().map(|c| checkout.join(&c.at)).collect();
    not_compared.insert(checkout.join(".git"));
    let now = SystemTime::now();
    each(base, &mut |path| {
        let own = path.strip_prefix(base).unwrap_or(path);
        let theirs = checkout.join(own);
        let same = if path.is_dir() {
            same_names(path, &theirs, &not_compared)
        } else {
            same_bytes(path, &theirs)
        };
        // What cannot be read, or changes just now, is not the same.
        let time = same.ok().flatten().unwrap_or(now);
        set(path, time)
    })
}

/// Makes everything in a layer look as if it had been changed just now.
pub(crate) fn renew(layer: &Path) -> Result<(), ExecuteError> {
    let now = SystemTime::now();
    each(layer, &mut |path| set(path, now))
}

/// Visits the regular files and directories below `top`, and `top` itself; a directory after what is in it.
fn each(
    top: &Path,
    visit: &mut impl FnMut(&Path) -> Result<(), ExecuteError>,
) -> Result<(), ExecuteError> {
    let mut pending = vec![(top.to_owned(), false)];
    while let Some((path, entered)) = pending.pop() {
        let kind = fs::symlink_metadata(&path).map_err(at("look at", &path))?;
        if kind.is_file() || kind.is_dir() && entered {
            visit(&path)?;
        } else if kind.is_dir() {
            pending.push((path.clone(), true));
            for entry in fs::read_dir(&path).map_err(at("read", &path))? {
                pending.push((entry.map_err(at("read", &path))?.path(), false));
            }
        }
    }
    Ok(())
}

/// When the user's file was changed last, if it is a file with the bytes of ours.
fn same_bytes(ours: &Path, theirs: &Path) -> io::Result<Option<SystemTime>> {
    let found = fs::symlink_metadata(theirs)?;
    if !found.is_file() || found.len() != fs::metadata(ours)?.len() {
        return Ok(None);
    }
    let (mut one, mut other) = (File::open(ours)?, File::open(theirs)?);
    let time = other.metadata()?.modified()?;
    let (mut a, mut b) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
    loop {
        a.clear();
        b.clear();
        (&mut one).take(CHUNK as u64).read_to_end(&mut a)?;
        (&mut other).take(CHUNK as u64).read_to_end(&mut b)?;
        if a != b {
            return Ok(None);
        }
        if a.is_empty() {
            return Ok((other.metadata()?.modified()? == time).then_some(time));
        }
    }
}

/// When the user's directory was changed last, if it has the names of ours; what is carried does not count.
fn same_names(
    ours: &Path,
    theirs: &Path,
    not_compared: &BTreeSet<PathBuf>,
) -> io::Result<Option<SystemTime>> {
    let found = fs::symlink_metadata(theirs)?;
    if !found.is_dir() {
        return Ok(None);
    }
    let names =
        |dir: &Path, without: Option<&BTreeSet<PathBuf>>| -> io::Result<BTreeSet<OsString>> {
            let mut names = BTreeSet::new();
            for entry in fs::read_dir(dir)? {
                let entry = entry?;
                if without.is_none_or(|without| !without.contains(&entry.path())) {
                    names.insert(entry.file_name());
                }
            }
            Ok(names)
        };
    let same = names(ours, None)? == names(theirs, Some(not_compared))?;
    Ok(if same { Some(found.modified()?) } else { None })
}

fn set(path: &Path, time: SystemTime) -> Result<(), ExecuteError> {
    let file = File::open(path).map_err(at("open", path))?;
    file.set_times(FileTimes::new().set_modified(time))
        .map_err(at("set the times of", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_the_same_keeps_its_time_and_all_else_is_new() {
        let place = tempfile::tempdir().unwrap();
        let (base, checkout) = (place.path().join("base"), place.path().join("checkout"));
        let old = SystemTime::now() - Duration::from_secs(1000);
        for (top, edited) in [(&base, "1"), (&checkout, "2")] {
            fs::create_dir_all(top.join("same")).unwrap();
            fs::create_dir_all(top.join("other")).unwrap();
            fs::write(top.join("same/a"), "a").unwrap();
            fs::write(top.join("edited"), edited).unwrap();
        }
        fs::create_dir_all(checkout.join("target")).unwrap();
        fs::create_dir_all(checkout.join(".git")).unwrap();
        fs::write(checkout.join("other/untracked"), "").unwrap();
        for name in ["same/a", "same", "edited", "other", ""] {
            set(&checkout.join(name), old).unwrap();
        }
        let carried = Carried {
            at: "target".into(),
            from: checkout.join("target"),
        };
        keep(&base, &checkout, &[carried]).unwrap();
        let kept = |name: &str| fs::metadata(base.join(name)).unwrap().modified().unwrap() == old;
        assert_eq!(
            ["same/a", "same", "edited", "other", ""].map(kept),
            [true, true, false, false, true]
        );
        renew(&base).unwrap();
        assert_eq!(["same/a", "same", ""].map(kept), [false; 3]);
    }
}
