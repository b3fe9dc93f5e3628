//! One table of the plan's text, held against the rows of `keys`.
//!
//! [`Section::open`] reports every unknown key, wrong type, empty text and value out of range, once. The
//! getters then answer with what is right and stay silent about the rest, so nobody reports twice. The
//! cost: a value is looked at twice.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::keys::{Shape, Table};
use crate::problems::{At, Problems};
use crate::shapes::integer;
use crate::values;

/// A value of the text.
pub(crate) type Value<'d> = Spanned<DeValue<'d>>;

/// A table of the text whose shape was checked.
#[derive(Clone)]
pub(crate) struct Section<'d> {
    entries: &'d DeTable<'d>,
    /// The bytes of its header, to say that something is absent.
    pub(crate) header: Option<Range<usize>>,
    offset: usize,
    /// Known keys that unknown ones were probably meant to be; they count as given.
    misspelt: Vec<&'static str>,
}

impl<'d> Section<'d> {
    /// Checks `entries` against the rows of `table`. `offset` is added to every place in the text.
    pub(crate) fn open(
        table: Table,
        entries: &'d DeTable<'d>,
        header: Option<Range<usize>>,
        offset: usize,
        problems: &mut Problems,
    ) -> Self {
        let mut section = Self {
            entries,
            header,
            offset,
            misspelt: Vec::new(),
        };
        for (name, value) in entries {
            let place = section.moved(name.span());
            match table.key(name.get_ref()) {
                Some(key) => section.check(key, value, problems),
                None => {
                    let key = At::new(&**name.get_ref(), place);
                    section.misspelt.extend(problems.add_unknown(table, &key));
                }
            }
        }
        section.check_required(table, problems);
        section
    }

    /// Whether the key stands here, right, wrong or misspelt.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name) || self.misspelt.contains(&name)
    }

    /// The string of a key, if it is one with something in it.
    pub(crate) fn text(&self, name: &str) -> Option<At<&'d str>> {
        self.value(name).and_then(|v| self.filled(v))
    }

    /// The strings of a list, without those that were reported.
    pub(crate) fn texts(&self, name: &str) -> Vec<At<&'d str>> {
        let array = self.value(name).and_then(|v| v.get_ref().as_array());
        array
            .into_iter()
            .flatten()
            .filter_map(|v| self.filled(v))
            .collect()
    }

    /// The strings of a list, or the one string that stands for a list of one.
    pub(crate) fn texts_or_one(&self, name: &str) -> Vec<At<&'d str>> {
        self.text(name)
            .map_or_else(|| self.texts(name), |one| vec![one])
    }

    /// The strings of a table, without those that were reported, by name.
    pub(crate) fn map(&self, name: &str) -> Vec<(At<&'d str>, At<&'d str>)> {
        let table = self.value(name).and_then(|v| v.get_ref().as_table());
        let entries = table.into_iter().flatten();
        entries
            .filter_map(|(k, v)| {
                Some((
                    At::new(&**k.get_ref(), self.moved(k.span())),
                    At::new(v.get_ref().as_str()?, self.moved(v.span())),
                ))
            })
            .collect()
    }

    /// The number of a key, if it is in range.
    pub(crate) fn count(&self, table: Table, name: &str) -> Option<At<u32>> {
        let Shape::Count { least, most } = table.key(name)?.shape else {
            return None;
        };
        let value = self.value(name)?;
        let number = u32::try_from(integer(value.get_ref())?).ok()?;
        (least..=most)
            .contains(&number)
            .then(|| At::new(number, self.moved(value.span())))
    }

    /// The milliseconds of a duration, if it is in range.
    pub(crate) fn duration(&self, table: Table, name: &str) -> Option<u64> {
        let Shape::Duration { most } = table.key(name)?.shape else {
            return None;
        };
        values::duration(self.text(name)?.value).filter(|ms| (1..=most).contains(ms))
    }

    /// The bytes of a size, if it is in range.
    pub(crate) fn size(&self, table: Table, name: &str) -> Option<u64> {
        let Shape::Size { least, most } = table.key(name)?.shape else {
            return None;
        };
        values::size(self.text(name)?.value).filter(|bytes| (least..=most).contains(bytes))
    }

    /// The table of a key, checked.
    pub(crate) fn one(&self, name: &str, table: Table, problems: &mut Problems) -> Option<Self> {
        self.value(name)
            .and_then(|v| self.nested(v, table, problems))
    }

    /// The tables of an array, each checked.
    pub(crate) fn many(&self, name: &str, table: Table, problems: &mut Problems) -> Vec<Self> {
        let array = self.value(name).and_then(|v| v.get_ref().as_array());
        array
            .into_iter()
            .flatten()
            .filter_map(|v| self.nested(v, table, problems))
            .collect()
    }

    /// The tables of a table, each checked, with their names.
    pub(crate) fn named(
        &self,
        name: &str,
        table: Table,
        problems: &mut Problems,
    ) -> Vec<(At<&'d str>, Self)> {
        let outer = self.value(name).and_then(|v| v.get_ref().as_table());
        let mut inner = Vec::new();
        for (name, value) in outer.into_iter().flatten() {
            if let Some(section) = self.nested(value, table, problems) {
                inner.push((At::new(&**name.get_ref(), self.moved(name.span())), section));
            }
        }
        inner
    }

    /// Whether the key is a list with nothing in it.
    pub(crate) fn is_empty_list(&self, name: &str) -> bool {
        self.value(name)
            .and_then(|v| v.get_ref().as_array())
            .is_some_and(|a| a.is_empty())
    }

    /// How many values the list of a key has.
    pub(crate) fn length(&self, name: &str) -> usize {
        let array = self.value(name).and_then(|v| v.get_ref().as_array());
        array.map_or(0, |array| array.len())
    }

    /// The bytes of a key's value.
    pub(crate) fn place(&self, name: &str) -> Option<Range<usize>> {
        self.value(name).map(|v| self.moved(v.span()))
    }

    fn nested(&self, value: &'d Value<'d>, table: Table, problems: &mut Problems) -> Option<Self> {
        let header = Some(self.moved(value.span()));
        let entries = value.get_ref().as_table()?;
        Some(Self::open(table, entries, header, self.offset, problems))
    }

    fn value(&self, name: &str) -> Option<&'d Value<'d>> {
        self.entries.get(name)
    }

    pub(crate) fn moved(&self, span: Range<usize>) -> Range<usize> {
        span.start + self.offset..span.end + self.offset
    }

    fn filled(&self, value: &'d Value<'d>) -> Option<At<&'d str>> {
        let text = value.get_ref().as_str()?;
        let usable = !text.trim().is_empty() && !text.contains('\0');
        usable.then(|| At::new(text, self.moved(value.span())))
    }
}
