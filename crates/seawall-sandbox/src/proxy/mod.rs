//! The only way out of a worker's network namespace: a proxy that connects to named places and to nothing else.
//!
//! Nobody inside resolves names, and nothing inside has a route. A listener is made inside the namespace and passed to the
//! supervisor, which takes connections from it on the host's side. A client asks by `CONNECT` or with a plain request; a port
//! inside may be mapped to one place for clients that know no proxy.
//!
//! | step | module |
//! |---|---|
//! | take a connection | `serve` |
//! | serve it, in this order | `visit` |
//! | read what is asked | `head`, `request`, `authority` |
//! | match it by name | `policy` |
//! | resolve, judge the address, connect | `locate`, `address` |
//! | write the decision down, count | `log`, `tally` |
//! | move bytes, and only those that belong to it | `relay`, `body`, `answer`, `hello` |
//!
//! What it costs: a thread for each connection, and that what is inside of TLS is not seen, but for the name that it begins
//! with. A place that is allowed can therefore be used to reach whatever that place itself lets its clients reach.

mod address;
mod answer;
mod authority;
mod body;
mod head;
mod hello;
mod locate;
mod log;
mod policy;
mod relay;
mod request;
mod serve;
mod tally;
#[cfg(test)]
mod tests;
mod visit;
mod wait;

pub use policy::{MOST_FORWARDS, PROXY_PORT, Policy, PolicyError};
pub use serve::{Proxy, ProxyHandle};
pub use tally::{MOST_PLACES, NetworkSummary, ProxyLimits};
