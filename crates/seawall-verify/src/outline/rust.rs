//! Definitions of a Rust file. What no `pub` stands before is known to the file; traits and enums share theirs with what
//! they hold. Methods stand under the type's name, wherever the type is defined; of a trait that is implemented only the
//! fact counts, for the rest is the trait's.

use tree_sitter::Node;

use super::gather::{Found, Gather, Place};
use super::parse::{children, field};
use super::text::{Text, line};
use super::{Kind, Reach};

pub(crate) fn gather(gather: &mut Gather, root: Node) {
    let mut reader = Reader {
        gather,
        places: vec![(Place::top(root), Within::File)],
    };
    while let Some((place, within)) = reader.places.pop() {
        let mut handed_out = false;
        for (_, node) in children(place.node) {
            if node.kind() == "attribute_item" {
                handed_out |= reader.gather.text(node).contains("macro_export");
                continue;
            }
            reader.item(&place, within, node, handed_out);
            handed_out = false;
        }
    }
}

/// What the items of a place are a part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    File,
    /// A type: its functions are methods.
    Type,
    /// A trait or an enum: what it holds is as public as itself.
    Whole,
}

struct Reader<'a, 's, 't> {
    gather: &'a mut Gather<'s>,
    places: Vec<(Place<'t>, Within)>,
}

impl<'t> Reader<'_, '_, 't> {
    fn item(&mut self, place: &Place<'t>, within: Within, node: Node<'t>, handed_out: bool) {
        let function = match within {
            Within::File => Kind::Function,
            _ => Kind::Method,
        };
        let (kind, inner) = match node.kind() {
            "function_item" | "function_signature_item" => (function, None),
            "struct_item" | "union_item" => (Kind::Struct, Some(Within::Type)),
            "enum_item" => (Kind::Enum, Some(Within::Whole)),
            "enum_variant" => (Kind::Variant, None),
            "field_declaration" => (Kind::Field, None),
            "trait_item" => (Kind::Trait, Some(Within::Whole)),
            "type_item" | "associated_type" => (Kind::Type, None),
            "const_item" => (Kind::Const, None),
            "static_item" => (Kind::Variable, None),
            "mod_item" => (Kind::Module, Some(Within::File)),
            "macro_definition" => (Kind::Macro, None),
            "impl_item" => return self.implementation(place, node),
            "use_declaration" => return self.handed_on(place, node),
            "foreign_mod_item" => {
                let body = field(node, "body");
                let inner = body.and_then(|body| place.inner(body, &place.scope));
                self.places.extend(inner.map(|inner| (inner, Within::File)));
                return;
            }
            _ => return,
        };
        let reach = match (within, kind) {
            (_, Kind::Macro) if handed_out => Reach::Public,
            (Within::Whole, _) => Reach::Public,
            _ => reach(node, self.gather.source),
        };
        self.define(place, node, (kind, reach), inner);
    }

    fn define(
        &mut self,
        place: &Place<'t>,
        node: Node<'t>,
        (kind, reach): (Kind, Reach),
        inner: Option<Within>,
    ) {
        let Some(name) = field(node, "name").map(|name| self.gather.text(name)) else {
            return;
        };
        let full = self.gather.full(&place.scope, &name);
        let list = field(node, "body").filter(|body| body.kind().ends_with("_list"));
        let named_list = list.filter(|list| list.kind() != "ordered_field_declaration_list");
        let body = match kind {
            Kind::Variant => None,
            Kind::Const | Kind::Variable => field(node, "value"),
            Kind::Macro => Some(node),
            Kind::Function | Kind::Method => field(node, "body"),
            _ => named_list,
        };
        self.gather.add(Found {
            kind,
            name: &name,
            scope: &place.scope,
            whole: node,
            signature: signature(node, kind, body, &full, self.gather.source),
            body: body.filter(|_| kind != Kind::Module), // its items speak for themselves
            reach,
        });
        if let (Some(within), Some(list)) = (inner, named_list) {
            let inner = place.inner(list, &full);
            self.places.extend(inner.map(|inner| (inner, within)));
        }
    }

