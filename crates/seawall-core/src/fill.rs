//! Filling in `{file}`, `{prompt}`, `{prompt_file}` and `{task}`.
//!
//! A `run` list has no shell: values go in as they are. A check is a shell string: values are quoted, so that
//! no file name can become syntax. Names are bytes, and so are the results. Braces that are not one of the
//! four words are left alone.

use crate::path::RepoPath;

/// What stands for the words of one task.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// `{file}`: the paths that the task changes or makes.
    pub files: &'a [&'a RepoPath],
    /// `{task}`.
    pub task: &'a str,
    /// `{prompt}`.
    pub prompt: &'a [u8],
    /// `{prompt_file}`.
    pub prompt_file: &'a [u8],
}

/// Fills in a `run` list. An argument that is exactly `{file}` becomes one argument per file; inside a longer
/// argument `{file}` is the first file.
#[must_use]
pub fn arguments(run: &[String], words: &Words) -> Vec<Vec<u8>> {
    let fill = |argument: &String| match argument.as_str() {
        "{file}" => words.files.iter().map(|path| plain(path)).collect(),
        text => vec![replace(text, |word| value(word, words))],
    };
    run.iter().flat_map(fill).collect()
}

fn value(word: &str, words: &Words) -> Option<Vec<u8>> {
    match word {
        "file" => words.files.first().map(|path| plain(path)),
        "task" => Some(words.task.as_bytes().to_vec()),
        "prompt" => Some(words.prompt.to_vec()),
        "prompt_file" => Some(words.prompt_file.to_vec()),
        _ => None,
    }
}

/// Fills in the shell string of a check: `{file}` becomes every file, quoted, and `{task}` the quoted id.
#[must_use]
pub fn shell(command: &str, files: &[&RepoPath], task: &str) -> Vec<u8> {
    replace(command, |word| match word {
        "file" => Some(
            files
                .iter()
                .map(|path| quote(&plain(path)))
                .collect::<Vec<_>>()
                .join(&b' '),
        ),
        "task" => Some(quote(task.as_bytes())),
        _ => None,
    })
}

/// A name that no program takes for an option.
fn plain(path: &RepoPath) -> Vec<u8> {
    let dashed: &[u8] = if path.as_bytes().starts_with(b"-") {
        b"./"
    } else {
        b""
    };
    [dashed, path.as_bytes()].concat()
}

/// Replaces each `{word}` that has a value. One pass: what is filled in is never looked at again.
fn replace(text: &str, value: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.extend_from_slice(&rest.as_bytes()[..open]);
        rest = &rest[open..];
        let word = rest[1..]
            .split('}')
            .next()
            .filter(|word| word.len() + 1 < rest.len());
        match word.and_then(|word| value(word).map(|value| (word.len() + 2, value))) {
            Some((used, value)) => {
                out.extend_from_slice(&value);
                rest = &rest[used..];
            }
            None => {
                out.push(b'{');
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// Quotes bytes for a POSIX shell, when they need it.
fn quote(bytes: &[u8]) -> Vec<u8> {
    let safe = |b: &u8| b.is_ascii_alphanumeric() || b"/._-+,:@%=".contains(b);
    if !bytes.is_empty() && bytes.iter().all(safe) {
        return bytes.to_vec();
    }
    let inner: Vec<u8> = bytes
        .iter()
        .flat_map(|b| {
            if *b == b'\'' {
                b"'\\''".to_vec()
            } else {
                vec![*b]
            }
        })
        .collect();
    [b"'".as_slice(), &inner, b"'"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&[u8]]) -> Vec<RepoPath> {
        names
            .iter()
            .map(|name| RepoPath::new(name).unwrap())
            .collect()
    }

    #[test]
    fn a_check_is_quoted() {
        type Case = (&'static str, &'static [&'static [u8]], &'static [u8]);
        let cases: [Case; 7] = [
            ("grep x {file}", &[b"src/a.py"], b"grep x src/a.py"),
            ("grep x {file}", &[b"a b", b"c"], b"grep x 'a b' c"),
            (
                "cat {file}",
                &[b"$(rm -rf ~);'`x`"],
                b"cat '$(rm -rf ~);'\\''`x`'",
            ),
            ("cat {file}", &[b"-rf"], b"cat ./-rf"),
            ("cat {file}", &[b"\xff\n"], b"cat '\xff\n'"),
            (
                "echo {task} ${x} {} {files} {",
                &[b"a"],
                b"echo 't 1' ${x} {} {files} {",
            ),
            (
                "awk '{print $1}' {file}",
                &[b"{task}"],
                b"awk '{print $1}' '{task}'",
            ),
        ];
        for (command, files, want) in cases {
            let files = paths(files);
            let files: Vec<_> = files.iter().collect();
            let got = shell(command, &files, "t 1");
            assert_eq!(got, want, "{}", String::from_utf8_lossy(&got));
        }
    }

    #[test]
    fn a_list_takes_values_as_they_are() {
        let files = paths(&[b"a b", b"-c"]);
        let files: Vec<_> = files.iter().collect();
        let words = Words {
            files: &files,
            task: "t",
            prompt: b"do {file}",
            prompt_file: b"/tmp/p",
        };
        let run = [
            "x",
            "{file}",
            "--in={file}",
            "{prompt}",
            "{task}:{prompt_file}",
        ]
        .map(str::to_owned);
        let want: [&[u8]; 6] = [
            b"x",
            b"a b",
            b"./-c",
            b"--in=a b",
            b"do {file}",
            b"t:/tmp/p",
        ];
        assert_eq!(arguments(&run, &words), want);
    }
}
