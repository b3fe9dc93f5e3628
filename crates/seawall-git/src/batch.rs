//! New objects, collected in memory and brought to disk together.
//!
//! libgit2 synchronises every object on its own, two syncs each, and would read a whole tree again to pack a commit. Here
//! what is made waits beside an opened repository and can be read at once; in the end a handful of objects become loose
//! files and more become one pack. All files are written first, then synchronised at the same time, then named, and last
//! the directories that name them are synchronised: four objects cost about as much as one. Only then may a ref point at
//! any of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::Deref;
use std::rc::Rc;

use git2::{ObjectType, Odb, OdbObject, Oid, Repository};

use crate::error::{Result, git};
use crate::object_files::{is_loose, write_loose, write_pack};
use crate::store::Store;

/// With more objects than this, one pack is cheaper than a file each; with fewer, a pack for each harvest would soon be
/// more packs than git likes to search (`gc.autoPackLimit` is 50).
const LOOSE: usize = 24;

/// An opened repository whose new objects wait in memory. As a repository, it does not know them.
pub(crate) struct Batch<'r> {
    repo: &'r Repository,
    odb: Odb<'r>,
    new: RefCell<BTreeMap<Oid, New>>,
}

/// An object that waits.
#[derive(Clone)]
struct New {
    kind: ObjectType,
    content: Rc<[u8]>,
}

impl Deref for Batch<'_> {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        self.repo
    }
}

/// The content of an object.
pub(crate) enum Content<'b> {
    /// of one that waits
    New(Rc<[u8]>),
    /// of one of the repository
    Old(OdbObject<'b>),
}

impl Content<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::New(content) => content,
            Self::Old(object) => object.data(),
        }
    }
}

impl<'r> Batch<'r> {
    /// Lets the new objects of a handle wait. The handle must not be used for writing otherwise.
    pub(crate) fn new(repo: &'r Repository) -> Result<Self> {
        Ok(Self {
            repo,
            odb: repo.odb().map_err(git("open the object database"))?,
            new: RefCell::default(),
        })
    }

    /// Adds an object.
    pub(crate) fn write(&self, kind: ObjectType, content: &[u8]) -> Result<Oid> {
        let id = Oid::hash_object(kind, content).map_err(git("name an object"))?;
        let content = content.into();
        self.new.borrow_mut().insert(id, New { kind, content });
        Ok(id)
    }

    /// An object that is new or in the repository.
    pub(crate) fn read(&self, id: Oid) -> Result<Content<'_>> {
        if let Some(new) = self.new.borrow().get(&id) {
            return Ok(Content::New(Rc::clone(&new.content)));
        }
        let found = self.odb.read(id).map_err(git("read an object"))?;
        Ok(Content::Old(found))
    }

    /// Refuses an object that is not there, or is something else, without reading the whole of it.
    pub(crate) fn expect(&self, id: Oid, kind: ObjectType) -> Result<()> {
        let new = self.new.borrow().get(&id).map(|new| new.kind);
        let head = || self.odb.read_header(id).map(|(_, kind)| kind);
        match new.map_or_else(head, Ok) {
            Ok(found) if found == kind => Ok(()),
            Ok(found) => Err(not_a(kind, id, found)),
            Err(error) => Err(error),
        }
        .map_err(git("look up an object"))
    }

    /// Forgets what `make` writes, whose id alone is wanted.
    pub(crate) fn passing<T>(&self, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let before: BTreeSet<Oid> = self.new.borrow().keys().copied().collect();
        let made = make();
        self.new.borrow_mut().retain(|id, _| before.contains(id));
        made
    }

    /// Brings everything to disk that is not there yet, to stay. A few objects that a pack has are written again.
    pub(crate) fn flush(&self, store: &Store) -> Result<()> {
        self.flush_with(store, None)
    }

    /// Does so, and synchronises one more file at the same time.
    pub(crate) fn flush_with(&self, store: &Store, also: Option<&File>) -> Result<()> {
        let dir = store.common_dir().join("objects");
        let mut new = self.new.take();
        new.retain(|id, _| !is_loose(&dir, *id));
        if new.len() > LOOSE {
            // Not asked of the handle here, which may know a pack that is gone by now.
            let disk = store.open()?;
            let disk = disk.odb().map_err(git("open the object database"))?;
            new.retain(|id, _| !disk.exists(*id));
        }
        let objects: Vec<_> = new.iter().map(|(id, new)| Object::of(*id, new)).collect();
        match objects.len() {
            0..=LOOSE => write_loose(&dir, &objects, also),
            _ => write_pack(&dir, &objects, also),
        }
    }
}

/// The error for an object of another kind than it must be.
pub(crate) fn not_a(wanted: ObjectType, id: Oid, found: ObjectType) -> git2::Error {
    git2::Error::from_str(&format!("{id} is not a {wanted} but a {found}"))
}

/// One object as it is to be written.
#[derive(Clone, Copy)]
pub(crate) struct Object<'o> {
    pub(crate) id: Oid,
    pub(crate) kind: ObjectType,
    pub(crate) content: &'o [u8],
}

impl<'o> Object<'o> {
    fn of(id: Oid, new: &'o New) -> Self {
        Self {
            id,
            kind: new.kind,
            content: &new.content,
        }
    }
}
