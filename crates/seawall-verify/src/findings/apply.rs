//! What the plan says of rules, applied to what they found: another severity, or none at all.

use globset::{GlobBuilder, GlobMatcher};
use seawall_core::finding::{Finding, FindingRule};
use seawall_core::path::RepoPath;

/// The findings as the plan wants them, the worst first.
pub(crate) fn rules(rules: &[FindingRule], found: Vec<Finding>) -> Vec<Finding> {
    if found.is_empty() {
        return found;
    }
    let compiled: Vec<_> = rules.iter().map(|rule| (rule, globs(rule))).collect();
    let mut kept: Vec<_> = found
        .into_iter()
        .filter_map(|finding| one(&compiled, finding))
        .collect();
    kept.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    kept
}

/// The plan's reader has checked that these compile, with the same options.
fn globs(rule: &FindingRule) -> Vec<GlobMatcher> {
    let made = rule.paths.iter().filter_map(|glob| {
        let built = GlobBuilder::new(glob).literal_separator(true).build();
        Some(built.ok()?.compile_matcher())
    });
    made.collect()
}

fn one(rules: &[(&FindingRule, Vec<GlobMatcher>)], mut finding: Finding) -> Option<Finding> {
    let of_it = |(rule, globs): &&(&FindingRule, Vec<GlobMatcher>)| {
        rule.code == finding.code && (rule.paths.is_empty() || matches(globs, &finding.path))
    };
    if let Some((rule, _)) = rules.iter().rfind(of_it) {
        finding.severity = rule.severity?;
        finding.because = Some(rule.because.clone());
    }
    Some(finding)
}

fn matches(globs: &[GlobMatcher], path: &str) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    let Ok(path) = RepoPath::unescape(path) else {
        return false; // the change as a whole is in no file
    };
    let path = std::ffi::OsStr::from_bytes(path.as_bytes());
    globs.iter().any(|glob| glob.is_match(path))
}
