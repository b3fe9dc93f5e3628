//! Which files of a tree an import may mean, per language, from the names of its files alone.
//!
//! No manifest is read: roots of packages are found by custom (`src`, a directory of a crate, a directory without
//! `__init__.py`). An import that means no file of the tree is of a package, and is compared by its name.

use std::collections::{HashMap, HashSet};

use seawall_core::path::RepoPath;

use crate::outline::Language;
use crate::outline::imported::Import;

/// The files of a tree, to be looked up.
pub(super) struct Tree {
    files: HashSet<String>,
    /// The files of each directory that have Go in them.
    go: HashMap<String, Vec<String>>,
    /// The source directories of crates, by the name that code has for them.
    crates: HashMap<String, String>,
}

impl Tree {
    pub(super) fn new(all: &[RepoPath]) -> Self {
        let mut tree = Self {
            files: HashSet::with_capacity(all.len()),
            go: HashMap::new(),
            crates: HashMap::new(),
        };
        for path in all {
            // A name that is not UTF-8 can stand in no import.
            let Ok(path) = std::str::from_utf8(path.as_bytes()) else {
                continue;
            };
            let (dir, name) = split(path);
            if name.ends_with(".go") {
                tree.go
                    .entry(dir.to_owned())
                    .or_default()
                    .push(path.to_owned());
            }
            if name == "Cargo.toml" && !dir.is_empty() {
                let own = split(dir).1.replace('-', "_");
                tree.crates.insert(own, join(dir, "src"));
            }
            tree.files.insert(path.to_owned());
        }
        tree
    }

    /// The files that an import of `from` may mean.
    pub(super) fn meant(&self, language: Language, from: &str, import: &Import) -> Vec<String> {
        match language {
            Language::Python => self.python(from, import),
            Language::Rust => self.rust(from, import).into_iter().collect(),
            Language::Go => self.go(import),
            Language::JavaScript | Language::TypeScript | Language::Tsx => {
                self.javascript(from, import).into_iter().collect()
            }
        }
    }

    fn there(&self, path: String) -> Option<String> {
        self.files.contains(&path).then_some(path)
    }

    /// The module, and those of its names that are modules themselves.
    fn python(&self, from: &str, import: &Import) -> Vec<String> {
        let dots = import.module.bytes().take_while(|b| *b == b'.').count();
        let module = import.module[dots..].replace('.', "/");
        let roots = match dots {
            0 => self.python_roots(from),
            _ => above(split(from).0, dots - 1)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        };
        let names = import.names.iter().map(|name| join(&module, &name.of));
        let modules: Vec<_> = std::iter::once(module.clone()).chain(names).collect();
        let of_root = |root: &String| -> Vec<String> {
            let each = modules
                .iter()
                .filter_map(|module| self.python_file(root, module));
            each.collect()
        };
        let found = roots.iter().map(of_root).find(|found| !found.is_empty());
        found.unwrap_or_default()
    }

    fn python_file(&self, root: &str, module: &str) -> Option<String> {
        let stem = join(root, module);
        let ends = [".py", ".pyi", "/__init__.py", "/__init__.pyi"];
        let paths = ends.iter().map(|end| match stem.is_empty() {
            true => end.trim_start_matches('/').to_owned(),
            false => format!("{stem}{end}"),
        });
        paths.into_iter().find_map(|path| self.there(path))
    }

    /// Where a module's name may begin: at each directory above that is no package, or in its `src`, nearest first.
    fn python_roots(&self, from: &str) -> Vec<String> {
        let mut roots = Vec::new();
        let mut dir = split(from).0;
        loop {
            if !self.files.contains(&join(dir, "__init__.py")) {
                roots.push(dir.to_owned());
                roots.extend(["src", "lib", "python"].map(|inner| join(dir, inner)));
            }
            if dir.is_empty() {
                return roots;
            }
            dir = split(dir).0;
        }
    }

    fn javascript(&self, from: &str, import: &Import) -> Option<String> {
        let module = import.module.split('?').next().unwrap_or_default();
        if module.starts_with('.') {
            return self.script(&normal(split(from).0, module)?);
        }
        // Customary short names of the source directory.
        let short = module
            .strip_prefix("@/")
            .or_else(|| module.strip_prefix("~/"));
        let mut dir = split(from).0;
        loop {
            let bare = short.is_none().then(|| join(dir, module));
            let in_src = join(&join(dir, "src"), short.unwrap_or(module));
            let found = bare.into_iter().chain([in_src]);
            let found = found
                .filter(|stem| stem.contains('/'))
                .find_map(|s| self.script(&s));
            if found.is_some() || dir.is_empty() {
                return found;
            }
            dir = split(dir).0;
        }
    }

