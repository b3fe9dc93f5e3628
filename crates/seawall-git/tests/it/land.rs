//! Landing: what it does to the user's checkout, and everything that it refuses.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::common::{git, put, run};
use seawall_git::{CommitId, Error, Landed, Store};
use tempfile::TempDir;

fn commit(repo: &Path, rev: &str) -> CommitId {
    git(repo, &["rev-parse", rev]).parse().unwrap()
}

struct Site {
    dir: TempDir,
    store: Store,
    base: CommitId,
    target: CommitId,
}

impl Site {
    /// `main` is checked out at the base; the target changes, adds, deletes, and makes a file of a directory and back.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("repo");
        fs::create_dir(&repo).unwrap();
        git(&repo, &["init", "-q", "-b", "main"]);
        put(&repo, b"same", "same\n");
        put(&repo, b"mod", "old\n");
        put(&repo, b"del", "old\n");
        put(&repo, b"dir/one", "1\n");
        put(&repo, b"flat", "flat\n");
        put(&repo, b".gitignore", "*.tmp\n");
        git(&repo, &["add", "-A"]);
        git(&repo, &["commit", "-q", "-m", "base"]);
        git(&repo, &["checkout", "-q", "-b", "next"]);
        put(&repo, b"mod", "new\n");
        put(&repo, b"add/ed", "new\n");
        put(&repo, b"made.tmp", "tracked, though ignored\n");
        fs::remove_file(repo.join("del")).unwrap();
        fs::remove_file(repo.join("flat")).unwrap();
        put(&repo, b"flat/deep", "now below\n");
        fs::remove_dir_all(repo.join("dir")).unwrap();
        put(&repo, b"dir", "now a file\n");
        git(&repo, &["add", "-A", "-f"]);
        git(&repo, &["commit", "-q", "-m", "next"]);
        git(&repo, &["checkout", "-q", "main"]);
        let store = Store::discover(&repo).unwrap();
        let (base, target) = (commit(&repo, "main"), commit(&repo, "next"));
        Self {
            dir,
            store,
            base,
            target,
        }
    }

    fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn status(&self) -> String {
        git(&self.repo(), &["status", "--porcelain"])
    }

    fn land(&self) -> Result<Landed, Error> {
        self.store.land("main", &self.target)
    }

    fn assert_landed(&self) {
        assert_eq!(commit(&self.repo(), "main"), self.target);
        assert_eq!(self.status(), "");
        assert_eq!(
            fs::read_to_string(self.repo().join("dir")).unwrap(),
            "now a file\n"
        );
        assert_eq!(
            fs::read_to_string(self.repo().join("flat/deep")).unwrap(),
            "now below\n"
        );
        assert!(!self.repo().join("del").exists());
    }
}

#[test]
fn the_checkout_follows() {
    let site = Site::new();
    put(&site.repo(), b"unrelated", "untracked\n");
    put(&site.repo(), b"same", "changed, and not in the way\n");
    let landed = site.land().unwrap();
    let (from, to) = (site.base.clone(), site.target.clone());
    assert_eq!(
        landed,
        Landed::Moved {
            branch: "main".to_owned(),
            from,
            to: to.clone(),
            files: Some(8)
        }
    );
    assert_eq!(site.status(), " M same\n?? unrelated");
    for log in ["main", "HEAD"] {
        let said = git(&site.repo(), &["reflog", "-1", "--format=%gs", log]);
        assert_eq!(said, "seawall: land (fast-forward)", "{log}");
    }
    git(&site.repo(), &["checkout", "-q", "same"]);
    fs::remove_file(site.repo().join("unrelated")).unwrap();
    site.assert_landed();
    let again = site.store.land("refs/heads/main", &site.target).unwrap();
    assert_eq!(
        again,
        Landed::AlreadyThere {
            branch: "main".to_owned(),
            at: to.clone()
        }
    );
    let back = site.store.land("main", &site.base).unwrap();
    assert_eq!(
        back,
        Landed::AlreadyThere {
            branch: "main".to_owned(),
            at: to
        }
    );
    assert!(git(&site.repo(), &["fsck", "--strict"]).is_empty());
}

