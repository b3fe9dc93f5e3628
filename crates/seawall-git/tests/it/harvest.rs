//! What workers do to a workspace, and what the harvest makes of it.

use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use crate::common::{Fixture, WHEN, owned, put, tell};
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};
use seawall_git::{Error, Harvest, Label, Owned, remove_workspace};

pub(crate) type Act = fn(&Path);

/// Name, what the task owns (files, creates, deletes), what the worker does, what the harvest says.
pub(crate) type Case = (
    &'static str,
    [&'static [&'static str]; 3],
    Act,
    &'static [&'static str],
);

const A: [&[&str]; 3] = [&["a.txt"], &[], &[]];
const NEW: [&[&str]; 3] = [&["a.txt"], &["src/new.txt"], &[]];
const GONE: [&[&str]; 3] = [&["a.txt"], &[], &["gone.txt", "dir/deep/x.txt"]];

pub(crate) fn edit(ws: &Path) {
    put(ws, b"a.txt", "changed\n");
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn replace(ws: &Path, name: &str) -> std::path::PathBuf {
    fs::remove_file(ws.join(name)).unwrap();
    ws.join(name)
}

pub(crate) fn fifo(path: &Path) {
    nix::unistd::mkfifo(path, Mode::S_IRWXU).unwrap();
}

pub(crate) const ACCEPTED: &[Case] = &[
    ("an owned file", A, edit, &["Modified a.txt"]),
    ("nothing", A, |_| {}, &["empty"]),
    (
        "touched only",
        A,
        |ws| put(ws, b"a.txt", "alpha\nbeta\ngamma\n"),
        &["empty"],
    ),
    (
        "emptied",
        A,
        |ws| put(ws, b"a.txt", ""),
        &["Modified a.txt"],
    ),
    (
        "line ends only",
        [&["crlf.dat"], &[], &[]],
        |ws| put(ws, b"crlf.dat", "a\nb\n"),
        &["Modified crlf.dat"],
    ),
    (
        "saved by rename",
        A,
        |ws| {
            put(ws, b"tmp", "renamed over\n");
            fs::rename(ws.join("tmp"), ws.join("a.txt")).unwrap();
        },
        &["Modified a.txt"],
    ),
    (
        "other permissions",
        A,
        |ws| {
            edit(ws);
            chmod(&ws.join("a.txt"), 0o600);
            chmod(&ws.join("b.txt"), 0o666);
        },
        &["Modified a.txt"],
    ),
    (
        "created",
        NEW,
        |ws| put(ws, b"src/new.txt", "x"),
        &["Added src/new.txt"],
    ),
    (
        "created and executable",
        NEW,
        |ws| {
            put(ws, b"src/new.txt", "x");
            chmod(&ws.join("src/new.txt"), 0o755);
        },
        &["Added src/new.txt"],
    ),
    (
        "created in an ignored directory",
        [&[], &["target/x/y.log"], &[]],
        |ws| {
            put(ws, b"target/x/y.log", "x");
            put(ws, b"target/x/z.log", "junk");
            put(ws, b"target/other/z", "junk");
        },
        &["Added target/x/y.log"],
    ),
    (
        "deleted",
        GONE,
        |ws| {
            fs::remove_file(ws.join("gone.txt")).unwrap();
            fs::remove_file(ws.join("dir/deep/x.txt")).unwrap();
        },
        &["Deleted dir/deep/x.txt", "Deleted gone.txt"],
    ),
    (
        "deleted the last of a directory",
        [&[], &[], &["bin/run"]],
        |ws| {
            fs::remove_dir_all(ws.join("bin")).unwrap();
        },
        &["Deleted bin/run"],
    ),
    (
        "odd names",
        [&["new\nline"], &["\u{e9}\u{1}"], &[]],
        |ws| {
            put(ws, b"new\nline", "2");
            put(ws, "\u{e9}\u{1}".as_bytes(), "2");
        },
        &["Modified new\\nline", "Added \u{e9}\\u{1}"],
    ),
    (
        "case",
        [&["Case"], &[], &[]],
        |ws| put(ws, b"Case", "2"),
        &["Modified Case"],
    ),
    (
        "empty directories",
        A,
        |ws| {
            edit(ws);
            fs::create_dir_all(ws.join("some/where/.x")).unwrap();
        },
        &["Modified a.txt"],
    ),
    (
        "ignored",
        A,
        |ws| {
            edit(ws);
            for junk in [
                &b"x.log"[..],
                b"target/debug/x",
                b"node_modules/m/.gitignore",
                b"dir/build",
                b"dir/deep/build/y",
            ] {
                put(ws, junk, "junk");
            }
            symlink("/etc", ws.join("etc.log")).unwrap();
            fifo(&ws.join("fifo.log"));
        },
        &["Modified a.txt"],
    ),
];

pub(crate) const REJECTED: &[Case] = &[
    (
        "a sibling changed",
        A,
        |ws| put(ws, b"b.txt", "one\nTWO\n"),
        &["drift b.txt changed"],
    ),
    (
        "same size",
        A,
        |ws| put(ws, b"dir/deep/x.txt", "z\n"),
        &["drift dir/deep/x.txt changed"],
    ),
    (
        "a sibling emptied",
        A,
        |ws| put(ws, b"b.txt", ""),
        &["drift b.txt changed"],
    ),
    (
        "added",
        A,
        |ws| put(ws, b"dir/note", "x"),
        &["drift dir/note added"],
    ),
    (
        "unignored by the base",
        A,
        |ws| put(ws, b"dir/important.log", "x"),
        &["drift dir/important.log added"],
    ),
    (
        "ignored by itself only",
        A,
        |ws| put(ws, b"own/.gitignore", "*"),
        &["drift own/.gitignore added"],
    ),
    (
        "the ignore file changed",
        A,
        |ws| {
            put(ws, b".gitignore", "*");
            put(ws, b"x", "x");
        },
        &["drift .gitignore changed", "drift x added"],
    ),
    (
        "tracked in an ignored directory",
        A,
        |ws| put(ws, b"target/kept.txt", "x"),
        &["drift target/kept.txt changed"],
    ),
    (
        "deleted",
        A,
        |ws| fs::remove_file(ws.join("b.txt")).unwrap(),
        &["drift b.txt deleted"],
    ),
    (
        "owned and deleted",
        A,
        |ws| fs::remove_file(ws.join("a.txt")).unwrap(),
        &["drift a.txt deleted"],
    ),
    (
        "a directory deleted",
        A,
        |ws| fs::remove_dir_all(ws.join("dir/deep")).unwrap(),
        &[
            "drift dir/deep/x.txt deleted",
            "drift dir/deep/y.txt deleted",
        ],
    ),
    (
        "renamed",
        A,
        |ws| fs::rename(ws.join("b.txt"), ws.join("c.txt")).unwrap(),
        &["drift b.txt deleted", "drift c.txt added"],
    ),
    (
        "renamed by case",
        A,
        |ws| fs::rename(ws.join("b.txt"), ws.join("B.txt")).unwrap(),
        &["drift B.txt added", "drift b.txt deleted"],
    ),
    (
        "made executable",
        A,
        |ws| chmod(&ws.join("b.txt"), 0o755),
        &["drift b.txt made executable"],
    ),
    (
        "owned and made executable",
        A,
        |ws| chmod(&ws.join("a.txt"), 0o755),
        &["drift a.txt made executable"],
    ),
    (
        "made not executable",
        A,
        |ws| chmod(&ws.join("bin/run"), 0o644),
        &["drift bin/run made not executable"],
    ),
    (
        "link retargeted",
        A,
        |ws| symlink("b.txt", replace(ws, "link")).unwrap(),
        &["drift link changed"],
    ),
    (
        "link to file",
        A,
        |ws| fs::write(replace(ws, "link"), "x").unwrap(),
        &["drift link replaced by a file"],
    ),
    (
        "owned to link",
        A,
        |ws| symlink("/etc/passwd", replace(ws, "a.txt")).unwrap(),
        &["drift a.txt replaced by a symbolic link"],
    ),
    (
        "owned to fifo",
        A,
        |ws| fifo(&replace(ws, "a.txt")),
        &["drift a.txt replaced by a fifo"],
    ),
    (
        "owned to socket",
        A,
        |ws| drop(UnixListener::bind(replace(ws, "a.txt")).unwrap()),
        &["drift a.txt replaced by a socket"],
    ),
    (
        "owned to directory",
        A,
        |ws| fs::create_dir(replace(ws, "a.txt")).unwrap(),
        &["drift a.txt replaced by a directory"],
    ),
    (
        "directory to link",
        A,
        |ws| {
            fs::rename(ws.join("dir"), ws.join("old")).unwrap();
            symlink("old", ws.join("dir")).unwrap();
        },
        &[
            "drift dir replaced by a symbolic link",
            "drift dir/.gitignore deleted",
            "drift dir/deep/x.txt deleted",
            "drift dir/deep/y.txt deleted",
            "drift dir/escape deleted",
            "drift old/.gitignore added",
            "drift old/deep/x.txt added",
            "drift old/deep/y.txt added",
            "drift old/escape added a symbolic link",
        ],
    ),
    (
        "links and pipes added",
        A,
        |ws| {
            symlink("/etc/shadow", ws.join("s")).unwrap();
            symlink("/", ws.join("root")).unwrap();
            fifo(&ws.join("p"));
        },
        &[
            "drift p added a fifo",
            "drift root added a symbolic link",
            "drift s added a symbolic link",
        ],
    ),
    (
        "owned with a second name",
        A,
        |ws| {
            edit(ws);
            fs::create_dir(ws.join("target/d")).unwrap();
            fs::hard_link(ws.join("a.txt"), ws.join("target/d/x")).unwrap();
        },
        &["drift a.txt has a second name"],
    ),
    (
        "someone else's file under an owned name",
        A,
        |ws| {
            let other = ws.parent().unwrap().join("secret");
            fs::write(&other, "secret").unwrap();
            fs::hard_link(other, replace(ws, "a.txt")).unwrap();
        },
        &["drift a.txt has a second name"],
    ),
    (
        "a repository",
        A,
        |ws| put(ws, b".git/config", "[core]\n\tfsmonitor = touch pwned\n"),
        &["drift .git has a name that stands for `.git`"],
    ),
    (
        "spellings of .git",
        A,
        |ws| {
            put(ws, b"dir/.GIT", "gitdir: /");
            put(ws, b"git~1/hooks", "x");
            put(ws, ".g\u{200c}it".as_bytes(), "x");
            put(ws, b"target/.git/HEAD", "x");
        },
        &[
            "drift .g\u{200c}it has a name that stands for `.git`",
            "drift dir/.GIT has a name that stands for `.git`",
            "drift git~1 has a name that stands for `.git`",
            "drift target/.git has a name that stands for `.git`",
        ],
    ),
    (
        "into the submodule",
        A,
        |ws| put(ws, b"sub/x", "x"),
        &["drift sub/x added"],
    ),
    (
        "the submodule deleted",
        A,
        |ws| fs::remove_dir(ws.join("sub")).unwrap(),
        &["drift sub deleted"],
    ),
    (
        "not text",
        A,
        |ws| put(ws, b"\xff\xfe/\xe9", "x"),
        &["drift \\xff\\xfe/\\xe9 changed"],
    ),
    (
        "newlines in names",
        A,
        |ws| put(ws, b"x\ndrift y", "x"),
        &["drift x\\ndrift y added"],
    ),
    (
        "a sparse giant",
        A,
        |ws| {
            File::create(ws.join("a.txt"))
                .unwrap()
                .set_len(1 << 42)
                .unwrap()
        },
        &["drift a.txt too large to take (4398046511104 bytes)"],
    ),
    (
        "a sparse giant elsewhere",
        A,
        |ws| {
            File::create(ws.join("b.txt"))
                .unwrap()
                .set_len(1 << 42)
                .unwrap()
        },
        &["drift b.txt changed"],
    ),
    (
        "a sparse giant added",
        A,
        |ws| {
            File::create(ws.join("c"))
                .unwrap()
                .set_len(1 << 42)
                .unwrap()
        },
        &["drift c added"],
    ),
    (
        "created beside",
        NEW,
        |ws| {
            put(ws, b"src/new.txt", "x");
            put(ws, b"src/other.txt", "x");
        },
        &["drift src/other.txt added"],
    ),
    (
        "created as a link",
        NEW,
        |ws| symlink("/etc/passwd", replace(ws, "src/new.txt")).unwrap(),
        &["drift src/new.txt replaced by a symbolic link"],
    ),
    (
        "created below a link",
        NEW,
        |ws| {
            fs::remove_dir_all(ws.join("src")).unwrap();
            symlink("dir", ws.join("src")).unwrap();
        },
        &[
            "drift src added a symbolic link",
            "missing src/new.txt was to be created and is not there",
        ],
    ),
    (
        "nothing created",
        NEW,
        |_| {},
        &["missing src/new.txt was to be created and is still empty"],
    ),
    (
        "changed, but nothing created",
        NEW,
        edit,
        &["missing src/new.txt was to be created and is still empty"],
    ),
    (
        "created and removed",
        NEW,
        |ws| fs::remove_dir_all(ws.join("src")).unwrap(),
        &["missing src/new.txt was to be created and is not there"],
    ),
    (
        "half deleted",
        GONE,
        |ws| fs::remove_file(ws.join("gone.txt")).unwrap(),
        &["missing dir/deep/x.txt was to be deleted and is still there"],
    ),
    (
        "to delete, but replaced",
        GONE,
        |ws| fs::create_dir(replace(ws, "gone.txt")).unwrap(),
        &[
            "drift gone.txt replaced by a directory",
            "missing dir/deep/x.txt was to be deleted and is still there",
        ],
    ),
];

pub(crate) fn of(lists: [&[&str]; 3]) -> Owned {
    owned(lists[0], lists[1], lists[2])
}

#[test]
fn what_a_worker_does_is_taken_or_named() {
    let fixture = Fixture::new();
    let before = fixture.user_state();
    for (name, lists, act, expected) in ACCEPTED.iter().chain(REJECTED) {
        let owned = of(*lists);
        let workspace = fixture.open("torture", &owned);
        act(&workspace);
        let harvest = fixture.harvest(&workspace, &owned, name);
        assert_eq!(tell(&harvest), *expected, "{name}");
        assert_eq!(
            fixture.harvest(&workspace, &owned, name),
            harvest,
            "{name}, again"
        );
    }
    fixture.fsck();
    remove_workspace(&fixture.store.common_dir().join("seawall")).unwrap();
    assert!(
        fixture.user_state() == before,
        "something of the user was written"
    );
}

#[test]
fn what_was_taken_is_what_git_sees() {
    let fixture = Fixture::new();
    for (name, lists, act, expected) in ACCEPTED {
        let owned = of(*lists);
        let workspace = fixture.open("seen", &owned);
        act(&workspace);
        let Harvest::Changed(changed) = fixture.harvest(&workspace, &owned, name) else {
            continue;
        };
        let commit = changed.commit.as_str();
        let listed = fixture.git(&[
            "diff-tree",
            "-r",
            "--no-commit-id",
            "--name-only",
            "-z",
            commit,
        ]);
        assert_eq!(
            listed.split_terminator('\0').count(),
            expected.len(),
            "{name}: {listed:?}"
        );
        assert_eq!(
            fixture.git(&["rev-parse", &format!("{commit}^")]),
            fixture.base.as_str()
        );
        for path in owned.files.iter().chain(&owned.creates) {
            let on_disk = fs::read(workspace.join(std::ffi::OsStr::from_bytes(path))).unwrap();
            assert_eq!(
                fixture.store.read(&changed.commit, path).unwrap(),
                Some(on_disk),
                "{name}"
            );
        }
        let who = fixture.git(&["show", "-s", "--format=%an %ae %cn %at %ct", commit]);
        assert_eq!(
            who,
            format!("seawall seawall@localhost.invalid seawall {WHEN} {WHEN}")
        );
        let label = Label::new(&["run", name, "1"]).unwrap();
        assert_eq!(
            fixture.git(&["rev-parse", &format!("refs/seawall/{label}")]),
            commit
        );
    }
    assert!(!fixture.dir.path().join("pwned").exists());
}

#[test]
fn ignored_paths_are_counted() {
    let fixture = Fixture::new();
    let owned = owned(&["a.txt"], &[], &[]);
    let workspace = fixture.open("ignored", &owned);
    edit(&workspace);
    for n in 0..50 {
        put(&workspace, format!("target/debug/{n}").as_bytes(), "junk");
        put(&workspace, format!("dir/{n}.log").as_bytes(), "junk");
    }
    let Harvest::Changed(changed) = fixture.harvest(&workspace, &owned, "ignored") else {
        panic!()
    };
    assert_eq!(changed.ignored, 51);
    assert_eq!(
        (
            changed.stat.files,
            changed.stat.insertions,
            changed.stat.deletions
        ),
        (1, 1, 3)
    );
}

#[test]
fn a_hundred_thousand_junk_files_are_counted_and_not_listed() {
    let fixture = Fixture::new();
    let owned = owned(&["a.txt"], &[], &[]);
    let workspace = fixture.open("junk", &owned);
    fs::create_dir(workspace.join("junk")).unwrap();
    for n in 0..100_000 {
        File::create(workspace.join(format!("junk/{n:06}"))).unwrap();
    }
    let Harvest::Drift(drifts) = fixture.harvest(&workspace, &owned, "junk") else {
        panic!()
    };
    assert_eq!(
        (drifts.total, drifts.list.len(), drifts.complete),
        (100_000, 100, true)
    );
    assert_eq!(drifts.list[99].path, b"junk/000099");
    remove_workspace(&workspace).unwrap();
}

#[test]
fn a_tree_deeper_than_any_path_is_named_and_removed() {
    let fixture = Fixture::new();
    let owned = owned(&["a.txt"], &[], &[]);
    let workspace = fixture.open("deep", &owned);
    let mut dir = std::os::fd::OwnedFd::from(File::open(&workspace).unwrap());
    for _ in 0..20_000 {
        mkdirat(&dir, "d", Mode::S_IRWXU).unwrap();
        dir = openat(
            &dir,
            "d",
            OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )
        .unwrap();
    }
    drop(openat(&dir, "f", OFlag::O_CREAT | OFlag::O_WRONLY, Mode::S_IRWXU).unwrap());
    drop(dir);
    let Harvest::Drift(drifts) = fixture.harvest(&workspace, &owned, "deep") else {
        panic!()
    };
    assert_eq!(drifts.total, 1);
    assert_eq!(
        drifts.list[0].what.to_string(),
        "nested too deep to look into"
    );
    remove_workspace(&workspace).unwrap();
    assert!(!workspace.exists());
}

/// Permissions do not bind root, so this part runs as another user.
#[test]
fn what_cannot_be_read_is_drift() {
    let fixture = Fixture::new();
    if nix::unistd::geteuid().is_root() {
        let owner = "65534:65534";
        assert!(
            Command::new("chown")
                .args(["-R", owner])
                .arg(fixture.dir.path())
                .status()
                .unwrap()
                .success()
        );
        let this = std::env::current_exe().unwrap();
        let reachable = fixture.dir.path().join("test");
        fs::copy(this, &reachable).unwrap();
        chmod(&reachable, 0o755);
        let status = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&reachable)
            .args(["harvest::what_cannot_be_read_is_drift", "--exact"])
            .env("TMPDIR", fixture.dir.path())
            .env("HOME", fixture.dir.path())
            .current_dir(fixture.dir.path())
            .status();
        return assert!(status.unwrap().success());
    }
    let owned = owned(&["a.txt"], &[], &[]);
    let workspace = fixture.open("closed", &owned);
    chmod(&workspace.join("a.txt"), 0);
    chmod(&workspace.join("dir/deep"), 0);
    chmod(&workspace.join("bin"), 0o600);
    let harvest = fixture.harvest(&workspace, &owned, "closed");
    let expected = [
        "drift a.txt cannot be read",
        "drift bin cannot be read",
        "drift dir/deep cannot be read",
    ];
    assert_eq!(tell(&harvest), expected);
    chmod(&workspace, 0);
    assert_eq!(
        tell(&fixture.harvest(&workspace, &owned, "closed")),
        ["drift . cannot be read"]
    );
    remove_workspace(&workspace).unwrap();
    assert!(!workspace.exists());
}

