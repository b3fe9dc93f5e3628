//! Names for harvests: where below `refs/seawall/` a harvest is kept.
//!
//! A task id such as `types:src/core.py` cannot stand in a ref, so every part is escaped. Because `/` is escaped too, the
//! number of parts alone decides the depth, and a ref can only get in the way of another if one label begins with the
//! other.

use std::fmt;

use sha1::{Digest, Sha1};

use crate::error::{Error, Result};
use crate::id::hex;

/// Everything that Seawall keeps alive lies below this ref.
pub(crate) const ROOT: &str = "refs/seawall/";

/// The longest part in bytes: a file name may have 255, and git puts `.lock` behind it.
const LONGEST: usize = 200;

/// The name of a harvest, for example made of run, task and attempt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// Makes a label of parts, the outermost first. Labels of different parts are different; labels that are used side
    /// by side must have the same number of parts.
    ///
    /// # Errors
    /// When there is no part, or an empty one.
    pub fn new(parts: &[&str]) -> Result<Self> {
        if parts.is_empty() || parts.iter().any(|part| part.is_empty()) {
            let name = parts.join("/");
            return Err(Error::RefusedRef {
                name,
                why: "a label has at least one part, and no empty one",
            });
        }
        let escaped: Vec<_> = parts.iter().map(|part| escape(part)).collect();
        Ok(Self(escaped.join("/")))
    }

    /// The full name of the ref.
    pub(crate) fn ref_name(&self) -> String {
        format!("{ROOT}{}", self.0)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Escapes all but letters, digits, `-` and `_` as `%XX`; too long a result ends in a hash instead.
fn escape(part: &str) -> String {
    let mut escaped = String::new();
    for byte in part.bytes() {
        match byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            true => escaped.push(char::from(byte)),
            false => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    if escaped.len() > LONGEST {
        let hex = hex(&Sha1::digest(part.as_bytes()));
        escaped.truncate(LONGEST - hex.len() - 1);
        escaped.push('.');
        escaped.push_str(&hex);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_a_ref() {
        let long = "x/".repeat(300);
        for part in [
            "plain",
            "types:src/core.py",
            "..",
            "a.lock",
            "-",
            "@{",
            "\u{e9}\n",
            "a b~^:?*[\\",
            &long,
        ] {
            let label = Label::new(&["run", part, "1"]).unwrap();
            assert!(git2::Reference::is_valid_name(&label.ref_name()), "{label}");
            assert!(label.0.split('/').all(|part| part.len() <= LONGEST));
            assert_eq!(label.0.split('/').count(), 3);
        }
    }

    #[test]
    fn different_parts_are_different_labels() {
        let label = |part: &str| Label::new(&[part]).unwrap();
        assert_ne!(label("a/b"), label("a%2Fb"));
        assert_ne!(label(&"x".repeat(300)), label(&"x".repeat(301)));
        assert!(Label::new(&[]).is_err());
        assert!(Label::new(&["a", ""]).is_err());
    }
}
