//! Walks what a worker left and compares it with the base, directory by directory.
//!
//! A plain workspace holds everything, so what it lacks is gone. The upper directory of an overlay holds only what was
//! touched: there a deletion is a mark, and what it lacks is as it was, unless the directory is opaque. Where what it
//! lacks is gone, the entries of the base are held and struck off as they are met. Names that the base does not have are
//! not held, so a worker that leaves a million files costs time, not memory, and after 200,000 of them no more time
//! either. Directories wait in a list, not on the stack.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use git2::{Oid, Tree};
use nix::errno::Errno;

use crate::batch::Batch;
use crate::conversions::Conversions;
use crate::dirfd::{Root, each_name, stat};
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::findings::Findings;
use crate::harvest::{DriftKind, Missing, MissingKind};
use crate::ignores::Rules;
use crate::marks::{is_whiteout, marks};
use crate::owned::{Role, Roles};
use crate::path::{LONGEST, is_dotgit, join};
use crate::tree::{Leaf, Node, each_leaf, find_tree, node_named, nodes};

/// What a directory on disk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// everything
    Whole,
    /// what differs from the layers below, with the marks of an overlay
    Upper,
}

/// What is compared with what.
pub(crate) struct Comparison<'r> {
    pub(crate) repo: &'r Batch<'r>,
    pub(crate) root: &'r Root,
    pub(crate) roles: &'r Roles,
    pub(crate) extent: Extent,
    /// what the worker was given instead of what the base has
    pub(crate) given: &'r Conversions,
    /// whether the worker was given a `.git` at the top, which is no concern of the harvest
    pub(crate) private_git: bool,
}

/// A directory that is still to be visited.
pub(crate) struct Pending {
    pub(crate) path: Vec<u8>,
    /// what the base has there, if it has a directory there
    tree: Option<Oid>,
    /// whether everything in it that is neither tracked nor owned is ignored, when that is known
    ignored: OnceCell<bool>,
    /// whether nothing of the base shows but what is met
    covered: bool,
    rules: Rc<Rules>,
}

pub(crate) struct Scan<'r> {
    pub(crate) with: Comparison<'r>,
    pending: Vec<Pending>,
    pub(crate) found: Findings,
    /// files to create or to delete of which is known what became of them
    pub(crate) met: BTreeSet<Vec<u8>>,
}

/// An open directory on the walk.
pub(crate) struct Place<'p> {
    pub(crate) fd: &'p OwnedFd,
    at: &'p Pending,
    rules: &'p Rc<Rules>,
    covered: bool,
}

