//! Layers as the user's own checkout has them, and harvests of them as the user's own `git add` would store them.

use std::fs;
use std::path::{Path, PathBuf};

use seawall_git::{Error, Harvest, Label, LaidBy, Owned};

use crate::common::{Fixture, WHEN, git_with, left, owned, put, tell};
use crate::overlay::{Mounted, in_namespaces, picture};

/// The difficult repository, with files that are converted in every way.
fn converted() -> Fixture {
    let fixture = Fixture::new();
    for (key, value) in [
        ("filter.shift.smudge", "tr a-m n-z"),
        ("filter.shift.clean", "tr n-z a-m"),
        ("filter.shift.required", "true"),
        ("core.autocrlf", "true"),
    ] {
        fixture.git(&["config", key, value]);
    }
    let repo = fixture.repo();
    put(
        &repo,
        b".gitattributes",
        "*.shift filter=shift -text\nident ident\n*.sh eol=lf\n",
    );
    put(&repo, b"one.shift", "xyz\n");
    put(&repo, b"dir/two.shift", "opq\n");
    put(&repo, b"run.sh", "true\n");
    fixture.git(&["add", "-A", "-f"]);
    fixture.git(&["commit", "-q", "-m", "converted"]);
    Fixture::of(fixture.dir, &repo)
}

/// The files of a directory, as git checks them out for the user.
fn users(fixture: &Fixture, commit: &str) -> PathBuf {
    let at = fixture.dir.path().join("users");
    let _none = fs::remove_dir_all(&at).is_err();
    fixture.git(&["worktree", "prune"]);
    fixture.git(&[
        "worktree",
        "add",
        "-q",
        "--detach",
        at.to_str().unwrap(),
        commit,
    ]);
    fs::remove_file(at.join(".git")).unwrap();
    at
}

fn lay(fixture: &Fixture) -> PathBuf {
    let layer = fixture.store.common_dir().join("seawall/base");
    let laid = fixture.store.lay_base(&fixture.base, &layer).unwrap();
    assert_eq!(laid.by, LaidBy::Git);
    assert!(laid.converted > 3, "{laid:?}");
    layer
}

fn open(fixture: &Fixture, layers: &[&Path], owned: &Owned) -> Mounted {
    let mounted = Mounted::new(&fixture.dir.path().join("ws"));
    fixture
        .store
        .seed(&fixture.base, &mounted.upper, &owned.creates)
        .unwrap();
    mounted.mount(layers)
}

fn harvest(fixture: &Fixture, mounted: &Mounted, layers: &[&Path], owned: &Owned) -> Harvest {
    let label = Label::new(&["run", "converted", "1"]).unwrap();
    let (store, base) = (&fixture.store, &fixture.base);
    let upper = store
        .harvest_upper(base, &left(&mounted.upper, layers), owned, &label, WHEN)
        .unwrap();
    let merged = store
        .harvest_copy(base, &left(&mounted.at, layers), owned, &label, WHEN)
        .unwrap();
    assert_eq!(upper, merged);
    upper
}

#[test]
fn layers_are_as_the_users_checkout() {
    in_namespaces("conversions::layers_are_as_the_users_checkout", || {
        let fixture = converted();
        let layer = lay(&fixture);
        let seen = picture(&layer);
        assert_eq!(seen, picture(&users(&fixture, fixture.base.as_str())));
        assert!(seen[Path::new("one.shift")].ends_with(b" xyz\n"));
        assert!(seen[Path::new("a.txt")].ends_with(b"alpha\r\nbeta\r\ngamma\r\n"));
        assert!(seen[Path::new("run.sh")].ends_with(b" true\n"));
        assert!(
            !fixture.dir.path().join("pwned").exists(),
            "git runs the filters that attributes name, and nothing else"
        );
        assert!(
            fs::read_to_string(layer.join("ident"))
                .unwrap()
                .starts_with("$Id: ")
        );
    });
}

