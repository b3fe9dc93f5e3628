//! The paths that a plan names, held against the tree of the base.
//!
//! A path of a plan is in the escaped form of [`seawall_core::path`]. Everything that would make a
//! worker write outside of what the task owns, or through something that is not a plain file, is
//! refused here, before anything is started.

use seawall_core::diagnostic::Diagnostic;
use seawall_core::path::{PathError, RepoPath};

use crate::nearest::nearest;
use crate::problems::{At, Problems, error, shown};
use crate::tree::{Blocked, Tree};
use crate::world::{Kind, World};

/// Reads one path; a path that cannot be inside the repository is reported.
pub(crate) fn parse(path: &At<&str>, problems: &mut Problems) -> Option<RepoPath> {
    match RepoPath::unescape(path.value) {
        Ok(parsed) => Some(parsed),
        Err(why) => {
            problems.add(outside(path, why));
            None
        }
    }
}

fn outside(path: &At<&str>, why: PathError) -> Diagnostic {
    let help = match why {
        PathError::Absolute => "write it relative to the top of the repository",
        PathError::GitDir => "a plan cannot change git's own files",
        PathError::Dots => "write it without `.` and `..`, relative to the top of the repository",
        PathError::Empty => "write it without an empty part, as `git ls-files` prints it",
        PathError::Nul => "no file has such a name",
    };
    error("SW0113", format!("path `{}` {why}", shown(path.value)))
        .at(path.span.clone(), why.to_string())
        .help(help)
}

/// Whether the path is Seawall's own configuration, on a file system that folds case too.
pub(crate) fn is_own(path: &RepoPath) -> bool {
    let first = path.as_bytes().split(|b| *b == b'/').next();
    first.is_some_and(|name| name.eq_ignore_ascii_case(b".seawall"))
}

pub(crate) fn own(typed: &At<&str>, path: &RepoPath) -> Diagnostic {
    error("SW0141", format!("`{path}` is Seawall's own configuration"))
        .at(
            typed.span.clone(),
            "would decide what the next run's workers may do",
        )
        .help("change it yourself: no worker may write below `.seawall/`")
}

