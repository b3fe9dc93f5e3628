//! From the name of a place to a connection: resolve on the host, judge every address, connect to one that was judged.
//!
//! There is no second resolution: a name that answers differently the next time (DNS rebinding) gains nothing.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, socket, sockopt,
};

use super::address;
use super::authority::Authority;
use super::policy::{Policy, literal};
use super::wait::{self, Bell, Woken};

/// What finds the addresses of a name.
pub(crate) type Resolver = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// Between two looks at the bell while a name is resolved, which nothing can interrupt.
const LOOK: Duration = Duration::from_millis(50);

/// The most addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Why a place cannot be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LocateError {
    #[error("{address} is {what}; name `{address}` to allow it")]
    Special {
        address: SocketAddr,
        what: &'static str,
    },
    #[error("the name cannot be resolved: {0}")]
    Unknown(String),
    #[error("{address} cannot be connected to: {error}")]
    Unreachable { address: SocketAddr, error: String },
    #[error("there was no answer in time")]
    Late,
    #[error("the proxy is closing")]
    Stopped,
}

impl From<io::Error> for LocateError {
    fn from(error: io::Error) -> Self {
        Self::Unknown(error.to_string())
    }
}

/// The host's own resolver.
pub(crate) fn system() -> Resolver {
    Arc::new(|name, port| (name, port).to_socket_addrs().map(Iterator::collect))
}

/// What is needed to get from a name to a connection.
pub(crate) struct Locator<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) resolver: &'a Resolver,
    pub(crate) bell: &'a Bell,
    /// When resolving and connecting must be done.
    pub(crate) until: Instant,
}

impl Locator<'_> {
    /// The addresses of a place that may be connected to, at least one.
    pub(crate) fn find(&self, place: &Authority) -> Result<Vec<SocketAddr>, LocateError> {
        let found = match literal(place) {
            Some(address) => vec![SocketAddr::new(address, place.port)],
            None => self.resolve(place)?,
        };
        let mut refused = None;
        let mut good = Vec::new();
        for address in found.into_iter().take(MOST_ADDRESSES) {
            // Whatever the resolver says, the port is the one that was matched.
            let address = SocketAddr::new(address.ip(), place.port);
            match self.what_is_wrong(address) {
                None => good.push(address),
                Some(what) => refused = Some(LocateError::Special { address, what }),
            }
        }
        match (good.is_empty(), refused) {
            (false, _) => Ok(good),
            (true, Some(refused)) => Err(refused),
            (true, None) => Err(LocateError::Unknown("it has no address".to_owned())),
        }
    }

    fn what_is_wrong(&self, address: SocketAddr) -> Option<&'static str> {
        if self.policy.names_address(address) {
            return None;
        }
        let own = || address::is_own(address.ip()).then_some("an address of this host");
        address::special(address.ip()).or_else(own)
    }

    /// Asks the resolver in a thread of its own, because it cannot be interrupted; one that takes too long is left behind
    /// and ends when the C library gives up.
    fn resolve(&self, place: &Authority) -> Result<Vec<SocketAddr>, LocateError> {
        let (name, port, resolver) = (place.host.to_string(), place.port, self.resolver.clone());
        let (tell, told) = channel();
        std::thread::Builder::new()
            .name("seawall-resolve".to_owned())
            .stack_size(256 << 10)
            // Nobody listens any more when it comes too late.
            .spawn(move || drop(tell.send(resolver(&name, port))))?;
        loop {
            match told.recv_timeout(LOOK) {
                Ok(found) => return Ok(found?),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(LocateError::Unknown("the resolver died".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) if self.bell.is_rung() => {
                    return Err(LocateError::Stopped);
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() >= self.until => {
                    return Err(LocateError::Late);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Connects to the first of the addresses that answers.
    pub(crate) fn connect(
        &self,
        addresses: &[SocketAddr],
    ) -> Result<(TcpStream, SocketAddr), LocateError> {
        let mut last = LocateError::Late;
        for (n, address) in addresses.iter().enumerate() {
            let left = self.until.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(addresses.len() - n).unwrap_or(1);
            match self.connect_one(*address, Instant::now() + share) {
                Ok(stream) => return Ok((stream, *address)),
                Err(LocateError::Stopped) => return Err(LocateError::Stopped),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn connect_one(&self, address: SocketAddr, until: Instant) -> Result<TcpStream, LocateError> {
        let failed = |error: io::Error| LocateError::Unreachable {
            address,
            error: error.to_string(),
        };
        let socket = begin(address).map_err(failed)?;
        match wait::for_one(socket.as_fd(), PollFlags::POLLOUT, self.bell, until).map_err(failed)? {
            Woken::Late => return Err(LocateError::Late),
            Woken::Rung => return Err(LocateError::Stopped),
            Woken::Ready => {}
        }
        match getsockopt(&socket, sockopt::SocketError).map_err(|error| failed(error.into()))? {
            0 => {
                let stream = TcpStream::from(socket);
                stream.set_nodelay(true).map_err(failed)?;
                Ok(stream)
            }
            error => Err(failed(io::Error::from_raw_os_error(error))),
        }
    }
}

/// Begins to connect, without waiting.
fn begin(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None)?;
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(address)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}
