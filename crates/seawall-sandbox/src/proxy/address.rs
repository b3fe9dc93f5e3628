//! Which addresses lead into the host, its network or nowhere, and are refused unless a policy names them.
//!
//! A name that is allowed says nothing about where it leads: whoever answers for it may answer with 127.0.0.1. So the address
//! is judged after resolution, by the registries of special addresses (RFC 6890 and its updates), by the clouds' metadata
//! services, and by the addresses of this host as they are at that moment. Of version 6 only global unicast (2000::/3) passes,
//! without the ranges in it that carry an address of version 4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::ifaddrs::getifaddrs;

/// Blocks of version 4: address, length of the prefix, what it is.
const FOUR: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a carrier"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    // The metadata service of most clouds is 169.254.169.254, of Azure also 168.63.129.16.
    (Ipv4Addr::new(169, 254, 169, 254), 32, "a metadata service"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a metadata service"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// Blocks of version 6, the narrower first.
const SIX: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (
        Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
        128,
        "a metadata service",
    ),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved"),
    (
        Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0),
        32,
        "for documentation",
    ),
    (
        Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0),
        16,
        "a carrier of version 4",
    ),
    (
        Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0),
        20,
        "for documentation",
    ),
];

/// What an address is when it is not an ordinary public one.
pub(crate) fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_four(address),
        IpAddr::V6(address) => special_six(address),
    }
}

fn special_four(address: Ipv4Addr) -> Option<&'static str> {
    let within = |block: Ipv4Addr, length: u32| {
        (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
    };
    let found = FOUR
        .iter()
        .find(|(block, length, _)| within(*block, *length));
    found.map(|(_, _, what)| *what)
}

fn special_six(address: Ipv6Addr) -> Option<&'static str> {
    if address.to_ipv4_mapped().is_some() {
        return Some("a carrier of version 4");
    }
    let within = |block: Ipv6Addr, length: u32| {
        (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
    };
    let found = SIX
        .iter()
        .find(|(block, length, _)| within(*block, *length));
    let global = address.segments()[0] & 0xe000 == 0x2000;
    found
        .map(|(_, _, what)| *what)
        .or((!global).then_some("not global"))
}

/// Whether the address is one of this host's own; true when the host cannot be asked.
pub(crate) fn is_own(address: IpAddr) -> bool {
    let Ok(mut interfaces) = getifaddrs() else {
        return true;
    };
    interfaces.any(|interface| {
        let own = interface.address;
        let four = own.as_ref().and_then(|own| own.as_sockaddr_in());
        let six = own.as_ref().and_then(|own| own.as_sockaddr_in6());
        four.is_some_and(|own| IpAddr::V4(own.ip()) == address)
            || six.is_some_and(|own| IpAddr::V6(own.ip()) == address)
    })
}
