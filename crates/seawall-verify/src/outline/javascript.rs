//! Definitions of a JavaScript or TypeScript module. Only what is exported reaches further than the file, by `export`, by
//! `declare`, or by assignment to `exports` and `module.exports`; a class's members do unless they are private.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::gather::{Found, Gather, Place};
use super::parse::{children, field};
use super::text::{Text, line};
use super::{Kind, Reach};

pub(crate) fn gather(gather: &mut Gather, root: Node) {
    let mut reader = Reader {
        gather,
        places: vec![(Place::top(root), Within::File(Reach::File))],
        exported: BTreeSet::new(),
    };
    while let Some((place, within)) = reader.places.pop() {
        for (_, node) in children(place.node) {
            match within {
                Within::File(reach) => reader.statement(&place, node, reach),
                Within::Type => reader.member(&place, node),
            }
        }
    }
    let exported = std::mem::take(&mut reader.exported);
    gather.reaches(|item| match exported.contains(&item.name) {
        true => Reach::Public,
        false => item.reach,
    });
}

/// What the nodes of a place are.
#[derive(Clone, Copy)]
pub(crate) enum Within {
    /// Statements, and how far their definitions reach.
    File(Reach),
    /// Members of a type.
    Type,
}

pub(crate) struct Reader<'a, 's, 't> {
    pub(crate) gather: &'a mut Gather<'s>,
    places: Vec<(Place<'t>, Within)>,
    /// Names of the file that are exported elsewhere than where they are defined.
    pub(crate) exported: BTreeSet<String>,
}

impl<'t> Reader<'_, '_, 't> {
    fn statement(&mut self, place: &Place<'t>, node: Node<'t>, reach: Reach) {
        match node.kind() {
            "export_statement" => self.export(place, node),
            "ambient_declaration" => {
                let inner = place.inner(node, &place.scope);
                self.places
                    .extend(inner.map(|inner| (inner, Within::File(Reach::Public))));
            }
            "expression_statement" => {
                for (_, inner) in children(node) {
                    match inner.kind() {
                        "assignment_expression" => self.common(place, inner),
                        _ => self.declaration(place, inner, reach),
                    }
                }
            }
            _ => self.declaration(place, node, reach),
        }
    }

    pub(crate) fn declaration(&mut self, place: &Place<'t>, node: Node<'t>, reach: Reach) {
        let kind = match node.kind() {
            "function_declaration" | "generator_function_declaration" | "function_signature" => {
                Kind::Function
            }
            "class_declaration" | "abstract_class_declaration" => Kind::Class,
            "interface_declaration" => Kind::Interface,
            "type_alias_declaration" => Kind::Type,
            "enum_declaration" => Kind::Enum,
            "internal_module" | "module" => Kind::Module,
            "lexical_declaration" | "variable_declaration" => {
                for (_, one) in children(node) {
                    self.variable(place, one, reach);
                }
                return;
            }
            _ => return,
        };
        if let Some(name) = field(node, "name") {
            let name = self.gather.text(name);
            self.define(place, (node, node), (kind, &name), reach);
        }
    }

    /// A definition whose parts are those of `node`.
    pub(crate) fn define(
        &mut self,
        place: &Place<'t>,
        (whole, node): (Node<'t>, Node<'t>),
        (kind, name): (Kind, &str),
        reach: Reach,
    ) {
        let full = self.gather.full(&place.scope, name);
        let body = field(node, "body");
        self.gather.add(Found {
            kind,
            name,
            scope: &place.scope,
            whole,
            signature: signature(node, &full, self.gather.source),
            body: body.filter(|_| kind != Kind::Module), // its items speak for themselves
            reach,
        });
        let Some(body) = body else { return };
        let within = match kind {
            Kind::Class | Kind::Interface | Kind::Enum => Within::Type,
            // In a declared module all is exported, in a namespace what says so.
            Kind::Module if node.kind() == "module" => Within::File(Reach::Public),
            Kind::Module => Within::File(Reach::File),
            _ => return,
        };
        let inner = place.inner(body, &full);
        self.places.extend(inner.map(|inner| (inner, within)));
    }

    fn variable(&mut self, place: &Place<'t>, node: Node<'t>, reach: Reach) {
        let Some(name) = field(node, "name") else {
            return;
        };
        if node.kind() != "variable_declarator" {
            return;
        }
        let value = field(node, "value");
        let (word, named) = (self.gather.text(name), name.kind() == "identifier");
        match value.filter(|_| named).and_then(callable) {
            Some((value, kind)) => self.define(place, (node, value), (kind, &word), reach),
            None if named => self.value(place, (node, Kind::Variable), &word, value, reach),
            None => {
                for part in bound(name) {
                    let word = self.gather.text(part);
                    self.value(place, (part, Kind::Variable), &word, None, reach);
                }
            }
        }
    }

