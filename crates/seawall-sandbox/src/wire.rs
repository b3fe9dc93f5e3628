//! Messages between supervisor and launcher: a length, then JSON, on a stream socket, with descriptors beside the length.
//!
//! Paths and arguments are bytes and JSON is text, so [`Raw`] writes itself as a string where that loses nothing and as a
//! list of numbers where it would.

use std::ffi::{OsStr, OsString};
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, send, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::sys;

/// The longest message that is read; arguments alone cannot exceed a few mebibytes (`execve(2)`).
const LONGEST: usize = 64 << 20;

/// The most descriptors beside one message: the listeners of the proxy and of all mapped ports.
const MOST_DESCRIPTORS: usize = 1 + crate::proxy::MOST_FORWARDS;

/// Bytes that are usually text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Raw {
    /// Valid UTF-8.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl Raw {
    pub(crate) fn new(bytes: &OsStr) -> Self {
        match bytes.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(bytes.as_bytes().to_vec()),
        }
    }

    pub(crate) fn path(path: &Path) -> Self {
        Self::new(path.as_os_str())
    }

    pub(crate) fn as_path(&self) -> &Path {
        match self {
            Self::Text(text) => Path::new(text),
            Self::Bytes(bytes) => Path::new(OsStr::from_bytes(bytes)),
        }
    }

    pub(crate) fn into_os(self) -> OsString {
        match self {
            Self::Text(text) => text.into(),
            Self::Bytes(bytes) => OsString::from_vec(bytes),
        }
    }

    pub(crate) fn into_path(self) -> PathBuf {
        self.into_os().into()
    }
}

/// Sends one message; the descriptors are duplicated into the receiver.
pub(crate) fn post<T: Serialize>(
    to: &UnixStream,
    message: &T,
    descriptors: &[RawFd],
) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len())
        .map_err(|_| io::Error::other("message too long"))?
        .to_le_bytes();
    let rights = [ControlMessage::ScmRights(descriptors)];
    let beside: &[ControlMessage<'_>] = if descriptors.is_empty() { &[] } else { &rights };
    let sent = sendmsg::<()>(
        to.as_raw_fd(),
        &[IoSlice::new(&length)],
        beside,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )?;
    if sent != length.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    post_bytes(to, &body)
}

/// Sends bytes without raising `SIGPIPE` when nobody reads them.
pub(crate) fn post_bytes(to: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match send(to.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits for one message; `None` when the other end has gone.
pub(crate) fn fetch<T: DeserializeOwned>(
    from: &mut UnixStream,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut length = [0; 4];
    let (count, descriptors) = fetch_head(from, &mut length)?;
    if count == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[count..])?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "message too long",
        ));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&body)?, descriptors)))
}

fn fetch_head(from: &UnixStream, length: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = nix::cmsg_space!([RawFd; MOST_DESCRIPTORS]);
    let mut into = [IoSliceMut::new(length)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let got = loop {
        match recvmsg::<()>(from.as_raw_fd(), &mut into, Some(&mut space), flags) {
            Err(nix::errno::Errno::EINTR) => {}
            got => break got?,
        }
    };
    let mut descriptors = Vec::new();
    for beside in got.cmsgs()? {
        if let ControlMessageOwned::ScmRights(received) = beside {
            descriptors.extend(received.into_iter().map(sys::adopt));
        }
    }
    Ok((got.bytes, descriptors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_wire() {
        for bytes in [&b"src/click/core.py"[..], b"\xff\xfe", b"a\nb", b""] {
            let raw = Raw::new(OsStr::from_bytes(bytes));
            let json = serde_json::to_string(&raw).unwrap();
            assert_eq!(
                serde_json::from_str::<Raw>(&json)
                    .unwrap()
                    .into_os()
                    .as_bytes(),
                bytes,
                "{json}"
            );
        }
    }

    #[test]
    fn a_message_brings_its_descriptors() {
        let (left, mut right) = UnixStream::pair().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        post(&left, &"hello", &[file.as_raw_fd()]).unwrap();
        drop(left);
        let (text, descriptors) = fetch::<String>(&mut right).unwrap().unwrap();
        assert_eq!((text.as_str(), descriptors.len()), ("hello", 1));
        assert!(fetch::<String>(&mut right).unwrap().is_none());
    }

    #[test]
    fn an_absurd_length_is_refused() {
        let (left, mut right) = UnixStream::pair().unwrap();
        post_bytes(&left, &u32::MAX.to_le_bytes()).unwrap();
        assert_eq!(
            fetch::<String>(&mut right).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
