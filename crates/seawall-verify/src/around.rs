//! What a repository has around a change: the modules that are its own, and the packages that its manifests declare.
//!
//! It is made once for a commit, of the names of all files and the content of the manifests. It is used to say that an
//! import is *not* known, so all of it errs on the side of knowing: any directory or file counts as a module of that name,
//! and in a manifest that is a program or has no form of its own every word counts as a package.

mod standard;

use std::collections::{BTreeSet, HashSet};

use seawall_core::path::RepoPath;

use crate::findings::manifest::packages;
use crate::outline::Language;
use crate::places::Parts;

/// The modules and packages of a repository.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Directories, and files without their ends.
    own: HashSet<String>,
    python: Declared,
    javascript: Declared,
    rust: Declared,
    go: Declared,
}

/// What the manifests of one language declare.
#[derive(Clone, Debug, Default)]
struct Declared {
    /// Whether there is any: without one, nothing follows from a name that is not declared.
    any: bool,
    names: BTreeSet<String>,
}

impl Around {
    /// Whether a file declares packages and must be read for [`Around::new`].
    #[must_use]
    pub fn is_manifest(path: &RepoPath) -> bool {
        kind(&Parts::of(path)).is_some()
    }

    /// Puts together what the names of `all` files and the content of the manifests among them say.
    #[must_use]
    pub fn new(all: &[RepoPath], manifests: &[(RepoPath, Vec<u8>)]) -> Self {
        let mut around = Self::default();
        for path in all {
            let parts = Parts::of(path);
            around.own.insert(parts.stem().to_owned());
            around.own.extend(parts.directories);
        }
        for (path, bytes) in manifests {
            around.declare(path, bytes);
        }
        around
    }

    /// Adds what one manifest declares.
    fn declare(&mut self, path: &RepoPath, bytes: &[u8]) {
        let parts = Parts::of(path);
        let Some(kind) = kind(&parts) else { return };
        let declared = match kind {
            Manifest::Python | Manifest::PythonWords => &mut self.python,
            Manifest::JavaScript => &mut self.javascript,
            Manifest::Rust => &mut self.rust,
            Manifest::Go => &mut self.go,
        };
        declared.any = true;
        match (kind, packages(&parts.name, bytes)) {
            (Manifest::PythonWords, _) | (_, None) => declared.names.extend(words(bytes)),
            (_, Some(names)) => declared.names.extend(names),
        }
        declared.names.extend(own_name(&parts.name, bytes));
    }

    /// The package that an import is of, if nothing here explains it; `module` is as the file writes it.
    pub(crate) fn unknown(&self, language: Language, module: &str) -> Option<String> {
        let (declared, package, known) = match language {
            Language::Python => self.python(module)?,
            Language::Rust => self.rust(module)?,
            Language::Go => self.go(module)?,
            Language::JavaScript | Language::TypeScript | Language::Tsx => {
                self.javascript(module)?
            }
        };
        (declared.any && !known).then_some(package)
    }

    /// Whether there is a manifest of that language.
    pub(crate) fn declares(&self, language: Language) -> bool {
        match language {
            Language::Python => self.python.any,
            Language::Rust => self.rust.any,
            Language::Go => self.go.any,
            Language::JavaScript | Language::TypeScript | Language::Tsx => self.javascript.any,
        }
    }

    fn python(&self, module: &str) -> Option<(&Declared, String, bool)> {
        let top = module.split('.').next().filter(|top| !top.is_empty())?;
        let plain = |text: &str| text.to_lowercase().replace(['-', '_', '.'], "");
        let (bare, names) = (plain(top), &self.python.names);
        // `dateutil` of `python-dateutil`, `rest_framework` of `djangorestframework`, `psycopg2` of `psycopg2-binary`.
        let within = |name: &String| {
            let name = plain(name);
            name == bare
                || (bare.len() > 2 && name.contains(&bare))
                || (name.len() > 3 && bare.contains(&name))
        };
        let mapped = standard::PYTHON_NAMES
            .iter()
            .filter(|(module, _)| *module == top);
        let mut mapped = mapped.map(|(_, package)| plain(package));
        let known = top.starts_with('_')
            || standard::PYTHON.contains(&top)
            || standard::PYTHON_TOOLS.contains(&top)
            || self.own.contains(top)
            || names.iter().any(within)
            || mapped.any(|package| names.iter().any(|name| plain(name).contains(&package)));
        Some((&self.python, top.to_owned(), known))
    }

