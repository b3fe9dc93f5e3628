//! Repositories of every kind, their refs and checkpoints.

use std::fs;
use std::path::Path;

use crate::common::{Fixture, WHEN, git, left, owned, put, run};
use seawall_git::{CommitId, Error, Harvest, Label, Owned, Store, show};

fn plain(dir: &Path) -> Store {
    git(dir, &["init", "-q", "-b", "main"]);
    put(dir, b"a.txt", "a\n");
    put(dir, b".gitignore", "*.log\n!keep.log\nout/\n");
    put(dir, b"sub/.gitignore", "x\n");
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "first"]);
    Store::discover(dir).unwrap()
}

#[test]
fn what_is_no_repository_is_said() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        Store::discover(dir.path()),
        Err(Error::NotARepository(_))
    ));
    assert!(matches!(
        Store::discover(&dir.path().join("none")),
        Err(Error::Io { .. })
    ));
    git(dir.path(), &["init", "-q", "-b", "main"]);
    let store = Store::discover(dir.path()).unwrap();
    assert!(matches!(store.head(), Err(Error::Unborn)));
    let sha256 = tempfile::tempdir().unwrap();
    git(sha256.path(), &["init", "-q", "--object-format=sha256"]);
    assert!(matches!(
        Store::discover(sha256.path()),
        Err(Error::Unusable { .. })
    ));
}

#[test]
fn head_and_its_branch() {
    let dir = tempfile::tempdir().unwrap();
    let store = plain(dir.path());
    let head = store.head().unwrap();
    assert_eq!(head.branch.as_deref(), Some("main"));
    assert_eq!(
        head.commit.as_str(),
        git(dir.path(), &["rev-parse", "HEAD"])
    );
    git(dir.path(), &["checkout", "-q", "--detach"]);
    assert_eq!(store.head().unwrap().branch, None);
}

#[test]
fn dirty_is_all_that_differs() {
    let dir = tempfile::tempdir().unwrap();
    let store = plain(dir.path());
    assert_eq!(store.dirty().unwrap().total, 0);
    put(dir.path(), b"a.txt", "b\n");
    put(dir.path(), b"new dir/b", "b\n");
    put(dir.path(), b"c.log", "ignored");
    put(dir.path(), b"staged", "s");
    git(dir.path(), &["add", "staged"]);
    let index = fs::read(dir.path().join(".git/index")).unwrap();
    assert_eq!(
        store.dirty().unwrap().paths,
        [&b"a.txt"[..], b"new dir/b", b"staged"]
    );
    for n in 0..30 {
        put(dir.path(), format!("many/{n}").as_bytes(), "");
    }
    let dirty = store.dirty().unwrap();
    assert_eq!((dirty.paths.len(), dirty.total), (20, 33));
    assert_eq!(fs::read(dir.path().join(".git/index")).unwrap(), index);
}

#[test]
fn ignored_is_what_git_says() {
    let dir = tempfile::tempdir().unwrap();
    let work = plain(dir.path());
    let bare_dir = dir.path().join("out/bare.git");
    git(
        dir.path(),
        &["clone", "-q", "--bare", ".", bare_dir.to_str().unwrap()],
    );
    let bare = Store::discover(&bare_dir).unwrap();
    assert_eq!(bare.workdir(), None);
    for path in [
        "a.txt",
        "x",
        "x.log",
        "keep.log",
        "out/y",
        "sub/x",
        "sub/x/y",
        "sub/z/q.log",
        "out",
        "deep/keep.log",
    ] {
        let (expected, _) = run(dir.path(), &["check-ignore", "-q", "--no-index", path], b"");
        assert_eq!(
            work.is_ignored(path.as_bytes()).unwrap(),
            expected,
            "{path}"
        );
        // Without a checkout nothing says that `out` is a directory.
        let expected = expected && path != "out";
        assert_eq!(
            bare.is_ignored(path.as_bytes()).unwrap(),
            expected,
            "bare: {path}"
        );
    }
}