    /// The file that a path without its end means.
    fn script(&self, stem: &str) -> Option<String> {
        const ENDS: [&str; 11] = [
            "", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".d.ts", ".json",
        ];
        let plain = ENDS.iter().map(|end| format!("{stem}{end}"));
        let index = ENDS[1..]
            .iter()
            .map(|end| join(stem, &format!("index{end}")));
        // TypeScript is imported by the name of what it is compiled to.
        let swapped = [
            (".js", ".ts"),
            (".js", ".tsx"),
            (".jsx", ".tsx"),
            (".mjs", ".mts"),
            (".cjs", ".cts"),
        ];
        let compiled = swapped
            .iter()
            .filter_map(|(js, ts)| Some(format!("{}{ts}", stem.strip_suffix(js)?)));
        let mut all = plain.chain(index).chain(compiled);
        all.find_map(|path| self.there(path))
    }

    /// The deepest module of the path that is a file.
    fn rust(&self, from: &str, import: &Import) -> Option<String> {
        let parts: Vec<&str> = import.module.split("::").collect();
        let first = *parts.first()?;
        let (own, module) = crate_of(from);
        let start = match first {
            "crate" => Start::at(own?, &[], true),
            "self" | "super" => {
                let ups = parts.iter().take_while(|part| is_relative(part));
                let ups = ups.filter(|part| **part == "super").count();
                // Modules of its own file are left first.
                let up = ups.saturating_sub(import.depth);
                Start::at(own?, module.get(..module.len().checked_sub(up)?)?, true)
            }
            name => match self.crates.get(name) {
                Some(root) => Start::at(root.clone(), &[], true),
                // Perhaps a child of the module itself: `mod db; use db::open;`
                None => Start::at(own?, &module, false),
            },
        };
        let named = self.crates.contains_key(first) || first == "crate";
        let rest = parts.into_iter().filter(|part| !is_relative(part));
        let mut path = start.module.clone();
        path.extend(rest.skip(usize::from(named)));
        let fixed = if start.sure { 0 } else { start.module.len() };
        while path.len() > fixed {
            let stem = join(&start.root, &path.join("/"));
            let found = self.there(format!("{stem}.rs"));
            if let Some(found) = found.or_else(|| self.there(format!("{stem}/mod.rs"))) {
                return Some(found);
            }
            path.pop();
        }
        let top = |name: &str| self.there(join(&start.root, name));
        start
            .sure
            .then(|| top("lib.rs").or_else(|| top("main.rs")))?
    }

    /// All files of the package: the longest end of the path that is a directory with Go in it.
    fn go(&self, import: &Import) -> Vec<String> {
        let mut rest = import.module.as_str();
        while let Some((_, end)) = rest.split_once('/') {
            if let Some(files) = self.go.get(end) {
                return files.clone();
            }
            rest = end;
        }
        Vec::new()
    }
}

/// Where a path of Rust begins.
struct Start<'a> {
    /// The source directory of a crate.
    root: String,
    /// The module in it.
    module: Vec<&'a str>,
    /// Whether the path can only mean something of that crate.
    sure: bool,
}

impl<'a> Start<'a> {
    fn at(root: String, module: &[&'a str], sure: bool) -> Self {
        let module = module.to_vec();
        Self { root, module, sure }
    }
}

fn is_relative(part: &str) -> bool {
    matches!(part, "self" | "super")
}

/// The source directory of the crate that a Rust file belongs to, and the file's module in it.
fn crate_of(from: &str) -> (Option<String>, Vec<&str>) {
    let parts: Vec<&str> = from.split('/').collect();
    let Some(src) = parts.iter().rposition(|part| *part == "src") else {
        return (None, Vec::new());
    };
    let mut module: Vec<&str> = parts[src + 1..].to_vec();
    let last = module.pop().unwrap_or_default().trim_end_matches(".rs");
    if !(last == "mod" || (module.is_empty() && matches!(last, "lib" | "main"))) {
        module.push(last);
    }
    (Some(parts[..=src].join("/")), module)
}

/// A path's directory and its last part.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn join(dir: &str, name: &str) -> String {
    match (dir, name) {
        ("", name) => name.to_owned(),
        (dir, "") => dir.to_owned(),
        _ => format!("{dir}/{name}"),
    }
}

/// The directory so many levels above.
fn above(dir: &str, levels: usize) -> Option<&str> {
    let mut dir = dir;
    for _ in 0..levels {
        if dir.is_empty() {
            return None;
        }
        dir = split(dir).0;
    }
    Some(dir)
}

/// `./x`, `../x/./y` from a directory; none when it leaves the tree.
fn normal(dir: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
