//! The record of a layer that git wrote: which files are not, byte by byte, what the commit has, and which are left out.
//!
//! It stands in a file beside the layer, written before the layer gets its name. A harvest asks it what the worker was
//! given at a path; it is read once and then kept, so a harvest does not pay for a large one.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use git2::{Index, IndexEntryExtendedFlag, Oid};

use crate::compare::hash;
use crate::dirfd::Root;
use crate::error::{Error, Result, git, io as at};
use crate::id::CommitId;
use crate::store::Store;
use crate::users_git::UsersGit;

const FIRST_LINE: &[u8] = b"seawall layer 1";

/// What one layer holds instead of what the commit has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// the commit whose attributes count
    pub(crate) attributes: CommitId,
    /// the setting that asked for git
    pub(crate) why: String,
    /// how many files, links and submodules the layer holds
    pub(crate) files: u64,
    /// path and blob to what was written for it
    pub(crate) converted: HashMap<Vec<u8>, (Oid, Oid)>,
    /// paths that a sparse checkout leaves out
    pub(crate) left_out: BTreeSet<Vec<u8>>,
}

/// Where the record of a layer is.
pub(crate) fn beside(layer: &Path, end: &str) -> PathBuf {
    let mut name = layer.file_name().unwrap_or_default().to_owned();
    name.push(end);
    layer.with_file_name(name)
}

impl Record {
    /// Compares what git wrote below `root` with its index.
    pub(crate) fn take(
        root: &Root,
        index: &Path,
        attributes: &CommitId,
        why: &str,
    ) -> Result<Self> {
        let mut record = Self {
            attributes: attributes.clone(),
            why: why.to_owned(),
            files: 0,
            converted: HashMap::new(),
            left_out: BTreeSet::new(),
        };
        let index = Index::open(index).map_err(git("read the index of a layer"))?;
        let skipped = IndexEntryExtendedFlag::SKIP_WORKTREE.bits();
        for entry in index.iter() {
            if entry.flags_extended & skipped != 0 {
                record.left_out.insert(entry.path);
                continue;
            }
            record.files += 1;
            if entry.mode & 0o170000 != 0o100000 {
                continue;
            }
            let opened = root.file(&entry.path);
            let (file, stat) = opened.map_err(root.fail("open", &entry.path))?;
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            let written = hash(&file, size).map_err(at("read", &root.path(&entry.path)))?;
            match written {
                Some(written) if written == entry.id => {}
                Some(written) => {
                    record.converted.insert(entry.path, (entry.id, written));
                }
                None => return Err(root.fail("read", &entry.path)(nix::errno::Errno::EBUSY)),
            }
        }
        Ok(record)
    }

    pub(crate) fn write(&self, layer: &Path) -> Result<()> {
        let mut text = Vec::new();
        let mut line = |parts: &[&[u8]]| {
            text.extend(parts.concat());
            text.push(0);
        };
        line(&[FIRST_LINE]);
        line(&[self.attributes.as_str().as_bytes()]);
        line(&[self.why.as_bytes()]);
        line(&[self.files.to_string().as_bytes()]);
        for (path, (blob, written)) in &self.converted {
            line(&[format!("c {blob} {written} ").as_bytes(), path]);
        }
        self.left_out.iter().for_each(|path| line(&[b"s ", path]));
        let file = beside(layer, ".record");
        fs::write(&file, text).map_err(at("write", &file))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut lines = text.strip_suffix(b"\0")?.split(|byte| *byte == 0);
        let mut head = || str::from_utf8(lines.next()?).ok();
        if head()?.as_bytes() != FIRST_LINE {
            return None;
        }
        let mut record = Self {
            attributes: head()?.parse().ok()?,
            why: head()?.to_owned(),
            files: head()?.parse().ok()?,
            converted: HashMap::new(),
            left_out: BTreeSet::new(),
        };
        let id = |text: &[u8]| Oid::from_str(str::from_utf8(text).ok()?).ok();
        for line in lines {
            match line.split_at_checked(2)? {
                (b"s ", path) => drop(record.left_out.insert(path.to_vec())),
                (b"c ", rest) => {
                    let (blob, written) = (id(rest.get(..40)?)?, id(rest.get(41..81)?)?);
                    record
                        .converted
                        .insert(rest.get(82..)?.to_vec(), (blob, written));
                }
                _ => return None,
            }
        }
        Some(record)
    }
}

/// Records that were read, by file and what identified it then.
#[derive(Debug, Default)]
pub(crate) struct Records(Mutex<HashMap<(PathBuf, u64, i64), Arc<Record>>>);

impl Records {
    /// The record of a layer, if git wrote it.
    pub(crate) fn of(&self, layer: &Path) -> Result<Option<Arc<Record>>> {
        let file = beside(layer, ".record");
        let found = match fs::symlink_metadata(&file) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(at("look at", &file)(source)),
        };
        let key = (file.clone(), found.ino(), found.mtime_nsec());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = known.get(&key) {
            return Ok(Some(Arc::clone(record)));
        }
        let text = fs::read(&file).map_err(at("read", &file))?;
        let damaged = || Error::Io {
            doing: "understand",
            path: file.clone(),
            source: io::Error::from(io::ErrorKind::InvalidData),
        };
        let record = Arc::new(Record::parse(&text).ok_or_else(damaged)?);
        known.insert(key, Arc::clone(&record));
        Ok(Some(record))
    }
}

/// What a stack of layers holds instead of what its commit has.
#[derive(Debug, Default)]
pub(crate) struct Conversions {
    records: Vec<Arc<Record>>,
    /// git with the settings of the base, and where the base lies
    git: Option<(UsersGit, PathBuf)>,
}

impl Conversions {
    /// Those of some layers, the top one first; none where Seawall wrote everything itself.
    pub(crate) fn of(store: &Store, layers: &[&Path]) -> Result<Self> {
        let mut found = Self::default();
        for layer in layers {
            let Some(record) = store.records().of(layer)? else {
                continue;
            };
            let git = UsersGit::new(store, &record.attributes, &record.why)?;
            // The lowest is the base.
            found.git = Some((git, layer.to_path_buf()));
            found.records.push(record);
        }
        Ok(found)
    }

    /// The id of what was written for a blob, if that is not the blob itself.
    pub(crate) fn written(&self, path: &[u8], blob: Oid) -> Option<Oid> {
        let mut found = self
            .records
            .iter()
            .filter_map(|record| record.converted.get(path));
        found
            .find(|(of, _)| *of == blob)
            .map(|(_, written)| *written)
    }

    pub(crate) fn left_out(&self, path: &[u8]) -> bool {
        self.records
            .iter()
            .any(|record| record.left_out.contains(path))
    }

    /// Git for what is taken from a workspace, where the settings ask for it, and where the base lies.
    pub(crate) fn git(&self) -> Option<(&UsersGit, &Path)> {
        self.git.as_ref().map(|(git, layer)| (git, layer.as_path()))
    }

    /// The commit whose attributes count, and what asked for git.
    pub(crate) fn source(&self) -> Option<(&CommitId, &str)> {
        let base = self.records.last()?;
        Some((&base.attributes, &base.why))
    }
}