type Prepare = fn(&Path);

/// What the user did meanwhile, and what is in the way.
const IN_THE_WAY: &[(&str, Prepare, &[&str])] = &[
    ("changed", |repo| put(repo, b"mod", "mine\n"), &["mod"]),
    (
        "changed and staged",
        |repo| {
            put(repo, b"mod", "mine\n");
            git(repo, &["add", "mod"]);
        },
        &["mod"],
    ),
    (
        "staged, then put back",
        |repo| {
            put(repo, b"mod", "mine\n");
            git(repo, &["add", "mod"]);
            put(repo, b"mod", "old\n");
        },
        &["mod"],
    ),
    (
        "staged, then as the target",
        |repo| {
            put(repo, b"mod", "mine\n");
            git(repo, &["add", "mod"]);
            put(repo, b"mod", "new\n");
        },
        &["mod"],
    ),
    (
        "deleted",
        |repo| fs::remove_file(repo.join("mod")).unwrap(),
        &["mod"],
    ),
    (
        "changed what goes",
        |repo| put(repo, b"del", "mine\n"),
        &["del"],
    ),
    (
        "untracked",
        |repo| put(repo, b"add/ed", "mine\n"),
        &["add/ed"],
    ),
    (
        "ignored",
        |repo| put(repo, b"made.tmp", "mine\n"),
        &["made.tmp"],
    ),
    (
        "a file where a directory is needed",
        |repo| put(repo, b"add", "mine\n"),
        &["add/ed"],
    ),
    (
        "a link where a directory is needed",
        |repo| symlink("/tmp", repo.join("add")).unwrap(),
        &["add/ed"],
    ),
    (
        "changed below what becomes a file",
        |repo| put(repo, b"dir/one", "mine\n"),
        &["dir/one"],
    ),
    (
        "several",
        |repo| {
            put(repo, b"mod", "mine\n");
            put(repo, b"del", "mine\n");
        },
        &["del", "mod"],
    ),
];

#[test]
fn changes_in_the_way_are_listed_and_nothing_is_done() {
    for (name, prepare, expected) in IN_THE_WAY {
        let site = Site::new();
        prepare(&site.repo());
        let before = site.status();
        let index = fs::read(site.repo().join(".git/index")).unwrap();
        let error = site.land().unwrap_err();
        let Error::InTheWay(paths) = &error else {
            panic!("{name}: {error}")
        };
        let paths: Vec<_> = paths
            .iter()
            .map(|path| String::from_utf8_lossy(path))
            .collect();
        assert_eq!(paths, *expected, "{name}");
        assert_eq!(commit(&site.repo(), "main"), site.base, "{name}");
        assert!(
            fs::read(site.repo().join(".git/index")).unwrap() == index,
            "{name}"
        );
        assert_eq!(site.status(), before, "{name}");
    }
}

#[test]
fn untracked_files_below_a_directory_that_becomes_a_file_are_kept() {
    let site = Site::new();
    put(&site.repo(), b"dir/mine", "mine\n");
    let error = site.land().unwrap_err();
    assert_eq!(
        fs::read_to_string(site.repo().join("dir/mine")).unwrap(),
        "mine\n",
        "{error}"
    );
    assert_eq!(commit(&site.repo(), "main"), site.base);
    assert_eq!(site.status(), "?? dir/mine");
}

