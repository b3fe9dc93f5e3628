//! Overlays of layers show what commits hold, and a harvest of an upper directory finds what a full comparison finds.
//!
//! Each test runs as root in a mount namespace of its thread, and again as an ordinary user in a user namespace.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use seawall_git::{CommitId, Drifts, Harvest, Label, LaidBy, Left, Owned, remove_workspace};

use crate::common::{Fixture, WHEN, git, left, owned, put, run_with, tell};
use crate::harvest::{ACCEPTED, Act, REJECTED, chmod, edit, of};

/// Set in the process that runs as an ordinary user.
const INSIDE: &str = "SEAWALL_TEST_NAMESPACE";

/// Runs a test as root and as an ordinary user, both where overlays can be mounted without anyone seeing them.
pub(crate) fn in_namespaces(name: &str, test: fn()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    if nix::unistd::geteuid().is_root() {
        let thread = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
            test();
        });
        thread.join().unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let reachable = dir.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &reachable).unwrap();
    fs::set_permissions(&reachable, Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    if nix::unistd::geteuid().is_root() {
        nix::unistd::chown(dir.path(), Some(65534.into()), Some(65534.into())).unwrap();
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    command
        .args([
            "unshare",
            "--user",
            "--mount",
            "--map-current-user",
            "--keep-caps",
        ])
        .arg(&reachable)
        .args([name, "--exact"])
        .env(INSIDE, "1")
        .env("TMPDIR", dir.path())
        .env("HOME", dir.path())
        .current_dir(dir.path());
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "as an ordinary user: {text}");
    assert!(text.contains("1 passed"), "{text}");
}

/// A mounted overlay, unmounted in the end.
pub(crate) struct Mounted {
    pub(crate) at: PathBuf,
    pub(crate) upper: PathBuf,
    work: PathBuf,
}

impl Mounted {
    /// Makes the directories, all fresh.
    pub(crate) fn new(place: &Path) -> Self {
        let mounted = Self {
            at: place.join("merged"),
            upper: place.join("upper"),
            work: place.join("work"),
        };
        remove_workspace(place).unwrap();
        for dir in [&mounted.at, &mounted.upper, &mounted.work] {
            fs::create_dir_all(dir).unwrap();
        }
        mounted
    }

    /// Mounts layers, the top one first.
    pub(crate) fn mount(self, layers: &[&Path]) -> Self {
        let layers: Vec<_> = layers.iter().map(|layer| layer.to_str().unwrap()).collect();
        let options = format!(
            "lowerdir={},upperdir={},workdir={},userxattr,volatile",
            layers.join(":"),
            self.upper.display(),
            self.work.display()
        );
        let fs = Some("overlay");
        mount(fs, &self.at, fs, MsFlags::empty(), Some(options.as_str())).unwrap();
        self
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        umount2(&self.at, MntFlags::MNT_DETACH).unwrap();
    }
}

const A: [&[&str]; 3] = [&["a.txt"], &[], &[]];
const DIR: [&[&str]; 3] = [&["a.txt"], &["dir/new"], &["dir/deep/x.txt"]];

