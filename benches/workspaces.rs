//! What workspaces cost, beside what git takes for the same, in one run on one machine.
//!
//! `cargo bench -p seawall-git --bench workspaces [-- REPOSITORY|FILES|FILES-in-one ..]`. Without an argument it makes
//! repositories of 5,000, 20,000 and 60,000 files below the temporary directory and takes some minutes, with numbers those
//! of so many, which may lie in one directory; a repository that is given is cloned first and never written. Overlays are
//! mounted for real, each in a mount namespace of its own. Figures are medians in milliseconds; where git takes long, few
//! copies are made and the time is multiplied, which the table says.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use seawall_git::{
    Base, CommitId, Entry, EntryKind, Harvest, Label, Left, Owned, Store, put_aside,
    remove_workspace,
};

/// Workspaces of one wave.
const WAVE: usize = 32;
/// The time of the commits.
const WHEN: i64 = 1_700_000_000;

fn main() {
    become_mounter();
    let top = tempfile::tempdir().unwrap();
    let given: Vec<_> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    println!(
        "| repository | what | Seawall ms | git ms | ratio | goal |\n|---|---|---|---|---|---|"
    );
    let given = match given.is_empty() {
        true => ["5000", "20000", "60000"].map(String::from).to_vec(),
        false => given,
    };
    let mut once = Vec::new();
    for (n, repository) in given.iter().enumerate() {
        let at = top.path().join(n.to_string());
        let together = repository.strip_suffix("-in-one");
        match together.unwrap_or(repository).parse() {
            Ok(files) => generate(&at, files, if together.is_some() { files } else { 20 }),
            Err(_) => clone(repository, &at),
        }
        once.push(measure(&at));
        remove_workspace(&at).unwrap();
    }
    if let [small, _, large] = once[..] {
        println!(
            "\none workspace: {large:.3} ms at 60,000 files, {small:.3} ms at 5,000: {:.2} times (goal: at most 1.5)",
            large / small
        );
    }
}

fn clone(repository: &str, at: &Path) {
    let above = at.parent().unwrap();
    let words = ["clone", "-q", "--no-local", repository];
    git(above, &[&words[..], &[at.to_str().unwrap()]].concat());
}

/// As an ordinary user, mounting needs a user namespace; one for the whole program will do.
fn become_mounter() {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if !user.is_root() {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).unwrap();
        fs::write("/proc/self/setgroups", "deny").unwrap();
        fs::write("/proc/self/uid_map", format!("{user} {user} 1")).unwrap();
        fs::write("/proc/self/gid_map", format!("{group} {group} 1")).unwrap();
    }
}

/// What is measured on.
struct Site {
    repo: PathBuf,
    store: Store,
    base: CommitId,
    /// regular files of the base, spread over it
    files: Vec<Vec<u8>>,
    name: String,
}

impl Site {
    fn new(repo: &Path) -> Self {
        git(repo, &["config", "gc.auto", "0"]);
        git(repo, &["config", "user.name", "bench"]);
        git(repo, &["config", "user.email", "bench@localhost.invalid"]);
        let store = Store::discover(repo).unwrap();
        let base = store.head().unwrap().commit;
        let all = store.list(&base).unwrap();
        let is_file = |entry: &&Entry| matches!(entry.kind, EntryKind::File { executable: false });
        let files: Vec<_> = all
            .iter()
            .filter(is_file)
            .map(|entry| entry.path.clone())
            .collect();
        let step = (files.len() / 500).max(1);
        let name = format!("{} files", files.len());
        let files = files.into_iter().step_by(step).take(500).collect();
        Self {
            repo: repo.to_path_buf(),
            store,
            base,
            files,
            name,
        }
    }

    fn ours(&self, below: &str) -> PathBuf {
        self.store.common_dir().join("seawall").join(below)
    }

    fn row(&self, what: &str, ours: f64, gits: Option<f64>, goal: &str) {
        let name = &self.name;
        match gits {
            Some(gits) => println!(
                "| {name} | {what} | {ours:.2} | {gits:.1} | {:.1} | {goal} |",
                gits / ours
            ),
            None => println!("| {name} | {what} | {ours:.2} | - | - | {goal} |"),
        }
    }
}

