//! What is kept of the records of looks: those that fail, those that count tests, and what a failure is about.

use std::sync::Arc;

use crate::evidence::Evidence;
use crate::fingerprint::fingerprint;
use crate::ids::{Digest, Digester};
use crate::verdict::{Feedback, Rejection};

/// What a rejection is about, where the same twice in a row says that a third dispatch is wasted. What ends a worker, and
/// what another agent or a finding says, may be otherwise the next time.
pub(super) fn failure(feedback: &Feedback) -> Option<Digest> {
    let mut digester = Digester::default();
    let mut take = |text: &str| {
        digester.update(text.as_bytes());
        digester.update(b"\0");
    };
    match &feedback.rejection {
        Rejection::Empty => take("empty"),
        Rejection::Drift(what) => {
            take("drift");
            what.iter().for_each(|what| take(what));
        }
        Rejection::Missing(what) => {
            take("missing");
            what.iter().for_each(|what| take(what));
        }
        Rejection::Checks | Rejection::Checkpoint => {
            take("red");
            let fingerprints = feedback.evidence.iter().map(fingerprint);
            fingerprints.for_each(|digest| take(&digest.0));
        }
        Rejection::Worker(_) | Rejection::Findings(_) | Rejection::Review(_) => return None,
    }
    Some(digester.finish())
}

/// The records that do not pass.
pub(super) fn failing(evidence: &[Evidence]) -> Arc<[Evidence]> {
    evidence.iter().filter(|e| !e.passes()).cloned().collect()
}

/// The records with counted tests, without output: what later looks are compared with.
pub(super) fn measured(evidence: &[Evidence]) -> Arc<[Evidence]> {
    let counted = evidence.iter().filter(|e| e.tests.is_some());
    let bare = |e: &Evidence| Evidence {
        tail: String::new(),
        enforced: Arc::default(),
        ..e.clone()
    };
    counted.map(bare).collect()
}