    /// A name with a value that is no function or class.
    fn value(
        &mut self,
        place: &Place<'t>,
        (whole, kind): (Node<'t>, Kind),
        name: &str,
        value: Option<Node<'t>>,
        reach: Reach,
    ) {
        let full = self.gather.full(&place.scope, name);
        let mut signature = Text::default();
        signature.name(&full);
        if let Some(typed) = field(whole, "type") {
            signature.node(typed, self.gather.source);
        }
        self.gather.add(Found {
            kind,
            name,
            scope: &place.scope,
            whole,
            signature,
            body: value,
            reach,
        });
    }

    fn member(&mut self, place: &Place<'t>, node: Node<'t>) {
        let kind = match node.kind() {
            "method_definition"
            | "method_signature"
            | "abstract_method_signature"
            | "call_signature"
            | "construct_signature" => Kind::Method,
            "field_definition"
            | "public_field_definition"
            | "property_signature"
            | "index_signature" => Kind::Field,
            "property_identifier" | "string" | "enum_assignment" => Kind::Variant,
            _ => return,
        };
        let name = match kind {
            Kind::Variant => field(node, "name").or(Some(node)),
            _ => field(node, "name").or_else(|| field(node, "property")),
        };
        let name = match (name, node.kind()) {
            (_, "call_signature") => "()".to_owned(),
            (_, "construct_signature") => "new".to_owned(),
            (_, "index_signature") => return self.indexed(place, node),
            (Some(name), _) => line(name, self.gather.source),
            (None, _) => return,
        };
        let reach = match name.starts_with('#') || is_private(node, self.gather.source) {
            true => Reach::File,
            false => Reach::Public,
        };
        let value = field(node, "value").filter(|_| kind == Kind::Field);
        match value.and_then(callable) {
            Some((value, _)) => self.define(place, (node, value), (Kind::Method, &name), reach),
            None => self.define(place, (node, node), (kind, &name), reach),
        }
    }
}

impl<'t> Reader<'_, '_, 't> {
    /// `[key: string]: T`, which has no name.
    fn indexed(&mut self, place: &Place<'t>, node: Node<'t>) {
        let mut signature = Text::default();
        signature.name(&place.scope);
        signature.node(node, self.gather.source);
        self.gather.add(Found {
            kind: Kind::Field,
            name: "[]",
            scope: &place.scope,
            whole: node,
            signature,
            body: None,
            reach: Reach::Public,
        });
    }
}

fn is_private(node: Node, source: &[u8]) -> bool {
    children(node).into_iter().any(|(_, child)| {
        child.kind() == "accessibility_modifier" && line(child, source) != "public"
    })
}

/// A value that is a function or a class, and which of them.
pub(crate) fn callable(value: Node) -> Option<(Node, Kind)> {
    match value.kind() {
        "arrow_function" | "function_expression" | "generator_function" => {
            Some((value, Kind::Function))
        }
        "class" => Some((value, Kind::Class)),
        _ => None,
    }
}

/// The names that a pattern binds at its first level.
fn bound(pattern: Node) -> Vec<Node> {
    children(pattern)
        .into_iter()
        .filter_map(|(_, part)| match part.kind() {
            "identifier" | "shorthand_property_identifier_pattern" => Some(part),
            "pair_pattern" => field(part, "value").filter(|value| value.kind() == "identifier"),
            _ => None,
        })
        .collect()
}

/// A declaration without its keyword and body, its name in full. A function that is a value has no name of its own; it is
/// put after `async` and `*`.
fn signature(node: Node, full: &str, source: &[u8]) -> Text {
    let parts = children(node);
    let mut signature = Text::default();
    let is_name = |part: &&(&str, Node)| matches!(part.0, "name" | "property");
    let nameless = !parts.iter().any(|part| is_name(&part));
    if nameless {
        let before = parts
            .iter()
            .filter(|(_, n)| matches!(n.kind(), "async" | "*"));
        before.for_each(|(_, child)| signature.node(*child, source));
        signature.name(full);
    }
    let is_field = node.kind().ends_with("field_definition");
    for (field, child) in &parts {
        match (*field, child.kind()) {
            ("name" | "property", _) => signature.name(full),
            ("value", _) | (_, "=") if is_field => {}
            (_, "async" | "*") if nameless => {}
            ("body", _) => {}
            (_, "function" | "class" | "interface" | "enum" | "type" | "namespace" | "module") => {}
            (_, "=>" | ";" | "const" | "new") => {}
            _ => signature.node(*child, source),
        }
    }
    signature
}