#[test]
fn what_is_owned_must_fit_the_base() {
    let fixture = Fixture::new();
    let workspace = fixture.open("fit", &Owned::default());
    let label = Label::new(&["run", "fit"]).unwrap();
    let fails = |lists: [&[&str]; 3]| {
        let harvest = fixture.try_harvest(&workspace, &of(lists), &label);
        harvest.unwrap_err()
    };
    assert!(matches!(
        fails([&["nowhere"], &[], &[]]),
        Error::NotInBase(_)
    ));
    assert!(matches!(fails([&["link"], &[], &[]]), Error::NotInBase(_)));
    assert!(matches!(fails([&["dir"], &[], &[]]), Error::NotInBase(_)));
    assert!(matches!(fails([&["sub"], &[], &[]]), Error::NotInBase(_)));
    assert!(matches!(
        fails([&[], &[], &["nowhere"]]),
        Error::NotInBase(_)
    ));
    assert!(matches!(
        fails([&[], &["a.txt"], &[]]),
        Error::AlreadyInBase(_)
    ));
    assert!(matches!(
        fails([&[], &["dir"], &[]]),
        Error::AlreadyInBase(_)
    ));
    assert!(matches!(
        fails([&["a.txt"], &[], &["a.txt"]]),
        Error::OwnedTwice(_)
    ));
    assert!(matches!(
        fails([&["../a"], &[], &[]]),
        Error::InvalidPath { .. }
    ));
    assert!(matches!(
        fails([&[], &[".git/hooks/x"], &[]]),
        Error::InvalidPath { .. }
    ));
}

