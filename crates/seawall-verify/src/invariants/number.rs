//! A captured value as a number: `1_000`, `0x400`, `64 KiB`, `1h30m`, `60 * 1000`, `1536usize`.
//!
//! Sizes are plain numbers of bytes: `k`, `M`, `G`, `T` and `kB` are powers of 1000, `Ki` and `KiB` of 1024. Times are of
//! another kind, because nobody can say what unit a plain number beside them has. Arithmetic is exact, in 128 bits; what
//! does not fit is no number. `m` is a minute, as in Go and in systemd, and `M` a million.

/// Parts of the smallest unit that are told apart: nanoseconds for times, billionths for plain numbers.
const SCALE: i128 = 1_000_000_000;

/// What a number measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Plain,
    Time,
}

/// A number with its unit taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) measure: Measure,
    /// In billionths, or nanoseconds.
    pub(super) value: i128,
}

/// Reads a value; none when it is no number.
pub(super) fn number(text: &str) -> Option<Number> {
    let mut product = Number {
        measure: Measure::Plain,
        value: SCALE,
    };
    for factor in text.split('*') {
        let factor = sum(factor.trim())?;
        if factor.measure == Measure::Time {
            if product.measure == Measure::Time {
                return None;
            }
            product.measure = Measure::Time;
        }
        product.value = times(product.value, factor.value)?;
    }
    Some(product)
}

/// The product of two scaled numbers, when it is exact.
fn times(one: i128, other: i128) -> Option<i128> {
    let product = one.checked_mul(other)?;
    (product % SCALE == 0).then_some(product / SCALE)
}

/// `1h30m`, `1m 30s`, or one number.
fn sum(text: &str) -> Option<Number> {
    let (mut rest, mut total) = (text, None::<Number>);
    while !rest.is_empty() {
        let (part, left) = one(rest)?;
        total = Some(match total {
            None => part,
            Some(sum) if sum.measure == Measure::Time && part.measure == Measure::Time => Number {
                measure: Measure::Time,
                value: sum.value.checked_add(part.value)?,
            },
            Some(_) => return None,
        });
        rest = left.trim_start();
    }
    total
}

/// A number with its unit at the beginning, and what follows.
fn one(text: &str) -> Option<(Number, &str)> {
    if let Some((value, rest)) = radix(text) {
        let value = value.checked_mul(SCALE)?;
        let plain = suffix(rest).then_some(Number {
            measure: Measure::Plain,
            value,
        })?;
        return Some((plain, ""));
    }
    let (value, rest) = decimal(text)?;
    let spaced = rest.trim_start_matches([' ', '_']);
    let is_unit =
        |c: char| c.is_alphabetic() || c.is_ascii_digit() && spaced.starts_with(['u', 'i', 'f']);
    let end = spaced.find(|c| !is_unit(c)).unwrap_or(spaced.len());
    let (unit, rest) = spaced.split_at(end);
    let (measure, factor) = factor(unit)?;
    let value = times(value, factor)?;
    Some((Number { measure, value }, rest))
}

/// `0x400`, `0o17`, `0b11`.
fn radix(text: &str) -> Option<(i128, &str)> {
    let radix = match text.get(..2)? {
        "0x" | "0X" => 16,
        "0o" => 8,
        "0b" => 2,
        _ => return None,
    };
    let body = &text[2..];
    let end = body.find(|c: char| !(c.is_digit(radix) || c == '_'));
    let (digits, rest) = body.split_at(end.unwrap_or(body.len()));
    let value = i128::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some((value, rest))
}

/// A decimal number, scaled, and what follows it.
fn decimal(text: &str) -> Option<(i128, &str)> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(body) => (-1, body),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, rest) = digits(body);
    let (part, rest) = match rest.strip_prefix('.').map(digits) {
        Some((part, rest)) if !(whole.is_empty() && part.is_empty()) => (part, rest),
        _ => (String::new(), rest),
    };
    let (exponent, rest) = exponent(rest);
    let part = part.trim_end_matches('0');
    if whole.is_empty() && part.is_empty() && !body.starts_with(".0") {
        return None;
    }
    let mantissa: i128 = format!("0{whole}{part}").parse().ok()?;
    let places = exponent
        .checked_add(9)?
        .checked_sub(i32::try_from(part.len()).ok()?)?;
    let ten = 10_i128.checked_pow(places.unsigned_abs())?;
    let value = match places {
        0.. => mantissa.checked_mul(ten)?,
        _ if mantissa % ten == 0 => mantissa / ten,
        _ => return None,
    };
    Some((sign * value, rest))
}

/// Digits with underscores between them, and what follows.
fn digits(text: &str) -> (String, &str) {
    let begins = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '_'));
    let end = if begins { end.unwrap_or(text.len()) } else { 0 };
    let (digits, rest) = text.split_at(end);
    (digits.replace('_', ""), rest)
}

/// `e6`, `E-3`.
fn exponent(text: &str) -> (i32, &str) {
    let Some(body) = text.strip_prefix(['e', 'E']) else {
        return (0, text);
    };
    let sign = usize::from(body.starts_with(['-', '+']));
    let end = body[sign..].find(|c: char| !c.is_ascii_digit());
    let end = end.map_or(body.len(), |end| end + sign);
    match body[..end].parse::<i32>() {
        Ok(exponent) if exponent.abs() <= 30 => (exponent, &body[end..]),
        _ => (0, text),
    }
}

/// What a literal of a language may end in.
fn suffix(text: &str) -> bool {
    let rest = text.trim_start_matches('_');
    matches!(
        rest,
        "" | "u8"
            | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "f32"
            | "f64"
            | "n"
            | "L"
            | "l"
            | "U"
            | "u"
            | "UL"
            | "ul"
            | "ULL"
            | "f"
            | "F"
    )
}

/// What one of a unit is: scaled, or in nanoseconds.
fn factor(unit: &str) -> Option<(Measure, i128)> {
    const K: i128 = 1000;
    const KI: i128 = 1024;
    let plain = |factor: i128| Some((Measure::Plain, factor * SCALE));
    // A scaled number of times so many nanoseconds is a number of nanoseconds.
    let time = |nanoseconds: i128| Some((Measure::Time, nanoseconds));
    match unit {
        _ if suffix(unit) => plain(1),
        "B" | "bytes" | "byte" => plain(1),
        "k" | "K" | "kB" | "KB" => plain(K),
        "M" | "MB" => plain(K * K),
        "G" | "GB" => plain(K * K * K),
        "T" | "TB" => plain(K * K * K * K),
        "Ki" | "KiB" => plain(KI),
        "Mi" | "MiB" => plain(KI * KI),
        "Gi" | "GiB" => plain(KI * KI * KI),
        "Ti" | "TiB" => plain(KI * KI * KI * KI),
        "ns" => time(1),
        "us" | "µs" | "μs" => time(K),
        "ms" | "msec" | "millis" | "milliseconds" => time(K * K),
        "s" | "sec" | "secs" | "second" | "seconds" => time(SCALE),
        "m" | "min" | "mins" | "minute" | "minutes" => time(60 * SCALE),
        "h" | "hour" | "hours" => time(3600 * SCALE),
        "d" | "day" | "days" => time(86_400 * SCALE),
        _ => None,
    }
}
