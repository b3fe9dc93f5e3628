//! `wired`: what the run added to these files, and offers to others, is used.
//!
//! A symbol counts as used when another file that is no test names it, when code of its own file does that was there before
//! or is used itself, when a framework is handed it by a decorator, or when a configuration names it. Symbols of files that
//! the plan calls entries are used from outside. The names of two things may be the same, so the rule errs on the side of
//! letting pass: what it reports is named nowhere.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use seawall_core::evidence::Value;
use seawall_core::path::RepoPath;

use super::globs::Globs;
use super::imports::without_language;
use super::uses::{Defined, Uses, stem, uses};
use super::{Facts, InvariantError, Said, Scene, could_not, more, unread};
use crate::judges::is_test;
use crate::outline::{Kind, Language, language};
use crate::places::Parts;

/// Symbols that are told.
const TOLD: usize = 3;

/// Ends of files that are no code and may name what they call.
const NAMING: &[&str] = &[
    "toml", "cfg", "ini", "json", "yaml", "yml", "html", "xml", "vue", "svelte", "astro", "sh",
    "tf", "service",
];

#[derive(Debug)]
pub(super) struct Wired {
    pub(super) files: Globs,
    entries: Globs,
}

/// A symbol that must be used.
struct Symbol<'a> {
    path: &'a RepoPath,
    of: &'a Uses,
    at: usize,
    used: bool,
}

impl Wired {
    pub(super) fn new(files: &[String], entries: &[String]) -> Result<Self, InvariantError> {
        Ok(Self {
            files: Globs::new(files)?,
            entries: Globs::new(entries)?,
        })
    }

    pub(super) fn wants(&self, path: &RepoPath) -> bool {
        let parts = Parts::of(path);
        let naming = NAMING.contains(&parts.extension().as_str()) && !is_lock(&parts);
        let other = (language(path).is_some() || naming) && !is_test(&parts);
        other || self.files.has(path) || self.entries.has(path)
    }

    pub(super) fn facts(&self, path: &RepoPath, bytes: &[u8]) -> Said {
        if is_test(&Parts::of(path)) {
            return Said::Nothing;
        }
        let whole = self.files.has(path);
        if whole && language(path).is_none() {
            return without_language(path);
        }
        match uses(path, bytes, whole) {
            Some(uses) => Said::Uses(Arc::new(uses)),
            None => Said::Unreadable("not all of it can be parsed".to_owned()),
        }
    }

    pub(super) fn judge(&self, scene: &Scene<'_>) -> (Value, String) {
        let paths = scene.files.iter().map(|(path, _)| path);
        if let Some(glob) = self.files.idle(paths.clone()).or(self.entries.idle(paths)) {
            return could_not(format!("no file matches `{glob}`"));
        }
        let base = before(scene.base);
        let mut symbols: Vec<Symbol<'_>> = Vec::new();
        for (path, of) in of_uses(scene.files).filter(|(path, _)| self.files.has(path)) {
            let alive = alive(of, base.get(path).copied(), self.entries.has(path));
            let added = added(path, of, base.get(path).copied());
            symbols.extend(added.map(|at| Symbol {
                path,
                of,
                at,
                used: alive.contains(&at),
            }));
        }
        self.outside(scene, &base, &mut symbols);
        self.tell(scene, &symbols)
    }