#[test]
fn an_interrupted_landing_is_finished() {
    let site = Site::new();
    // As after a crash in the middle of the checkout: some files are there, the index and the branch are not.
    put(&site.repo(), b"mod", "new\n");
    put(&site.repo(), b"add/ed", "new\n");
    fs::remove_file(site.repo().join("del")).unwrap();
    site.land().unwrap();
    site.assert_landed();
    // As after a crash between the checkout and the branch.
    let site = Site::new();
    git(&site.repo(), &["read-tree", "-m", "-u", "main", "next"]);
    site.land().unwrap();
    site.assert_landed();
}

/// Every state that a crash in the middle of a checkout can leave: each file old, gone, or new.
#[test]
fn a_landing_interrupted_anywhere_is_finished() {
    let remove = |path: PathBuf| match path.is_dir() {
        true => fs::remove_dir_all(path).unwrap(),
        false => fs::remove_file(path).unwrap(),
    };
    for state in 0..64u32 {
        let site = Site::new();
        let repo = site.repo();
        if state & 3 > 0 {
            remove(repo.join("dir"));
        }
        match state & 3 {
            2 => fs::create_dir(repo.join("dir")).unwrap(),
            3 => put(&repo, b"dir", "now a file\n"),
            _ => {}
        }
        if state >> 2 & 3 > 0 {
            remove(repo.join("flat"));
        }
        match state >> 2 & 3 {
            2 => fs::create_dir(repo.join("flat")).unwrap(),
            3 => put(&repo, b"flat/deep", "now below\n"),
            _ => {}
        }
        if state & 16 > 0 {
            put(&repo, b"mod", "new\n");
            put(&repo, b"made.tmp", "tracked, though ignored\n");
        }
        if state & 32 > 0 {
            put(&repo, b"add/ed", "new\n");
            remove(repo.join("del"));
        }
        // Another size: git takes a file of one size and second for unchanged.
        put(&repo, b"same", "mine, and longer\n");
        put(&repo, b"dirt", "mine\n");
        site.land()
            .unwrap_or_else(|error| panic!("state {state:06b}: {error}"));
        assert_eq!(
            fs::read_to_string(repo.join("same")).unwrap(),
            "mine, and longer\n",
            "state {state:06b}"
        );
        assert_eq!(site.status(), " M same\n?? dirt", "state {state:06b}");
        git(&repo, &["checkout", "-q", "same"]);
        remove(repo.join("dirt"));
        site.assert_landed();
    }
}

/// A landing that only adds, or changes nothing, must not touch what is unsaved elsewhere.
#[test]
fn nothing_else_is_written() {
    let site = Site::new();
    let repo = site.repo();
    git(&repo, &["checkout", "-q", "-b", "adds"]);
    put(&repo, b"deep/er/new", "new\n");
    git(&repo, &["add", "-A"]);
    git(&repo, &["commit", "-q", "-m", "adds"]);
    git(&repo, &["commit", "-q", "--allow-empty", "-m", "empty"]);
    git(&repo, &["checkout", "-q", "main"]);
    put(&repo, b"same", "mine, and longer\n");
    put(&repo, b"mod", "staged, and longer\n");
    git(&repo, &["add", "mod"]);
    fs::remove_file(repo.join("del")).unwrap();
    put(&repo, b"deep/er/new", "new\n");
    let before = " D del\nM  mod\n M same";
    site.store
        .land("main", &commit(&site.repo(), "adds~1"))
        .unwrap();
    assert_eq!(site.status(), before);
    let landed = site
        .store
        .land("main", &commit(&site.repo(), "adds"))
        .unwrap();
    assert!(matches!(landed, Landed::Moved { files: Some(0), .. }));
    assert_eq!(site.status(), before);
    assert_eq!(
        fs::read_to_string(repo.join("same")).unwrap(),
        "mine, and longer\n"
    );
}

