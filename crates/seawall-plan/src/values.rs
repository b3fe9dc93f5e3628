//! Durations and sizes as people write them.

use jiff::fmt::friendly::SpanParser;

/// Milliseconds of a duration such as `90s`, `10m`, `2h` or `1h 30m`; none when it is not one. Units
/// up to hours: a day has no fixed length in the parser's calendar.
pub(crate) fn duration(text: &str) -> Option<u64> {
    let parsed = SpanParser::new()
        .parse_unsigned_duration(text.trim())
        .ok()?;
    u64::try_from(parsed.as_millis()).ok()
}

/// How often a flaky look is retried: `hold` is none at all, `retry:3` three; none when it is neither. A number
/// that is too large for the type is told as the largest.
pub(crate) fn retries(text: &str) -> Option<Option<u32>> {
    if text == "hold" {
        return Some(None);
    }
    let digits = text.strip_prefix("retry:")?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| Some(digits.parse().unwrap_or(u32::MAX)))
}

const K: u64 = 1 << 10;
const UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("k", K),
    ("kib", K),
    ("kb", 1_000),
    ("m", K * K),
    ("mib", K * K),
    ("mb", 1_000_000),
    ("g", K * K * K),
    ("gib", K * K * K),
    ("gb", 1_000_000_000),
];

/// Bytes of a size such as `65536`, `64k`, `64KiB` or `1 GB`, in upper or lower case: `k`, `M` and `G`
/// alone are powers of 1024, as in `head -c` without a B; none when it is not one.
pub(crate) fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let &(_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        for (text, expected) in [
            ("90s", Some(90_000)),
            ("10m", Some(600_000)),
            ("2h", Some(7_200_000)),
            ("1h 30m", Some(5_400_000)),
            ("1h30m", Some(5_400_000)),
            ("250ms", Some(250)),
            (" 5m ", Some(300_000)),
            ("0s", Some(0)),
            ("10", None),
            ("-5m", None),
            ("soon", None),
            ("", None),
            ("999999999999999999999h", None),
        ] {
            assert_eq!(duration(text), expected, "{text:?}");
        }
    }

    #[test]
    fn reads_retries() {
        for (text, expected) in [
            ("hold", Some(None)),
            ("retry:3", Some(Some(3))),
            ("retry:0", Some(Some(0))),
            ("retry:99999999999", Some(Some(u32::MAX))),
            ("retry:", None),
            ("retry:-1", None),
            ("retry:+1", None),
            ("retry", None),
            ("", None),
        ] {
            assert_eq!(retries(text), expected, "{text:?}");
        }
    }

    #[test]
    fn reads_sizes() {
        for (text, expected) in [
            ("65536", Some(65_536)),
            ("64k", Some(65_536)),
            ("64KiB", Some(65_536)),
            ("64kB", Some(64_000)),
            ("16MiB", Some(16 << 20)),
            ("1 G", Some(1 << 30)),
            ("1 parsec", None),
            ("", None),
            ("MiB", None),
            ("-1k", None),
            ("99999999999999999999", None),
            ("18446744073709551615k", None),
        ] {
            assert_eq!(size(text), expected, "{text:?}");
        }
    }
}
