//! What earlier waves changed in the interface of a file stands in the brief of a task that reads it; what they left as it
//! was does not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test file uses its part of what they share")]
mod support;

use support::Repo;

const PYTHON: &str = "def load(path):\n    return open(path)\n\n\nclass Old:\n    pass\n";
const TYPESCRIPT: &str = "export function load(path: string): string {\n  return path;\n}\n";
const RUST: &str = "pub fn load(path: &str) -> u8 {\n    0\n}\n";
const GO: &str = "package api\n\nfunc Load(path string) error {\n\treturn nil\n}\n";

/// A task that replaces one text by another in its file.
fn edit(id: &str, file: &str, (old, new): (&str, &str), more: &str) -> String {
    format!(
        r#"
[agent.{id}]
run = ["sh", "-c", '''new=$(sed "s/$1/$2/" "$3") && printf '%s\n' "$new" > "$3"''', "edit", '{old}', '{new}', "{{file}}"]
[[task]]
id = "{id}"
file = "{file}"
agent = "{id}"
prompt = "edit it"
{more}
  [[task.check]]
  says = "it is edited"
  run = '''grep -qF -e '{new}' {{file}}'''
"#
    )
}

fn plan(tasks: &[String]) -> String {
    let head = r#"
version = 1
name = "notes"
goal = "change what is offered"
[[checkpoint]]
says = "the marker is there"
run = "test -e marker"
"#;
    head.to_owned() + &tasks.concat()
}

/// The brief of a task's only attempt.
fn brief(repo: &Repo, task: &str) -> String {
    let attempt = repo.task(task)["attempts"][0]["attempt"].as_u64().unwrap();
    repo.brief(repo.status().run(), attempt)
}

/// The block of a brief that says what changed.
fn notes(brief: &str) -> Option<&str> {
    let (_, rest) = brief.split_once("\n# What changed since the run began\n")?;
    Some(rest.split_once("```\n")?.1.split_once("\n```")?.0)
}

#[test]
fn a_reader_is_told_what_an_earlier_wave_changed() {
    let repo = Repo::with(&[
        ("src/api.py", PYTHON),
        ("src/util.py", "def one():\n    return 1\n"),
        ("src/still.py", "def still(): pass\n"),
        ("src/api.ts", TYPESCRIPT),
        ("src/api.rs", RUST),
        ("src/api.go", GO),
        ("user.txt", "old\n"),
        ("other.txt", "old\n"),
        ("marker", ""),
    ]);
    let reads = r#"reads = ["src/*"]"#;
    let still = r#"reads = ["src/still.py"]
after = ["python"]"#;
    repo.run(&plan(&[
        edit(
            "python",
            "src/api.py",
            ("load(path)", "load(path, *, strict)"),
            "",
        ),
        edit("body", "src/util.py", ("return 1", "return 2"), ""),
        edit(
            "typescript",
            "src/api.ts",
            ("path: string)", "path: URL)"),
            "",
        ),
        edit("rust", "src/api.rs", ("-> u8", "-> u16"), ""),
        edit("go", "src/api.go", ("func Load", "func Read"), ""),
        edit(
            "again",
            "src/api.py",
            ("class Old", "class _Old"),
            r#"after = ["rust"]"#,
        ),
        edit("user", "user.txt", ("old", "new"), reads),
        edit("other", "other.txt", ("old", "new"), still),
    ]))
    .code(0);

    let told = brief(&repo, "user");
    let expected = "\
`src/api.go` changed in wave 1:
  function `Load(path string) error` was renamed to `Read(path string) error` (line 3)
`src/api.py` changed in waves 1, 2:
  function `load(path)` is now `load(path, *, strict)` (line 1)
  class `Old` was renamed to `_Old` (line 5)
`src/api.rs` changed in wave 1:
  function `load(path: &str) -> u8` is now `load(path: &str) -> u16` (line 1)
`src/api.ts` changed in wave 1:
  function `load(path: string): string` is now `load(path: URL): string` (line 1)";
    assert_eq!(notes(&told), Some(expected), "{told}");

    // The second owner of a file is told what the first one did; the first, and who reads what is as it was, nothing.
    let told = brief(&repo, "again");
    assert!(
        notes(&told)
            .unwrap()
            .contains("is now `load(path, *, strict)`"),
        "{told}"
    );
    for task in ["python", "body", "other"] {
        let told = brief(&repo, task);
        assert_eq!(notes(&told), None, "{told}");
    }
}
