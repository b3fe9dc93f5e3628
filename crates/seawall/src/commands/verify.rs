//! `seawall verify`: whether a run's record still holds, offline and without writing anything.
//!
//! Everything is read again: the journal's chain, the pinned plan, each commit, tree and file that a record names. The
//! comparing itself is in `seawall_report::audit`. It costs what the run changed, not what the repository holds.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use seawall_core::event::Event;
use seawall_core::ids::{Commit, Digest, Digester, Tree};
use seawall_core::plan::Plan;
use seawall_core::words::many;
use seawall_git::{CommitId, Entry as TreeEntry, EntryKind, Store};
use seawall_journal::{JournalError, Record};
use seawall_report::audit::{
    Audit, CommitFacts, Differs, Evident, FileFacts, Files, Leaf, Objects, Problem, audit,
    audit_text, taken,
};
use seawall_report::receipt::Entry;

use super::rerun;
use crate::args::VerifyArgs;
use crate::failure::{FINE, Failure, chain};
use crate::output;
use crate::runs::{self, RunDir};

/// What was looked for is not so: something is broken.
const BROKEN: u8 = 1;

pub(crate) fn run(store: &Store, args: &VerifyArgs) -> Result<u8, Failure> {
    let dir = runs::find(store, args.run.as_deref())?;
    // Asked before reading: of a run that goes on, the branch may be ahead of what is read.
    let alive = dir.is_alive();
    let read = Read::of(&dir)?;
    let entries = read.records.iter().map(|record| Entry {
        seq: record.seq,
        sum: &record.sum,
        event: &record.body,
    });
    let evident = Evident {
        plan: read.plan.as_ref(),
        entries: entries.collect(),
        cut: alive || read.cut,
    };
    let held: (&dyn Objects, &dyn Files) = (&Repository(store), &Directory(dir.place.root()));
    let mut found = audit(&dir.id, &evident, held, read.problems);
    found.notes.extend(read.notes);
    if args.rerun {
        run_again(store, &dir, &evident, &mut found)?;
    }
    if alive {
        found
            .notes
            .push("the run goes on: this is what was written so far".to_owned());
    }
    if args.json {
        let value = serde_json::to_value(&found).map_err(|e| Failure::failed(e.to_string()))?;
        output::say_json(&value);
    } else {
        output::say(&audit_text(&found));
    }
    Ok(if found.problems.is_empty() {
        FINE
    } else {
        BROKEN
    })
}

/// Runs the checks again, unless something is broken: a plan or a commit that is not the run's must not be run.
fn run_again(
    store: &Store,
    dir: &RunDir,
    evident: &Evident<'_>,
    found: &mut Audit,
) -> Result<(), Failure> {
    let first = evident.entries.first().map(|entry| entry.event);
    let (Some(plan), Some(Event::RunStarted(started)), true) =
        (evident.plan, first, found.problems.is_empty())
    else {
        let note = "no check was run again: what is broken comes first";
        found.notes.push(note.to_owned());
        return Ok(());
    };
    let looks = taken(evident.entries.iter().copied());
    let differ = rerun::again(store, dir, (plan, started), &looks)?;
    let checks = many(looks.iter().map(|look| look.showed.len()).sum(), "check");
    let same = match differ.len() {
        0 => "all as then".to_owned(),
        n => format!("{n} otherwise"),
    };
    found.notes.push(format!("{checks} run again, {same}"));
    found.problems.extend(differ);
    Ok(())
}

/// What could be read of a run's directory.
struct Read {
    records: Vec<Record<Event>>,
    plan: Option<Plan>,
    /// Whether there is more of the journal than its intact beginning.
    cut: bool,
    problems: Vec<Problem>,
    notes: Vec<String>,
}

impl Read {
    fn of(dir: &RunDir) -> Result<Self, Failure> {
        let mut read = Self {
            records: Vec::new(),
            plan: None,
            cut: false,
            problems: Vec::new(),
            notes: Vec::new(),
        };
        read.journal(&dir.journal())?;
        if read.records.is_empty() && !read.cut {
            // The same words as everywhere.
            dir.read()?;
        }
        read.plan(&dir.place.root().join("plan.json"))?;
        Ok(read)
    }

