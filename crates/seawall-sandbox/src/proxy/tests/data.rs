//! Places, policies and addresses, by example.

use std::net::{IpAddr, SocketAddr};

use crate::proxy::address::{is_own, special};
use crate::proxy::authority::Authority;
use crate::proxy::policy::{MOST_FORWARDS, Policy};

fn place(text: &str) -> Authority {
    Authority::parse(text).unwrap()
}

#[test]
fn a_place_has_one_form() {
    for (text, form) in [
        ("api.example.org:443", "api.example.org:443"),
        ("API.Example.ORG.:443", "api.example.org:443"),
        ("xn--bcher-kva.example:80", "xn--bcher-kva.example:80"),
        ("under_score.example:1", "under_score.example:1"),
        ("localhost:65535", "localhost:65535"),
        ("192.0.2.7:80", "192.0.2.7:80"),
        ("[2001:DB8:0::1]:443", "[2001:db8::1]:443"),
        ("[::ffff:127.0.0.1]:443", "[::ffff:127.0.0.1]:443"),
        ("a-1.b2:8080", "a-1.b2:8080"),
    ] {
        assert_eq!(place(text).to_string(), form);
        assert_eq!(place(&place(text).to_string()), place(text));
    }
}

#[test]
fn what_is_no_place() {
    let long = format!("{}:1", "a".repeat(64));
    let longer = format!("{}:1", "a.".repeat(130));
    for (text, why) in [
        ("", "no port"),
        ("example.org", "no port"),
        ("example.org:", "number from 1"),
        ("example.org:0", "number from 1"),
        ("example.org:0443", "number from 1"),
        ("example.org:+443", "number from 1"),
        ("example.org:65536", "number from 1"),
        ("example.org:443 ", "number from 1"),
        (":443", "empty"),
        (".:443", "empty"),
        ("a..b:443", "part of the host"),
        (".a:443", "part of the host"),
        ("a..:443", "part of the host"),
        (long.as_str(), "part of the host"),
        (longer.as_str(), "longer than"),
        ("b\u{fc}cher.example:443", "xn--"),
        ("exa mple.org:443", "character"),
        ("user@example.org:443", "character"),
        ("example.org/x:443", "character"),
        ("ex%61mple.org:443", "character"),
        ("a\0b:443", "character"),
        ("127.1:80", "ends like a number"),
        ("2130706433:80", "ends like a number"),
        ("0x7f000001:80", "ends like a number"),
        ("0x7f.1:80", "ends like a number"),
        ("0177.0.0.1:80", "ends like a number"),
        ("127.0.0.0x1:80", "ends like a number"),
        ("1.2.3.4.5:80", "ends like a number"),
        ("256.1.1.1:80", "ends like a number"),
        ("example.1:80", "ends like a number"),
        ("::1:80", "brackets"),
        ("[::1:80", "brackets"),
        ("[::1]80", "brackets"),
        ("[::1%lo]:80", "brackets"),
        ("[127.0.0.1]:80", "brackets"),
        ("[::1]:8:0", "brackets"),
        ("a:b:80", "brackets"),
    ] {
        let error = Authority::parse(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn a_policy_names_what_it_names() {
    let hosts = [
        "api.anthropic.com:443",
        "*.Example.org:443",
        "127.0.0.1:8080",
        "[::1]:9",
    ];
    let policy = Policy::new(hosts, [(8080, "127.0.0.1:11434")]).unwrap();
    for (asked, named) in [
        ("api.anthropic.com:443", true),
        ("API.anthropic.com.:443", true),
        ("api.anthropic.com:80", false),
        ("x.api.anthropic.com:443", false),
        ("anthropic.com:443", false),
        ("evilapi.anthropic.com:443", false),
        ("api.anthropic.com.evil.org:443", false),
        ("a.example.org:443", true),
        ("a.b.example.org:443", true),
        ("example.org:443", false),
        ("notexample.org:443", false),
        ("a.example.org:444", false),
        ("127.0.0.1:8080", true),
        ("127.0.0.1:8081", false),
        ("127.0.0.2:8080", false),
        ("[::ffff:127.0.0.1]:8080", false),
        ("localhost:8080", false),
        ("[0:0:0:0:0:0:0:1]:9", true),
        // A place that a port is mapped to is reached by that port alone.
        ("127.0.0.1:11434", false),
    ] {
        assert_eq!(policy.names(&place(asked)), named, "{asked}");
    }
    assert_eq!(policy.ports().collect::<Vec<_>>(), [3128, 8080]);
    for (address, named) in [
        ("127.0.0.1:8080", true),
        ("127.0.0.1:11434", true),
        ("127.0.0.1:9", false),
        ("[::1]:9", true),
    ] {
        let address: SocketAddr = address.parse().unwrap();
        assert_eq!(policy.names_address(address), named, "{address}");
    }
}

#[test]
fn nothing_is_named_by_default() {
    let policy = Policy::default();
    assert!(policy.is_empty() && policy.ports().next().is_none());
    assert!(!policy.names(&place("example.org:443")));
}

#[test]
fn mistakes_in_hosts_are_told() {
    for (entry, why) in [
        (
            "api.anthropic.com",
            "`api.anthropic.com` is no host that can be named: it has no port; write `host:port`",
        ),
        ("https://api.anthropic.com:443", "brackets"),
        ("*:443", "first part"),
        ("*.*.org:443", "first part"),
        ("a.*.org:443", "first part"),
        ("a*.example.org:443", "first part"),
        ("*.org:443", "top-level"),
        ("*.example.org", "no port"),
        ("*.example.org:*", "number from 1"),
        ("*.0.0.1:443", "ends like a number"),
        ("*.127.0.0.1:443", "part of an address"),
        ("*.[::1]:443", "brackets"),
    ] {
        let error = Policy::new([entry], []).unwrap_err().to_string();
        assert!(error.contains(why), "{entry}: {error}");
    }
}

#[test]
fn mistakes_in_mapped_ports_are_told() {
    for (entries, why) in [
        (vec![(3128, "a.b:1")], "the proxy listens there"),
        (vec![(0, "a.b:1")], "port 0"),
        (
            vec![(80, "a.b")],
            "`80 = a.b` is no port that can be mapped: it has no port",
        ),
        (vec![(80, "*.a.b:1")], "character"),
        (vec![(80, "a.b:1"), (80, "a.b:2")], "twice"),
    ] {
        let error = Policy::new([], entries).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let many = (1..=MOST_FORWARDS as u16 + 1).map(|port| (port, "a.b:1"));
    assert!(
        Policy::new([], many)
            .unwrap_err()
            .to_string()
            .contains("more than")
    );
}

#[test]
fn special_addresses_are_known() {
    for (address, what) in [
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.255.255.255", "private"),
        ("11.0.0.0", ""),
        ("100.63.255.255", ""),
        ("100.64.0.1", "carrier"),
        ("100.127.255.255", "carrier"),
        ("100.128.0.0", ""),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("169.254.169.254", "metadata"),
        ("169.254.1.1", "link-local"),
        ("168.63.129.16", "metadata"),
        ("172.15.255.255", ""),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", ""),
        ("192.0.0.192", "reserved"),
        ("192.168.1.1", "private"),
        ("198.19.0.1", "benchmarks"),
        ("224.0.0.251", "multicast"),
        ("239.255.255.250", "multicast"),
        ("255.255.255.255", "reserved"),
        ("8.8.8.8", ""),
        ("160.79.104.10", ""),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::ffff:8.8.8.8", "version 4"),
        ("::ffff:127.0.0.1", "version 4"),
        ("::127.0.0.1", "not global"),
        ("64:ff9b::7f00:1", "not global"),
        ("64:ff9b:1::1", "not global"),
        ("100::1", "not global"),
        ("2001::1", "reserved"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "version 4"),
        ("fd00:ec2::254", "metadata"),
        ("fc00::1", "private"),
        ("fe80::1", "link-local"),
        ("fec0::1", "not global"),
        ("ff02::1", "multicast"),
        ("2607:6bc0::10", ""),
        ("2a00:1450:4001::200e", ""),
    ] {
        let found = special(address.parse::<IpAddr>().unwrap()).unwrap_or("");
        assert_eq!(found.is_empty(), what.is_empty(), "{address}: {found}");
        assert!(found.contains(what), "{address}: {found}");
    }
}

#[test]
fn the_addresses_of_this_host_are_known() {
    assert!(is_own("127.0.0.1".parse().unwrap()));
    assert!(!is_own("192.0.2.77".parse().unwrap()));
}
