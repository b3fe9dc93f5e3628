//! Every code of a diagnostic, explained: `seawall explain CODE` prints these.
//!
//! Codes are stable: one that is not used any more is not given to something else. `SW01xx` are errors,
//! `SW02xx` warnings and notes, `SW03xx` what is seen of the base, `SW05xx` findings about changes. Some are raised by the binary, which alone can run a check or see waves.

use crate::code_table::CODES;
use crate::deep_table::DEEP;
use crate::evidence_table::EVIDENCE;
use crate::finding_table::FINDINGS;
use crate::warning_table::WARNINGS;

/// One code of a diagnostic, explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The stable code, such as `SW0104`.
    pub code: &'static str,
    /// What it is called, in a few words.
    pub title: &'static str,
    /// What it means and why it matters.
    pub means: &'static str,
    /// A piece of a plan, or a situation, that has the problem.
    pub wrong: &'static str,
    /// What to write or do instead.
    pub right: &'static str,
}

/// The explanation of `code`, in upper or lower case; none when there is no such code.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Explanation> {
    let mut all = codes().chain(FINDINGS);
    all.find(|e| e.code.eq_ignore_ascii_case(code))
}

/// Every code of a finding, in order.
#[must_use]
pub fn finding_codes() -> &'static [Explanation] {
    FINDINGS
}

/// Every code of a problem of a plan, in order.
pub fn codes() -> impl Iterator<Item = &'static Explanation> {
    CODES.iter().chain(EVIDENCE).chain(WARNINGS).chain(DEEP)
}

/// Whether a problem with this code may be no more than what a syntax error left: something is absent
/// because the parser lost it.
pub(crate) fn may_follow_from_syntax(code: &str) -> bool {
    matches!(
        code,
        "SW0101"
            | "SW0102"
            | "SW0104"
            | "SW0105"
            | "SW0116"
            | "SW0123"
            | "SW0124"
            | "SW0125"
            | "SW0126"
            | "SW0127"
            | "SW0129"
            | "SW0130"
            | "SW0131"
            | "SW0154"
            | "SW0155"
            | "SW0157"
            | "SW0163"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_unique_and_complete() {
        assert!(codes().is_sorted_by(|a, b| a.code < b.code));
        for e in codes() {
            assert!(
                ["SW01", "SW02", "SW03"]
                    .iter()
                    .any(|group| e.code.starts_with(group)),
                "{}",
                e.code
            );
            assert!(
                ![e.title, e.means, e.wrong, e.right].contains(&""),
                "{}",
                e.code
            );
            assert!(
                e.means.ends_with('.') && !e.title.ends_with('.'),
                "{}",
                e.code
            );
        }
        assert!(FINDINGS.is_sorted_by(|a, b| a.code < b.code));
        for e in FINDINGS {
            let parts = [e.title, e.means, e.wrong, e.right];
            assert!(
                e.code.starts_with("SW05") && !parts.contains(&""),
                "{}",
                e.code
            );
            assert!(
                e.means.ends_with('.') && !e.title.ends_with('.'),
                "{}",
                e.code
            );
        }
        assert_eq!(explain("sw0104").map(|e| e.code), Some("SW0104"));
        assert_eq!(explain("SW9999"), None);
    }
}