/// Whether `path` is `other`, or lies below it.
pub(crate) fn is_inside(path: &RepoPath, other: &RepoPath) -> bool {
    let rest = path.as_bytes().strip_prefix(other.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// What a path turned out to be.
pub(crate) enum Found {
    /// A regular file of the base.
    File,
    /// Not there; nothing forbids that it be made.
    Absent,
    /// Reported.
    Refused,
}

/// Looks `path` up; whatever can be no file of a task is reported.
pub(crate) fn look(
    world: &dyn World,
    tree: &Tree<'_>,
    typed: &At<&str>,
    path: &RepoPath,
    problems: &mut Problems,
) -> Found {
    match tree.kind(path.as_bytes()) {
        Some(Kind::File) => return Found::File,
        Some(Kind::Symlink) => problems.add(link(typed, path)),
        Some(Kind::Submodule) => problems.add(submodule(typed, path)),
        None => match tree.blocked(path.as_bytes()) {
            Some(Blocked::Symlink(part)) => problems.add(link(typed, part)),
            Some(Blocked::Submodule(part)) => problems.add(submodule(typed, part)),
            Some(Blocked::File(part)) => problems.add(below_file(typed, part)),
            None if tree.is_directory(path.as_bytes()) => problems.add(directory(typed, path)),
            None if world.ignored(path) => problems.add(ignored(typed, path)),
            None => return Found::Absent,
        },
    }
    Found::Refused
}

/// Whether a file could stand at `path`, or does already; what forbids it is reported.
pub(crate) fn can_be_file(
    tree: &Tree<'_>,
    typed: &At<&str>,
    path: &RepoPath,
    problems: &mut Problems,
) -> bool {
    let problem = match (tree.kind(path.as_bytes()), tree.blocked(path.as_bytes())) {
        (Some(Kind::File), _) => return true,
        (Some(Kind::Symlink), _) => link(typed, path),
        (Some(Kind::Submodule), _) => submodule(typed, path),
        (None, Some(Blocked::Symlink(part))) => link(typed, part),
        (None, Some(Blocked::Submodule(part))) => submodule(typed, part),
        (None, Some(Blocked::File(part))) => below_file(typed, part),
        (None, None) if tree.is_directory(path.as_bytes()) => not_a_file(typed, path),
        (None, None) => return true,
    };
    problems.add(problem);
    false
}

fn not_a_file(typed: &At<&str>, path: &RepoPath) -> Diagnostic {
    error("SW0119", format!("`{path}` is a directory"))
        .at(typed.span.clone(), "a file is wanted")
        .help("name a file below it")
}

fn link(typed: &At<&str>, part: &RepoPath) -> Diagnostic {
    error(
        "SW0114",
        format!(
            "`{}` goes through the symbolic link `{part}`",
            shown(typed.value)
        ),
    )
    .at(typed.span.clone(), "not a plain file of the repository")
    .help("name the file that the link points to; a plan neither follows nor changes links")
}

fn submodule(typed: &At<&str>, part: &RepoPath) -> Diagnostic {
    error(
        "SW0114",
        format!("`{}` is in the submodule `{part}`", shown(typed.value)),
    )
    .at(typed.span.clone(), "belongs to another repository")
    .help("run a plan in the submodule's own repository")
}

fn below_file(typed: &At<&str>, part: &RepoPath) -> Diagnostic {
    error(
        "SW0119",
        format!(
            "`{}` would be below `{part}`, which is a file",
            shown(typed.value)
        ),
    )
    .at(typed.span.clone(), "no directory there")
    .help("name a path whose directories are directories")
}

fn directory(typed: &At<&str>, path: &RepoPath) -> Diagnostic {
    error("SW0119", format!("`{path}` is a directory"))
        .at(typed.span.clone(), "a task owns files")
        .help(format!("one task per file: `each = \"{path}/*\"`"))
}

fn ignored(typed: &At<&str>, path: &RepoPath) -> Diagnostic {
    error("SW0115", format!("`{path}` is ignored by git"))
        .at(typed.span.clone(), "would never be in a commit")
        .help("`git check-ignore -v` says which rule does that; change the rule, or name another file")
}

/// That an existing file was named and the base has none; guesses what was meant.
pub(crate) fn missing(
    tree: &Tree<'_>,
    span: std::ops::Range<usize>,
    path: &RepoPath,
    problems: &mut Problems,
) {
    let help = match guess(tree, path, problems) {
        Some(near) => {
            format!("did you mean `{near}`? a file that the task is to make goes into `creates`")
        }
        None => format!("a file that the task is to make goes into `creates = [\"{path}\"]`"),
    };
    problems.add(
        error(
            "SW0116",
            format!("there is no file `{path}` in the base commit"),
        )
        .at(span, "not in the commit")
        .help(help),
    );
}

/// The file of the same directory with the nearest name, or else one of the same name elsewhere.
fn guess(tree: &Tree<'_>, path: &RepoPath, problems: &mut Problems) -> Option<String> {
    if !problems.may_guess() {
        return None;
    }
    let (directory, name) = match path.as_bytes().iter().rposition(|b| *b == b'/') {
        Some(slash) => path.as_bytes().split_at(slash + 1),
        None => (&b""[..], path.as_bytes()),
    };
    neighbour(tree, path, directory).or_else(|| namesake(tree, name))
}

fn neighbour(tree: &Tree<'_>, path: &RepoPath, directory: &[u8]) -> Option<String> {
    /// Neighbours that are compared; a directory with more gets the guess among the first.
    const NEIGHBOURS: usize = 2_000;
    let files = tree
        .below(directory)
        .iter()
        .filter(|(_, kind)| *kind == Kind::File);
    let names: Vec<String> = files.take(NEIGHBOURS).map(|(p, _)| p.to_string()).collect();
    nearest(&path.to_string(), names.iter().map(String::as_str)).map(str::to_owned)
}

fn namesake(tree: &Tree<'_>, name: &[u8]) -> Option<String> {
    let has_name = |path: &RepoPath| {
        let rest = path.as_bytes().strip_suffix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(b"/"))
    };
    tree.all()
        .iter()
        .find(|(path, _)| has_name(path))
        .map(|(path, _)| path.to_string())
}