    fn javascript(&self, module: &str) -> Option<(&Declared, String, bool)> {
        let is_path = module.starts_with(['.', '/', '~', '#', '$']) || module.starts_with("@/");
        // `bun:test`, `virtual:x`, `https://…`: what runs it knows them.
        if is_path || module.is_empty() || module.contains(':') {
            return None;
        }
        let parts = if module.starts_with('@') { 2 } else { 1 };
        let package: Vec<&str> = module.split('/').take(parts).collect();
        let (first, package) = (package[0], package.join("/"));
        let typed = format!("@types/{package}");
        let names = &self.javascript.names;
        let known = standard::NODE.contains(&first)
            || self.own.contains(first)
            || names.contains(&package)
            || names.contains(&typed);
        Some((&self.javascript, package, known))
    }

    fn rust(&self, path: &str) -> Option<(&Declared, String, bool)> {
        let first = path.trim_start_matches("::").split("::").next()?;
        let first = first.strip_prefix("r#").unwrap_or(first);
        // A type or constant that is in scope, not a crate.
        if !first.starts_with(|c: char| c.is_lowercase() || c == '_') {
            return None;
        }
        let same = |name: &String| name.replace('-', "_") == first;
        let known = standard::RUST.contains(&first)
            || self.own.contains(first)
            || self.own.contains(&first.replace('_', "-"))
            || self.rust.names.iter().any(same);
        Some((&self.rust, first.to_owned(), known))
    }

    fn go(&self, path: &str) -> Option<(&Declared, String, bool)> {
        // Without a host it is of the standard library, or of a module that is named so.
        if !path.split('/').next()?.contains('.') {
            return None;
        }
        let below = |module: &String| {
            let rest = path.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let known = self.go.names.iter().any(below);
        Some((&self.go, path.to_owned(), known))
    }
}

/// Of which language a manifest is, and how it is read.
#[derive(Clone, Copy)]
enum Manifest {
    Python,
    /// A program, or a file with a form of its own.
    PythonWords,
    JavaScript,
    Rust,
    Go,
}

fn kind(parts: &Parts) -> Option<Manifest> {
    Some(match parts.name.as_str() {
        "Cargo.toml" => Manifest::Rust,
        "package.json" => Manifest::JavaScript,
        "go.mod" => Manifest::Go,
        "pyproject.toml" => Manifest::Python,
        "setup.py" | "setup.cfg" | "Pipfile" | "tox.ini" | "noxfile.py" | "environment.yml"
        | "environment.yaml" => Manifest::PythonWords,
        name if parts.extension() == "txt" || parts.extension() == "in" => {
            let says = name.contains("requirements") || name.contains("constraints");
            let listed = says || parts.below(&["requirements", "reqs"]);
            listed.then_some(Manifest::PythonWords)?
        }
        _ => return None,
    })
}

/// The most bytes of a manifest of which the words are taken.
const LARGEST: usize = 1 << 20;

fn words(bytes: &[u8]) -> impl Iterator<Item = String> {
    let bytes = &bytes[..bytes.len().min(LARGEST)];
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let words = bytes
        .split(move |b| !is_name(b))
        .filter(|word| word.len() > 1);
    words.map(|word| String::from_utf8_lossy(word).to_lowercase())
}

/// What the package of a manifest is called itself.
fn own_name(manifest: &str, bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    match manifest {
        "Cargo.toml" => {
            let root: toml::Table = text.parse().ok()?;
            Some(root.get("package")?.get("name")?.as_str()?.to_owned())
        }
        "package.json" => {
            let root: serde_json::Value = serde_json::from_str(text).ok()?;
            Some(root.get("name")?.as_str()?.to_owned())
        }
        "go.mod" => {
            let mut lines = text.lines().map(str::trim);
            lines.find_map(|line| Some(line.strip_prefix("module ")?.trim().to_owned()))
        }
        _ => None,
    }
}
