//! Hunks of one shape, folded: of thirty files that were changed alike, a person reads one.
//!
//! A hunk here is a run of removed and added lines. Its shape is what of it differs word by word, with names, numbers and
//! texts blanked (see `tokens`), so that one rename is one shape whatever stands around it; a hunk that is made of what
//! other hunks are made of alone is no shape of its own and counts for each of theirs. Shapes hide what was blanked; each
//! therefore says how many different texts it stands for, and one text means alike to the letter. The cost is a table of
//! the words of a hunk before and after; larger hunks are compared as a whole.

mod tokens;

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;

use seawall_core::ids::Digest;

use tokens::{Names, Token, tokens};

/// Words before times words after, up to which two sides of a hunk are compared word by word.
const FINE: usize = 250_000;
/// Lines of an example.
const LINES: usize = 8;
/// Characters of a line of an example.
const WIDE: usize = 400;

/// The hunks of all accepted changes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Shapes {
    /// Files with a hunk.
    pub files: usize,
    /// Hunks.
    pub hunks: usize,
    /// What they are, the most frequent first.
    pub shapes: Vec<Shape>,
    /// Changes that were too large to be read whole, by task.
    pub cut: Vec<String>,
}

/// Hunks of one shape.
#[derive(Clone, Debug, Serialize)]
pub struct Shape {
    /// How many.
    pub hunks: usize,
    /// In how many files.
    pub files: usize,
    /// Of how many tasks.
    pub tasks: usize,
    /// How many different texts they are; with 1 they are alike to the letter.
    pub texts: usize,
    /// The first of them.
    pub example: Example,
}

/// A hunk as it stands in a file.
#[derive(Clone, Debug, Serialize)]
pub struct Example {
    /// The task.
    pub task: String,
    /// The file, as git shows it.
    pub path: String,
    /// Its first lines, each with its sign.
    pub lines: Vec<String>,
    /// How many lines there are besides.
    pub more: usize,
}

/// Collects hunks.
#[derive(Debug, Default)]
pub struct Folding {
    files: HashSet<String>,
    hunks: usize,
    /// By what they are made of.
    kinds: HashMap<BTreeSet<Digest>, Kind>,
    cut: Vec<String>,
}

#[derive(Debug)]
struct Kind {
    first: usize,
    hunks: usize,
    files: HashSet<String>,
    tasks: HashSet<String>,
    texts: HashSet<Digest>,
    example: Example,
}

impl Folding {
    /// Adds the unified difference that a task made.
    pub fn add(&mut self, task: &str, diff: &str) {
        let (mut path, mut left) = (String::new(), (0_u64, 0_u64));
        let (mut minus, mut plus) = (Vec::new(), Vec::new());
        for line in diff.lines() {
            if left == (0, 0) {
                self.hunk(task, &path, &mut minus, &mut plus);
                match () {
                    () if line.starts_with("@@ ") => left = lengths(line),
                    () if line.starts_with("diff --git ") => path.clear(),
                    () if line.starts_with("[cut after ") => self.cut.push(task.to_owned()),
                    () => path = named(line).unwrap_or(path),
                }
                continue;
            }
            match line.split_at_checked(1) {
                Some(("-", text)) => {
                    if !plus.is_empty() {
                        self.hunk(task, &path, &mut minus, &mut plus);
                    }
                    minus.push(text);
                    left.0 = left.0.saturating_sub(1);
                }
                Some(("+", text)) => {
                    plus.push(text);
                    left.1 = left.1.saturating_sub(1);
                }
                Some(("\\", _)) => {}
                _ => {
                    self.hunk(task, &path, &mut minus, &mut plus);
                    left = (left.0.saturating_sub(1), left.1.saturating_sub(1));
                }
            }
        }
        self.hunk(task, &path, &mut minus, &mut plus);
    }

    fn hunk<'t>(
        &mut self,
        task: &str,
        path: &str,
        minus: &mut Vec<&'t str>,
        plus: &mut Vec<&'t str>,
    ) {
        let (minus, plus) = (std::mem::take(minus), std::mem::take(plus));
        if minus.is_empty() && plus.is_empty() {
            return;
        }
        let (shape, text) = shape(&minus, &plus);
        self.hunks += 1;
        self.files.insert(path.to_owned());
        let first = self.kinds.len();
        let kind = self.kinds.entry(shape).or_insert_with(|| Kind {
            first,
            hunks: 0,
            files: HashSet::new(),
            tasks: HashSet::new(),
            texts: HashSet::new(),
            example: example(task, path, &minus, &plus),
        });
        kind.hunks += 1;
        kind.files.insert(path.to_owned());
        kind.tasks.insert(task.to_owned());
        kind.texts.insert(text);
    }

    /// What they come to.
    #[must_use]
    pub fn finish(self) -> Shapes {
        let mut kinds = taken_apart(self.kinds);
        kinds.sort_by_key(|kind| (std::cmp::Reverse(kind.hunks), kind.first));
        let of = |kind: Kind| Shape {
            hunks: kind.hunks,
            files: kind.files.len(),
            tasks: kind.tasks.len(),
            texts: kind.texts.len(),
            example: kind.example,
        };
        Shapes {
            files: self.files.len(),
            hunks: self.hunks,
            shapes: kinds.into_iter().map(of).collect(),
            cut: self.cut,
        }
    }
}

