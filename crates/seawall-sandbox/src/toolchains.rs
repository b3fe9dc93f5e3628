//! The toolchains on `PATH`: which directories they need besides the one on `PATH`, and which variables tell them where
//! those are once `HOME` is private.
//!
//! A table, because every version manager has its own habit. What no row knows is granted as the directory that stands on
//! `PATH` and nothing else.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A version manager that lives in one directory.
struct Known {
    /// The variable that moves the directory.
    var: &'static str,
    /// Where it is otherwise, below the user's home.
    default: &'static str,
    /// What is readable below it; never a place with credentials.
    read: &'static [&'static str],
    /// Whether the variable is set for the command.
    sets: bool,
    /// A second directory that its programs need, with the same three facts.
    also: Option<(&'static str, &'static str)>,
}

const WHOLE: &[&str] = &[""];

const KNOWN: &[Known] = &[
    Known {
        var: "CARGO_HOME",
        default: ".cargo",
        read: &["bin"],
        sets: false,
        also: Some(("RUSTUP_HOME", ".rustup")),
    },
    Known {
        var: "PYENV_ROOT",
        default: ".pyenv",
        read: WHOLE,
        sets: true,
        also: None,
    },
    Known {
        var: "RBENV_ROOT",
        default: ".rbenv",
        read: WHOLE,
        sets: true,
        also: None,
    },
    Known {
        var: "NVM_DIR",
        default: ".nvm",
        read: WHOLE,
        sets: true,
        also: None,
    },
    Known {
        var: "FNM_DIR",
        default: ".local/share/fnm",
        read: WHOLE,
        sets: true,
        also: None,
    },
    Known {
        var: "VOLTA_HOME",
        default: ".volta",
        read: WHOLE,
        sets: true,
        also: None,
    },
    Known {
        var: "ASDF_DATA_DIR",
        default: ".asdf",
        read: WHOLE,
        sets: true,
        also: None,
    },
    Known {
        var: "MISE_DATA_DIR",
        default: ".local/share/mise",
        read: WHOLE,
        sets: true,
        also: None,
    },
    Known {
        var: "SDKMAN_DIR",
        default: ".sdkman",
        read: &["bin", "candidates", "libexec"],
        sets: true,
        also: None,
    },
    Known {
        var: "GOPATH",
        default: "go",
        read: &["bin"],
        sets: false,
        also: None,
    },
    Known {
        var: "PYTHONUSERBASE",
        default: ".local",
        read: &["bin", "lib", "share/pipx", "share/uv"],
        sets: true,
        also: None,
    },
];

/// A file beside `bin` that says that the directory above is a self-contained installation.
const PREFIX_MARKS: &[&str] = &["conda-meta", "pkg/tool", "lib/rustlib"];

/// The same for a Python virtual environment; it is read.
const VENV_MARK: &str = "pyvenv.cfg";

/// Prefixes of the system's own programs, which hold no installation that is not granted already.
const SYSTEM_PREFIXES: &[&str] = &["/", "/usr", "/usr/local"];

/// What the toolchains need.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Toolchains {
    pub(crate) read: Vec<PathBuf>,
    pub(crate) env: Vec<(OsString, OsString)>,
}

/// Looks at every absolute directory of `path`; `var` reads the caller's environment.
pub(crate) fn on_path(
    path: &OsStr,
    home: Option<&Path>,
    var: &dyn Fn(&str) -> Option<OsString>,
) -> Toolchains {
    let mut found = Toolchains::default();
    let mut looked_at = BTreeSet::new();
    let root = |known: &'static Known| Some((known, root(known, home, var)?));
    let roots: Vec<_> = KNOWN.iter().filter_map(root).collect();
    for directory in std::env::split_paths(path).filter(|directory| directory.is_absolute()) {
        let owns = |(known, root): &&(&Known, PathBuf)| known.owns(root, &directory);
        match roots.iter().find(owns) {
            Some((known, root)) => found.add_known(known, root, home, var),
            None => {
                // Several directories of one installation often stand on it, and one of them often twice.
                if looked_at.insert(directory.parent().map(Path::to_owned)) {
                    found.add_around(&directory);
                }
                found.read.push(directory);
            }
        }
    }
    found.read.sort();
    found.read.dedup();
    found
}

