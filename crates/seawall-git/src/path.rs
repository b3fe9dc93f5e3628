//! What a path inside a repository may look like.
//!
//! The rules are those of git's `verify_path` and `fsck` with both protections on: no spelling of `.git` that any file
//! system could take for it. They are stricter than Linux needs, because what is committed here is checked out elsewhere.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::{Error, Result};

/// A path for a message: UTF-8 where it is, control characters escaped, so that a name cannot forge a line of output.
pub fn show(path: &[u8]) -> String {
    let mut shown = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c.is_control() {
                true => shown.extend(c.escape_default()),
                false => shown.push(c),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

pub(crate) fn show_all(paths: &[Vec<u8>]) -> String {
    let shown: Vec<_> = paths
        .iter()
        .map(|path| format!("`{}`", show(path)))
        .collect();
    shown.join(", ")
}

/// The bytes as a path of the file system.
pub(crate) fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// `dir/name`, or `name` at the root.
pub(crate) fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    match dir.is_empty() {
        true => name.to_vec(),
        false => [dir, b"/", name].concat(),
    }
}

/// The directory of a path, if it is not the root.
pub(crate) fn parent(path: &[u8]) -> Option<&[u8]> {
    path.iter()
        .rposition(|byte| *byte == b'/')
        .map(|slash| &path[..slash])
}

/// The last part of a path.
pub(crate) fn name_of(path: &[u8]) -> &[u8] {
    &path[parent(path).map_or(0, |above| above.len() + 1)..]
}

/// Every directory above a path, the nearest first, without the root.
pub(crate) fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(parent(path), |dir| parent(dir))
}

/// Refuses what cannot be the path of a file inside a repository.
pub(crate) fn check(path: &[u8]) -> Result<()> {
    let refuse = |why| {
        Err(Error::InvalidPath {
            path: path.to_vec(),
            why,
        })
    };
    if path.len() > LONGEST {
        return refuse("it is longer than 4000 bytes");
    }
    match path.split(|byte| *byte == b'/').find_map(why_bad_name) {
        Some(why) => refuse(why),
        None => Ok(()),
    }
}

/// The longest path, in bytes: below `PATH_MAX` (4096, see path_resolution(7)), with room for a file name.
pub(crate) const LONGEST: usize = 4000;

/// Why a name cannot be one component of a path, if it cannot.
pub(crate) fn why_bad_name(name: &[u8]) -> Option<&'static str> {
    match name {
        b"" => Some("it is empty, absolute, or has an empty part"),
        b"." | b".." => Some("it has a part `.` or `..`"),
        _ if name.contains(&0) => Some("it has a NUL byte"),
        _ if name.contains(&b'/') => Some("a name has a slash"),
        _ if is_dotgit(name) => Some("a part is a spelling of `.git`"),
        _ => None,
    }
}

/// True for each name that some file system takes for `.git`: any case, with code points that HFS+ ignores, with the
/// short name, trailing dots, blanks or a stream name of NTFS; also behind a backslash, as in git's `verify_path`.
pub(crate) fn is_dotgit(name: &[u8]) -> bool {
    name.split(|byte| *byte == b'\\')
        .any(|part| is_ntfs_dotgit(part) || is_hfs_dotgit(part))
}

fn is_ntfs_dotgit(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let rest = lower
        .strip_prefix(b".git")
        .or_else(|| lower.strip_prefix(b"git~1"));
    let Some(rest) = rest else { return false };
    let tail = rest.iter().position(|byte| !matches!(byte, b'.' | b' '));
    tail.is_none_or(|at| rest[at] == b':')
}

fn is_hfs_dotgit(name: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(name) else {
        return false;
    };
    let folded: String = text
        .chars()
        .filter(|c| !hfs_ignores(*c))
        .flat_map(char::to_lowercase)
        .collect();
    folded == ".git"
}

/// The code points that HFS+ leaves out of comparisons (`next_hfs_char` in git's utf8.c).
fn hfs_ignores(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_dotgit() {
        let bad = [
            ".git",
            ".GIT",
            ".Git",
            "git~1",
            "GIT~1",
            ".git.",
            ".git ",
            ".git . .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            ".g\u{200c}it",
            "\u{feff}.GIT",
            "a\\.git",
            "git~1...",
            ".g\u{206a}I\u{200d}t",
        ];
        let good = [
            ".gitignore",
            ".github",
            "git",
            ".git-x",
            "x.git",
            ".gitx",
            "git~2",
            "git~10",
            ". git",
            ".gi\u{301}t",
        ];
        for name in bad {
            assert!(is_dotgit(name.as_bytes()), "{name:?}");
        }
        for name in good {
            assert!(!is_dotgit(name.as_bytes()), "{name:?}");
        }
    }

    #[test]
    fn paths_are_relative_and_plain() {
        for good in [&b"a"[..], b"a/b", b"a b/\nc", b"\xff/\xfe", b"...", b"a\\b"] {
            assert!(check(good).is_ok(), "{}", show(good));
        }
        for bad in [
            &b""[..],
            b"/a",
            b"a/",
            b"a//b",
            b"./a",
            b"a/..",
            b"a\0b",
            b"x/.GIT/config",
            &[b'a'; LONGEST + 1],
        ] {
            assert!(check(bad).is_err(), "{}", show(bad));
        }
    }

    #[test]
    fn a_shown_name_stays_on_its_line() {
        assert_eq!(
            show(b"a\nb\x1b[31m\xff\xc3\xa9"),
            "a\\nb\\u{1b}[31m\\xff\u{e9}"
        );
    }
}
