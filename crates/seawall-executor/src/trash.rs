//! Directories that are done with, removed off the critical path.
//!
//! A directory is renamed away, which costs nothing however much is in it, and removed by one thread that nobody waits
//! for: what is large at once, what is small when the session ends. What that thread does not get done, or cannot do,
//! stays below `trash/`: the next session of the run sweeps it and fails if it cannot be removed, and so does `gc`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{ExecuteError, at};

/// How long the end of a session waits for removals; the rest is for the next one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Names in a directory that may wait for the end of the session, and bytes.
const SMALL_ENTRIES: usize = 32;
const SMALL_BYTES: u64 = 256 << 10;

/// How many may wait: some hundred megabytes at most.
const MOST_LATER: usize = 4096;

/// Takes directories and removes them later.
#[derive(Debug)]
pub(crate) struct Trash {
    dir: PathBuf,
    next: AtomicU64,
    queue: Option<Sender<PathBuf>>,
    thread: Option<JoinHandle<()>>,
    /// When the thread is to give up; set when the session ends.
    deadline: Arc<OnceLock<Instant>>,
}

impl Trash {
    /// Trash below `dir`, which exists and is empty.
    pub(crate) fn new(dir: PathBuf) -> Result<Self, ExecuteError> {
        let (queue, thrown) = channel();
        let deadline = Arc::new(OnceLock::new());
        let until = Arc::clone(&deadline);
        let thread = std::thread::Builder::new().name("seawall-trash".to_owned());
        let thread = thread
            .spawn(move || empty(&thrown, &until))
            .map_err(at("start the thread that empties", &dir))?;
        Ok(Self {
            dir,
            next: AtomicU64::new(0),
            queue: Some(queue),
            thread: Some(thread),
            deadline,
        })
    }

    /// Takes a directory away; there is nothing at `path` afterwards. One that is not there is no error.
    pub(crate) fn throw(&self, path: &Path) -> Result<(), ExecuteError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let away = self.dir.join(number.to_string());
        match fs::rename(path, &away) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            // It lies on another file system.
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                return Ok(seawall_git::remove_workspace(path)?);
            }
            Err(error) => return Err(at("take away", path)(error)),
        }
        self.sweep(away);
        Ok(())
    }

    /// Removes what is at `path` later, without taking it away first.
    pub(crate) fn sweep(&self, path: PathBuf) {
        if let Some(queue) = &self.queue {
            // Without the thread it lies there until the next session sweeps.
            drop(queue.send(path));
        }
    }
}

fn empty(thrown: &Receiver<PathBuf>, until: &OnceLock<Instant>) {
    let mut later = Vec::new();
    while let Ok(path) = thrown.recv() {
        match later.len() < MOST_LATER && is_small(&path) {
            true => later.push(path),
            false => remove(&path, until),
        }
    }
    later.iter().for_each(|path| remove(path, until));
}

fn remove(path: &Path, until: &OnceLock<Instant>) {
    let late = |deadline: &Instant| Instant::now() > *deadline;
    if !until.get().is_some_and(late) {
        // Whoever sweeps next meets the same error and says it.
        drop(seawall_git::remove_workspace(path));
    }
}

/// Whether a directory has so little in it that it may wait for the end of the session. Some file systems (ext4 without a
/// journal) look long for a free inode as long as others were freed a moment ago, so every new file would pay for it.
fn is_small(path: &Path) -> bool {
    let (mut entries, mut bytes) = (0, 0);
    let mut dirs = vec![path.to_owned()];
    while let Some(dir) = dirs.pop() {
        // What cannot be read is left to who removes it.
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else {
                return false;
            };
            entries += 1;
            bytes += found.len();
            if entries > SMALL_ENTRIES || bytes > SMALL_BYTES {
                return false;
            }
            if found.is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    true
}

impl Drop for Trash {
    fn drop(&mut self) {
        drop(self.queue.take());
        let deadline = *self.deadline.get_or_init(|| Instant::now() + PATIENCE);
        // A thread that is still at work ends with the program, in the middle of it.
        let working = || {
            self.thread
                .as_ref()
                .is_some_and(|thread| !thread.is_finished())
        };
        while working() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thrown_is_gone_at_once_and_removed_soon() {
        let place = tempfile::tempdir().unwrap();
        let (trash, full) = (place.path().join("trash"), place.path().join("full"));
        fs::create_dir(&trash).unwrap();
        fs::create_dir_all(full.join("a/b")).unwrap();
        fs::write(full.join("a/b/c"), "x").unwrap();
        let bin = Trash::new(trash.clone()).unwrap();
        bin.throw(&full).unwrap();
        bin.throw(&full).unwrap();
        assert!(!full.exists());
        drop(bin);
        assert_eq!(fs::read_dir(&trash).unwrap().count(), 0);
    }
}
