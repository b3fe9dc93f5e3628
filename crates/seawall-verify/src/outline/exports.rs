//! What a JavaScript or TypeScript module hands out by name: `export`, and assignment to `exports` and `module.exports`.

use tree_sitter::Node;

use super::gather::Place;
use super::javascript::{Reader, callable};
use super::parse::{children, field, has_child};
use super::text::line;
use super::{Kind, Reach};

impl<'t> Reader<'_, '_, 't> {
    pub(crate) fn export(&mut self, place: &Place<'t>, node: Node<'t>) {
        let from = field(node, "source").map(|source| line(source, self.gather.source));
        let from = from.map_or_else(String::new, |source| format!("from {source}"));
        if let Some(declared) = field(node, "declaration") {
            self.declaration(place, declared, Reach::Public);
            return;
        }
        if has_child(node, &["default", "="]) {
            let value = children(node)
                .into_iter()
                .rfind(|(_, n)| n.is_named())
                .map(|(_, value)| value);
            self.default(place, node, value);
            return;
        }
        for (_, child) in children(node) {
            match child.kind() {
                "export_clause" => self.clause(node, child, &from),
                "namespace_export" | "*" => {
                    let name = line(child, self.gather.source);
                    self.gather.export(node, &name, &from);
                }
                _ => {}
            }
        }
    }

    /// `{ a, b as c }`, with or without `from`.
    fn clause(&mut self, whole: Node<'t>, clause: Node<'t>, from: &str) {
        let specifiers = children(clause).into_iter();
        for (_, one) in specifiers.filter(|(_, n)| n.kind() == "export_specifier") {
            let text = line(one, self.gather.source);
            let (name, alias) = text.split_once(" as ").unwrap_or((&text, &text));
            if from.is_empty() {
                self.exported.insert(name.to_owned());
            }
            if !from.is_empty() || name != alias {
                let of = match name == alias {
                    true => from.to_owned(),
                    false => format!("= {name} {from}").trim_end().to_owned(),
                };
                self.gather.export(whole, alias, &of);
            }
        }
    }

    /// `export default` of something that is no declaration, `export =`, `module.exports =`.
    fn default(&mut self, place: &Place<'t>, whole: Node<'t>, value: Option<Node<'t>>) {
        let Some(value) = value else { return };
        if let Some((value, kind)) = callable(value) {
            self.define(place, (whole, value), (kind, "default"), Reach::Public);
            return;
        }
        let name = match value.kind() {
            "identifier" => {
                let name = self.gather.text(value);
                self.exported.insert(name.clone());
                format!("= {name}")
            }
            _ => String::new(),
        };
        self.gather.export(whole, "default", &name);
    }

    /// `exports.a = ..`, `module.exports.a = ..`, `module.exports = ..`.
    pub(crate) fn common(&mut self, place: &Place<'t>, node: Node<'t>) {
        let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else {
            return;
        };
        let left = line(left, self.gather.source);
        let name = left
            .strip_prefix("module.exports")
            .or_else(|| left.strip_prefix("exports"));
        match name.map(|name| (name.strip_prefix('.'), name)) {
            Some((Some(name), _)) => self.named(place, node, name, right),
            Some((None, "")) if right.kind() == "object" => {
                for (_, pair) in children(right) {
                    self.pair(place, pair);
                }
            }
            Some((None, "")) => self.default(place, node, Some(right)),
            _ => {}
        }
    }

    /// A name that is exported with this value.
    fn named(&mut self, place: &Place<'t>, whole: Node<'t>, name: &str, value: Node<'t>) {
        if let Some((value, kind)) = callable(value) {
            self.define(place, (whole, value), (kind, name), Reach::Public);
            return;
        }
        let is_name = value.kind() == "identifier";
        let of = match is_name {
            true => self.gather.text(value),
            false => String::new(),
        };
        if is_name {
            self.exported.insert(of.clone());
        }
        if of != name {
            let of = Some(of).filter(|_| is_name).map(|of| format!("= {of}"));
            self.gather.export(whole, name, &of.unwrap_or_default());
        }
    }

    /// A part of the object that a module exports.
    fn pair(&mut self, place: &Place<'t>, pair: Node<'t>) {
        match pair.kind() {
            "shorthand_property_identifier" => {
                self.exported.insert(self.gather.text(pair));
            }
            "pair" => {
                if let (Some(key), Some(value)) = (field(pair, "key"), field(pair, "value")) {
                    let name = self.gather.text(key);
                    self.named(place, pair, name.trim_matches(['"', '\'']), value);
                }
            }
            "method_definition" => {
                if let Some(name) = field(pair, "name").map(|name| self.gather.text(name)) {
                    self.define(place, (pair, pair), (Kind::Function, &name), Reach::Public);
                }
            }
            _ => {}
        }
    }
}
