//! Large plans are read in time that grows with their text.

use std::fmt::Write as _;
use std::time::Instant;

use super::{GOOD, Memory, path};
use crate::Kind;

/// Without optimisation a fifth is enough to see whether time grows with the product of two things.
const TASKS: usize = if cfg!(debug_assertions) {
    20_000
} else {
    100_000
};

fn world() -> Memory {
    Memory::with((0..TASKS).map(|n| (path(&file(n)), Kind::File)))
}

fn file(n: usize) -> String {
    format!("src/d{}/f{n}.py", n / 1_000)
}

/// A task for each file, each after the one before.
fn one_by_one() -> String {
    let mut text = GOOD
        .split("[[task]]")
        .next()
        .unwrap()
        .replace("attempts = 60", "attempts = 200_000");
    for n in 0..TASKS {
        let after = if n == 0 {
            String::new()
        } else {
            format!("after = [\"t{}\"]\n", n - 1)
        };
        write!(
            text,
            "[[task]]\nid = \"t{n}\"\nfile = \"{}\"\n{after}prompt = \"Do it.\"\n[[task.check]]\nsays = \"done\"\nrun = \"grep -q x {{file}}\"\n",
            file(n)
        )
        .unwrap();
    }
    text
}

fn report(what: &str, start: Instant) {
    let took = start.elapsed();
    println!(
        "{what}: {} ms; peak of the process {}",
        took.as_millis(),
        peak()
    );
    assert!(
        took.as_secs() < 120,
        "{what} took {took:?}, even without optimisation this is too long"
    );
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap_or("unknown")
        .to_owned()
}

#[test]
fn a_hundred_thousand_tasks_are_read() {
    let (world, text) = (world(), one_by_one());
    println!("before: {} text {} bytes", peak(), text.len());
    let start = Instant::now();
    let reading = world.read(&text);
    report(&format!("{TASKS} tasks one by one"), start);
    assert_eq!(reading.diagnostics, []);
    assert_eq!(reading.plan.unwrap().tasks.len(), TASKS);
}

#[test]
fn a_fan_out_over_a_hundred_thousand_files_is_read() {
    let world = world();
    let text = GOOD
        .split("[[task]]")
        .next()
        .unwrap()
        .replace("attempts = 60", "attempts = 200_000")
        + "[[task]]\nid = \"all\"\neach = \"src/**/*.py\"\nprompt = \"Do it.\"\n[[task.check]]\nsays = \"done\"\nrun = \"grep -q x {file}\"\n";
    let start = Instant::now();
    let reading = world.read(&text);
    report(&format!("one `each` over {TASKS} files"), start);
    assert_eq!(reading.diagnostics, []);
    assert_eq!(reading.plan.unwrap().tasks.len(), TASKS);
}

#[test]
fn a_hundred_thousand_problems_are_found() {
    let world = world();
    let text = one_by_one();
    for (from, to) in [
        ("after = [\"t", "after = [\"x"),
        ("src/d", "srx/d"),
        ("prompt", "promt"),
        ("[[task.check]]", "[[task.chekc]]"),
    ] {
        let text = text.replace(from, to);
        let start = Instant::now();
        let reading = world.read(&text);
        report(&format!("{TASKS} times {to:?} for {from:?}"), start);
        assert!(
            reading.diagnostics.len() >= TASKS - 1,
            "{}",
            reading.diagnostics.len()
        );
        assert_eq!(reading.plan, None);
    }
    let one_file = text.lines().filter(|l| !l.starts_with("after")).map(|l| {
        if l.starts_with("file = ") {
            "file = \"src/d0/f0.py\"\n".to_owned()
        } else {
            format!("{l}\n")
        }
    });
    let text: String = one_file.collect();
    let start = Instant::now();
    let reading = world.read(&text);
    report(&format!("{TASKS} owners of one file"), start);
    assert_eq!(reading.diagnostics.len(), TASKS - 1);
    assert!(reading.plan.is_some());
}
