//! Definitions of a Python module: functions, classes with what they hold, names that are assigned, `__all__`.
//!
//! What stands in `if`, `try` or `with` at the top counts as if it stood there alone. `__all__` is read as far as it is
//! written out; without one, custom decides: a leading underscore keeps a name in the package, and in a class, to itself.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::gather::{Found, Gather, Place};
use super::parse::{children, each_token, field};
use super::text::Text;
use super::{Kind, Reach};

pub(crate) fn gather<'t>(gather: &mut Gather, root: Node<'t>) {
    let mut reader = Reader {
        gather,
        places: vec![Place::top(root)],
        all: None,
    };
    while let Some(place) = reader.places.pop() {
        for (_, node) in children(place.node) {
            reader.statement(&place, node);
        }
    }
    let all = reader.all;
    if let Some(all) = all {
        exported(gather, root, &all);
    }
}

struct Reader<'a, 's, 't> {
    gather: &'a mut Gather<'s>,
    places: Vec<Place<'t>>,
    /// The names in `__all__`, when there is one.
    all: Option<BTreeSet<String>>,
}

impl<'t> Reader<'_, '_, 't> {
    fn statement(&mut self, place: &Place<'t>, node: Node<'t>) {
        match node.kind() {
            "function_definition" | "class_definition" => self.define(place, node, node),
            "decorated_definition" => {
                if let Some(inner) = field(node, "definition") {
                    self.define(place, node, inner);
                }
            }
            "expression_statement" => {
                for (_, inner) in children(node) {
                    self.assign(place, inner);
                }
            }
            "type_alias_statement" => self.alias(place, node),
            "if_statement" | "elif_clause" | "else_clause" | "try_statement" | "except_clause"
            | "finally_clause" | "with_statement" | "block" => {
                self.places.extend(place.inner(node, &place.scope));
            }
            _ => {}
        }
    }

    fn define(&mut self, place: &Place<'t>, whole: Node<'t>, node: Node<'t>) {
        let Some(name) = field(node, "name").map(|name| self.gather.text(name)) else {
            return;
        };
        let full = self.gather.full(&place.scope, &name);
        let is_class = node.kind() == "class_definition";
        let mut signature = Text::default();
        for (_, child) in children(whole) {
            if child.kind() == "decorator" {
                signature.node(child, self.gather.source);
            }
        }
        for (field, child) in children(node) {
            match (field, child.kind()) {
                ("name", _) => signature.name(&full),
                ("body", _) | (_, "def" | "class" | ":") => {}
                _ => signature.node(child, self.gather.source),
            }
        }
        let body = field(node, "body");
        self.gather.add(Found {
            kind: match (is_class, place.scope.is_empty()) {
                (true, _) => Kind::Class,
                (false, true) => Kind::Function,
                (false, false) => Kind::Method,
            },
            name: &name,
            scope: &place.scope,
            whole,
            signature,
            body,
            reach: reach(place, &name),
        });
        if is_class && let Some(body) = body {
            self.places.extend(place.inner(body, &full));
        }
    }

    /// `A: int = 3`, `A = B = 3`, `A, B = 1, 2`, and what makes `__all__`.
    fn assign(&mut self, place: &Place<'t>, node: Node<'t>) {
        let mut next = Some(node);
        while let Some(here) = next.take_if(|n| n.kind().ends_with("assignment")) {
            let (Some(left), right) = (field(here, "left"), field(here, "right")) else {
                return;
            };
            let named = match left.kind() {
                "identifier" => vec![left],
                _ => children(left).into_iter().map(|(_, n)| n).collect(),
            };
            for name in named.iter().filter(|n| n.kind() == "identifier") {
                self.assigned(place, here, *name);
            }
            next = right;
        }
    }

    fn assigned(&mut self, place: &Place<'t>, node: Node<'t>, name: Node<'t>) {
        let word = self.gather.text(name);
        let right = field(node, "right");
        let alone = field(node, "left") == Some(name);
        // What several names share is no one's.
        let own = right.filter(|right| alone && !right.kind().ends_with("assignment"));
        if word == "__all__" && place.scope.is_empty() {
            let all = self.all.get_or_insert_default();
            own.into_iter().for_each(|right| {
                strings(right, self.gather.source, all);
            });
            return;
        }
        if node.kind() == "augmented_assignment" {
            return;
        }
        let kind = field(node, "type");
        let mut signature = Text::default();
        signature.name(&self.gather.full(&place.scope, &word));
        for (_, child) in children(node) {
            let value = Some(child) == right || child.kind() == "=";
            // The default of a class's declared field is a part of what it is made from.
            let counts = !value || (kind.is_some() && !place.scope.is_empty());
            if counts && Some(child) != field(node, "left") {
                signature.node(child, self.gather.source);
            }
        }
        self.gather.add(Found {
            kind: match place.scope.is_empty() {
                true => Kind::Variable,
                false => Kind::Field,
            },
            name: &word,
            scope: &place.scope,
            whole: node,
            signature,
            body: own,
            reach: reach(place, &word),
        });
    }

    fn alias(&mut self, place: &Place<'t>, node: Node<'t>) {
        let Some(left) = field(node, "left") else {
            return;
        };
        let mut name = None;
        each_token(left, |token| {
            name.get_or_insert(token);
        });
        let name = name.map_or_else(String::new, |name| self.gather.text(name));
        let mut signature = Text::default();
        for (_, child) in children(node).into_iter().skip(1) {
            signature.node(child, self.gather.source);
        }
        self.gather.add(Found {
            kind: Kind::Type,
            name: &name,
            scope: &place.scope,
            whole: node,
            signature,
            body: None,
            reach: reach(place, &name),
        });
    }
}

fn reach(place: &Place, name: &str) -> Reach {
    let hidden = name.starts_with('_') && !(name.starts_with("__") && name.ends_with("__"));
    match (hidden, place.scope.is_empty()) {
        (false, _) => Reach::Public,
        (true, true) => Reach::Package,
        (true, false) => Reach::File,
    }
}

/// The strings that are written out in an expression.
fn strings(node: Node, source: &[u8], found: &mut BTreeSet<String>) {
    each_token(node, |token| {
        if token.kind() == "string" {
            let text = String::from_utf8_lossy(&source[token.byte_range()]);
            found.insert(text.trim_matches(['"', '\'']).to_owned());
        }
    });
}

/// What `__all__` names is public, all else stays in the package; what it names and the file does not define is handed on.
fn exported(gather: &mut Gather, root: Node, all: &BTreeSet<String>) {
    gather.reaches(|item| match all.contains(&item.name) {
        true => Reach::Public,
        false => item.reach.min(Reach::Package),
    });
    let defined = gather.names();
    for name in all.iter().filter(|name| !defined.contains(*name)) {
        gather.export(root, name, "");
    }
}