    fn journal(&mut self, path: &Path) -> Result<(), Failure> {
        match seawall_journal::read(path) {
            Ok(opened) => {
                if opened.torn > 0 {
                    self.notes.push(format!(
                        "the last record is cut off ({} bytes), as by a crash; `seawall resume` takes it away",
                        opened.torn
                    ));
                }
                self.records = opened.records;
            }
            Err(JournalError::Damaged { line, why, .. }) => {
                self.cut = true;
                let what = format!(
                    "line {line} of journal.jsonl is damaged: {why}; only what stands before it is looked at"
                );
                self.problems
                    .push(Problem::new("journal", what).at(line.saturating_sub(1)));
                self.records = beginning(path, line.saturating_sub(1))?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The plan, if it is the one that the journal names.
    fn plan(&mut self, path: &Path) -> Result<(), Failure> {
        let named = match self.records.first().map(|first| &first.body) {
            Some(Event::RunStarted(started)) => started.plan.clone(),
            Some(_) => {
                let what = "it does not begin with the start of a run";
                self.problems.push(Problem::new("journal", what).at(0));
                return Ok(());
            }
            None => return Ok(()),
        };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                self.problems
                    .push(Problem::new("plan", "plan.json is gone").at(0));
                return Ok(());
            }
            Err(e) => {
                return Err(Failure::failed(format!(
                    "cannot read `{}`: {e}",
                    path.display()
                )));
            }
        };
        let digest = Digest::of(&bytes);
        if digest != named {
            let (is, says) = (digest.short(), named.short());
            let what = format!("plan.json has digest {is}, the journal says {says}");
            self.problems.push(Problem::new("plan", what).at(0));
            return Ok(());
        }
        match serde_json::from_slice(&bytes) {
            Ok(plan) => self.plan = Some(plan),
            Err(error) => {
                let what = format!("plan.json cannot be understood by this version: {error}");
                self.problems.push(Problem::new("plan", what).at(0));
            }
        }
        Ok(())
    }
}

/// The first records of a journal that is damaged behind them.
fn beginning(path: &Path, lines: u64) -> Result<Vec<Record<Event>>, Failure> {
    let cannot =
        |e: std::io::Error| Failure::failed(format!("cannot read `{}`: {e}", path.display()));
    let bytes = std::fs::read(path).map_err(cannot)?;
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    let intact = bytes.split_inclusive(|byte| *byte == b'\n').take(lines);
    let mut copy = tempfile::NamedTempFile::new().map_err(cannot)?;
    for line in intact {
        copy.write_all(line).map_err(cannot)?;
    }
    copy.flush().map_err(cannot)?;
    Ok(seawall_journal::read(copy.path())?.records)
}

/// The run's directory, as the audit asks for it.
struct Directory<'a>(&'a Path);

impl Files for Directory<'_> {
    fn file(&self, path: &str) -> Result<Option<FileFacts>, String> {
        let path = self.0.join(path);
        let told = |e: std::io::Error| e.to_string();
        match std::fs::symlink_metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            // What is no file is not opened: a pipe would never end.
            Ok(facts) if !facts.is_file() => return Err("it is not a file".to_owned()),
            facts => facts.map(drop).map_err(told)?,
        }
        let (mut digester, mut bytes, mut piece) = (Digester::default(), 0, vec![0; 64 << 10]);
        let mut file = File::open(&path).map_err(told)?;
        loop {
            let read = file.read(&mut piece).map_err(told)?;
            if read == 0 {
                let digest = digester.finish();
                return Ok(Some(FileFacts { digest, bytes }));
            }
            digester.update(&piece[..read]);
            bytes += read as u64;
        }
    }
}

/// The repository, as the audit asks for it.
struct Repository<'a>(&'a Store);

fn told(error: seawall_git::Error) -> String {
    chain(&error)
}

impl Objects for Repository<'_> {
    fn commit(&self, id: &Commit) -> Result<CommitFacts, String> {
        let facts = self.0.facts(&parse(id)?).map_err(told)?;
        let parents = facts
            .parents
            .iter()
            .map(|parent| Commit::from(parent.as_str()));
        Ok(CommitFacts {
            parents: parents.collect(),
            tree: Tree::from(facts.tree.as_str()),
            message: facts.message,
        })
    }

    fn changes(&self, from: &Commit, to: &Commit) -> Result<Vec<Differs>, String> {
        let (from, to) = (parse(from)?, parse(to)?);
        let changes = self.0.changed_between(&from, &to).map_err(told)?;
        let paths: Vec<&[u8]> = changes
            .iter()
            .map(|change| change.path.as_slice())
            .collect();
        let after = self.0.entries(&to, &paths).map_err(told)?;
        // Each file and link is there, and is what its id says: libgit2 compares them when it reads.
        self.0.read_each(&to, &paths, |_, _| {}).map_err(told)?;
        let mut all = Vec::new();
        for (change, after) in changes.iter().zip(after) {
            if let Some(link) = after
                .as_ref()
                .filter(|entry| entry.kind == EntryKind::Symlink)
            {
                self.0.blob(&link.blob).map_err(told)?;
            }
            all.push(Differs {
                path: change.path.clone(),
                before: change.before.as_ref().map(|blob| blob.as_str().to_owned()),
                after: after.map(leaf),
            });
        }
        Ok(all)
    }

    fn composed(&self, base: &Commit, harvests: &[Commit]) -> Result<Option<Tree>, String> {
        let all = harvests.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        match self.0.would_compose(&parse(base)?, &all) {
            Ok(tree) => Ok(Some(Tree::from(tree.as_str()))),
            Err(error) if error.does_not_fit() => Ok(None),
            Err(error) => Err(told(error)),
        }
    }

    fn without_each(&self, base: &Commit, harvests: &[Commit]) -> Result<Vec<Tree>, String> {
        let all = harvests.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let trees = self.0.without_each(&parse(base)?, &all).map_err(told)?;
        Ok(trees.iter().map(|tree| Tree::from(tree.as_str())).collect())
    }

    fn tip(&self, name: &str) -> Result<Option<Commit>, String> {
        let tip = self.0.tip(name).map_err(told)?;
        Ok(tip.map(|at| Commit::from(at.as_str())))
    }
}

fn parse(id: &Commit) -> Result<CommitId, String> {
    id.0.parse().map_err(told)
}

fn leaf(entry: TreeEntry) -> Leaf {
    Leaf {
        kind: match entry.kind {
            EntryKind::File { executable: false } => "file",
            EntryKind::File { executable: true } => "program",
            EntryKind::Symlink => "symlink",
            EntryKind::Submodule => "submodule",
        },
        content: entry.blob.as_str().to_owned(),
    }
}
