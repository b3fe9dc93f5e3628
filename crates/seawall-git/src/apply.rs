//! Trees with differences applied.
//!
//! Each directory that holds a change is read and written once, whatever the number of changes in it; directories wait in
//! lists, so the depth of a path costs no stack. libgit2's own tree update is not used because it does not say which path
//! clashed with which.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use git2::{ObjectType, Oid};

use crate::batch::Batch;
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::path::{self, ancestors, join, name_of, parent};
use crate::raw_tree::{self, Entry, TREE, entries};

/// What becomes of one name of a directory: as a leaf, and as a directory, where nothing is removal.
#[derive(Debug, Default, Clone, Copy)]
struct Slot<'e> {
    leaf: Option<&'e Edit>,
    tree: Option<Option<Oid>>,
}

type Slots<'e> = BTreeMap<&'e [u8], Slot<'e>>;

/// What becomes of each directory, the deepest first.
type Dirs<'e> = BTreeMap<(Reverse<usize>, &'e [u8]), Slots<'e>>;

/// Writes the tree that `base` becomes by the edits; directories that get empty disappear, as in git.
///
/// # Errors
/// [`Error::StaleBase`] where `base` has something else than an edit is from; [`Error::PathClash`].
pub(crate) fn apply(batch: &Batch<'_>, base: Oid, edits: &[Edit]) -> Result<Oid> {
    let before = Before::of(batch, base, edits)?;
    let mut dirs = Dirs::new();
    for edit in edits {
        path::check(&edit.path)?;
        slot(&mut dirs, &edit.path).leaf = Some(edit);
    }
    while let Some(((_, dir), slots)) = dirs.pop_first() {
        let written = write_dir(batch, before.at(dir), dir, &slots)?;
        match dir.is_empty() {
            true => return written.map_or_else(|| batch.write(ObjectType::Tree, b""), Ok),
            false => slot(&mut dirs, dir).tree = Some(written),
        }
    }
    Ok(base)
}

fn slot<'d, 'e>(dirs: &'d mut Dirs<'e>, path: &'e [u8]) -> &'d mut Slot<'e> {
    let dir = parent(path).unwrap_or_default();
    let slots = dirs.entry((Reverse(depth(path)), dir)).or_default();
    slots.entry(name_of(path)).or_default()
}

fn depth(path: &[u8]) -> usize {
    path.iter().filter(|byte| **byte == b'/').count()
}

/// The trees that directories with changes are before the change.
struct Before<'e>(HashMap<&'e [u8], Oid>);

impl<'e> Before<'e> {
    /// Looks them up from the top, all names of one directory at once.
    fn of(batch: &Batch<'_>, base: Oid, edits: &'e [Edit]) -> Result<Self> {
        let mut inner = BTreeMap::<_, BTreeMap<_, _>>::new();
        for dir in edits.iter().flat_map(|edit| ancestors(&edit.path)) {
            let above = parent(dir).unwrap_or_default();
            let dirs = inner.entry((depth(dir), above)).or_default();
            dirs.insert(name_of(dir), dir);
        }
        let mut known = Self(HashMap::from([(&b""[..], base)]));
        for ((_, above), dirs) in inner {
            let Some(id) = known.at(above) else {
                continue;
            };
            let object = batch.read(id)?;
            for entry in entries(object.bytes(), above)? {
                if let Some(dir) = dirs.get(entry.name).filter(|_| entry.is_tree()) {
                    known.0.insert(dir, entry.id);
                }
            }
        }
        Ok(known)
    }

    fn at(&self, dir: &[u8]) -> Option<Oid> {
        self.0.get(dir).copied()
    }
}

/// Writes one directory; nothing when it gets empty.
fn write_dir(
    batch: &Batch<'_>,
    before: Option<Oid>,
    dir: &[u8],
    slots: &Slots<'_>,
) -> Result<Option<Oid>> {
    let object = before.map(|id| batch.read(id)).transpose()?;
    let bytes = object.as_ref().map_or(&b""[..], |object| object.bytes());
    let (mut kept, mut touched) = (Vec::new(), HashMap::new());
    for entry in entries(bytes, dir)? {
        match slots.contains_key(entry.name) {
            true => drop(touched.insert(entry.name, entry)),
            false => kept.push(entry),
        }
    }
    for (name, slot) in slots {
        let old = touched.get(name).copied();
        let at = || join(dir, name);
        if slot.leaf.is_some_and(|edit| !is_from(edit, old)) {
            return Err(Error::StaleBase(at()));
        }
        kept.extend(settle(name, *slot, old).map_err(|Clash| Error::PathClash(at()))?);
    }
    match kept.is_empty() {
        true => Ok(None),
        false => batch
            .write(ObjectType::Tree, &raw_tree::write(kept))
            .map(Some),
    }
}

/// Whether an edit is from what stands there.
fn is_from(edit: &Edit, old: Option<Entry<'_>>) -> bool {
    let old = old.filter(|old| !old.is_tree());
    old.map(|old| (old.mode, old.id)) == edit.from.map(|from| (from.mode, from.id))
}

/// One path is to be a file and a directory.
struct Clash;

/// What a name is in the end, if there is anything.
fn settle<'n>(
    name: &'n [u8],
    slot: Slot<'_>,
    old: Option<Entry<'n>>,
) -> std::result::Result<Option<Entry<'n>>, Clash> {
    let tree = slot.tree.flatten();
    let leaf = slot.leaf.and_then(|edit| edit.to);
    let keeps_tree = slot.tree.is_none() && old.is_some_and(|old| old.is_tree());
    let keeps_leaf = slot.leaf.is_none() && old.is_some_and(|old| !old.is_tree());
    let entry = |mode, id| Ok(Some(Entry { mode, name, id }));
    match (leaf, tree) {
        (Some(_), Some(_)) => Err(Clash),
        (Some(_), None) if keeps_tree => Err(Clash),
        (None, Some(_)) if keeps_leaf => Err(Clash),
        (Some(leaf), None) => entry(leaf.mode, leaf.id),
        (None, Some(id)) => entry(TREE, id),
        (None, None) if keeps_tree || keeps_leaf => Ok(old),
        (None, None) => Ok(None),
    }
}
