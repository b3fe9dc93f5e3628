//! What a source file offers to other files: its top-level definitions, read with tree-sitter.
//!
//! An outline is made of bytes alone and never fails on them: what a grammar cannot parse is stepped over, and the outline
//! says so. The parsers are C code that runs inside the supervisor on files that workers wrote, which is the price of
//! reading five languages properly; size, time, depth and number of definitions are therefore bounded. Time is measured by
//! the clock, because no count of steps bounds it (a scanner may read to the end of the file for one token): a hostile file
//! that is unreadable on a slow machine may be readable on a fast one, so no verdict may follow from "unreadable".
//!
//! Names are resolved within one file only. What a file re-exports by a wildcard stays a wildcard.

mod change;
pub(crate) mod code;
mod exports;
mod gather;
mod go;
pub(crate) mod imported;
mod javascript;
mod note;
pub(crate) mod parse;
mod python;
mod rust;
pub(crate) mod text;

#[cfg(test)]
mod tests;

use seawall_core::ids::Digest;
use seawall_core::path::RepoPath;

pub use change::{InterfaceChange, interface_changes};
pub(crate) use code::code_only;
pub use note::{Changes, interface_note};

/// A language whose files can be outlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Python 3, also stubs.
    Python,
    /// JavaScript, with JSX.
    JavaScript,
    /// TypeScript, also declarations.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// Rust.
    Rust,
    /// Go.
    Go,
}

impl Language {
    /// What stands between a definition and the one that holds it.
    pub(crate) fn separator(self) -> &'static str {
        match self {
            Self::Rust => "::",
            _ => ".",
        }
    }
}

/// The language of a file, by its name alone.
#[must_use]
pub fn language(path: &RepoPath) -> Option<Language> {
    let name = path.as_bytes().rsplit(|b| *b == b'/').next()?;
    let dot = name.iter().rposition(|b| *b == b'.')?;
    Some(match &name[dot + 1..] {
        b"py" | b"pyi" => Language::Python,
        b"js" | b"mjs" | b"cjs" | b"jsx" => Language::JavaScript,
        b"ts" | b"mts" | b"cts" => Language::TypeScript,
        b"tsx" => Language::Tsx,
        b"rs" => Language::Rust,
        b"go" => Language::Go,
        _ => return None,
    })
}

/// What a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A function.
    Function,
    /// A function that belongs to a type.
    Method,
    /// A class.
    Class,
    /// A struct or union.
    Struct,
    /// An enumeration.
    Enum,
    /// A case of an enumeration.
    Variant,
    /// A trait.
    Trait,
    /// A trait that a type implements.
    Impl,
    /// An interface.
    Interface,
    /// A type alias or a type of its own.
    Type,
    /// A constant.
    Const,
    /// A variable.
    Variable,
    /// A part of a type that holds a value.
    Field,
    /// A module or namespace inside the file.
    Module,
    /// A macro.
    Macro,
    /// A name that is handed on from elsewhere.
    Export,
}

impl Kind {
    /// The kind in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Method => "method",
            Self::Class => "class",
            Self::Struct => "struct",
            Self::Enum => "enum",
            Self::Variant => "variant",
            Self::Trait => "trait",
            Self::Impl => "implementation",
            Self::Interface => "interface",
            Self::Type => "type",
            Self::Const => "constant",
            Self::Variable => "variable",
            Self::Field => "field",
            Self::Module => "module",
            Self::Macro => "macro",
            Self::Export => "export",
        }
    }
}

/// From where a definition can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// From its own file, by rule or by custom.
    File,
    /// From other files of its package: `pub(crate)`, a lower-case name in Go, `_name` in a Python module.
    Package,
    /// From everywhere: public or exported by the language's rule.
    Public,
}

/// One definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Its full name within the file: `Store::open`, `Client.get`.
    pub name: String,
    /// The full name of what holds it; empty at the top.
    pub scope: String,
    /// How it is declared, in one line without its body: `load(path, *, strict=False)`.
    pub signature: String,
    /// From where it can be named.
    pub reach: Reach,
    /// Its first and its last line, from 1.
    pub lines: (u32, u32),
    /// The digest of its body without comments, white space and its own name.
    pub body: Digest,
    /// The tokens of the body that the digest was made of; 0 when it has none.
    pub(crate) weight: u32,
    /// The digest of the signature's tokens without the name: equal for two that differ in layout or name only.
    pub(crate) shape: Digest,
}

/// The definitions of a file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The definitions; those of a type follow it.
    pub items: Vec<Item>,
    /// Whether parts of the file could not be parsed and may be missing.
    pub broken: bool,
}

/// Outlines a file. None when it is larger than 2 MB, takes seconds to parse, or holds more than 20,000 definitions.
#[must_use]
pub fn outline(language: Language, source: &[u8]) -> Option<Outline> {
    let tree = parse::parse(language, source)?;
    let mut gather = gather::Gather::new(language, source);
    match language {
        Language::Python => python::gather(&mut gather, tree.root_node()),
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            javascript::gather(&mut gather, tree.root_node());
        }
        Language::Rust => rust::gather(&mut gather, tree.root_node()),
        Language::Go => go::gather(&mut gather, tree.root_node()),
    }
    gather.finish(tree.root_node().has_error())
}
