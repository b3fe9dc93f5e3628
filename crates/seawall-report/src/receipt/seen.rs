//! Looks, as receipts say them: with what was looked for.

use seawall_core::evidence::Evidence;
use seawall_core::ids::{Digest, TaskIx};
use seawall_core::plan::{Criterion, Plan, Task};

use super::Seen;

pub(super) fn task_of(plan: Option<&Plan>, ix: TaskIx) -> Option<&Task> {
    plan.and_then(|plan| plan.tasks.get(ix.index()))
}

/// Looks at a task's checks and holdouts.
pub(super) fn seen_of_task(plan: Option<&Plan>, ix: TaskIx, evidence: &[Evidence]) -> Vec<Seen> {
    let task = task_of(plan, ix);
    seen(evidence, |n| task.and_then(|task| task.criteria().nth(n)))
}

/// Looks with what they looked for; one at a criterion that the plan does not have is left out, for it proves nothing.
pub(super) fn seen<'p>(
    evidence: &[Evidence],
    criterion: impl Fn(usize) -> Option<&'p Criterion>,
) -> Vec<Seen> {
    let of = |look: &Evidence| {
        let criterion = criterion(look.criterion as usize)?;
        Some(Seen {
            criterion: look.criterion,
            says: criterion.says.clone(),
            proof: criterion.proof,
            value: look.value,
            why: look.why.clone(),
            command: look.command.clone(),
            command_digest: Digest::of(look.command.as_bytes()),
            tree: look.tree.clone(),
            base_tree: look.base.clone(),
            exit: look.exit,
            ms: look.ms,
            output: look.output.clone(),
            bytes: look.bytes,
            tests: look.tests.clone(),
            flaky: look.flaky,
            own: look.own,
            enforced: look.enforced.clone(),
        })
    };
    evidence.iter().filter_map(of).collect()
}
