//! A change most of which is layout: the lines differ in white space alone.
//!
//! Formatters do that honestly and tasks ask for it, so it is a note, which tells a reviewer where not to look.

use std::collections::{HashMap, HashSet};

use seawall_core::finding::Severity;

use super::look::{Found, Look, lines};

/// Changed lines below which nobody minds.
const LEAST: usize = 20;

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in &look.files {
        let Some((before, _)) = file.both() else {
            continue;
        };
        if file.added.len() < LEAST {
            continue;
        }
        let mut known: HashMap<Vec<u8>, u32> = HashMap::new();
        for (_, line) in lines(before) {
            *known.entry(squeezed(line)).or_default() += 1;
        }
        // What is unchanged is no layout: take it out first.
        let after = file.after.unwrap_or_default();
        let new: HashSet<u32> = file.added.iter().map(|(n, _)| *n).collect();
        for (_, line) in lines(after).filter(|(n, _)| !new.contains(n)) {
            take(&mut known, line);
        }
        let same = file
            .added
            .iter()
            .filter(|(_, line)| take(&mut known, line))
            .count();
        let all = file.added.len();
        if same * 10 >= all * 6 {
            let text = format!("{same} of {all} changed lines differ in white space alone");
            found.file(Severity::Note, file.path, text);
        }
    }
}

fn squeezed(line: &[u8]) -> Vec<u8> {
    line.iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect()
}

/// Takes one such line, if one is left.
fn take(known: &mut HashMap<Vec<u8>, u32>, line: &[u8]) -> bool {
    let left = known.get_mut(&squeezed(line)).filter(|left| **left > 0);
    left.is_some_and(|left| {
        *left -= 1;
        true
    })
}
