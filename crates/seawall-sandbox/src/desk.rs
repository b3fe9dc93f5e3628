//! Where the launcher and the keeper leave what the supervisor is to know.

use std::cell::Cell;
use std::io;
use std::os::unix::net::UnixStream;

use crate::launch::Reply;
use crate::wire;

/// The supervisor, as the launcher and its keeper see it.
#[derive(Clone, Copy)]
pub(crate) enum Desk<'a> {
    /// At the other end of a socket.
    Away(&'a UnixStream),
    /// The launcher itself, which looks here when its keeper, who runs in its memory, has left that.
    Here(&'a Cell<Option<Reply>>),
}

impl<'a> Desk<'a> {
    /// Leaves an answer; the last one counts.
    pub(crate) fn reply(self, reply: Reply) -> io::Result<()> {
        match self {
            Self::Away(socket) => wire::post(socket, &reply, &[]),
            Self::Here(place) => {
                place.set(Some(reply));
                Ok(())
            }
        }
    }

    /// What brings the supervisor's requests, and its end.
    pub(crate) fn socket(self) -> Option<&'a UnixStream> {
        match self {
            Self::Away(socket) => Some(socket),
            Self::Here(_) => None,
        }
    }
}
