//! Judges one path that a worker left: is it as the base has it, may it be taken, is it drift.
//!
//! A file is opened once and checked on the open descriptor. What is not a regular file is never opened.

use std::fs::File;
use std::io::{self, Seek};

use nix::errno::Errno;
use nix::sys::stat::FileStat;

use crate::compare::{LARGEST, content, id_of, same_content, store};
use crate::dirfd::{FileKind, link_target};
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::harvest::{DriftKind, MissingKind};
use crate::marks::marks;
use crate::owned::Role;
use crate::scan::{Extent, Place, Scan};
use crate::tree::{EntryKind, Leaf, Node};

impl Scan<'_> {
    /// A path that the base has.
    pub(crate) fn tracked(
        &mut self,
        place: &Place<'_>,
        name: &[u8],
        path: Vec<u8>,
        node: Node,
        stat: &FileStat,
    ) -> Result<()> {
        let kind = FileKind::of(stat);
        let leaf = match (node, kind) {
            (Node::Tree(id), FileKind::Directory) => {
                self.later(place, path, Some(id), None);
                return Ok(());
            }
            (Node::Tree(id), _) => {
                self.drift(path.clone(), DriftKind::Replaced(kind));
                return self.gone_below(path, id);
            }
            (Node::Leaf(leaf), _) => leaf,
        };
        match (leaf.kind, kind) {
            (EntryKind::File { executable }, FileKind::File) => {
                self.file(path, leaf, executable, stat)
            }
            (EntryKind::Symlink, FileKind::Symlink) => self.link(place, name, path, leaf),
            // A submodule is an empty directory in a workspace: whatever is in it now is a stranger.
            (EntryKind::Submodule, FileKind::Directory) => {
                self.later(place, path, None, Some(false));
                Ok(())
            }
            _ => {
                self.met.insert(path.clone());
                self.drift(path, DriftKind::Replaced(kind));
                Ok(())
            }
        }
    }

    /// A path that the base does not have.
    pub(crate) fn stranger(
        &mut self,
        place: &Place<'_>,
        path: Vec<u8>,
        stat: &FileStat,
    ) -> Result<()> {
        let kind = FileKind::of(stat);
        let is_dir = kind == FileKind::Directory;
        if self.with.roles.of(&path) == Some(Role::Create) {
            self.met.insert(path.clone());
            return self.created(path, kind, stat);
        }
        let ignored = self.is_ignored(place, &path, is_dir)?;
        match (is_dir, ignored) {
            (true, ignored) if !ignored || self.with.roles.below(&path) => {
                self.later(place, path, None, Some(ignored))
            }
            (_, true) => self.found.ignored += 1,
            (_, false) => self.drift(path, DriftKind::Added(kind)),
        }
        Ok(())
    }

    fn link(&mut self, place: &Place<'_>, name: &[u8], path: Vec<u8>, leaf: Leaf) -> Result<()> {
        let target =
            link_target(place.fd, name).map_err(self.with.root.fail("read the link", &path))?;
        if id_of(&target)? != leaf.id {
            self.drift(path, DriftKind::Modified);
        }
        Ok(())
    }

    /// A regular file that was one in the base.
    fn file(&mut self, path: Vec<u8>, leaf: Leaf, executable: bool, stat: &FileStat) -> Result<()> {
        let role = self.with.roles.of(&path);
        if role == Some(Role::Delete) {
            self.met.insert(path.clone());
            self.missing(path, MissingKind::StillThere);
            return Ok(());
        }
        let now = is_executable(stat);
        if now != executable {
            self.drift(path.clone(), DriftKind::ModeChanged { executable: now });
        }
        let Some((file, stat)) = self.open(&path)? else {
            return Ok(());
        };
        let size = size(&stat);
        let written = self.with.given.written(&path, leaf.id);
        match same_content(self.with.repo, &file, size, leaf.id, written)? {
            Ok(true) => Ok(()),
            Ok(false) if role.is_none() => {
                self.drift(path, DriftKind::Modified);
                Ok(())
            }
            Ok(false) => self.take(path, Some(leaf), leaf.mode, (file, stat)),
            Err(error) => self.unread(path, error),
        }
    }

    /// Something at the path of a file to create.
    fn created(&mut self, path: Vec<u8>, kind: FileKind, stat: &FileStat) -> Result<()> {
        match kind {
            FileKind::File if stat.st_size == 0 => {
                self.missing(path, MissingKind::StillEmpty);
                Ok(())
            }
            FileKind::File => {
                let mode = if is_executable(stat) {
                    0o100755
                } else {
                    0o100644
                };
                match self.open(&path)? {
                    Some(opened) => self.take(path, None, mode, opened),
                    None => Ok(()),
                }
            }
            _ => {
                self.drift(path, DriftKind::Replaced(kind));
                Ok(())
            }
        }
    }

    /// Takes an open owned file into the repository.
    fn take(
        &mut self,
        path: Vec<u8>,
        from: Option<Leaf>,
        mode: i32,
        (mut file, stat): (File, FileStat),
    ) -> Result<()> {
        if let Some(refused) = refused(&stat) {
            self.drift(path, refused);
            return Ok(());
        }
        let content = match file.rewind().and_then(|()| content(&file)) {
            Ok(content) => content,
            Err(error) => return self.unread(path, error),
        };
        let id = match self.with.given.git() {
            Some((git, base)) => git.store(&path, &content, base)?,
            None => store(self.with.repo, &content)?,
        };
        if from.is_some_and(|from| from.id == id) {
            return Ok(());
        }
        let executable = mode & 0o100 != 0;
        let kind = EntryKind::File { executable };
        let to = Some(Leaf { kind, id, mode });
        self.found.edits.push(Edit { path, from, to });
        Ok(())
    }

    /// Opens a regular file; one that may not be read is drift.
    fn open(&mut self, path: &[u8]) -> Result<Option<(std::fs::File, FileStat)>> {
        match self.with.root.file(path) {
            Ok(opened) => {
                self.refuse_forged(&opened.0, path)?;
                Ok(Some(opened))
            }
            Err(Errno::EACCES | Errno::EPERM) => {
                self.drift(path.to_vec(), DriftKind::Unreadable);
                Ok(None)
            }
            Err(errno) => Err(self.with.root.fail("open", path)(errno)),
        }
    }

    fn unread(&self, path: Vec<u8>, source: io::Error) -> Result<()> {
        Err(Error::Io {
            doing: "read",
            path: self.with.root.path(&path),
            source,
        })
    }

    /// A file with marks that the mount does not write would not be what the worker saw.
    fn refuse_forged(&mut self, file: &File, path: &[u8]) -> Result<()> {
        if self.with.extent == Extent::Upper {
            let marks = marks(file).map_err(self.with.root.fail("read the attributes of", path))?;
            if marks.forged {
                self.drift(path.to_vec(), DriftKind::ForgedMark);
            }
        }
        Ok(())
    }
}

/// Why an owned file is not taken, if it is not.
fn refused(stat: &FileStat) -> Option<DriftKind> {
    let bytes = size(stat);
    match () {
        () if stat.st_nlink > 1 => Some(DriftKind::HardLinked),
        () if bytes > LARGEST => Some(DriftKind::TooLarge { bytes }),
        () => None,
    }
}

fn is_executable(stat: &FileStat) -> bool {
    stat.st_mode & 0o100 != 0
}

fn size(stat: &FileStat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}
