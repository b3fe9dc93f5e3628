//! The file of decisions: what is refused in it, and whom a decision reaches.

use std::sync::Arc;

use seawall_core::path::RepoPath;

use super::{GOOD, Memory};
use crate::world::Kind;

fn with(text: &[u8], kind: Kind) -> Memory {
    let path = RepoPath::new(b".seawall/decisions.toml").unwrap();
    let mut world = Memory::click();
    world.files.push((path.clone(), kind));
    world.files.sort();
    world.committed.insert(path, text.to_vec());
    world
}

#[test]
fn a_file_that_cannot_be_used_is_refused() {
    let long = format!(
        "[[decision]]\nsays = \"{}\"\nbecause = \"b\"\n",
        "x".repeat(1001)
    );
    let many = "[[decision]]\nsays = \"s\"\nbecause = \"b\"\n".repeat(201);
    let cases: [(&[u8], Kind, &str); 7] = [
        (b"", Kind::Symlink, "SW0164"),
        (&[0xff], Kind::File, "SW0164"),
        (&[b' '; 256 * 1024 + 1], Kind::File, "SW0164"),
        (many.as_bytes(), Kind::File, "SW0164"),
        (long.as_bytes(), Kind::File, "SW0165"),
        (b"[[decision]", Kind::File, "SW0100"),
        (b"[[decision]]\nsaid = \"s\"\n", Kind::File, "SW0102"),
    ];
    for (text, kind, code) in cases {
        let reading = with(text, kind).read(GOOD);
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code).collect();
        assert!(codes.contains(&code), "{code}: {codes:?}");
        assert!(reading.plan.is_none(), "{code}");
    }
}

#[test]
fn a_mistake_has_its_place_in_the_file_and_is_told_before_those_of_the_plan() {
    let text = "[[decision]]\nsays = \"s\"\nbecause = \"b\"\npath = [\"a\"]\n";
    let plan = GOOD.replacen("goal = ", "gaol = ", 1);
    assert_ne!(plan, GOOD);
    let found = with(text.as_bytes(), Kind::File).read(&plan).diagnostics;
    let places: Vec<_> = found.iter().map(|d| d.source.as_deref()).collect();
    let source = places[0].expect("the first is of the other file");
    assert_eq!(source.name, ".seawall/decisions.toml");
    assert!(places[1..].iter().all(Option::is_none), "{found:#?}");
    let span = found[0].span.clone().expect("it has a place");
    assert_eq!(&source.text[span], "path");
    assert!(!found[0].message.contains("line"), "{}", found[0].message);
}

#[test]
fn a_decision_reaches_the_tasks_that_own_such_a_file_and_is_held_once_for_a_fan_out() {
    let text = b"[[decision]]\nsays = \"all\"\nbecause = \"b\"\n\n[[decision]]\nsays = \"core\"\nbecause = \"b\"\npaths = [\"src/click/core.py\"]\n";
    let reading = with(text, Kind::File).read(GOOD);
    let plan = reading.plan.expect("the plan is good");
    assert_eq!(plan.decisions.len(), 2);
    for task in &plan.tasks {
        let core = task
            .owned()
            .any(|path| path.as_bytes() == b"src/click/core.py");
        let want: &[u32] = if core { &[0, 1] } else { &[0] };
        assert_eq!(&*task.decisions, want, "{}", task.id);
    }
    let mut plain = plan.tasks.iter().filter(|task| task.decisions.len() == 1);
    if let (Some(one), Some(other)) = (plain.next(), plain.next()) {
        assert!(Arc::ptr_eq(&one.decisions, &other.decisions));
    }
}
