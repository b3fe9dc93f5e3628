//! What a launch costs inside a program that lives on: a supervisor of 20 MB and one of 500 MB, and two launches at a time.
//!
//! `cargo bench -p seawall-sandbox --bench launch`. `launch.py` compares whole programs; this one leaves out the start of
//! `seawall` itself. The two supervisors take turns within one run, so that whatever else the machine does falls on both; the
//! ratio between them is free of the machine, and one over the limit ends the program with status 1: a launch must not copy
//! what the supervisor holds.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use seawall_sandbox::{
    End, LAUNCH_COMMAND, Limits, Network, Opens, Order, Output, Stdin, Write, launch_main, spawn,
};

/// Launches of each kind.
const ROUNDS: usize = 200;

/// Memory that the supervisor holds, in mebibytes.
const SMALL: usize = 20;
const LARGE: usize = 500;

/// How much more a launch may cost in one of the two.
const MOST: f64 = 1.3;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some(LAUNCH_COMMAND) {
        launch_main(words.next().unwrap().parse().unwrap());
    }
    let directory = tempfile::tempdir_in("/var/tmp").unwrap();
    for name in ["work", "home", "tmp"] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
    }
    let mut flat = true;
    println!(
        "| mode | 20 MB, median ms | 500 MB, median ms | ratio | launches a second, two at a time |"
    );
    println!("|---|---|---|---|---|");
    let bounded = Limits {
        memory: Some(4 << 30),
        processes: Some(1024),
        ..Limits::default()
    };
    for (mode, namespaces, limits) in [
        ("Landlock and seccomp", false, &Limits::default()),
        ("with namespaces", true, &Limits::default()),
        ("with namespaces and control groups", true, &bounded),
    ] {
        let order = order(directory.path(), namespaces, limits);
        let [small, large] = in_turn(&order);
        let ratio = large / small;
        let pace = two_at_a_time(&order);
        println!("| {mode} | {small:.2} | {large:.2} | {ratio:.2} | {pace:.0} |");
        flat &= (MOST.recip()..=MOST).contains(&ratio);
    }
    ExitCode::from(u8::from(!flat))
}

/// The median cost of a launch with little and with much memory, in milliseconds.
fn in_turn(order: &Order) -> [f64; 2] {
    let mut taken = [Vec::new(), Vec::new()];
    for _ in 0..10 {
        for (taken, mebibytes) in taken.iter_mut().zip([SMALL, LARGE]) {
            let held = hold(mebibytes);
            launch(order);
            taken.extend((0..ROUNDS / 10).map(|_| launch(order)));
            drop(std::hint::black_box(held));
        }
    }
    taken.map(|taken| median(taken).as_secs_f64() * 1e3)
}

/// Memory that is really there.
fn hold(mebibytes: usize) -> Vec<u8> {
    let mut held = vec![0; mebibytes << 20];
    held.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
    held
}

fn two_at_a_time(order: &Order) -> f64 {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..250 {
                    launch(order);
                }
            });
        }
    });
    500.0 / started.elapsed().as_secs_f64()
}

fn order(directory: &Path, namespaces: bool, limits: &Limits) -> Order {
    Order {
        argv: vec!["/bin/true".into()],
        env: Vec::new(),
        workspace: directory.join("work"),
        appears_at: None,
        cwd: None,
        write: Write::Nothing,
        read: Vec::new(),
        home: directory.join("home"),
        tmp: directory.join("tmp"),
        stdin: Stdin::Null,
        output: Output::Inherit,
        limits: limits.clone(),
        alive: None,
        namespaces,
        opens: Opens::default(),
        floor: Vec::new(),
        run: None,
        network: Network::default(),
        overlay: None,
        carry: Vec::new(),
    }
}

/// From the order to the report.
fn launch(order: &Order) -> Duration {
    let started = Instant::now();
    let report = spawn(order).unwrap().finish().unwrap();
    assert_eq!(report.end, End::Exited(0), "{:?}", report.ledger);
    started.elapsed()
}

fn median(mut taken: Vec<Duration>) -> Duration {
    taken.sort();
    taken[taken.len() / 2]
}