fn measure(repo: &Path) -> f64 {
    let site = Site::new(repo);
    let layer = site.ours("base");
    let lay = ms(|| site.store.lay_base(&site.base, &layer).unwrap());
    let (add, remove) = worktrees(&site);
    site.row("a base, once a run", lay, Some(add), "");
    let once = wave(&site, &layer, add, remove);
    harvest(&site, &layer);
    let changed = checkpoint(&site, &layer, 1);
    next_base(&site, &changed);
    checkpoint(&site, &layer, 500);
    once
}

/// `git worktree add` and `remove` of one copy each.
fn worktrees(site: &Site) -> (f64, f64) {
    let at = site.repo.with_extension("worktree");
    let at = at.to_str().unwrap();
    let add = ms(|| git(&site.repo, &["worktree", "add", "-q", "--detach", at]));
    let remove = ms(|| git(&site.repo, &["worktree", "remove", "--force", at]));
    (add, remove)
}

/// Opens, and tears down, as many workspaces as a wave has.
fn wave(site: &Site, layer: &Path, add: f64, remove: f64) -> f64 {
    let mut opened = Vec::new();
    let mut closed = Vec::new();
    for _ in 0..5 {
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let gone = std::sync::Mutex::new(gone);
        std::thread::scope(|scope| {
            let start = Instant::now();
            for n in 0..WAVE {
                let (site, gone) = (&site, &gone);
                let (tell, ready) = std::sync::mpsc::channel();
                scope.spawn(move || {
                    let room = site.ours(&format!("rooms/{n}"));
                    open_room(site, layer, &room);
                    tell.send(()).unwrap();
                    // The namespace lives as long as its thread.
                    let _ended = gone.lock().unwrap().recv().is_err();
                });
                ready.recv().unwrap();
            }
            opened.push(start.elapsed().as_secs_f64() * 1e3);
            drop(go);
        });
        let start = Instant::now();
        for n in 0..WAVE {
            let room = site.ours(&format!("rooms/{n}"));
            let _none = fs::remove_dir(room.join("work/work")).is_err();
            remove_workspace(&room).unwrap();
        }
        closed.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let (open, close) = (median(opened), median(closed));
    let times = WAVE as f64;
    site.row(
        "32 workspaces with namespaces (git: one, times 32)",
        open,
        Some(add * times),
        "500 times, 5 ms each",
    );
    site.row(
        "tearing down 32 (git: one, times 32)",
        close,
        Some(remove * times),
        "20 times",
    );
    open / times
}

fn open_room(site: &Site, layer: &Path, room: &Path) {
    for dir in ["upper", "work", "at"] {
        fs::create_dir_all(room.join(dir)).unwrap();
    }
    let creates = [b"seawall-new-file".to_vec()];
    site.store
        .seed(&site.base, &room.join("upper"), &creates)
        .unwrap();
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
    mount_overlay(layer, room);
}

fn mount_overlay(layer: &Path, room: &Path) {
    let options = format!(
        "lowerdir={},upperdir={},workdir={},userxattr,volatile",
        layer.display(),
        room.join("upper").display(),
        room.join("work").display()
    );
    let fs = Some("overlay");
    mount(
        fs,
        &room.join("at"),
        fs,
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .unwrap();
}

/// One change in a workspace, beside `git status` of a checkout with the same change.
fn harvest(site: &Site, layer: &Path) {
    let path = &site.files[0];
    let room = site.ours("rooms/harvest");
    remove_workspace(&room).unwrap();
    for dir in ["upper", "work", "at"] {
        fs::create_dir_all(room.join(dir)).unwrap();
    }
    std::thread::scope(|scope| {
        let done = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
            mount_overlay(layer, &room);
            append(&room.join("at").join(as_path(path)), "changed\n");
            umount2(&room.join("at"), MntFlags::MNT_DETACH).unwrap();
        });
        done.join().unwrap();
    });
    let upper = room.join("upper");
    let layers = [layer];
    let left = Left {
        dir: &upper,
        layers: &layers,
        private_git: false,
    };
    let label = Label::new(&["bench", "1"]).unwrap();
    let look = |owned: &Owned, round: usize| {
        site.store
            .harvest_upper(&site.base, &left, owned, &label, WHEN + round as i64)
            .unwrap()
    };
    let nothing = Owned::default();
    let found = median(
        (0..200)
            .map(|round| ms(|| drop(look(&nothing, round))))
            .collect(),
    );
    let owned = Owned {
        files: vec![path.clone()],
        ..Owned::default()
    };
    let kept = (0..20).map(|round| {
        // Another content each time, so that there is something to store.
        append(&upper.join(as_path(path)), "x\n");
        ms(|| assert!(matches!(look(&owned, round), Harvest::Changed(_))))
    });
    let kept = median(kept.collect());
    append(&site.repo.join(as_path(path)), "changed\n");
    git(&site.repo, &["status", "--porcelain"]);
    let status = median(
        (0..5)
            .map(|_| ms(|| git(&site.repo, &["status", "--porcelain"])))
            .collect(),
    );
    git(&site.repo, &["checkout", "-q", "."]);
    site.row(
        "harvest of one change, found (git: warm status)",
        found,
        Some(status),
        "1 ms, 50 times",
    );
    site.row(
        "harvest of one change, found and on disk",
        kept,
        Some(status),
        "",
    );
}