/// Opens, changes, harvests and checkpoints through a store, whatever its kind.
fn whole_flow(store: &Store) -> CommitId {
    let base = store.head().unwrap().commit;
    let owned = owned(&["a.txt"], &[], &[]);
    let ours = store.common_dir().join("seawall");
    let (layer, workspace) = (ours.join("base"), ours.join("flow"));
    store.lay_base(&base, &layer).unwrap();
    store.open_copy(&[&layer], &workspace, &[]).unwrap();
    put(&workspace, b"a.txt", "flown\n");
    let label = Label::new(&["flow"]).unwrap();
    let Harvest::Changed(changed) = store
        .harvest_copy(&base, &left(&workspace, &[&layer]), &owned, &label, WHEN)
        .unwrap()
    else {
        panic!()
    };
    let tree = store.compose(&base, &[changed.commit]).unwrap();
    store
        .checkpoint(&base, &tree, "m", "refs/heads/seawall/p/r", WHEN)
        .unwrap()
}

#[test]
fn every_kind_of_repository_works() {
    let dir = tempfile::tempdir().unwrap();
    let main_dir = dir.path().join("main");
    fs::create_dir(&main_dir).unwrap();
    let main = plain(&main_dir);
    git(
        &main_dir,
        &["worktree", "add", "-q", "../linked", "-b", "side"],
    );
    git(&main_dir, &["clone", "-q", "--bare", ".", "../bare.git"]);
    git(&main_dir, &["clone", "-q", "--shared", ".", "../shared"]);
    git(
        &main_dir,
        &[
            "clone",
            "-q",
            "--depth=1",
            &format!("file://{}", main_dir.display()),
            "../shallow",
        ],
    );
    git(
        dir.path(),
        &["init", "-q", "--separate-git-dir=apart.git", "apart"],
    );
    git(
        &dir.path().join("apart"),
        &["pull", "-q", "../main", "main"],
    );
    let linked = Store::discover(&dir.path().join("linked/sub")).unwrap();
    assert_eq!(linked.common_dir(), main.common_dir());
    assert_eq!(linked.head().unwrap().branch.as_deref(), Some("side"));
    let mut commits = vec![whole_flow(&linked), whole_flow(&main)];
    git(&main_dir, &["pack-refs", "--all", "--prune"]);
    commits.push(whole_flow(&main));
    for kind in ["bare.git", "shared", "shallow", "apart"] {
        commits.push(whole_flow(
            &Store::discover(&dir.path().join(kind)).unwrap(),
        ));
        let (good, said) = run(&dir.path().join(kind), &["fsck", "--strict"], b"");
        assert!(good, "{kind}: {said}");
    }
    commits.dedup();
    assert_eq!(
        commits.len(),
        1,
        "a commit depends on nothing but its content"
    );
}

