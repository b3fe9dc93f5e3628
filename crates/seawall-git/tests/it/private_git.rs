//! The git directory of workers, with git itself as the judge.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use seawall_git::{CommitId, Error, Owned};

use crate::common::{Fixture, git, git_with, put};

/// Runs git as a worker does: with no configuration but that of the directory.
fn worker(dir: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new("git");
    command.args(["-c", "core.quotePath=false"]);
    command.args(args).current_dir(dir).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", "/nonexistent");
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim_end().to_owned();
    (output.status.success(), text)
}

fn good(dir: &Path, args: &[&str]) -> String {
    let (good, text) = worker(dir, args);
    assert!(good, "git {args:?}: {text}");
    text
}

fn status(dir: &Path) -> String {
    good(dir, &["status", "--porcelain", "-uall"])
}

fn fsck(dir: &Path) {
    let text = good(dir, &["fsck", "--full", "--strict"]);
    for word in ["error", "missing", "broken", "warning", "dangling"] {
        assert!(!text.contains(word), "{text}");
    }
}

/// Makes everything below a directory an hour old.
fn age(dir: &Path) {
    let then = SystemTime::now() - Duration::from_secs(3600);
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        match found.file_type() {
            kind if kind.is_dir() => age(&path),
            kind if kind.is_file() => File::open(&path).unwrap().set_modified(then).unwrap(),
            _ => {}
        }
    }
}

/// The difficult repository, with history before the base, and a branch beside it.
fn fixture() -> (Fixture, [String; 2]) {
    let mut fixture = Fixture::new();
    let old = fixture.git(&["rev-parse", "HEAD"]);
    fs::write(fixture.repo().join("secret"), "of another branch\n").unwrap();
    let blob = fixture.git(&["hash-object", "-w", "--no-filters", "secret"]);
    fs::remove_file(fixture.repo().join("secret")).unwrap();
    fixture.git(&["branch", "other"]);
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]);
    let base = fixture.git(&["commit-tree", &tree, "-p", &old, "-m", "the base"]);
    fixture.git(&["update-ref", "refs/heads/main", &base]);
    fixture.base = base.parse().unwrap();
    (fixture, [old, blob])
}

fn place(fixture: &Fixture, name: &str) -> PathBuf {
    fixture.store.common_dir().join("seawall/git").join(name)
}

/// A workspace of the base with its git directory in it.
fn workspace(fixture: &Fixture, name: &str) -> PathBuf {
    let workspace = fixture.open(name, &Owned::default());
    age(&workspace);
    let dest = place(fixture, name);
    let made = fixture.store.private_git(&fixture.base, &workspace, &dest);
    made.unwrap();
    assert_eq!(fs::read_dir(&dest).unwrap().count(), 1);
    fs::rename(dest.join(".git"), workspace.join(".git")).unwrap();
    workspace
}

#[test]
fn it_holds_the_base_and_nothing_else() {
    let (fixture, others) = fixture();
    let before = fixture.user_state();
    let dir = workspace(&fixture, "one");
    assert_eq!(status(&dir), "");
    assert_eq!(good(&dir, &["diff", "HEAD"]), "");
    assert_eq!(
        good(&dir, &["log", "--format=%H %s"]),
        format!("{} the base", fixture.base)
    );
    assert_eq!(good(&dir, &["rev-parse", "HEAD"]), fixture.base.as_str());
    assert_eq!(
        good(&dir, &["for-each-ref", "--format=%(refname)"]),
        "refs/heads/base"
    );
    assert_eq!(good(&dir, &["remote"]), "");
    for other in &others {
        assert!(!worker(&dir, &["cat-file", "-e", other]).0);
    }
    let listed = |dir: &Path| good(dir, &["ls-tree", "-r", "-z", fixture.base.as_str()]);
    assert_eq!(listed(&dir), listed(&fixture.repo()));
    assert!(good(&dir, &["ls-files", "-s"]).contains("160000"));
    fsck(&dir);
    let config = fs::read_to_string(dir.join(".git/config")).unwrap();
    assert!(!config.contains("evil") && !dir.join(".git/hooks").exists());
    assert!(!dir.join(".git/objects/info").exists());
    assert!(!fixture.dir.path().join("pwned").exists());
    assert!(fixture.user_state() == before);
}

