//! The last step of a worker: the command as it is really run, with its environment and the places of this view.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::libc;

use crate::order::{HOME_MARK, TMP_MARK, WORKSPACE_MARK};
use crate::sys;
use crate::view::View;
use crate::worker::{Failure, Start};

/// The variables of the command; later ones win.
fn environment(start: &Start<'_>) -> BTreeMap<OsString, OsString> {
    let own = [("HOME", &start.view.home), ("TMPDIR", &start.view.tmp)];
    let own = own
        .into_iter()
        .map(|(name, path)| (OsString::from(name), path.clone().into_os_string()));
    let ordered = start.launch.env.iter().cloned();
    own.chain(ordered.map(|(name, value)| (name.into_os(), fill(&value.into_os(), start.view))))
        .collect()
}

/// Replaces the marks by the places of this view.
fn fill(text: &OsStr, view: &View) -> OsString {
    let marks = [
        (HOME_MARK, &view.home),
        (TMP_MARK, &view.tmp),
        (WORKSPACE_MARK, &view.workspace),
    ];
    let mut rest = text.as_bytes();
    let mut filled = Vec::with_capacity(rest.len());
    while let Some(at) = rest
        .iter()
        .position(|byte| *byte == HOME_MARK.as_bytes()[0])
    {
        filled.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        match marks
            .iter()
            .find(|(mark, _)| rest.starts_with(mark.as_bytes()))
        {
            Some((mark, place)) => {
                filled.extend_from_slice(place.as_os_str().as_bytes());
                rest = &rest[mark.len()..];
            }
            None => {
                filled.push(rest[0]);
                rest = &rest[1..];
            }
        }
    }
    filled.extend_from_slice(rest);
    OsString::from_vec(filled)
}

/// Becomes the command, as `execvp(3)` would; returns why it could not.
pub(crate) fn execute(start: &Start<'_>) -> Failure {
    let argv: Vec<OsString> = start
        .launch
        .argv
        .iter()
        .map(|word| fill(&word.clone().into_os(), start.view))
        .collect();
    let env = environment(start);
    let program = argv.first().cloned().unwrap_or_default();
    let step = format!("exec `{}`", program.display());
    match try_candidates(&program, &argv, &env) {
        Ok(never) => match never {},
        Err(error) => Failure {
            step,
            error: error.to_string(),
        },
    }
}

fn try_candidates(
    program: &OsStr,
    argv: &[OsString],
    env: &BTreeMap<OsString, OsString>,
) -> io::Result<std::convert::Infallible> {
    let words = argv
        .iter()
        .map(|word| sys::c_string(word))
        .collect::<io::Result<Vec<_>>>()?;
    let variables = env.iter().map(|(name, value)| {
        let variable = [name.as_bytes(), b"=", value.as_bytes()].concat();
        CString::new(variable).map_err(io::Error::from)
    });
    let variables = variables.collect::<io::Result<Vec<_>>>()?;
    let mut failure = io::Error::from_raw_os_error(libc::ENOENT);
    for candidate in candidates(program, env.get(OsStr::new("PATH"))) {
        let error = sys::execute(&sys::c_string(candidate.as_os_str())?, &words, &variables);
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => {}
            // A file that may not be run does not hide one further on, but it is the better reason at the end.
            Some(libc::EACCES) => failure = error,
            Some(libc::ENOEXEC) => return Err(run_as_script(&candidate, &words, &variables)?),
            _ => return Err(error),
        }
    }
    Err(failure)
}

fn run_as_script(script: &Path, words: &[CString], variables: &[CString]) -> io::Result<io::Error> {
    let script = sys::c_string(script.as_os_str())?;
    let shell = [c"/bin/sh".to_owned(), script];
    let words: Vec<_> = shell
        .into_iter()
        .chain(words.iter().skip(1).cloned())
        .collect();
    Ok(sys::execute(c"/bin/sh", &words, variables))
}

fn candidates(program: &OsStr, path: Option<&OsString>) -> Vec<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return vec![program.into()];
    }
    let path = path
        .cloned()
        .unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|dir| dir.join(program))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_places() {
        let view = View {
            workspace: "/repo".into(),
            home: "/run/seawall/home".into(),
            tmp: "/t".into(),
            scratch: Vec::new(),
        };
        for (text, expected) in [
            (
                format!("--prompt={HOME_MARK}/p.md"),
                "--prompt=/run/seawall/home/p.md",
            ),
            (format!("{TMP_MARK}:{WORKSPACE_MARK}"), "/t:/repo"),
            ("plain \u{1a}text".to_owned(), "plain \u{1a}text"),
        ] {
            assert_eq!(fill(OsStr::new(&text), &view), expected);
        }
    }

    #[test]
    fn only_absolute_directories_are_searched() {
        let path = OsString::from("/a::relative:/b");
        assert_eq!(
            candidates(OsStr::new("x"), Some(&path)),
            [Path::new("/a/x"), Path::new("/b/x")]
        );
        assert_eq!(
            candidates(OsStr::new("./x"), Some(&path)),
            [Path::new("./x")]
        );
    }
}
