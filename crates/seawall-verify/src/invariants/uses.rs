//! Which names a file uses, and what it defines: what the rule `wired` needs to know of one file.
//!
//! A name counts wherever it stands as a name, of a variable as of a field: nothing is resolved, so "used" means "perhaps"
//! and "not used" means "no". The name of a definition at its own place is no use, an import of a name alone is none either,
//! and code below `#[cfg(test)]` is left out. A string that is a dotted path (`"pkg.module.Handler"`) uses its last part.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use seawall_core::path::RepoPath;
use tree_sitter::{Node, TreeCursor};

use super::marks::{Attributes, is_handed_over, is_handed_over_in_rust, is_test_code};
use crate::outline::imported::{Import, imports, is_import};
use crate::outline::parse::{children, field, is_comment, parse};
use crate::outline::{Kind, Language, Outline, Reach, language, outline};
use crate::places::Parts;

/// Lines of one name that are kept.
const LINES: usize = 2_000;
/// Bytes of a file without a language of which the words are taken.
const LARGEST: usize = 1 << 20;

/// What one file uses and defines.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    /// Every name that is used, with its lines where they are asked for.
    pub(super) names: BTreeMap<Box<str>, Vec<u32>>,
    /// Names that are only imported.
    pub(super) imported: BTreeSet<Box<str>>,
    /// The modules, by the last part of their path, of which it uses what has no name there.
    pub(super) defaults: BTreeSet<Box<str>>,
    /// What stands at its top, where that is asked for.
    pub(super) defined: Vec<Defined>,
}

/// A definition at the top of a file.
#[derive(Clone, Debug)]
pub(super) struct Defined {
    pub(super) name: Box<str>,
    pub(super) kind: Kind,
    pub(super) public: bool,
    /// From 1, the last one included.
    pub(super) lines: (u32, u32),
    /// A decorator or attribute hands it to a framework.
    pub(super) marked: bool,
    /// It is what the module exports without a name.
    pub(super) default: bool,
    /// What others know it by besides.
    pub(super) others: Vec<Box<str>>,
}

/// What a source file uses; with what it defines when `whole`. None when it cannot be parsed, for the whole without a flaw.
pub(super) fn uses(path: &RepoPath, source: &[u8], whole: bool) -> Option<Uses> {
    let Some(language) = language(path) else {
        return Some(words(source));
    };
    let Some(tree) = parse(language, source) else {
        return (!whole).then(|| words(source));
    };
    let mut walk = Walk {
        language,
        source,
        lines: whole,
        re_exports: Parts::of(path).stem() == "__init__",
        uses: Uses::default(),
        marked: HashSet::new(),
        defaults: HashSet::new(),
        listed: Vec::new(),
        renamed: HashMap::new(),
    };
    walk.all(tree.walk());
    let imported = imports(language, &tree, source);
    walk.handed_on();
    walk.aliases(&imported);
    if whole {
        let outline = outline(language, source).filter(|outline| !outline.broken)?;
        walk.define(&outline);
    }
    Some(walk.uses)
}

/// The words of a file that is no code: a configuration or template may name what it calls.
fn words(source: &[u8]) -> Uses {
    let mut uses = Uses::default();
    if source.len() <= LARGEST {
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        for word in source.split(|b| !is_word(b)).filter(|word| word.len() > 1) {
            let word = String::from_utf8_lossy(word);
            uses.names.entry(word.as_ref().into()).or_default();
        }
    }
    uses
}

struct Walk<'s> {
    language: Language,
    source: &'s [u8],
    lines: bool,
    /// Imports of this file hand names on.
    re_exports: bool,
    uses: Uses,
    /// First lines of definitions that have a mark, and of those that are the module's default.
    marked: HashSet<u32>,
    defaults: HashSet<String>,
    /// What stands in `__all__`.
    listed: Vec<String>,
    /// Names, and what others know them by.
    renamed: HashMap<String, Vec<Box<str>>>,
}

