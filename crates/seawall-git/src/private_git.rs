//! Builds the git directory that workers see: one commit, complete, and nothing else of the user's repository.
//!
//! It is a repository of its own: the commit (as a shallow one, so that git does not ask for its parents), its trees and
//! files in one pack, an index that already knows the files, and a few lines of configuration. There is no other branch,
//! no history, no remote, no hook, no alternate, and nothing that leads to the user's git directory; `git status`, `diff`,
//! `log` and, where the place is writable, `commit` work in it, and what they write is never read back.
//!
//! One is built for a base commit and lies under all workspaces of it, so the cost, about that of writing the files once,
//! is paid once a base. The one for the commit after it shares the packs of the first by hard links and costs what
//! changed, besides reading the trees and writing the index.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use git2::{Index, Repository};
use nix::errno::Errno;
use nix::sys::stat::FileStat;

use crate::dirfd::{Root, stat};
use crate::error::{Error, Result, git, io};
use crate::id::CommitId;
use crate::object_files::sync;
use crate::path::{as_path, name_of, parent};
use crate::remove::remove_workspace;
use crate::store::Store;
use crate::tree::{Leaf, commit_tree};

mod index;
mod inventory;
mod pack;
mod summed;

use index::Known;
use inventory::Inventory;
use pack::Objects;

/// No program, no signing, no collecting of garbage, a name for commits; and only size and time of a file say whether it
/// was changed, because an overlay or a copy keeps those and not the rest.
const CONFIG: &str = "[core]
\trepositoryformatversion = 0
\tbare = false
\tfilemode = true
\tcheckStat = minimal
\ttrustctime = false
\tfsmonitor = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[commit]
\tgpgSign = false
[user]
\tname = worker
\temail = worker@localhost.invalid
";

const HEAD: &str = "ref: refs/heads/base\n";

/// Where packs are in a git directory.
const PACKS: &str = "objects/pack";

/// The branch that `HEAD` names.
const BASE: &str = "refs/heads/base";

/// With more packs than this git becomes slow, and a new one of everything is made.
const MOST_PACKS: usize = 40;

impl Store {
    /// Makes `dest/.git`, a repository that holds the commit alone, checked out on a branch `base`. `tree` is a directory
    /// with the files of the commit: the index takes their sizes and times, and files that are not there (left out by a
    /// sparse checkout) are marked so. Whatever stood at `dest` is removed; it appears complete or not at all, and on the
    /// disk.
    ///
    /// git reads a file again to see whether it changed only if its time is in the same second as the index or later, so
    /// the files should be older.
    ///
    /// # Errors
    /// [`Error::UnsafePlace`] as for a workspace; [`Error::UnsafeEntry`] for a hostile tree; [`Error::Git`] when an object is
    /// missing, as in a partial clone.
    pub fn private_git(&self, commit: &CommitId, tree: &Path, dest: &Path) -> Result<()> {
        let dest = self.safe_place(dest)?;
        let repo = self.open()?;
        let inventory = Inventory::of(&repo, commit_tree(&repo, commit)?.id())?;
        let known = known(&Root::open(tree)?, &inventory, |_, _| None)?;
        let new = New::begin(dest)?;
        pack::write(&repo, &difference(commit, None, &inventory), &new.packs())?;
        new.finish(&repo, commit, &inventory, &known)
    }

    /// As [`Store::private_git`] for `to`, from the directory `previous` that was made for `from` and is kept. `tree` need
    /// only hold the files that differ between the two, as a layer with the change does: of the others `previous` knows. Packs are shared by hard links
    /// where the file system can, else copied.
    ///
    /// # Errors
    /// As [`Store::private_git`]; [`Error::RefMoved`] when `previous` is not at `from`.
    pub fn private_git_onto(
        &self,
        previous: &Path,
        from: &CommitId,
        to: &CommitId,
        tree: &Path,
        dest: &Path,
    ) -> Result<()> {
        let dest = self.safe_place(dest)?;
        let previous = previous.join(".git");
        at(&previous, from)?;
        let repo = self.open()?;
        let before = Inventory::of(&repo, commit_tree(&repo, from)?.id())?;
        let after = Inventory::of(&repo, commit_tree(&repo, to)?.id())?;
        let earlier = Index::open(&previous.join("index")).map_err(git("read an index"))?;
        let known = known(&Root::open(tree)?, &after, |path, leaf| {
            Known::earlier(&earlier.get_path(as_path(path), 0)?, leaf)
        })?;
        let new = New::begin(dest)?;
        let objects = match share(&previous.join(PACKS), &new.packs())? {
            true => difference(to, Some(&before), &after),
            false => difference(to, None, &after),
        };
        pack::write(&repo, &objects, &new.packs())?;
        new.finish(&repo, to, &after, &known)
    }
}

/// A git directory in the making, beside its place.
struct New {
    dest: PathBuf,
    partial: PathBuf,
}

