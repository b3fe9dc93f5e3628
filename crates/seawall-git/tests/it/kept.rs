//! A base that was put aside becomes that of another commit, file by file, or is not taken at all.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use seawall_git::{Base, CommitId, Result, Taken, put_aside, remove_workspace};

use crate::common::Fixture;
use crate::overlay::{Chance, commit_dir, meddle, picture};

const SINCE: &str = "this start of the machine";

/// A fixture whose base was put aside with its private git directory, and where.
fn aside() -> (Fixture, PathBuf) {
    let fixture = Fixture::plain();
    let (layer, git, aside) = (
        fixture.layer(),
        fixture.ours("base.git"),
        fixture.ours("aside"),
    );
    let store = &fixture.store;
    store.private_git(&fixture.base, &layer, &git).unwrap();
    assert!(put(&fixture, (&layer, &git), &fixture.base, &aside));
    (fixture, aside)
}

/// Puts aside what is complete just now.
fn put(fixture: &Fixture, (tree, git): (&Path, &Path), commit: &CommitId, aside: &Path) -> bool {
    let done = &fixture.ours("done");
    fs::write(done, "").unwrap();
    let base = Base {
        tree,
        git,
        commit,
        done,
    };
    put_aside(&base, SINCE, aside).unwrap()
}

fn take(fixture: &Fixture, aside: &Path, to: &CommitId) -> Result<Option<Taken>> {
    let dest = fixture.ours("taken");
    remove_workspace(&dest).unwrap();
    let taken = fixture.store.take_base(aside, SINCE, to, &dest);
    assert_eq!(matches!(taken, Ok(Some(_))), dest.exists());
    taken
}

#[test]
fn it_becomes_the_base_of_any_commit_and_keeps_what_is_the_same() {
    let (fixture, mut from) = aside();
    let (store, dir) = (&fixture.store, fixture.dir.path());
    // Nothing meddles with this one.
    let inode = |dir: &Path| fs::metadata(dir.join("Case")).unwrap().ino();
    let first = inode(&from.join("tree"));
    let (work, fresh, taken) = (dir.join("work"), dir.join("fresh"), fixture.ours("taken"));
    let mut chance = Chance(7);
    for round in 0..60 {
        if round % 10 == 0 {
            store.lay_base(&fixture.base, &work).unwrap();
        }
        (0..chance.below(25)).for_each(|_| meddle(&work, &mut chance));
        let commit = commit_dir(&fixture, &work);
        store.lay_base(&commit, &fresh).unwrap();
        // Whatever the private git directory of another commit holds, workers of this one must not see.
        assert_eq!(
            take(&fixture, &from, &commit).unwrap(),
            Some(Taken { git: None })
        );
        assert_eq!(picture(&taken), picture(&fresh), "round {round}");
        assert_eq!(inode(&taken), first, "round {round}: all was written anew");
        from = fixture.ours(&format!("aside{round}"));
        assert!(put(&fixture, (&taken, Path::new("none")), &commit, &from));
    }
}

#[test]
fn the_private_git_directory_goes_along() {
    let (fixture, aside) = aside();
    let git = aside.join("git");
    // Another of its kind shares the packs, and goes again.
    let pack = fs::read_dir(git.join(".git/objects/pack"));
    let pack = pack.unwrap().next().unwrap().unwrap().path();
    fs::hard_link(&pack, fixture.ours("shared")).unwrap();
    fs::remove_file(fixture.ours("shared")).unwrap();
    let taken = take(&fixture, &aside, &fixture.base).unwrap().unwrap();
    assert_eq!(taken.git, Some(git));
}

