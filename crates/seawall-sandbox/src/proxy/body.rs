//! The bodies of HTTP/1.1 messages: passes exactly what belongs to one message, and knows where it ends.
//!
//! A chunked body is taken apart and written anew, so that the two ends of this hop cannot see its end in different places;
//! extensions of chunks and trailers are left out, which any hop may do (RFC 9112, 7.1).

use super::head::Framing;

/// The longest line that says how long a chunk is.
const LONGEST_LINE: usize = 256;

/// The most bytes of trailers.
const LONGEST_TRAILERS: usize = 8 << 10;

/// Something that bytes are passed through.
pub(crate) trait Filter {
    /// Passes `bytes` on to `out`; an error says in which way they are not what they should be.
    fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<Flow, &'static str>;

    /// Whether it would be complete if nothing more came.
    fn may_end(&self) -> bool {
        true
    }
}

/// Whether more is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    More,
    /// Everything is there; what follows does not belong to it and was not passed on.
    Done,
}

/// Passes everything.
pub(crate) struct Raw;

impl Filter for Raw {
    fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<Flow, &'static str> {
        out.extend_from_slice(bytes);
        Ok(Flow::More)
    }
}

/// A body.
#[derive(Debug)]
pub(crate) enum Body {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunks),
    /// It ends when the other end closes.
    UntilClose,
}

impl Body {
    pub(crate) fn of_request(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Chunks::default()),
            Framing::Unsaid => Self::Length(0),
        }
    }

    pub(crate) fn of_answer(framing: Framing) -> Self {
        match framing {
            Framing::Unsaid => Self::UntilClose,
            framing => Self::of_request(framing),
        }
    }
}

impl Filter for Body {
    fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<Flow, &'static str> {
        match self {
            Self::UntilClose => Raw.pass(bytes, out),
            Self::Chunked(chunks) => chunks.pass(bytes, out),
            Self::Length(left) => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX);
                let own = &bytes[..bytes.len().min(most)];
                out.extend_from_slice(own);
                *left -= own.len() as u64;
                Ok(if *left == 0 { Flow::Done } else { Flow::More })
            }
        }
    }

    fn may_end(&self) -> bool {
        matches!(self, Self::UntilClose | Self::Length(0))
    }
}

/// A chunked body, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    state: State,
    line: Vec<u8>,
    trailers: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the line that says how long the next chunk is.
    #[default]
    Size,
    /// In a chunk that has so many bytes left.
    Data(u64),
    /// At the line end after a chunk.
    Gap,
    /// In a line after the last chunk.
    Trailer,
    Done,
}

impl Chunks {
    fn pass(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<Flow, &'static str> {
        while self.state != State::Done && !bytes.is_empty() {
            if let State::Data(left) = self.state {
                let most = usize::try_from(left).unwrap_or(usize::MAX);
                let (own, rest) = bytes.split_at(bytes.len().min(most));
                out.extend_from_slice(format!("{:x}\r\n", own.len()).as_bytes());
                out.extend_from_slice(own);
                out.extend_from_slice(b"\r\n");
                bytes = rest;
                self.state = match left - own.len() as u64 {
                    0 => State::Gap,
                    left => State::Data(left),
                };
                continue;
            }
            let (byte, rest) = (bytes[0], &bytes[1..]);
            bytes = rest;
            if self.take(byte)? {
                self.end_line(out)?;
            }
        }
        Ok(match self.state {
            State::Done => Flow::Done,
            _ => Flow::More,
        })
    }

    /// Takes one byte of a line; whether the line is complete.
    fn take(&mut self, byte: u8) -> Result<bool, &'static str> {
        let after_return = self.line.last() == Some(&b'\r');
        match byte {
            b'\n' if after_return => {
                self.line.pop();
                return Ok(true);
            }
            _ if byte == b'\n' || after_return => return Err("a line does not end in CR LF"),
            _ => self.line.push(byte),
        }
        let longest = match self.state {
            State::Gap => 1,
            _ => LONGEST_LINE,
        };
        if self.line.len() > longest {
            return Err("a line between chunks is too long");
        }
        Ok(false)
    }

    fn end_line(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let line = std::mem::take(&mut self.line);
        self.state = match self.state {
            State::Size => match size(&line)? {
                0 => State::Trailer,
                size => State::Data(size),
            },
            State::Gap => State::Size,
            State::Trailer if line.is_empty() => {
                out.extend_from_slice(b"0\r\n\r\n");
                State::Done
            }
            State::Trailer => {
                self.trailers += line.len();
                if self.trailers > LONGEST_TRAILERS {
                    return Err("its trailers are too long");
                }
                State::Trailer
            }
            state @ (State::Data(_) | State::Done) => state,
        };
        Ok(())
    }
}

/// Reads how long a chunk is; what follows a semicolon is an extension and is left out.
fn size(line: &[u8]) -> Result<u64, &'static str> {
    let wrong = "a chunk's length is not a plain hexadecimal number";
    let digits = line.split(|byte| *byte == b';').next().unwrap_or(line);
    if !(1..=15).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| wrong)?;
    u64::from_str_radix(digits, 16).map_err(|_| wrong)
}