/// What only an overlay makes difficult; the expectation is what the comparison of the merged tree says.
const OVERLAID: &[(&str, [&[&str]; 3], Act)] = &[
    ("removed and remade", DIR, |ws| {
        fs::remove_dir_all(ws.join("dir/deep")).unwrap();
        put(ws, b"dir/deep/y.txt", "y\n");
        put(ws, b"dir/new", "x");
    }),
    ("removed and remade, with changes", A, |ws| {
        fs::remove_dir_all(ws.join("dir")).unwrap();
        put(ws, b"dir/deep/y.txt", "z\n");
        put(ws, b"dir/deep/z.txt", "z\n");
        symlink("elsewhere", ws.join("dir/escape")).unwrap();
    }),
    ("removed and remade, empty", A, |ws| {
        fs::remove_dir_all(ws.join("dir/deep")).unwrap();
        fs::create_dir(ws.join("dir/deep")).unwrap();
    }),
    ("removed below removed", DIR, |ws| {
        fs::remove_dir_all(ws.join("dir/deep")).unwrap();
        fs::remove_dir_all(ws.join("dir")).unwrap();
        fs::create_dir_all(ws.join("dir/deep")).unwrap();
        fs::remove_dir_all(ws.join("dir/deep")).unwrap();
    }),
    ("saved back as it was", A, |ws| {
        let a = fs::read(ws.join("a.txt")).unwrap();
        edit(ws);
        fs::remove_file(ws.join("a.txt")).unwrap();
        put(ws, b"a.txt", a);
    }),
    ("touched", A, |ws| {
        let file = fs::File::options()
            .append(true)
            .open(ws.join("b.txt"))
            .unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        chmod(&ws.join("dir/deep"), 0o700);
    }),
    ("file to directory and back", A, |ws| {
        fs::remove_file(ws.join("a.txt")).unwrap();
        fs::create_dir(ws.join("a.txt")).unwrap();
        put(ws, b"a.txt/x", "x");
        fs::remove_dir_all(ws.join("a.txt")).unwrap();
        edit(ws);
    }),
    ("directory to file", A, |ws| {
        fs::remove_dir_all(ws.join("dir")).unwrap();
        put(ws, b"dir", "x");
    }),
    ("a new directory moved over an old one", A, |ws| {
        put(ws, b"new/deep/z.txt", "z");
        fs::remove_dir_all(ws.join("dir")).unwrap();
        fs::rename(ws.join("new"), ws.join("dir")).unwrap();
    }),
    ("a new directory moved into an old one", A, |ws| {
        put(ws, b"new/z.txt", "z");
        fs::rename(ws.join("new"), ws.join("dir/new")).unwrap();
    }),
    ("an old file moved into a new directory", A, |ws| {
        fs::create_dir(ws.join("new")).unwrap();
        fs::rename(ws.join("b.txt"), ws.join("new/b.txt")).unwrap();
    }),
    ("swapped", A, |ws| {
        fs::rename(ws.join("a.txt"), ws.join("t")).unwrap();
        fs::rename(ws.join("b.txt"), ws.join("a.txt")).unwrap();
        fs::rename(ws.join("t"), ws.join("b.txt")).unwrap();
    }),
    ("old hard links", A, |ws| {
        fs::hard_link(ws.join("b.txt"), ws.join("c.txt")).unwrap();
        fs::hard_link(ws.join("link"), ws.join("link2")).unwrap();
    }),
    ("an owned file linked and unlinked", A, |ws| {
        fs::hard_link(ws.join("a.txt"), ws.join("t")).unwrap();
        fs::remove_file(ws.join("t")).unwrap();
        edit(ws);
    }),
    ("the submodule remade", A, |ws| {
        fs::remove_dir(ws.join("sub")).unwrap();
        fs::create_dir(ws.join("sub")).unwrap();
        edit(ws);
    }),
    ("the submodule replaced", A, |ws| {
        fs::remove_dir(ws.join("sub")).unwrap();
        put(ws, b"sub", "x");
    }),
    ("the ignored directory remade", A, |ws| {
        fs::remove_dir_all(ws.join("target")).unwrap();
        put(ws, b"target/debug/x", "x");
    }),
    ("a file to delete remade as it was", DIR, |ws| {
        fs::remove_file(ws.join("dir/deep/x.txt")).unwrap();
        put(ws, b"dir/deep/x.txt", "x\n");
        put(ws, b"dir/new", "x");
    }),
    ("a file to delete replaced", DIR, |ws| {
        fs::remove_file(ws.join("dir/deep/x.txt")).unwrap();
        symlink("y", ws.join("dir/deep/x.txt")).unwrap();
        put(ws, b"dir/new", "x");
    }),
    ("a file to delete left, another added", DIR, |ws| {
        put(ws, b"dir/other", "x")
    }),
    ("the file to create removed", DIR, |ws| {
        fs::remove_file(ws.join("dir/new")).unwrap();
        fs::remove_file(ws.join("dir/deep/x.txt")).unwrap();
    }),
    ("a directory to a link, by copy", A, |ws| {
        fs::remove_dir_all(ws.join("dir")).unwrap();
        put(ws, b"old/deep/x.txt", "x\n");
        symlink("old", ws.join("dir")).unwrap();
    }),
    ("attributes of an overlay set through it", A, |ws| {
        use rustix::fs::{XattrFlags, setxattr};
        for (name, value) in [
            ("opaque", "y"),
            ("redirect", "/b.txt"),
            ("metacopy", ""),
            ("whiteout", ""),
        ] {
            for path in ["a.txt", "dir", "dir/deep/x.txt"] {
                // Kernels before 6.7 refuse it instead of escaping the name.
                let name = format!("user.overlay.{name}");
                let _refused =
                    setxattr(ws.join(path), name, value.as_bytes(), XattrFlags::empty()).is_err();
            }
        }
        edit(ws);
    }),
];