impl Walk<'_> {
    fn all<'t>(&mut self, mut cursor: TreeCursor<'t>) {
        let mut above: Vec<&'t str> = Vec::new();
        let mut before = Attributes::default();
        // An import that hands nothing on ends here, and what lists names of the file for others.
        let (mut import_until, mut export_until) = (0, 0);
        loop {
            let node = cursor.node();
            let within = above.last().copied().unwrap_or_default();
            if is_import(self.language, node) && !self.hands_on(node) {
                import_until = node.end_byte();
            }
            if self.is_export(node) {
                export_until = node.end_byte();
            }
            if node.kind() == "string_content" && node.start_byte() < export_until {
                self.listed.push(self.text(node));
            }
            if node.start_byte() < export_until {
                self.renames(node);
            }
            let imported = node.start_byte() < import_until;
            let handed_out = node.start_byte() < export_until && is_list(within);
            let attributes = before.take(node, self.source);
            let left_out = is_comment(node) || is_test_code(&attributes);
            if !left_out {
                self.marks(node, &attributes);
                let definition = cursor.field_name() == Some("name") && defines(within);
                self.leaf(node, definition || handed_out, imported);
                if cursor.goto_first_child() {
                    above.push(node.kind());
                    continue;
                }
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                above.pop();
            }
        }
    }

    /// Whether an import gives on what it takes: `pub use`, `export .. from`, an `__init__.py`.
    fn hands_on(&self, node: Node<'_>) -> bool {
        match self.language {
            Language::Python => self.re_exports,
            Language::Rust => {
                let parts = children(node);
                parts
                    .iter()
                    .any(|(_, part)| part.kind() == "visibility_modifier")
            }
            Language::Go => false,
            _ => node.kind() == "export_statement",
        }
    }

    /// Whether a node hands out names of its own file, which uses none of them.
    fn is_export(&self, node: Node<'_>) -> bool {
        match node.kind() {
            "export_statement" => field(node, "source").is_none(),
            "assignment_expression" => {
                let left = self.left(node);
                left.starts_with(b"module.exports") || left.starts_with(b"exports.")
            }
            "assignment" | "augmented_assignment" => self.left(node) == b"__all__",
            _ => false,
        }
    }

    /// Notes a name that is handed out as another: `{ a: b }`, `export { b as a }`, `exports.a = b`.
    fn renames(&mut self, node: Node<'_>) {
        let (of, to) = match node.kind() {
            "pair" => (field(node, "value"), field(node, "key")),
            "export_specifier" => (field(node, "name"), field(node, "alias")),
            "assignment_expression" => (field(node, "right"), field(node, "left")),
            _ => return,
        };
        if let (Some(of), Some(to)) = (of.filter(|of| of.kind() == "identifier"), to) {
            let to = self.text(to);
            let to = to.rsplit('.').next().unwrap_or_default();
            let to = to.trim_matches(['"', '\'']);
            let of = self.text(of);
            self.renamed.entry(of).or_default().push(to.into());
        }
    }

    /// What is assigned to.
    fn left(&self, node: Node<'_>) -> &[u8] {
        let left = field(node, "left").and_then(|left| self.source.get(left.byte_range()));
        left.unwrap_or_default()
    }

    /// Takes a name, unless it is `only_told`.
    fn leaf(&mut self, node: Node<'_>, only_told: bool, imported: bool) {
        if node.child_count() > 0 || only_told {
            return;
        }
        let text = self.text(node);
        let name = if node.kind().contains("identifier") {
            text.as_str()
        } else if matches!(
            node.kind(),
            "string_content" | "string_fragment" | "interpreted_string_literal_content"
        ) {
            match dotted(&text) {
                Some(last) => last,
                None => return,
            }
        } else {
            return;
        };
        if imported {
            self.uses.imported.insert(name.into());
            return;
        }
        let lines = self.uses.names.entry(name.into()).or_default();
        let line = row(node);
        if self.lines && lines.len() < LINES && lines.last() != Some(&line) {
            lines.push(line);
        }
    }

    /// Notes what marks a definition.
    fn marks(&mut self, node: Node<'_>, attributes: &[String]) {
        match (self.language, node.kind()) {
            (Language::Python, "decorated_definition") => {
                let parts = children(node);
                let mut marks = parts.iter().filter(|(_, part)| part.kind() == "decorator");
                if marks.any(|(_, mark)| is_handed_over(&self.text(*mark))) {
                    self.marked.insert(row(node));
                }
            }
            (Language::Rust, "function_item" | "struct_item" | "enum_item")
                if attributes.iter().any(|mark| is_handed_over_in_rust(mark)) =>
            {
                self.marked.insert(row(node));
            }
            (_, "class_declaration" | "abstract_class_declaration") if has(node, "decorator") => {
                self.marked.insert(row(node));
            }
            (Language::JavaScript | Language::TypeScript | Language::Tsx, "export_statement") => {
                self.exported(node);
            }
            (
                Language::JavaScript | Language::TypeScript | Language::Tsx,
                "assignment_expression",
            ) => {
                let left = field(node, "left").map(|left| self.text(left));
                if left.as_deref() == Some("module.exports")
                    && let Some(right) = field(node, "right")
                {
                    self.defaults.insert(self.text(right));
                }
            }
            _ => {}
        }
    }

    fn exported(&mut self, node: Node<'_>) {
        let declared = field(node, "declaration");
        if has(node, "decorator") {
            self.marked.extend(declared.map(row));
        }
        if has(node, "default") {
            let named = declared.and_then(|declared| field(declared, "name"));
            if let Some(value) = named.or_else(|| field(node, "value")) {
                self.defaults.insert(self.text(value));
            }
        }
    }

    /// A name that is imported and stands in `__all__` is handed on.
    fn handed_on(&mut self) {
        for name in std::mem::take(&mut self.listed) {
            if self.uses.imported.contains(name.as_str()) {
                self.uses.names.entry(name.into()).or_default();
            }
        }
    }

    /// A name that is called otherwise here is used if its name here is.
    fn aliases(&mut self, imports: &[Import]) {
        for import in imports {
            let stem = stem(&import.module);
            for name in import.names.iter().filter(|name| name.of != name.here) {
                if self.uses.names.contains_key(name.here.as_str()) {
                    if name.of == "default" {
                        self.uses.defaults.insert(stem.into());
                    } else {
                        self.uses.names.entry(name.of.as_str().into()).or_default();
                    }
                }
            }
            // `require` gives all that a module is.
            if import.names.is_empty() {
                self.uses.defaults.insert(stem.into());
            }
        }
    }

    fn define(&mut self, outline: &Outline) {
        let top = outline.items.iter().filter(|item| item.scope.is_empty());
        for item in top.filter(|item| !matches!(item.kind, Kind::Export | Kind::Impl)) {
            let default = item.name == "default" || self.defaults.contains(&item.name);
            self.uses.defined.push(Defined {
                others: self.renamed.remove(&item.name).unwrap_or_default(),
                name: item.name.as_str().into(),
                kind: item.kind,
                public: item.reach == Reach::Public,
                lines: item.lines,
                marked: self.marked.contains(&item.lines.0),
                default,
            });
        }
    }

    fn text(&self, node: Node<'_>) -> String {
        crate::outline::text::text(node, self.source)
    }
}