#[test]
fn checkpoints_move_only_from_their_parent() {
    let fixture = Fixture::new();
    let before = fixture.user_state();
    let (store, base) = (&fixture.store, &fixture.base);
    let branch = "refs/heads/seawall/plan/run";
    let one = store
        .tree_of(&fixture.change("one", &owned(&["a.txt"], &[], &[]), |ws| {
            put(ws, b"a.txt", "1")
        }))
        .unwrap();
    let two = store
        .tree_of(&fixture.change("two", &owned(&["b.txt"], &[], &[]), |ws| {
            put(ws, b"b.txt", "2")
        }))
        .unwrap();
    let first = store
        .checkpoint(base, &one, "wave 1\n\nRun: r\n", branch, WHEN)
        .unwrap();
    assert_eq!(
        store
            .checkpoint(base, &one, "wave 1\n\nRun: r\n", branch, WHEN)
            .unwrap(),
        first
    );
    let moved = store
        .checkpoint(base, &two, "wave 1", branch, WHEN)
        .unwrap_err();
    assert!(matches!(moved, Error::RefMoved { .. }), "{moved}");
    let second = store
        .checkpoint(&first, &two, "wave 2", branch, WHEN)
        .unwrap();
    assert_eq!(
        store
            .checkpoint(&first, &two, "wave 2", branch, WHEN)
            .unwrap(),
        second
    );
    assert!(
        store
            .checkpoint(base, &one, "wave 1\n\nRun: r\n", branch, WHEN)
            .is_err(),
        "it does not go back"
    );
    assert_eq!(store.tip(branch).unwrap(), Some(second));
    assert_eq!(
        fixture.git(&["log", "--format=%H", branch]).lines().count(),
        3
    );
    // The journal of the run says where it was.
    assert_eq!(fixture.git(&["reflog", "show", branch]), "");
    for refused in [
        "main",
        "refs/tags/x",
        "refs/heads/a..b",
        "refs/heads/",
        "HEAD",
        "refs/heads/x.lock",
    ] {
        let error = store
            .checkpoint(base, &one, "m", refused, WHEN)
            .unwrap_err();
        assert!(
            matches!(error, Error::RefusedRef { .. }),
            "{refused}: {error}"
        );
    }
    let error = store
        .checkpoint(base, &one, "m", "refs/heads/main", WHEN)
        .unwrap_err();
    assert!(matches!(error, Error::CheckedOut { .. }), "{error}");
    fixture.git(&[
        "worktree",
        "add",
        "-q",
        "--no-checkout",
        "../linked",
        "-b",
        "other",
    ]);
    let error = store
        .checkpoint(base, &one, "m", "refs/heads/other", WHEN)
        .unwrap_err();
    assert!(matches!(error, Error::CheckedOut { .. }), "{error}");
    fixture.git(&["worktree", "remove", "--force", "../linked"]);
    fixture.git(&["branch", "-D", "-q", "other"]);
    fixture.fsck();
    seawall_git::remove_workspace(&store.common_dir().join("seawall")).unwrap();
    let strip = |state: std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| {
        state
            .into_iter()
            .filter(|(path, _)| !path.ends_with("packed-refs"))
            .collect::<Vec<_>>()
    };
    assert!(strip(fixture.user_state()) == strip(before));
}

#[test]
fn only_own_refs_are_written() {
    let fixture = Fixture::new();
    let (store, base) = (&fixture.store, &fixture.base);
    for name in [
        "refs/seawall/run1/a",
        "refs/seawall/run1/b",
        "refs/seawall/run10/a",
        "refs/seawall/run1/a",
    ] {
        store.set_ref(name, base).unwrap();
    }
    fixture.git(&["pack-refs", "--all"]);
    store.set_ref("refs/seawall/run1/c", base).unwrap();
    let names = |prefix: &str| {
        store
            .list_refs(prefix)
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names("refs/seawall/run1"),
        [
            "refs/seawall/run1/a",
            "refs/seawall/run1/b",
            "refs/seawall/run1/c"
        ]
    );
    assert_eq!(names("refs/seawall/").len(), 4);
    for name in [
        "refs/heads/x",
        "refs/seawall",
        "refs/seawall/../heads/x",
        "HEAD",
        "refs/seawall/a b",
        "",
    ] {
        assert!(
            matches!(store.set_ref(name, base), Err(Error::RefusedRef { .. })),
            "{name}"
        );
        assert!(
            name == "refs/seawall" || store.delete_refs(name).is_err(),
            "{name}"
        );
    }
    assert_eq!(store.delete_refs("refs/seawall/run1/").unwrap(), 3);
    assert_eq!(store.delete_refs("refs/seawall/run1").unwrap(), 0);
    assert_eq!(names("refs/seawall"), ["refs/seawall/run10/a"]);
    assert_eq!(store.head().unwrap().commit, *base);
}

#[test]
fn a_lock_left_by_a_crash_heals_and_one_of_others_is_named() {
    let fixture = Fixture::new();
    let (store, base) = (&fixture.store, &fixture.base);
    let lock = store.common_dir().join("refs/seawall/run/x.lock");
    put(store.common_dir(), b"refs/seawall/run/x.lock", "");
    store.set_ref("refs/seawall/run/x", base).unwrap();
    assert!(!lock.exists());
    put(store.common_dir(), b"refs/heads/mine.lock", "");
    let tree = store.tree_of(base).unwrap();
    let error = store
        .checkpoint(base, &tree, "m", "refs/heads/mine", WHEN)
        .unwrap_err();
    assert!(
        matches!(&error, Error::Locked(path) if path.ends_with("refs/heads/mine.lock")),
        "{error}"
    );
}

