//! Small plans for the tests of this crate.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use crate::ids::TaskIx;
use crate::path::RepoPath;
use crate::plan::{Budget, Criterion, Limits, Plan, Proof, SandboxRules, Task, When};

/// A task that owns one file.
pub(crate) fn task(id: &str, file: &str, after: &[u32], reads: &[&str], attempts: u32) -> Task {
    let path = |name: &&str| RepoPath::new(name.as_bytes()).unwrap();
    Task {
        id: id.into(),
        files: vec![path(&file)],
        creates: vec![],
        deletes: vec![],
        reads: reads.iter().map(path).collect(),
        read_globs: Arc::new([]),
        after: after.iter().copied().map(TaskIx).collect(),
        because: None,
        prompt: "p".into(),
        agent: "a".into(),
        profile: "worker".into(),
        attempts,
        timeout_ms: 1,
        checks: Arc::new([Criterion {
            says: "s".into(),
            run: Some("r".into()),
            proof: Proof::FailToPass,
        }]),
        when: When::Always,
    }
}

/// A plan with a budget of `attempts`.
pub(crate) fn plan(tasks: Vec<Task>, attempts: u32) -> Arc<Plan> {
    Arc::new(Plan {
        name: "p".into(),
        goal: "g".into(),
        budget: Budget {
            attempts,
            wall_ms: 1,
        },
        limits: Limits {
            check_timeout_ms: 1,
            output_bytes: 1,
            silence_ms: None,
        },
        sandbox: SandboxRules::default(),
        agents: BTreeMap::new(),
        checkpoints: vec![],
        invariants: vec![],
        tasks,
    })
}

/// Plans of up to twelve tasks on six files, with `after` that closes no cycle.
pub(crate) fn some_plan() -> impl Strategy<Value = Vec<Task>> {
    let after = proptest::collection::vec(0..12u32, 0..3);
    let one = (
        0..6u8,
        after,
        proptest::collection::vec(0..6u8, 0..2),
        1..3u32,
    );
    proptest::collection::vec(one, 1..12).prop_map(|tasks| {
        let name = |n: u8| format!("f{n}");
        let build =
            |(ix, (file, after, reads, attempts)): (usize, (u8, Vec<u32>, Vec<u8>, u32))| {
                let after: Vec<u32> = after
                    .into_iter()
                    .filter(|dep| (*dep as usize) < ix)
                    .collect();
                let reads: Vec<String> =
                    reads.into_iter().filter(|r| *r != file).map(name).collect();
                let reads: Vec<&str> = reads.iter().map(String::as_str).collect();
                task(&format!("t{ix}"), &name(file), &after, &reads, attempts)
            };
        tasks.into_iter().enumerate().map(build).collect()
    })
}
