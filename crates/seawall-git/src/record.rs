//! What a harvest changed, written into the message of its commit.
//!
//! A harvest on a large directory is a large tree, and to find what it changed by comparing trees costs the names around the
//! change. So the commit says it itself, in the lines of `git diff-tree --raw`. The id of the commit vouches for them as it
//! does for its tree, and both are made of the same edits. A commit without such lines, or with lines that cannot be
//! understood, is compared.

use std::fmt::Write as _;

use git2::Oid;

use crate::edit::Edit;
use crate::path::check;
use crate::tree::{Leaf, Node, node};

/// What stands before the lines.
const MARK: &str = "\nSeawall-Changes: 1\n";

/// Harvests of more paths are compared, which then costs the same.
const MOST: usize = 1000;

/// The message of a harvest.
pub(crate) fn message(title: &str, edits: &[Edit]) -> String {
    let mut text = format!("{title}\n");
    if edits.len() > MOST {
        return text;
    }
    text.push_str(MARK);
    for edit in edits {
        let (mode, id) = (|leaf: &Leaf| leaf.mode, |leaf: &Leaf| leaf.id);
        let (from, to) = (edit.from.as_ref(), edit.to.as_ref());
        let [before, after] = [from, to].map(|leaf| leaf.map_or(0, mode));
        let [old, new] = [from, to].map(|leaf| leaf.map_or(Oid::ZERO_SHA1, id));
        let path = escape(&edit.path);
        // A String takes every write.
        let _ = writeln!(text, ":{before:06o} {after:06o} {old} {new} {path}");
    }
    text
}

/// The edits that a message names, if it names them.
pub(crate) fn edits(message: &[u8]) -> Option<Vec<Edit>> {
    let (_, lines) = str::from_utf8(message).ok()?.split_once(MARK)?;
    lines.lines().map(edit).collect()
}

fn edit(line: &str) -> Option<Edit> {
    let mut words = line.strip_prefix(':')?.split(' ');
    let mut next = || words.next();
    let (before, after, old, new) = (next()?, next()?, next()?, next()?);
    let path = unescape(next()?)?;
    let edit = Edit {
        from: leaf(before, old)?,
        to: leaf(after, new)?,
        path,
    };
    let whole = next().is_none() && check(&edit.path).is_ok() && edit.from != edit.to;
    whole.then_some(edit)
}

/// The inner option is nothing for what is not there.
fn leaf(mode: &str, id: &str) -> Option<Option<Leaf>> {
    let mode = i32::from_str_radix(mode, 8).ok()?;
    let id = Oid::from_str(id).ok().filter(|_| id.len() == 40)?;
    match (mode, node(mode, id)) {
        (0, _) if id.is_zero() => Some(None),
        (_, Some(Node::Leaf(leaf))) => Some(Some(leaf)),
        _ => None,
    }
}

/// Everything but visible ASCII as `%XX`.
fn escape(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path {
        match byte.is_ascii_graphic() && *byte != b'%' {
            true => text.push(char::from(*byte)),
            // A String takes every write.
            false => drop(write!(text, "%{byte:02X}")),
        }
    }
    text
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut pieces = text.split('%');
    let mut path = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        path.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        path.extend(piece.get(2..)?.as_bytes());
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(mode: i32, byte: u8) -> Option<Leaf> {
        let Some(Node::Leaf(leaf)) = node(mode, Oid::from_bytes(&[byte; 20]).unwrap()) else {
            panic!("{mode:o}");
        };
        Some(leaf)
    }

    #[test]
    fn a_message_says_what_was_written_into_it() {
        let paths: [&[u8]; 5] = [
            b"a",
            b"new\nline/ %41",
            b"\xff\xfe/\xe9",
            "\u{e9}:x".as_bytes(),
            b"Seawall-Changes: 1",
        ];
        let all = paths.iter().zip([
            (some(0o100_644, 1), some(0o100_755, 2)),
            (None, some(0o100_644, 3)),
            (some(0o120_000, 4), None),
            (some(0o100_664, 5), some(0o100_664, 6)),
            (some(0o160_000, 7), some(0o100_644, 8)),
        ]);
        let all: Vec<_> = all
            .map(|(path, (from, to))| Edit {
                path: path.to_vec(),
                from,
                to,
            })
            .collect();
        for upto in 0..=all.len() {
            let text = message("harvest x", &all[..upto]);
            assert_eq!(edits(text.as_bytes()).unwrap(), all[..upto]);
        }
        let many = vec![all[0].clone(); MOST + 1];
        assert_eq!(edits(message("harvest x", &many).as_bytes()), None);
    }

    #[test]
    fn what_cannot_be_understood_is_not_taken() {
        let good = message(
            "t",
            &[Edit {
                path: b"a/b".to_vec(),
                from: None,
                to: some(0o100_644, 1),
            }],
        );
        assert!(edits(good.as_bytes()).is_some());
        for (old, new) in [
            (MARK, "\nSeawall-Changes: 2\n"),
            ("a/b", "a/../b"),
            ("a/b", "a/%4"),
            ("a/b", "a/%zz"),
            ("a/b", "a b"),
            ("a/b", ""),
            ("100644", "040000"),
            ("100644", "000000"),
            (":", ""),
            ("0101", "01"),
        ] {
            let bad = good.replacen(old, new, 1);
            assert_ne!(bad, good);
            assert_eq!(edits(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(edits(b"\xff"), None);
    }
}
