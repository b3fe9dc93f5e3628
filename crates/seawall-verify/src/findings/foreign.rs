//! An import of a package that nobody declared: neither a manifest, nor the repository, nor the language.
//!
//! A name that an agent invented fails at once or, worse, is one that a stranger registered. It is a note: a module may
//! have another name than its package, or come with the place where the code runs, and only a person knows. A repository
//! without a manifest of the language declares nothing, so nothing is said there, and neither is it of what is only tried.

use std::collections::BTreeSet;

use seawall_core::finding::Severity;

use super::look::{File, Found, Look, excerpt};
use crate::around::Around;
use crate::outline::Language;
use crate::outline::imported::{Import, imports, local_names};
use crate::outline::parse::parse;

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    let Some(around) = look.around else { return };
    let known: BTreeSet<String> = look
        .files
        .iter()
        .filter_map(|file| Some((file.language?, file.before?)))
        .flat_map(|(language, before)| packages(around, language, before))
        .map(|(package, _)| package)
        .collect();
    for file in &look.files {
        let (Some(language), Some(after)) = (file.language, file.after) else {
            continue;
        };
        let mut told = BTreeSet::new();
        for (package, line) in packages(around, language, after) {
            let new = !known.contains(&package) && told.insert(package.clone());
            if new && !is_asked(look, &package) && !is_declared_here(look, file, &package) {
                let name = excerpt(package.as_bytes());
                let text = format!("imports `{name}`, which no manifest declares");
                found.at(Severity::Note, file.path, line, text);
            }
        }
    }
}

/// The packages of imports that nothing explains, each with its line.
fn packages(around: &Around, language: Language, source: &[u8]) -> Vec<(String, u32)> {
    let Some(tree) = parse(language, source) else {
        return Vec::new();
    };
    let all = imports(language, &tree, source);
    let local = match language {
        Language::Rust => local_names(&tree, source),
        _ => BTreeSet::new(),
    };
    let unknown = |import: &Import| {
        // A path that is written out may begin with a local name.
        let package = around
            .unknown(language, &import.module)
            .filter(|_| import.stated && !import.optional)?;
        (!local.contains(&package)).then_some((package, import.line))
    };
    all.iter().filter_map(unknown).collect()
}

fn is_asked(look: &Look<'_>, package: &str) -> bool {
    let lower = package.to_lowercase();
    look.asks(&[&lower, &lower.replace('_', "-")])
}

/// Whether a manifest of the same change declares it; that is another rule's matter.
fn is_declared_here(look: &Look<'_>, of: &File<'_>, package: &str) -> bool {
    let mut manifests = look.files.iter().filter_map(|file| {
        let is_manifest = Around::is_manifest(file.path);
        Some((file.path.clone(), file.after?.to_vec())).filter(|_| is_manifest)
    });
    let Some(language) = of.language else {
        return false;
    };
    manifests.any(|manifest| {
        let alone = Around::new(&[], std::slice::from_ref(&manifest));
        alone.declares(language) && alone.unknown(language, package).is_none()
    })
}
