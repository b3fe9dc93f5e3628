//! The base of a run that has ended, kept for the next one.
//!
//! To write every file of a commit, and to remove them all again, takes seconds where there are many; most runs begin where the
//! one before ended, or close to it. So a base that nobody needs any more is put aside with a note of what it is, and the next
//! run takes it, as its own, and brings it to its commit, which costs what differs. Whoever takes it has it alone: it is moved,
//! never shared. The private git directory that workers see of it goes along, and is of use where the commit is the same.
//!
//! Between two runs it lies where its owner can reach it, and a wrong file in it would be a wrong verdict. So the note holds a
//! digest of what the file system says of each name (inode, time of the last change, size, mode, owner), which no write leaves
//! as it was; the price is a look at each name, twice. A base that is not as it was put aside is not taken, and one that somebody
//! wrote to while its run used it is not put aside. The clock of the file system must not go back meanwhile for that to be seen.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::{FileStat, fstat};
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};
use sha1::{Digest, Sha1};

use crate::differences::{Differences, Name, differences};
use crate::dirfd::{FileKind, Root, each_name, stat};
use crate::error::{Result, io};
use crate::id::{CommitId, hex};
use crate::path::join;
use crate::raw::{Writer, make_dir};
use crate::remove::remove_workspace;
use crate::settings::needs_git;
use crate::store::Store;
use crate::tree::{EntryKind, Leaf, Node, commit_tree};

/// What a note begins with: what it says, and how a base is written, is of this version.
const FORMAT: &str = "seawall base 1";
const NOTE: &str = "note";
const TREE: &str = "tree";
const GIT: &str = "git";

/// What became of a base that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// the private git directory that was put aside with it, if it is of the same commit
    pub git: Option<PathBuf>,
}

/// What may be put aside.
#[derive(Debug, Clone, Copy)]
pub struct Base<'b> {
    /// a base that nobody has mounted
    pub tree: &'b Path,
    /// the [private git directory](Store::private_git) of the same commit; one that is not there is no error
    pub git: &'b Path,
    /// the commit that both were written for
    pub commit: &'b CommitId,
    /// a file that was written when both were complete: whatever was written to later is not what the commit holds
    pub done: &'b Path,
}

/// Puts a base aside as the directory `aside`, which must not exist and lie on the same file system. `since` is taken down: the
/// base is only given to somebody who says the same. Says whether that was done; somebody may have written to the base since it
/// was complete. If not, `aside` is of no use. Costs a look at each name.
///
/// # Errors
/// [`crate::Error::Io`]; the base is then still where it was, or gone.
pub fn put_aside(base: &Base<'_>, since: &str, aside: &Path) -> Result<bool> {
    let failed = || io("put aside", aside);
    let done = fs::metadata(base.done).map_err(io("look at", base.done))?;
    fs::create_dir(aside).map_err(failed())?;
    fs::rename(base.tree, aside.join(TREE)).map_err(failed())?;
    match fs::rename(base.git, aside.join(GIT)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        moved => moved.map_err(failed())?,
    }
    let seen = Seen::of(aside, since)?;
    if seen.latest > (done.ctime(), done.ctime_nsec()) {
        return Ok(false);
    }
    fs::write(aside.join(NOTE), seen.note(base.commit)).map_err(failed())?;
    Ok(true)
}

/// Seconds and nanoseconds.
type Time = (i64, i64);

/// What the file system says of what was put aside.
struct Seen {
    tree: String,
    git: Option<String>,
    /// when the last change was
    latest: Time,
}

impl Seen {
    fn of(aside: &Path, since: &str) -> Result<Self> {
        let mut latest = Time::default();
        let tree = Root::open(&aside.join(TREE))?;
        let tree = look(&tree, since, |seen| {
            let time = (seen.st_ctime, seen.st_ctime_nsec);
            latest = latest.max(time);
            time
        })?;
        let git = aside.join(GIT);
        let git = match git.exists() {
            // Its packs are files of other such directories too, and change a little whenever one of those goes.
            true => Some(look(&Root::open(&git)?, since, |seen| {
                let time = (seen.st_mtime, seen.st_mtime_nsec);
                latest = latest.max(time);
                time
            })?),
            false => None,
        };
        Ok(Self { tree, git, latest })
    }

    fn note(&self, commit: &CommitId) -> String {
        let git = self.git.as_deref().unwrap_or("none");
        format!("{FORMAT}\n{commit}\n{}\n{git}\n", self.tree)
    }
}

