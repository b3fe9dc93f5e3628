//! What a file imports, as it writes it: statements, and in Rust every path that is written out.

use std::collections::BTreeSet;

use tree_sitter::{Node, Tree};

use super::Language;
use super::code::each_node;
use super::parse::{children, field};
use super::text::{line, text};

/// One import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// From where, as the file writes it, without quotes: `./api`, `.base`, `fmt`, `crate::error::Error`.
    pub(crate) module: String,
    /// Which names of it; empty when all of it, or when the language has them in the path.
    pub(crate) names: Vec<Name>,
    /// The line, from 1.
    pub(crate) line: u32,
    /// In Rust, how many modules of its own file it stands in.
    pub(crate) depth: usize,
    /// It is a statement, and not a path of Rust that is written out where it is used.
    pub(crate) stated: bool,
    /// The code can do without it: it is tried, or only for a type checker.
    pub(crate) optional: bool,
}

/// A name that is imported, and what it is called here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) of: String,
    pub(crate) here: String,
}

/// The most imports of a file that are kept.
const MOST: usize = 20_000;

/// What a parsed file imports, in its order, at the top or below.
pub(crate) fn imports(language: Language, tree: &Tree, source: &[u8]) -> Vec<Import> {
    let mut all = All {
        source,
        found: Vec::new(),
        modules: Vec::new(),
        optional_until: 0,
        in_use: false,
    };
    each_node(tree, |node| {
        if all.is_optional(node) {
            all.optional_until = all.optional_until.max(node.end_byte());
        }
        let inside = match language {
            Language::Python => all.python(node),
            Language::Rust => all.rust(node),
            Language::Go => all.go(node),
            Language::JavaScript | Language::TypeScript | Language::Tsx => all.javascript(node),
        };
        inside && all.found.len() < MOST
    });
    all.found
}

/// The names that a Rust file gives to modules, items and imports, at whatever depth: a path may begin with one.
pub(crate) fn local_names(tree: &Tree, source: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each_node(tree, |node| {
        let named = node.kind().ends_with("_item") || node.kind() == "use_as_clause";
        let name = field(node, "name").or_else(|| field(node, "alias"));
        if let Some(name) = name.filter(|_| named) {
            names.insert(text(name, source));
        }
        // The last part of a `use`, or what is in its braces, can begin another.
        if node.kind() == "use_declaration" {
            let path = field(node, "argument").map(|path| line(path, source));
            let path = path.unwrap_or_default();
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let words = path.split(|c| !is_name(c)).skip(1);
            names.extend(words.map(str::to_owned));
        }
        true
    });
    names
}

/// Whether a node is an import of its language as a whole.
pub(crate) fn is_import(language: Language, node: Node<'_>) -> bool {
    match language {
        Language::Python => matches!(
            node.kind(),
            "import_statement" | "import_from_statement" | "future_import_statement"
        ),
        Language::Rust => matches!(node.kind(), "use_declaration" | "extern_crate_declaration"),
        Language::Go => node.kind() == "import_declaration",
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            node.kind() == "import_statement"
                || (node.kind() == "export_statement" && field(node, "source").is_some())
        }
    }
}

struct All<'s> {
    source: &'s [u8],
    found: Vec<Import>,
    /// Where the Rust modules end that are open.
    modules: Vec<usize>,
    /// What is before it can be done without.
    optional_until: usize,
    /// A `use` is being read.
    in_use: bool,
}

