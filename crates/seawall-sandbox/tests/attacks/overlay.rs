//! Workspaces of layers and carried directories: what lands where, and attacks on what must stay as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use seawall_sandbox::{
    Carry, End, MOST_LAYERS, Order, Overlay, Report, State, Upper, Write, overlays, spawn,
};

use crate::Test;
use crate::fixture::{Fixture, Mode, fresh_mark};

pub(crate) const TESTS: &[Test] = &[
    ("overlay: this host has them", had),
    (
        "overlay: not on top of one that takes writes",
        on_an_overlay,
    ),
    (
        "overlay: a full disk is an error and nothing worse",
        on_a_full_disk,
    ),
    ("overlay: the worker sees the layers merged", merged),
    ("overlay: every change lands in the upper alone", changes),
    ("overlay: only owned files can be written", owned_only),
    ("overlay: marks of overlays cannot be forged", forged_marks),
    ("overlay: what it is made of is absent inside", absent),
    ("overlay: an upper is used again, by one at a time", again),
    ("overlay: an upper in memory is bounded and gone", memory),
    ("overlay: names are bytes, and layers are many", many_layers),
    ("overlay: thirty-two at one place", side_by_side),
    ("overlay: a carried directory is copy-on-write", carried),
    ("overlay: a carried directory needs a place", misplaced),
    (
        "overlay: layers that make no sense are refused",
        senseless_layers,
    ),
    (
        "overlay: carried directories that make no sense are refused",
        senseless_carries,
    ),
    ("overlay: never without namespaces", without_namespaces),
];

/// Two layers, uppers, an empty place and a directory to carry, below the fixture of the other attacks.
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
            ("carried/tool", "#!/bin/sh\n"),
        ] {
            let path = stack.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for directory in ["base/node_modules", "place"] {
            fs::create_dir_all(stack.path(directory)).unwrap();
        }
        for upper in ["own", "sibling", "carry"] {
            make_upper(&stack.path(upper));
        }
        stack
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path(below)
    }

    /// The worker owns `src/a.py`, as in the other attacks.
    fn order(&self, act: &[&str]) -> Order {
        Order {
            workspace: self.path("place"),
            overlay: Some(Overlay {
                layers: vec![self.path("change"), self.path("base")],
                upper: Upper::Kept(self.path("own")),
            }),
            ..self.0.order(act)
        }
    }

    fn order_with(&self, upper: Upper, act: &[&str]) -> Order {
        let order = self.order(act);
        let overlay = order.overlay.map(|overlay| Overlay { upper, ..overlay });
        Order {
            write: Write::Workspace,
            overlay,
            ..order
        }
    }

    fn carry(&self) -> Carry {
        Carry {
            at: "node_modules".into(),
            from: self.path("carried"),
            upper: Upper::Kept(self.path("carry")),
        }
    }

    fn run(&self, order: &Order) -> Report {
        self.0.run(order)
    }

    fn expect(&self, order: &Order, end: End) -> Report {
        let report = self.run(order);
        let said = self.0.output();
        assert_eq!(report.end, end, "{:?}: {said}", order.argv);
        report
    }

    fn could_not_start(&self, order: &Order, words: &str) {
        let end = self.run(order).end;
        let End::CouldNotStart { step, error } = &end else {
            panic!("{end:?}: {}", self.0.output());
        };
        let said = format!("{step}: {error}");
        assert!(said.contains(words), "`{said}` does not say `{words}`");
    }

    /// What lies in the layers and in the carried directory.
    fn below(&self) -> Vec<Contents> {
        ["base", "change", "carried"]
            .map(|name| contents(&self.path(name)))
            .into()
    }

    /// The names in an upper, whiteouts with an exclamation mark.
    fn written(&self, upper: &str) -> BTreeSet<String> {
        let root = self.path(upper).join("upper");
        let mut found = BTreeSet::new();
        walk(&root, &mut |path, metadata| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            if metadata.file_type().is_char_device() {
                assert_eq!(metadata.rdev(), 0, "{name}");
                found.insert(format!("!{name}"));
            } else if !metadata.is_dir() || fs::read_dir(path).unwrap().next().is_none() {
                found.insert(name.to_owned());
            }
        });
        found
    }
}

/// What the kernel leaves in a `work` directory keeps even its owner out.
impl Drop for Stack {
    fn drop(&mut self) {
        for upper in fs::read_dir(self.path("")).unwrap() {
            let mut work = upper.unwrap().path().join("work");
            for part in ["work", "incompat", "volatile"] {
                work.push(part);
                if work.exists() {
                    fs::set_permissions(&work, fs::Permissions::from_mode(0o700)).unwrap();
                }
            }
        }
    }
}

