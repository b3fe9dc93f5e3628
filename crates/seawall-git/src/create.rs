//! A new repository with one commit, for the demonstration.

use std::fs;
use std::path::Path;

use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};

use crate::error::{Result, git, io};
use crate::id::CommitId;
use crate::store::Store;

impl Store {
    /// Makes a repository at `dir`, which must not exist or be empty, holding `files` in one commit on `main`.
    ///
    /// # Errors
    /// When the directory is in use or cannot be written.
    pub fn create(dir: &Path, files: &[(&str, &str)], message: &str) -> Result<(Self, CommitId)> {
        fs::create_dir_all(dir).map_err(io("make the directory", dir))?;
        if fs::read_dir(dir)
            .map_err(io("read the directory", dir))?
            .next()
            .is_some()
        {
            let taken = std::io::Error::from(std::io::ErrorKind::DirectoryNotEmpty);
            return Err(io("make a repository in", dir)(taken));
        }
        let repo = Repository::init_opts(
            dir,
            RepositoryInitOptions::new()
                .initial_head("main")
                .no_reinit(true),
        )
        .map_err(git("make a repository"))?;
        for (name, text) in files {
            let path = dir.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(io("make the directory", parent))?;
            }
            fs::write(&path, text).map_err(io("write", &path))?;
        }
        let commit = commit_all(&repo, message).map_err(git("make the first commit"))?;
        Ok((Self::discover(dir)?, CommitId::from_oid(commit)))
    }
}

fn commit_all(repo: &Repository, message: &str) -> std::result::Result<git2::Oid, git2::Error> {
    let mut index = repo.index()?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repo.find_tree(index.write_tree()?)?;
    let by = Signature::now("seawall", "seawall@localhost")?;
    repo.commit(Some("HEAD"), &by, &by, message, &tree, &[])
}
