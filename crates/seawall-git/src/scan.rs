//! Walks a workspace and compares it with the base, directory by directory.
//!
//! Per directory the entries of the base are held and struck off as they are met; what remains is gone. Names that the
//! base does not have are not held, so a worker that leaves a million files costs time, not memory, and after
//! 200,000 of them no more time either. Directories wait in a list, not on the stack.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use git2::{Oid, Repository};
use nix::errno::Errno;
use nix::sys::stat::FileStat;

use crate::compare::{LARGEST, content, id_of, same_content, store};
use crate::dirfd::{FileKind, Root, each_name, link_target, stat};
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::findings::Findings;
use crate::harvest::{DriftKind, Missing, MissingKind};
use crate::ignores::Rules;
use crate::owned::{Role, Roles};
use crate::path::{LONGEST, is_dotgit, join};
use crate::tree::{EntryKind, Leaf, Node, each_leaf, find_tree, nodes};

/// A directory that is still to be visited.
struct Pending {
    path: Vec<u8>,
    /// what the base has there, if it has a directory there
    tree: Option<Oid>,
    /// whether everything in it that is neither tracked nor owned is ignored
    ignored: bool,
    rules: Rc<Rules>,
}

struct Scan<'r> {
    repo: &'r Repository,
    root: &'r Root,
    roles: &'r Roles,
    pending: Vec<Pending>,
    found: Findings,
    /// files to create that were met, whatever they are
    met: BTreeSet<Vec<u8>>,
}

/// An open directory on the walk.
struct Place<'p> {
    fd: &'p OwnedFd,
    at: &'p Pending,
    rules: &'p Rc<Rules>,
}

/// Compares a workspace with a tree.
pub(crate) fn scan(repo: &Repository, root: &Root, tree: Oid, roles: &Roles) -> Result<Findings> {
    let top = Pending {
        path: Vec::new(),
        tree: Some(tree),
        ignored: false,
        rules: Rc::default(),
    };
    let mut scan = Scan {
        repo,
        root,
        roles,
        pending: vec![top],
        found: Findings::default(),
        met: BTreeSet::new(),
    };
    while let Some(dir) = scan.pending.pop() {
        scan.directory(&dir)?;
        if scan.found.is_enough() {
            break;
        }
    }
    for path in roles.creates() {
        if !scan.met.contains(path) {
            scan.missing(path.to_vec(), MissingKind::NotMade);
        }
    }
    Ok(scan.found)
}

/// Ends the reading of a directory: with an error, or because there is enough.
enum Stop {
    Failed(Error),
    System(Errno),
    Enough,
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

impl Scan<'_> {
    /// What the base has in a directory.
    fn expected(&self, at: &Pending) -> Result<BTreeMap<Vec<u8>, Node>> {
        match at.tree {
            Some(id) => Ok(nodes(&find_tree(self.repo, id)?, &at.path)?
                .into_iter()
                .collect()),
            None => Ok(BTreeMap::new()),
        }
    }

