//! Collects the definitions that a language's reader finds, and says of each how far it reaches.

use std::collections::HashMap;

use tree_sitter::Node;

use super::text::{Text, body, cut, text};
use super::{Item, Kind, Language, Outline, Reach};

/// The most definitions of a file.
const MOST: usize = 20_000;

/// The most bytes of a full name.
const NAME: usize = 300;

/// How deep definitions may be nested; what is deeper is left out.
const DEEPEST: usize = 8;

/// A place where definitions stand: the file, a class, a module.
#[derive(Clone, Debug)]
pub(crate) struct Place<'t> {
    /// What holds them.
    pub(crate) node: Node<'t>,
    /// Its full name; empty for the file.
    pub(crate) scope: String,
    /// How many places it is in.
    depth: usize,
}

impl<'t> Place<'t> {
    /// The file.
    pub(crate) fn top(node: Node<'t>) -> Self {
        Self {
            node,
            scope: String::new(),
            depth: 0,
        }
    }

    /// A place in this one; none when it is too deep.
    pub(crate) fn inner(&self, node: Node<'t>, scope: &str) -> Option<Self> {
        (self.depth < DEEPEST).then(|| Self {
            node,
            scope: scope.to_owned(),
            depth: self.depth + 1,
        })
    }
}

/// A definition as a reader found it.
#[derive(Debug)]
pub(crate) struct Found<'a, 't> {
    pub(crate) kind: Kind,
    /// Its own name.
    pub(crate) name: &'a str,
    /// The full name of what holds it.
    pub(crate) scope: &'a str,
    /// All of it, for its lines.
    pub(crate) whole: Node<'t>,
    pub(crate) signature: Text,
    pub(crate) body: Option<Node<'t>>,
    pub(crate) reach: Reach,
}

/// What was found so far.
#[derive(Debug)]
pub(crate) struct Gather<'s> {
    language: Language,
    pub(crate) source: &'s [u8],
    /// With the byte at which each begins.
    items: Vec<(usize, Item)>,
}

impl<'s> Gather<'s> {
    pub(crate) fn new(language: Language, source: &'s [u8]) -> Self {
        Self {
            language,
            source,
            items: Vec::new(),
        }
    }

    /// The text of a node.
    pub(crate) fn text(&self, node: Node) -> String {
        text(node, self.source)
    }

    /// The full name of `name` in `scope`. Names are cut where no honest one ends: each is kept once per definition in it.
    pub(crate) fn full(&self, scope: &str, name: &str) -> String {
        let mut full = match scope {
            "" => name.to_owned(),
            _ => format!("{scope}{}{name}", self.language.separator()),
        };
        full.truncate(cut(&full, NAME).len());
        full
    }

    /// Takes a definition.
    pub(crate) fn add(&mut self, found: Found) {
        if self.items.len() > MOST {
            return; // `finish` will say that it is too many
        }
        let (digest, weight) = body(found.body, found.name, self.source);
        let (from, to) = (found.whole.start_position(), found.whole.end_position());
        // A node that ends with its line end ends in column 0 of the line after it.
        let last = to.row - usize::from(to.column == 0 && to.row > from.row);
        let (signature, shape) = found.signature.finish();
        let item = Item {
            kind: found.kind,
            name: self.full(found.scope, found.name),
            scope: found.scope.to_owned(),
            signature,
            reach: found.reach,
            lines: (number(from.row), number(last)),
            body: digest,
            weight,
            shape,
        };
        self.items.push((found.whole.start_byte(), item));
    }

    /// Takes a name that comes from elsewhere.
    pub(crate) fn export(&mut self, whole: Node, name: &str, from: &str) {
        let mut signature = Text::default();
        signature.name(name);
        if !from.is_empty() {
            signature.word(from);
        }
        self.add(Found {
            kind: Kind::Export,
            name,
            scope: "",
            whole,
            signature,
            body: None,
            reach: Reach::Public,
        });
    }

    /// Changes the reach of every definition at the top.
    pub(crate) fn reaches(&mut self, reach: impl Fn(&Item) -> Reach) {
        for (_, item) in &mut self.items {
            if item.scope.is_empty() {
                item.reach = reach(item);
            }
        }
    }

    /// Whether something of that name is defined at the top.
    pub(crate) fn names(&self) -> std::collections::HashSet<String> {
        let top = self.items.iter().filter(|(_, item)| item.scope.is_empty());
        top.map(|(_, item)| item.name.clone()).collect()
    }

    /// The outline; none when there is too much.
    pub(crate) fn finish(mut self, broken: bool) -> Option<Outline> {
        if self.items.len() > MOST {
            return None;
        }
        self.items.sort_by_key(|(at, _)| *at);
        let mut items: Vec<_> = self.items.into_iter().map(|(_, item)| item).collect();
        bound_by_holders(&mut items, self.language.separator());
        Some(Outline { items, broken })
    }
}

/// Nothing reaches further than what holds it. What is held by a type of another file reaches as far as it says.
fn bound_by_holders(items: &mut [Item], separator: &str) {
    let mut holders: HashMap<String, Reach> = HashMap::new();
    for item in items.iter().filter(|item| holds(item.kind)) {
        let reach = holders.entry(item.name.clone()).or_insert(item.reach);
        *reach = (*reach).max(item.reach);
    }
    for item in items {
        let ends = item.scope.match_indices(separator).map(|(at, _)| at);
        for end in ends.chain([item.scope.len()]) {
            if let Some(reach) = holders.get(&item.scope[..end]) {
                item.reach = item.reach.min(*reach);
            }
        }
    }
}

fn holds(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Class
            | Kind::Struct
            | Kind::Enum
            | Kind::Trait
            | Kind::Interface
            | Kind::Type
            | Kind::Module
    )
}

fn number(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}
