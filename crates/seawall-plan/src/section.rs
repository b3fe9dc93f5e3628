//! One table of the plan's text, held against the rows of `keys`.
//!
//! [`Section::open`] reports every unknown key, wrong type, empty text and value out of range, once. The
//! getters then answer with what is right and stay silent about the rest, so nobody reports twice. The
//! cost: a value is looked at twice.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::keys::{Key, Shape, Table};
use crate::problems::{At, Problems, error, list, shown};
use crate::values;

type Value<'d> = Spanned<DeValue<'d>>;

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
                None => section.misspelt.extend(problems.add_unknown(
                    table,
                    At {
                        value: name.get_ref(),
                        span: place,
                    },
                )),
            }
        }
        for key in table.keys().filter(|k| k.required && !k.shape.is_tables()) {
            if !section.has(key.name) {
                problems.add(section.absent("SW0105", table, key));
            }
        }
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

    /// The strings of a table, without those that were reported, by name.
    pub(crate) fn map(&self, name: &str) -> Vec<(At<&'d str>, &'d str)> {
        let table = self.value(name).and_then(|v| v.get_ref().as_table());
        let entries = table.into_iter().flatten();
        entries
            .filter_map(|(k, v)| {
                Some((
                    At {
                        value: &**k.get_ref(),
                        span: self.moved(k.span()),
                    },
                    v.get_ref().as_str()?,
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
        (least..=most).contains(&number).then(|| At {
            value: number,
            span: self.moved(value.span()),
        })
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
                inner.push((
                    At {
                        value: &**name.get_ref(),
                        span: self.moved(name.span()),
                    },
                    section,
                ));
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

    fn moved(&self, span: Range<usize>) -> Range<usize> {
        span.start + self.offset..span.end + self.offset
    }

    fn filled(&self, value: &'d Value<'d>) -> Option<At<&'d str>> {
        let text = value.get_ref().as_str()?;
        let usable = !text.trim().is_empty() && !text.contains('\0');
        usable.then(|| At {
            value: text,
            span: self.moved(value.span()),
        })
    }

    fn absent(
        &self,
        code: &'static str,
        table: Table,
        key: &Key,
    ) -> seawall_core::diagnostic::Diagnostic {
        let problem =
            error(code, format!("{} has no `{}`", table.header(), key.name)).help(format!(
                "write `{} = {}`: {}",
                key.name,
                key.example,
                lower_first(key.doc)
            ));
        match &self.header {
            Some(header) => problem.at(header.clone(), format!("`{}` is missing", key.name)),
            None => problem,
        }
    }

    fn check(&self, key: &Key, value: &'d Value<'d>, problems: &mut Problems) {
        let place = self.moved(value.span());
        match key.shape {
            Shape::Text => self.check_text(key, value, problems),
            Shape::Texts { least } => self.check_texts(key, least, value, problems),
            Shape::TextMap => self.check_map(key, value, problems),
            Shape::Count { least, most } => {
                check_count(key, least..=most, value.get_ref(), place, problems)
            }
            Shape::Duration { most } => {
                self.check_measure(key, 1..=most, values::duration, value, problems)
            }
            Shape::Size { least, most } => {
                self.check_measure(key, least..=most, values::size, value, problems)
            }
            Shape::Choice(words) => self.check_choice(key, words, value, problems),
            Shape::One(_) | Shape::Many(_) | Shape::Named(_) => {
                self.check_tables(key, value, problems)
            }
        }
    }

    fn check_text(&self, key: &Key, value: &'d Value<'d>, problems: &mut Problems) {
        let place = self.moved(value.span());
        match value.get_ref().as_str() {
            None => problems.add_wrong_type(key, value.get_ref(), place),
            Some(text) if text.trim().is_empty() => problems.add_empty(key, place),
            Some(text) if text.contains('\0') => problems.add_nul(key, place),
            Some(_) => {}
        }
    }

    fn check_texts(&self, key: &Key, least: usize, value: &'d Value<'d>, problems: &mut Problems) {
        let place = self.moved(value.span());
        let Some(array) = value.get_ref().as_array() else {
            return problems.add_wrong_type(key, value.get_ref(), place);
        };
        if array.len() < least {
            problems.add_empty(key, place);
        }
        for element in array.iter() {
            self.check_text(key, element, problems);
        }
    }

    fn check_map(&self, key: &Key, value: &'d Value<'d>, problems: &mut Problems) {
        let Some(table) = value.get_ref().as_table() else {
            return problems.add_wrong_type(key, value.get_ref(), self.moved(value.span()));
        };
        for (_, element) in table {
            let place = self.moved(element.span());
            match element.get_ref().as_str() {
                None => problems.add_wrong_type(key, element.get_ref(), place),
                Some(text) if text.contains('\0') => problems.add_nul(key, place),
                Some(_) => {}
            }
        }
    }

    fn check_tables(&self, key: &Key, value: &'d Value<'d>, problems: &mut Problems) {
        let elements: Vec<&Value<'d>> = match (key.shape, value.get_ref()) {
            (Shape::One(_), DeValue::Table(_)) => return,
            (Shape::Many(_), DeValue::Array(array)) => array.iter().collect(),
            (Shape::Named(_), DeValue::Table(table)) => table.values().collect(),
            _ => return problems.add_wrong_type(key, value.get_ref(), self.moved(value.span())),
        };
        for element in elements.into_iter().filter(|v| !v.get_ref().is_table()) {
            problems.add_wrong_type(key, element.get_ref(), self.moved(element.span()));
        }
    }

    fn check_measure(
        &self,
        key: &Key,
        range: std::ops::RangeInclusive<u64>,
        parse: fn(&str) -> Option<u64>,
        value: &'d Value<'d>,
        problems: &mut Problems,
    ) {
        let place = self.moved(value.span());
        let Some(text) = value.get_ref().as_str() else {
            return problems.add_wrong_type(key, value.get_ref(), place);
        };
        match parse(text) {
            None => problems.add(
                error(
                    "SW0108",
                    format!(
                        "`{}` is not {}",
                        shown(text),
                        key.shape.wanted().trim_start_matches("a string with ")
                    ),
                )
                .at(
                    place,
                    format!("`{}` takes {}", key.name, key.shape.wanted()),
                )
                .help(key.shape.measure_help()),
            ),
            Some(number) if !range.contains(&number) => problems.add_out_of_range(key, text, place),
            Some(_) => {}
        }
    }

    fn check_choice(
        &self,
        key: &Key,
        words: &[&'static str],
        value: &'d Value<'d>,
        problems: &mut Problems,
    ) {
        let place = self.moved(value.span());
        let Some(text) = value.get_ref().as_str() else {
            return problems.add_wrong_type(key, value.get_ref(), place);
        };
        if !words.contains(&text) {
            let guess = problems.nearest(text, words.iter().copied());
            let help = guess.map(|g| format!("did you mean `{g}`?"));
            problems.add(
                error(
                    "SW0103",
                    format!("`{}` is no value of `{}`", shown(text), key.name),
                )
                .at(place, format!("one of {}", list(words.iter().copied())))
                .help(
                    help.unwrap_or_else(|| format!("write one of {}", list(words.iter().copied()))),
                ),
            );
        }
    }
}

impl Shape {
    fn is_tables(self) -> bool {
        matches!(self, Self::One(_) | Self::Many(_) | Self::Named(_))
    }

    fn measure_help(self) -> &'static str {
        match self {
            Self::Size { .. } => {
                "write bytes with or without a unit: \"65536\", \"64KiB\", \"16MiB\", \"1GiB\""
            }
            _ => "write a number and a unit (ms, s, m, h): \"90s\", \"10m\", \"1h 30m\"",
        }
    }

    fn range(self) -> String {
        match self {
            Self::Count { least, most } => format!("{least} to {most}"),
            Self::Duration { most } => format!("more than 0, at most {} days", most / 86_400_000),
            _ => "1KiB to 4GiB".to_owned(),
        }
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn check_count(
    key: &Key,
    range: std::ops::RangeInclusive<u32>,
    value: &DeValue<'_>,
    place: Range<usize>,
    problems: &mut Problems,
) {
    let Some(number) = value.as_integer() else {
        return problems.add_wrong_type(key, value, place);
    };
    let fits = integer(value)
        .and_then(|n| u32::try_from(n).ok())
        .is_some_and(|n| range.contains(&n));
    if fits {
        return;
    }
    if key.name == "version" {
        problems.add(
            error(
                "SW0101",
                format!("version {number} of the plan format is unknown"),
            )
            .at(place, "this Seawall reads version 1")
            .help("write `version = 1`, or use the Seawall that the plan was written for"),
        );
    } else {
        problems.add_out_of_range(key, &number.to_string(), place);
    }
}

impl Problems {
    /// Reports an unknown key; answers with the known one that it was probably meant to be.
    fn add_unknown(&mut self, table: Table, key: At<&str>) -> Option<&'static str> {
        let name = shown(key.value);
        let problem = error(
            "SW0102",
            format!("unknown key `{name}` in {}", table.header()),
        )
        .at(key.span, "no key has this name here");
        let guess = self.nearest(key.value, table.keys().map(|k| k.name));
        let elsewhere = || Table::ALL.into_iter().find(|t| t.key(key.value).is_some());
        let help = match guess {
            Some(guess) => format!("did you mean `{guess}`?"),
            None => match elsewhere() {
                Some(home) => format!("`{name}` is a key of {}", home.header()),
                None => format!(
                    "keys here: {}",
                    table.keys().map(|k| k.name).collect::<Vec<_>>().join(", ")
                ),
            },
        };
        self.add(problem.help(help));
        guess
    }

    fn add_wrong_type(&mut self, key: &Key, value: &DeValue<'_>, place: Range<usize>) {
        let message = format!(
            "`{}` must be {}, not {}",
            key.name,
            key.shape.wanted(),
            article(value.type_str())
        );
        let help = match key.shape {
            Shape::One(t) | Shape::Many(t) | Shape::Named(t) => {
                format!("write it as `{}`", t.header())
            }
            _ => format!("write for example `{} = {}`", key.name, key.example),
        };
        self.add(
            error("SW0103", message)
                .at(place, format!("{} is wanted", key.shape.wanted()))
                .help(help),
        );
    }

    fn add_empty(&mut self, key: &Key, place: Range<usize>) {
        self.add(
            error("SW0106", format!("`{}` is empty", key.name))
                .at(place, "nothing in it")
                .help(format!(
                    "write for example `{} = {}`, or leave the key out where it is optional",
                    key.name, key.example
                )),
        );
    }

    fn add_nul(&mut self, key: &Key, place: Range<usize>) {
        self.add(
            error("SW0140", format!("`{}` contains a NUL character", key.name))
                .at(place, "no command, path or prompt can carry it")
                .help("write it without `\\u0000`"),
        );
    }

    fn add_out_of_range(&mut self, key: &Key, typed: &str, place: Range<usize>) {
        self.add(
            error(
                "SW0107",
                format!("`{} = {}` is out of range", key.name, shown(typed)),
            )
            .at(place, key.shape.range())
            .help(format!(
                "write for example `{} = {}`",
                key.name, key.example
            )),
        );
    }
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

fn lower_first(text: &str) -> String {
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut chars = text.chars();
    chars
        .next()
        .map(|c| c.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