impl New {
    fn begin(dest: PathBuf) -> Result<Self> {
        let mut name = dest.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = dest.with_file_name(name);
        remove_workspace(&partial)?;
        remove_workspace(&dest)?;
        let new = Self { dest, partial };
        for dir in [PACKS, "refs/heads", "refs/tags"] {
            let dir = new.git().join(dir);
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(0o755).create(&dir);
            made.map_err(io("make the directory", &dir))?;
        }
        Ok(new)
    }

    fn git(&self) -> PathBuf {
        self.partial.join(".git")
    }

    fn packs(&self) -> PathBuf {
        self.git().join(PACKS)
    }

    /// Adds all that is small, and puts the directory under its name.
    fn finish(
        self,
        repo: &Repository,
        commit: &CommitId,
        inventory: &Inventory,
        known: &[Known],
    ) -> Result<()> {
        let git_dir = self.git();
        index::write(inventory, known, &git_dir.join("index"))?;
        let line = format!("{commit}\n");
        small(&git_dir.join("config"), CONFIG.as_bytes())?;
        small(&git_dir.join("HEAD"), HEAD.as_bytes())?;
        small(&git_dir.join(BASE), line.as_bytes())?;
        let found = repo
            .find_commit(commit.oid())
            .map_err(git("read a commit"))?;
        if found.parent_count() > 0 {
            small(&git_dir.join("shallow"), line.as_bytes())?;
        }
        for dir in [self.packs(), git_dir.join("refs/heads"), git_dir] {
            sync(&dir)?;
        }
        sync(&self.partial)?;
        fs::rename(&self.partial, &self.dest).map_err(io("finish the directory", &self.dest))?;
        sync(self.dest.parent().unwrap_or(&self.dest))
    }
}

/// Refuses a directory that was made for another commit.
fn at(git_dir: &Path, commit: &CommitId) -> Result<()> {
    let path = git_dir.join(BASE);
    let found = fs::read_to_string(&path).map_err(io("read", &path))?;
    match found.trim_end() == commit.as_str() {
        true => Ok(()),
        false => Err(Error::RefMoved {
            name: path.display().to_string(),
            expected: commit.to_string(),
            found: found.trim_end().to_owned(),
        }),
    }
}

/// The commit, and what its tree has and `before` has not.
fn difference(commit: &CommitId, before: Option<&Inventory>, after: &Inventory) -> Objects {
    let there: HashSet<_> = before.into_iter().flat_map(Inventory::objects).collect();
    let mut objects = Objects::default();
    objects.add(commit.oid());
    for id in after.objects().filter(|id| !there.contains(id)) {
        objects.add(id);
    }
    objects
}

/// Puts the packs of one directory into another; not if they are too many.
fn share(from: &Path, to: &Path) -> Result<bool> {
    let list = fs::read_dir(from).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let list = list.map_err(io("read the directory", from))?;
    // A pack is three files.
    if list.len() >= 3 * MOST_PACKS {
        return Ok(false);
    }
    for entry in list {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).map_err(io("copy", &from))?;
            sync(&to)?;
        }
    }
    Ok(true)
}

/// What is known of each leaf: what `root` has there; else what `earlier` says; else that it is not there.
fn known(
    root: &Root,
    inventory: &Inventory,
    earlier: impl Fn(&[u8], Leaf) -> Option<Known>,
) -> Result<Vec<Known>> {
    let mut dirs = Dirs { root, last: None };
    let each = |(path, leaf): &(Vec<u8>, Leaf)| {
        let stat = dirs.stat(path)?;
        Ok(match stat {
            Some(stat) => Known::of(*leaf, &stat),
            None => earlier(path, *leaf).unwrap_or_else(Known::absent),
        })
    };
    inventory.leaves.iter().map(each).collect()
}

/// Looks at paths that come sorted, opening each directory once or little more.
struct Dirs<'r> {
    root: &'r Root,
    /// the directory that was opened last, if it is there
    last: Option<(Vec<u8>, Option<OwnedFd>)>,
}

impl Dirs<'_> {
    fn stat(&mut self, path: &[u8]) -> Result<Option<FileStat>> {
        let dir = parent(path).unwrap_or_default();
        if self.last.as_ref().is_none_or(|(last, _)| last != dir) {
            self.last = Some((dir.to_vec(), self.open(dir)?));
        }
        let Some((_, Some(fd))) = &self.last else {
            return Ok(None);
        };
        match stat(fd, name_of(path)) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(self.root.fail("look at", path)(errno)),
        }
    }

    fn open(&self, dir: &[u8]) -> Result<Option<OwnedFd>> {
        match self.root.dir(dir) {
            Ok(fd) => Ok(Some(fd)),
            // Something else stands there, or a link: the files of the commit do not.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => Ok(None),
            Err(errno) => Err(self.root.fail("open", dir)(errno)),
        }
    }
}

/// Makes a small file, on the disk.
fn small(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o644).open(path);
    let mut file = made.map_err(io("make the file", path))?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.map_err(io("write", path))
}
