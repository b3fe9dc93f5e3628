//! Definitions of a Go file. A capital letter makes a name public; all others are known to the files of its package.

use tree_sitter::Node;

use super::gather::{Found, Gather, Place};
use super::parse::{children, each_token, field};
use super::text::{Text, line};
use super::{Kind, Reach};

pub(crate) fn gather(gather: &mut Gather, root: Node) {
    let mut reader = Reader {
        gather,
        places: vec![Place::top(root)],
    };
    while let Some(place) = reader.places.pop() {
        for (_, node) in children(place.node) {
            reader.declaration(&place, node);
        }
    }
}

struct Reader<'a, 's, 't> {
    gather: &'a mut Gather<'s>,
    places: Vec<Place<'t>>,
}

impl<'t> Reader<'_, '_, 't> {
    fn declaration(&mut self, place: &Place<'t>, node: Node<'t>) {
        match node.kind() {
            "function_declaration" => self.one(place, node, Kind::Function),
            "method_declaration" => self.method(place, node),
            "type_spec" | "type_alias" => self.named_type(place, node),
            "const_spec" => self.one(place, node, Kind::Const),
            "var_spec" => self.one(place, node, Kind::Variable),
            "field_declaration" => match field(node, "name") {
                Some(_) => self.one(place, node, Kind::Field),
                None => self.embedded(place, node),
            },
            "method_elem" => self.one(place, node, Kind::Method),
            "type_elem" => self.embedded(place, node),
            "type_declaration"
            | "const_declaration"
            | "var_declaration"
            | "var_spec_list"
            | "field_declaration_list" => {
                self.places.extend(place.inner(node, &place.scope));
            }
            _ => {}
        }
    }

    /// A declaration of one name, or of several that share a type.
    fn one(&mut self, place: &Place<'t>, node: Node<'t>, kind: Kind) {
        let parts = children(node);
        let names = parts.iter().filter(|(field, _)| *field == "name");
        let names: Vec<_> = names
            .map(|(_, name)| *name)
            .filter(Node::is_named)
            .collect();
        let declared = Text::of_any(|text| {
            for (field, child) in &parts {
                let skipped = matches!(*field, "name" | "receiver" | "body" | "value");
                if !skipped && !matches!(child.kind(), "func" | "=" | ",") {
                    text.node(*child, self.gather.source);
                }
            }
        });
        // What several names share is no one's body.
        let body = field(node, "body").or_else(|| field(node, "value"));
        let body = body.filter(|_| names.len() == 1);
        for name in names {
            let word = self.gather.text(name);
            self.gather.add(Found {
                kind,
                name: &word,
                scope: &place.scope,
                whole: node,
                signature: declared.with_name(&self.gather.full(&place.scope, &word)),
                body,
                reach: reach(&word),
            });
        }
    }

    fn method(&mut self, place: &Place<'t>, node: Node<'t>) {
        let receiver = field(node, "receiver").and_then(|r| receiver(r, self.gather.source));
        let inner = receiver.and_then(|scope| place.inner(node, &scope));
        self.one(inner.as_ref().unwrap_or(place), node, Kind::Method);
    }

    fn named_type(&mut self, place: &Place<'t>, node: Node<'t>) {
        let Some(name) = field(node, "name").map(|name| self.gather.text(name)) else {
            return;
        };
        let full = self.gather.full(&place.scope, &name);
        let of = field(node, "type");
        let kind = match of.map(|of| of.kind()) {
            Some("struct_type") => Kind::Struct,
            Some("interface_type") => Kind::Interface,
            _ => Kind::Type,
        };
        let mut signature = Text::default();
        for (field, child) in children(node) {
            match field {
                "name" => signature.name(&full),
                "type" if kind != Kind::Type => {}
                _ => signature.node(child, self.gather.source),
            }
        }
        let body = of.filter(|_| kind != Kind::Type);
        self.gather.add(Found {
            kind,
            name: &name,
            scope: &place.scope,
            whole: node,
            signature,
            body,
            reach: reach(&name),
        });
        if let Some(body) = body {
            self.places.extend(place.inner(body, &full));
        }
    }

    /// A type that a struct or an interface takes over.
    fn embedded(&mut self, place: &Place<'t>, node: Node<'t>) {
        let name = line(node, self.gather.source);
        let mut signature = Text::default();
        signature.name(&self.gather.full(&place.scope, &name));
        self.gather.add(Found {
            kind: Kind::Field,
            name: &name,
            scope: &place.scope,
            whole: node,
            signature,
            body: None,
            reach: Reach::Public,
        });
    }
}

fn reach(name: &str) -> Reach {
    match name.chars().next().is_some_and(char::is_uppercase) {
        true => Reach::Public,
        false => Reach::Package,
    }
}

/// The type that a method belongs to.
fn receiver(node: Node, source: &[u8]) -> Option<String> {
    let mut name = None;
    each_token(node, |token| {
        if token.kind() == "type_identifier" {
            name.get_or_insert_with(|| super::text::text(token, source));
        }
    });
    name
}
