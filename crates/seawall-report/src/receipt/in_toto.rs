//! A receipt as an in-toto statement, for policy engines that know no Seawall.
//!
//! Statement v1 with the test-result predicate v0.1
//! (<https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md>): the subject is what was tested, the
//! configuration the pinned plan and the receipt itself, and each criterion is a test. The predicate has three results
//! and so has evidence; what could not be looked at is *failed*, because only pass passes. What a person must look at is
//! *warned*.

use serde_json::{Value as Json, json};

use seawall_core::evidence::{Harvest, Value};
use seawall_core::ids::{Commit, Tree};
use seawall_core::plan::Proof;

use super::{AttemptBody, Body, CheckpointBody, Receipt, Seen};

/// The statement that `receipt` makes; none for an attempt without a harvested change, because there is nothing that it
/// could be about.
#[must_use]
pub fn statement(receipt: &Receipt) -> Option<Json> {
    let (name, commit, tree, seen, result) = match &receipt.body {
        Body::Base(base) => (
            "base".to_owned(),
            &base.base.commit,
            base.base.tree.as_ref(),
            &base.gates,
            result(&base.gates),
        ),
        Body::Attempt(attempt) => of_attempt(attempt)?,
        Body::Checkpoint(point) => of_checkpoint(point),
    };
    let mut digest = json!({ "gitCommit": commit.0 });
    if let Some(tree) = tree {
        digest["gitTree"] = json!(tree.0);
    }
    Some(json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": name, "digest": digest }],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": result,
            "configuration": [
                { "name": "plan.json", "digest": { "sha256": receipt.plan.0 } },
                { "name": format!("receipt {}", receipt.number), "digest": { "sha256": receipt.digest().0 } },
            ],
            "passedTests": names(seen, is_passed),
            "warnedTests": names(seen, is_warned),
            "failedTests": names(seen, |look| !is_passed(look) && !is_warned(look)),
        },
    }))
}

type Parts<'a> = (
    String,
    &'a Commit,
    Option<&'a Tree>,
    &'a Vec<Seen>,
    &'static str,
);

fn of_attempt(attempt: &AttemptBody) -> Option<Parts<'_>> {
    let Some(Harvest::Changed(change)) = &attempt.harvest else {
        return None;
    };
    let result = match attempt.verdict.word {
        "passed" => result(&attempt.after),
        "needs-human" => "WARNED",
        _ => "FAILED",
    };
    Some((
        format!("{} attempt {}", attempt.task, attempt.attempt),
        &change.commit,
        Some(&change.tree),
        &attempt.after,
        result,
    ))
}

fn of_checkpoint(point: &CheckpointBody) -> Parts<'_> {
    (
        format!("wave {}.{}", point.wave, point.round),
        &point.commit,
        Some(&point.tree),
        &point.gates,
        result(&point.gates),
    )
}

/// That nothing was looked at is no pass.
fn result(seen: &[Seen]) -> &'static str {
    if !seen.iter().all(|look| is_passed(look) || is_warned(look)) {
        "FAILED"
    } else if seen.is_empty() || seen.iter().any(is_warned) {
        "WARNED"
    } else {
        "PASSED"
    }
}

fn is_passed(look: &Seen) -> bool {
    look.value == Value::Pass
}

fn is_warned(look: &Seen) -> bool {
    look.proof == Proof::Manual && look.value == Value::CouldNotLook
}

fn names(seen: &[Seen], is: impl Fn(&Seen) -> bool) -> Vec<&str> {
    let mine = seen.iter().filter(|look| is(look));
    mine.map(|look| look.says.as_str()).collect()
}
