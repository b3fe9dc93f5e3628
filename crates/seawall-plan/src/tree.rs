//! The tree of the base commit, asked about paths and globs.
//!
//! A sorted slice and binary searches: a glob looks only at the range of paths that begin with its
//! literal prefix, so many narrow globs over a large tree stay cheap. Only regular files match a glob;
//! `*` and `?` do not cross a `/`, `**` does.

use std::collections::HashMap;
use std::sync::Arc;

use globset::{Candidate, GlobBuilder};
use seawall_core::path::RepoPath;

use crate::world::Kind;

/// The files that a glob matches, or why it is no glob.
pub(crate) type Matched = Result<Arc<[RepoPath]>, Arc<str>>;

/// The tree of the base commit.
pub(crate) struct Tree<'w> {
    files: &'w [(RepoPath, Kind)],
    /// What globs matched, so that a glob on ten thousand tasks is compiled once.
    matched: HashMap<Box<str>, Matched>,
}

/// Why a path cannot be a file of the tree, whatever its name.
pub(crate) enum Blocked<'w> {
    /// This part of it is a symbolic link.
    Symlink(&'w RepoPath),
    /// This part of it is a submodule.
    Submodule(&'w RepoPath),
    /// This part of it is a file, so nothing can be below it.
    File(&'w RepoPath),
}

impl<'w> Tree<'w> {
    pub(crate) fn new(files: &'w [(RepoPath, Kind)]) -> Self {
        Self {
            files,
            matched: HashMap::new(),
        }
    }

    /// What the tree has at `path`; none for nothing and for a directory.
    pub(crate) fn kind(&self, path: &[u8]) -> Option<Kind> {
        self.find(path).map(|(_, kind)| *kind)
    }

    /// Whether something stands at `path` that is no regular file.
    pub(crate) fn is_strange(&self, path: &[u8]) -> bool {
        self.kind(path).is_some_and(|kind| kind != Kind::File)
    }

    /// Whether `path` is a directory of the tree.
    pub(crate) fn is_directory(&self, path: &[u8]) -> bool {
        let mut prefix = path.to_vec();
        prefix.push(b'/');
        !self.below(&prefix).is_empty()
    }

    /// The first part of `path` that nothing can be below.
    pub(crate) fn blocked(&self, path: &[u8]) -> Option<Blocked<'w>> {
        let slashes = path.iter().enumerate().filter(|(_, b)| **b == b'/');
        let (part, kind) = slashes
            .filter_map(|(at, _)| self.find(&path[..at]))
            .next()?;
        Some(match kind {
            Kind::Symlink => Blocked::Symlink(part),
            Kind::Submodule => Blocked::Submodule(part),
            Kind::File => Blocked::File(part),
        })
    }

    /// Everything whose path begins with `prefix`, in the order of the bytes.
    pub(crate) fn below(&self, prefix: &[u8]) -> &'w [(RepoPath, Kind)] {
        let start = self.files.partition_point(|(p, _)| p.as_bytes() < prefix);
        let rest = &self.files[start..];
        let end = rest.partition_point(|(p, _)| p.as_bytes().starts_with(prefix));
        &rest[..end]
    }

    /// All of it, in the order of the bytes.
    pub(crate) fn all(&self) -> &'w [(RepoPath, Kind)] {
        self.files
    }

    /// The regular files that match `glob`, in the order of the bytes.
    ///
    /// # Errors
    /// Says why `glob` is none.
    pub(crate) fn matching(&mut self, glob: &str) -> Matched {
        if let Some(known) = self.matched.get(glob) {
            return known.clone();
        }
        let result = self.search(glob);
        self.matched.insert(glob.into(), result.clone());
        result
    }

    fn search(&self, glob: &str) -> Matched {
        let matcher = GlobBuilder::new(glob)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|e| Arc::from(e.kind().to_string()))?
            .compile_matcher();
        let range = self.below(literal_prefix(glob).as_bytes());
        Ok(range
            .iter()
            .filter(|(path, kind)| {
                *kind == Kind::File
                    && matcher.is_match_candidate(&Candidate::from_bytes(path.as_bytes()))
            })
            .map(|(path, _)| path.clone())
            .collect())
    }

    fn find(&self, path: &[u8]) -> Option<&'w (RepoPath, Kind)> {
        let place = self
            .files
            .binary_search_by(|(p, _)| p.as_bytes().cmp(path))
            .ok()?;
        self.files.get(place)
    }
}

/// Whether `text` has a character that a glob takes for more than itself.
pub(crate) fn is_glob(text: &str) -> bool {
    text.contains(META)
}

pub(crate) const META: &[char] = &['*', '?', '[', ']', '{', '}', '\\'];

fn literal_prefix(glob: &str) -> &str {
    glob.split(META).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_regular_files_and_stop_at_slashes() {
        let mut files: Vec<_> = [
            "a.py",
            "src/b.py",
            "src/c.pyi",
            "src/d/e.py",
            "src/\\x.py",
            "é.py",
        ]
        .iter()
        .map(|p| (RepoPath::new(p.as_bytes()).unwrap(), Kind::File))
        .collect();
        files.push((RepoPath::new(b"src/link.py").unwrap(), Kind::Symlink));
        files.push((RepoPath::new(b"src/\xff.py").unwrap(), Kind::File));
        files.sort();
        let mut tree = Tree::new(&files);
        for (glob, expected) in [
            ("*.py", "a.py é.py"),
            ("src/*.py", "src/\\\\x.py src/b.py src/\\xff.py"),
            (
                "src/**/*.py",
                "src/\\\\x.py src/b.py src/d/e.py src/\\xff.py",
            ),
            ("src/?.{py,pyi}", "src/b.py src/c.pyi src/\\xff.py"),
            ("src/[bc].*", "src/b.py src/c.pyi"),
            ("nothing/*", ""),
        ] {
            let found = tree.matching(glob).unwrap();
            let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
            let mut shown_sorted = shown.clone();
            shown_sorted.sort();
            let mut expected: Vec<_> = expected.split_whitespace().map(str::to_owned).collect();
            expected.sort();
            assert_eq!(shown_sorted, expected, "{glob}");
        }
        assert!(tree.matching("src/[").is_err());
        assert!(tree.is_directory(b"src/d") && !tree.is_directory(b"src/b.py"));
        assert!(matches!(
            tree.blocked(b"src/link.py/x"),
            Some(Blocked::Symlink(_))
        ));
    }
}