#[test]
fn changes_are_seen_and_can_be_committed() {
    let (fixture, _) = fixture();
    let dir = workspace(&fixture, "one");
    put(&dir, b"a.txt", "alpha\nBETA\ngamma\n");
    put(&dir, b"new\x01", "n\n");
    fs::remove_file(dir.join("gone.txt")).unwrap();
    fs::set_permissions(dir.join("b.txt"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(dir.join("link")).unwrap();
    symlink("b.txt", dir.join("link")).unwrap();
    put(&dir, b"dir/deep/x.log", "ignored");
    put(&dir, b"\xff\xfe/\xe9", "other\n");
    let seen = good(&dir, &["status", "--porcelain", "-uall", "-z"]);
    let seen: Vec<_> = seen.split_terminator('\0').collect();
    let expected = [
        " M a.txt",
        " M b.txt",
        " D gone.txt",
        " M link",
        " M \u{fffd}\u{fffd}/\u{fffd}",
        "?? new\u{1}",
    ];
    assert_eq!(seen, expected);
    assert!(good(&dir, &["diff", "a.txt"]).contains("-beta\n+BETA\n"));
    good(&dir, &["add", "-A"]);
    good(&dir, &["commit", "-q", "-m", "by the worker"]);
    assert_eq!(status(&dir), "");
    assert_eq!(
        good(&dir, &["log", "--format=%an %s"])
            .lines()
            .collect::<Vec<_>>(),
        ["worker by the worker", "t the base"]
    );
    assert_eq!(good(&dir, &["rev-parse", "HEAD^"]), fixture.base.as_str());
    fsck(&dir);
}

/// In an overlay, to set the time of the pack is to copy it.
#[test]
fn the_pack_is_not_touched() {
    let (fixture, _) = fixture();
    let dir = workspace(&fixture, "one");
    age(&dir.join(".git"));
    let time = || fs::metadata(pack_of(&dir)).unwrap().modified().unwrap();
    let before = time();
    fs::copy(dir.join("a.txt"), dir.join("copy")).unwrap();
    put(&dir, b"b.txt", "changed\n");
    good(&dir, &["stash", "-q"]);
    good(&dir, &["stash", "pop", "-q"]);
    good(&dir, &["add", "-A"]);
    good(&dir, &["commit", "-q", "-m", "by the worker"]);
    good(&dir, &["checkout", "-q", "HEAD^", "--", "b.txt"]);
    good(&dir, &["commit", "-q", "-m", "as it was"]);
    assert_eq!(time(), before);
    good(&dir, &["gc", "-q"]);
    assert_eq!(status(&dir), "");
    assert_eq!(good(&dir, &["rev-parse", "HEAD~2"]), fixture.base.as_str());
    fsck_dangling(&dir);
}

/// Replaces content by other of the same size, without a trace in the time.
fn swap_unseen(path: &Path, content: &str) {
    let was = fs::metadata(path).unwrap();
    assert_eq!(was.len(), content.len() as u64);
    fs::write(path, content).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(was.modified().unwrap()).unwrap();
}

#[test]
fn older_files_are_not_read_again() {
    let (fixture, _) = fixture();
    let dir = workspace(&fixture, "one");
    swap_unseen(&dir.join("b.txt"), "ONE\nTWO\n");
    assert_eq!(status(&dir), "");
}

#[test]
fn files_as_young_as_the_index_are_read_again() {
    let (fixture, _) = fixture();
    let dir = fixture.open("one", &Owned::default());
    let later = SystemTime::now() + Duration::from_secs(60);
    let file = File::options().write(true).open(dir.join("b.txt"));
    file.unwrap().set_modified(later).unwrap();
    let dest = place(&fixture, "one");
    fixture
        .store
        .private_git(&fixture.base, &dir, &dest)
        .unwrap();
    fs::rename(dest.join(".git"), dir.join(".git")).unwrap();
    assert_eq!(status(&dir), "");
    swap_unseen(&dir.join("b.txt"), "ONE\nTWO\n");
    assert_eq!(status(&dir), " M b.txt");
}

#[test]
fn an_empty_tree_and_a_first_commit() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("repo");
    fs::create_dir(&repo).unwrap();
    git(&repo, &["init", "-q"]);
    git(&repo, &["commit", "-q", "--allow-empty", "-m", "nothing"]);
    let fixture = Fixture::of(dir, &repo);
    let dir = workspace(&fixture, "empty");
    assert_eq!(status(&dir), "");
    assert!(!dir.join(".git/shallow").exists());
    fsck(&dir);
    put(&dir, b"x", "x");
    good(&dir, &["add", "-A"]);
    good(&dir, &["commit", "-q", "-m", "x"]);
    fsck(&dir);
}

#[test]
fn objects_of_all_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("repo");
    fs::create_dir(&repo).unwrap();
    git(&repo, &["init", "-q"]);
    for size in [
        0, 1, 15, 16, 17, 2047, 2048, 2049, 262_143, 262_144, 3_000_000,
    ] {
        let mut state = size as u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let content: Vec<u8> = (0..size).map(|_| byte()).collect();
        put(&repo, format!("d{}/{size}", size % 3).as_bytes(), content);
    }
    git(&repo, &["add", "-A"]);
    git(&repo, &["commit", "-q", "-m", "sizes"]);
    let fixture = Fixture::of(dir, &repo);
    let dir = workspace(&fixture, "sizes");
    fsck(&dir);
    assert_eq!(status(&dir), "");
    good(&dir, &["verify-pack", &pack_of(&dir)]);
}