/// Small numbers that look like chance, the same in every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}

/// Does something to a tree of few names, so that everything meets everything. What fails, fails.
pub(crate) fn meddle(ws: &Path, chance: &mut Chance) {
    const NAMES: [&str; 8] = [
        "a.txt", "dir", "deep", "x.txt", "sub", "link", "target", "n",
    ];
    let mut path = ws.to_path_buf();
    for _ in 0..=chance.below(3) {
        path.push(NAMES[chance.below(NAMES.len())]);
    }
    let other = ws
        .join(NAMES[chance.below(NAMES.len())])
        .join(NAMES[chance.below(NAMES.len())]);
    let _failed = match chance.below(10) {
        0 => fs::remove_file(&path),
        1 => fs::remove_dir_all(&path),
        2 | 3 => fs::create_dir_all(&path),
        4 => symlink("x", &path),
        5 => fs::rename(&path, &other),
        6 => fs::hard_link(&path, &other),
        7 if path.is_file() && !path.is_symlink() => {
            fs::set_permissions(&path, Permissions::from_mode(0o755))
        }
        _ => match path.is_symlink() {
            true => Ok(()),
            false => fs::write(&path, ["", "x\n", "alpha\nbeta\ngamma\n"][chance.below(3)]),
        },
    }
    .is_err();
}

/// Every path below a directory with its mode and content, without times.
pub(crate) fn picture(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut seen = BTreeMap::new();
    let mut pending = vec![dir.to_path_buf()];
    while let Some(path) = pending.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        let mut what = format!("{:o} ", found.permissions().mode()).into_bytes();
        if found.is_dir() {
            pending.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            if path == dir {
                continue;
            }
        } else if found.is_symlink() {
            what.extend(fs::read_link(&path).unwrap().as_os_str().as_bytes());
        } else {
            what.extend(fs::read(&path).unwrap());
        }
        seen.insert(path.strip_prefix(dir).unwrap().to_path_buf(), what);
    }
    seen
}

/// These move something into the workspace from outside, or rename a directory of the base, neither of which an overlay
/// allows.
const NOT_OVERLAID: [&str; 2] = [
    "someone else's file under an owned name",
    "directory to link",
];

struct Bench {
    fixture: Fixture,
    layer: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let fixture = Fixture::new();
        let layer = fixture.layer();
        Self { fixture, layer }
    }

    fn open(&self, owned: &Owned) -> Mounted {
        let mounted = Mounted::new(&self.fixture.dir.path().join("ws"));
        self.fixture
            .store
            .seed(&self.fixture.base, &mounted.upper, &owned.creates)
            .unwrap();
        mounted.mount(&[&self.layer])
    }

    fn harvest(&self, mounted: &Mounted, owned: &Owned) -> [Harvest; 2] {
        let label = Label::new(&["run", "overlay", "1"]).unwrap();
        let layers = [self.layer.as_path()];
        let (store, base) = (&self.fixture.store, &self.fixture.base);
        [
            store
                .harvest_upper(base, &left(&mounted.upper, &layers), owned, &label, WHEN)
                .unwrap(),
            store
                .harvest_copy(base, &left(&mounted.at, &layers), owned, &label, WHEN)
                .unwrap(),
        ]
    }
}

#[test]
fn an_upper_is_harvested_as_the_merged_tree() {
    in_namespaces("overlay::an_upper_is_harvested_as_the_merged_tree", || {
        let bench = Bench::new();
        let cases = ACCEPTED.iter().chain(REJECTED);
        for (name, lists, act, expected) in cases.filter(|case| !NOT_OVERLAID.contains(&case.0)) {
            let owned = of(*lists);
            let mounted = bench.open(&owned);
            act(&mounted.at);
            let [upper, merged] = bench.harvest(&mounted, &owned);
            assert_eq!(tell(&upper), *expected, "{name}");
            assert_eq!(upper, merged, "{name}");
        }
        for (name, lists, act) in OVERLAID {
            let owned = of(*lists);
            let mounted = bench.open(&owned);
            act(&mounted.at);
            let [upper, merged] = bench.harvest(&mounted, &owned);
            assert_eq!(tell(&upper), tell(&merged), "{name}");
            assert_eq!(upper, merged, "{name}");
        }
        bench.fixture.fsck();
    });
}

