//! Which two reds are the same failure: a digest of what a failure is about, without what differs each time.
//!
//! Where a test runner gave names, the names are the failure. Elsewhere it is the end of the output without numbers, hex,
//! times, and places in temporary directories. The price of leaving numbers out is that `expected 3, got 4` and `expected 3,
//! got 5` are one failure; a digit inside a name (`test_2`) counts. Only the last lines count, because the beginning of a
//! tail is cut where its length falls.

use crate::evidence::{Evidence, Value};
use crate::ids::{Digest, Digester};

/// Bytes of the normalised end of an output that count.
const COUNTS: usize = 2000;

/// Stands for what differs each time.
const ANY: char = '#';

/// Where temporary files are made, by custom.
const TEMPORARY: [&str; 5] = [
    "/tmp/",
    "/var/tmp/",
    "/dev/shm/",
    "/private/tmp/",
    "/var/folders/",
];

/// Equal for two looks that failed alike: of one criterion, with one exit status, and with the same tests, or else words.
#[must_use]
pub fn fingerprint(evidence: &Evidence) -> Digest {
    let mut digester = Digester::default();
    let mut take = |text: &str| {
        digester.update(text.as_bytes());
        digester.update(b"\0");
    };
    take(&evidence.criterion.to_string());
    take(match evidence.value {
        Value::Pass => "pass",
        Value::Fail => "fail",
        Value::CouldNotLook => "could not look",
    });
    match evidence.exit {
        Some(status) => take(&status.to_string()),
        None => take(&normal(&evidence.why)),
    }
    match failing(evidence) {
        Some(names) => names.iter().for_each(|name| take(name)),
        None => end(&evidence.tail).iter().for_each(|line| take(line)),
    }
    digester.finish()
}

/// What failed, by name and in order; none where the runner named nothing.
fn failing(evidence: &Evidence) -> Option<Vec<String>> {
    let counted = evidence.tests.as_ref()?;
    if counted.failing.is_empty() {
        return None;
    }
    let mut names: Vec<_> = counted.failing.iter().map(|n| addresses(n)).collect();
    names.sort_unstable();
    names.dedup();
    if !counted.names_all() {
        names.push(format!("{} failed", counted.failed));
    }
    Some(names)
}

/// The last lines, normalised, the last one first.
fn end(tail: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut length = 0;
    for line in tail.lines().rev() {
        let line = normal(line);
        if line.is_empty() {
            continue;
        }
        length += line.len();
        if length > COUNTS && !lines.is_empty() {
            break;
        }
        lines.push(line);
    }
    lines
}

/// A name without the addresses that some runners print for what has no name: `<object at 0x7f12>`.
fn addresses(name: &str) -> String {
    let mut parts = name.split("0x");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push(ANY);
        kept.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    kept
}

/// A line without colours, numbers, hex, times, temporary places, and without the width of its gaps.
fn normal(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let before = out.chars().next_back();
        let skipped = escape(rest).or_else(|| temporary(rest, before, &mut out));
        let skipped = skipped.or_else(|| word(rest, &mut out));
        let used = skipped.unwrap_or_else(|| {
            plain(first, &mut out);
            first.len_utf8()
        });
        rest = rest.get(used..).unwrap_or_default();
    }
    out.trim_end().to_owned()
}

