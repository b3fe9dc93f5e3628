//! Holds one value against the shape of its row in `keys`, and says what is wrong with it.

use std::ops::Range;

use toml::de::DeValue;

use crate::keys::{Key, Shape, Table};
use crate::problems::{At, Problems, error, list, placed, shown};
use crate::section::{Section, Value};
use crate::values;

impl<'d> Section<'d> {
    /// Reports the keys that are needed and not there. Tables that are needed have rules of their own.
    pub(crate) fn check_required(&self, table: Table, problems: &mut Problems) {
        let required = table.keys().filter(|k| k.required && !k.shape.is_tables());
        for key in required.filter(|k| !self.has(k.name)) {
            let problem = error(
                "SW0105",
                format!("{} has no `{}`", table.header(), key.name),
            )
            .help(format!(
                "write `{} = {}`: {}",
                key.name,
                key.example,
                lower_first(key.doc)
            ));
            let label = format!("`{}` is missing", key.name);
            problems.add(placed(problem, self.header.as_ref(), &label));
        }
    }

    /// Reports what is wrong with the value of a key.
    pub(crate) fn check(&self, key: &Key, value: &'d Value<'d>, problems: &mut Problems) {
        let place = self.moved(value.span());
        match key.shape {
            Shape::Text => self.check_text(key, value, problems),
            Shape::Texts { least } => self.check_texts(key, least, value, problems),
            Shape::TextsOrOne if value.get_ref().is_str() => self.check_text(key, value, problems),
            Shape::TextsOrOne => self.check_texts(key, 0, value, problems),
            Shape::Retry { most } => self.check_retry(key, most, value, problems),
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
            None => problems.add_unreadable(key, text, place),
            Some(number) if !range.contains(&number) => problems.add_out_of_range(key, text, place),
            Some(_) => {}
        }
    }

    fn check_retry(&self, key: &Key, most: u32, value: &'d Value<'d>, problems: &mut Problems) {
        let place = self.moved(value.span());
        let Some(text) = value.get_ref().as_str() else {
            return problems.add_wrong_type(key, value.get_ref(), place);
        };
        match values::retries(text) {
            None => problems.add_unknown_word(key, &["hold", "retry:1", "retry:3"], text, place),
            Some(times) if times.is_some_and(|n| !(1..=most).contains(&n)) => {
                problems.add_out_of_range(key, text, place);
            }
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
            problems.add_unknown_word(key, words, text, place);
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
            Self::Retry { most } => format!("`retry:1` to `retry:{most}`"),
            Self::Duration { most } => format!("more than 0, at most {} days", most / 86_400_000),
            _ => "1KiB to 4GiB".to_owned(),
        }
    }
}

/// The number of an integer, in whatever base it is written.
pub(crate) fn integer(value: &DeValue<'_>) -> Option<i64> {
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
        problems.add_unknown_version(&number.to_string(), place);
    } else {
        problems.add_out_of_range(key, &number.to_string(), place);
    }
}

impl Problems {
    /// Reports an unknown key; answers with the known one that it was probably meant to be.
    pub(crate) fn add_unknown(&mut self, table: Table, key: &At<&str>) -> Option<&'static str> {
        let name = shown(key.value);
        let problem = error(
            "SW0102",
            format!("unknown key `{name}` in {}", table.header()),
        )
        .at(key.span.clone(), "no key has this name here");
        let guess = self.nearest(key.value, table.keys().map(|k| k.name));
        let help = match guess {
            Some(guess) => format!("did you mean `{guess}`?"),
            None => home_of(table, key.value),
        };
        self.add(problem.help(help));
        guess
    }

    fn add_unknown_version(&mut self, number: &str, place: Range<usize>) {
        self.add(
            error(
                "SW0101",
                format!("version {number} of the plan format is unknown"),
            )
            .at(place, "this Seawall reads version 1")
            .help("write `version = 1`, or use the Seawall that the plan was written for"),
        );
    }

    fn add_unknown_word(
        &mut self,
        key: &Key,
        words: &[&'static str],
        typed: &str,
        place: Range<usize>,
    ) {
        let known = list(words.iter().copied());
        let help = match self.nearest(typed, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {known}"),
        };
        self.add(
            error(
                "SW0103",
                format!("`{}` is no value of `{}`", shown(typed), key.name),
            )
            .at(place, format!("one of {known}"))
            .help(help),
        );
    }

    fn add_unreadable(&mut self, key: &Key, typed: &str, place: Range<usize>) {
        let wanted = key.shape.wanted();
        let message = format!(
            "`{}` is not {}",
            shown(typed),
            wanted.trim_start_matches("a string with ")
        );
        self.add(
            error("SW0108", message)
                .at(place, format!("`{}` takes {wanted}", key.name))
                .help(key.shape.measure_help()),
        );
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

/// Where an unknown key would be known, or else what is known here.
fn home_of(table: Table, name: &str) -> String {
    match Table::ALL.into_iter().find(|t| t.key(name).is_some()) {
        Some(home) => format!("`{name}` is a key of {}", home.header()),
        None => {
            let here: Vec<&str> = table.keys().map(|k| k.name).collect();
            format!("keys here: {}", here.join(", "))
        }
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
