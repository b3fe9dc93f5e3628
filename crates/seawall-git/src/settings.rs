//! What of the user's settings makes a checkout differ from the raw files of a commit.
//!
//! Line ends, filters such as LFS, `ident`, encodings and sparse checkouts do; those need git, which knows them all. Most
//! repositories have none, or attributes that change nothing on Linux (`text`, `diff`, `binary`), and then no program is
//! run. The look costs one walk through the trees of the commit, which also refuses names that are not safe to write.

use std::fs;
use std::path::{Path, PathBuf};

use git2::{Oid, Repository};

use crate::error::{Error, Result, git, io};
use crate::path::join;
use crate::raw::refuse_unsafe;
use crate::tree::{Node, find_tree, nodes};

/// The setting that makes git necessary, for messages; nothing when raw files are what the user would have.
pub(crate) fn needs_git(repo: &Repository, tree: Oid) -> Result<Option<String>> {
    if repo.workdir().is_none() {
        return Ok(None);
    }
    // First, because git would write names that are not safe elsewhere.
    let attributes = in_commit(repo, tree)?;
    if let Some(setting) = configured(repo)? {
        return Ok(Some(setting));
    }
    for file in attribute_files(repo) {
        match fs::read(&file) {
            Ok(text) if converts(&text) => {
                return Ok(Some(format!("the attributes in `{}`", file.display())));
            }
            // One that is not there, or not the user's to read, has no effect on git either.
            _ => {}
        }
    }
    Ok(attributes)
}

fn configured(repo: &Repository) -> Result<Option<String>> {
    let config = repo
        .config()
        .and_then(|mut config| config.snapshot())
        .map_err(git("read the configuration of the repository"))?;
    let value = |name: &str| {
        config
            .get_str(name)
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let off = |value: &str| matches!(value, "" | "false" | "no" | "off" | "0");
    for name in ["core.autocrlf", "core.sparsecheckout"] {
        let value = value(name);
        // A name without a value is true, and has no text.
        let bare = config.get_bool(name).unwrap_or(false);
        if bare || !off(&value) {
            return Ok(Some(format!("`{name}`")));
        }
    }
    Ok((value("core.eol") == "crlf").then(|| "`core.eol`".to_owned()))
}

/// Files of attributes outside of commits (gitattributes(5)).
fn attribute_files(repo: &Repository) -> Vec<PathBuf> {
    let mut files = vec![
        repo.commondir().join("info/attributes"),
        PathBuf::from("/etc/gitattributes"),
    ];
    let named = repo
        .config()
        .and_then(|config| config.get_path("core.attributesFile"));
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let usual = || {
        let config = home("XDG_CONFIG_HOME").filter(|path| !path.as_os_str().is_empty());
        let config = config.or_else(|| home("HOME").map(|home| home.join(".config")));
        config.map(|config| config.join("git/attributes"))
    };
    files.extend(named.ok().or_else(usual));
    files
}

/// Looks for attributes in a commit; on the way, every name of it is checked.
fn in_commit(repo: &Repository, tree: Oid) -> Result<Option<String>> {
    let mut found = None;
    let mut pending = vec![(Vec::new(), tree)];
    while let Some((dir, id)) = pending.pop() {
        for (name, node) in nodes(&find_tree(repo, id)?, &dir)? {
            let path = join(&dir, &name);
            refuse_unsafe(&name, &path)?;
            match node {
                Node::Tree(id) => pending.push((path, id)),
                Node::Leaf(leaf) if name == b".gitattributes" && found.is_none() => {
                    let blob = repo.find_blob(leaf.id);
                    let blob = blob.map_err(git("read the attributes of the commit"))?;
                    if converts(blob.content()) {
                        found = Some(format!("the attributes in `{}`", crate::path::show(&path)));
                    }
                }
                Node::Leaf(_) => {}
            }
        }
    }
    Ok(found)
}

/// Whether attributes can make a file differ from its blob. `text` and its like only do where line ends are configured.
fn converts(text: &[u8]) -> bool {
    let lines = text.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.trim_ascii().starts_with(b"#"));
    let mut words = lines.flat_map(|line| line.split(u8::is_ascii_whitespace));
    words.any(|word| {
        let alters: [&[u8]; 3] = [b"filter=", b"eol=crlf", b"working-tree-encoding="];
        word == b"ident" || alters.iter().any(|alters| word.starts_with(alters))
    })
}

/// The directory of git for the checkout: that of a linked checkout is not the common one.
pub(crate) fn git_dir(repo: &Repository) -> Result<PathBuf> {
    let path: &Path = repo.path();
    match path.canonicalize() {
        Ok(found) => Ok(found),
        Err(source) => Err::<PathBuf, Error>(io("find", path)(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::converts;

    #[test]
    fn attributes_that_change_files() {
        for text in [
            "*.bin filter=lfs diff=lfs -text",
            "# x\n*.bat text eol=crlf\n",
            "* ident",
            "*.cs working-tree-encoding=UTF-16",
        ] {
            assert!(converts(text.as_bytes()), "{text:?}");
        }
        for text in [
            "",
            "* text=auto\n*.png binary",
            "# * filter=lfs",
            "*.sh text eol=lf\n* -ident linguist-vendored",
        ] {
            assert!(!converts(text.as_bytes()), "{text:?}");
        }
    }
}
