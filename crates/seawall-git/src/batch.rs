//! New objects, collected in memory and brought to disk together.
//!
//! libgit2 synchronises every object on its own, two syncs each, and would read a whole tree again to pack a commit. Here
//! an opened repository gets a store in memory on top (`git_mempack`), so that what is made can be read at once; in the
//! end a handful of objects become loose files and more become one pack. All files are written first, then synchronised
//! at the same time, then named, and last the directories that name them are synchronised: four objects cost about as
//! much as one. Only then may a ref point at any of them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::ops::Deref;

use git2::{ObjectType, Odb, Oid, Repository, TreeBuilder};

use crate::error::{Result, git};
use crate::object_files::{write_loose, write_pack};
use crate::store::Store;

/// With more objects than this, one pack is cheaper than a file each; with fewer, a pack for each harvest would soon be
/// more packs than git likes to search (`gc.autoPackLimit` is 50).
const LOOSE: usize = 24;

/// The priority of the store in memory: above that of loose objects (1) and packs (2).
const FIRST: i32 = 1000;

/// An opened repository whose new objects wait in memory.
pub(crate) struct Batch<'r> {
    repo: &'r Repository,
    odb: Odb<'r>,
    new: RefCell<BTreeSet<Oid>>,
}

impl Deref for Batch<'_> {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        self.repo
    }
}

impl<'r> Batch<'r> {
    /// Lets the new objects of a handle wait. The handle must not be used for writing otherwise.
    pub(crate) fn new(repo: &'r Repository) -> Result<Self> {
        let odb = repo.odb().map_err(git("open the object database"))?;
        // The database owns it from now on; the handle could only empty it.
        odb.add_new_mempack_backend(FIRST)
            .map_err(git("collect objects in memory"))?;
        Ok(Self {
            repo,
            odb,
            new: RefCell::default(),
        })
    }

    /// Adds an object.
    pub(crate) fn write(&self, kind: ObjectType, content: &[u8]) -> Result<Oid> {
        let id = self.odb.write(kind, content);
        Ok(self.note(id.map_err(git("collect an object"))?))
    }

    /// Adds a tree.
    pub(crate) fn write_tree(&self, builder: &TreeBuilder<'_>) -> Result<Oid> {
        Ok(self.note(builder.write().map_err(git("write a tree"))?))
    }

    fn note(&self, id: Oid) -> Oid {
        self.new.borrow_mut().insert(id);
        id
    }

    /// Brings everything to disk that is not there yet, to stay.
    pub(crate) fn flush(&self, store: &Store) -> Result<()> {
        self.flush_with(store, None)
    }

    /// Does so, and synchronises one more file at the same time.
    pub(crate) fn flush_with(&self, store: &Store, also: Option<&File>) -> Result<()> {
        // This handle knows the objects in any case; one without the store in memory knows what is on disk.
        let disk = store.open()?;
        let disk = disk.odb().map_err(git("open the object database"))?;
        let new: Vec<_> = self.new.take().into_iter().collect();
        let new = new.into_iter().filter(|id| !disk.exists(*id));
        let mut objects = Vec::new();
        for id in new {
            let object = self.odb.read(id).map_err(git("read a new object"))?;
            objects.push((id, object));
        }
        let dir = store.common_dir().join("objects");
        let objects: Vec<_> = objects
            .iter()
            .map(|(id, object)| Object::of(*id, object))
            .collect();
        match objects.len() {
            0..=LOOSE => write_loose(&dir, &objects, also),
            _ => write_pack(&dir, &objects, also),
        }
    }
}

/// One object as it is to be written.
#[derive(Clone, Copy)]
pub(crate) struct Object<'o> {
    pub(crate) id: Oid,
    pub(crate) kind: ObjectType,
    pub(crate) content: &'o [u8],
}

impl<'o> Object<'o> {
    fn of(id: Oid, object: &'o git2::OdbObject<'_>) -> Self {
        Self {
            id,
            kind: object.kind(),
            content: object.data(),
        }
    }
}
