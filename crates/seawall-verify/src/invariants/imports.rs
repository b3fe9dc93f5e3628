//! `imports`: files of these globs import nothing of those.
//!
//! What is forbidden is a file of the tree, by glob, or a module or package, by name and all below it. Files that are
//! forbidden themselves may import one another. A name that is made at run time is not seen.

use seawall_core::evidence::Value;
use seawall_core::path::RepoPath;

use super::globs::{Globs, is_glob};
use super::resolve::Tree;
use super::{InvariantError, Said, Scene, could_not, more, unread};
use crate::findings::look::excerpt;
use crate::outline::imported::{Import, imports};
use crate::outline::parse::parse;
use crate::outline::{Language, language};
use crate::places::Parts;

/// Imports that are told.
const TOLD: usize = 3;

#[derive(Debug)]
pub(super) struct Imports {
    pub(super) paths: Globs,
    forbid: Vec<Forbidden>,
}

/// What must not be imported.
#[derive(Debug)]
struct Forbidden {
    text: String,
    files: Globs,
}

/// What a file imports; unreadable unless all of it was parsed, because an import in the rest would not be seen.
pub(super) fn facts(path: &RepoPath, bytes: &[u8]) -> Said {
    let Some(language) = language(path) else {
        return without_language(path);
    };
    let Some(tree) = parse(language, bytes) else {
        return Said::Unreadable("it is too much to parse".to_owned());
    };
    if tree.root_node().has_error() {
        return Said::Unreadable("parts of it cannot be parsed".to_owned());
    }
    Said::Imports(imports(language, &tree, bytes).into())
}

/// What a file is whose language is not known: data, or code that nobody here can read.
pub(super) fn without_language(path: &RepoPath) -> Said {
    const CODE: &[&str] = &[
        "c", "h", "cc", "cpp", "hpp", "cs", "java", "kt", "scala", "swift", "m", "rb", "php", "pl",
        "lua", "dart", "ex", "exs", "erl", "hs", "ml", "clj", "jl", "r", "zig", "nim", "vue",
        "svelte", "astro", "sh", "bash",
    ];
    let end = Parts::of(path).extension();
    match CODE.contains(&end.as_str()) {
        true => Said::Unreadable(format!("`.{end}` is no language that can be read here")),
        false => Said::Nothing,
    }
}

impl Imports {
    pub(super) fn new(paths: &[String], forbid: &[String]) -> Result<Self, InvariantError> {
        let forbidden = |text: &String| {
            // What names a directory or file means all that is there.
            let below = [text.clone(), format!("{}/**", text.trim_end_matches('/'))];
            let globs = if is_glob(text) {
                &below[..1]
            } else {
                &below[..]
            };
            Ok(Forbidden {
                text: text.clone(),
                files: Globs::new(globs)?,
            })
        };
        Ok(Self {
            paths: Globs::new(paths)?,
            forbid: forbid.iter().map(forbidden).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn judge(&self, scene: &Scene<'_>) -> (Value, String) {
        let tree = Tree::new(scene.all);
        let (mut told, mut all, mut looked) = (Vec::new(), 0, 0);
        for (path, facts) in scene.files {
            let (Said::Imports(imports), Some(language)) = (&facts.0, language(path)) else {
                continue;
            };
            looked += 1;
            if self
                .forbid
                .iter()
                .any(|forbidden| forbidden.files.has(path))
            {
                continue;
            }
            let mut line = 0;
            for import in imports.iter() {
                let Some(why) = self.forbidden(&tree, language, path, import) else {
                    continue;
                };
                // One line of code may import several things.
                if std::mem::replace(&mut line, import.line) != import.line {
                    all += 1;
                    told.push(why);
                    told.truncate(TOLD);
                }
            }
        }
        if all > 0 {
            let more = more(all, told.len());
            return (Value::Fail, format!("{}{more}", told.join(", ")));
        }
        self.nothing(scene, looked)
    }

    /// What it means that nothing forbidden was found.
    fn nothing(&self, scene: &Scene<'_>, looked: usize) -> (Value, String) {
        let paths = scene.files.iter().map(|(path, _)| path);
        if let Some(glob) = self.paths.idle(paths) {
            return could_not(format!("no file matches `{glob}`"));
        }
        let idle = |forbidden: &&Forbidden| {
            is_glob(&forbidden.text) && forbidden.files.idle(scene.all).is_some()
        };
        if let Some(forbidden) = self.forbid.iter().find(idle) {
            return could_not(format!("no file matches `{}`", forbidden.text));
        }
        if let Some(trouble) = unread(scene.files) {
            return trouble;
        }
        match looked {
            0 => could_not("none of the files is of a language that can be read here"),
            n => {
                let files = seawall_core::words::many(n, "file");
                (
                    Value::Pass,
                    format!("{files}, and none imports what is forbidden"),
                )
            }
        }
    }

    /// Why an import is forbidden.
    fn forbidden(
        &self,
        tree: &Tree,
        language: Language,
        path: &RepoPath,
        import: &Import,
    ) -> Option<String> {
        let module = excerpt(import.module.as_bytes());
        let at = format!("{path}:{} imports `{module}`", import.line);
        let names = names(language, import);
        if let Some(by) = self
            .forbid
            .iter()
            .find(|f| names.iter().any(|name| is_below(language, name, &f.text)))
        {
            return Some(format!("{at}, which `{}` forbids", by.text));
        }
        let from = std::str::from_utf8(path.as_bytes()).ok()?;
        for meant in tree.meant(language, from, import) {
            let Ok(file) = RepoPath::new(meant.as_bytes()) else {
                continue;
            };
            if let Some(by) = self.forbid.iter().find(|f| f.files.has(&file)) {
                return Some(format!("{at}, which is `{file}` and `{}` forbids", by.text));
            }
        }
        None
    }
}

/// What an import names, in full. `from a import b` names `a` and perhaps `a.b`.
fn names(language: Language, import: &Import) -> Vec<String> {
    let mut names = vec![import.module.clone()];
    if language == Language::Python && !import.module.starts_with('.') {
        let each = import.names.iter();
        names.extend(each.map(|name| format!("{}.{}", import.module, name.of)));
    }
    if let Some(bare) = import.module.strip_prefix("node:") {
        names.push(bare.to_owned());
    }
    names
}

/// Whether a name is the forbidden one, or something in it.
fn is_below(language: Language, name: &str, forbidden: &str) -> bool {
    let (forbidden, separator) = match language {
        Language::Python => (forbidden.to_owned(), "."),
        Language::Rust => (forbidden.replace('-', "_"), "::"),
        _ => (forbidden.to_owned(), "/"),
    };
    let forbidden = forbidden.trim_start_matches("node:");
    let rest = name.strip_prefix(forbidden);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
}