/// Kinds, without those that are made of smaller ones.
fn taken_apart(kinds: HashMap<BTreeSet<Digest>, Kind>) -> Vec<Kind> {
    let mut all: Vec<_> = kinds.into_iter().collect();
    all.sort_by_key(|(parts, kind)| (parts.len(), kind.first));
    let mut kept: Vec<(BTreeSet<Digest>, Kind)> = Vec::new();
    // Which kinds a part is in.
    let mut holders: HashMap<Digest, Vec<usize>> = HashMap::new();
    for (parts, kind) in all {
        let near = parts.iter().filter_map(|part| holders.get(part)).flatten();
        let near: BTreeSet<usize> = near.copied().collect();
        let smaller: Vec<_> = near
            .into_iter()
            .filter(|n| kept[*n].0.is_subset(&parts))
            .collect();
        let together: BTreeSet<_> = smaller.iter().flat_map(|n| kept[*n].0.iter()).collect();
        if together.len() == parts.len() {
            smaller.into_iter().for_each(|n| kept[n].1.take_in(&kind));
            continue;
        }
        for part in &parts {
            holders.entry(part.clone()).or_default().push(kept.len());
        }
        kept.push((parts, kind));
    }
    kept.into_iter().map(|(_, kind)| kind).collect()
}

impl Kind {
    /// Counts the hunks of another kind as well, which are made of this one and more.
    fn take_in(&mut self, other: &Self) {
        self.hunks += other.hunks;
        self.files.extend(other.files.iter().cloned());
        self.tasks.extend(other.tasks.iter().cloned());
        self.texts.extend(other.texts.iter().cloned());
    }
}

/// `@@ -12,3 +12,4 @@`: how many lines a hunk has before and after.
fn lengths(line: &str) -> (u64, u64) {
    let mut parts = line.split(' ').skip(1);
    let mut length = |sign: char| {
        let range = parts.next()?.strip_prefix(sign)?;
        range
            .split_once(',')
            .map_or(Some(1), |(_, n)| n.parse().ok())
    };
    (length('-').unwrap_or(0), length('+').unwrap_or(0))
}

/// The file that a line of a difference's head names.
fn named(line: &str) -> Option<String> {
    let name = line
        .strip_prefix("+++ ")
        .or_else(|| line.strip_prefix("--- "))?;
    let name = name.trim_end_matches('\t');
    let quoted = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    let name = quoted.unwrap_or(name);
    name.strip_prefix("b/")
        .or_else(|| name.strip_prefix("a/"))
        .map(str::to_owned)
}

fn example(task: &str, path: &str, minus: &[&str], plus: &[&str]) -> Example {
    let signed = |sign: char| {
        move |line: &&str| format!("{sign}{}", line.chars().take(WIDE).collect::<String>())
    };
    let half = LINES / 2;
    let minus_shown = LINES.saturating_sub(plus.len()).max(half).min(minus.len());
    let plus_shown = (LINES - minus_shown).min(plus.len());
    let lines = minus.iter().take(minus_shown).map(signed('-'));
    Example {
        task: task.to_owned(),
        path: path.to_owned(),
        lines: lines
            .chain(plus.iter().take(plus_shown).map(signed('+')))
            .collect(),
        more: minus.len() + plus.len() - minus_shown - plus_shown,
    }
}

/// What a hunk is made of, without its names, numbers and texts; and the digest of it with them.
fn shape(minus: &[&str], plus: &[&str]) -> (BTreeSet<Digest>, Digest) {
    let before: Vec<_> = minus.iter().flat_map(|line| tokens(line)).collect();
    let after: Vec<_> = plus.iter().flat_map(|line| tokens(line)).collect();
    let (mut blanked, mut exact) = (BTreeSet::new(), BTreeSet::new());
    for (gone, came) in edits(&before, &after) {
        let mut names = Names::default();
        let mut text = String::new();
        names.blank(gone, &mut text);
        text.push_str("→ ");
        names.blank(came, &mut text);
        blanked.insert(Digest::of(text.as_bytes()));
        exact.insert(format!("{} → {}", joined(gone), joined(came)));
    }
    if blanked.is_empty() {
        // Nothing but space: lines that came or went empty, or that moved sideways.
        let kind = format!("space {} {}", minus.is_empty(), plus.is_empty());
        blanked.insert(Digest::of(kind.as_bytes()));
    }
    (blanked, digest(&exact))
}

fn joined(words: &[Token<'_>]) -> String {
    words
        .iter()
        .map(|word| word.text)
        .collect::<Vec<_>>()
        .join(" ")
}

fn digest(parts: &BTreeSet<String>) -> Digest {
    let all: Vec<_> = parts.iter().map(String::as_str).collect();
    Digest::of(all.join("\n").as_bytes())
}

/// A run of words that went, and the run that came in its place.
type Change<'w, 't> = (&'w [Token<'t>], &'w [Token<'t>]);

