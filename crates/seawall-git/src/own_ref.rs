//! Points a ref that Seawall alone writes at a commit, with no synchronisation more than the commit needs anyway.
//!
//! The new value is written into git's lock file and reaches the disk together with the objects; when those have their
//! names there, the lock becomes the ref. So after a power cut the ref has its old value or the new one, whole, and never
//! points at what is not there. Whether the name is waited for too is up to the caller, whose journal may know the value
//! anyway. libgit2 would synchronise twice more, and look at three times as many files.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use git2::{ErrorClass, ErrorCode, Repository};

use crate::checkpoint::moved;
use crate::error::{Error, Result, io};
use crate::id::CommitId;
use crate::object_files::sync;
use crate::refs::{check_own, patiently, value};
use crate::store::Store;

/// The new value of a ref, locked until it is in force or given up.
pub(crate) struct NewValue {
    file: File,
    lock: PathBuf,
    path: PathBuf,
    /// once it is in force, a lock of this name is someone else's
    done: bool,
}

impl Drop for NewValue {
    fn drop(&mut self) {
        if !self.done {
            // One that stays is removed as a leftover by the next update.
            let _gone = fs::remove_file(&self.lock).is_err();
        }
    }
}

impl NewValue {
    fn write(&self, target: &CommitId) -> Result<()> {
        let written = (&self.file).write_all(format!("{target}\n").as_bytes());
        written.map_err(io("write", &self.lock))
    }

    /// What is to be synchronised before [`NewValue::set`].
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Puts it in force, and waits until that is on the disk.
    pub(crate) fn set_for_good(self) -> Result<()> {
        let dir = self.path.parent().unwrap_or(&self.path).to_path_buf();
        self.set()?;
        sync(&dir)
    }

    /// Puts it in force.
    pub(crate) fn set(mut self) -> Result<()> {
        let renamed = match fs::rename(&self.lock, &self.path) {
            // A ref below this name was deleted, and left its directory.
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                fs::remove_dir(&self.path).and_then(|()| fs::rename(&self.lock, &self.path))
            }
            renamed => renamed,
        };
        self.done = renamed.is_ok();
        renamed.map_err(io("write the ref", &self.path))
    }
}

impl Store {
    /// Prepares to point a ref below `refs/seawall/` at a commit, wherever it was; nothing when it is there.
    pub(crate) fn prepare_ref(
        &self,
        repo: &Repository,
        name: &str,
        target: &CommitId,
    ) -> Result<Option<NewValue>> {
        check_own(name)?;
        if value(repo, name)? == Some(target.oid()) {
            return Ok(None);
        }
        let locked = self.locked(name)?;
        locked.write(target)?;
        Ok(Some(locked))
    }

    /// Prepares to move a branch that there is from one commit to another.
    ///
    /// # Errors
    /// [`Error::RefMoved`] when it is elsewhere.
    pub(crate) fn prepare_move(
        &self,
        repo: &Repository,
        branch: &str,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<NewValue> {
        let locked = self.locked(branch)?;
        match value(repo, branch)? {
            Some(at) if at == from.oid() => locked.write(to)?,
            at => return Err(moved(branch, Some(from.oid()), at)),
        }
        Ok(locked)
    }

    /// The lock of a ref.
    fn locked(&self, name: &str) -> Result<NewValue> {
        let path = self.common_dir().join(name);
        let lock = self.common_dir().join(format!("{name}.lock"));
        let dir = path.parent().unwrap_or(&path);
        fs::create_dir_all(dir).map_err(io("make the directory", dir))?;
        Ok(NewValue {
            file: self.lock_file(name, &lock)?,
            lock,
            path,
            done: false,
        })
    }

    fn lock_file(&self, name: &str, lock: &Path) -> Result<File> {
        let mut opened = None;
        patiently(self, name, || {
            let found = File::options().write(true).create_new(true).open(lock);
            let locked = found.as_ref().err().map(std::io::Error::kind);
            opened = Some(found);
            match locked {
                Some(ErrorKind::AlreadyExists) => {
                    let text = "the ref is locked";
                    Err(git2::Error::new(
                        ErrorCode::Locked,
                        ErrorClass::Reference,
                        text,
                    ))
                }
                _ => Ok(()),
            }
        })?;
        match opened {
            Some(file) => file.map_err(io("lock", lock)),
            None => Err(Error::Locked(lock.to_path_buf())),
        }
    }
}