    fn implementation(&mut self, place: &Place<'t>, node: Node<'t>) {
        let (Some(of), body) = (field(node, "type"), field(node, "body")) else {
            return;
        };
        let bare = match of.kind() {
            "generic_type" => field(of, "type").unwrap_or(of),
            _ => of,
        };
        let scope = self
            .gather
            .full(&place.scope, &line(bare, self.gather.source));
        let Some(of_trait) = field(node, "trait") else {
            let inner = body.and_then(|body| place.inner(body, &scope));
            self.places.extend(inner.map(|inner| (inner, Within::Type)));
            return;
        };
        let mut signature = Text::default();
        for (field, child) in children(node) {
            match field {
                "body" => {}
                "type" => {
                    signature.name(&scope);
                    let more = children(of)
                        .into_iter()
                        .filter(|(_, n)| of != bare && *n != bare);
                    more.for_each(|(_, part)| signature.node(part, self.gather.source));
                }
                _ => signature.node(child, self.gather.source),
            }
        }
        self.gather.add(Found {
            kind: Kind::Impl,
            name: &line(of_trait, self.gather.source),
            scope: &scope,
            whole: node,
            signature,
            body: None,
            reach: Reach::Public,
        });
    }

    /// `pub use`: one name for each leaf of the tree of paths.
    fn handed_on(&mut self, place: &Place<'t>, node: Node<'t>) {
        let reach = reach(node, self.gather.source);
        let argument = field(node, "argument").filter(|_| reach > Reach::File);
        let mut pending: Vec<_> = argument
            .map(|node| (String::new(), node))
            .into_iter()
            .collect();
        while let Some((path, node)) = pending.pop() {
            let text = |node| line(node, self.gather.source);
            let join = |part: String| match path.is_empty() {
                true => part,
                false => format!("{path}::{part}"),
            };
            let (name, from) = match node.kind() {
                "scoped_use_list" | "use_list" => {
                    let path = field(node, "path").map_or(path.clone(), |path| join(text(path)));
                    let list = field(node, "list").unwrap_or(node);
                    let deep = path.len() > LONGEST;
                    let named = children(list)
                        .into_iter()
                        .filter(|(_, n)| n.is_named() && !deep);
                    pending.extend(named.map(|(_, node)| (path.clone(), node)));
                    continue;
                }
                "use_as_clause" => (
                    field(node, "alias").map(text).unwrap_or_default(),
                    join(field(node, "path").map(text).unwrap_or_default()),
                ),
                "use_wildcard" => (join(text(node)), join(text(node))),
                "self" => (last(&path), path.clone()),
                _ => (last(&text(node)), join(text(node))),
            };
            self.export(place, node, (&name, &from), reach);
        }
    }

    fn export(
        &mut self,
        place: &Place<'t>,
        node: Node<'t>,
        (name, from): (&str, &str),
        reach: Reach,
    ) {
        let mut signature = Text::default();
        signature.name(from);
        if last(from) != name && from != name {
            signature.word("as");
            signature.word(name);
        }
        self.gather.add(Found {
            kind: Kind::Export,
            name,
            scope: &place.scope,
            whole: node,
            signature,
            body: None,
            reach,
        });
    }
}

/// The most bytes of a path that is handed on.
const LONGEST: usize = 300;

fn last(path: &str) -> String {
    path.rsplit("::").next().unwrap_or_default().to_owned()
}

fn signature(node: Node, kind: Kind, body: Option<Node>, full: &str, source: &[u8]) -> Text {
    let mut signature = Text::default();
    for (field, child) in children(node) {
        match (field, child.kind()) {
            ("name", _) => signature.name(full),
            _ if Some(child) == body || kind == Kind::Macro => {}
            (
                _,
                "visibility_modifier"
                | "fn"
                | "struct"
                | "union"
                | "enum"
                | "trait"
                | "const"
                | "static"
                | "mod"
                | "="
                | ";",
            ) if kind != Kind::Type => {}
            (_, "visibility_modifier" | "type" | ";") => {}
            _ => signature.node(child, source),
        }
    }
    signature
}

fn reach(node: Node, source: &[u8]) -> Reach {
    let visibility = children(node)
        .into_iter()
        .find(|(_, child)| child.kind() == "visibility_modifier");
    match visibility.map(|(_, child)| line(child, source)) {
        None => Reach::File,
        Some(text) if text == "pub" => Reach::Public,
        Some(text) if text.contains("self") => Reach::File,
        Some(_) => Reach::Package,
    }
}