#[test]
fn reading() {
    let fixture = Fixture::new();
    let (store, base) = (&fixture.store, &fixture.base);
    assert_eq!(store.read(base, b"link").unwrap().unwrap(), b"a.txt");
    assert_eq!(
        store.read(base, b"\xff\xfe/\xe9").unwrap().unwrap(),
        b"not text\n"
    );
    for none in [&b"none"[..], b"dir", b"sub", b"a.txt/x", b"dir/deep"] {
        assert_eq!(store.read(base, none).unwrap(), None);
    }
    assert_eq!(store.entry(base, b"dir").unwrap(), None);
    assert!(store.read(base, b"/etc/passwd").is_err());
    let entry = store.entry(base, b"a.txt").unwrap().unwrap();
    assert_eq!(store.blob(&entry.blob).unwrap(), b"alpha\nbeta\ngamma\n");
}

#[test]
fn differences_are_those_of_git() {
    let fixture = Fixture::new();
    let owned = owned(&["a.txt", "crlf.dat"], &["bin.dat", "new"], &["gone.txt"]);
    let ws = fixture.open("diff", &owned);
    put(&ws, b"a.txt", "alpha\nBETA\ngamma");
    put(&ws, b"crlf.dat", "a\r\nc\r\n");
    put(&ws, b"bin.dat", [0u8, 1, 2, 255]);
    put(&ws, b"new", "new\n");
    fs::remove_file(ws.join("gone.txt")).unwrap();
    let Harvest::Changed(changed) = fixture.harvest(&ws, &owned, "diff") else {
        panic!()
    };
    let (commit, stat) = (changed.commit, changed.stat);
    let (from, to) = (fixture.base.as_str(), commit.as_str());
    fixture.git(&["config", "--unset", "diff.evil.textconv"]);
    let expected = fixture.git(&["diff", "--no-ext-diff", "--no-renames", from, to]);
    let text = fixture
        .store
        .diff_text(&fixture.base, &commit, 1 << 20)
        .unwrap();
    assert_eq!(text.trim_end(), expected);
    let numbers = fixture.git(&["diff", "--no-renames", "--shortstat", from, to]);
    let expected = format!(
        "{} files changed, {} insertions(+), {} deletions(-)",
        stat.files, stat.insertions, stat.deletions
    );
    assert_eq!(numbers.trim(), expected);
    let cut = fixture
        .store
        .diff_text(&fixture.base, &commit, 200)
        .unwrap();
    assert!(
        cut.len() < 260 && cut.ends_with("bytes]\n") && text.starts_with(&cut[..100]),
        "{cut}"
    );
    assert_eq!(
        fixture
            .store
            .diff_text(&fixture.base, &fixture.base, 10)
            .unwrap(),
        ""
    );
    assert!(!fixture.dir.path().join("pwned").exists());
}

#[test]
fn a_store_is_shared_by_threads() {
    fn shared<T: Clone + Send + Sync>(_: &T) {}
    let fixture = Fixture::new();
    shared(&fixture.store);
    std::thread::scope(|scope| {
        for n in 0..8 {
            let fixture = &fixture;
            let act = move || {
                fixture.change(&format!("t{n}"), &owned(&["a.txt"], &[], &[]), |ws| {
                    put(ws, b"a.txt", format!("{n}"))
                })
            };
            scope.spawn(act);
        }
    });
    assert_eq!(
        fixture.store.list_refs("refs/seawall/run").unwrap().len(),
        8
    );
    let _ = Owned::default();
    fixture.fsck();
}

#[test]
fn facts_of_commits_and_branches() {
    let fixture = Fixture::new();
    let (store, base) = (&fixture.store, &fixture.base);
    let tree = store.tree_of(base).unwrap();
    let message = "wave 1\n\nRun: r1\n";
    let commit = store
        .checkpoint(base, &tree, message, "refs/heads/seawall/p/r", WHEN)
        .unwrap();
    let facts = store.facts(&commit).unwrap();
    assert_eq!(
        (facts.parents, facts.tree, facts.message.as_str()),
        (vec![base.clone()], tree, message)
    );
    assert_eq!(store.tip("refs/heads/seawall/p/r").unwrap(), Some(commit));
    assert_eq!(store.tip("refs/heads/none").unwrap(), None);
}