/// Whether the field `name` of such a node is what it defines.
fn defines(kind: &str) -> bool {
    kind.ends_with("_definition")
        || kind.ends_with("_declaration")
        || kind.ends_with("_item")
        || kind.ends_with("_spec")
        || kind.ends_with("_signature")
        || kind.ends_with("parameter")
        || matches!(kind, "variable_declarator" | "enum_variant" | "type_alias")
}

/// Whether what stands directly in such a node is only listed, where names are handed out.
fn is_list(kind: &str) -> bool {
    matches!(
        kind,
        "export_statement" | "export_specifier" | "assignment_expression" | "object" | "pair"
    )
}

fn has(node: Node<'_>, kind: &str) -> bool {
    children(node).iter().any(|(_, part)| part.kind() == kind)
}

fn row(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX)
}

/// The last part of `pkg.module.Handler` or `pkg.module:handler`.
fn dotted(text: &str) -> Option<&str> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    if text.len() > 300 || !text.contains(['.', ':']) || !text.chars().all(plain) {
        return None;
    }
    let last = text.rsplit(['.', ':']).next()?;
    last.starts_with(|c: char| c.is_alphabetic() || c == '_')
        .then_some(last)
}

/// What the default of a module is known by: its file without the end, or its directory.
pub(super) fn stem(module: &str) -> &str {
    let module = module.trim_end_matches('/');
    let (before, last) = module.rsplit_once('/').unwrap_or(("", module));
    let stem = match last.find('.') {
        Some(at) if at > 0 => &last[..at],
        _ => last,
    };
    match stem {
        "index" => before.rsplit('/').next().unwrap_or_default(),
        stem => stem,
    }
}