#[test]
fn a_harvest_survives_gc() {
    let fixture = Fixture::new();
    let owned = owned(&["a.txt"], &[], &[]);
    let commit = fixture.change("gc", &owned, edit);
    fixture.git(&["gc", "-q", "--prune=now"]);
    assert_eq!(
        fixture.store.read(&commit, b"a.txt").unwrap().unwrap(),
        b"changed\n"
    );
    fixture.fsck();
}

#[test]
fn many_objects_become_one_pack() {
    let fixture = Fixture::new();
    let names: Vec<_> = (0..60).map(|n| format!("many/d{}/f{n}", n % 7)).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let owned = owned(&["a.txt"], &names, &[]);
    let packs = || {
        let dir = fixture.repo().join(".git/objects/pack");
        let names = fs::read_dir(dir).unwrap();
        let names = names.map(|entry| entry.unwrap().path());
        names
            .filter(|path| path.extension().is_some_and(|end| end == "idx"))
            .collect::<Vec<_>>()
    };
    assert_eq!(packs().len(), 0);
    let commit = fixture.change("many", &owned, |ws| {
        // Sizes around where the length in a pack takes another byte.
        for (n, name) in names.iter().enumerate() {
            put(
                ws,
                name.as_bytes(),
                "x".repeat([1, 15, 16, 17, 2047, 2048, 70_000][n % 7] + n),
            );
        }
        edit(ws);
    });
    let [pack] = &packs()[..] else { panic!() };
    fixture.git(&["verify-pack", pack.to_str().unwrap()]);
    fixture.git(&["cat-file", "-e", commit.as_str()]);
    assert_eq!(
        fixture
            .store
            .read(&commit, names[6].as_bytes())
            .unwrap()
            .unwrap()
            .len(),
        70_006
    );
    fixture.fsck();
    // Nothing new is nothing to write.
    fixture.change("again", &owned, |ws| {
        for (n, name) in names.iter().enumerate() {
            put(
                ws,
                name.as_bytes(),
                "x".repeat([1, 15, 16, 17, 2047, 2048, 70_000][n % 7] + n),
            );
        }
        edit(ws);
    });
    assert_eq!(packs().len(), 1);
    let leftovers = fs::read_dir(fixture.repo().join(".git/objects")).unwrap();
    let mut leftovers = leftovers.map(|entry| entry.unwrap().file_name());
    assert!(!leftovers.any(|name| name.as_encoded_bytes().starts_with(b"tmp_")));
}
