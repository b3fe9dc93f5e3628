//! The small identities that everything else refers to.
//!
//! Each is its own type, so that a task is never taken for an attempt or a tree for a commit. Object
//! ids are kept as the text that git prints; the core only compares them.

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A task's place in its plan, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskIx(pub u32);

impl TaskIx {
    /// The place as an index into the plan's tasks.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The number of an attempt, unique in its run and never reused: the fence against a ghost of an
/// earlier attempt. The first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptNo(pub u32);

impl fmt::Display for AttemptNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a wave, from 1. Wave 0 is the base before any work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WaveNo(pub u32);

impl fmt::Display for WaveNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Arc<str>);

        impl $name {
            /// The first eight digits, for people.
            #[must_use]
            pub fn short(&self) -> &str {
                self.0.get(..8).unwrap_or(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(hex: &str) -> Self {
                Self(hex.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

object_id! {
    /// The id of a git commit, in hexadecimal.
    Commit
}
object_id! {
    /// The id of a git tree, in hexadecimal.
    Tree
}
object_id! {
    /// A SHA-256, in hexadecimal.
    Digest
}

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)).into())
    }
}

/// Makes the [`Digest`] of what is too large to hold at once, piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Digester(Sha256);

impl Digester {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        let text = hex(&self.0.finalize());
        match *text == *NOTHING.0 {
            true => NOTHING.clone(),
            false => Digest(text.into()),
        }
    }
}

/// The digest of nothing, which is all that most checks print: a run of ten thousand tasks keeps it once.
static NOTHING: LazyLock<Digest> = LazyLock::new(|| Digest::of(b""));

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes every write
        text
    })
}