#[test]
fn paths_are_read_again_by_their_number() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let all = store.list(&fixture.base).unwrap();
    let paths: Vec<_> = all.iter().map(|entry| entry.path.as_slice()).collect();
    let found = store.entries(&fixture.base, &paths).unwrap();
    assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), all);
    let odd: [&[u8]; 3] = [b"dir", b"nowhere", b"a.txt"];
    let found = store.entries(&fixture.base, &odd).unwrap();
    assert_eq!(
        found.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, false, true]
    );
    let below = |dirs: &[&str]| {
        let dirs: Vec<_> = dirs.iter().map(|dir| dir.as_bytes()).collect();
        let entries = store.list_below(&fixture.base, &dirs).unwrap();
        entries
            .into_iter()
            .map(|entry| show(&entry.path))
            .collect::<Vec<_>>()
    };
    assert_eq!(store.list_below(&fixture.base, &[b""]).unwrap(), all);
    assert_eq!(
        store.list_below(&fixture.base, &[b"", b"dir"]).unwrap(),
        all
    );
    assert_eq!(
        below(&["dir/deep", "bin", "dir/deep", "di", "none/x", "a.txt"]),
        ["a.txt", "bin/run", "dir/deep/x.txt", "dir/deep/y.txt"]
    );
    assert_eq!(below(&["dir", "dir/deep", "dir-x"]).len(), 4);
    assert!(store.list_below(&fixture.base, &[b"../x"]).is_err());
}

#[test]
fn what_changed_between_two_commits_is_listed() {
    let fixture = Fixture::new();
    let what = owned(&["a.txt"], &["dir/new"], &["gone.txt"]);
    let to = fixture.change("between", &what, |ws| {
        put(ws, b"a.txt", "2");
        put(ws, b"dir/new", "2");
        std::fs::remove_file(ws.join("gone.txt")).unwrap();
    });
    let changed = fixture.store.changed_between(&fixture.base, &to).unwrap();
    let words: Vec<_> = changed
        .iter()
        .map(|c| format!("{:?} {}", c.kind, show(&c.path)))
        .collect();
    assert_eq!(
        words,
        ["Modified a.txt", "Added dir/new", "Deleted gone.txt"]
    );
    assert_eq!(fixture.store.changed_between(&to, &to).unwrap(), []);
}

/// The user's git may pack, and throw away, what an opened repository has seen.
#[test]
fn what_git_packs_and_prunes_meanwhile_is_noticed() {
    let fixture = Fixture::new();
    let names: Vec<_> = (0..60).map(|n| format!("many/f{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let small = owned(&["a.txt"], &[], &[]);
    let large = owned(&[], &names, &[]);
    let work = |name: &str, owned: &Owned| {
        fixture.change(name, owned, |ws| {
            for path in owned.files.iter().chain(&owned.creates) {
                put(ws, path, format!("new {}", show(path)));
            }
        })
    };
    for round in 0..3 {
        let commits = [work("small", &small), work("large", &large)];
        let tree = fixture.store.compose(&fixture.base, &commits).unwrap();
        let read = fixture.store.read(&commits[0], b"a.txt").unwrap().unwrap();
        assert_eq!(read, b"new a.txt", "{round}");
        // Packed, all that was known as loose is elsewhere.
        fixture.git(&["repack", "-adq"]);
        fixture.git(&["prune-packed", "-q"]);
        let read = fixture
            .store
            .read(&commits[1], b"many/f7")
            .unwrap()
            .unwrap();
        assert_eq!(read, b"new many/f7", "{round}");
        assert_eq!(
            fixture.store.compose(&fixture.base, &commits).unwrap(),
            tree
        );
        // Thrown away, all is to be made again.
        fixture.store.delete_refs("refs/seawall/run").unwrap();
        fixture.git(&["gc", "--prune=now", "-q"]);
        let gone = run(
            &fixture.repo(),
            &["cat-file", "-e", commits[0].as_str()],
            b"",
        );
        assert!(!gone.0, "{round}");
        assert_eq!(commits, [work("small", &small), work("large", &large)]);
        fixture.git(&["cat-file", "-e", &format!("{}:many/f7", commits[1])]);
        fixture.fsck();
    }
}
