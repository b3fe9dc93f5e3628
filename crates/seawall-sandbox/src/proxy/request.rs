//! What a client asks of the proxy: a tunnel to a place, or one plain HTTP request to pass on.
//!
//! A plain request is written anew from what was understood, never copied, and its connection ends with its answer: so each
//! request is matched by itself, and nothing can hide behind it that only the other end would take for a second one.

use super::authority::{Authority, AuthorityError};
use super::head::{Framing, Head, HeadError, is_token};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Where to.
    pub(crate) place: Authority,
    pub(crate) kind: Kind,
}

/// How it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `CONNECT`: bytes both ways.
    Tunnel,
    /// One request.
    Plain {
        /// The head as it is passed on.
        head: Vec<u8>,
        framing: Framing,
        /// Whether its answer has no body, whatever the answer's head says.
        bodiless: bool,
    },
}

/// Why a request is refused before it is known where it goes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AskError {
    #[error("the request cannot be read: {0}")]
    Head(#[from] HeadError),
    #[error("its first line is not `METHOD target HTTP/1.1`")]
    First,
    #[error("this is a proxy: it takes `CONNECT host:port` and `METHOD http://host/path`")]
    NotForAProxy,
    #[error("only `http:` is passed on; other schemes go through `CONNECT host:port`")]
    Scheme,
    #[error("its version is not HTTP/1.1")]
    Version,
    #[error("`{place}` is no place to connect to: {why}")]
    Place {
        /// What was written, escaped and cut.
        place: String,
        why: AuthorityError,
    },
    #[error("its Host field does not agree with where it goes")]
    Host,
    #[error("a CONNECT has no body")]
    Body,
    #[error("its path has a character that no path has")]
    Path,
}

impl AskError {
    /// The status of the answer.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Version => 505,
            Self::Head(HeadError::Count) => 431,
            _ => 400,
        }
    }
}

/// Reads a request's head.
pub(crate) fn parse(head: &[u8]) -> Result<Ask, AskError> {
    let head = Head::parse(head)?;
    let words: Vec<_> = head.first.split(' ').collect();
    let [method, target, version] = words.as_slice() else {
        return Err(AskError::First);
    };
    if !is_token(method) || target.is_empty() {
        return Err(AskError::First);
    }
    let tunnel = *method == "CONNECT";
    match *version {
        "HTTP/1.1" => {}
        // Some older clients ask for a tunnel so, and there is no difference to it.
        "HTTP/1.0" if tunnel => {}
        _ if version.starts_with("HTTP/") => return Err(AskError::Version),
        _ => return Err(AskError::First),
    }
    if tunnel {
        connect(&head, target)
    } else {
        plain(&head, method, target)
    }
}

fn connect(head: &Head<'_>, target: &str) -> Result<Ask, AskError> {
    let place = Authority::parse(target).map_err(no_place(target))?;
    if !matches!(head.framing()?, Framing::Unsaid | Framing::Length(0)) {
        return Err(AskError::Body);
    }
    // Only what is there must agree: the target alone decides.
    if let Some(host) = host(head, place.port)?
        && host != place
    {
        return Err(AskError::Host);
    }
    Ok(Ask {
        place,
        kind: Kind::Tunnel,
    })
}

fn plain(head: &Head<'_>, method: &str, target: &str) -> Result<Ask, AskError> {
    let (place, path) = absolute(target)?;
    if host(head, 80)?.as_ref() != Some(&place) {
        return Err(AskError::Host);
    }
    let path = match path {
        "" if method == "OPTIONS" => "*".to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => format!("/{path}"),
    };
    let framing = head.framing()?;
    let written = write(head, format!("{method} {path} HTTP/1.1"), &place, framing);
    Ok(Ask {
        place,
        kind: Kind::Plain {
            head: written,
            framing,
            bodiless: method == "HEAD",
        },
    })
}

fn host(head: &Head<'_>, default: u16) -> Result<Option<Authority>, AskError> {
    let Some(value) = head.single("host")? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value).map_err(|_| AskError::Host)?;
    Authority::parse_with_default(text, default)
        .map(Some)
        .map_err(|_| AskError::Host)
}

/// Parts `http://host/path` into place and path, without a default for either.
fn absolute(target: &str) -> Result<(Authority, &str), AskError> {
    if target.starts_with('/') || target == "*" {
        return Err(AskError::NotForAProxy);
    }
    let (scheme, rest) = target.split_once("://").ok_or(AskError::NotForAProxy)?;
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(AskError::Scheme);
    }
    let at = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (place, path) = rest.split_at(at);
    if path.contains(['#', '\\']) {
        return Err(AskError::Path);
    }
    let authority = Authority::parse_with_default(place, 80).map_err(no_place(place))?;
    Ok((authority, path))
}

fn no_place(text: &str) -> impl Fn(AuthorityError) -> AskError {
    let place: String = text.chars().take(100).collect();
    move |error| AskError::Place {
        place: place.clone(),
        why: error,
    }
}

fn write(head: &Head<'_>, first: String, place: &Authority, framing: Framing) -> Vec<u8> {
    let mut out = format!("{first}\r\nHost: ").into_bytes();
    let host = match place.port {
        80 => place.host.to_string(),
        _ => place.to_string(),
    };
    out.extend_from_slice(host.as_bytes());
    out.extend_from_slice(b"\r\n");
    for field in head.end_to_end() {
        field.write(&mut out);
    }
    framing.write(&mut out);
    out.extend_from_slice(b"Connection: close\r\n\r\n");
    out
}

impl Framing {
    /// Writes the field that says so.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Length(length) => {
                out.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
            }
            Self::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            Self::Unsaid => {}
        }
    }
}