impl Toolchains {
    /// Adds what the command itself needs when a link leads to it from `path`, or when it is named by its own path.
    ///
    /// Agents are often a link on `PATH` to a package elsewhere. Only an executable file is believed, so that a plan cannot
    /// name a secret as its command to have it granted.
    pub(crate) fn add_command(&mut self, program: &OsStr, path: &OsStr) {
        let Some(found) = find_program(Path::new(program), path) else {
            return;
        };
        let Ok(real) = found.canonicalize() else {
            return;
        };
        for file in [found, real] {
            self.add_package(&file);
            if let Some(directory) = file.parent() {
                self.add_around(directory);
            }
            self.read.push(file);
        }
    }

    /// Names a granted directory to the tool whose home it is: `~/.cargo` can be read where it is only when `CARGO_HOME`
    /// says so, for `HOME` is private.
    pub(crate) fn add_granted(
        &mut self,
        granted: &[PathBuf],
        home: Option<&Path>,
        var: &dyn Fn(&str) -> Option<OsString>,
    ) {
        for known in KNOWN {
            if let Some(root) = place(known.var, known.default, home, var)
                && granted.contains(&root)
            {
                self.set(known.var, &root);
            }
        }
    }

    /// A Node package needs those that it was installed with: everything below the outermost `node_modules`.
    fn add_package(&mut self, file: &Path) {
        let outermost = file
            .ancestors()
            .filter(|above| above.ends_with("node_modules"))
            .last();
        self.read.extend(outermost.map(Path::to_owned));
    }
}