fn pack_of(dir: &Path) -> String {
    let mut packs = fs::read_dir(dir.join(".git/objects/pack")).unwrap();
    let found = packs.find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension()
            .is_some_and(|end| end == "pack")
            .then_some(path)
    });
    found.unwrap().display().to_string()
}

#[test]
fn files_that_were_not_laid_are_not_missed() {
    let (fixture, _) = fixture();
    let dir = fixture.open("sparse", &Owned::default());
    fs::remove_dir_all(dir.join("dir")).unwrap();
    fs::remove_file(dir.join("empty")).unwrap();
    age(&dir);
    let dest = place(&fixture, "sparse");
    fixture
        .store
        .private_git(&fixture.base, &dir, &dest)
        .unwrap();
    fs::rename(dest.join(".git"), dir.join(".git")).unwrap();
    assert_eq!(status(&dir), "");
    put(&dir, b"a.txt", "changed\n");
    good(&dir, &["commit", "-q", "-a", "-m", "change"]);
    assert_eq!(
        good(&dir, &["diff", "--name-only", "HEAD^", "HEAD"]),
        "a.txt"
    );
}

/// A commit after the base that does everything a commit can do, and what it did as a layer.
fn next(fixture: &Fixture, layer: &Path) -> CommitId {
    let scratch = fixture.dir.path().join("scratch");
    git(fixture.dir.path(), &["clone", "-q", "repo", "scratch"]);
    for (path, content) in [
        ("a.txt", "new\n"),
        ("dir/added", "a\n"),
        ("target/z/y", "y\n"),
    ] {
        put(&scratch, path.as_bytes(), content);
        put(layer, path.as_bytes(), content);
    }
    git(&scratch, &["rm", "-q", "gone.txt", "dir/deep/x.txt"]);
    fs::remove_file(scratch.join("bin/run")).unwrap();
    fs::remove_dir(scratch.join("bin")).unwrap();
    put(&scratch, b"bin", "a file now\n");
    put(layer, b"bin", "a file now\n");
    git(&scratch, &["add", "-f", "-A"]);
    git(&scratch, &["commit", "-q", "-m", "next"]);
    let next = git(&scratch, &["rev-parse", "HEAD"]);
    fixture.git(&["fetch", "-q", "../scratch", "HEAD"]);
    next.parse().unwrap()
}

fn merge(layer: &Path, dir: &Path) {
    for path in ["gone.txt", "dir/deep/x.txt", "bin/run"] {
        fs::remove_file(dir.join(path)).unwrap();
    }
    fs::remove_dir(dir.join("bin")).unwrap();
    let copied = Command::new("cp")
        .args(["-a", "--"])
        .args([layer.join("."), dir.to_path_buf()])
        .status();
    assert!(copied.unwrap().success());
}

