//! The ignore rules that count for a harvest: the `.gitignore` files of the base commit.
//!
//! Those in a workspace are a worker's to write, and those of the user's machine would make a harvest depend on where
//! it runs; neither is read. A line that cannot be understood ignores nothing, which can only make a harvest stricter.

use std::cell::OnceCell;
use std::rc::Rc;

use git2::{Oid, Repository};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::{Result, git};
use crate::id::CommitId;
use crate::path::{ancestors, as_path};
use crate::tree::{EntryKind, Leaf, Node, blob_size, commit_tree, find_tree, nodes};

/// The largest `.gitignore` that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The rules of a directory and of all above it. A file of rules is read when it is first asked.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// the directory that the rules stand in
    dir: Vec<u8>,
    file: Option<Oid>,
    matcher: OnceCell<Option<Gitignore>>,
    above: Option<Rc<Rules>>,
}

impl Rules {
    /// The rules in force in `dir`, which has the given `.gitignore`.
    pub(crate) fn descend(self: &Rc<Self>, dir: &[u8], gitignore: Option<Node>) -> Rc<Self> {
        match gitignore {
            Some(Node::Leaf(Leaf {
                kind: EntryKind::File { .. },
                id,
                ..
            })) => Rc::new(Self {
                dir: dir.to_vec(),
                file: Some(id),
                matcher: OnceCell::new(),
                above: Some(Rc::clone(self)),
            }),
            _ => Rc::clone(self),
        }
    }

    /// Whether the last rule that names the path ignores it; that a directory above is ignored is the caller's to know.
    pub(crate) fn ignores(&self, repo: &Repository, path: &[u8], is_dir: bool) -> Result<bool> {
        let mut rules = Some(self);
        while let Some(here) = rules {
            if let Some(decision) = here.decide(repo, path, is_dir)? {
                return Ok(decision);
            }
            rules = here.above.as_deref();
        }
        Ok(false)
    }

    /// Whether a rule ignores the directory or one above it.
    pub(crate) fn ignores_dir(&self, repo: &Repository, dir: &[u8]) -> Result<bool> {
        if !dir.is_empty() && self.ignores(repo, dir, true)? {
            return Ok(true);
        }
        for above in ancestors(dir) {
            if self.ignores(repo, above, true)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn decide(&self, repo: &Repository, path: &[u8], is_dir: bool) -> Result<Option<bool>> {
        let below = match self.dir.is_empty() {
            true => Some(path),
            false => path
                .strip_prefix(self.dir.as_slice())
                .and_then(|rest| rest.strip_prefix(b"/")),
        };
        let (Some(below), Some(file)) = (below, self.file) else {
            return Ok(None);
        };
        let matcher = match self.matcher.get() {
            Some(matcher) => matcher,
            None => {
                let parsed = parse(repo, file)?;
                self.matcher.get_or_init(|| parsed)
            }
        };
        let matched = matcher
            .as_ref()
            .map(|rules| rules.matched(as_path(below), is_dir));
        Ok(match matched {
            None | Some(Match::None) => None,
            Some(Match::Ignore(_)) => Some(true),
            Some(Match::Whitelist(_)) => Some(false),
        })
    }
}

fn parse(repo: &Repository, id: Oid) -> Result<Option<Gitignore>> {
    if blob_size(repo, id)? > LARGEST {
        return Ok(None);
    }
    let blob = repo.find_blob(id).map_err(git("read an ignore file"))?;
    let mut builder = GitignoreBuilder::new("");
    let text = blob
        .content()
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(blob.content());
    for line in text.split(|byte| *byte == b'\n') {
        if let Ok(line) = str::from_utf8(line) {
            // A glob that does not parse adds no rule; the builder stays usable.
            let _added = builder.add_line(None, line).is_ok();
        }
    }
    Ok(builder.build().ok())
}

/// Whether the `.gitignore` files of a commit name the path or a directory above it.
pub(crate) fn ignored_by_commit(repo: &Repository, commit: &CommitId, path: &[u8]) -> Result<bool> {
    let mut tree = Some(commit_tree(repo, commit)?);
    let mut rules = Rc::new(Rules::default());
    let mut dir = &path[..0];
    loop {
        let nodes = tree
            .as_ref()
            .map(|tree| nodes(tree, dir))
            .transpose()?
            .unwrap_or_default();
        let find = |name: &[u8]| {
            let found = nodes.iter().find(|(found, _)| found == name);
            found.map(|(_, node)| *node)
        };
        rules = rules.descend(dir, find(b".gitignore"));
        let start = if dir.is_empty() { 0 } else { dir.len() + 1 };
        let end = path[start..]
            .iter()
            .position(|byte| *byte == b'/')
            .map(|at| start + at);
        let here = &path[..end.unwrap_or(path.len())];
        let ignored = rules.ignores(repo, here, end.is_some())?;
        if ignored || end.is_none() {
            return Ok(ignored);
        }
        tree = match find(&here[start..]) {
            Some(Node::Tree(id)) => Some(find_tree(repo, id)?),
            _ => None,
        };
        dir = here;
    }
}
