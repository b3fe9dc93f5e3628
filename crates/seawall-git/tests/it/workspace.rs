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
    assert!(entries.is_sorted());
    for dir in [&fixture.layer(), &workspace] {
        for entry in &entries {
            check_entry(&fixture.store, &fixture.base, dir, entry);
        }
        assert_eq!(count(dir), entries.len());
    }
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
    let layer = fixture.ours("run/layer");
    for leftover in ["again", "again.partial", "layer", "layer.partial"] {
        put(
            &fixture.ours("run").join(leftover),
            b"old/file",
            "from before the crash",
        );
    }
    fixture.store.lay_base(&fixture.base, &layer).unwrap();
    let workspace = fixture.open("again", &owned);
    put(&workspace, b"a.txt", "changed");
    assert_eq!(fixture.open("again", &owned), workspace);
    for dir in [&layer, &workspace] {
        assert_eq!(
            fs::read(dir.join("a.txt")).unwrap(),
            b"alpha\nbeta\ngamma\n"
        );
        assert!(!dir.join("old").exists());
        assert!(!dir.with_extension("partial").exists());
    }
    for made in ["src/deep/new", "top"] {
        assert_eq!(fs::read(workspace.join(made)).unwrap(), b"");
    }
}

#[test]
fn files_to_create_have_a_place() {
    let fixture = Fixture::new();
    let (store, layer) = (&fixture.store, fixture.layer());
    let (dest, upper) = (fixture.ours("x"), fixture.ours("upper"));
    let check = |path: &str, expected: fn(&Error) -> bool| {
        fs::create_dir_all(&upper).unwrap();
        let creates = [path.as_bytes().to_vec()];
        for refused in [
            store.open_copy(&[&layer], &dest, &creates),
            store.seed(&fixture.base, &upper, &creates),
        ] {
            let error = refused.unwrap_err();
            assert!(expected(&error), "{path}: {error}");
        }
        assert!(!dest.exists() && count(&upper) == 0, "{path}");
    };
    for there in ["a.txt", "link"] {
        check(there, |error| matches!(error, Error::AlreadyInBase(_)));
    }
    for nowhere in ["a.txt/x", "link/x", "dir/escape/x", "../x", "/tmp/x"] {
        check(nowhere, |error| matches!(error, Error::InvalidPath { .. }));
    }
}

/// Stores a tree of entries that git itself would not write: mode, name and object.
fn literal_tree(repo: &Path, entries: &[(&str, &[u8], &str)]) -> String {
    let bytes = |id: &str| -> Vec<u8> {
        let digits = (0..40).step_by(2).map(|at| &id[at..at + 2]);
        digits
            .map(|two| u8::from_str_radix(two, 16).unwrap())
            .collect()
    };
    let line = |(mode, name, id): &(&str, &[u8], &str)| {
        [mode.as_bytes(), b" ", name, b"\0", &bytes(id)].concat()
    };
    let tree: Vec<_> = entries.iter().flat_map(line).collect();
    let args = ["hash-object", "-w", "-t", "tree", "--literally", "--stdin"];
    git_with(repo, &args, &tree)
}

fn blob(repo: &Path, content: &[u8]) -> String {
    let args = ["hash-object", "-w", "--stdin", "--no-filters"];
    git_with(repo, &args, content)
}

fn commit(repo: &Path, tree: &str) -> CommitId {
    let id = git(repo, &["commit-tree", "-m", "hostile", tree]);
    id.parse().unwrap()
}

/// Whether Seawall writes the files of a layer, or git because of this setting.
const WRITERS: [&str; 2] = ["false", "true"];

#[test]
fn hostile_trees_are_refused() {
    let fixture = Fixture::new();
    let (repo, dest) = (fixture.repo(), fixture.ours("hostile"));
    let x = blob(&repo, b"x");
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
    for convert in WRITERS {
        fixture.git(&["config", "core.autocrlf", convert]);
        for name in names {
            let commit = commit(&repo, &literal_tree(&repo, &[("100644", name, &x)]));
            let change = fixture
                .store
                .lay_change_over(&[], &fixture.base, &commit, &dest);
            let base = fixture.store.lay_base(&commit, &dest).map(drop);
            for refused in [base, change] {
                let error = refused.unwrap_err();
                assert!(
                    matches!(error, Error::UnsafeEntry { .. }),
                    "{}: {error}",
                    seawall_git::show(name)
                );
            }
            assert!(!dest.exists() && !fixture.store.common_dir().join("up").exists());
        }
    }
}

#[test]
fn a_tree_cannot_write_through_its_own_link() {
    let fixture = Fixture::new();
    let repo = fixture.repo();
    let outside = fixture.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let inner = literal_tree(&repo, &[("100644", b"pwned", &blob(&repo, b"x"))]);
    let link = blob(&repo, outside.as_os_str().as_bytes());
    let twice = [
        ("120000", b"d".as_slice(), link.as_str()),
        ("40000", b"d", &inner),
    ];
    let commit = commit(&repo, &literal_tree(&repo, &twice));
    let dest = fixture.ours("twice");
    for convert in WRITERS {
        fixture.git(&["config", "core.autocrlf", convert]);
        let laid = fixture.store.lay_base(&commit, &dest);
        // Git takes one of the two for the other's place.
        assert_eq!(laid.is_ok(), convert == "true", "{laid:?}");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }
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
    let layer = fixture.layer();
    let (store, base) = (&fixture.store, &fixture.base);
    let write = |place: &Path| {
        [
            store.lay_base(base, place).map(drop),
            store.lay_change_over(&[&layer], base, base, place),
            store.open_copy(&[&layer], place, &[]),
        ]
    };
    for place in places {
        for refused in write(&place) {
            let error = refused.unwrap_err();
            assert!(
                matches!(error, Error::UnsafePlace { .. }),
                "{}: {error}",
                place.display()
            );
        }
    }
    fs::remove_file(fixture.dir.path().join("way")).unwrap();
    assert!(fixture.user_state() == before);
    let outside = fixture.dir.path().join("elsewhere/ws");
    for written in write(&outside) {
        written.unwrap();
    }
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
