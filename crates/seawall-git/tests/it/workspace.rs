//! Workspaces hold exactly what the commit holds, and hostile trees are refused.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::common::{Fixture, git, git_with, owned, put, run};
use seawall_git::{CommitId, Entry, EntryKind, Error, Owned, Store, remove_workspace};

fn check_entry(store: &Store, base: &CommitId, workspace: &Path, entry: &Entry) {
    let path = workspace.join(OsStr::from_bytes(&entry.path));
    let found = fs::symlink_metadata(&path).unwrap();
    let mode = found.permissions().mode() & 0o7777;
    match entry.kind {
        EntryKind::File { executable } => {
            assert!(found.is_file());
            assert_eq!(mode, if executable { 0o755 } else { 0o644 });
            assert_eq!(
                Some(fs::read(&path).unwrap()),
                store.read(base, &entry.path).unwrap()
            );
        }
        EntryKind::Symlink => {
            let target = fs::read_link(&path)
                .unwrap()
                .into_os_string()
                .into_encoded_bytes();
            assert_eq!(Some(target), store.read(base, &entry.path).unwrap());
        }
        EntryKind::Submodule => assert_eq!(fs::read_dir(&path).unwrap().count(), 0),
    }
    assert_eq!(
        store.entry(base, &entry.path).unwrap().as_ref(),
        Some(entry)
    );
}

fn count(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let inner = |entry: fs::DirEntry| match entry.file_type().unwrap().is_dir()
        && entry.file_name() != "sub"
    {
        true => count(&entry.path()),
        false => 1,
    };
    entries.map(inner).sum()
}

#[test]
fn a_workspace_is_the_commit() {
    let fixture = Fixture::new();
    let before = fixture.user_state();
    let workspace = fixture.open("plain", &Owned::default());
    let entries = fixture.store.list(&fixture.base).unwrap();
    for entry in &entries {
        check_entry(&fixture.store, &fixture.base, &workspace, entry);
    }
    assert!(entries.is_sorted());
    assert_eq!(count(&workspace), entries.len());
    let (_, listed) = run(
        &fixture.repo(),
        &["ls-tree", "-r", "-z", "--name-only", fixture.base.as_str()],
        b"",
    );
    let names: Vec<_> = entries
        .iter()
        .map(|entry| String::from_utf8_lossy(&entry.path).into_owned())
        .collect();
    assert_eq!(listed.split_terminator('\0').collect::<Vec<_>>(), names);
    assert_eq!(fs::read(workspace.join("crlf.dat")).unwrap(), b"a\r\nb\r\n");
    assert_eq!(fs::read(workspace.join("ident")).unwrap(), b"$Id$\n");
    remove_workspace(&fixture.store.common_dir().join("seawall")).unwrap();
    assert!(fixture.user_state() == before);
}

#[test]
fn a_workspace_is_always_fresh() {
    let fixture = Fixture::new();
    let owned = owned(&[], &["src/deep/new", "top"], &[]);
    for leftover in ["run/again", "run/again.partial"] {
        put(
            &fixture.store.common_dir().join("seawall").join(leftover),
            b"old/file",
            "from before the crash",
        );
    }
    let workspace = fixture.open("again", &owned);
    put(&workspace, b"a.txt", "changed");
    assert_eq!(fixture.open("again", &owned), workspace);
    assert_eq!(
        fs::read(workspace.join("a.txt")).unwrap(),
        b"alpha\nbeta\ngamma\n"
    );
    assert!(!workspace.join("old").exists());
    assert!(!workspace.with_file_name("again.partial").exists());
    for made in ["src/deep/new", "top"] {
        assert_eq!(fs::read(workspace.join(made)).unwrap(), b"");
    }
}

#[test]
fn files_to_create_have_a_place() {
    let fixture = Fixture::new();
    let dest = fixture.store.common_dir().join("seawall/x");
    let open = |path: &str| {
        fixture
            .store
            .open_workspace(&fixture.base, &dest, &[path.as_bytes().to_vec()])
            .unwrap_err()
    };
    assert!(matches!(open("a.txt"), Error::AlreadyInBase(_)));
    assert!(matches!(open("link"), Error::AlreadyInBase(_)));
    assert!(matches!(open("a.txt/x"), Error::InvalidPath { .. }));
    assert!(matches!(open("link/x"), Error::InvalidPath { .. }));
    assert!(matches!(open("dir/escape/x"), Error::InvalidPath { .. }));
    assert!(matches!(open("../x"), Error::InvalidPath { .. }));
    assert!(matches!(open("/tmp/x"), Error::InvalidPath { .. }));
    assert!(!dest.exists());
}

