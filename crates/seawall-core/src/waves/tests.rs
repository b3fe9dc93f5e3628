//! Waves of small plans, and what must hold of any.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::sample::{plan, some_plan, task};

/// Tasks as `file after… <reads…`, for example `a 0 <b`; the waves as lists of indices.
fn check(tasks: &[&str], want: &[&[u32]]) -> Waves {
    let parse = |text: &&str| {
        let mut words = text.split(' ');
        let file = words.next().unwrap();
        let (reads, after): (Vec<_>, Vec<_>) = words.partition(|word| word.starts_with('<'));
        let after: Vec<u32> = after.iter().map(|word| word.parse().unwrap()).collect();
        let reads: Vec<&str> = reads.iter().map(|word| &word[1..]).collect();
        task(text, file, &after, &reads, 1)
    };
    let waves = waves(&plan(tasks.iter().map(parse).collect(), 9)).unwrap();
    let got: Vec<Vec<u32>> = waves
        .waves
        .iter()
        .map(|wave| wave.iter().map(|ix| ix.0).collect())
        .collect();
    assert_eq!(got, want, "{tasks:?}");
    waves
}

#[test]
fn waves_of_small_plans() {
    check(&[], &[]);
    check(&["a", "b", "c"], &[&[0, 1, 2]]);
    check(&["a", "b 0", "c 1"], &[&[0], &[1], &[2]]);
    check(&["a", "a", "a"], &[&[0], &[1], &[2]]);
    // A reader after the writer, and a writer after the reader; readers share a wave.
    check(&["a", "b <a", "c <a", "a"], &[&[0], &[1, 2], &[3]]);
    check(&["b <a", "a"], &[&[0], &[1]]);
    // A later `after` turns plan order round: 0 waits for 2, so 2 writes first.
    check(&["a 2", "b", "a"], &[&[1, 2], &[0]]);
    // Hazards that would close a cycle with `after` if they went by plan order alone.
    check(&["a", "a 2", "b", "b 0"], &[&[0, 2], &[1, 3]]);
    check(&["x 3", "x", "y 1", "y"], &[&[1], &[2], &[3], &[0]]);
}

#[test]
fn a_task_that_a_hazard_moved_is_named() {
    let waves = check(&["a", "b <a", "c 1"], &[&[0], &[1], &[2]]);
    let [moved] = waves.moved.as_slice() else {
        panic!("{:?}", waves.moved)
    };
    assert_eq!(
        (moved.task, moved.behind, moved.wave),
        (TaskIx(1), TaskIx(0), WaveNo(2))
    );
    assert_eq!(
        (moved.path.to_string().as_str(), moved.hazard),
        ("a", Hazard::ReadAfterWrite)
    );
    assert!(
        check(&["a", "b 0 <a"], &[&[0], &[1]]).moved.is_empty(),
        "`after` says so already"
    );
}

#[test]
fn a_cycle_is_told_in_order() {
    let tasks = vec![
        task("a", "a", &[2], &[], 1),
        task("b", "b", &[0], &[], 1),
        task("c", "c", &[1], &[], 1),
        task("d", "d", &[2], &[], 1),
    ];
    let Cycle(path) = waves(&plan(tasks, 9)).unwrap_err();
    let mut sorted = path.clone();
    sorted.sort();
    assert_eq!(sorted, [TaskIx(0), TaskIx(1), TaskIx(2)]);
}

/// Whether two tasks cannot share a wave.
fn conflict(one: &Task, other: &Task) -> bool {
    let writes = |task: &Task| task.owned().cloned().collect::<BTreeSet<_>>();
    let reads = |task: &Task| task.reads.iter().cloned().collect::<BTreeSet<_>>();
    let meet = |a: &BTreeSet<RepoPath>, b: &BTreeSet<RepoPath>| a.intersection(b).next().is_some();
    meet(&writes(one), &writes(other))
        || meet(&writes(one), &reads(other))
        || meet(&reads(one), &writes(other))
}

proptest! {
    #[test]
    fn no_wave_holds_a_conflict_and_none_is_longer_than_it_must_be(tasks in some_plan()) {
        let plan = plan(tasks, 9);
        let waves = waves(&plan).unwrap();
        let mut wave_of = vec![0; plan.tasks.len()];
        for (wave, tasks) in waves.waves.iter().enumerate() {
            for ix in tasks {
                wave_of[ix.index()] = wave;
            }
        }
        prop_assert_eq!(waves.waves.iter().map(Vec::len).sum::<usize>(), plan.tasks.len());
        for (ix, task) in plan.each_task() {
            let wave = wave_of[ix.index()];
            prop_assert!(task.after.iter().all(|dep| wave_of[dep.index()] < wave));
            let rivals: Vec<_> = plan.each_task().filter(|(other, body)| *other != ix && conflict(task, body)).collect();
            prop_assert!(rivals.iter().all(|(other, _)| wave_of[other.index()] != wave));
            let held_back = |other: TaskIx| wave_of[other.index()] + 1 == wave;
            let reason = task.after.iter().copied().any(held_back) || rivals.iter().any(|(other, _)| held_back(*other));
            prop_assert!(wave == 0 || reason, "nothing holds {} back", task.id);
        }
    }
}