/// What the file system says of all names, as one digest. The top itself does not count: it was moved.
fn look(root: &Root, since: &str, mut time: impl FnMut(&FileStat) -> Time) -> Result<String> {
    let mut sum = Sha1::new_with_prefix(since);
    let mut pending = vec![Vec::new()];
    while let Some(dir) = pending.pop() {
        let failed = || root.fail("look at", &dir);
        let fd = root.dir(&dir).map_err(failed())?;
        for name in sorted_names(&fd).map_err(failed())? {
            let seen = stat(&fd, &name).map_err(failed())?;
            sum.update(&name);
            sum.update(b"\0");
            for number in [seen.st_ino, seen.st_mode.into(), seen.st_uid.into()] {
                sum.update(number.to_le_bytes());
            }
            let (seconds, nanoseconds) = time(&seen);
            for number in [seen.st_size, seconds, nanoseconds] {
                sum.update(number.to_le_bytes());
            }
            if FileKind::of(&seen) == FileKind::Directory {
                pending.push(join(&dir, &name));
            }
        }
        sum.update(b"\0");
    }
    Ok(hex(&sum.finalize()))
}

fn sorted_names(dir: &OwnedFd) -> nix::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    each_name(dir, |name| {
        names.push(name.to_vec());
        Ok::<_, Errno>(())
    })?;
    names.sort_unstable();
    Ok(names)
}

impl Store {
    /// Makes what was [put aside](put_aside) at `aside`, a directory of the caller's alone, the base of `commit` at `dest`, if it
    /// is as it was, the caller's own, and what [`Store::lay_base`] would write there is the files of the commit, byte by byte.
    /// Nothing if not; then `aside` is of no use. Costs a look at each name, and what differs between the two commits.
    ///
    /// # Errors
    /// When it cannot be read or brought to the commit, or its own commit is not in the repository any more: also then
    /// `aside` is of no use.
    pub fn take_base(
        &self,
        aside: &Path,
        since: &str,
        commit: &CommitId,
        dest: &Path,
    ) -> Result<Option<Taken>> {
        let repo = self.open()?;
        let to = commit_tree(&repo, commit)?.id();
        // Where git would write the files, what it writes depends on more than the commit.
        if needs_git(&repo, to)?.is_some() {
            return Ok(None);
        }
        let noted = fs::read_to_string(aside.join(NOTE)).map_err(io("read", aside))?;
        let of = noted.lines().nth(1).and_then(|line| line.parse().ok());
        let Some(of) = of else { return Ok(None) };
        let seen = Seen::of(aside, since)?;
        if noted != seen.note(&of) {
            return Ok(None);
        }
        let tree = aside.join(TREE);
        let root = Root::open(&tree)?;
        // A worker of ours could not write what is somebody else's, not even one of root's.
        let owner = fstat(&root.fd).map_err(root.fail("look at", b""))?.st_uid;
        if owner != geteuid().as_raw() {
            return Ok(None);
        }
        let mut edited = Edited {
            root: &root,
            writer: Writer::new(&repo, &root)?,
        };
        let from = commit_tree(&repo, &of)?.id();
        differences(&repo, &root, (from, to), &mut edited)?;
        let place = self.safe_place(dest)?;
        fs::rename(&tree, &place).map_err(io("take the base to", &place))?;
        // One of another commit holds files that workers of this one must not see.
        let git = seen.git.filter(|_| of == *commit);
        let git = git.map(|_| aside.join(GIT));
        Ok(Some(Taken { git }))
    }
}

/// A base that becomes that of another commit.
struct Edited<'r> {
    root: &'r Root,
    writer: Writer<'r>,
}

impl Edited<'_> {
    fn clear(&self, at: &Name<'_>, stood: Node) -> Result<()> {
        match stood {
            Node::Leaf(leaf) if leaf.kind != EntryKind::Submodule => {
                let removed = unlinkat(at.dir, at.name, UnlinkatFlags::NoRemoveDir);
                removed.map_err(self.root.fail("remove", at.path))
            }
            // A directory, or the empty one of a submodule.
            _ => remove_workspace(&self.root.path(at.path)),
        }
    }
}

impl Differences for Edited<'_> {
    fn gone(&mut self, at: Name<'_>, stood: Node) -> Result<()> {
        self.clear(&at, stood)
    }

    fn leaf(&mut self, at: Name<'_>, stood: Option<Node>, leaf: Leaf) -> Result<()> {
        stood.map_or(Ok(()), |stood| self.clear(&at, stood))?;
        self.writer.leaf(at.dir, at.name, at.path, leaf)
    }

    fn directory(&mut self, at: Name<'_>, stood: Option<Node>) -> Result<()> {
        match stood {
            Some(Node::Tree(_)) => return Ok(()),
            Some(other) => self.clear(&at, other)?,
            None => {}
        }
        make_dir(self.root, at.dir, at.name, at.path)
    }
}