#[test]
fn the_next_base_shares_what_stays() {
    let (fixture, others) = fixture();
    let dir = fixture.open("merged", &Owned::default());
    age(&dir);
    let (first, second) = (place(&fixture, "first"), place(&fixture, "second"));
    let store = &fixture.store;
    store.private_git(&fixture.base, &dir, &first).unwrap();
    let layer = fixture.dir.path().join("layer");
    let next = next(&fixture, &layer);
    age(&layer);
    let onto = |from, dest: &Path| store.private_git_onto(&first, from, &next, &layer, dest);
    onto(&fixture.base, &second).unwrap();
    merge(&layer, &dir);
    fs::rename(second.join(".git"), dir.join(".git")).unwrap();
    assert_eq!(status(&dir), "");
    assert_eq!(good(&dir, &["log", "--format=%H"]), next.as_str());
    assert!(!worker(&dir, &["cat-file", "-e", &others[1]]).0);
    fsck_dangling(&dir);
    let packs: Vec<_> = fs::read_dir(dir.join(".git/objects/pack"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().nlink())
        .collect();
    assert_eq!(packs.iter().filter(|links| **links == 2).count(), 3);
    assert_eq!(packs.len(), 6);
    // Files of both sources are known without reading them.
    swap_unseen(&dir.join("b.txt"), "ONE\nTWO\n");
    swap_unseen(&dir.join("a.txt"), "NEW\n");
    assert_eq!(status(&dir), "");
    assert!(matches!(onto(&next, &second), Err(Error::RefMoved { .. })));
}

/// The objects of the earlier base may dangle; nothing else may be wrong.
fn fsck_dangling(dir: &Path) {
    let text = good(dir, &["fsck", "--full", "--strict", "--no-dangling"]);
    assert!(text.is_empty() || text.starts_with("notice"), "{text}");
}

#[test]
fn packs_do_not_pile_up() {
    let (fixture, _) = fixture();
    let store = &fixture.store;
    let dir = fixture.open("one", &Owned::default());
    let mut at = fixture.base.clone();
    let mut git_dir = place(&fixture, "0");
    store.private_git(&at, &dir, &git_dir).unwrap();
    for round in 1..=45 {
        let content = fixture.dir.path().join("content");
        fs::write(&content, format!("{round}\n")).unwrap();
        let blob = fixture.git(&["hash-object", "-w", "--no-filters", "../content"]);
        let tree = format!("100644 blob {blob}\tonly\n");
        let tree = git_with(&fixture.repo(), &["mktree"], tree.as_bytes());
        let next = fixture.git(&["commit-tree", &tree, "-p", at.as_str(), "-m", "next"]);
        let next = next.parse().unwrap();
        let dest = place(&fixture, &round.to_string());
        store
            .private_git_onto(&git_dir, &at, &next, &dir, &dest)
            .unwrap();
        (git_dir, at) = (dest, next);
    }
    let packs = fs::read_dir(git_dir.join(".git/objects/pack")).unwrap();
    assert!(packs.count() < 20);
    let head = good(&git_dir, &["log", "-1", "--format=%H"]);
    assert_eq!(head, at.as_str());
    fsck_dangling(&git_dir);
}

#[test]
fn bad_places_and_hostile_trees_are_refused() {
    let (fixture, _) = fixture();
    let dir = fixture.open("one", &Owned::default());
    let private = |commit: &CommitId, dest: &Path| fixture.store.private_git(commit, &dir, dest);
    for bad in [
        fixture.repo(),
        fixture.repo().join("dir"),
        fixture.repo().join(".git"),
    ] {
        let refused = private(&fixture.base, &bad);
        assert!(matches!(refused, Err(Error::UnsafePlace { .. })), "{bad:?}");
    }
    for name in ["..", ".git", ".GIT"] {
        let commit = hostile(&fixture.repo(), name);
        let refused = private(&commit, &place(&fixture, "x"));
        assert!(matches!(refused, Err(Error::UnsafeEntry { .. })), "{name}");
        assert!(!place(&fixture, "x").exists());
    }
    // Doing it again replaces what is there, also what was left half made.
    put(&place(&fixture, "x.partial"), b"rest", "rest");
    for _ in 0..2 {
        private(&fixture.base, &place(&fixture, "x")).unwrap();
    }
    assert!(!place(&fixture, "x.partial").exists());
}

fn hostile(repo: &Path, name: &str) -> CommitId {
    let blob = git_with(repo, &["hash-object", "-w", "--stdin"], b"x");
    let id: Vec<u8> = (0..20)
        .map(|at| u8::from_str_radix(&blob[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    let tree = [b"100644 ", name.as_bytes(), b"\0", &id[..]].concat();
    let args = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    let tree = git_with(repo, &args, &tree);
    let commit = git(repo, &["commit-tree", &tree, "-m", "hostile"]);
    commit.parse().unwrap()
}
