//! Writes the raw files of a commit into a directory, with several threads.
//!
//! No index, filter or attribute takes part, so what is written is what the commit holds, byte by byte. A tree that was
//! made to harm (a name such as `..` or `.GIT`, an entry below a link) is refused. One thread reads trees and makes
//! directories, the others read blobs and make files; at most a few hundred directories wait between them.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use git2::{Odb, Oid, Repository};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::symlinkat;

use crate::dirfd::Root;
use crate::error::{Error, Result, git, io};
use crate::path::{self, join, why_bad_name};
use crate::store::Store;
use crate::tree::{EntryKind, Leaf, Node, find_tree, nodes};

/// How many threads write files. More do not help: they meet in the journal of the file system.
const THREADS: usize = 2;
/// How many files are handed to a thread at once.
const AT_ONCE: usize = 128;

/// Files of one directory that are to be written.
struct Job {
    dir: Vec<u8>,
    leaves: Vec<(Vec<u8>, Leaf)>,
}

/// Writes every file of a tree below `root`, and says how many there are. Submodules are empty directories.
pub(crate) fn write_tree(store: &Store, root: &Root, tree: Oid) -> Result<u64> {
    let (give, take) = sync_channel(256);
    let take = Mutex::new(take);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| work(store, root, &take, &stop)))
            .collect();
        let walked = store
            .open()
            .and_then(|repo| walk(&repo, root, tree, &give, &stop));
        drop(give);
        let mut failed = None;
        for thread in threads {
            let result = thread.join().expect("a writing thread does not panic");
            failed = failed.or(result.err());
        }
        match failed {
            Some(error) => Err(error),
            None => walked,
        }
    })
}

/// Makes the directories, and hands out their files.
fn walk(
    repo: &Repository,
    root: &Root,
    tree: Oid,
    give: &SyncSender<Job>,
    stop: &AtomicBool,
) -> Result<u64> {
    let mut files = 0;
    let mut pending = vec![(Vec::new(), tree)];
    while let Some((dir, id)) = pending.pop() {
        let fd = root.dir(&dir).map_err(root.fail("open", &dir))?;
        let mut leaves = Vec::new();
        for (name, node) in nodes(&find_tree(repo, id)?, &dir)? {
            let below = join(&dir, &name);
            refuse_unsafe(&name, &below)?;
            match node {
                Node::Leaf(leaf) => leaves.push((name, leaf)),
                Node::Tree(id) => {
                    make_dir(root, &fd, &name, &below)?;
                    pending.push((below, id));
                }
            }
        }
        files += leaves.len() as u64;
        while !leaves.is_empty() {
            let rest = leaves.split_off(leaves.len().min(AT_ONCE));
            let dir = dir.clone();
            // A thread that has failed says why.
            if stop.load(Ordering::Relaxed) || give.send(Job { dir, leaves }).is_err() {
                return Ok(files);
            }
            leaves = rest;
        }
    }
    Ok(files)
}

/// Writes files until there are no more.
fn work(store: &Store, root: &Root, jobs: &Mutex<Receiver<Job>>, stop: &AtomicBool) -> Result<()> {
    let done = write_jobs(store, root, jobs);
    if done.is_err() {
        stop.store(true, Ordering::Relaxed);
        // The walk must not wait for a place among what nobody takes.
        if let Ok(jobs) = jobs.lock() {
            while jobs.recv().is_ok() {}
        }
    }
    done
}

fn write_jobs(store: &Store, root: &Root, jobs: &Mutex<Receiver<Job>>) -> Result<()> {
    let repo = store.open()?;
    let writer = Writer::new(&repo, root)?;
    loop {
        let job = match jobs.lock() {
            Ok(jobs) => jobs.recv(),
            Err(_) => return Ok(()),
        };
        let Ok(Job { dir, leaves }) = job else {
            return Ok(());
        };
        let fd = root.dir(&dir).map_err(root.fail("open", &dir))?;
        for (name, leaf) in leaves {
            writer.leaf(&fd, &name, &join(&dir, &name), leaf)?;
        }
    }
}

/// Writes leaves of a commit as files.
pub(crate) struct Writer<'r> {
    odb: Odb<'r>,
    root: &'r Root,
    /// whether the umask takes bits away that git wants
    masked: bool,
}

impl<'r> Writer<'r> {
    pub(crate) fn new(repo: &'r Repository, root: &'r Root) -> Result<Self> {
        Ok(Self {
            odb: repo.odb().map_err(git("open the object database"))?,
            root,
            masked: masked(root)?,
        })
    }

    /// Writes one entry of a tree.
    pub(crate) fn leaf(&self, dir: &OwnedFd, name: &[u8], path: &[u8], leaf: Leaf) -> Result<()> {
        let content = || {
            self.odb
                .read(leaf.id)
                .map_err(git("read a file of the commit"))
        };
        match leaf.kind {
            EntryKind::Submodule => make_dir(self.root, dir, name, path),
            EntryKind::Symlink => {
                let target = content()?;
                let made = symlinkat(target.data(), dir, name);
                made.map_err(self.root.fail("make the link", path))
            }
            EntryKind::File { executable } => {
                let mode = if executable { 0o755 } else { 0o644 };
                let mut file = make_file(self.root, dir, name, path, mode, self.masked)?;
                file.write_all(content()?.data())
                    .map_err(io("write", &self.root.path(path)))
            }
        }
    }
}

/// Makes a directory with the mode 0755.
pub(crate) fn make_dir(root: &Root, dir: &OwnedFd, name: &[u8], path: &[u8]) -> Result<()> {
    mkdirat(dir, name, Mode::from_bits_truncate(0o755))
        .map_err(root.fail("make the directory", path))
}

/// Makes a new file with a mode, whatever the umask is.
pub(crate) fn make_file(
    root: &Root,
    dir: &OwnedFd,
    name: &[u8],
    path: &[u8],
    mode: u32,
    masked: bool,
) -> Result<File> {
    let flags =
        OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mode = Mode::from_bits_truncate(mode);
    let fd = openat(dir, name, flags, mode).map_err(|errno| match errno {
        Errno::EEXIST => Error::AlreadyInBase(path.to_vec()),
        errno => root.fail("make the file", path)(errno),
    })?;
    if masked {
        fchmod(&fd, mode).map_err(root.fail("set the mode of", path))?;
    }
    Ok(File::from(fd))
}

/// Whether a new file gets other permissions than those asked for.
pub(crate) fn masked(root: &Root) -> Result<bool> {
    let flags = OFlag::O_TMPFILE | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    let asked = Mode::from_bits_truncate(0o755);
    match openat(&root.fd, ".", flags, asked) {
        Ok(probe) => {
            let stat = fstat(&probe).map_err(root.fail("look at", b""))?;
            Ok(stat.st_mode & 0o777 != 0o755)
        }
        // A file system without unnamed files: set every mode.
        Err(_) => Ok(true),
    }
}

/// Refuses an entry of a tree that must not be written to a disk.
pub(crate) fn refuse_unsafe(name: &[u8], path: &[u8]) -> Result<()> {
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
