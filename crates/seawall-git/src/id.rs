//! Ids of git objects, as text with a type.
//!
//! They travel through journals and events, so they are plain text outside of this crate; the type keeps a tree from
//! being taken for a commit. Only SHA-1 repositories are supported (libgit2 1.9 opens no others).

use std::fmt;
use std::str::FromStr;

use git2::Oid;

use crate::error::{Error, Result};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The id as 40 lower-case hexadecimal digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub(crate) fn from_oid(oid: Oid) -> Self {
                Self(oid.to_string())
            }

            pub(crate) fn oid(&self) -> Oid {
                Oid::from_str(&self.0).expect("an id is checked when it is made")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// Takes a full id of 40 hexadecimal digits; that such an object exists is not checked.
            fn from_str(text: &str) -> Result<Self> {
                checked(text).map(Self)
            }
        }
    };
}

id! {
    /// The id of a commit.
    CommitId
}
id! {
    /// The id of a tree: equal ids are equal contents, down to the last file.
    TreeId
}
id! {
    /// The id of a file's content, of a symlink's target, or of the commit of a submodule.
    BlobId
}

fn checked(text: &str) -> Result<String> {
    let full = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match full {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(Error::InvalidId(text.to_owned())),
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_ids_are_taken() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(full.parse::<CommitId>().unwrap().as_str(), full);
        assert_eq!(
            full.to_uppercase().parse::<TreeId>().unwrap().as_str(),
            full
        );
        for bad in [
            "",
            "HEAD",
            "0123",
            &full[1..],
            &format!("{full}0"),
            &full.replace('0', "g"),
        ] {
            assert!(bad.parse::<CommitId>().is_err(), "{bad:?}");
        }
    }
}