/// Path, and mode, number, time and bytes.
type Contents = BTreeMap<PathBuf, (u32, u64, i64, Vec<u8>)>;

fn contents(root: &Path) -> Contents {
    let mut found = Contents::new();
    walk(root, &mut |path, metadata| {
        let bytes = if metadata.is_file() {
            fs::read(path).unwrap()
        } else {
            Vec::new()
        };
        let seen = (
            metadata.mode(),
            metadata.ino(),
            metadata.mtime_nsec(),
            bytes,
        );
        found.insert(path.to_owned(), seen);
    });
    found
}

fn walk(root: &Path, see: &mut impl FnMut(&Path, &fs::Metadata)) {
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        see(&path, &metadata);
        if metadata.is_dir() {
            walk(&path, see);
        }
    }
}

fn make_upper(at: &Path) -> Upper {
    for part in ["upper", "work"] {
        fs::create_dir_all(at.join(part)).unwrap();
    }
    Upper::Kept(at.to_owned())
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn had(mode: Mode) {
    let stack = Stack::new(mode);
    overlays(&stack.path("place")).unwrap();
    assert_eq!(fs::read_dir(stack.path("place")).unwrap().count(), 0);
    let missing = overlays(&stack.path("missing")).unwrap_err();
    assert!(missing.contains("No such file"), "{missing}");
}

/// As in many containers, whose own root is an overlay.
fn on_an_overlay(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let asked = Command::new(std::env::current_exe().unwrap())
        .args([OsStr::new("__overlays-on"), stack.path("").as_os_str()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&asked.stdout);
    assert!(asked.status.success(), "{asked:?}");
    assert!(said.contains("cannot mount an overlay"), "{said}");
}

/// Mounts that nobody else sees.
fn alone() {
    let (user, group) = (nix::unistd::getuid(), nix::unistd::getgid());
    if !user.is_root() {
        unshare(CloneFlags::CLONE_NEWUSER).unwrap();
        fs::write("/proc/self/setgroups", "deny").unwrap();
        fs::write("/proc/self/uid_map", format!("{user} {user} 1")).unwrap();
        fs::write("/proc/self/gid_map", format!("{group} {group} 1")).unwrap();
    }
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let (none, private): (Option<&str>, _) = (None, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
    mount(none, "/", none, private, none).unwrap();
}

fn mount_here(kind: &str, place: &str, options: &str) {
    let flags = MsFlags::empty();
    mount(Some(kind), place, Some(kind), flags, Some(options)).unwrap();
}

/// Mounts an overlay in namespaces of its own, and asks whether others can be mounted over it.
pub(crate) fn ask_on_an_overlay(stack: &str) -> ExitCode {
    alone();
    let own = format!("{stack}/own");
    let options =
        format!("lowerdir={stack}/base,upperdir={own}/upper,workdir={own}/work,userxattr");
    let place = format!("{stack}/place");
    mount_here("overlay", &place, &options);
    match overlays(Path::new(&place)) {
        Ok(()) => ExitCode::FAILURE,
        Err(why) => {
            println!("{why}");
            ExitCode::SUCCESS
        }
    }
}

fn on_a_full_disk(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let asked = Command::new(std::env::current_exe().unwrap())
        .arg("__overlay-full")
        .output()
        .unwrap();
    assert!(asked.status.success(), "{asked:?}");
}

/// An upper on a small disk: what no longer fits is an error inside, and a disk that is full before is one outside.
pub(crate) fn fill_an_upper() -> ExitCode {
    alone();
    let stack = Stack::new(Mode { namespaces: true });
    fs::remove_dir_all(stack.path("own")).unwrap();
    fs::create_dir(stack.path("own")).unwrap();
    mount_here("tmpfs", &stack.0.text("own"), "size=1m");
    let upper = make_upper(&stack.path("own"));
    let order = |act: &[&str]| stack.order_with(upper.clone(), act);
    stack.expect(&order(&["grow", "src/big", "2000000"]), End::Exited(1));
    assert!(stack.0.output().contains("No space left"));
    stack.expect(&order(&["remove", "src/big"]), End::Exited(0));
    stack.expect(&order(&["write", "src/a.py"]), End::Exited(0));

    let second = stack.0.text("sibling");
    mount_here("tmpfs", &second, "nr_inodes=4");
    let upper = make_upper(Path::new(&second));
    fs::write(stack.path("sibling/last"), "").unwrap();
    let full = stack.order_with(upper, &["say", "hello"]);
    stack.could_not_start(&full, "as on a full disk");
    for disk in [second, stack.0.text("own")] {
        nix::mount::umount2(&*disk, nix::mount::MntFlags::MNT_DETACH).unwrap();
    }
    ExitCode::SUCCESS
}

fn merged(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let act = [
        "all-of",
        "read",
        "src/a.py",
        ",",
        "read",
        "src/b.py",
        ",",
        "read",
        "src/new.py",
        ",",
        "read",
        "deep/er/c.py",
        ",",
        "list",
        "src",
    ];
    let there = stack.0.text("repo/src/b.py");
    let order = stack.order(&[&act[..], &[",", "read", &there]].concat());
    let report = stack.expect(&order, End::Exited(0));
    assert_eq!(stack.0.output(), "a\nchanged b\nnew\nc\nchanged b\n");
    let entry = report
        .ledger
        .entries
        .iter()
        .find(|entry| entry.name == "workspace");
    let by = "overlay of 2 layers, writes kept".to_owned();
    assert_eq!(entry.unwrap().state, State::Enforced { by });
    let plain = stack.run(&stack.0.order(&["say"]));
    let entry = plain
        .ledger
        .entries
        .iter()
        .find(|entry| entry.name == "workspace");
    let by = "plain directory".to_owned();
    assert_eq!(entry.unwrap().state, State::Enforced { by });
}

/// What a worker may do to a workspace, and what is in the upper then.
const CHANGES: &[(&[&str], &[&str])] = &[
    (&["write", "src/a.py"], &["src/a.py"]),
    (&["empty", "src/b.py"], &["src/b.py"]),
    (&["truncate", "src/b.py"], &["src/b.py"]),
    (&["map", "src/b.py"], &["src/b.py"]),
    (&["map", "src/a.py"], &["src/a.py"]),
    (&["create", "src/more.py"], &["src/more.py"]),
    (&["remove", "src/gone.py"], &["!src/gone.py"]),
    (
        &["rename", "src/b.py", "src/c.py"],
        &["!src/b.py", "src/c.py"],
    ),
    (
        &["rename", "src/b.py", "src/a.py"],
        &["!src/b.py", "src/a.py"],
    ),
    (&["rename-new", "src/a.py"], &["src/a.py"]),
    (&["chmod", "src/a.py"], &["src/a.py"]),
    (&["touch", "src/a.py"], &["src/a.py"]),
    (
        &["hard-link", "src/a.py", "src/l.py"],
        &["src/a.py", "src/l.py"],
    ),
    (&["symlink", "a.py", "src/l.py"], &["src/l.py"]),
    (&["mkdir", "new"], &["new"]),
    (&["remove-all", "src"], &["!src"]),
    (
        &["all-of", "remove-all", "src", ",", "mkdir", "src"],
        &["src"],
    ),
    (
        &["all-of", "remove-all", "deep", ",", "create", "deep"],
        &["deep"],
    ),
    (
        &["all-of", "remove", "src/a.py", ",", "mkdir", "src/a.py"],
        &["src/a.py"],
    ),
];

fn changes(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    for (act, written) in CHANGES {
        let stack = Stack::new(mode);
        let before = stack.below();
        let order = Order {
            write: Write::Workspace,
            ..stack.order(act)
        };
        stack.expect(&order, End::Exited(0));
        assert_eq!(stack.below(), before, "{act:?}");
        assert_eq!(stack.written("own"), names(written), "{act:?}");
        assert!(fs::read_dir(stack.path("place")).unwrap().next().is_none());
    }
}

/// The same acts where one file is owned: what they do beyond it is refused, and nothing is copied up by trying.
fn owned_only(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let own = ["write", "empty", "truncate", "map", "chmod", "touch"];
    for (act, _) in CHANGES {
        let stack = Stack::new(mode);
        let before = stack.below();
        let allowed = act[1] == "src/a.py" && own.contains(&act[0]);
        let status = i32::from(!allowed);
        stack.expect(&stack.order(act), End::Exited(status));
        let left: &[_] = if allowed { &["src/a.py"] } else { &[] };
        assert_eq!(stack.written("own"), names(left), "{act:?}");
        assert_eq!(stack.below(), before, "{act:?}");
        let nothing = Order {
            write: Write::Nothing,
            ..stack.order_with(make_upper(&stack.path("sibling")), act)
        };
        stack.expect(&nothing, End::Exited(1));
        assert_eq!(stack.written("sibling"), names(&[]), "{act:?}");
    }
}

fn forged_marks(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let order = |act: &[&str]| stack.order_with(Upper::Kept(stack.path("own")), act);
    stack.expect(&order(&["whiteout", "src/x.py"]), End::Exited(1));
    // The attributes may be refused or kept under another name; they must not have their meaning.
    for name in [
        "user.overlay.opaque",
        "trusted.overlay.opaque",
        "user.overlay.whiteout",
    ] {
        stack.run(&order(&["mark", "src", name]));
        stack.run(&order(&["mark", "src/a.py", name]));
    }
    let act = ["all-of", "read", "src/a.py", ",", "read", "src/new.py"];
    stack.expect(&order(&act), End::Exited(0));
}

fn absent(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let carry = vec![stack.carry()];
    for part in [
        "base",
        "change",
        "own",
        "own/upper",
        "sibling",
        "carry/upper",
        "carried",
        "place",
    ] {
        let order = Order {
            carry: carry.clone(),
            ..stack.order(&["exists", &stack.0.text(part)])
        };
        stack.expect(&order, End::Exited(1));
    }
    let order = Order {
        carry,
        ..stack.order(&["read", "/proc/self/mountinfo"])
    };
    stack.expect(&order, End::Exited(0));
    let mounts = stack.0.output();
    assert!(mounts.contains(" - overlay "), "{mounts}");
    for part in ["base", "change", "own", "carried"] {
        assert!(!mounts.contains(&stack.0.text(part)), "{part}: {mounts}");
    }
}

fn again(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let order = |act: &[&str]| stack.order_with(Upper::Kept(stack.path("own")), act);
    stack.expect(&order(&["create", "src/first.py"]), End::Exited(0));
    stack.expect(&order(&["create", "src/second.py"]), End::Exited(0));
    stack.expect(&order(&["remove", "src/first.py"]), End::Exited(0));
    assert_eq!(stack.written("own"), names(&["src/second.py"]));

    let mark = fresh_mark();
    let running = spawn(&order(&[
        "all-of", "create", "started", ",", "sleep", &mark,
    ]))
    .unwrap();
    crate::fixture::eventually("it runs", || stack.path("own/upper/started").exists());
    let another = stack.order_with(Upper::Kept(stack.path("own")), &["say", "hello"]);
    stack.could_not_start(&another, "another command uses it");
    drop(running);
    stack.expect(&another, End::Exited(0));
}

fn memory(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let before = contents(&stack.path(""));
    let order = |act: &[&str]| stack.order_with(Upper::Memory(4 << 20), act);
    let fits = [
        "all-of",
        "grow",
        "src/a.py",
        "1000000",
        ",",
        "remove-all",
        "deep",
        ",",
        "mkdir",
        "deep",
    ];
    let report = stack.expect(&order(&fits), End::Exited(0));
    let entry = report
        .ledger
        .entries
        .iter()
        .find(|entry| entry.name == "workspace");
    let by = "overlay of 2 layers, writes in memory up to 4 MiB".to_owned();
    assert_eq!(entry.unwrap().state, State::Enforced { by });
    stack.expect(&order(&["read", "src/a.py"]), End::Exited(0));
    assert_eq!(stack.0.output(), "a\n");
    for (too_much, words) in [
        (&["grow", "src/a.py", "8000000"][..], "No space left"),
        (&["many", "more", "20000"], "No space left"),
    ] {
        stack.expect(&order(too_much), End::Exited(1));
        assert!(stack.0.output().contains(words), "{}", stack.0.output());
    }
    let after = contents(&stack.path(""));
    let relevant = |contents: Contents| -> Contents {
        let output = stack.path("output");
        contents
            .into_iter()
            .filter(|(path, _)| *path != output)
            .collect()
    };
    assert_eq!(relevant(before), relevant(after));
}

fn many_layers(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let odd: [&[u8]; 5] = [b"a:b", b"c,d\\", b"e\nf", b"\xff\xfe", b" =%20"];
    let mut layers: Vec<_> = odd
        .map(|name| stack.path("").join(OsStr::from_bytes(name)))
        .into();
    let more = MOST_LAYERS - odd.len();
    layers.extend((0..more).map(|number| stack.path(&format!("layer{number}"))));
    for (number, layer) in layers.iter().enumerate() {
        fs::create_dir(layer).unwrap();
        fs::write(layer.join("top"), format!("{number}")).unwrap();
        fs::write(layer.join(format!("file{number}")), format!("{number}")).unwrap();
    }
    let last = format!("file{}", MOST_LAYERS - 1);
    let act = [
        "all-of", "read", "top", ",", "read", "file3", ",", "read", &last,
    ];
    let mut order = stack.order(&act);
    order.write = Write::Nothing;
    order.overlay.as_mut().unwrap().layers = layers;
    stack.expect(&order, End::Exited(0));
    assert_eq!(stack.0.output(), format!("0\n3\n{}\n", MOST_LAYERS - 1));
}

/// The same layers, the same place, and each sees its own alone.
fn side_by_side(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let before = stack.below();
    let orders: Vec<Order> = (0..32)
        .map(|number| {
            let own = format!("own{number}.py");
            let act = [
                "all-of",
                "create",
                &own,
                ",",
                "rename-new",
                "src/a.py",
                ",",
                "remove",
                "src/b.py",
            ];
            let upper = make_upper(&stack.path(&format!("upper{number}")));
            let mut order = stack.order_with(upper, &act);
            if let seawall_sandbox::Output::File { path, .. } = &mut order.output {
                *path = stack.path(&format!("output{number}"));
            }
            order
        })
        .collect();
    let running: Vec<_> = orders.iter().map(|order| spawn(order).unwrap()).collect();
    for (number, running) in running.into_iter().enumerate() {
        let report = running.finish().unwrap();
        let said = fs::read_to_string(stack.path(&format!("output{number}"))).unwrap();
        assert_eq!(report.end, End::Exited(0), "{said}");
        let own = format!("own{number}.py");
        let expected = names(&["!src/b.py", "src/a.py", &own]);
        assert_eq!(stack.written(&format!("upper{number}")), expected);
    }
    assert_eq!(stack.below(), before);
}

fn carried(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let act = [
        "all-of",
        "write",
        "node_modules/pkg/index.js",
        ",",
        "create",
        "node_modules/new",
        ",",
        "chmod",
        "node_modules/tool",
        ",",
        "rename",
        "node_modules/tool",
        "node_modules/pkg/tool",
        ",",
        "mkdir",
        "node_modules/.cache",
        ",",
        "touch",
        "node_modules/pkg/tool",
    ];
    let changed = names(&["!tool", ".cache", "new", "pkg/index.js", "pkg/tool"]);
    for write in [
        Write::Nothing,
        Write::Files(vec!["src/a.py".into()]),
        Write::Workspace,
    ] {
        for layered in [true, false] {
            let stack = Stack::new(mode);
            fs::create_dir(stack.0.work("node_modules")).unwrap();
            let order = |act: &[&str], upper: Upper| {
                let base = if layered {
                    stack.order(act)
                } else {
                    stack.0.order(act)
                };
                let carry = vec![Carry {
                    upper,
                    ..stack.carry()
                }];
                Order {
                    write: write.clone(),
                    carry,
                    ..base
                }
            };
            let before = stack.below();
            let report = stack.expect(&order(&act, stack.carry().upper), End::Exited(0));
            assert!(
                report
                    .ledger
                    .entries
                    .iter()
                    .any(|entry| entry.name == "carry")
            );
            assert_eq!(stack.written("carry"), changed);
            stack.expect(&order(&act, Upper::Memory(1 << 20)), End::Exited(0));
            if write != Write::Workspace {
                let out = ["rename", "node_modules/tool", "src/tool"];
                stack.expect(&order(&out, Upper::Memory(1 << 20)), End::Exited(1));
                let other = ["all-of", "write", "src/b.py"];
                stack.expect(&order(&other, Upper::Memory(1 << 20)), End::Exited(1));
            }
            assert_eq!(stack.below(), before);
            assert_eq!(stack.written("own"), names(&[]));
        }
    }
}

fn misplaced(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let order = |at: &str| Order {
        carry: vec![Carry {
            at: at.into(),
            ..stack.carry()
        }],
        ..stack.order(&["say", "hello"])
    };
    let there = "find a directory in the workspace for the carried";
    stack.could_not_start(&order("missing"), there);
    stack.could_not_start(&order("src/b.py"), there);
    std::os::unix::fs::symlink("/usr", stack.path("base/link")).unwrap();
    std::os::unix::fs::symlink("deep", stack.path("base/inner")).unwrap();
    stack.could_not_start(&order("link"), there);
    stack.could_not_start(&order("link/bin"), there);
    stack.could_not_start(&order("inner/er"), there);
    stack.expect(&order("deep/er"), End::Exited(0));
}

fn senseless_layers(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let p = |name: &str| stack.path(name);
    std::os::unix::fs::symlink(p("base"), p("link")).unwrap();
    for directory in ["own/upper/x", "half/upper"] {
        fs::create_dir_all(p(directory)).unwrap();
    }
    let many = vec![p("base"); MOST_LAYERS + 1];
    let kept = |name: &str| Upper::Kept(p(name));
    let overlays = [
        (vec![], kept("own"), "no layer"),
        (many, kept("own"), "500 at most"),
        (vec![p("absent")], kept("own"), "absent"),
        (vec!["base".into()], kept("own"), "not absolute"),
        (vec![p("link")], kept("own"), "symbolic link"),
        (vec![p("base/src/a.py")], kept("own"), "not a directory"),
        (
            vec![p("base"), p("own/upper")],
            kept("own"),
            "takes what is written",
        ),
        (vec![p("")], kept("own"), "overlap"),
        (vec![p("own/upper/x")], kept("own"), "overlap"),
        (vec![p("base")], kept("missing"), "missing"),
        (vec![p("base")], kept("half"), "half/work"),
        (vec![p("base")], Upper::Memory(0), "needs a size"),
    ];
    let good = stack.order(&["say", "hello"]);
    for (layers, upper, words) in overlays {
        let overlay = Some(Overlay { layers, upper });
        refused(
            &Order {
                overlay,
                ..good.clone()
            },
            words,
        );
    }
    File::create(p("place/file")).unwrap();
    refused(&good, "not empty");
    fs::remove_file(p("place/file")).unwrap();
    stack.expect(&good, End::Exited(0));
}

fn senseless_carries(mode: Mode) {
    if !mode.namespaces {
        return;
    }
    let stack = Stack::new(mode);
    let p = |name: &str| stack.path(name);
    std::os::unix::fs::symlink(p("base"), p("link")).unwrap();
    let kept = |name: &str| Upper::Kept(p(name));
    let good = stack.order(&["say", "hello"]);
    let carries = [
        ("", "carried", kept("carry"), "no place"),
        ("../x", "carried", kept("carry"), "no place"),
        ("/usr", "carried", kept("carry"), "no place"),
        (
            "src",
            "carried",
            kept("carry"),
            "whose changes are not kept",
        ),
        ("node_modules", "link", kept("carry"), "symbolic link"),
        ("node_modules", "link/src", kept("carry"), "is really"),
        (
            "node_modules",
            "carried/../carried",
            kept("carry"),
            "is really",
        ),
        ("node_modules", "absent", kept("carry"), "absent"),
        ("node_modules", "own/upper", kept("carry"), "overlap"),
        ("node_modules", "repo", kept("carry"), "overlap"),
        ("node_modules", "carried", kept("own"), "two places"),
    ];
    for (at, from, upper, words) in carries {
        let carry = vec![Carry {
            at: at.into(),
            from: p(from),
            upper,
        }];
        refused(
            &Order {
                carry,
                ..good.clone()
            },
            words,
        );
    }
    let inner = Carry {
        at: "node_modules/x".into(),
        upper: Upper::Memory(1),
        ..stack.carry()
    };
    let carry = vec![stack.carry(), inner];
    refused(
        &Order {
            carry,
            ..good.clone()
        },
        "meet",
    );
    stack.expect(&good, End::Exited(0));
}

fn refused(order: &Order, words: &str) {
    let error = spawn(order)
        .err()
        .unwrap_or_else(|| panic!("it started: {words}"));
    let mut said = error.to_string();
    if let Some(source) = std::error::Error::source(&error) {
        said = format!("{said}: {source}");
    }
    assert!(said.contains(words), "`{said}` does not say `{words}`");
}

fn without_namespaces(mode: Mode) {
    let stack = Stack::new(mode);
    let layered = Order {
        namespaces: false,
        ..stack.order(&["say", "hello"])
    };
    let carrying = Order {
        overlay: None,
        workspace: stack.0.work(""),
        carry: vec![stack.carry()],
        ..layered.clone()
    };
    refused(&layered, "need namespaces");
    refused(&carrying, "need namespaces");
    let plain = Order {
        namespaces: false,
        ..stack.0.order(&["say", "hello"])
    };
    stack.expect(&plain, End::Exited(0));
}