#[test]
fn hostile_trees_are_refused() {
    let fixture = Fixture::new();
    let repo = fixture.repo();
    let blob = git_with(
        &repo,
        &["hash-object", "-w", "--stdin", "--no-filters"],
        b"x",
    );
    let raw: Vec<u8> = (0..40)
        .step_by(2)
        .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).unwrap())
        .collect();
    let names: [&[u8]; 9] = [
        b".",
        b"..",
        b".git",
        b".GIT",
        b"git~1",
        b"a/b",
        b"../up",
        b".git ",
        ".gi\u{200d}t".as_bytes(),
    ];
    for name in names {
        let entry = [b"100644 ", name, b"\0", &raw].concat();
        let tree = git_with(
            &repo,
            &["hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
            &entry,
        );
        let commit: CommitId = git(&repo, &["commit-tree", "-m", "hostile", &tree])
            .parse()
            .unwrap();
        let dest = fixture.store.common_dir().join("seawall/hostile");
        let error = fixture
            .store
            .open_workspace(&commit, &dest, &[])
            .unwrap_err();
        assert!(
            matches!(error, Error::UnsafeEntry { .. }),
            "{}: {error}",
            seawall_git::show(name)
        );
        assert!(!dest.exists() && !fixture.store.common_dir().join("up").exists());
    }
}

#[test]
fn a_tree_cannot_write_through_its_own_link() {
    let fixture = Fixture::new();
    let repo = fixture.repo();
    let raw = |text: &[u8]| {
        let id = git_with(
            &repo,
            &["hash-object", "-w", "--stdin", "--no-filters"],
            text,
        );
        (0..40)
            .step_by(2)
            .map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap())
            .collect::<Vec<_>>()
    };
    let outside = fixture.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let file = [b"100644 pwned\0".as_slice(), &raw(b"x")].concat();
    let inner = git_with(
        &repo,
        &["hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        &file,
    );
    let inner: Vec<u8> = (0..40)
        .step_by(2)
        .map(|at| u8::from_str_radix(&inner[at..at + 2], 16).unwrap())
        .collect();
    let link = raw(outside.as_os_str().as_bytes());
    let twice = [b"120000 d\0".as_slice(), &link, b"40000 d\0", &inner].concat();
    let tree = git_with(
        &repo,
        &["hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        &twice,
    );
    let commit: CommitId = git(&repo, &["commit-tree", "-m", "twice", &tree])
        .parse()
        .unwrap();
    let dest = fixture.store.common_dir().join("seawall/twice");
    assert!(fixture.store.open_workspace(&commit, &dest, &[]).is_err());
    assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
}

#[test]
fn a_workspace_replaces_nothing_of_the_user() {
    let fixture = Fixture::new();
    let repo = fixture.repo();
    let before = fixture.user_state();
    symlink(repo.join("dir"), fixture.dir.path().join("way")).unwrap();
    let places = [
        repo.clone(),
        repo.join("dir"),
        repo.join("new"),
        repo.join(".git"),
        repo.join(".git/objects"),
        repo.join(".git/seawall"),
        fixture.dir.path().to_path_buf(),
        fixture.dir.path().join("way/x"),
        repo.join(".git/seawall/../objects/x"),
        "/".into(),
    ];
    for place in places {
        let error = fixture
            .store
            .open_workspace(&fixture.base, &place, &[])
            .unwrap_err();
        assert!(
            matches!(error, Error::UnsafePlace { .. }),
            "{}: {error}",
            place.display()
        );
    }
    fs::remove_file(fixture.dir.path().join("way")).unwrap();
    assert!(fixture.user_state() == before);
    let outside = fixture.dir.path().join("elsewhere/ws");
    fixture
        .store
        .open_workspace(&fixture.base, &outside, &[])
        .unwrap();
    assert!(outside.join("a.txt").exists());
}

#[test]
fn removal_follows_nothing() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), b"keep/x", "x");
    put(dir.path(), b"ws/a/b/c", "x");
    put(dir.path(), b"ws/.seawall-removing-0/y", "x");
    put(dir.path(), b"ws/.seawall-removing-1", "x");
    symlink("../keep", dir.path().join("ws/a/link")).unwrap();
    symlink("keep", dir.path().join("top")).unwrap();
    for gone in ["ws", "ws", "top", "keep/x/../none"] {
        let _ = remove_workspace(&dir.path().join(gone));
        assert!(fs::symlink_metadata(dir.path().join(gone)).is_err());
    }
    assert!(dir.path().join("keep/x").exists());
}