#[test]
fn whatever_is_done_is_harvested_as_the_merged_tree() {
    in_namespaces(
        "overlay::whatever_is_done_is_harvested_as_the_merged_tree",
        || {
            let bench = Bench::new();
            let mut chance = Chance(7);
            let mut kinds = [0; 4];
            for round in 0..400 {
                let owned = match round % 4 {
                    0 => Owned::default(),
                    1 => owned(&["a.txt"], &["dir/n"], &["dir/deep/x.txt"]),
                    2 => owned(&["dir/deep/x.txt"], &["target/n", "n"], &["a.txt"]),
                    _ => owned(&[], &["dir/deep/n"], &["dir/deep/x.txt", "target/kept.txt"]),
                };
                let mounted = bench.open(&owned);
                let acts = 1 + chance.below(12);
                if round % 8 > 3 {
                    // Some of what is owned, so that not all rounds end in drift.
                    for path in owned.files.iter().chain(&owned.creates) {
                        put(&mounted.at, path, "new");
                    }
                    for path in &owned.deletes {
                        fs::remove_file(mounted.at.join(OsStr::from_bytes(path))).unwrap();
                    }
                } else {
                    (0..acts).for_each(|_| meddle(&mounted.at, &mut chance));
                }
                let [upper, merged] = bench.harvest(&mounted, &owned);
                assert_eq!(
                    upper,
                    merged,
                    "round {round}: {:#?}",
                    (tell(&upper), tell(&merged))
                );
                kinds[match upper {
                    Harvest::Empty => 0,
                    Harvest::Drift(_) => 1,
                    Harvest::Missing(_) => 2,
                    Harvest::Changed(_) => 3,
                }] += 1;
            }
            assert!(kinds.iter().all(|count| *count > 3), "{kinds:?}");
        },
    );
}

/// Runs something in a thread that permissions bind, whoever runs it.
fn bound_by_permissions<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    std::thread::scope(|scope| {
        let bound = scope.spawn(|| {
            let mut sets = capabilities(None).unwrap();
            sets.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
            set_capabilities(None, sets).unwrap();
            act()
        });
        bound.join().unwrap()
    })
}

#[test]
fn what_is_closed_is_harvested_as_in_the_merged_tree() {
    in_namespaces(
        "overlay::what_is_closed_is_harvested_as_in_the_merged_tree",
        || {
            let bench = Bench::new();
            let acts: [fn(&Path); 3] = [
                |_| {},
                |ws| put(ws, b"dir/new", "x"),
                |ws| fs::remove_file(ws.join("dir/deep/x.txt")).unwrap(),
            ];
            for mode in 0..8 {
                for path in ["dir", "dir/deep", "bin", "bin/run", "a.txt", "target", ""] {
                    for (n, act) in acts.iter().enumerate() {
                        let owned = of(if n == 0 { A } else { DIR });
                        let mounted = bench.open(&owned);
                        act(&mounted.at);
                        chmod(&mounted.at.join(path), mode << 6);
                        let [upper, merged] =
                            bound_by_permissions(|| bench.harvest(&mounted, &owned));
                        chmod(&mounted.at.join(path), 0o700);
                        assert_eq!(upper, merged, "{path} {mode} {n}");
                        let readable = if path.contains('.') || path == "bin/run" {
                            4
                        } else {
                            5
                        };
                        let closed = matches!(&upper, Harvest::Drift(drifts) if tell_all(drifts).contains("cannot be read"));
                        assert_eq!(
                            closed,
                            mode & readable != readable,
                            "{path} {mode} {n}: {upper:?}"
                        );
                    }
                }
            }
        },
    );
}

fn tell_all(drifts: &Drifts) -> String {
    let told = drifts.list.iter().map(|drift| drift.what.to_string());
    told.collect::<Vec<_>>().join(", ")
}

/// Commits whatever is in a directory.
pub(crate) fn commit_dir(fixture: &Fixture, dir: &Path) -> CommitId {
    let repo = fixture.repo();
    let index = fixture.dir.path().join("index");
    let _none = fs::remove_file(&index).is_err();
    let vars = [("GIT_INDEX_FILE", index.as_path()), ("GIT_WORK_TREE", dir)];
    run_with(
        &repo,
        &vars,
        &["-c", "core.autocrlf=false", "add", "-A", "-f", "."],
    );
    let tree = run_with(&repo, &vars, &["write-tree"]);
    git(&repo, &["commit-tree", "-m", "x", &tree])
        .parse()
        .unwrap()
}

