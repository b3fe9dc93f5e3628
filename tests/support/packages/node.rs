//! Packages of the Node registry that publish their tests, and the tools that rewrite them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::{Repo, skip};
use super::{cached, copy, run};

const MANIFEST: &str = include_str!("../node/package.json");
const LOCK: &str = include_str!("../node/package-lock.json");

/// `sax` 0.5.8 and `find-my-way` 9.10.1, and `prettier` and `lebab` to work on them.
pub(crate) struct Node {
    place: PathBuf,
}

impl Node {
    /// Finds or makes it. Without a new enough Node or a network, says loudly that `test` is skipped.
    pub(crate) fn get(test: &str) -> Option<Self> {
        match cached("node", &[MANIFEST, LOCK], fill) {
            Ok(place) => Some(Self { place }),
            Err(why) => {
                skip(test, &why);
                None
            }
        }
    }

    /// The directory of all installed packages: what a plan must let checks and workers read.
    pub(crate) fn modules(&self) -> PathBuf {
        self.place.join("node_modules")
    }

    /// A repository with the package as it was published, in one commit; the tools are first on `PATH`.
    pub(crate) fn repo_of(&self, package: &str) -> Repo {
        let mut repo = Repo::new();
        copy(&self.modules().join(package), repo.dir());
        repo.path_first(&self.modules().join(".bin"));
        repo.commit(package);
        repo
    }
}

fn fill(place: &Path) -> Result<(), String> {
    for (name, text) in [("package.json", MANIFEST), ("package-lock.json", LOCK)] {
        fs::write(place.join(name), text).map_err(|e| e.to_string())?;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(place)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run(&mut npm)?;
    // A Node that is too old for a package says nothing about Seawall.
    for (package, file) in [
        ("sax", "test/index.js"),
        ("find-my-way", "test/find.test.js"),
    ] {
        let package = place.join("node_modules").join(package);
        run(Command::new("node").arg(file).current_dir(package))?;
    }
    Ok(())
}
