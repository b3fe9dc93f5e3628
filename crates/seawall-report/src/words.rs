//! Small wordings that every picture shares: counts, durations, lists, and text that came from elsewhere.
//!
//! Output of workers and checks is hostile: it is cut to a length and stripped of everything that moves a
//! cursor before it is shown. A backslash stays as it is, so that a shown command can be copied; the price is
//! that the shown form of a control character is not reversible. JSON carries the text unchanged.

use std::fmt::Write as _;

use seawall_core::event::Settings;
use seawall_core::path::is_unprintable;
pub(crate) use seawall_core::words::{count, many};

/// Milliseconds as people say them: `350 ms`, `12 s`, `3 m 12 s`, `2 h 5 m`.
pub(crate) fn duration(ms: u64) -> String {
    let secs = ms / 1000;
    match secs {
        0 => format!("{ms} ms"),
        1..60 => format!("{secs} s"),
        60..3600 => two(secs / 60, "m", secs % 60, "s"),
        _ => two(secs / 3600, "h", secs % 3600 / 60, "m"),
    }
}

fn two(big: u64, unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{big} {unit}")
    } else {
        format!("{big} {unit} {small} {small_unit}")
    }
}

/// At most `max` characters of `text`, on one line, harmless on a terminal.
pub(crate) fn shown(text: &str, max: usize) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == max {
            out.push('…');
            break;
        }
        push(&mut out, c);
    }
    out
}

/// What settings made of a base: `3 files converted, 1 path left out (\`core.autocrlf\`)`.
pub(crate) fn converted(settings: &Settings) -> String {
    let mut said = format!("{} converted", count(settings.converted, "file"));
    if settings.left_out > 0 {
        let left_out = count(settings.left_out, "path");
        let _ = write!(said, ", {left_out} left out"); // a String takes every write
    }
    format!("{said} ({})", shown(&settings.why, 200))
}

fn push(out: &mut String, c: char) {
    match c {
        '\t' => out.push(' '),
        c if is_unprintable(c) => {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                let _ = write!(out, "\\x{byte:02x}"); // a String takes every write
            }
        }
        c => out.push(c),
    }
}

/// Text of the plan: a task's id, a criterion's sentence.
pub(crate) fn name(text: &str) -> String {
    shown(text, 200)
}

/// The last `n` lines of `text` that say something, each cut and harmless, in their order.
pub(crate) fn last_lines(text: &str, n: usize, max: usize) -> Vec<String> {
    let said = |line: &&str| !line.trim().is_empty();
    let mut lines: Vec<_> = text
        .lines()
        .rev()
        .filter(said)
        .take(n)
        .map(|line| shown(line.trim_end(), max))
        .collect();
    lines.reverse();
    lines
}

/// The last line of `text` that says something.
pub(crate) fn last_line(text: &str) -> Option<String> {
    last_lines(text.trim(), 1, 120).pop()
}

/// The first `max` of `items`, and how many more there are.
pub(crate) fn few(items: impl ExactSizeIterator<Item = String>, max: usize, gap: &str) -> String {
    let total = items.len();
    let mut text = items.take(max).collect::<Vec<_>>().join(gap);
    if total > max {
        let _ = write!(text, "{gap}… {} more", total - max); // a String takes every write
    }
    text
}

/// `text` filled up with spaces to `width` characters.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let used = text.chars().count();
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_singular_or_plural() {
        for (n, noun, want) in [
            (0, "task", "0 tasks"),
            (1, "dispatch", "1 dispatch"),
            (2, "dispatch", "2 dispatches"),
            (1, "file", "1 file"),
            (7, "process", "7 processes"),
        ] {
            assert_eq!(count(n, noun), want);
        }
    }

    #[test]
    fn durations_have_at_most_two_units() {
        for (ms, want) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (12_400, "12 s"),
            (60_000, "1 m"),
            (192_000, "3 m 12 s"),
            (7_200_000, "2 h"),
            (7_500_000, "2 h 5 m"),
        ] {
            assert_eq!(duration(ms), want);
        }
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        for (text, want) in [
            ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
            ("a\nb\tc\r", "a\\x0ab c\\x0d"),
            ("grep '\\bt\\.'", "grep '\\bt\\.'"),
            ("\u{202e}evil", "\\xe2\\x80\\xaeevil"),
        ] {
            assert_eq!(shown(text, 100), want);
        }
        assert_eq!(shown(&"x".repeat(10_000_000), 3), "xxx…");
        assert_eq!(last_lines("a\n\n b \n  \nc\n", 2, 9), [" b", "c"]);
    }
}
