//! What a path says of a file by custom, whatever is in it.

use seawall_core::path::RepoPath;

/// A path in its parts, as shown.
pub(crate) struct Parts {
    pub(crate) directories: Vec<String>,
    pub(crate) name: String,
}

impl Parts {
    pub(crate) fn of(path: &RepoPath) -> Self {
        let mut directories: Vec<_> = path.to_string().split('/').map(str::to_owned).collect();
        let name = directories.pop().unwrap_or_default();
        Self { directories, name }
    }

    /// Whether one of the directories has one of these names.
    pub(crate) fn below(&self, names: &[&str]) -> bool {
        self.directories
            .iter()
            .any(|part| names.contains(&part.as_str()))
    }

    /// The name up to its first dot.
    pub(crate) fn stem(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    /// The end of the name, in lower case and without the dot.
    pub(crate) fn extension(&self) -> String {
        let end = self.name.rsplit_once('.');
        end.map(|(_, end)| end.to_lowercase()).unwrap_or_default()
    }

    /// Whether the name alone marks a file of tests: `test_a.py`, `a_test.go`, `a.spec.ts`.
    pub(crate) fn is_named_test(&self) -> bool {
        let stem = self.stem();
        let marked = self.name.contains(".test.") || self.name.contains(".spec.");
        marked || stem.starts_with("test_") || stem.ends_with("_test") || stem == "conftest"
    }

    /// Whether tests or their data live here.
    pub(crate) fn is_test(&self) -> bool {
        const DIRECTORIES: &[&str] = &[
            "test",
            "tests",
            "testing",
            "testdata",
            "fixtures",
            "__tests__",
            "spec",
            "mocks",
        ];
        self.is_named_test() || self.below(DIRECTORIES)
    }
}