#[test]
fn another_branch_moves_alone() {
    let site = Site::new();
    git(&site.repo(), &["branch", "other"]);
    let landed = site.store.land("other", &site.target).unwrap();
    assert!(matches!(landed, Landed::Moved { files: None, .. }));
    assert_eq!(commit(&site.repo(), "other"), site.target);
    assert_eq!(
        (site.status(), commit(&site.repo(), "main")),
        (String::new(), site.base.clone())
    );
    git(&site.repo(), &["branch", "third"]);
    git(
        &site.repo(),
        &["worktree", "add", "-q", "../linked", "third"],
    );
    let error = site.store.land("third", &site.target).unwrap_err();
    assert!(matches!(error, Error::CheckedOut { .. }), "{error}");
    let linked = Store::discover(&site.dir.path().join("linked")).unwrap();
    assert!(matches!(
        linked.land("third", &site.target).unwrap(),
        Landed::Moved { files: Some(8), .. }
    ));
    assert_eq!(
        git(&site.dir.path().join("linked"), &["status", "--porcelain"]),
        ""
    );
    assert!(matches!(
        linked.land("main", &site.target),
        Err(Error::CheckedOut { .. })
    ));
}

#[test]
fn a_bare_repository_moves_the_branch() {
    let site = Site::new();
    let bare = site.dir.path().join("bare.git");
    git(&site.repo(), &["clone", "-q", "--bare", ".", "../bare.git"]);
    let landed = Store::discover(&bare)
        .unwrap()
        .land("main", &site.target)
        .unwrap();
    assert!(matches!(landed, Landed::Moved { files: None, .. }));
}

#[test]
fn other_refusals() {
    let site = Site::new();
    let repo = site.repo();
    for none in ["none", "", "a..b", "HEAD", "next~1"] {
        assert!(
            matches!(
                site.store.land(none, &site.target),
                Err(Error::NoSuchBranch(_))
            ),
            "{none}"
        );
    }
    put(&repo, b".git/index.lock", "");
    assert!(matches!(site.land(), Err(Error::Locked(path)) if path.ends_with("index.lock")));
    fs::remove_file(repo.join(".git/index.lock")).unwrap();
    put(&repo, b".git/MERGE_HEAD", site.target.as_str());
    assert!(matches!(site.land(), Err(Error::Busy(_))));
    fs::remove_file(repo.join(".git/MERGE_HEAD")).unwrap();
    put(&repo, b".git/info/attributes", "mod filter=lfs\n");
    let error = site.land().unwrap_err();
    assert!(
        matches!(&error, Error::NeedsGit { paths, .. } if paths[..] == [b"mod"]),
        "{error}"
    );
    fs::remove_file(repo.join(".git/info/attributes")).unwrap();
    git(&repo, &["update-index", "--skip-worktree", "same"]);
    assert!(matches!(site.land(), Err(Error::NeedsGit { .. })));
    git(&repo, &["update-index", "--no-skip-worktree", "same"]);
    git(&repo, &["commit", "-q", "--allow-empty", "-m", "meanwhile"]);
    assert!(matches!(site.land(), Err(Error::NotFastForward { .. })));
    assert_eq!(site.status(), "");
}

#[test]
fn hooks_do_not_run_and_line_ends_follow_the_configuration() {
    let site = Site::new();
    let repo = site.repo();
    for hook in [
        "post-checkout",
        "post-merge",
        "reference-transaction",
        "post-index-change",
    ] {
        put(
            &repo,
            format!(".git/hooks/{hook}").as_bytes(),
            "#!/bin/sh\ntouch ../pwned\n",
        );
        let (good, _) = run(&repo, &["update-index", "--refresh"], b"");
        assert!(good);
        std::process::Command::new("chmod")
            .arg("+x")
            .arg(repo.join(".git/hooks").join(hook))
            .status()
            .unwrap();
    }
    git(&repo, &["config", "core.autocrlf", "true"]);
    site.land().unwrap();
    assert_eq!(fs::read(repo.join("mod")).unwrap(), b"new\r\n");
    assert_eq!(git(&repo, &["diff", "--stat", "HEAD"]), "");
    assert!(!site.dir.path().join("pwned").exists());
}