fn find_program(named: &Path, path: &OsStr) -> Option<PathBuf> {
    if named.is_absolute() {
        return is_program(named).then(|| named.to_owned());
    }
    if named.components().count() > 1 {
        return None;
    }
    let directories = std::env::split_paths(path).filter(|directory| directory.is_absolute());
    directories
        .map(|directory| directory.join(named))
        .find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn place(
    var_name: &str,
    default: &str,
    home: Option<&Path>,
    var: &dyn Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let named = var(var_name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    named
        .or_else(|| home.map(|home| home.join(default)))
        .filter(|place| place.is_absolute())
}

/// Where a version manager is, if it can be believed: a variable that points at the home itself, or above it, must not grant
/// all of it.
fn root(
    known: &Known,
    home: Option<&Path>,
    var: &dyn Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let root = place(known.var, known.default, home, var)?;
    let absurd = home.is_some_and(|home| home.starts_with(&root));
    (!absurd).then_some(root)
}

impl Known {
    /// Whether a directory lies in what is readable below its root.
    fn owns(&self, root: &Path, directory: &Path) -> bool {
        let below = directory.strip_prefix(root);
        below.is_ok_and(|below| self.read.iter().any(|part| below.starts_with(part)))
    }
}

impl Toolchains {
    fn add_known(
        &mut self,
        known: &Known,
        root: &Path,
        home: Option<&Path>,
        var: &dyn Fn(&str) -> Option<OsString>,
    ) {
        self.read
            .extend(known.read.iter().map(|part| root.join(part)));
        if known.sets {
            self.set(known.var, root);
        }
        if let Some((also, default)) = known.also
            && let Some(second) = place(also, default, home, var)
        {
            self.set(also, &second);
            self.read.push(second);
        }
    }

    /// The installation around a directory of programs, when it is known to be one.
    fn add_around(&mut self, directory: &Path) {
        let Some(prefix) = directory.parent() else {
            return;
        };
        // What is below them is granted anyway, and `/` never is.
        if SYSTEM_PREFIXES
            .iter()
            .any(|known| prefix == Path::new(known))
        {
            return;
        }
        let settings = std::fs::read_to_string(prefix.join(VENV_MARK));
        if settings.is_ok()
            || prefix.parent() == Some(Path::new("/opt"))
            || PREFIX_MARKS.iter().any(|mark| prefix.join(mark).exists())
        {
            self.read.push(prefix.to_owned());
        }
        self.read.extend(settings.ok().as_deref().and_then(base_in));
    }

    fn set(&mut self, name: &str, value: &Path) {
        if !self.env.iter().any(|(set, _)| set == name) {
            self.env.push((name.into(), value.into()));
        }
    }
}

/// The installation that a Python virtual environment borrows its interpreter from (`home =` in `pyvenv.cfg`); none for
/// every other directory.
#[must_use]
pub fn base_of_venv(prefix: &Path) -> Option<PathBuf> {
    base_in(&std::fs::read_to_string(prefix.join(VENV_MARK)).ok()?)
}

fn base_in(settings: &str) -> Option<PathBuf> {
    let home = settings.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "home").then(|| PathBuf::from(value.trim()))
    })?;
    // Only `<prefix>/bin` is believed: the file may lie in a directory that others write.
    let base = home
        .parent()
        .filter(|base| home.ends_with("bin") && base.join("lib").is_dir())?;
    (base.is_absolute() && base.components().count() > 1).then(|| base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, home: &Path) -> Toolchains {
        on_path(OsStr::new(path), Some(home), &|_| None)
    }

    #[test]
    fn rustup_is_granted_without_the_credentials_of_cargo() {
        let toolchains = found("/home/u/.cargo/bin:/usr/bin:relative", Path::new("/home/u"));
        let read: Vec<_> = toolchains
            .read
            .iter()
            .map(|path| path.to_str().unwrap())
            .collect();
        assert_eq!(read, ["/home/u/.cargo/bin", "/home/u/.rustup", "/usr/bin"]);
        assert_eq!(
            toolchains.env,
            [("RUSTUP_HOME".into(), "/home/u/.rustup".into())]
        );
    }

    #[test]
    fn a_granted_home_is_named() {
        let mut found = Toolchains::default();
        let granted = [PathBuf::from("/home/u/.cargo"), "/home/u/other".into()];
        found.add_granted(&granted, Some(Path::new("/home/u")), &|_| None);
        assert_eq!(found.env, [("CARGO_HOME".into(), "/home/u/.cargo".into())]);
    }

    #[test]
    fn a_version_manager_is_granted_whole() {
        let toolchains = found(
            "/home/u/.pyenv/shims:/home/u/.pyenv/bin",
            Path::new("/home/u"),
        );
        assert_eq!(toolchains.read, [Path::new("/home/u/.pyenv")]);
        assert_eq!(
            toolchains.env,
            [("PYENV_ROOT".into(), "/home/u/.pyenv".into())]
        );
    }

    #[test]
    fn user_programs_do_not_open_the_rest_of_dot_local() {
        let toolchains = found("/home/u/.local/bin", Path::new("/home/u"));
        assert!(
            !toolchains
                .read
                .iter()
                .any(|path| Path::new("/home/u/.local/share/keyrings").starts_with(path))
        );
    }

    #[test]
    fn a_root_that_is_the_home_grants_one_directory() {
        let var = |name: &str| (name == "PYENV_ROOT").then(|| OsString::from("/home/u"));
        let toolchains = on_path(OsStr::new("/home/u/bin"), Some(Path::new("/home/u")), &var);
        assert_eq!(toolchains.read, [Path::new("/home/u/bin")]);
    }

    #[test]
    fn a_link_to_a_package_grants_the_package() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let (bin, package) = (root.join("bin"), root.join("lib/node_modules/agent"));
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(package.join("cli.js"), "").unwrap();
        std::os::unix::fs::symlink(package.join("cli.js"), bin.join("agent")).unwrap();
        let mut found = Toolchains::default();
        found.add_command(OsStr::new("agent"), bin.as_os_str());
        assert_eq!(
            found,
            Toolchains::default(),
            "a file that cannot be run is no command"
        );
        std::fs::set_permissions(package.join("cli.js"), PermissionsExt::from_mode(0o755)).unwrap();
        found.add_command(OsStr::new("agent"), bin.as_os_str());
        assert!(
            found.read.contains(&root.join("lib/node_modules")),
            "{found:?}"
        );
        assert!(!found.read.contains(&root), "{found:?}");
    }

    #[test]
    fn a_virtual_environment_brings_its_base() {
        let directory = tempfile::tempdir().unwrap();
        let (venv, base) = (directory.path().join("venv"), directory.path().join("base"));
        for made in [venv.join("bin"), base.join("bin"), base.join("lib")] {
            std::fs::create_dir_all(made).unwrap();
        }
        let settings = format!("home = {}\nversion = 3\n", base.join("bin").display());
        std::fs::write(venv.join("pyvenv.cfg"), settings).unwrap();
        let toolchains = on_path(venv.join("bin").as_os_str(), None, &|_| None);
        assert_eq!(toolchains.read, [base, venv.clone(), venv.join("bin")]);
    }
}
