//! Attacks on files.

use std::fs;

use seawall_sandbox::{End, HOME_MARK, Limits, Order, TMP_MARK, Write};

use crate::Test;
use crate::fixture::{Fixture, Mode, make_executable, refs, refused};

pub(crate) const TESTS: &[Test] = &[
    ("files: the worker writes what it owns", writes_what_it_owns),
    (
        "files: the workspace appears at the repository",
        appears_at_the_repository,
    ),
    ("files: a repository below /run", below_run),
    (
        "files: a command outside is readable and its neighbours are not",
        command_outside,
    ),
    ("files: attacks in the workspace", in_the_workspace),
    ("files: attacks by another name", by_another_name),
    ("files: attacks on the real checkout", on_the_real_checkout),
    ("files: attacks on secrets", on_secrets),
    (
        "files: nothing is writable when nothing is granted",
        nothing,
    ),
    ("files: metadata of what is not owned stays", metadata),
    (
        "files: private areas have a limit and start with what was put there",
        limited_areas,
    ),
    ("files: the whole workspace can be granted", whole_workspace),
    ("files: paths can be granted", paths),
    (
        "files: an owned file that is a symbolic link is refused",
        owned_symlink,
    ),
    (
        "files: an owned file with a second name is refused",
        owned_hard_link,
    ),
    (
        "files: an owned file that does not exist is refused",
        owned_missing,
    ),
    (
        "files: a directory that leads outside is not entered",
        cwd_outside,
    ),
    ("files: an order that makes no sense is refused", senseless),
];

fn words(act: &[&str]) -> Vec<String> {
    act.iter().map(|word| (*word).to_owned()).collect()
}

fn writes_what_it_owns(mode: Mode) {
    let fixture = Fixture::new(mode);
    let in_home = format!("{HOME_MARK}/made");
    let in_tmp = format!("{TMP_MARK}/made");
    let act = [
        "all-of",
        "write",
        "src/a.py",
        ",",
        "empty",
        "src/a.py",
        ",",
        "write",
        "src/a.py",
        ",",
        "create",
        &in_home,
        ",",
        "create",
        &in_tmp,
        ",",
        "read",
        "src/b.py",
        ",",
        "list",
        "src",
        ",",
        "write",
        "/dev/null",
    ];
    let before = fixture.untouchable();
    let report = fixture.run(&fixture.order(&act));
    assert_eq!(report.end, End::Exited(0), "{}", fixture.output());
    assert_eq!(
        fs::read_to_string(fixture.work("src/a.py")).unwrap(),
        "attacked"
    );
    for private in ["home/made", "tmp/made"] {
        assert!(
            fixture.path("repo/.git/seawall").join(private).exists(),
            "{private}"
        );
    }
    assert_eq!(before, fixture.untouchable());
}

fn appears_at_the_repository(mode: Mode) {
    let fixture = Fixture::new(mode);
    let report = fixture.run(&fixture.order(&["read", &fixture.text("repo/src/b.py")]));
    if mode.namespaces {
        assert_eq!((report.end, fixture.output().trim()), (End::Exited(0), "b"));
    } else {
        assert_eq!(report.end, End::Exited(1), "{}", fixture.output());
    }
}

/// Only root can make one there; `/run` is covered in the view, and what is granted below it is not.
fn below_run(mode: Mode) {
    if !nix::unistd::getuid().is_root() {
        return;
    }
    let fixture = Fixture::below("/run".as_ref(), mode);
    let key = fixture.text("user/.ssh/id_ed25519");
    let act = ["all-of", "write", "src/a.py", ",", "read", &key];
    let order = fixture.order(&act);
    assert_eq!(
        fixture.run(&order).end,
        End::Exited(1),
        "{}",
        fixture.output()
    );
    let granted = Order {
        read: vec![std::env::current_exe().unwrap(), key.clone().into()],
        ..order
    };
    let without_place = Order {
        appears_at: None,
        ..granted.clone()
    };
    for order in [granted, without_place] {
        assert_eq!(
            fixture.run(&order).end,
            End::Exited(0),
            "{}",
            fixture.output()
        );
    }
    assert_eq!(
        fs::read_to_string(fixture.work("src/a.py")).unwrap(),
        "attacked"
    );
    assert_eq!(
        fs::read_to_string(fixture.path("repo/src/a.py")).unwrap(),
        "real a"
    );
}