/// Adds what is no part of a word; a gap is one space.
fn plain(c: char, out: &mut String) {
    if !c.is_whitespace() && !c.is_control() {
        out.push(c);
    } else if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// The bytes of a terminal's control sequence (ECMA-48 CSI) at the beginning.
fn escape(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix("\u{1b}[")?;
    let parameters = body
        .bytes()
        .take_while(|b| (0x20..0x40).contains(b))
        .count();
    let last = body.as_bytes().get(parameters).is_some_and(u8::is_ascii);
    Some(2 + parameters + usize::from(last))
}

/// Takes a path in a temporary directory; of it the file's name counts, unless that was drawn by lot as well.
fn temporary(rest: &str, before: Option<char>, out: &mut String) -> Option<usize> {
    let within_a_path = before.is_some_and(|c| c.is_alphanumeric() || "._-/".contains(c));
    if within_a_path || !TEMPORARY.iter().any(|dir| rest.starts_with(dir)) {
        return None;
    }
    let is_path = |c: char| c.is_alphanumeric() || "/._-+@~".contains(c);
    let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
    let path = rest[..end].trim_end_matches('.');
    let name = path.rsplit('/').next().unwrap_or_default();
    out.push_str("/tmp/");
    let drawn = name.trim_start_matches('.').starts_with("tmp");
    if name.contains('.') && !drawn {
        out.push_str(&normal(name));
    } else {
        out.push(ANY);
    }
    Some(path.len().max(1))
}

/// Takes a run of letters, digits and underscores; one that is a number, a time or hex is lost.
fn word(rest: &str, out: &mut String) -> Option<usize> {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let end = end.unwrap_or(rest.len());
    let word = &rest[..end];
    let first = word.chars().next()?;
    if let Some(id) = rest.get(..36).filter(|id| is_uuid(id)) {
        any(out);
        return Some(id.len());
    }
    if first.is_ascii_digit() || is_hex(word) {
        any(out);
    } else {
        out.push_str(word);
    }
    Some(end)
}

/// Adds the sign for anything, once for `1.25`, `1m 2s` and `2026-01-02 03:04:05`.
fn any(out: &mut String) {
    let kept = out.trim_end_matches([' ', '.', ':', '-', '+', ',']);
    if kept.ends_with(ANY) {
        out.truncate(kept.len());
    } else {
        out.push(ANY);
    }
}

/// Whether a word that begins with a letter is an object id or an address.
fn is_hex(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() >= 7 && digits > 0 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    let fits = lengths.iter().all(|length| {
        let part = parts.next().unwrap_or_default();
        part.len() == *length && part.bytes().all(|b| b.is_ascii_hexdigit())
    });
    fits && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::counted::Counted;

    fn red(tail: &str) -> Evidence {
        Evidence {
            why: "exit status 1".into(),
            exit: Some(1),
            tail: tail.into(),
            ..crate::sample::look(false).remove(0)
        }
    }

    fn counted(failing: &[&str], failed: u64, tail: &str) -> Evidence {
        Evidence {
            tests: Some(Box::new(Counted {
                runner: "pytest".into(),
                passed: 7,
                failed,
                failing: failing.iter().map(|name| (*name).to_owned()).collect(),
                ..Counted::default()
            })),
            ..red(tail)
        }
    }

    #[test]
    fn what_differs_each_time_does_not_count() {
        for (one, other) in [
            ("failed in 0.31s", "failed in 12s"),
            ("took 1m 2s", "took 59.9s"),
            (
                "at 2026-11-21T07:56:36.120Z: no",
                "at 2026-11-22T00:00:01Z: no",
            ),
            (
                "at 2026-11-21 07:56:36,120 no",
                "at 2027-01-01 17:56:36,5 no",
            ),
            ("a.py:12: KeyError", "a.py:140: KeyError"),
            ("<A object at 0x7f12ab>", "<A object at 0xdeadbeef00>"),
            ("commit 5da29fcb8488f1", "commit b3710c9"),
            (
                "id 5da29fcb-aaaa-bbbb-cccc-5da29fcb8488",
                "id 1da29fcb-abcd-beef-cafe-5da29fcb8488",
            ),
            (
                "open /tmp/pytest-of-u/pytest-3/x/a.txt: no",
                "open /tmp/pytest-of-u/pytest-14/y/a.txt: no",
            ),
            ("open /tmp/tmpab_c12: no", "open /tmp/tmp.Zz81: no"),
            ("\u{1b}[31mred\u{1b}[0m  line", "red line"),
            ("pid 81 died\n\n", "pid 4711 died\n"),
            ("expected 3, got 4", "expected 3, got 5"),
        ] {
            assert_eq!(fingerprint(&red(one)), fingerprint(&red(other)), "{one}");
        }
    }

    #[test]
    fn what_a_failure_is_about_counts() {
        for (one, other) in [
            ("KeyError: 'a'", "KeyError: 'b'"),
            ("test_1 failed", "test_2 failed"),
            ("a.py:12: no", "b.py:12: no"),
            ("open /tmp/x/a.txt: no", "open /tmp/x/b.txt: no"),
            ("cannot find `left`", "cannot find `right`"),
            ("facade", "decade"),
            ("one\ntwo", "one"),
        ] {
            assert_ne!(fingerprint(&red(one)), fingerprint(&red(other)), "{one}");
        }
        let base = red("no");
        let exit = |exit| Evidence { exit, ..red("no") };
        assert_ne!(fingerprint(&base), fingerprint(&exit(Some(2))));
        assert_ne!(fingerprint(&base), fingerprint(&exit(None)));
        let other = Evidence {
            criterion: 1,
            ..red("no")
        };
        assert_ne!(fingerprint(&base), fingerprint(&other));
        let value = Value::CouldNotLook;
        assert_ne!(
            fingerprint(&base),
            fingerprint(&Evidence { value, ..red("no") })
        );
        let why = |why: &str| Evidence {
            exit: None,
            why: why.into(),
            ..red("")
        };
        let (time, memory) = (why("over its time of 60 s"), why("killed: memory 2 GiB"));
        assert_ne!(fingerprint(&time), fingerprint(&memory));
        assert_eq!(
            fingerprint(&time),
            fingerprint(&why("over its time of 75 s"))
        );
    }

    #[test]
    fn where_tests_have_names_the_names_count_alone() {
        let one = counted(&["a.py::test_1", "b.py::test_2"], 2, "KeyError: 'a'");
        let other = counted(&["b.py::test_2", "a.py::test_1"], 2, "KeyError: 'b'");
        assert_eq!(fingerprint(&one), fingerprint(&other));
        let fewer = counted(&["a.py::test_1"], 1, "KeyError: 'a'");
        assert_ne!(fingerprint(&one), fingerprint(&fewer));
        let (more, most) = (counted(&["a"], 2, ""), counted(&["a"], 3, ""));
        assert_ne!(fingerprint(&more), fingerprint(&most));
        let at = |address| counted(&[address], 1, "");
        let (one, other) = (at("t[<A at 0x7f12>]"), at("t[<A at 0x8f13aa>]"));
        assert_eq!(fingerprint(&one), fingerprint(&other));
        assert_ne!(fingerprint(&at("t[1]")), fingerprint(&at("t[2]")));
        let nameless = |tail| counted(&[], 2, tail);
        assert_ne!(fingerprint(&nameless("a")), fingerprint(&nameless("b")));
    }

    #[test]
    fn where_a_tail_begins_does_not_count() {
        let lines = |n: u32| (0..n).map(|_| "some words in a line\n").collect::<String>();
        assert_eq!(
            fingerprint(&red(&lines(150))),
            fingerprint(&red(&lines(190)))
        );
        assert_ne!(fingerprint(&red(&lines(3))), fingerprint(&red(&lines(4))));
    }

    proptest! {
        #[test]
        fn any_text_has_one(text in "\\PC*", number: u32, other: u32) {
            let _ = fingerprint(&red(&text));
            let line = |n| fingerprint(&red(&format!("{text} {n} end")));
            prop_assert_eq!(line(number), line(other));
        }

        #[test]
        fn any_bytes_have_one(bytes: Vec<u8>) {
            let _ = fingerprint(&red(&String::from_utf8_lossy(&bytes)));
        }
    }
}
