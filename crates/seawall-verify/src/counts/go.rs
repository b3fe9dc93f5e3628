//! `go test`: with `-v` one line per test, otherwise one per package.
//!
//! Without `-v` a green package does not say how many tests it has, so packages are counted.

use seawall_core::counted::Counted;

use super::Tally;

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let verbose = lines.iter().any(|line| line.starts_with("=== RUN "));
    let mut tally = Tally::default();
    for line in lines {
        match package(line) {
            Some(Package::Ok) if !verbose => tally.add(|t| &mut t.passed, 1),
            Some(Package::Red) => tally.add(|t| &mut t.errors, 1),
            Some(_) => tally.seen = true,
            None => test(line, verbose, &mut tally),
        }
    }
    // A package is red because of its tests; without any it could not be built or fell over.
    let packages = std::mem::take(&mut tally.errors);
    if tally.failed == 0 {
        (tally.failed, tally.errors) = (packages, packages);
    }
    let runner = if verbose { "go test -v" } else { "go test" };
    tally.counted(runner)
}

enum Package {
    Ok,
    Red,
    /// It has no tests, or none that were asked for.
    Without,
}

/// `ok  \tpkg\t0.005s`, `?   \tpkg\t[no test files]`, `FAIL\tpkg\t0.01s`, `FAIL\tpkg [build failed]`.
fn package(line: &str) -> Option<Package> {
    let (word, rest) = line.split_once('\t')?;
    let without = rest.contains("[no test files]") || rest.contains("[no tests to run]");
    match word.trim_end() {
        "ok" | "?" | "" if without => Some(Package::Without),
        "ok" if timed(rest) => Some(Package::Ok),
        "FAIL" => Some(Package::Red),
        _ => None,
    }
}

/// Whether a time or `(cached)` follows the package.
fn timed(rest: &str) -> bool {
    rest.split('\t').nth(1).is_some_and(|time| {
        time.starts_with("(cached)")
            || time
                .split([' ', '\t'])
                .next()
                .is_some_and(|t| t.ends_with('s'))
    })
}

/// `--- FAIL: TestX (0.00s)`; a sub-test is indented.
fn test(line: &str, verbose: bool, tally: &mut Tally) {
    let Some((word, rest)) = line
        .trim_start()
        .strip_prefix("--- ")
        .and_then(|rest| rest.split_once(": "))
    else {
        return;
    };
    let Some((name, _)) = rest.rsplit_once(" (") else {
        return;
    };
    match word {
        "PASS" if verbose => tally.add(|t| &mut t.passed, 1),
        "SKIP" if verbose => tally.add(|t| &mut t.skipped, 1),
        "FAIL" => {
            tally.add(|t| &mut t.failed, 1);
            tally.name(name);
        }
        _ => {}
    }
}
