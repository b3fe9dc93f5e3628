//! Moves refs: Seawall's own below `refs/seawall/`, and the branch of a run.
//!
//! A ref moves only from its expected old value. A lock file that outlives a wait on a ref that Seawall alone writes is
//! left over from a crash and removed; on any other it is reported.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use git2::{ErrorCode, Oid, Reference, Repository};

use crate::checkpoint::moved;
use crate::error::{Error, Result, git, io};
use crate::id::CommitId;
use crate::label::ROOT;
use crate::store::Store;

/// How long a lock of another process is waited for; a ref update holds it for milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Points a ref below `refs/seawall/` at a commit, wherever it was, and so keeps the commit alive.
    pub fn set_ref(&self, name: &str, target: &CommitId) -> Result<()> {
        check_own(name)?;
        let repo = self.open()?;
        if value(&repo, name)? == Some(target.oid()) {
            return Ok(());
        }
        patiently(self, name, || {
            repo.reference(name, target.oid(), true, "seawall: keep")
                .map(drop)
        })
    }

    /// The refs at or below a prefix such as `refs/seawall/run`, sorted, with their commits.
    pub fn list_refs(&self, prefix: &str) -> Result<Vec<(String, CommitId)>> {
        let repo = self.open()?;
        let mut listed = Vec::new();
        for reference in below(&repo, prefix)? {
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            let commit = reference
                .peel_to_commit()
                .map_err(git("read the commit of a ref"))?;
            listed.push((name, CommitId::from_oid(commit.id())));
        }
        listed.sort();
        Ok(listed)
    }

    /// Deletes the refs at or below a prefix, and says how many there were. Nothing is deleted outside of
    /// `refs/seawall/`. With refs that git has packed, each costs a rewrite of the pack.
    pub fn delete_refs(&self, prefix: &str) -> Result<usize> {
        let repo = self.open()?;
        let mut deleted = 0;
        for mut reference in below(&repo, prefix)? {
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            patiently(self, &name, || reference.delete())?;
            deleted += 1;
        }
        Ok(deleted)
    }
}

impl Store {
    /// Removes the locks that a killed process left beside refs at or below a prefix that only Seawall writes, when their
    /// update was complete; says how many there were.
    ///
    /// libgit2 renames by link(2) and unlink(2). Killed between the two, it leaves a lock that is the ref itself under a
    /// second name: nobody can be working under such a lock, however young it is.
    ///
    /// # Errors
    /// When a lock cannot be removed, or the prefix is none of Seawall's.
    pub fn clear_finished_locks(&self, prefix: &str) -> Result<usize> {
        if !prefix.starts_with("refs/heads/seawall/") {
            check_own(prefix)?;
        }
        let at = self.common_dir().join(prefix);
        let mut cleared = usize::from(clear_twin(&at)?);
        let mut dirs = vec![at];
        while let Some(dir) = dirs.pop() {
            // A ref has no directory; one that git has just packed away has none any more.
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    true => dirs.push(entry.path()),
                    false => cleared += usize::from(clear_twin(&entry.path())?),
                }
            }
        }
        Ok(cleared)
    }
}

/// Removes the lock of the ref at `path` when it is that very file.
fn clear_twin(path: &Path) -> Result<bool> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    let id = |path: &Path| {
        let found = path.symlink_metadata().ok()?;
        Some((found.dev(), found.ino()))
    };
    let twin = id(&lock).is_some_and(|lock| Some(lock) == id(path));
    if twin {
        std::fs::remove_file(&lock).map_err(io("remove", &lock))?;
    }
    Ok(twin)
}

fn below<'r>(repo: &'r Repository, prefix: &str) -> Result<Vec<Reference<'r>>> {
    let prefix = prefix.trim_end_matches('/');
    if prefix != ROOT.trim_end_matches('/') {
        check_own(prefix)?;
    }
    let all = repo
        .references_glob(&format!("{ROOT}*"))
        .map_err(git("list refs"))?;
    let mut found = Vec::new();
    for reference in all {
        let reference = reference.map_err(git("list refs"))?;
        let rest = reference.name_bytes().strip_prefix(prefix.as_bytes());
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")) {
            found.push(reference);
        }
    }
    Ok(found)
}

pub(crate) fn check_own(name: &str) -> Result<()> {
    let refuse = |why| {
        Err(Error::RefusedRef {
            name: name.to_owned(),
            why,
        })
    };
    match name.starts_with(ROOT) {
        false => refuse("it does not lie below `refs/seawall/`"),
        true if !Reference::is_valid_name(name) => refuse("it is not a valid name"),
        true => Ok(()),
    }
}

