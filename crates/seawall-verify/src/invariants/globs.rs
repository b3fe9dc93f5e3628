//! Globs over the paths of a tree, compiled with the options of a plan's other globs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use globset::{GlobBuilder, GlobMatcher};
use seawall_core::path::RepoPath;

use super::InvariantError;

/// Several globs.
#[derive(Debug)]
pub(super) struct Globs(Vec<(String, GlobMatcher)>);

impl Globs {
    pub(super) fn new<'g>(
        globs: impl IntoIterator<Item = &'g String>,
    ) -> Result<Self, InvariantError> {
        let compiled = globs.into_iter().map(|glob| {
            let built = GlobBuilder::new(glob).literal_separator(true).build();
            let built = built.map_err(|source| InvariantError::Glob {
                glob: glob.clone(),
                source,
            })?;
            Ok((glob.clone(), built.compile_matcher()))
        });
        Ok(Self(compiled.collect::<Result<_, _>>()?))
    }

    /// Whether one of them matches.
    pub(super) fn has(&self, path: &RepoPath) -> bool {
        self.0.iter().any(|(_, glob)| matches(glob, path))
    }

    /// The first that matches none of the paths.
    pub(super) fn idle<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p RepoPath> + Clone,
    ) -> Option<&str> {
        let idle = |(_, glob): &&(String, GlobMatcher)| {
            !paths.clone().into_iter().any(|path| matches(glob, path))
        };
        self.0.iter().find(idle).map(|(text, _)| text.as_str())
    }
}

fn matches(glob: &GlobMatcher, path: &RepoPath) -> bool {
    glob.is_match(OsStr::from_bytes(path.as_bytes()))
}

/// Whether a text can only be a glob, and no name.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}
