//! What two outlines of a file offer differently to other files.
//!
//! Definitions are matched by their full name, in any order of the file; several of one name (overloads, alternatives of a
//! condition) by their signatures first and then in their order. A rename is recognised when exactly one definition went and
//! one came with the same body; of two that have the same body nothing is guessed.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Item, Kind, Outline, Reach};

/// One difference. Bodies do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InterfaceChange {
    /// It is declared differently.
    Changed {
        /// As it was.
        before: Item,
        /// As it is.
        after: Item,
    },
    /// It has another name and the same body.
    Renamed {
        /// As it was.
        before: Item,
        /// As it is.
        after: Item,
    },
    /// It is not there any more. What it held is gone with it and not listed.
    Removed(Item),
    /// It is there, and cannot be named from other files any more.
    Hidden(Item),
    /// It is new. What it holds is not listed.
    Added(Item),
}

/// What differs, without bodies: first what was changed, then what was renamed, removed, hidden, added; each in the order
/// of the file that has it.
#[must_use]
pub fn interface_changes(before: &Outline, after: &Outline) -> Vec<InterfaceChange> {
    let mut pairs = Pairs::default();
    let (gone, come) = pairs.pair(offered(before), offered(after), |name| name.to_owned());
    let renamed = renames(&gone, &come);
    let (gone, come) = without(gone, come, &renamed);
    let (gone, come) = pairs.pair(gone, come, |scope| moved(scope, &renamed));
    let hidden: HashSet<&str> = after
        .items
        .iter()
        .filter(|item| item.reach == Reach::File)
        .map(|item| &*item.name)
        .collect();
    let (hidden, removed): (Vec<_>, Vec<_>) = outermost(&gone)
        .into_iter()
        .partition(|item| hidden.contains(&*item.name));
    let mut changes = pairs.changed;
    changes.extend(renamed.iter().map(|(old, new)| InterfaceChange::Renamed {
        before: (*old).clone(),
        after: (*new).clone(),
    }));
    changes.extend(removed.into_iter().cloned().map(InterfaceChange::Removed));
    changes.extend(hidden.into_iter().cloned().map(InterfaceChange::Hidden));
    let added = outermost(&come).into_iter().cloned();
    changes.extend(added.map(InterfaceChange::Added));
    changes
}

/// What a place is called after the renames.
fn moved(scope: &str, renamed: &[(&Item, &Item)]) -> String {
    let within = |(old, new): &(&Item, &Item)| {
        let rest = scope.strip_prefix(&*old.name)?;
        let whole = rest.is_empty() || rest.starts_with(['.', ':']);
        whole.then(|| format!("{}{rest}", new.name))
    };
    let found = renamed.iter().find_map(within);
    found.unwrap_or_else(|| scope.to_owned())
}

fn offered(outline: &Outline) -> Vec<&Item> {
    let items = outline.items.iter();
    items.filter(|item| item.reach > Reach::File).collect()
}

type Items<'a> = Vec<&'a Item>;

/// Finds each definition's other half.
#[derive(Default)]
struct Pairs {
    changed: Vec<InterfaceChange>,
}

impl Pairs {
    /// Pairs by name; `moved` says what the scope of an old one is called now. What is left of both.
    fn pair<'b, 'a>(
        &mut self,
        before: Items<'b>,
        after: Items<'a>,
        moved: impl Fn(&str) -> String,
    ) -> (Items<'b>, Items<'a>) {
        let mut news: BTreeMap<(String, &str), Items<'a>> = BTreeMap::new();
        for item in &after {
            let key = (item.scope.clone(), own(item));
            news.entry(key).or_default().push(item);
        }
        let mut rest = Vec::new();
        for old in before {
            let found = news.get_mut(&(moved(&old.scope), own(old)));
            let same = |new: &&Item| new.kind == old.kind && new.shape == old.shape;
            let at = found.as_ref().and_then(|news| news.iter().position(same));
            match (found, at) {
                (Some(news), Some(at)) => drop(news.remove(at)),
                _ => rest.push(old),
            }
        }
        let mut gone = Vec::new();
        for old in rest {
            match news.get_mut(&(moved(&old.scope), own(old))) {
                Some(news) if !news.is_empty() => self.change(old, news.remove(0)),
                _ => gone.push(old),
            }
        }
        let left: HashSet<*const Item> = news
            .into_values()
            .flatten()
            .map(std::ptr::from_ref)
            .collect();
        let come = |item: &&Item| left.contains(&std::ptr::from_ref(*item));
        (gone, after.into_iter().filter(come).collect())
    }

    fn change(&mut self, before: &Item, after: &Item) {
        self.changed.push(InterfaceChange::Changed {
            before: before.clone(),
            after: after.clone(),
        });
    }
}

/// The last part of a definition's name.
fn own(item: &Item) -> &str {
    item.name.get(item.scope.len()..).unwrap_or(&item.name)
}

/// One that went and one that came which are the same but for the name, when there is no other choice.
fn renames<'b, 'a>(gone: &Items<'b>, come: &Items<'a>) -> Vec<(&'b Item, &'a Item)> {
    fn by_body<'i>(items: &Items<'i>) -> HashMap<(Kind, &'i str, &'i str), Items<'i>> {
        let mut found: HashMap<_, Items<'i>> = HashMap::new();
        for item in items.iter().filter(|item| item.weight > 0) {
            let key = (item.kind, &*item.scope, &*item.body.0);
            found.entry(key).or_default().push(item);
        }
        found
    }
    let (old, new) = (by_body(gone), by_body(come));
    let one = |item: &&'b Item| {
        let key = (item.kind, &*item.scope, &*item.body.0);
        let (old, new) = (old.get(&key)?, new.get(&key)?);
        match (&old[..], &new[..]) {
            ([old], [new]) if alike(old, new) => Some((*old, *new)),
            _ => None,
        }
    };
    gone.iter().filter_map(one).collect()
}

/// Tokens of a body that is no coincidence.
const TELLING: u32 = 8;

fn alike(old: &Item, new: &Item) -> bool {
    old.weight >= TELLING || old.shape == new.shape
}

fn without<'b, 'a>(
    gone: Items<'b>,
    come: Items<'a>,
    renamed: &[(&Item, &Item)],
) -> (Items<'b>, Items<'a>) {
    let pairs = renamed.iter();
    let known: HashSet<*const Item> = pairs
        .flat_map(|(old, new)| [std::ptr::from_ref(*old), std::ptr::from_ref(*new)])
        .collect();
    let unknown = |item: &&Item| !known.contains(&std::ptr::from_ref(*item));
    let gone = gone.into_iter().filter(unknown).collect();
    (gone, come.into_iter().filter(unknown).collect())
}

/// Those whose holder is not among them.
fn outermost<'i>(items: &Items<'i>) -> Items<'i> {
    let names: HashSet<&str> = items.iter().map(|item| &*item.name).collect();
    let alone = |item: &&&Item| item.scope.is_empty() || !names.contains(&*item.scope);
    items.iter().filter(alone).copied().collect()
}
