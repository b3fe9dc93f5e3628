//! The report file that a check writes: taken from its workspace when it has ended.
//!
//! A report that stood in the tree is taken away before the check begins, so whatever is there afterwards was made by this
//! run. It is read as what a worker's code wrote: no link is followed, nothing but a regular file is opened, and it is bounded.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;
use seawall_core::ids::Commit;
use seawall_core::path::RepoPath;
use seawall_verify::{Report, junit};

use crate::crew::{Crew, id};
use crate::error::ExecuteError;
use crate::place::Room;
use crate::workspace;

/// The most bytes of a report that are read.
const LARGEST: u64 = 32 << 20;

/// Takes the report of the tree away from a fresh workspace of `commit`.
pub(crate) fn clear(
    crew: &Crew,
    room: &Room,
    commit: &Commit,
    path: &RepoPath,
) -> Result<(), ExecuteError> {
    let stood = crew.setup.store.entry(&id(commit)?, path.as_bytes())?;
    match stood {
        Some(_) => workspace::delete(room, path),
        None => Ok(()),
    }
}

/// What the report at `path` below `dir` says.
pub(crate) fn read(dir: &Path, path: Option<&RepoPath>) -> Report {
    let Some(path) = path else {
        return Report::NotAsked;
    };
    let file = match beneath(dir, path) {
        Ok(file) => File::from(file),
        Err(why) => {
            return Report::Missing(format!("it wrote no report `{path}` ({})", why.desc()));
        }
    };
    match content(file) {
        Some(bytes) => match junit(&bytes) {
            Some(counted) => Report::Counted(counted),
            None => Report::Missing(format!("its report `{path}` is no whole JUnit XML")),
        },
        None => Report::Missing(format!("its report `{path}` cannot be read as a file")),
    }
}

fn beneath(dir: &Path, path: &RepoPath) -> nix::Result<OwnedFd> {
    let top = open(
        dir,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    let how = OpenHow::new()
        // A pipe that nobody writes must not be waited for.
        .flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
    openat2(&top, path.as_bytes(), how)
}

fn content(file: File) -> Option<Vec<u8>> {
    let found = file.metadata().ok()?;
    if !found.is_file() || found.len() > LARGEST {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const REPORT: &str = "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>";

    #[test]
    fn only_a_file_that_was_written_here_is_a_report() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path();
        fs::create_dir(dir.join("out")).unwrap();
        fs::write(dir.join("out/good.xml"), REPORT).unwrap();
        fs::write(dir.join("out/cut.xml"), &REPORT[..30]).unwrap();
        std::os::unix::fs::symlink("good.xml", dir.join("out/link.xml")).unwrap();
        std::os::unix::fs::symlink("out", dir.join("way")).unwrap();
        let mode = nix::sys::stat::Mode::S_IRWXU;
        nix::unistd::mkfifo(&dir.join("out/pipe.xml"), mode).unwrap();
        for (path, tests) in [
            ("out/good.xml", Some(2)),
            ("out/cut.xml", None),
            ("out/link.xml", None),
            ("way/good.xml", None),
            ("out/pipe.xml", None),
            ("out/none.xml", None),
            ("out", None),
        ] {
            let path = RepoPath::new(path.as_bytes()).unwrap();
            let passed = match read(dir, Some(&path)) {
                Report::Counted(counted) => Some(counted.passed),
                _ => None,
            };
            assert_eq!(passed, tests, "{path}");
        }
        assert_eq!(read(dir, None), Report::NotAsked);
    }
}