#[test]
fn changes_over_a_base_are_the_base_of_the_last() {
    in_namespaces(
        "overlay::changes_over_a_base_are_the_base_of_the_last",
        || {
            let fixture = Fixture::plain();
            let (store, dir) = (&fixture.store, fixture.dir.path());
            let mut chance = Chance(3);
            for round in 0..12 {
                let work = dir.join("work-tree");
                let mut commits = vec![fixture.base.clone()];
                let mut layers = vec![fixture.layer()];
                store.open_copy(&[&layers[0]], &work, &[]).unwrap();
                for step in 0..5 {
                    (0..=chance.below(25)).for_each(|_| meddle(&work, &mut chance));
                    let commit = commit_dir(&fixture, &work);
                    let layer = store.common_dir().join(format!("seawall/change{step}"));
                    let below: Vec<_> = layers.iter().map(PathBuf::as_path).collect();
                    store
                        .lay_change_over(&below, commits.last().unwrap(), &commit, &layer)
                        .unwrap();
                    layers.insert(0, layer);
                    commits.push(commit.clone());
                    let tops: Vec<_> = layers.iter().map(PathBuf::as_path).collect();
                    let fresh = dir.join("fresh");
                    let laid = store.lay_base(&commit, &fresh).unwrap();
                    assert_eq!(laid.by, LaidBy::Seawall);
                    let expected = picture(&fresh);
                    let mounted = Mounted::new(&dir.join("ws")).mount(&tops);
                    assert_eq!(
                        picture(&mounted.at),
                        expected,
                        "overlay, round {round}, step {step}"
                    );
                    let copy = dir.join("copy");
                    store.open_copy(&tops, &copy, &[]).unwrap();
                    assert_eq!(picture(&copy), expected, "copy, round {round}, step {step}");
                }
                remove_workspace(&store.common_dir().join("seawall")).unwrap();
            }
        },
    );
}

#[test]
fn a_directory_that_becomes_a_submodule_shows_nothing() {
    in_namespaces(
        "overlay::a_directory_that_becomes_a_submodule_shows_nothing",
        || {
            let fixture = Fixture::plain();
            let index = fixture.dir.path().join("index");
            let vars = [("GIT_INDEX_FILE", index.as_path())];
            run_with(
                &fixture.repo(),
                &vars,
                &["read-tree", fixture.base.as_str()],
            );
            run_with(
                &fixture.repo(),
                &vars,
                &["rm", "-r", "-q", "--cached", "dir", "bin/run"],
            );
            for path in ["dir", "bin/run"] {
                let link = format!("160000,1111111111111111111111111111111111111111,{path}");
                run_with(
                    &fixture.repo(),
                    &vars,
                    &["update-index", "--add", "--cacheinfo", &link],
                );
            }
            let tree = run_with(&fixture.repo(), &vars, &["write-tree"]);
            let to: CommitId = git(&fixture.repo(), &["commit-tree", "-m", "x", &tree])
                .parse()
                .unwrap();
            let layers = ["base", "there", "back"]
                .map(|name| fixture.store.common_dir().join("seawall").join(name));
            let store = &fixture.store;
            store.lay_base(&fixture.base, &layers[0]).unwrap();
            store
                .lay_change_over(&[&layers[0]], &fixture.base, &to, &layers[1])
                .unwrap();
            store
                .lay_change_over(&[&layers[1], &layers[0]], &to, &fixture.base, &layers[2])
                .unwrap();
            let mounted =
                Mounted::new(&fixture.dir.path().join("ws")).mount(&[&layers[1], &layers[0]]);
            assert_eq!(fs::read_dir(mounted.at.join("dir")).unwrap().count(), 0);
            assert_eq!(fs::read_dir(mounted.at.join("bin/run")).unwrap().count(), 0);
            drop(mounted);
            let all = [
                layers[2].as_path(),
                layers[1].as_path(),
                layers[0].as_path(),
            ];
            let mounted = Mounted::new(&fixture.dir.path().join("ws")).mount(&all);
            assert_eq!(picture(&mounted.at), picture(&layers[0]));
        },
    );
}

