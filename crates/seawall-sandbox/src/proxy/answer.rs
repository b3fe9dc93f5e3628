//! The answer to a plain request on its way back: its head is written anew without what is meant for this hop alone, and
//! its body is followed to its end, so that the connection can be closed there even when the other end does not.

use super::body::{Body, Filter, Flow};
use super::head::{Framing, Head, LONGEST_HEAD, end};

/// An answer, as far as it was read.
pub(crate) struct Answer {
    state: State,
    bodiless: bool,
}

enum State {
    /// So much of a head.
    Head(Vec<u8>),
    Body(Body),
}

impl Answer {
    /// The answer to a request; `bodiless` if the request's method was HEAD.
    pub(crate) fn new(bodiless: bool) -> Self {
        Self {
            state: State::Head(Vec::new()),
            bodiless,
        }
    }

    fn take_head(&mut self, mut bytes: Vec<u8>, out: &mut Vec<u8>) -> Result<Flow, &'static str> {
        loop {
            let Some(at) = end(&bytes) else {
                if bytes.len() > LONGEST_HEAD {
                    return Err("the head of the answer is too long");
                }
                self.state = State::Head(bytes);
                return Ok(Flow::More);
            };
            let rest = bytes.split_off(at);
            if let Some(framing) = pass_head(&bytes, self.bodiless, out)? {
                let mut body = Body::of_answer(framing);
                let flow = body.pass(&rest, out);
                self.state = State::Body(body);
                return flow;
            }
            bytes = rest;
        }
    }
}

impl Filter for Answer {
    fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<Flow, &'static str> {
        match &mut self.state {
            State::Body(body) => body.pass(bytes, out),
            State::Head(head) => {
                let mut all = std::mem::take(head);
                all.extend_from_slice(bytes);
                self.take_head(all, out)
            }
        }
    }

    fn may_end(&self) -> bool {
        matches!(&self.state, State::Body(body) if body.may_end())
    }
}

/// Passes a head; the length of the body, or `None` when it was only an interim answer.
fn pass_head(
    bytes: &[u8],
    bodiless: bool,
    out: &mut Vec<u8>,
) -> Result<Option<Framing>, &'static str> {
    let head = Head::parse(bytes).map_err(|_| "the head of the answer cannot be read")?;
    let status = status(head.first).ok_or("the first line of the answer cannot be read")?;
    let said = head
        .framing()
        .map_err(|_| "the length of the answer is ambiguous")?;
    let interim = matches!(status, 100..=199);
    if status == 101 {
        return Err("the other end wants to speak another protocol");
    }
    out.extend_from_slice(head.first.as_bytes());
    out.extend_from_slice(b"\r\n");
    for field in head.end_to_end() {
        field.write(out);
    }
    if interim {
        out.extend_from_slice(b"\r\n");
        return Ok(None);
    }
    said.write(out);
    out.extend_from_slice(b"Connection: close\r\n\r\n");
    let empty = bodiless || matches!(status, 204 | 304);
    Ok(Some(if empty { Framing::Length(0) } else { said }))
}

fn status(first: &str) -> Option<u16> {
    let rest = first
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| first.strip_prefix("HTTP/1.0 "))?;
    let digits = rest.get(..3)?;
    let ended = matches!(rest.as_bytes().get(3), None | Some(b' '));
    let plain = ended && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .parse()
        .ok()
        .filter(|status| plain && (100..600).contains(status))
}