#[test]
fn what_is_taken_is_what_git_would_add() {
    in_namespaces("conversions::what_is_taken_is_what_git_would_add", || {
        let fixture = converted();
        let layer = lay(&fixture);
        let layers = [layer.as_path()];
        let what = owned(
            &["a.txt", "one.shift", "b.txt"],
            &["new.shift", "new.txt"],
            &[],
        );
        let mounted = open(&fixture, &layers, &what);
        put(&mounted.at, b"a.txt", "other\r\nlines\r\n");
        put(&mounted.at, b"one.shift", "npn\n");
        // The same as it was, but for the line ends: nothing that git would see.
        put(&mounted.at, b"b.txt", "one\ntwo\n");
        put(&mounted.at, b"new.shift", "tut\n");
        put(&mounted.at, b"new.txt", "a\r\n");
        // Not owned, and only touched.
        let shift = fs::File::options()
            .append(true)
            .open(mounted.at.join("dir/two.shift"));
        shift
            .unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        let harvest = harvest(&fixture, &mounted, &layers, &what);
        assert_eq!(
            tell(&harvest),
            [
                "Modified a.txt",
                "Added new.shift",
                "Added new.txt",
                "Modified one.shift"
            ]
        );
        let Harvest::Changed(changed) = harvest else {
            unreachable!()
        };
        for (path, written) in [
            ("a.txt", "other\r\nlines\r\n"),
            ("one.shift", "npn\n"),
            ("new.shift", "tut\n"),
            ("new.txt", "a\r\n"),
        ] {
            let expected = git_with(
                &fixture.repo(),
                &["hash-object", "--stdin", "--path", path],
                written.as_bytes(),
            );
            let entry = fixture
                .store
                .entry(&changed.commit, path.as_bytes())
                .unwrap()
                .unwrap();
            assert_eq!(entry.blob.as_str(), expected, "{path}");
        }
        assert_eq!(
            fixture
                .store
                .read(&changed.commit, b"a.txt")
                .unwrap()
                .unwrap(),
            b"other\nlines\n"
        );
        fixture.fsck();
        assert!(!fixture.dir.path().join("pwned").exists());

        // The change as a layer shows what the user would have.
        let change = fixture.store.common_dir().join("seawall/change");
        fixture
            .store
            .lay_change_over(&layers, &fixture.base, &changed.commit, &change)
            .unwrap();
        drop(mounted);
        let both = [change.as_path(), layer.as_path()];
        let mounted = open(&fixture, &both, &Owned::default());
        assert_eq!(
            picture(&mounted.at),
            picture(&users(&fixture, changed.commit.as_str()))
        );
        // And a workspace of it that nobody touched has nothing to harvest, as an overlay or a copy.
        let base = Fixture {
            base: changed.commit,
            ..fixture
        };
        assert_eq!(
            tell(&self::harvest(&base, &mounted, &both, &Owned::default())),
            ["empty"]
        );
        let copy = base.dir.path().join("copy");
        base.store.open_copy(&both, &copy, &[]).unwrap();
        let label = Label::new(&["run", "copy", "1"]).unwrap();
        let harvest = base.store.harvest_copy(
            &base.base,
            &left(&copy, &both),
            &Owned::default(),
            &label,
            WHEN,
        );
        assert_eq!(harvest.unwrap(), Harvest::Empty);
    });
}

#[test]
fn attributes_of_a_worker_run_nothing() {
    in_namespaces("conversions::attributes_of_a_worker_run_nothing", || {
        let fixture = converted();
        let pwned = fixture.dir.path().join("pwned");
        let layer = lay(&fixture);
        let layers = [layer.as_path()];
        let what = owned(&["a.txt", ".gitattributes"], &[], &[]);
        let mounted = open(&fixture, &layers, &what);
        put(&mounted.at, b".gitattributes", "* filter=evil\n");
        put(&mounted.at, b"a.txt", "x");
        let Harvest::Changed(changed) = harvest(&fixture, &mounted, &layers, &what) else {
            panic!()
        };
        let change = fixture.store.common_dir().join("seawall/change");
        fixture
            .store
            .lay_change_over(&layers, &fixture.base, &changed.commit, &change)
            .unwrap();
        assert!(change.join("a.txt").exists() && !pwned.exists());
    });
}

#[test]
fn a_sparse_checkout_stays_sparse() {
    in_namespaces("conversions::a_sparse_checkout_stays_sparse", || {
        let fixture = Fixture::plain();
        fixture.git(&[
            "sparse-checkout",
            "set",
            "--no-cone",
            "/*",
            "!/dir/deep/",
            "!/bin/",
        ]);
        let layer = fixture.store.common_dir().join("seawall/base");
        let laid = fixture.store.lay_base(&fixture.base, &layer).unwrap();
        assert_eq!(
            (laid.by, laid.converted, laid.left_out),
            (LaidBy::Git, 0, 3)
        );
        assert!(layer.join("dir/escape").is_symlink() && !layer.join("bin").exists());
        let layers = [layer.as_path()];
        let what = owned(&["a.txt"], &[], &[]);
        let mounted = open(&fixture, &layers, &what);
        put(&mounted.at, b"a.txt", "x");
        assert_eq!(
            tell(&harvest(&fixture, &mounted, &layers, &what)),
            ["Modified a.txt"]
        );
        put(&mounted.at, b"bin/run", "x");
        assert_eq!(
            tell(&harvest(&fixture, &mounted, &layers, &what))[0],
            "drift bin/run changed"
        );
    });
}

#[test]
fn a_filter_that_fails_is_named_and_leaves_nothing() {
    let fixture = converted();
    fixture.git(&[
        "config",
        "filter.shift.smudge",
        "echo no such key >&2; false",
    ]);
    let layer = fixture.store.common_dir().join("seawall/base");
    let error = fixture.store.lay_base(&fixture.base, &layer).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::GitFailed { .. }), "{text}");
    assert!(
        text.contains("shift") && text.contains("core.autocrlf"),
        "{text}"
    );
    assert!(!layer.exists());
    // Nothing of it is in the way once the filter works.
    fixture.git(&["config", "filter.shift.smudge", "tr a-m n-z"]);
    lay(&fixture);
}

#[test]
fn without_such_settings_no_program_is_run() {
    let fixture = Fixture::plain();
    let layer = fixture.store.common_dir().join("seawall/base");
    let laid = fixture.store.lay_base(&fixture.base, &layer).unwrap();
    assert_eq!((laid.by, laid.converted), (LaidBy::Seawall, 0));
    let files = fixture.store.list(&fixture.base).unwrap().len();
    assert_eq!(laid.files, files as u64);
}
