//! The head of an HTTP/1.1 message, read strictly: what two readers could understand differently is refused.
//!
//! Lines end in CR LF and nothing else, a name is a token and touches its colon, nothing is folded, and no control character
//! is in a value (RFC 9112, 2.2, 5.1 and 11.2). Real clients all write so; who does not wants two parsers to disagree.

/// The most bytes of a head.
pub(crate) const LONGEST_HEAD: usize = 16 << 10;

/// The most fields of a head.
const MOST_FIELDS: usize = 100;

/// Why bytes are no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadError {
    #[error("a line does not end in CR LF")]
    Line,
    #[error("the first line has a character that is not printable ASCII")]
    First,
    #[error("a field has no name, or its name is not a token that touches the colon")]
    Name,
    #[error("a field has a control character in its value")]
    Value,
    #[error("it has more than {MOST_FIELDS} fields")]
    Count,
    #[error("it has several fields of a kind that there is once")]
    Twice,
    #[error("its length is not a plain number")]
    Length,
    #[error("it says both how long its body is and that the body says so itself")]
    TwoLengths,
    #[error("its body is coded in another way than `chunked`")]
    Coding,
}

/// A head, still as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    /// The first line without its end.
    pub(crate) first: &'a str,
    pub(crate) fields: Vec<Field<'a>>,
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    /// Without white space around it; may have bytes outside ASCII.
    pub(crate) value: &'a [u8],
}

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes.
    Length(u64),
    /// It says so itself, chunk by chunk.
    Chunked,
    /// Nothing was said.
    Unsaid,
}

/// Where a head ends, after its empty line.
pub(crate) fn end(bytes: &[u8]) -> Option<usize> {
    let mark = b"\r\n\r\n";
    bytes
        .windows(mark.len())
        .position(|window| window == mark)
        .map(|at| at + mark.len())
}

impl<'a> Head<'a> {
    /// Reads a head; `bytes` ends with its empty line.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, HeadError> {
        let body = bytes.strip_suffix(b"\r\n\r\n").ok_or(HeadError::Line)?;
        let mut lines = Lines(Some(body));
        let first = lines.next().unwrap_or(Err(HeadError::Line))?;
        let printable = |byte: &u8| matches!(byte, b' '..=b'~');
        let first = std::str::from_utf8(first).map_err(|_| HeadError::First)?;
        if first.is_empty() || !first.as_bytes().iter().all(printable) {
            return Err(HeadError::First);
        }
        let mut fields = Vec::new();
        for line in lines {
            if fields.len() == MOST_FIELDS {
                return Err(HeadError::Count);
            }
            fields.push(Field::parse(line?)?);
        }
        Ok(Self { first, fields })
    }

    /// The value of a field that there is at most once.
    pub(crate) fn single(&self, name: &str) -> Result<Option<&'a [u8]>, HeadError> {
        let mut found = self.fields.iter().filter(|field| field.is(name));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(HeadError::Twice),
            (field, None) => Ok(field.map(|field| field.value)),
        }
    }

    /// How long the body is; two answers are refused, and so is what only some readers understand.
    pub(crate) fn framing(&self) -> Result<Framing, HeadError> {
        let length = self.single("content-length")?;
        match (length, self.single("transfer-encoding")?) {
            (Some(_), Some(_)) => Err(HeadError::TwoLengths),
            (None, None) => Ok(Framing::Unsaid),
            (Some(length), None) => number(length).map(Framing::Length),
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            (None, Some(_)) => Err(HeadError::Coding),
        }
    }

    /// The fields that are meant for the other end and not for this hop (RFC 9110, 7.6.1), but for those that this proxy
    /// writes itself: how long the body is, and which host is meant.
    pub(crate) fn end_to_end(&self) -> impl Iterator<Item = &Field<'a>> {
        let named: Vec<_> = self
            .fields
            .iter()
            .filter(|field| field.is("connection") || field.is("proxy-connection"))
            .flat_map(|field| field.value.split(|byte| *byte == b','))
            .map(|word| word.trim_ascii().to_ascii_lowercase())
            .collect();
        self.fields.iter().filter(move |field| {
            let name = field.name.to_ascii_lowercase();
            !HOP_BY_HOP.contains(&name.as_str())
                && !named.iter().any(|word| word == name.as_bytes())
        })
    }
}

/// Fields that are not passed on as they are.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn number(text: &[u8]) -> Result<u64, HeadError> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits);
    text.and_then(|text| text.parse().ok())
        .ok_or(HeadError::Length)
}

impl<'a> Field<'a> {
    fn parse(line: &'a [u8]) -> Result<Self, HeadError> {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.ok_or(HeadError::Name)?);
        let name = std::str::from_utf8(name).map_err(|_| HeadError::Name)?;
        if !is_token(name) {
            return Err(HeadError::Name);
        }
        let value = value[1..].trim_ascii();
        let plain = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
        if !value.iter().all(plain) {
            return Err(HeadError::Value);
        }
        Ok(Self { name, value })
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Writes the field as a line.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(self.value);
        out.extend_from_slice(b"\r\n");
    }
}

/// Whether text is a token (RFC 9110, 5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

/// The lines of a head without their ends; a CR or LF that is not part of an end is an error.
struct Lines<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Lines<'a> {
    type Item = Result<&'a [u8], HeadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.take()?;
        let odd = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let Some(at) = rest.iter().position(odd) else {
            return Some(Ok(rest));
        };
        match rest[at..].strip_prefix(b"\r\n") {
            Some(after) => {
                self.0 = Some(after);
                Some(Ok(&rest[..at]))
            }
            None => Some(Err(HeadError::Line)),
        }
    }
}
