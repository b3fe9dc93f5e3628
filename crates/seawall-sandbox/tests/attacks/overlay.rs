//! Workspaces of layers and carried directories: what lands where, and attacks on what must stay as it is.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use seawall_sandbox::{Carry, End, Order, Overlay, Report, State, Upper, Write, overlays, spawn};

use crate::Test;
use crate::fixture::{Fixture, Mode, command, refs};

pub(crate) const TESTS: &[Test] = &[
    ("overlay: this host has them", had),
    ("overlay: the worker sees the layers merged", merged),
];

/// Two layers, an upper and an empty place below the fixture of the other attacks.
struct Stack(Fixture);

impl Stack {
    fn new(mode: Mode) -> Self {
        let stack = Self(Fixture::new(mode));
        for (path, text) in [
            ("base/src/a.py", "a"),
            ("base/src/b.py", "b"),
            ("base/src/gone.py", "gone"),
            ("base/deep/er/c.py", "c"),
            ("change/src/b.py", "changed b"),
            ("change/src/new.py", "new"),
            ("carried/pkg/index.js", "index"),
        ] {
            let path = stack.0.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for directory in ["base/node_modules", "place"] {
            fs::create_dir_all(stack.0.path(directory)).unwrap();
        }
        for upper in ["own", "carry"] {
            for part in ["upper", "work"] {
                fs::create_dir_all(stack.0.path(upper).join(part)).unwrap();
            }
        }
        stack
    }

    fn order(&self, act: &[&str]) -> Order {
        Order {
            workspace: self.0.path("place"),
            overlay: Some(Overlay {
                layers: vec![self.0.path("change"), self.0.path("base")],
                upper: Upper::Kept(self.0.path("own")),
            }),
            ..self.0.order(act)
        }
    }
}

fn had(_: Mode) {
    overlays(&std::env::temp_dir()).unwrap();
}

fn merged(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let report = stack.0.run(&stack.order(&[
        "all-of",
        "read",
        "src/a.py",
        ",",
        "read",
        "src/b.py",
        ",",
        "read",
        "deep/er/c.py",
    ]));
    assert_eq!(report.end, End::Exited(0), "{}", stack.0.output());
    assert_eq!(stack.0.output(), "a\nchanged b\nc\n");
}
