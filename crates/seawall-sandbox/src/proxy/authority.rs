//! `host:port` as a client or a policy writes it, read strictly into one form, so that equal means the same.
//!
//! Two readers that disagree about a name are how a filter is passed: `0x7f.1`, `127.1` and `2130706433` are loopback to
//! the C library and a name to a careless filter. So there is one grammar here. What ends like a number must be a plain
//! dotted quad; names are letters, digits, `-` and `_` in labels of at most 63 bytes; upper case and one trailing dot are
//! taken away; an address of version 6 stands in brackets and has no zone. A name outside ASCII is refused rather than
//! translated: clients send its `xn--` form, and the tables that translate are larger than all of this crate.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name (RFC 1035, 2.3.4, as text without the root's dot).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// What is before the port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Host {
    /// A name in lower case without a trailing dot.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// One place to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Authority {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// Why text is no authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error("it has no port; write `host:port`")]
    NoPort,
    #[error("the port is not a number from 1 to 65535")]
    Port,
    #[error("the host is empty")]
    NoHost,
    #[error("the host is longer than {LONGEST_NAME} bytes")]
    TooLong,
    #[error("a part of the host between dots is empty or longer than {LONGEST_LABEL} bytes")]
    Label,
    #[error("the host is not ASCII; write its `xn--` form")]
    NotAscii,
    #[error("the host has a character that no host has")]
    Character,
    #[error("the host ends like a number but is not an address such as `192.0.2.7`")]
    Number,
    #[error(
        "an address of version 6 is written `[2001:db8::1]:443`, in brackets and without a zone"
    )]
    Six,
}

impl Host {
    /// Reads a host without a port.
    pub(crate) fn parse(text: &str) -> Result<Self, AuthorityError> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(AuthorityError::Six)?;
            return inner
                .parse::<Ipv6Addr>()
                .map(|address| Self::Address(address.into()))
                .map_err(|_| AuthorityError::Six);
        }
        if text.contains(':') {
            return Err(AuthorityError::Six);
        }
        let name = name(text)?;
        if !ends_like_a_number(&name) {
            return Ok(Self::Name(name));
        }
        name.parse::<Ipv4Addr>()
            .map(|address| Self::Address(address.into()))
            .map_err(|_| AuthorityError::Number)
    }
}

/// Checks a name and brings it into the one form.
fn name(text: &str) -> Result<String, AuthorityError> {
    let bare = text.strip_suffix('.').unwrap_or(text);
    if bare.is_empty() {
        return Err(AuthorityError::NoHost);
    }
    if !bare.is_ascii() {
        return Err(AuthorityError::NotAscii);
    }
    if bare.len() > LONGEST_NAME {
        return Err(AuthorityError::TooLong);
    }
    let fits = |label: &str| (1..=LONGEST_LABEL).contains(&label.len());
    if !bare.split('.').all(fits) {
        return Err(AuthorityError::Label);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !bare.bytes().all(plain) {
        return Err(AuthorityError::Character);
    }
    Ok(bare.to_ascii_lowercase())
}

/// Whether `inet_aton(3)` might take the name for an address: its last label is a number of any base.
fn ends_like_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl Authority {
    /// Reads `host:port`; the port must be there.
    pub(crate) fn parse(text: &str) -> Result<Self, AuthorityError> {
        let (host, port) = split(text)?;
        let port = port.ok_or(AuthorityError::NoPort)?;
        Ok(Self {
            host: Host::parse(host)?,
            port: self::port(port)?,
        })
    }

    /// Reads `host` or `host:port`.
    pub(crate) fn parse_with_default(text: &str, default: u16) -> Result<Self, AuthorityError> {
        let (host, port) = split(text)?;
        Ok(Self {
            host: Host::parse(host)?,
            port: port.map_or(Ok(default), self::port)?,
        })
    }
}

/// Parts host and port; the host keeps its brackets.
pub(crate) fn split(text: &str) -> Result<(&str, Option<&str>), AuthorityError> {
    let from = if text.starts_with('[') {
        text.find(']').ok_or(AuthorityError::Six)? + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at(from);
    if rest.is_empty() {
        return Ok((host, None));
    }
    let port = rest.strip_prefix(':').ok_or(AuthorityError::Six)?;
    if port.contains(':') {
        return Err(AuthorityError::Six);
    }
    Ok((host, Some(port)))
}

/// Reads a port: digits alone, without a leading zero or sign.
pub(crate) fn port(text: &str) -> Result<u16, AuthorityError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.starts_with('0') {
        return Err(AuthorityError::Port);
    }
    text.parse().map_err(|_| AuthorityError::Port)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
