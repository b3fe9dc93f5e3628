//! Paths inside a repository: relative, `/`-separated, and bytes.
//!
//! Git does not require names to be text, so neither do we. A [`RepoPath`] is checked once, when it
//! is made, and safe to join to a directory from then on. It is shown, and written into journal and
//! plan, in one reversible escaped form; that costs an escape of `\` in names that contain one.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path inside a repository, as git stores it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Arc<[u8]>);

/// Why some bytes are not a path inside a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing, or an empty component (`a//b`, `a/`).
    #[error("has an empty component")]
    Empty,
    /// Begins with `/`.
    #[error("is absolute")]
    Absolute,
    /// Has a `.` or `..` component.
    #[error("leaves the repository or is not in its shortest form")]
    Dots,
    /// Contains a NUL byte.
    #[error("contains a NUL byte")]
    Nul,
    /// Has a component that git or a file system may take for `.git`.
    #[error("is inside a git directory")]
    GitDir,
}

impl RepoPath {
    /// Checks `bytes` and makes a path of them.
    ///
    /// # Errors
    /// Says which rule of a repository's paths is broken.
    pub fn new(bytes: &[u8]) -> Result<Self, PathError> {
        if bytes.first() == Some(&b'/') {
            return Err(PathError::Absolute);
        }
        if bytes.contains(&0) {
            return Err(PathError::Nul);
        }
        for component in bytes.split(|&b| b == b'/') {
            check_component(component)?;
        }
        Ok(Self(bytes.into()))
    }

    /// The bytes as git stores them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads the form that [`fmt::Display`] writes.
    ///
    /// # Errors
    /// As [`RepoPath::new`]; a broken escape is taken literally.
    pub fn unescape(text: &str) -> Result<Self, PathError> {
        Self::new(&unescape(text))
    }
}

fn check_component(component: &[u8]) -> Result<(), PathError> {
    match component {
        b"" => Err(PathError::Empty),
        b"." | b".." => Err(PathError::Dots),
        _ if is_git_dir(component) => Err(PathError::GitDir),
        _ => Ok(()),
    }
}

/// Whether a file system that folds case, drops trailing dots and spaces (NTFS) or ignores certain
/// code points (HFS+) would take `component` for `.git`; the list is that of git's `verify_path`.
fn is_git_dir(component: &[u8]) -> bool {
    let visible: String = String::from_utf8_lossy(component)
        .chars()
        .filter(|c| !matches!(*c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'))
        .collect();
    let lower = visible.to_ascii_lowercase();
    let stem = lower.split(':').next().unwrap_or_default();
    matches!(stem.trim_end_matches(['.', ' ']), ".git" | "git~1")
}

impl Borrow<[u8]> for RepoPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(&self.0, f)
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::unescape(&text)
            .map_err(|e| serde::de::Error::custom(format_args!("path `{text}` {e}")))
    }
}

/// Writes bytes so that a terminal and a JSON string can carry them and [`unescape`] gives them back:
/// text as it is, `\\` for a backslash, `\xNN` for control characters and for what is not UTF-8.
pub fn escape(bytes: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.write_str("\\\\")?,
                c if is_unprintable(c) => {
                    let mut buffer = [0; 4];
                    for b in c.encode_utf8(&mut buffer).bytes() {
                        write!(out, "\\x{b:02x}")?;
                    }
                }
                c => out.write_char(c)?,
            }
        }
        for b in chunk.invalid() {
            write!(out, "\\x{b:02x}")?;
        }
    }
    Ok(())
}

/// Control characters, and the invisible ones that reorder or hide text on a terminal.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The inverse of [`escape`].
#[must_use]
pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, used) = match (first, tail) {
            (b'\\', [b'\\', ..]) => (b'\\', 2),
            (b'\\', [b'x', high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (b'\\', 1),
            },
            _ => (first, 1),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_inside_a_repository() {
        for (bytes, error) in [
            (&b""[..], PathError::Empty),
            (b"a//b", PathError::Empty),
            (b"a/", PathError::Empty),
            (b"/etc/passwd", PathError::Absolute),
            (b"../a", PathError::Dots),
            (b"a/./b", PathError::Dots),
            (b"a\0b", PathError::Nul),
            (b".git/config", PathError::GitDir),
            (b"a/.GIT/hooks/x", PathError::GitDir),
            (b".git. /x", PathError::GitDir),
            (b"GIT~1/config", PathError::GitDir),
            (b".git::$INDEX_ALLOCATION/x", PathError::GitDir),
            (".g\u{200c}it/x".as_bytes(), PathError::GitDir),
        ] {
            assert_eq!(RepoPath::new(bytes), Err(error), "{:?}", bytes);
        }
        for fine in [
            &b"a"[..],
            b".gitignore",
            b"src/.github/x",
            b"a b\n\xff/c",
            b"git/x",
        ] {
            assert!(RepoPath::new(fine).is_ok(), "{fine:?}");
        }
    }

    #[test]
    fn the_shown_form_is_reversible_and_safe_for_a_terminal() {
        for bytes in [
            &b"plain/path.rs"[..],
            b"back\\slash",
            b"\\x41",
            b"new\nline\x1b[31m",
            b"\xff\xfe",
            "ü/\u{202e}x".as_bytes(),
        ] {
            let path = RepoPath::new(bytes).unwrap();
            let shown = path.to_string();
            assert!(!shown.chars().any(is_unprintable), "{shown:?}");
            assert_eq!(RepoPath::unescape(&shown).unwrap(), path, "{shown}");
        }
        assert_eq!(
            RepoPath::new(b"plain/path.rs").unwrap().to_string(),
            "plain/path.rs"
        );
    }
}
