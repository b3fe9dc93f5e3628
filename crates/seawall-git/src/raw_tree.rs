//! Trees as git writes them: `mode name NUL id`, again and again (gitformat-pack(5) names the types, fsck.c the order).
//!
//! libgit2's builder makes an allocation for each entry and reads each object that is named; here a directory of ten thousand
//! names costs one pass over its bytes, and what is not edited is kept as it stands.

use std::cmp::Ordering;

use git2::{ObjectType, Odb, OdbObject, Oid};

use crate::batch::not_a;
use crate::error::{Error, Result};
use crate::path::join;
use crate::tree::{Node, node};

/// One name of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'t> {
    pub(crate) mode: i32,
    pub(crate) name: &'t [u8],
    pub(crate) id: Oid,
}

/// The mode of a directory.
pub(crate) const TREE: i32 = 0o040_000;

impl Entry<'_> {
    pub(crate) fn is_tree(&self) -> bool {
        self.mode & 0o170_000 == TREE
    }

    /// What it is in the directory `dir`.
    pub(crate) fn node(&self, dir: &[u8]) -> Result<Node> {
        let unknown = || Error::UnsafeEntry {
            path: join(dir, self.name),
            why: "its mode is none that git knows",
        };
        node(self.mode, self.id).ok_or_else(unknown)
    }

    /// Git compares a directory as if a slash followed its name.
    fn order(&self, other: &Self) -> Ordering {
        let common = self.name.len().min(other.name.len());
        let next = |entry: &Self| {
            let end = entry.is_tree().then_some(b'/');
            entry.name.get(common).copied().or(end)
        };
        let begin = self.name[..common].cmp(&other.name[..common]);
        begin.then_with(|| next(self).cmp(&next(other)))
    }
}

/// The bytes of a tree of the repository.
pub(crate) fn read<'o>(
    odb: &'o Odb<'_>,
    id: Oid,
) -> std::result::Result<OdbObject<'o>, git2::Error> {
    let object = odb.read(id)?;
    match object.kind() {
        ObjectType::Tree => Ok(object),
        kind => Err(not_a(ObjectType::Tree, id, kind)),
    }
}

/// The entries of the tree that the directory `dir` is, in its order.
pub(crate) fn entries<'t>(bytes: &'t [u8], dir: &[u8]) -> Result<Vec<Entry<'t>>> {
    parse(bytes).ok_or_else(|| Error::UnsafeEntry {
        path: dir.to_vec(),
        why: "its tree is damaged",
    })
}

/// The entries of a tree in its order; nothing when the bytes are no tree.
fn parse(mut bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut entries = Vec::with_capacity(bytes.len() / 32);
    while !bytes.is_empty() {
        let (entry, rest) = first(bytes)?;
        entries.push(entry);
        bytes = rest;
    }
    Some(entries)
}

fn first(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let blank = bytes.iter().take(8).position(|byte| *byte == b' ')?;
    let mode = str::from_utf8(&bytes[..blank]).ok()?;
    let mode = i32::from_str_radix(mode, 8).ok()?;
    let rest = &bytes[blank + 1..];
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (id, after) = rest[end + 1..].split_at_checked(20)?;
    let id = Oid::from_bytes(id).ok()?;
    let name = &rest[..end];
    Some((Entry { mode, name, id }, after))
}

/// The bytes of a tree with these entries, in any order.
pub(crate) fn write(mut entries: Vec<Entry<'_>>) -> Vec<u8> {
    entries.sort_by(Entry::order);
    let size = entries.iter().map(|entry| entry.name.len() + 28).sum();
    let mut bytes = Vec::with_capacity(size);
    for Entry { mode, name, id } in entries {
        bytes.extend(format!("{mode:o} ").as_bytes());
        bytes.extend(name);
        bytes.push(0);
        bytes.extend(id.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_git() {
        let id = Oid::ZERO_SHA1;
        let names: [(&[u8], i32); 7] = [
            (b"a", 0o100_644),
            (b"a-b", 0o100_644),
            (b"a", TREE),
            (b"a0", 0o120_000),
            (b"ab", TREE),
            (b"b.c", TREE),
            (b"b", TREE),
        ];
        let mut entries: Vec<_> = names
            .iter()
            .map(|(name, mode)| Entry {
                mode: *mode,
                name,
                id,
            })
            .collect();
        let wanted = write(entries.clone());
        assert_eq!(parse(&wanted).unwrap(), entries);
        entries.reverse();
        assert_eq!(write(entries), wanted);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let whole = write(vec![Entry {
            mode: TREE,
            name: b"x",
            id: Oid::ZERO_SHA1,
        }]);
        for cut in 1..whole.len() {
            assert!(parse(&whole[..cut]).is_none(), "{cut}");
        }
        assert!(parse(b"9 x\0aaaaaaaaaaaaaaaaaaaa").is_none());
        assert_eq!(parse(b""), Some(Vec::new()));
    }
}
