//! Opens workspaces: the raw files of a commit in a private directory, and nothing else.
//!
//! No index, filter or attribute takes part, so what a worker reads is what the commit holds, byte by byte. A tree that
//! was made to harm (a name such as `..` or `.GIT`, an entry below a link) is refused. The directory appears under its
//! name only when it is complete. Costs a file creation per file of the commit.

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use git2::{Oid, Repository};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::symlinkat;

use crate::dirfd::Root;
use crate::error::{Error, Result, git, io};
use crate::id::CommitId;
use crate::path::{self, join, parent, why_bad_name};
use crate::remove::remove_workspace;
use crate::store::Store;
use crate::tree::{EntryKind, Leaf, Node, commit_tree, find_tree, nodes};

impl Store {
    /// Writes the files of a commit below `dest`, which must be on one file system with its parent, and the files to
    /// create as empty ones. Whatever stood at `dest` or was left half-written beside it is removed first, so the result
    /// is always fresh. Files get the mode 0644 or 0755, symlinks are made and never followed, submodules are empty
    /// directories.
    ///
    /// # Errors
    /// [`Error::UnsafePlace`] when `dest` holds the repository, lies in the checkout, or in the git directory elsewhere than
    /// below `seawall`; [`Error::UnsafeEntry`] for a hostile tree; [`Error::AlreadyInBase`] for a file to create that exists.
    pub fn open_workspace(
        &self,
        commit: &CommitId,
        dest: &Path,
        creates: &[Vec<u8>],
    ) -> Result<()> {
        let dest = self.safe_place(dest)?;
        let partial = partial(&dest);
        remove_workspace(&partial)?;
        remove_workspace(&dest)?;
        let above = dest.parent().unwrap_or(&dest);
        fs::create_dir_all(above).map_err(io("make the directory", above))?;
        DirBuilder::new()
            .mode(0o700)
            .create(&partial)
            .map_err(io("make the directory", &partial))?;
        let repo = self.open()?;
        let writer = Writer {
            repo: &repo,
            root: Root::open(&partial)?,
        };
        writer.tree(commit_tree(&repo, commit)?.id())?;
        for path in creates {
            writer.create(path)?;
        }
        fs::rename(&partial, &dest).map_err(io("finish the workspace", &dest))
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

struct Writer<'r> {
    repo: &'r Repository,
    root: Root,
}

impl Writer<'_> {
    fn tree(&self, id: Oid) -> Result<()> {
        let mut pending = vec![(Vec::new(), id)];
        while let Some((path, id)) = pending.pop() {
            let dir = self
                .root
                .dir(&path)
                .map_err(self.root.fail("open", &path))?;
            for (name, node) in nodes(&find_tree(self.repo, id)?, &path)? {
                let below = join(&path, &name);
                refuse_unsafe(&name, &below)?;
                match node {
                    Node::Leaf(leaf) => self.leaf(&dir, &name, &below, leaf)?,
                    Node::Tree(id) => {
                        self.directory(&dir, &name, &below)?;
                        pending.push((below, id));
                    }
                }
            }
        }
        Ok(())
    }

    fn leaf(&self, dir: &OwnedFd, name: &[u8], path: &[u8], leaf: Leaf) -> Result<()> {
        let content = || {
            self.repo
                .find_blob(leaf.id)
                .map_err(git("read a file of the commit"))
        };
        match leaf.kind {
            EntryKind::Submodule => self.directory(dir, name, path),
            EntryKind::Symlink => {
                let target = content()?;
                let made = symlinkat(target.content(), dir, name);
                made.map_err(self.root.fail("make the link", path))
            }
            EntryKind::File { executable } => {
                let mode = if executable { 0o755 } else { 0o644 };
                self.file(dir, name, path, mode, content()?.content())
            }
        }
    }

    fn directory(&self, dir: &OwnedFd, name: &[u8], path: &[u8]) -> Result<()> {
        mkdirat(dir, name, Mode::from_bits_truncate(0o755))
            .map_err(self.root.fail("make the directory", path))
    }

    fn file(
        &self,
        dir: &OwnedFd,
        name: &[u8],
        path: &[u8],
        mode: u32,
        content: &[u8],
    ) -> Result<()> {
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(mode);
        let fd = openat(dir, name, flags, mode).map_err(|errno| match errno {
            Errno::EEXIST => Error::AlreadyInBase(path.to_vec()),
            errno => self.root.fail("make the file", path)(errno),
        })?;
        // The umask may have taken bits away.
        fchmod(&fd, mode).map_err(self.root.fail("set the mode of", path))?;
        File::from(fd)
            .write_all(content)
            .map_err(io("write", &self.root.path(path)))
    }

    /// Makes an empty file and the directories above it.
    fn create(&self, path: &[u8]) -> Result<()> {
        path::check(path)?;
        let mut above: Vec<_> = path::ancestors(path).collect();
        above.reverse();
        for dir in above {
            let name = &dir[parent(dir).map_or(0, |above| above.len() + 1)..];
            match mkdirat(
                &self.open_above(dir)?,
                name,
                Mode::from_bits_truncate(0o755),
            ) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(errno) => return Err(self.root.fail("make the directory", dir)(errno)),
            }
        }
        let name = &path[parent(path).map_or(0, |above| above.len() + 1)..];
        self.file(&self.open_above(path)?, name, path, 0o644, b"")
    }

    fn open_above(&self, path: &[u8]) -> Result<OwnedFd> {
        let dir = parent(path).unwrap_or_default();
        self.root.dir(dir).map_err(|errno| match errno {
            Errno::ELOOP | Errno::ENOTDIR => Error::InvalidPath {
                path: path.to_vec(),
                why: "it leads through something that is not a directory",
            },
            errno => self.root.fail("open", dir)(errno),
        })
    }
}

fn refuse_unsafe(name: &[u8], path: &[u8]) -> Result<()> {
    let why = match path.len() > path::LONGEST {
        true => Some("its path is longer than 4000 bytes"),
        false => why_bad_name(name),
    };
    match why {
        Some(why) => Err(Error::UnsafeEntry {
            path: path.to_vec(),
            why,
        }),
        None => Ok(()),
    }
}