#[test]
fn a_forged_mark_is_drift() {
    use rustix::fs::{XattrFlags, setxattr};
    let fixture = Fixture::new();
    let layer = fixture.layer();
    let owned = owned(&["a.txt"], &[], &[]);
    for (path, name, value) in [
        ("dir", "redirect", "/bin"),
        ("dir", "opaque", "x"),
        ("a.txt", "metacopy", ""),
        ("a.txt", "redirect", "/b.txt"),
        (".", "whiteouts", "y"),
    ] {
        let upper = fixture.dir.path().join("upper");
        remove_workspace(&upper).unwrap();
        put(&upper, b"a.txt", "x");
        fs::create_dir(upper.join("dir")).unwrap();
        let name = format!("user.overlay.{name}");
        setxattr(
            upper.join(path),
            &name,
            value.as_bytes(),
            XattrFlags::empty(),
        )
        .unwrap();
        let layers = [layer.as_path()];
        let left = left(&upper, &layers);
        let label = Label::new(&["run", "forged", "1"]).unwrap();
        let harvest = fixture
            .store
            .harvest_upper(&fixture.base, &left, &owned, &label, WHEN);
        let told = tell(&harvest.unwrap());
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert!(
            told[0].ends_with("has a forged mark of an overlay"),
            "{name}: {told:?}"
        );
    }
}

#[test]
fn a_private_git_directory_is_skipped_at_the_top_only() {
    let fixture = Fixture::new();
    let upper = fixture.dir.path().join("upper");
    put(&upper, b".git/index", "x");
    put(&upper, b"dir/.git/index", "x");
    let layer = fixture.layer();
    let look = |private_git| {
        let left = Left {
            dir: &upper,
            layers: &[&layer],
            private_git,
        };
        let label = Label::new(&["run", "git", "1"]).unwrap();
        let owned = Owned::default();
        tell(
            &fixture
                .store
                .harvest_upper(&fixture.base, &left, &owned, &label, WHEN)
                .unwrap(),
        )
    };
    let below = "drift dir/.git has a name that stands for `.git`";
    assert_eq!(look(true), [below]);
    assert_eq!(
        look(false),
        ["drift .git has a name that stands for `.git`", below]
    );
}

#[test]
fn hostile_uppers_cost_bounded_time_and_memory() {
    let fixture = Fixture::new();
    let upper = fixture.dir.path().join("upper");
    put(&upper, b"a.txt", "changed");
    fs::create_dir(upper.join("junk")).unwrap();
    for n in 0..100_000 {
        fs::File::create(upper.join(format!("junk/{n:06}"))).unwrap();
    }
    crate::harvest::fifo(&upper.join("fifo"));
    fs::File::create(upper.join("sparse"))
        .unwrap()
        .set_len(1 << 42)
        .unwrap();
    put(&upper, b"\xff\x01name", "x");
    let layer = fixture.layer();
    let layers = [layer.as_path()];
    let left = left(&upper, &layers);
    let label = Label::new(&["run", "hostile", "1"]).unwrap();
    let owned = owned(&["a.txt"], &[], &[]);
    let start = std::time::Instant::now();
    let Harvest::Drift(drifts) = fixture
        .store
        .harvest_upper(&fixture.base, &left, &owned, &label, WHEN)
        .unwrap()
    else {
        panic!()
    };
    assert_eq!((drifts.total, drifts.list.len()), (100_003, 100));
    assert!(start.elapsed().as_secs() < 60);
    remove_workspace(&upper).unwrap();
}

#[test]
fn a_carried_directory_is_copied_as_it_is() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    put(&from, b"deep/er/file", "x");
    put(&from, b"bin/tool", "tool");
    chmod(&from.join("bin/tool"), 0o755);
    symlink("tool", from.join("bin/link")).unwrap();
    symlink("/etc/shadow", from.join("away")).unwrap();
    fs::hard_link(from.join("bin/tool"), from.join("deep/tool")).unwrap();
    crate::harvest::fifo(&from.join("fifo"));
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    fs::File::open(from.join("deep/er/file"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    fs::File::open(from.join("deep/er"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    chmod(&from.join("deep/er"), 0o555);
    let to = dir.path().join("to");
    put(&to, b"left/over", "x");
    seawall_git::copy_tree(&from, &to).unwrap();
    chmod(&from.join("deep/er"), 0o755);
    let status = |path: &str| fs::symlink_metadata(to.join(path)).unwrap();
    assert!(!to.join("fifo").exists() && !to.join("left").exists());
    assert_eq!(
        fs::read_link(to.join("away")).unwrap(),
        Path::new("/etc/shadow")
    );
    assert_eq!(status("bin/tool").ino(), status("deep/tool").ino());
    assert_eq!(status("bin/tool").permissions().mode() & 0o777, 0o755);
    assert_eq!(status("deep/er/file").modified().unwrap(), old);
    assert_eq!(status("deep/er").modified().unwrap(), old);
    assert_eq!(status("deep/er").permissions().mode() & 0o777, 0o555);
    chmod(&to.join("deep/er"), 0o755);
}
