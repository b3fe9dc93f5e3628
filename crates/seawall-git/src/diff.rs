//! Differences for people: as text, and as numbers.
//!
//! Only trees are compared; nothing that a worker wrote is run for it (no external diff, no text conversion).

use git2::{Diff, DiffFormat, DiffLine, DiffOptions, Oid, Patch, Repository};

use crate::batch::Batch;
use crate::edit::{Edit, changes};
use crate::error::{Result, git};
use crate::id::CommitId;
use crate::path::as_path;
use crate::store::Store;
use crate::tree::{EntryKind, Leaf, commit_tree, find_tree};

/// The size of a difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stat {
    /// files that differ
    pub files: usize,
    /// lines that came
    pub insertions: usize,
    /// lines that went
    pub deletions: usize,
}

impl Store {
    /// The unified difference between two commits, at most about `cap` bytes of it; a last line says when it was cut.
    /// What is not UTF-8 is replaced by U+FFFD, so this is for reading and not for applying.
    pub fn diff_text(&self, from: &CommitId, to: &CommitId, cap: usize) -> Result<String> {
        let repo = self.handle()?;
        let (from, to) = (commit_tree(&repo, from)?.id(), commit_tree(&repo, to)?.id());
        let diff = between(&repo, from, to)?;
        let mut text = Vec::new();
        let mut cut = false;
        let printed = diff.print(DiffFormat::Patch, |_, _, line| {
            cut = text.len() + line.content().len() > cap;
            if !cut {
                add_line(&mut text, &line);
            }
            !cut
        });
        match printed {
            Err(_) if cut => {
                text.extend_from_slice(format!("[cut after {} bytes]\n", text.len()).as_bytes())
            }
            printed => printed.map_err(git("print a difference"))?,
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// Counts path by path: libgit2's own count looks into trees that are the same.
pub(crate) fn stat_of(batch: &Batch<'_>, edits: &[Edit]) -> Result<Stat> {
    let mut stat = Stat::default();
    for edit in edits {
        let (before, after) = (content(batch, edit.from)?, content(batch, edit.to)?);
        let path = Some(as_path(&edit.path));
        let patch = Patch::from_buffers(&before, path, &after, path, None)
            .map_err(git("compare two files"))?;
        let (_, came, went) = patch.line_stats().map_err(git("count a difference"))?;
        stat.files += 1;
        stat.insertions += came;
        stat.deletions += went;
    }
    Ok(stat)
}

/// What git compares for a leaf; for a submodule, a line that names its commit.
fn content(batch: &Batch<'_>, leaf: Option<Leaf>) -> Result<Vec<u8>> {
    match leaf {
        None => Ok(Vec::new()),
        Some(leaf) if leaf.kind == EntryKind::Submodule => {
            Ok(format!("Subproject commit {}\n", leaf.id).into_bytes())
        }
        Some(leaf) => Ok(batch.read(leaf.id)?.bytes().to_vec()),
    }
}

fn between(repo: &Repository, from: Oid, to: Oid) -> Result<Diff<'_>> {
    let edits = changes(repo, from, to)?;
    let (from, to) = (find_tree(repo, from)?, find_tree(repo, to)?);
    let mut options = DiffOptions::new();
    // libgit2 would look into every tree, even where both are the same.
    options.disable_pathspec_match(true);
    for edit in &edits {
        options.pathspec(edit.path.as_slice());
    }
    if edits.is_empty() {
        return repo
            .diff_tree_to_tree(None, None, None)
            .map_err(git("compare two trees"));
    }
    options
        .include_typechange(true)
        .context_lines(3)
        .interhunk_lines(0)
        .old_prefix("a")
        .new_prefix("b");
    repo.diff_tree_to_tree(Some(&from), Some(&to), Some(&mut options))
        .map_err(git("compare two trees"))
}

/// A content line has its sign apart; all others are complete.
fn add_line(text: &mut Vec<u8>, line: &DiffLine<'_>) {
    if let sign @ ('+' | '-' | ' ') = line.origin() {
        text.push(sign as u8);
    }
    text.extend_from_slice(line.content());
}
