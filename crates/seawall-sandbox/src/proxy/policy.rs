//! Which places a worker may reach: named hosts through the proxy, and loopback ports that are mapped to one place each.
//!
//! Everything that is not named is refused. A policy is read once, when a run starts, and every mistake in it is an error:
//! an entry that silently matches nothing is found when a worker has already failed.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::authority::{Authority, AuthorityError, Host, port, split};

/// The port inside at which the proxy listens, on 127.0.0.1.
pub const PROXY_PORT: u16 = 3128;

/// The most mapped ports: their listeners are passed beside one message.
pub const MOST_FORWARDS: usize = 15;

/// Which places a worker may reach; nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
    forwards: BTreeMap<u16, Authority>,
}

/// Why a policy is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// An entry of `hosts` cannot be read.
    #[error("`{entry}` is no host that can be named: {why}")]
    Host {
        /// The entry.
        entry: String,
        /// What is wrong with it.
        why: String,
    },
    /// An entry of `forward` cannot be read.
    #[error("`{entry}` is no port that can be mapped: {why}")]
    Forward {
        /// The entry, as `port = place`.
        entry: String,
        /// What is wrong with it.
        why: String,
    },
}

/// One entry of `hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// This place.
    Exactly(Authority),
    /// Every name below this one, at any depth, but not the name itself.
    Below { name: String, port: u16 },
}

impl Policy {
    /// Reads what a profile says: `hosts`, each `host:port` or `*.domain:port`, and `forward`, loopback ports inside and the
    /// one place `host:port` outside that each is mapped to.
    ///
    /// # Errors
    /// When an entry is not strictly of that form, or a mapped port is named twice or is the proxy's own.
    pub fn new<'a>(
        hosts: impl IntoIterator<Item = &'a str>,
        forward: impl IntoIterator<Item = (u16, &'a str)>,
    ) -> Result<Self, PolicyError> {
        let rules = hosts.into_iter().map(Rule::parse);
        let mut policy = Self {
            rules: rules.collect::<Result<_, _>>()?,
            forwards: BTreeMap::new(),
        };
        for (port, place) in forward {
            policy.map(port, place)?;
        }
        Ok(policy)
    }

    fn map(&mut self, port: u16, place: &str) -> Result<(), PolicyError> {
        let entry = || format!("{port} = {place}");
        let wrong = |why: String| PolicyError::Forward {
            entry: entry(),
            why,
        };
        if port == 0 || port == PROXY_PORT {
            return Err(wrong(match port {
                0 => "there is no port 0".to_owned(),
                _ => "the proxy listens there".to_owned(),
            }));
        }
        let authority = Authority::parse(place).map_err(|error| wrong(error.to_string()))?;
        if self.forwards.insert(port, authority).is_some() {
            return Err(wrong("it is mapped twice".to_owned()));
        }
        if self.forwards.len() > MOST_FORWARDS {
            return Err(wrong(format!("more than {MOST_FORWARDS} ports are mapped")));
        }
        Ok(())
    }

    /// Whether nothing may be reached.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.forwards.is_empty()
    }

    /// Whether any host is named, so that there is a proxy.
    #[must_use]
    pub fn has_hosts(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The loopback ports inside that are listened at, in the order in which [`super::Proxy::start`] takes their listeners: the
    /// proxy's own first, if any host is named, then the mapped ones in ascending order.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        let proxy = self.has_hosts().then_some(PROXY_PORT);
        proxy.into_iter().chain(self.forwards.keys().copied())
    }

    /// The entries of `hosts` in their one form, for messages.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        self.rules.iter().map(Rule::to_string)
    }

    /// The mapped ports and where they lead, for messages.
    pub fn forwards(&self) -> impl Iterator<Item = (u16, String)> {
        self.forwards
            .iter()
            .map(|(port, place)| (*port, place.to_string()))
    }

    /// The place that a mapped port leads to.
    pub(crate) fn forward(&self, port: u16) -> Option<&Authority> {
        self.forwards.get(&port)
    }

    /// Whether a place may be reached through the proxy, by what it is called.
    pub(crate) fn names(&self, place: &Authority) -> bool {
        self.rules.iter().any(|rule| rule.matches(place))
    }

    /// Whether this very address and port is named, which lifts the refusal of private places.
    pub(crate) fn names_address(&self, address: SocketAddr) -> bool {
        let is = |place: &Authority| {
            place.host == Host::Address(address.ip()) && place.port == address.port()
        };
        let named = |rule: &Rule| matches!(rule, Rule::Exactly(place) if is(place));
        self.rules.iter().any(named) || self.forwards.values().any(is)
    }
}

impl Rule {
    fn parse(entry: &str) -> Result<Self, PolicyError> {
        Self::read(entry).map_err(|why| PolicyError::Host {
            entry: entry.to_owned(),
            why,
        })
    }

    fn read(entry: &str) -> Result<Self, String> {
        let text = |error: AuthorityError| error.to_string();
        if !entry.contains('*') {
            return Authority::parse(entry).map(Self::Exactly).map_err(text);
        }
        let (host, at) = split(entry).map_err(text)?;
        let below = host
            .strip_prefix("*.")
            .filter(|rest| !rest.contains('*'))
            .ok_or("`*` stands only for the first part of a name, as in `*.example.org:443`")?;
        let port = port(at.ok_or(AuthorityError::NoPort).map_err(text)?).map_err(text)?;
        match Host::parse(below).map_err(text)? {
            Host::Address(_) => Err("`*` does not stand for a part of an address".to_owned()),
            Host::Name(name) if !name.contains('.') => {
                Err("`*` would name a whole top-level domain".to_owned())
            }
            Host::Name(name) => Ok(Self::Below { name, port }),
        }
    }

    fn matches(&self, place: &Authority) -> bool {
        match (self, &place.host) {
            (Self::Exactly(named), _) => named == place,
            (Self::Below { .. }, Host::Address(_)) => false,
            (Self::Below { name, port }, Host::Name(asked)) => {
                let rest = asked.strip_suffix(name.as_str());
                *port == place.port
                    && rest.is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(place) => write!(f, "{place}"),
            Self::Below { name, port } => write!(f, "*.{name}:{port}"),
        }
    }
}

/// The address that a place already is, when nothing has to be resolved.
pub(crate) fn literal(place: &Authority) -> Option<IpAddr> {
    match place.host {
        Host::Address(address) => Some(address),
        Host::Name(_) => None,
    }
}