/// The places where two runs of words differ.
fn edits<'w, 't>(before: &'w [Token<'t>], after: &'w [Token<'t>]) -> Vec<Change<'w, 't>> {
    let same = |(one, other): &(&Token<'t>, &Token<'t>)| one == other;
    let head = before.iter().zip(after).take_while(same).count();
    let (before, after) = (&before[head..], &after[head..]);
    let tail = before.iter().rev().zip(after.iter().rev());
    let tail = tail.take_while(same).count();
    let before = &before[..before.len() - tail];
    let after = &after[..after.len() - tail];
    match (before.len(), after.len()) {
        (0, 0) => Vec::new(),
        (n, m) if n == 0 || m == 0 || n.saturating_mul(m) > FINE => vec![(before, after)],
        _ => apart(before, after),
    }
}

/// The longest common subsequence, and what lies between.
fn apart<'w, 't>(before: &'w [Token<'t>], after: &'w [Token<'t>]) -> Vec<Change<'w, 't>> {
    let width = after.len() + 1;
    let mut longest = vec![0_u32; (before.len() + 1) * width];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            longest[i * width + j] = match before[i] == after[j] {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j, mut from) = (0, 0, (0, 0));
    let mut found = Vec::new();
    while i < before.len() && j < after.len() {
        if before[i] == after[j] {
            if from != (i, j) {
                found.push((&before[from.0..i], &after[from.1..j]));
            }
            (i, j) = (i + 1, j + 1);
            from = (i, j);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    if from != (before.len(), after.len()) {
        found.push((&before[from.0..], &after[from.1..]));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(changes: &[(&str, &str)]) -> Shapes {
        let mut folding = Folding::default();
        for (n, (before, after)) in changes.iter().enumerate() {
            let side = |sign: char, text: &str| -> String {
                text.lines().map(|line| format!("{sign}{line}\n")).collect()
            };
            let (b, a) = (before.lines().count(), after.lines().count());
            folding.add(
                "t",
                &format!(
                    "diff --git a/f{n} b/f{n}\nindex 1..2 100644\n--- a/f{n}\n+++ b/f{n}\n@@ -1,{b} +1,{a} @@ fn f()\n{}{}",
                    side('-', before),
                    side('+', after)
                ),
            );
        }
        folding.finish()
    }

    fn counts(changes: &[(&str, &str)]) -> Vec<(usize, usize)> {
        let shapes = folded(changes).shapes;
        shapes
            .iter()
            .map(|shape| (shape.hunks, shape.texts))
            .collect()
    }

    #[test]
    fn one_rename_is_one_shape_wherever_it_stands() {
        let changes = [
            (
                "def f(a: List[int]) -> None:",
                "def f(a: list[int]) -> None:",
            ),
            ("    x: List[str] = []", "    x: list[str] = []"),
            ("g(List, 1, List)", "g(list, 1, list)"),
            ("y: Dict[str, int]", "y: dict[str, int]"),
        ];
        assert_eq!(counts(&changes), [(4, 2)]);
    }

    #[test]
    fn a_hunk_that_is_made_of_known_ones_is_no_shape_of_its_own() {
        let changes = [
            ("x = `a`", "x = $(a)"),
            ("y = `b` + f(1)", "y = $(b) + f(2)"),
            ("z = f(3)", "z = f(4)"),
        ];
        assert_eq!(counts(&changes), [(2, 2), (2, 2)]);
    }

    #[test]
    fn what_does_something_else_is_a_shape_of_its_own() {
        let changes = [
            ("x = f(y)", "x = g(y)"),
            ("x = f(y)", "x = f(y, y)"),
            ("x = f(y)", "return f(y)"),
            ("ok = check(x)", "ok = True"),
            ("", "import os"),
            ("import os", ""),
            ("  x", "      x"),
        ];
        assert_eq!(counts(&changes).len(), changes.len());
    }

    #[test]
    fn lines_of_a_hunk_are_counted_so_content_cannot_end_it() {
        let shapes = folded(&[("-- a/evil\n@@ -1 +1 @@\ndiff --git", "++ b/evil")]);
        assert_eq!((shapes.files, shapes.hunks), (1, 1));
        assert_eq!(shapes.shapes[0].example.path, "f0");
        assert_eq!(shapes.shapes[0].example.lines.len(), 4);
    }

    #[test]
    fn a_large_hunk_is_compared_as_a_whole_and_quickly() {
        let long = |word: &str| format!("{word}\n").repeat(5000);
        let shapes = folded(&[(&long("a(b)"), &long("c[d]"))]);
        assert_eq!(shapes.shapes[0].example.more, 10_000 - LINES);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_folded(text in "(\\PC|[-+@ \\n\"'\\\\]){0,200}") {
            let mut folding = Folding::default();
            folding.add("t", &text);
            folding.add("t", &format!("@@ -1,9 +1,9 @@\n{text}"));
            let shapes = folding.finish();
            proptest::prop_assert!(shapes.shapes.len() <= shapes.hunks);
        }
    }
}
