//! Harvests compose to what git itself computes, in any order.

use std::fs;

use crate::common::{Fixture, WHEN, owned, put};
use proptest::prelude::*;
use seawall_git::{CommitId, Error, Owned, TreeId};

/// The tree that `git cherry-pick` makes of the harvests, in a checkout of its own.
fn by_git(fixture: &Fixture, harvests: &[CommitId]) -> String {
    let index = fixture.dir.path().join("scratch-index");
    let with = |args: &[&str], stdin: &[u8]| {
        let path = format!("GIT_INDEX_FILE={}", index.display());
        let mut all = vec![
            path.as_str(),
            "git",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
        ];
        all.extend(args);
        let mut command = std::process::Command::new("env");
        command
            .args(all)
            .current_dir(fixture.repo())
            .stdin(std::process::Stdio::piped());
        let mut child = command
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        output.stdout
    };
    with(&["read-tree", fixture.base.as_str()], b"");
    for harvest in harvests {
        let raw = with(
            &[
                "diff-tree",
                "-r",
                "--no-renames",
                "--no-commit-id",
                "-z",
                harvest.as_str(),
            ],
            b"",
        );
        let fields: Vec<_> = raw
            .split(|byte| *byte == 0)
            .filter(|field| !field.is_empty())
            .collect();
        for pair in fields.chunks(2) {
            let text = str::from_utf8(pair[0]).unwrap();
            let words: Vec<_> = text.split(' ').collect();
            let line = format!("{} {}\t", words[1], words[3]).into_bytes();
            with(
                &["update-index", "-z", "--index-info"],
                &[&line, pair[1], b"\0"].concat(),
            );
        }
    }
    String::from_utf8(with(&["write-tree"], b""))
        .unwrap()
        .trim()
        .to_owned()
}

/// The tree that harvests would make; what it would be without each of them is compared with what the others would make.
fn foreseen(fixture: &Fixture, harvests: &[CommitId]) -> TreeId {
    let (store, base) = (&fixture.store, &fixture.base);
    let without = store.without_each(base, harvests).unwrap();
    assert_eq!(without.len(), harvests.len());
    for (n, tree) in without.iter().enumerate() {
        let others = [&harvests[..n], &harvests[n + 1..]].concat();
        assert_eq!(*tree, store.would_compose(base, &others).unwrap());
    }
    store.would_compose(base, harvests).unwrap()
}

#[test]
fn harvests_compose_to_what_git_computes() {
    let fixture = Fixture::new();
    let edit = |name: &str, owned: &Owned| {
        fixture.change(name, owned, |ws| {
            for path in owned.files.iter().chain(&owned.creates) {
                put(ws, path, name);
            }
            for path in &owned.deletes {
                fs::remove_file(ws.join(str::from_utf8(path).unwrap())).unwrap();
            }
        })
    };
    let harvests = [
        edit("1", &owned(&["a.txt", "dir/deep/x.txt"], &[], &[])),
        edit(
            "2",
            &owned(&["bin/run"], &["new/deep/er/f", "dir/deep/z"], &["b.txt"]),
        ),
        edit(
            "3",
            &owned(&[], &["new/deep/g"], &["dir/deep/y.txt", "gone.txt"]),
        ),
        edit("4", &owned(&["Case"], &[], &["target/kept.txt"])),
        edit(
            "5",
            &Owned {
                files: vec![b"\xff\xfe/\xe9".to_vec()],
                ..Owned::default()
            },
        ),
    ];
    for some in [
        &harvests[..],
        &harvests[..0],
        &harvests[1..3],
        &harvests[2..],
    ] {
        let objects = fixture.git(&["count-objects", "-v"]);
        let foreseen = foreseen(&fixture, some);
        assert_eq!(
            fixture.git(&["count-objects", "-v"]),
            objects,
            "looking ahead wrote something"
        );
        let tree = fixture.store.compose(&fixture.base, some).unwrap();
        assert_eq!(tree, foreseen);
        assert_eq!(tree.as_str(), by_git(&fixture, some));
        let reversed: Vec<_> = some.iter().rev().cloned().collect();
        assert_eq!(
            fixture.store.compose(&fixture.base, &reversed).unwrap(),
            tree
        );
    }
    fixture.fsck();
}

