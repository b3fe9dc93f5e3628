//! How counts of tests are told, in the few words of a record.

use seawall_core::counted::Counted;

/// Names that are told; the record has the others.
const TOLD: usize = 3;
/// Characters of a name that are told.
const LONGEST: usize = 100;

/// `1 test` or `3 tests`.
pub(crate) fn tests(count: u64) -> String {
    format!("{count} {}", if count == 1 { "test" } else { "tests" })
}

/// `pytest` or `pytest, 3 skipped`.
pub(crate) fn tests_of(seen: &Counted) -> String {
    match seen.skipped {
        0 => seen.runner.clone(),
        skipped => format!("{}, {skipped} skipped", seen.runner),
    }
}

/// `2 of 9 tests failed (a, b)`.
pub(crate) fn failures(seen: &Counted) -> String {
    let all = seen.passed.saturating_add(seen.failed);
    let names: Vec<&str> = seen.failing.iter().map(String::as_str).collect();
    let told = match names.as_slice() {
        [] => seen.runner.clone(),
        names => some(names),
    };
    format!("{} of {} failed ({told})", seen.failed, tests(all))
}

/// The first few names, and how many more there are.
pub(crate) fn some(names: &[&str]) -> String {
    let cut = |name: &&str| match name.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => (*name).to_owned(),
    };
    let told: Vec<String> = names.iter().take(TOLD).map(cut).collect();
    let more = names.len().saturating_sub(TOLD);
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!("{}{rest}", told.join(", "))
}