    /// Marks the symbols that other files use, and what is used by these in their own.
    fn outside(
        &self,
        scene: &Scene<'_>,
        base: &HashMap<&RepoPath, &Uses>,
        symbols: &mut [Symbol<'_>],
    ) {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_stem: HashMap<String, Vec<usize>> = HashMap::new();
        for (n, symbol) in symbols.iter().enumerate().filter(|(_, s)| !s.used) {
            let others = symbol.defined().others.iter();
            for name in others.chain([&symbol.defined().name]) {
                by_name.entry(name).or_default().push(n);
            }
            if symbol.defined().default {
                let stem = stem(&symbol.path.to_string()).to_owned();
                by_stem.entry(stem).or_default().push(n);
            }
        }
        let mut reached: HashSet<usize> = HashSet::new();
        for (path, uses) in of_uses(scene.files) {
            let entry = self.entries.has(path);
            let imported = uses.imported.iter().filter(|_| entry);
            let names = uses.names.keys().chain(imported);
            let of_name = names.filter_map(|name| by_name.get(&**name));
            let of_stem = uses.defaults.iter().filter_map(|stem| by_stem.get(&**stem));
            let found = of_name.chain(of_stem).flatten();
            reached.extend(found.copied().filter(|n| symbols[*n].path != path));
        }
        let mut reached_in: HashMap<&RepoPath, Vec<usize>> = HashMap::new();
        for n in reached {
            symbols[n].used = true;
            reached_in
                .entry(symbols[n].path)
                .or_default()
                .push(symbols[n].at);
        }
        let mut spreads: HashMap<&RepoPath, HashSet<usize>> = HashMap::new();
        for symbol in symbols.iter_mut().filter(|symbol| !symbol.used) {
            let Some(roots) = reached_in.get(symbol.path) else {
                continue;
            };
            let of_file = spreads.entry(symbol.path).or_insert_with(|| {
                let old = base.get(symbol.path).copied();
                spread(symbol.of, old, roots.iter().copied())
            });
            symbol.used = of_file.contains(&symbol.at);
        }
    }

    fn tell(&self, scene: &Scene<'_>, symbols: &[Symbol<'_>]) -> (Value, String) {
        let unused: Vec<_> = symbols.iter().filter(|symbol| !symbol.used).collect();
        if !unused.is_empty() {
            let told: Vec<_> = unused.iter().take(TOLD).map(|s| s.told()).collect();
            let more = more(unused.len(), told.len());
            let noun = if unused.len() == 1 { "is" } else { "are" };
            let why = format!(
                "{}{more} {noun} used nowhere outside of tests",
                told.join(", ")
            );
            return (Value::Fail, why);
        }
        let of_rule = |files: &'_ [(RepoPath, Facts)]| {
            unread(files.iter().filter(|(path, _)| self.files.has(path)))
        };
        if let Some(trouble) = of_rule(scene.files).or_else(|| of_rule(scene.base)) {
            return trouble;
        }
        if !of_uses(scene.files).any(|(path, _)| self.files.has(path)) {
            return could_not("none of the files is of a language that can be read here");
        }
        let why = match symbols.len() {
            0 => "no new public symbol".to_owned(),
            n => format!(
                "all of {} used",
                seawall_core::words::many(n, "new public symbol")
            ),
        };
        (Value::Pass, why)
    }
}

impl Symbol<'_> {
    fn defined(&self) -> &Defined {
        &self.of.defined[self.at]
    }

    fn told(&self) -> String {
        let defined = self.defined();
        let name = crate::findings::look::excerpt(defined.name.as_bytes());
        format!(
            "{} `{name}` ({}:{})",
            defined.kind.word(),
            self.path,
            defined.lines.0
        )
    }
}

fn of_uses(files: &[(RepoPath, Facts)]) -> impl Iterator<Item = (&RepoPath, &Uses)> {
    files.iter().filter_map(|(path, facts)| match &facts.0 {
        Said::Uses(uses) => Some((path, &**uses)),
        _ => None,
    })
}

fn before(files: &[(RepoPath, Facts)]) -> HashMap<&RepoPath, &Uses> {
    of_uses(files).collect()
}

/// The definitions that are offered to other files now and were not before.
fn added<'a>(
    path: &'a RepoPath,
    now: &'a Uses,
    base: Option<&'a Uses>,
) -> impl Iterator<Item = usize> + 'a {
    let language = language(path);
    let known: HashSet<&str> = base
        .into_iter()
        .flat_map(|base| &base.defined)
        .filter(|defined| defined.public)
        .map(|defined| &*defined.name)
        .collect();
    let mut seen = HashSet::new();
    let all = now.defined.iter().enumerate();
    all.filter(move |(_, defined)| {
        let offered = defined.public && is_offered(language, defined);
        offered && !known.contains(&*defined.name) && seen.insert(&*defined.name)
    })
    .map(|(at, _)| at)
}

