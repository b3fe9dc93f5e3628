//! Counts in words, the same in briefs, reports and messages.

/// `1 task`, `2 tasks`, `3 dispatches`.
#[must_use]
pub fn count(n: u64, noun: &str) -> String {
    let plural = match noun {
        _ if n == 1 => "",
        _ if noun.ends_with("ch") || noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{n} {noun}{plural}")
}

/// The same for a length.
#[must_use]
pub fn many(n: usize, noun: &str) -> String {
    count(n as u64, noun)
}