    /// Opens a directory; one that may not be read is drift.
    fn open_dir(&mut self, path: &[u8]) -> Result<Option<OwnedFd>> {
        match self.root.dir(path) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::EACCES) => {
                self.drift(path.to_vec(), DriftKind::Unreadable);
                Ok(None)
            }
            Err(errno) => Err(self.root.fail("open", path)(errno)),
        }
    }

    fn directory(&mut self, at: &Pending) -> Result<()> {
        let Some(fd) = self.open_dir(&at.path)? else {
            return Ok(());
        };
        let mut expected = self.expected(at)?;
        let gitignore = expected.get(b".gitignore".as_slice());
        let rules = at.rules.descend(self.repo, &at.path, gitignore)?;
        let place = Place {
            fd: &fd,
            at,
            rules: &rules,
        };
        let read = each_name(&fd, |name| {
            let node = expected.remove(name);
            self.name(&place, name, node).map_err(Stop::Failed)?;
            match self.found.is_enough() {
                true => Err(Stop::Enough),
                false => Ok(()),
            }
        });
        match read {
            Ok(()) => self.gone_from(&at.path, expected),
            Err(Stop::Enough) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::System(errno)) => Err(self.root.fail("read the directory", &at.path)(errno)),
        }
    }

    fn name(&mut self, place: &Place<'_>, name: &[u8], node: Option<Node>) -> Result<()> {
        let path = join(&place.at.path, name);
        if is_dotgit(name) {
            self.drift(path, DriftKind::DotGit);
            return Ok(());
        }
        let stat = match stat(place.fd, name) {
            Ok(stat) => stat,
            Err(Errno::EACCES) => {
                self.drift(path, DriftKind::Unreadable);
                return Ok(());
            }
            Err(errno) => return Err(self.root.fail("look at", &path)(errno)),
        };
        match node {
            Some(node) => self.tracked(place, name, path, node, &stat),
            None => self.stranger(place, path, &stat),
        }
    }

    /// A path that the base has.
    fn tracked(
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
                let ignored = place.at.ignored || place.rules.ignores(&path, true);
                self.later(place, path, Some(id), ignored);
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
                self.later(place, path, None, false);
                Ok(())
            }
            _ => {
                self.drift(path, DriftKind::Replaced(kind));
                Ok(())
            }
        }
    }

    fn later(&mut self, place: &Place<'_>, path: Vec<u8>, tree: Option<Oid>, ignored: bool) {
        match path.len() > LONGEST {
            true => self.drift(path, DriftKind::TooDeep),
            false => self.pending.push(Pending {
                path,
                tree,
                ignored,
                rules: Rc::clone(place.rules),
            }),
        }
    }

    /// A path that the base does not have.
    fn stranger(&mut self, place: &Place<'_>, path: Vec<u8>, stat: &FileStat) -> Result<()> {
        let kind = FileKind::of(stat);
        let is_dir = kind == FileKind::Directory;
        if self.roles.of(&path) == Some(Role::Create) {
            self.met.insert(path.clone());
            return self.created(path, kind, stat);
        }
        let ignored = place.at.ignored || place.rules.ignores(&path, is_dir);
        match (is_dir, ignored) {
            (true, ignored) if !ignored || self.roles.below(&path) => {
                self.later(place, path, None, ignored)
            }
            (_, true) => self.found.ignored += 1,
            (_, false) => self.drift(path, DriftKind::Added(kind)),
        }
        Ok(())
    }

    fn link(&mut self, place: &Place<'_>, name: &[u8], path: Vec<u8>, leaf: Leaf) -> Result<()> {
        let target = link_target(place.fd, name).map_err(self.root.fail("read the link", &path))?;
        if id_of(&target)? != leaf.id {
            self.drift(path, DriftKind::Modified);
        }
        Ok(())
    }

    /// A regular file that was one in the base.
    fn file(&mut self, path: Vec<u8>, leaf: Leaf, executable: bool, stat: &FileStat) -> Result<()> {
        let role = self.roles.of(&path);
        if role == Some(Role::Delete) {
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
        match same_content(self.repo, &file, size, leaf.id)? {
            Ok(true) => Ok(()),
            Ok(false) if role.is_none() => {
                self.drift(path, DriftKind::Modified);
                Ok(())
            }
            Ok(false) => self.take(path, Some(leaf), leaf.mode, &stat),
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
                self.take(path, None, mode, stat)
            }
            _ => {
                self.drift(path, DriftKind::Replaced(kind));
                Ok(())
            }
        }
    }

    /// Takes an owned file into the repository.
    fn take(
        &mut self,
        path: Vec<u8>,
        from: Option<Leaf>,
        mode: i32,
        stat: &FileStat,
    ) -> Result<()> {
        if let Some(refused) = refused(stat) {
            self.drift(path, refused);
            return Ok(());
        }
        let Some((file, _)) = self.open(&path)? else {
            return Ok(());
        };
        let content = match content(&file) {
            Ok(content) => content,
            Err(error) => return self.unread(path, error),
        };
        let id = store(self.repo, &content)?;
        let executable = mode & 0o100 != 0;
        let kind = EntryKind::File { executable };
        let to = Some(Leaf { kind, id, mode });
        self.found.edits.push(Edit { path, from, to });
        Ok(())
    }

    /// Opens a regular file; one that may not be read is drift.
    fn open(&mut self, path: &[u8]) -> Result<Option<(std::fs::File, FileStat)>> {
        match self.root.file(path) {
            Ok(opened) => Ok(Some(opened)),
            Err(Errno::EACCES | Errno::EPERM) => {
                self.drift(path.to_vec(), DriftKind::Unreadable);
                Ok(None)
            }
            Err(errno) => Err(self.root.fail("open", path)(errno)),
        }
    }

    fn unread(&self, path: Vec<u8>, source: io::Error) -> Result<()> {
        Err(Error::Io {
            doing: "read",
            path: self.root.path(&path),
            source,
        })
    }

    /// Names of the base that were not met in a directory.
    fn gone_from(&mut self, dir: &[u8], names: BTreeMap<Vec<u8>, Node>) -> Result<()> {
        for (name, node) in names {
            let path = join(dir, &name);
            match node {
                Node::Tree(id) => self.gone_below(path, id)?,
                Node::Leaf(leaf) => self.gone(path, leaf),
            }
        }
        Ok(())
    }

    fn gone_below(&mut self, dir: Vec<u8>, tree: Oid) -> Result<()> {
        let repo = self.repo;
        each_leaf(repo, tree, dir, |path, leaf| {
            self.gone(path, leaf);
            Ok(())
        })
    }

    fn gone(&mut self, path: Vec<u8>, leaf: Leaf) {
        match self.roles.of(&path) {
            Some(Role::Delete) => self.found.edits.push(Edit {
                path,
                from: Some(leaf),
                to: None,
            }),
            _ => self.drift(path, DriftKind::Deleted),
        }
    }

    fn drift(&mut self, path: Vec<u8>, what: DriftKind) {
        self.found.drift(path, what);
    }

    fn missing(&mut self, path: Vec<u8>, what: MissingKind) {
        self.found.missing.push(Missing { path, what });
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
