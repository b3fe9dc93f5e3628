//! The name in a TLS greeting must be the name that the tunnel was allowed for.
//!
//! Behind one address there may be thousands of hosts, and which of them answers is decided by the name in the client's first
//! message (SNI, RFC 6066). Without a look at it, a tunnel to an allowed host of a content network is a tunnel to all of that
//! network's customers. A greeting that hides its name (ECH) is refused, because then the outer name says nothing. Bytes that
//! are not TLS pass as they are. What this costs: the first kilobytes are held until the greeting is complete.

use super::authority::Host;
use super::body::{Filter, Flow, Raw};

/// The most bytes that a greeting may take, in all its records; real ones take two or three thousand. It is read again with each
/// piece that comes, so this bounds what a client that sends it byte by byte can cost.
const LONGEST: usize = 16 << 10;

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
/// RFC 9849; the same number as in its drafts.
const ENCRYPTED_HELLO: u16 = 0xfe0d;

/// What a tunnel is passed through on its way out.
pub(crate) enum Guard {
    /// Held until it is known what it is.
    Holding {
        named: Host,
        held: Vec<u8>,
    },
    Open,
}

impl Guard {
    /// For a tunnel to `host`; an address has no name to compare with.
    pub(crate) fn new(host: &Host) -> Self {
        match host {
            Host::Address(_) => Self::Open,
            Host::Name(_) => Self::Holding {
                named: host.clone(),
                held: Vec::new(),
            },
        }
    }
}

impl Filter for Guard {
    fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<Flow, &'static str> {
        let Self::Holding { named, held } = self else {
            return Raw.pass(bytes, out);
        };
        held.extend_from_slice(bytes);
        match look(held) {
            Look::More if held.len() <= LONGEST => return Ok(Flow::More),
            Look::More => return Err("the TLS greeting is too long"),
            Look::NotTls => {}
            Look::Odd => return Err("the TLS greeting cannot be read"),
            Look::Hidden => return Err("the TLS greeting hides its name (ECH)"),
            Look::Nameless => return Err("the TLS greeting has no name"),
            Look::Named(name) if name == *named => {}
            Look::Named(_) => return Err("the TLS greeting is for another name than the tunnel"),
        }
        out.append(held);
        *self = Self::Open;
        Ok(Flow::More)
    }

    fn may_end(&self) -> bool {
        !matches!(self, Self::Holding { held, .. } if !held.is_empty())
    }
}

/// What the first bytes of a tunnel are.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// Not yet known.
    More,
    NotTls,
    Odd,
    Hidden,
    Nameless,
    Named(Host),
}

fn look(bytes: &[u8]) -> Look {
    match bytes {
        [] | [HANDSHAKE] => return Look::More,
        [HANDSHAKE, 3, ..] => {}
        _ => return Look::NotTls,
    }
    match handshake(bytes) {
        Err(look) => look,
        Ok(message) => hello(&message).unwrap_or(Look::Odd),
    }
}

/// Takes the first handshake message out of its records.
fn handshake(mut bytes: &[u8]) -> Result<Vec<u8>, Look> {
    let mut message = Vec::new();
    loop {
        if let [kind, a, b, c, ..] = message[..] {
            if kind != CLIENT_HELLO {
                return Err(Look::Odd);
            }
            let end = 4 + u32::from_be_bytes([0, a, b, c]) as usize;
            if end > LONGEST {
                return Err(Look::Odd);
            }
            if message.len() >= end {
                message.truncate(end);
                return Ok(message.split_off(4));
            }
        }
        let [kind, major, _, high, low, rest @ ..] = bytes else {
            return Err(Look::More);
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if *kind != HANDSHAKE || *major != 3 || length == 0 {
            return Err(Look::Odd);
        }
        let piece = rest.get(..length).ok_or(Look::More)?;
        message.extend_from_slice(piece);
        bytes = &rest[length..];
    }
}

/// Reads a client's hello (RFC 8446, 4.1.2); `None` when it is not one.
fn hello(message: &[u8]) -> Option<Look> {
    let mut fields = Fields(message);
    fields.take(2 + 32)?;
    fields.counted(1)?;
    fields.counted(2)?;
    fields.counted(1)?;
    let mut extensions = Fields(fields.counted(2).unwrap_or_default());
    let (mut name, mut hidden) = (None, false);
    while !extensions.0.is_empty() {
        let kind = extensions.number(2)?;
        let value = extensions.counted(2)?;
        if kind == usize::from(SERVER_NAME) && name.replace(server_name(value)?).is_some() {
            return None;
        }
        hidden |= kind == usize::from(ENCRYPTED_HELLO);
    }
    Some(match name {
        _ if hidden => Look::Hidden,
        None => Look::Nameless,
        Some(name) => Look::Named(name),
    })
}

/// The one name of the extension.
fn server_name(value: &[u8]) -> Option<Host> {
    let mut list = Fields(value);
    let mut entry = Fields(list.counted(2)?);
    let kind = entry.number(1)?;
    let name = entry.counted(2)?;
    let alone = kind == 0 && entry.0.is_empty() && list.0.is_empty();
    let text = std::str::from_utf8(name).ok().filter(|_| alone)?;
    Host::parse(text).ok()
}

/// Bytes that are read from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    fn number(&mut self, width: usize) -> Option<usize> {
        let bytes = self.take(width)?;
        Some(
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        )
    }

    /// A value after its length, which is so many bytes wide.
    fn counted(&mut self, width: usize) -> Option<&'a [u8]> {
        let count = self.number(width)?;
        self.take(count)
    }
}