/// Refuses a ref that a run must not write: none of ours, not valid, or checked out somewhere.
pub(crate) fn check_branch(repo: &Repository, name: &str) -> Result<()> {
    let refuse = |why| {
        Err(Error::RefusedRef {
            name: name.to_owned(),
            why,
        })
    };
    if !name.starts_with("refs/heads/") && !name.starts_with(ROOT) {
        return refuse("it lies neither below `refs/heads/` nor below `refs/seawall/`");
    }
    if !Reference::is_valid_name(name) {
        return refuse("it is not a valid name");
    }
    match checked_out(repo, name)?.into_iter().next() {
        Some(place) => Err(Error::CheckedOut {
            branch: name.to_owned(),
            place,
        }),
        None => Ok(()),
    }
}

/// The checkouts, main and linked, that are on a branch.
pub(crate) fn checked_out(repo: &Repository, name: &str) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    if repo.is_worktree() {
        let main = Repository::open(repo.commondir());
        all.push(main.map_err(git("open the main checkout"))?);
    }
    let names = repo.worktrees().map_err(git("list the linked checkouts"))?;
    for name in names.iter_bytes() {
        // One whose directory was deleted is still listed until `git worktree prune`; nothing is checked out in it.
        let linked = str::from_utf8(name)
            .ok()
            .and_then(|name| repo.find_worktree(name).ok());
        all.extend(linked.and_then(|linked| Repository::open_from_worktree(&linked).ok()));
    }
    let mut places = Vec::new();
    let this = Some(repo).filter(|repo| !repo.is_worktree());
    for checkout in this.into_iter().chain(&all) {
        let head = checkout.find_reference("HEAD").map_err(git("read HEAD"))?;
        let on = head.symbolic_target_bytes() == Some(name.as_bytes());
        places.extend(checkout.workdir().filter(|_| on).map(PathBuf::from));
    }
    Ok(places)
}

/// The object a ref points at, if it exists.
pub(crate) fn value(repo: &Repository, name: &str) -> Result<Option<Oid>> {
    match repo.find_reference(name) {
        Ok(reference) => Ok(reference.target()),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(source) => Err(Error::Git {
            doing: "read a ref",
            source,
        }),
    }
}

/// Makes a ref that there was not a moment ago.
pub(crate) fn create(store: &Store, repo: &Repository, name: &str, to: &CommitId) -> Result<()> {
    let done = patiently(store, name, || {
        let log = "seawall: checkpoint";
        repo.reference(name, to.oid(), false, log).map(drop)
    });
    match done {
        Err(Error::Git { source, .. }) if source.code() == ErrorCode::Exists => {
            Err(moved(name, None, value(repo, name)?))
        }
        done => done,
    }
}

/// Does something that needs the lock of a ref, and waits while another process holds it.
pub(crate) fn patiently(
    store: &Store,
    name: &str,
    mut attempt: impl FnMut() -> std::result::Result<(), git2::Error>,
) -> Result<()> {
    let start = Instant::now();
    let mut cleared = false;
    loop {
        match attempt() {
            Err(error) if error.code() == ErrorCode::Locked => {}
            done => return done.map_err(git("write a ref")),
        }
        // The age of the lock counts, not our wait: a run that is killed while it waits must not begin to wait anew.
        if !cleared && clear_leftover(store, name) {
            cleared = true;
        } else if start.elapsed() < PATIENCE {
            sleep(Duration::from_millis(20));
        } else {
            return Err(Error::Locked(lock_file(store, name)));
        }
    }
}

fn lock_file(store: &Store, name: &str) -> PathBuf {
    let own = store.common_dir().join(format!("{name}.lock"));
    match own.exists() {
        true => own,
        false => store.common_dir().join("packed-refs.lock"),
    }
}

/// Removes the lock of a ref that only Seawall writes, when it is older than any update takes.
fn clear_leftover(store: &Store, name: &str) -> bool {
    if !name.starts_with(ROOT) && !name.starts_with("refs/heads/seawall/") {
        return false;
    }
    let lock = store.common_dir().join(format!("{name}.lock"));
    let modified = lock.symlink_metadata().and_then(|found| found.modified());
    let old = modified.is_ok_and(|then| then.elapsed().is_ok_and(|age| age >= PATIENCE));
    old && std::fs::remove_file(&lock).is_ok()
}