/// Whether a public definition is one that somebody should use. In Python every variable of a module is public, and in Go
/// the cases of an enumeration are constants.
fn is_offered(language: Option<Language>, defined: &Defined) -> bool {
    let value = matches!(defined.kind, Kind::Variable | Kind::Const);
    let by_the_way = match language {
        Some(Language::Python) => value || defined.kind == Kind::Type,
        Some(Language::Go) => defined.kind == Kind::Const,
        _ => false,
    };
    let special = defined.name.starts_with("__") || matches!(&*defined.name, "main" | "init");
    !by_the_way && !special && defined.kind != Kind::Module
}

/// The definitions that are used without any other file: by what was there before, by a mark, by being an entry.
fn alive(now: &Uses, base: Option<&Uses>, entry: bool) -> HashSet<usize> {
    let all = now.defined.iter().enumerate();
    let roots = all
        .filter(|(_, defined)| entry || defined.marked)
        .map(|(at, _)| at);
    spread(now, base, roots)
}

/// What of a file is used, if these definitions are, and all code is that was there before or stands outside of any.
fn spread(now: &Uses, base: Option<&Uses>, roots: impl Iterator<Item = usize>) -> HashSet<usize> {
    let old: HashSet<&str> = base
        .into_iter()
        .flat_map(|base| &base.defined)
        .map(|defined| &*defined.name)
        .collect();
    let owners = owners(&now.defined);
    let at: HashMap<&str, Vec<usize>> = by_name(&now.defined);
    // What each definition uses; what stands outside of any is used by all that load the file.
    let mut uses: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut pending: Vec<usize> = roots.collect();
    for (name, used) in &at {
        for line in now.names.get(*name).into_iter().flatten() {
            match owners.get(*line as usize).copied().flatten() {
                Some(owner) => uses.entry(owner).or_default().extend(used),
                None => pending.extend(used),
            }
        }
    }
    let all = now.defined.iter().enumerate();
    pending.extend(
        all.filter(|(_, d)| old.contains(&*d.name))
            .map(|(at, _)| at),
    );
    let mut alive = HashSet::new();
    while let Some(one) = pending.pop() {
        if alive.insert(one) {
            pending.extend(uses.get(&one).into_iter().flatten());
        }
    }
    alive
}

fn by_name(defined: &[Defined]) -> HashMap<&str, Vec<usize>> {
    let mut found: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, one) in defined.iter().enumerate() {
        found.entry(&one.name).or_default().push(at);
    }
    found
}

/// For each line the definition that it is in. A module holds others and owns nothing; a value is made when the file is
/// loaded, whoever uses it.
fn owners(defined: &[Defined]) -> Vec<Option<usize>> {
    let last = defined.iter().map(|one| one.lines.1).max().unwrap_or(0);
    let mut owners = vec![None; last as usize + 1];
    let holders = defined.iter().enumerate();
    for (at, one) in holders.filter(|(_, one)| !is_loaded(one.kind)) {
        let lines = one.lines.0 as usize..=one.lines.1 as usize;
        // The first definition of a line has it, so that each line is taken once.
        for owner in owners.get_mut(lines).into_iter().flatten() {
            owner.get_or_insert(at);
        }
    }
    owners
}

fn is_loaded(kind: Kind) -> bool {
    matches!(kind, Kind::Module | Kind::Variable | Kind::Const)
}

/// Whether a file only pins versions; it may be large and names everything.
fn is_lock(parts: &Parts) -> bool {
    parts.name.contains("lock") || parts.name.ends_with(".min.json")
}