impl All<'_> {
    fn take(&mut self, node: Node<'_>, module: &str, names: Vec<Name>) {
        self.found.push(Import {
            module: module.trim_matches(['"', '\'', '`']).to_owned(),
            names,
            line: u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX),
            depth: self.modules.len(),
            optional: node.start_byte() < self.optional_until,
            stated: !node.kind().starts_with("scoped_") || self.in_use,
        });
    }

    /// Whether what is imported in a node can be done without.
    fn is_optional(&self, node: Node<'_>) -> bool {
        match node.kind() {
            "try_statement" => true,
            "if_statement" => {
                let condition = field(node, "condition").map(|c| text(c, self.source));
                condition.is_some_and(|condition| condition.contains("TYPE_CHECKING"))
            }
            _ => false,
        }
    }

    /// Takes what a node imports; whether there may be more below it. So do the others.
    fn python(&mut self, node: Node<'_>) -> bool {
        match node.kind() {
            "import_statement" => {
                for name in self.aliased(node) {
                    self.take(node, &name.of, Vec::new());
                }
            }
            "import_from_statement" => {
                if let Some(module) = field(node, "module_name") {
                    let module: String = line(module, self.source).split_whitespace().collect();
                    let names = self.aliased(node);
                    self.take(node, &module, names);
                }
            }
            "call" => {
                let function = field(node, "function").map(|f| line(f, self.source));
                let dynamic = function.is_some_and(|name| {
                    name == "__import__" || name.rsplit('.').next() == Some("import_module")
                });
                if let Some(module) = self.first_string(node).filter(|_| dynamic) {
                    self.take(node, &module, Vec::new());
                }
            }
            _ => {}
        }
        true
    }

    /// The children that are names, as they are called where they come from and here.
    fn aliased(&self, node: Node<'_>) -> Vec<Name> {
        let parts = children(node).into_iter();
        let names = parts.filter(|(field, part)| *field == "name" && part.is_named());
        names.map(|(_, part)| self.name(part)).collect()
    }

    fn name(&self, part: Node<'_>) -> Name {
        let of = line(field(part, "name").unwrap_or(part), self.source);
        let alias = field(part, "alias").map(|alias| line(alias, self.source));
        Name {
            here: alias.unwrap_or_else(|| of.clone()),
            of,
        }
    }

    fn go(&mut self, node: Node<'_>) -> bool {
        if let Some(path) = field(node, "path").filter(|_| node.kind() == "import_spec") {
            let path = text(path, self.source);
            self.take(node, &path, Vec::new());
        }
        true
    }

    fn javascript(&mut self, node: Node<'_>) -> bool {
        match node.kind() {
            "import_statement" | "export_statement" => {
                if let Some(from) = field(node, "source") {
                    let names = self.specified(node);
                    self.take(node, &text(from, self.source), names);
                }
            }
            "import_require_clause" => {
                if let Some(from) = field(node, "source") {
                    self.take(node, &text(from, self.source), Vec::new());
                }
            }
            "call_expression" => {
                let function = field(node, "function");
                let called = function.and_then(|f| self.source.get(f.byte_range()));
                let requires = matches!(called, Some(b"require" | b"import" | b"require.resolve"));
                if let Some(module) = self.first_string(node).filter(|_| requires) {
                    self.take(node, &module, Vec::new());
                }
            }
            _ => {}
        }
        true
    }

    /// The first argument of a call, when it is a string.
    fn first_string(&self, call: Node<'_>) -> Option<String> {
        let arguments = children(field(call, "arguments")?);
        let first = arguments.into_iter().find(|(_, part)| part.is_named())?.1;
        let string = text(first, self.source);
        let quoted = string.trim_matches(['"', '\'', '`']).to_owned();
        let plain = !quoted.contains(['$', '{']);
        (matches!(first.kind(), "string" | "template_string") && plain).then_some(quoted)
    }

    /// The names of an import or export; `default` for the one without braces.
    fn specified(&self, node: Node<'_>) -> Vec<Name> {
        let mut names = Vec::new();
        for (_, clause) in children(node) {
            for (_, part) in children(clause) {
                match part.kind() {
                    "identifier" if clause.kind() == "import_clause" => names.push(Name {
                        of: "default".to_owned(),
                        here: line(part, self.source),
                    }),
                    "named_imports" => names.extend(self.specifiers(part)),
                    _ => {}
                }
            }
            if clause.kind() == "export_clause" {
                names.extend(self.specifiers(clause));
            }
        }
        names
    }

    fn specifiers(&self, node: Node<'_>) -> Vec<Name> {
        let parts = children(node).into_iter();
        let parts = parts.filter(|(_, part)| part.kind().ends_with("_specifier"));
        parts.map(|(_, part)| self.name(part)).collect()
    }

    fn rust(&mut self, node: Node<'_>) -> bool {
        while self
            .modules
            .last()
            .is_some_and(|end| *end <= node.start_byte())
        {
            self.modules.pop();
        }
        match node.kind() {
            "mod_item" if field(node, "body").is_some() => self.modules.push(node.end_byte()),
            "use_declaration" => {
                if let Some(tree) = field(node, "argument") {
                    self.in_use = true;
                    self.use_tree(tree);
                    self.in_use = false;
                }
                return false;
            }
            "extern_crate_declaration" => {
                if let Some(name) = field(node, "name") {
                    self.take(node, &text(name, self.source), Vec::new());
                }
            }
            // A path that is written out where it is used.
            "scoped_identifier" | "scoped_type_identifier" => {
                let path = line(node, self.source);
                if !path.contains(['<', '(']) {
                    self.take(node, &path, Vec::new());
                    return false;
                }
            }
            _ => {}
        }
        true
    }

    /// One import for each leaf of a tree of paths.
    fn use_tree(&mut self, tree: Node<'_>) {
        let mut pending = vec![(String::new(), tree)];
        while let Some((path, node)) = pending.pop() {
            let join = |part: String| match path.is_empty() {
                true => part,
                false => format!("{path}::{part}"),
            };
            if self.found.len() >= MOST || path.len() > LONGEST {
                return;
            }
            match node.kind() {
                "scoped_use_list" | "use_list" => {
                    let here = field(node, "path").map(|path| line(path, self.source));
                    let path = here.map_or_else(|| path.clone(), join);
                    let list = field(node, "list").unwrap_or(node);
                    let parts = children(list).into_iter();
                    let named = parts.filter(|(_, part)| part.is_named());
                    pending.extend(named.map(|(_, part)| (path.clone(), part)));
                }
                "use_as_clause" => {
                    let of = field(node, "path").map(|of| line(of, self.source));
                    let of = join(of.unwrap_or_default());
                    let alias = field(node, "alias").map(|alias| line(alias, self.source));
                    let last = of.rsplit("::").next().unwrap_or_default().to_owned();
                    let name = alias.map(|here| Name { of: last, here });
                    self.take(node, &of, name.into_iter().collect());
                }
                "use_wildcard" => {
                    let of = line(node, self.source);
                    let of = of.trim_end_matches('*').trim_end_matches("::").to_owned();
                    self.take(node, &join(of), Vec::new());
                }
                "self" => self.take(node, &path, Vec::new()),
                _ => {
                    let path = join(line(node, self.source));
                    self.take(node, &path, Vec::new());
                }
            }
        }
    }
}

/// The most bytes of a path.
const LONGEST: usize = 300;