fn command_outside(mode: Mode) {
    let fixture = Fixture::new(mode);
    fs::write(fixture.path("user/agent"), "#!/bin/sh\ncat \"$1\"\n").unwrap();
    make_executable(&fixture.path("user/agent"));
    for (file, status) in [
        (fixture.text("user/agent"), 0),
        (fixture.text("user/.ssh/id_ed25519"), 1),
    ] {
        let argv = vec![fixture.path("user/agent").into(), file.into()];
        let order = Order {
            argv,
            read: Vec::new(),
            ..fixture.order(&[])
        };
        assert_eq!(
            fixture.run(&order).end,
            End::Exited(status),
            "{}",
            fixture.output()
        );
    }
}

fn in_the_workspace(mode: Mode) {
    for act in [
        &["write", "src/b.py"][..],
        &["empty", "src/b.py"],
        &["truncate", "src/b.py"],
        &["create", "src/new.py"],
        &["rename-new", "src/a.py"],
        &["rename-new", "src/b.py"],
        &["rename", "src/b.py", "src/c.py"],
        &["rename", "src/b.py", "src/a.py"],
        &["remove", "src/a.py"],
        &["remove", "src/b.py"],
        &["hard-link", "src/a.py", "src/c.py"],
        &["symlink", "/etc/passwd", "src/c.py"],
        &["mkdir", "src/d"],
    ] {
        refused(mode, |_| words(act));
    }
}

fn by_another_name(mode: Mode) {
    refused(mode, |_| words(&["write", "src/../src/b.py"]));
    refused(mode, |fixture| {
        words(&[
            "write",
            &format!("/proc/self/root{}", fixture.work("src/b.py").display()),
        ])
    });
    refused(mode, |_| words(&["write", "/proc/self/cwd/src/b.py"]));
    // A second name for a file, in a place that is writable, makes the file no more writable.
    for how in ["hard-link", "symlink"] {
        let fixture = Fixture::new(mode);
        let (from, to) = (fixture.work("src/b.py"), format!("{TMP_MARK}/b"));
        let act = words(&[
            "all-of",
            how,
            from.to_str().unwrap(),
            &to,
            ",",
            "write",
            &to,
        ]);
        let before = fixture.untouchable();
        assert_ne!(
            fixture.run(&fixture.order(&refs(&act))).end,
            End::Exited(0),
            "{}",
            fixture.output()
        );
        assert_eq!(before, fixture.untouchable(), "{act:?}");
    }
}

fn on_the_real_checkout(mode: Mode) {
    refused(mode, |fixture| {
        words(&["create", &fixture.text("repo/new")])
    });
    refused(mode, |fixture| {
        words(&["write", &fixture.text("repo/.git/config")])
    });
    refused(mode, |fixture| {
        words(&["read", &fixture.text("repo/.git/config")])
    });
    refused(mode, |fixture| {
        words(&["create", &fixture.text("repo/.git/hooks")])
    });
    refused(mode, |fixture| {
        words(&["read", &fixture.text("repo/.git/seawall/sibling/src/a.py")])
    });
    refused(mode, |fixture| {
        words(&["write", &fixture.text("repo/.git/seawall/sibling/src/a.py")])
    });
    refused(mode, |_| words(&["read", "../sibling/src/a.py"]));
    if !mode.namespaces {
        refused(mode, |fixture| words(&["create", &fixture.text("beside")]));
    }
    if mode.namespaces {
        // The path exists inside and is the workspace's own; the real file must not change.
        refused(mode, |fixture| {
            words(&["write", &fixture.text("repo/src/b.py")])
        });
        let fixture = Fixture::new(mode);
        let report = fixture.run(&fixture.order(&["write", &fixture.text("repo/src/a.py")]));
        assert_eq!(report.end, End::Exited(0));
        assert_eq!(
            fs::read_to_string(fixture.path("repo/src/a.py")).unwrap(),
            "real a"
        );
    } else {
        refused(mode, |fixture| {
            words(&["write", &fixture.text("repo/src/a.py")])
        });
    }
}