/// Something that happens to what was put aside.
type Happens = (&'static str, fn(&Path));

const HAPPENS: [Happens; 10] = [
    ("other bytes, with the old time", |aside| {
        let path = aside.join("tree/a.txt");
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, vec![b'x'; bytes.len()]).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    }),
    ("a file more", |aside| {
        fs::write(aside.join("tree/dir/deep/n"), "").unwrap();
    }),
    ("a file less", |aside| {
        fs::remove_file(aside.join("tree/dir/deep/x.txt")).unwrap();
    }),
    ("an empty directory", |aside| {
        fs::create_dir(aside.join("tree/n")).unwrap();
    }),
    ("another mode", |aside| {
        fs::set_permissions(aside.join("tree/b.txt"), Permissions::from_mode(0o755)).unwrap();
    }),
    ("a copy in its place", |aside| {
        let (path, copy) = (aside.join("tree/b.txt"), aside.join("copy"));
        fs::copy(&path, &copy).unwrap();
        fs::rename(&copy, &path).unwrap();
    }),
    ("a link instead of a directory", |aside| {
        let (path, away) = (aside.join("tree/dir"), aside.join("away"));
        fs::rename(&path, &away).unwrap();
        symlink(&away, &path).unwrap();
    }),
    ("other objects for workers", |aside| {
        fs::write(aside.join("git/.git/HEAD"), "ref: refs/heads/x\n").unwrap();
    }),
    ("no objects for workers", |aside| {
        fs::remove_dir_all(aside.join("git")).unwrap();
    }),
    ("a note of nothing", |aside| {
        fs::write(aside.join("note"), "seawall base 1\n\n").unwrap();
    }),
];

#[test]
fn what_was_changed_meanwhile_is_not_taken() {
    for (what, happens) in HAPPENS {
        let (fixture, aside) = aside();
        happens(&aside);
        let taken = take(&fixture, &aside, &fixture.base).unwrap();
        assert_eq!(taken, None, "{what}");
    }
}

#[test]
fn it_is_not_taken_where_it_would_not_be_what_is_laid() {
    let (fixture, kept) = aside();
    let dest = fixture.ours("taken");
    let store = &fixture.store;
    let other = store.take_base(&kept, "another start", &fixture.base, &dest);
    assert_eq!(other.unwrap(), None);
    fixture.git(&["config", "core.autocrlf", "true"]);
    assert_eq!(take(&fixture, &kept, &fixture.base).unwrap(), None);
    fixture.git(&["config", "--unset", "core.autocrlf"]);
    if nix::unistd::geteuid().is_root() {
        let own = |owner: u32| nix::unistd::chown(&kept.join("tree"), Some(owner.into()), None);
        own(65534).unwrap();
        assert_eq!(take(&fixture, &kept, &fixture.base).unwrap(), None);
        own(0).unwrap();
    }
    // A commit that the repository does not have any more.
    let note = fs::read_to_string(kept.join("note")).unwrap();
    let lost = note.replace(fixture.base.as_str(), &"1".repeat(40));
    fs::write(kept.join("note"), lost).unwrap();
    assert!(take(&fixture, &kept, &fixture.base).is_err());
    fs::write(kept.join("note"), note).unwrap();
    assert!(take(&fixture, &kept, &fixture.base).unwrap().is_some());
}

#[test]
fn what_was_written_to_while_it_was_used_is_not_put_aside() {
    let writes: [fn(&Path); 3] = [
        |layer| fs::write(layer.join("a.txt"), "other\n").unwrap(),
        |layer| fs::remove_file(layer.join("dir/deep/x.txt")).unwrap(),
        |layer| fs::write(layer.join("../base.git/.git/HEAD"), "x").unwrap(),
    ];
    for (n, write) in writes.iter().enumerate() {
        let fixture = Fixture::plain();
        let (layer, git) = (fixture.layer(), fixture.ours("layers/base.git"));
        let store = &fixture.store;
        store.private_git(&fixture.base, &layer, &git).unwrap();
        let (done, aside) = (&fixture.ours("done"), fixture.ours("aside"));
        fs::write(done, "").unwrap();
        // The clock of the file system has ticks of some milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(50));
        write(&layer);
        let base = Base {
            tree: &layer,
            git: &git,
            commit: &fixture.base,
            done,
        };
        assert!(!put_aside(&base, SINCE, &aside).unwrap(), "{n}");
        assert!(take(&fixture, &aside, &fixture.base).is_err(), "{n}");
    }
}
