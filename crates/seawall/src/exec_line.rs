//! The usual command lines of `seawall exec`, read without the reader of arguments.
//!
//! A confined command costs a few milliseconds, of which describing the arguments to the reader and having them read would be
//! a twentieth. What is understood here is understood exactly as the reader would; whatever is not plainly right, help and
//! mistakes above all, is left to it. A test holds the two together.

use std::ffi::OsString;

use crate::args::ExecArgs;

/// The arguments after the name of the program; `None` for what the reader of arguments is to look at.
pub(crate) fn read(words: impl Iterator<Item = OsString>) -> Option<ExecArgs> {
    let mut words = words;
    if words.next()? != "exec" {
        return None;
    }
    let mut line = Line::default();
    loop {
        let word = words.next()?;
        let word = word.to_str()?;
        if word == "--" {
            break;
        }
        match word.strip_prefix("--")?.split_once('=') {
            Some((name, value)) => line.take(name, value.to_owned())?,
            None if word == "--no-namespaces" => line.switch()?,
            None => line.take(&word[2..], words.next()?.into_string().ok()?)?,
        }
    }
    line.finish(words.collect())
}

/// What was read so far.
#[derive(Debug, Default)]
struct Line {
    profile: Option<String>,
    dir: Option<String>,
    write: Vec<String>,
    read: Vec<String>,
    host: Vec<String>,
    no_namespaces: bool,
}

impl Line {
    /// An option and its value.
    fn take(&mut self, name: &str, value: String) -> Option<()> {
        // A value that looks like an option, or that is not there, is likely a mistake.
        if value.is_empty() || value.starts_with('-') {
            return None;
        }
        let once = |place: &mut Option<String>, value| place.replace(value).is_none().then_some(());
        match name {
            "profile" => once(&mut self.profile, value)?,
            "dir" => once(&mut self.dir, value)?,
            "write" => self.write.push(value),
            "read" => self.read.push(value),
            "host" => self.host.push(value),
            _ => return None,
        }
        Some(())
    }

    fn switch(&mut self) -> Option<()> {
        (!std::mem::replace(&mut self.no_namespaces, true)).then_some(())
    }

    fn finish(self, command: Vec<OsString>) -> Option<ExecArgs> {
        let paths = |texts: Vec<String>| texts.into_iter().map(Into::into).collect();
        (!command.is_empty()).then(|| ExecArgs {
            profile: self.profile.unwrap_or_else(|| "worker".to_owned()),
            dir: self.dir.map(Into::into),
            write: paths(self.write),
            read: paths(self.read),
            host: self.host,
            forward: Vec::new(),
            no_namespaces: self.no_namespaces,
            command,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    /// What the reader of arguments makes of a line.
    fn by_the_reader(line: &[&str]) -> Option<ExecArgs> {
        let words = ["seawall"].iter().chain(line);
        match Cli::try_parse_from(words).ok()? {
            Cli {
                repo: None,
                command: Command::Exec(args),
            } => Some(args),
            _ => None,
        }
    }

    fn here(line: &[&str]) -> Option<ExecArgs> {
        read(line.iter().map(OsString::from))
    }

    #[test]
    fn a_usual_line_is_read_as_the_reader_of_arguments_reads_it() {
        for line in [
            "exec -- true",
            "exec --profile check -- sh -c --help",
            "exec --profile=agent --dir=/tmp -- a -- b",
            "exec --dir . --write a --write=b --read c --host x:1 --host=y:2 --no-namespaces -- ls -l",
            "exec --dir a=b -- true",
            "exec --read=a=b -- true",
        ] {
            let words: Vec<_> = line.split(' ').collect();
            let (found, expected) = (here(&words), by_the_reader(&words));
            assert!(found.is_some(), "{line}");
            assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{line}");
        }
    }

    #[test]
    fn what_is_not_plainly_right_is_left_to_the_reader_of_arguments() {
        for line in [
            "",
            "run plan.toml",
            "exec",
            "exec --",
            "exec true",
            "exec --help",
            "exec -h -- true",
            "exec --no-namespaces=yes -- true",
            "exec --no-namespaces --no-namespaces -- true",
            "exec --profile a --profile b -- true",
            "exec --profile -- true",
            "exec --profile --dir -- true",
            "exec --dir= -- true",
            "exec --prof a -- true",
            "exec --repo . -- true",
            "exec --forward 1=a:1 -- true",
            "exec --=a -- true",
        ] {
            let words: Vec<_> = line.split(' ').collect();
            assert!(here(&words).is_none(), "{line}");
        }
    }
}