fn on_secrets(mode: Mode) {
    refused(mode, |fixture| {
        words(&["read", &fixture.text("user/.ssh/id_ed25519")])
    });
    refused(mode, |fixture| words(&["list", &fixture.text("user/.ssh")]));
    refused(mode, |fixture| {
        words(&[
            "read",
            &format!("/proc/self/root{}", fixture.text("user/.ssh/id_ed25519")),
        ])
    });
    if mode.namespaces {
        for secret in [
            "user/.ssh/id_ed25519",
            "user",
            "repo/.git",
            "repo/.git/seawall/sibling",
        ] {
            refused(mode, |fixture| words(&["exists", &fixture.text(secret)]));
        }
    } else {
        refused(mode, |_| words(&["list", "/tmp"]));
    }
    refused(mode, |_| words(&["list", "/"]));
    if nix::unistd::getuid().is_root() {
        refused(mode, |_| words(&["read", "/etc/shadow"]));
        refused(mode, |_| words(&["list", "/root"]));
    }
}

fn nothing(mode: Mode) {
    for act in [["write", "src/a.py"], ["create", "x"]] {
        let fixture = Fixture::new(mode);
        let order = Order {
            write: Write::Nothing,
            ..fixture.order(&act)
        };
        assert_eq!(fixture.run(&order).end, End::Exited(1), "{act:?}");
    }
}

fn metadata(mode: Mode) {
    for act in ["chmod", "chmod-open", "touch"] {
        refused(mode, |_| words(&[act, "src/b.py"]));
        refused(mode, |fixture| {
            words(&[act, &fixture.text("repo/.git/config")])
        });
        let fixture = Fixture::new(mode);
        let system = words(&[act, "/usr/bin/env"]);
        assert_eq!(
            fixture.run(&fixture.order(&refs(&system))).end,
            End::Exited(1)
        );
    }
}

fn limited_areas(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let fixture = Fixture::new(mode);
    fs::write(fixture.path("repo/.git/seawall/tmp/brief.md"), "the brief").unwrap();
    let limits = Limits {
        disk: Some(16 << 20),
        ..fixture.order(&[]).limits
    };
    let brief = format!("{TMP_MARK}/brief.md");
    let run = |act: &[&str]| {
        fixture
            .run(&Order {
                limits: limits.clone(),
                ..fixture.order(act)
            })
            .end
    };
    assert_eq!(run(&["read", &brief]), End::Exited(0));
    assert_eq!(fixture.output().trim(), "the brief");
    for place in [
        "/tmp/x",
        "/dev/shm/x",
        "/run/seawall/tmp/x",
        "/run/seawall/home/x",
    ] {
        assert_eq!(
            run(&["grow", place, "1000000"]),
            End::Exited(0),
            "{place}: {}",
            fixture.output()
        );
        assert_eq!(run(&["grow", place, "20000000"]), End::Exited(1), "{place}");
    }
    assert!(!fixture.path("repo/.git/seawall/tmp/x").exists());
}

fn whole_workspace(mode: Mode) {
    let fixture = Fixture::new(mode);
    let act = [
        "all-of",
        "rename-new",
        "src/b.py",
        ",",
        "mkdir",
        "d",
        ",",
        "rename",
        "src/b.py",
        "d/b.py",
        ",",
        "remove",
        "src/a.py",
    ];
    let order = Order {
        write: Write::Workspace,
        ..fixture.order(&act)
    };
    assert_eq!(
        fixture.run(&order).end,
        End::Exited(0),
        "{}",
        fixture.output()
    );
    assert!(fixture.work("d/b.py").exists() && !fixture.work("src/a.py").exists());
    assert_eq!(
        fs::read_to_string(fixture.path("repo/src/b.py")).unwrap(),
        "real b"
    );
    let order = Order {
        write: Write::Workspace,
        ..fixture.order(&["create", &fixture.text("beside")])
    };
    // With a view it is made in the private `/tmp`, where this fixture lies.
    assert_eq!(
        fixture.run(&order).end,
        End::Exited(i32::from(!mode.namespaces))
    );
    assert!(!fixture.path("beside").exists());
}

