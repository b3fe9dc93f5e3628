//! Output as plain lines: no colours, no carriage returns, any bytes.

/// The output as text, without terminal escapes (ECMA-48 CSI sequences) and carriage returns.
pub(crate) fn plain(output: &[u8]) -> String {
    let mut kept = Vec::with_capacity(output.len());
    let mut bytes = output.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            0x1b if bytes.peek() == Some(&b'[') => {
                bytes.next();
                // Parameters and intermediates, then one final byte.
                while bytes.next_if(|b| (0x20..0x40).contains(b)).is_some() {}
                bytes.next_if(|b| (0x40..0x7f).contains(b));
            }
            b'\r' => {}
            byte => kept.push(byte),
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// At most `most` bytes of the beginning, whole characters.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A whole number and the rest behind it: `3 passed` is 3 and ` passed`. A number that is too large is the largest.
pub(super) fn number(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    (digits > 0).then(|| (number.parse().unwrap_or(u64::MAX), rest))
}

/// `3 failed`: the number and what follows it, trimmed.
pub(super) fn number_of(text: &str) -> Option<(u64, &str)> {
    let (number, rest) = number(text.trim())?;
    rest.starts_with(' ').then(|| (number, rest.trim()))
}