/// Compares what a worker left with a tree.
pub(crate) fn scan(with: Comparison<'_>, tree: Oid) -> Result<Findings> {
    let top = Pending {
        path: Vec::new(),
        tree: Some(tree),
        ignored: OnceCell::from(false),
        covered: with.extent == Extent::Whole,
        rules: Rc::default(),
    };
    let mut scan = Scan {
        with,
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
    scan.promises();
    Ok(scan.found)
}

/// What the base has in a directory.
enum Expected<'r> {
    /// all of it, because what is not met is gone
    All(BTreeMap<Vec<u8>, Node>),
    /// to be looked up by name, because what is not met is as it was
    Named(Option<Tree<'r>>),
}

impl Expected<'_> {
    fn peek(&self, name: &[u8]) -> Option<Node> {
        match self {
            Self::All(nodes) => nodes.get(name).copied(),
            Self::Named(tree) => node_named(tree.as_ref()?, name),
        }
    }

    fn take(&mut self, name: &[u8]) -> Option<Node> {
        match self {
            Self::All(nodes) => nodes.remove(name),
            Self::Named(_) => self.peek(name),
        }
    }
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

impl<'r> Scan<'r> {
    fn expected(&self, at: &Pending, covered: bool) -> Result<Expected<'r>> {
        let tree = at
            .tree
            .map(|id| find_tree(self.with.repo, id))
            .transpose()?;
        if !covered {
            return Ok(Expected::Named(tree));
        }
        let nodes = tree.map(|tree| nodes(&tree, &at.path)).transpose()?;
        Ok(Expected::All(nodes.into_iter().flatten().collect()))
    }

    /// Opens a directory; one that may not be read is drift, and so is one whose names may not be looked up, whether or
    /// not there are any: an upper directory has fewer of them than the whole.
    fn open_dir(&mut self, path: &[u8]) -> Result<Option<OwnedFd>> {
        let opened = self.with.root.dir(path);
        match opened.and_then(|fd| stat(&fd, b".").map(|_| fd)) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::EACCES) => {
                let shown = if path.is_empty() { b"." } else { path };
                self.drift(shown.to_vec(), DriftKind::Unreadable);
                self.meet_below(path);
                Ok(None)
            }
            Err(errno) => Err(self.with.root.fail("open", path)(errno)),
        }
    }

    /// Whether nothing of the base shows through an open directory.
    fn is_covered(&mut self, at: &Pending, fd: &OwnedFd) -> Result<bool> {
        if self.with.extent == Extent::Whole {
            return Ok(true);
        }
        let marks = marks(fd).map_err(self.with.root.fail("read the attributes of", &at.path))?;
        if marks.forged {
            self.drift(at.path.clone(), DriftKind::ForgedMark);
        }
        Ok(at.covered || marks.opaque)
    }

    fn directory(&mut self, at: &Pending) -> Result<()> {
        let Some(fd) = self.open_dir(&at.path)? else {
            return Ok(());
        };
        let covered = self.is_covered(at, &fd)?;
        let mut expected = self.expected(at, covered)?;
        let rules = at.rules.descend(&at.path, expected.peek(b".gitignore"));
        let place = Place {
            fd: &fd,
            at,
            rules: &rules,
            covered,
        };
        let read = each_name(&fd, |name| {
            let node = expected.take(name);
            self.name(&place, name, node).map_err(Stop::Failed)?;
            match self.found.is_enough() {
                true => Err(Stop::Enough),
                false => Ok(()),
            }
        });
        match (read, expected) {
            (Ok(()), Expected::All(nodes)) => self.gone_from(&at.path, nodes),
            (Ok(()) | Err(Stop::Enough), _) => Ok(()),
            (Err(Stop::Failed(error)), _) => Err(error),
            (Err(Stop::System(errno)), _) => {
                Err(self.with.root.fail("read the directory", &at.path)(errno))
            }
        }
    }

    fn name(&mut self, place: &Place<'_>, name: &[u8], node: Option<Node>) -> Result<()> {
        if self.with.private_git && place.at.path.is_empty() && name == b".git" {
            return Ok(());
        }
        let path = join(&place.at.path, name);
        let stat = stat(place.fd, name).map_err(self.with.root.fail("look at", &path))?;
        match node {
            _ if self.with.extent == Extent::Upper && is_whiteout(&stat) => {
                self.gone_at(path, node)
            }
            _ if is_dotgit(name) => {
                self.drift(path, DriftKind::DotGit);
                Ok(())
            }
            Some(node) => self.tracked(place, name, path, node, &stat),
            None => self.stranger(place, path, &stat),
        }
    }

    /// Puts a directory on the list. What is ignored in it is found out when it matters, unless it is known.
    pub(crate) fn later(
        &mut self,
        place: &Place<'_>,
        path: Vec<u8>,
        tree: Option<Oid>,
        ignored: Option<bool>,
    ) {
        match path.len() > LONGEST {
            true => self.drift(path, DriftKind::TooDeep),
            false => self.pending.push(Pending {
                path,
                tree,
                ignored: ignored.map(OnceCell::from).unwrap_or_default(),
                covered: place.covered,
                rules: Rc::clone(place.rules),
            }),
        }
    }

    /// Whether the rules of the base ignore a path.
    pub(crate) fn is_ignored(&self, place: &Place<'_>, path: &[u8], is_dir: bool) -> Result<bool> {
        let repo = self.with.repo;
        let all = match place.at.ignored.get() {
            Some(known) => *known,
            None => {
                let found = place.rules.ignores_dir(repo, &place.at.path)?;
                *place.at.ignored.get_or_init(|| found)
            }
        };
        Ok(all || place.rules.ignores(repo, path, is_dir)?)
    }

    /// Names of the base that were not met in a directory.
    fn gone_from(&mut self, dir: &[u8], names: BTreeMap<Vec<u8>, Node>) -> Result<()> {
        for (name, node) in names {
            self.gone_at(join(dir, &name), Some(node))?;
        }
        Ok(())
    }

    fn gone_at(&mut self, path: Vec<u8>, node: Option<Node>) -> Result<()> {
        match node {
            Some(Node::Tree(id)) => self.gone_below(path, id)?,
            Some(Node::Leaf(leaf)) => self.gone(path, leaf),
            None => {}
        }
        Ok(())
    }

    pub(crate) fn gone_below(&mut self, dir: Vec<u8>, tree: Oid) -> Result<()> {
        let repo = self.with.repo;
        each_leaf(repo, tree, dir, |path, leaf| {
            self.gone(path, leaf);
            Ok(())
        })
    }

    fn gone(&mut self, path: Vec<u8>, leaf: Leaf) {
        if self.with.given.left_out(&path) {
            return;
        }
        match self.with.roles.of(&path) {
            Some(Role::Delete) => {
                self.met.insert(path.clone());
                self.found.edits.push(Edit {
                    path,
                    from: Some(leaf),
                    to: None,
                });
            }
            _ => self.drift(path, DriftKind::Deleted),
        }
    }

    pub(crate) fn drift(&mut self, path: Vec<u8>, what: DriftKind) {
        self.found.drift(path, what);
    }

    /// Says which promises were not kept at paths that nothing was found at.
    fn promises(&mut self) {
        let roles = self.with.roles;
        for path in roles.with(Role::Create) {
            if !self.met.contains(path) {
                self.missing(path.to_vec(), MissingKind::NotMade);
            }
        }
        // In a plain workspace each of them was met, or is gone.
        for path in roles.with(Role::Delete) {
            if self.with.extent == Extent::Upper && !self.met.contains(path) {
                self.missing(path.to_vec(), MissingKind::StillThere);
            }
        }
    }

    /// Nothing can be said about the files to delete below a directory that cannot be read.
    fn meet_below(&mut self, dir: &[u8]) {
        for path in self.with.roles.with(Role::Delete) {
            let below = path
                .strip_prefix(dir)
                .is_some_and(|rest| rest.starts_with(b"/"));
            if below || dir.is_empty() {
                self.met.insert(path.to_vec());
            }
        }
    }

    pub(crate) fn missing(&mut self, path: Vec<u8>, what: MissingKind) {
        self.found.missing.push(Missing { path, what });
    }
}