#[test]
fn what_does_not_compose_is_named() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let write = |name: &str, owned: &Owned| {
        fixture.change(name, owned, |ws| {
            for path in owned.files.iter().chain(&owned.creates) {
                put(ws, path, "same");
            }
        })
    };
    let one = write("one", &owned(&["a.txt"], &[], &[]));
    let alike = write("alike", &owned(&["a.txt", "b.txt"], &[], &[]));
    let error = store
        .compose(&fixture.base, &[one.clone(), alike.clone()])
        .unwrap_err();
    assert!(
        matches!(&error, Error::Overlap(path) if path == b"a.txt"),
        "{error}"
    );
    let twice = store
        .compose(&fixture.base, &[one.clone(), one.clone()])
        .unwrap_err();
    assert!(matches!(twice, Error::Overlap(_)), "{twice}");

    let file = write("file", &owned(&[], &["clash"], &[]));
    let below = write("below", &owned(&[], &["clash/x/y"], &[]));
    let error = store
        .compose(&fixture.base, &[file.clone(), below.clone()])
        .unwrap_err();
    assert!(
        matches!(&error, Error::PathClash(path) if path == b"clash"),
        "{error}"
    );

    let tree = store.tree_of(&one).unwrap();
    let next = store
        .scratch_commit(&tree, &fixture.base, "next", WHEN)
        .unwrap();
    assert_eq!(
        store
            .scratch_commit(&tree, &fixture.base, "next", WHEN)
            .unwrap(),
        next
    );
    let error = store.compose(&next, &[alike]).unwrap_err();
    assert!(
        matches!(&error, Error::StaleBase(path) if path == b"a.txt"),
        "{error}"
    );
    assert!(
        store.compose(&next, &[file]).is_ok(),
        "elsewhere a later base is fine"
    );
    let error = store
        .compose(&fixture.base, std::slice::from_ref(&fixture.base))
        .unwrap_err();
    assert!(matches!(error, Error::NotAHarvest(_)), "{error}");
}

#[test]
fn everything_deleted_is_the_empty_tree() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("repo");
    fs::create_dir(&repo).unwrap();
    crate::common::git(&repo, &["init", "-q"]);
    put(&repo, b"x/y/only", "1");
    crate::common::git(&repo, &["add", "."]);
    crate::common::git(&repo, &["commit", "-q", "-m", "base"]);
    let fixture = Fixture::of(dir, &repo);
    let commit = fixture.change("all", &owned(&[], &[], &["x/y/only"]), |ws| {
        fs::remove_dir_all(ws.join("x")).unwrap();
    });
    let tree = fixture.store.compose(&fixture.base, &[commit]).unwrap();
    assert_eq!(tree.as_str(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    fixture.fsck();
}

/// What one worker does to one path of its own: nothing for deletion.
type Act = (usize, Option<Vec<u8>>);

const PATHS: &[&str] = &[
    "a.txt",
    "b.txt",
    "dir/deep/x.txt",
    "dir/deep/y.txt",
    "bin/run",
    "Case",
    "empty",
    "crlf.dat",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_gives_one_tree(
        acts in prop::collection::btree_map(0..PATHS.len(), prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), 1..8),
        workers in 1usize..4,
        shuffle in any::<u64>(),
    ) {
        let fixture = Fixture::new();
        let mut harvests = Vec::new();
        for worker in 0..workers {
            let own: Vec<Act> = acts.clone().into_iter().filter(|(path, _)| path % workers == worker).collect();
            let mut owned = Owned::default();
            for (path, content) in &own {
                let list = if content.is_some() { &mut owned.files } else { &mut owned.deletes };
                list.push(PATHS[*path].as_bytes().to_vec());
            }
            let name = format!("w{worker}");
            let workspace = fixture.open(&name, &owned);
            for (path, content) in &own {
                match content {
                    Some(content) => fs::write(workspace.join(PATHS[*path]), content).unwrap(),
                    None => fs::remove_file(workspace.join(PATHS[*path])).unwrap(),
                }
            }
            match fixture.harvest(&workspace, &owned, &name) {
                seawall_git::Harvest::Changed(changed) => harvests.push(changed.commit),
                seawall_git::Harvest::Empty => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
        let tree = fixture.store.compose(&fixture.base, &harvests).unwrap();
        let middle = (shuffle as usize) % (harvests.len() + 1);
        harvests.rotate_left(middle);
        prop_assert_eq!(&fixture.store.compose(&fixture.base, &harvests).unwrap(), &tree);
        harvests.reverse();
        prop_assert_eq!(&fixture.store.compose(&fixture.base, &harvests).unwrap(), &tree);
        foreseen(&fixture, &harvests);
        let commit = fixture.store.scratch_commit(&tree, &fixture.base, "all", WHEN).unwrap();
        for (path, content) in &acts {
            prop_assert_eq!(&fixture.store.read(&commit, PATHS[*path].as_bytes()).unwrap(), content);
        }
    }
}

#[test]
fn a_wide_wave_composes_in_order() {
    let fixture = Fixture::new();
    let names: Vec<_> = (0..40).map(|n| format!("wide/d{}/f{n}", n % 3)).collect();
    let harvests: Vec<_> = names
        .iter()
        .map(|name| {
            let owned = owned(&[], &[name], &[]);
            fixture.change(name, &owned, |ws| put(ws, name.as_bytes(), name))
        })
        .collect();
    let tree = fixture.store.compose(&fixture.base, &harvests).unwrap();
    let commit = fixture
        .store
        .scratch_commit(&tree, &fixture.base, "x", WHEN)
        .unwrap();
    for name in &names {
        let content = fixture
            .store
            .read(&commit, name.as_bytes())
            .unwrap()
            .unwrap();
        assert_eq!(content, name.as_bytes());
    }
    let mut twice = harvests.clone();
    twice.push(harvests[0].clone());
    assert!(matches!(
        fixture.store.compose(&fixture.base, &twice),
        Err(Error::Overlap(_))
    ));
}

/// A harvest as it was before its message said what it changed.
fn without_record(fixture: &Fixture, harvest: &CommitId) -> CommitId {
    let tree = fixture.store.tree_of(harvest).unwrap();
    let plain = fixture
        .store
        .scratch_commit(&tree, &fixture.base, "harvest x\n", WHEN);
    plain.unwrap()
}

#[test]
fn a_harvest_says_what_it_changed() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let owned = Owned {
        files: vec![
            b"\xff\xfe/\xe9".to_vec(),
            b"new\nline".to_vec(),
            b"bin/run".to_vec(),
        ],
        creates: vec![b"dir/ %41/new".to_vec()],
        deletes: vec![b"dir/deep/x.txt".to_vec()],
    };
    let harvest = fixture.change("1", &owned, |ws| {
        for path in owned.files.iter().chain(&owned.creates) {
            put(ws, path, "changed");
        }
        fs::remove_file(ws.join("dir/deep/x.txt")).unwrap();
    });
    let said = store.facts(&harvest).unwrap().message;
    let (_, said) = said.split_once("\nSeawall-Changes: 1\n").unwrap();
    let by_git = fixture.git(&[
        "diff-tree",
        "-r",
        "--raw",
        "--no-abbrev",
        "-z",
        "HEAD",
        harvest.as_str(),
    ]);
    let by_git: Vec<_> = by_git.split_terminator('\0').collect();
    let by_git: Vec<_> = by_git
        .chunks_exact(2)
        .map(|pair| pair[0].rsplit_once(' ').unwrap().0)
        .collect();
    let said: Vec<_> = said
        .lines()
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    assert_eq!(said, by_git);

    let plain = without_record(&fixture, &harvest);
    assert_eq!(
        store.compose(&fixture.base, &[harvest]).unwrap(),
        store.compose(&fixture.base, &[plain]).unwrap(),
    );
}

#[test]
fn what_a_harvest_says_is_not_believed_without_the_object() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let harvest = fixture.change("1", &owned(&["a.txt"], &[], &[]), |ws| {
        put(ws, b"a.txt", "new")
    });
    let facts = store.facts(&harvest).unwrap();
    let blob = store.entry(&harvest, b"a.txt").unwrap().unwrap().blob;
    let tree = store.tree_of(&fixture.base).unwrap();
    let wrong = ["1234567890123456789012345678901234567890", tree.as_str()];
    for wrong in wrong {
        let message = facts.message.replace(blob.as_str(), wrong);
        assert_ne!(message, facts.message);
        let forged = store
            .scratch_commit(&facts.tree, &fixture.base, &message, WHEN)
            .unwrap();
        let error = store.compose(&fixture.base, &[forged]).unwrap_err();
        assert!(matches!(error, Error::Git { .. }), "{error}");
    }
}

