//! The word that was probably meant.
//!
//! Edit distance (a swap of neighbours counts as one edit), at most a third of the word's length: a
//! guess that is often wrong is worse than none.

/// The longest word, in bytes, that is compared; the cost grows with the product of two lengths.
const LONGEST: usize = 80;

/// The entry of `known` nearest to `word`, if one is near enough to be meant; the first of equals.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    known
        .filter(|k| k.len() <= LONGEST && length_apart(&word, k) <= allowed)
        .map(|k| (strsim::osa_distance(&word, &k.to_lowercase()), k))
        .filter(|&(edits, k)| edits <= allowed && edits < k.chars().count())
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, k)| k)
}

/// The edits that two words are apart by their lengths alone, at least.
fn length_apart(a: &str, b: &str) -> usize {
    a.chars().count().abs_diff(b.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant_and_nothing_else() {
        for (word, expected) in [
            ("type", Some("types")),
            ("tpyes", Some("types")),
            ("Types", Some("types")),
            ("exprots", Some("exports")),
            ("zebra", None),
            ("t", None),
            ("", None),
        ] {
            let known = ["types", "exports", "x"];
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
    }
}
