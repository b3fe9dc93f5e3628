//! The environment of a confined command: an allow-list, so that a secret in the caller's environment stays there.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::doors;
use crate::order::Order;
use crate::wire::Raw;

/// Variables that are taken from the caller.
pub(crate) const KEPT: &[&str] = &["PATH", "LANG", "LANGUAGE", "TERM", "TZ", "USER", "LOGNAME"];

/// The variables of the command but for `HOME` and `TMPDIR`, which only the launcher knows; later ones win.
pub(crate) fn of(order: &Order, toolchains: Vec<(OsString, OsString)>) -> Vec<(Raw, Raw)> {
    let caller = std::env::vars_os().filter(|(name, _)| is_kept(name));
    let shell = (OsString::from("SHELL"), OsString::from("/bin/sh"));
    let proxy = doors::variables(&order.network)
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()));
    let all = caller
        .chain([shell])
        .chain(toolchains)
        .chain(proxy)
        .chain(order.env.iter().cloned());
    all.map(|(name, value)| (Raw::new(&name), Raw::new(&value)))
        .collect()
}

fn is_kept(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"LC_") || KEPT.iter().any(|kept| name == *kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_harmless_is_kept() {
        for (name, kept) in [
            ("PATH", true),
            ("LC_ALL", true),
            ("AWS_SECRET_ACCESS_KEY", false),
            ("LD_PRELOAD", false),
            ("HOME", false),
        ] {
            assert_eq!(is_kept(OsStr::new(name)), kept, "{name}");
        }
    }
}