#[test]
fn a_commit_is_made_as_git_makes_it() {
    let fixture = Fixture::new();
    let tree = fixture.store.tree_of(&fixture.base).unwrap();
    let message = "t\u{ef}tle\n\nbody\n";
    let made = fixture
        .store
        .scratch_commit(&tree, &fixture.base, message, WHEN)
        .unwrap();
    let text = fixture.git(&["cat-file", "commit", made.as_str()]);
    let by = "seawall <seawall@localhost.invalid> 1700000000 +0000";
    let base = &fixture.base;
    assert_eq!(
        text.trim_end(),
        format!(
            "tree {tree}\nparent {base}\nauthor {by}\ncommitter {by}\n\n{}",
            message.trim_end()
        )
    );
    for missing in ["1234567890123456789012345678901234567890", base.as_str()] {
        let missing = missing.parse().unwrap();
        assert!(
            fixture
                .store
                .scratch_commit(&missing, base, "x", WHEN)
                .is_err()
        );
    }
    fixture.fsck();
}

#[test]
fn a_wide_directory_is_edited_in_one_go() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("repo");
    fs::create_dir(&repo).unwrap();
    crate::common::git(&repo, &["init", "-q"]);
    // A directory sorts as if a slash followed its name.
    for n in 0..300 {
        put(&repo, format!("wide/f{n}").as_bytes(), n.to_string());
        put(&repo, format!("wide/f{n}.d/x").as_bytes(), n.to_string());
    }
    crate::common::git(&repo, &["add", "."]);
    crate::common::git(&repo, &["commit", "-q", "-m", "base"]);
    let fixture = Fixture::of(dir, &repo);
    let harvests: Vec<_> = (0..80)
        .map(|n| {
            let (file, gone, made) = (
                format!("wide/f{}", n * 3),
                format!("wide/f{}.d/x", n * 3),
                format!("wide/f{}.d/new", n * 3),
            );
            let all = owned(&[&file], &[&made], &[&gone]);
            fixture.change(&n.to_string(), &all, |ws| {
                put(ws, file.as_bytes(), "changed");
                put(ws, made.as_bytes(), "made");
                fs::remove_file(ws.join(&gone)).unwrap();
            })
        })
        .collect();
    let tree = fixture.store.compose(&fixture.base, &harvests).unwrap();
    assert_eq!(tree.as_str(), by_git(&fixture, &harvests));
    fixture.fsck();
}