/// A checkpoint of so many harvests, beside `git add -A && git commit`; then the change as a layer, beside `git checkout`.
/// Says what the last commit is.
fn checkpoint(site: &Site, layer: &Path, count: usize) -> CommitId {
    let files: Vec<_> = site.files.iter().take(count).collect();
    let upper = site.ours("rooms/upper");
    let layers = [layer];
    let (mut composed, mut laid) = (Vec::new(), Vec::new());
    // Each of many harvests waits for the disk.
    let (ours, gits) = if count == 1 { (101, 22) } else { (2, 4) };
    // As in a run, one branch goes on from checkpoint to checkpoint.
    let branch = format!("refs/heads/seawall/bench-{count}");
    let mut parent = site.base.clone();
    for round in 0..ours {
        let commits: Vec<_> = files
            .iter()
            .enumerate()
            .map(|(n, path)| {
                remove_workspace(&upper).unwrap();
                let file = upper.join(as_path(path));
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, format!("{round} {n}\n")).unwrap();
                let left = Left {
                    dir: &upper,
                    layers: &layers,
                    private_git: false,
                };
                let owned = Owned {
                    files: vec![path.to_vec()],
                    ..Owned::default()
                };
                let label = Label::new(&["bench", &n.to_string()]).unwrap();
                match site
                    .store
                    .harvest_upper(&site.base, &left, &owned, &label, WHEN)
                    .unwrap()
                {
                    Harvest::Changed(changed) => changed.commit,
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        let mut made = None;
        composed.push(ms(|| {
            let tree = site.store.compose(&site.base, &commits).unwrap();
            made = Some(
                site.store
                    .checkpoint(&parent, &tree, "x", &branch, WHEN)
                    .unwrap(),
            );
        }));
        let made = made.unwrap();
        parent = made.clone();
        let change = site.ours(&format!("change-{count}-{round}"));
        laid.push(ms(|| {
            let layers = [layer];
            let (base, dest) = (&site.base, &change);
            site.store
                .lay_change_over(&layers, base, &made, dest)
                .unwrap()
        }));
    }
    let (mut added, mut checked_out, mut synced) = (Vec::new(), Vec::new(), Vec::new());
    git(
        &site.repo,
        &["checkout", "-q", "--detach", site.base.as_str()],
    );
    for round in 0..gits {
        for path in &files {
            fs::write(site.repo.join(as_path(path)), format!("git {round}\n")).unwrap();
        }
        // Every other time as Seawall does it, so that nothing is lost with the power.
        let sync = ["-c", "core.fsync=all"];
        let sync = &sync[..if round % 2 == 0 { 0 } else { sync.len() }];
        let took = ms(|| {
            git(&site.repo, &[sync, &["add", "-A"]].concat());
            git(&site.repo, &[sync, &["commit", "-q", "-m", "x"]].concat());
        });
        match sync.is_empty() {
            true => added.push(took),
            false => synced.push(took),
        }
        let made = git(&site.repo, &["rev-parse", "HEAD"]);
        git(
            &site.repo,
            &["checkout", "-q", "--detach", site.base.as_str()],
        );
        checked_out.push(ms(|| {
            git(&site.repo, &["checkout", "-q", "--detach", &made])
        }));
        git(
            &site.repo,
            &["checkout", "-q", "--detach", site.base.as_str()],
        );
    }
    let goal = if count == 1 {
        "5 ms, 100 times"
    } else {
        "faster"
    };
    let composed = median(composed);
    for (with, git, goal) in [
        ("", added, goal),
        (", both with core.fsync=all", synced, ""),
    ] {
        let what = format!("checkpoint of {count} (git: add -A, commit{with})");
        site.row(&what, composed, Some(median(git)), goal);
    }
    site.row(
        &format!("layer of {count} (git: checkout)"),
        median(laid),
        Some(median(checked_out)),
        "2 times",
    );
    parent
}

/// The base of a run put aside, and taken by the next on a commit with one change, beside `git checkout` of that commit.
fn next_base(site: &Site, changed: &CommitId) {
    let [tree, git_dir, done, aside] =
        ["next", "none", "done", "aside"].map(|name| site.ours(name));
    let (tree, done) = (&tree, &done);
    site.store.lay_base(&site.base, tree).unwrap();
    let (mut ours, mut gits) = (Vec::new(), Vec::new());
    for round in 0..6 {
        let (from, to) = match round % 2 {
            0 => (&site.base, changed),
            _ => (changed, &site.base),
        };
        fs::write(done, "").unwrap();
        let base = Base {
            tree,
            git: &git_dir,
            commit: from,
            done,
        };
        ours.push(ms(|| {
            assert!(put_aside(&base, "bench", &aside).unwrap());
            let taken = site.store.take_base(&aside, "bench", to, tree);
            assert!(taken.unwrap().is_some());
        }));
        remove_workspace(&aside).unwrap();
        gits.push(ms(|| {
            git(&site.repo, &["checkout", "-q", "--detach", to.as_str()])
        }));
    }
    remove_workspace(tree).unwrap();
    let what = "the base of the run before, brought to 1 change (git: checkout)";
    site.row(what, median(ours), Some(median(gits)), "");
}

/// Makes a repository with so many files of about two kilobytes, so many in a directory.
fn generate(at: &Path, files: usize, together: usize) {
    fs::create_dir(at).unwrap();
    git(at, &["init", "-q", "-b", "main"]);
    let mut import = Command::new("git");
    import
        .args(["fast-import", "--quiet", "--force"])
        .current_dir(at)
        .stdin(Stdio::piped());
    let mut import = import.spawn().unwrap();
    let mut to = std::io::BufWriter::new(import.stdin.take().unwrap());
    write!(
        to,
        "commit refs/heads/main\ncommitter b <b@b> 1600000000 +0000\ndata 1\nx\n"
    )
    .unwrap();
    for n in 0..files {
        let text: String = (0..40)
            .map(|line| {
                format!(
                    "line {line} of file {n}: {:x}\n",
                    n * 7919 + line * line * 104_729
                )
            })
            .collect();
        write!(
            to,
            "M 100644 inline src/part{}/dir{}/file{n}.txt\ndata {}\n{text}\n",
            n / (together * 100),
            n / together,
            text.len()
        )
        .unwrap();
    }
    drop(to);
    assert!(import.wait().unwrap().success());
    git(at, &["reset", "-q", "--hard"]);
}

fn as_path(path: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(path))
}

fn append(path: &Path, text: &str) {
    let mut file = fs::File::options().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Runs git as its user would, but without hooks and without what the machine configures.
fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.hooksPath=/dev/null"])
        .args(args)
        .current_dir(dir);
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

fn ms<T>(act: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    act();
    start.elapsed().as_secs_f64() * 1e3
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