fn paths(mode: Mode) {
    let fixture = Fixture::new(mode);
    let act = [
        "all-of",
        "create",
        &fixture.text("user/new"),
        ",",
        "write",
        "src/b.py",
    ];
    let write = Write::Paths(vec![fixture.path("user")]);
    let order = Order {
        write,
        appears_at: None,
        ..fixture.order(&act)
    };
    assert_eq!(fixture.run(&order).end, End::Exited(1));
    assert!(fixture.path("user/new").exists(), "{}", fixture.output());
}

fn could_not_start(fixture: &Fixture, order: &Order, expected: &str) {
    match fixture.run(order).end {
        End::CouldNotStart { step, error } => assert!(
            format!("{step}: {error}").contains(expected),
            "{step}: {error}"
        ),
        other => panic!("{other:?}"),
    }
}

fn owned_symlink(mode: Mode) {
    let fixture = Fixture::new(mode);
    fs::remove_file(fixture.work("src/a.py")).unwrap();
    std::os::unix::fs::symlink("b.py", fixture.work("src/a.py")).unwrap();
    could_not_start(
        &fixture,
        &fixture.order(&["write", "src/a.py"]),
        "the owned file `src/a.py`",
    );
    fs::rename(fixture.work("src"), fixture.work("other")).unwrap();
    std::os::unix::fs::symlink("other", fixture.work("src")).unwrap();
    could_not_start(
        &fixture,
        &fixture.order(&["write", "src/b.py"]),
        "the owned file `src/a.py`",
    );
}

fn owned_hard_link(mode: Mode) {
    let fixture = Fixture::new(mode);
    fs::hard_link(fixture.work("src/a.py"), fixture.path("user/a.py")).unwrap();
    could_not_start(
        &fixture,
        &fixture.order(&["write", "src/a.py"]),
        "several names",
    );
}

fn owned_missing(mode: Mode) {
    let fixture = Fixture::new(mode);
    fs::remove_file(fixture.work("src/a.py")).unwrap();
    could_not_start(
        &fixture,
        &fixture.order(&["write", "src/a.py"]),
        "the owned file `src/a.py`",
    );
}

fn cwd_outside(mode: Mode) {
    let fixture = Fixture::new(mode);
    let inside = Order {
        cwd: Some("src".into()),
        ..fixture.order(&["write", "a.py"])
    };
    assert_eq!(
        fixture.run(&inside).end,
        End::Exited(0),
        "{}",
        fixture.output()
    );
    std::os::unix::fs::symlink("/usr", fixture.work("out")).unwrap();
    could_not_start(
        &fixture,
        &Order {
            cwd: Some("out".into()),
            ..inside
        },
        "enter `out`",
    );
}

fn senseless(mode: Mode) {
    let fixture = Fixture::new(mode);
    let good = fixture.order(&["say", "hello"]);
    let bad = [
        Order {
            argv: Vec::new(),
            ..good.clone()
        },
        Order {
            argv: vec!["a\0b".into()],
            ..good.clone()
        },
        Order {
            env: vec![("A=B".into(), "c".into())],
            ..good.clone()
        },
        Order {
            workspace: "relative".into(),
            ..good.clone()
        },
        Order {
            workspace: fixture.path("missing"),
            ..good.clone()
        },
        Order {
            workspace: fixture.path("repo/src/a.py"),
            ..good.clone()
        },
        Order {
            cwd: Some("../x".into()),
            ..good.clone()
        },
        Order {
            write: Write::Files(vec!["../sibling/src/a.py".into()]),
            ..good.clone()
        },
        Order {
            write: Write::Files(vec!["/etc/passwd".into()]),
            ..good.clone()
        },
        Order {
            read: vec![fixture.path("missing")],
            ..good.clone()
        },
        Order {
            appears_at: Some("/".into()),
            ..good.clone()
        },
    ];
    for order in bad {
        assert!(seawall_sandbox::spawn(&order).is_err(), "{order:?}");
    }
    make_executable(&fixture.work("src/b.py"));
    assert_eq!(fixture.run(&good).end, End::Exited(0));
}
